//! Elements of a signature header, as senders write them and proxies join them: [`Splitter`].

use super::scheme_spec::{SchemeSpec, TimestampPlace, contains};

/// No header value contains one, so it separates nothing.
const NONE: u8 = b'\n';

/// Splits a line of the signature header into timestamps and signatures.
///
/// Beside the scheme's own separators, a comma separates elements, because a proxy may join lines
/// with one, with or without a space (RFC 9110, section 5.3); no encoding and no timestamp contains
/// one. If the timestamp is a field, a space does too, because a sender may write one pair of
/// timestamp and signature per key. Every element is still compared with the MAC of the same bytes,
/// so none of this makes a forgery easier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Splitter {
    separators: [u8; 4],
    /// Whether the prefix ends with its only comma, as `v1,` does, and no other prefix has one.
    is_versioned: bool,
}

impl Splitter {
    /// Creates the splitter of a spec that was checked: its separators are ASCII.
    pub(super) const fn new(spec: &SchemeSpec<'_>) -> Self {
        let field_prefix = match spec.timestamp {
            Some((TimestampPlace::Field(prefix), _)) => Some(prefix),
            _ => None,
        };
        let comma_in_field = is_in(field_prefix, ',');
        let comma = !comma_in_field && !is_in(Some(spec.prefix), ',');
        let space =
            field_prefix.is_some() && !is_in(field_prefix, ' ') && !is_in(Some(spec.prefix), ' ');
        Self {
            separators: [
                separator(spec.separator),
                separator(spec.value_separator),
                if comma { b',' } else { NONE },
                if space { b' ' } else { NONE },
            ],
            is_versioned: match spec.prefix.as_bytes().split_last() {
                Some((b',', version)) => !comma_in_field && !contains(version, ','),
                _ => false,
            },
        }
    }

    /// Returns whether this prefix stays whole in an element that begins with it.
    pub(super) const fn keeps(self, prefix: &str) -> bool {
        let [a, b, c, d] = self.separators;
        let mut rest = prefix.as_bytes();
        while let [byte, after @ ..] = rest {
            if *byte == a || *byte == b || *byte == c || *byte == d {
                return false;
            }
            rest = after;
        }
        match prefix.as_bytes().split_last() {
            _ if !self.is_versioned => true,
            Some((b',', version)) => is_version(version),
            _ => !contains(prefix.as_bytes(), ','),
        }
    }

    /// Returns the elements of a line of the header, for a scheme with this prefix.
    pub(super) fn elements<'h>(
        self,
        prefix: &str,
        line: &'h [u8],
    ) -> impl Iterator<Item = &'h [u8]> {
        let version = prefix.strip_suffix(',').filter(|_| self.is_versioned).map(str::as_bytes);
        let [a, b, c, d] = self.separators;
        line.split(move |&byte| byte == a || byte == b || byte == c || byte == d)
            .flat_map(move |field| Versioned { rest: Some(field.trim_ascii()), version })
            .filter(|element| !element.is_empty())
    }
}

const fn is_in(prefix: Option<&str>, character: char) -> bool {
    match prefix {
        Some(prefix) => contains(prefix.as_bytes(), character),
        None => false,
    }
}

#[allow(clippy::cast_possible_truncation, reason = "ASCII")]
const fn separator(character: Option<char>) -> u8 {
    match character {
        Some(character) if character.is_ascii() => character as u8,
        _ => NONE,
    }
}

/// Splits `v1,a,v1,b` before each version, if the prefix is a version. What is no version with one
/// value is returned in its parts, none of which is a signature.
struct Versioned<'h, 'p> {
    rest: Option<&'h [u8]>,
    version: Option<&'p [u8]>,
}

impl<'h> Iterator for Versioned<'h, '_> {
    type Item = &'h [u8];

    fn next(&mut self) -> Option<&'h [u8]> {
        let field = self.rest.take()?;
        let Some(version) = self.version else { return Some(field) };
        let is_version = |part: &[u8]| part == version || is_version(part);
        let here = field.trim_ascii_start();
        let (first, after_first) = split_at_comma(here);
        self.rest = after_first;
        if let Some((value, after_value)) = after_first.map(split_at_comma) {
            let next = after_value.map(|after| split_at_comma(after).0.trim_ascii());
            let is_pair = is_version(first)
                && !value.trim_ascii().is_empty()
                && !is_version(value.trim_ascii())
                && next.is_none_or(|next| next.is_empty() || is_version(next));
            if is_pair {
                self.rest = after_value;
                let len = first.len().saturating_add(1).saturating_add(value.len());
                return here.get(..len).map(<[u8]>::trim_ascii_end);
            }
        }
        Some(first.trim_ascii_end())
    }
}

fn split_at_comma(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|&byte| byte == b',') {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at.saturating_add(1)..)),
        None => (text, None),
    }
}

/// Returns whether this is a version of Standard Webhooks, such as `v1` and `v1a`.
const fn is_version(text: &[u8]) -> bool {
    let [b'v', b'0'..=b'9', rest @ ..] = text else { return false };
    let mut rest = rest;
    while let [b'0'..=b'9', after @ ..] = rest {
        rest = after;
    }
    while let [b'a'..=b'z', after @ ..] = rest {
        rest = after;
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::scheme::STANDARD_WEBHOOKS;
    use crate::signature::{CustomScheme, TimestampForm};

    fn split(layout: &CustomScheme, line: &str) -> Vec<String> {
        let text = |element: &[u8]| String::from_utf8(element.to_vec()).unwrap();
        layout.elements(line.as_bytes()).map(text).collect()
    }

    #[test]
    fn versioned_list_is_split_before_versions() {
        for (line, expected) in [
            ("v1,a v1,b", &["v1,a", "v1,b"][..]),
            ("v1,a,v1,b", &["v1,a", "v1,b"]),
            ("v1,a, v1a,b", &["v1,a", "v1a,b"]),
            ("v1,a v1,b,v12,c v1,d,", &["v1,a", "v1,b", "v12,c", "v1,d"]),
            ("v1,a,,v1,b,", &["v1,a", "v1,b"]),
            ("garbage,v1,b,v1,c", &["garbage", "v1,b", "v1,c"]),
            (",v1,a", &["v1,a"]),
            ("v1", &["v1"]),
            ("v1,", &["v1"]),
            // A value is one text, and a tab separates nothing.
            ("v1,a,x", &["v1", "a", "x"]),
            ("v1,v1,a", &["v1", "v1,a"]),
            ("v1,a\tv1,b", &["v1", "a\tv1", "b"]),
            ("v,a", &["v", "a"]),
            ("v1A,a", &["v1A", "a"]),
        ] {
            assert_eq!(split(&STANDARD_WEBHOOKS, line), expected, "{line:?}");
        }
    }

    #[test]
    fn versioned_list_without_a_separator_is_trimmed() {
        let spec = SchemeSpec::new("x", "{body}").with_prefix("v1,").with_base64();
        let scheme = CustomScheme::new(spec).unwrap();
        for (line, expected) in [
            ("v1,a,v1,b", &["v1,a", "v1,b"][..]),
            ("v1,a, v1,b", &["v1,a", "v1,b"]),
            ("v1,a\t, , v1,b ,", &["v1,a", "v1,b"]),
            ("v1, v1,a", &["v1", "v1,a"]),
            ("garbage , v1,a", &["garbage", "v1,a"]),
            // A space belongs to a value.
            ("v1, a", &["v1, a"]),
            ("v1,a v1,b", &["v1", "a v1", "b"]),
        ] {
            assert_eq!(split(&scheme, line), expected, "{line:?}");
        }
    }

    #[test]
    fn pairs_are_split_at_spaces_and_commas() {
        let scheme = |separator| {
            let spec = SchemeSpec::new("x", "{timestamp}.{body}")
                .with_separator(separator)
                .with_prefix("v1=")
                .with_timestamp_field("t=", TimestampForm::UnixSeconds);
            CustomScheme::new(spec).unwrap()
        };
        let expected = ["t=1", "v1=a", "t=1", "v1=b"];
        assert_eq!(split(&scheme(','), "t=1,v1=a t=1, v1=b"), expected);
        assert_eq!(split(&scheme(';'), "t=1;v1=a,t=1;v1=b"), expected);
        assert_eq!(split(&scheme(';'), "t=1;v1=a t=1;v1=b"), expected);
    }

    #[test]
    fn comma_in_the_prefix_of_the_time_does_not_separate() {
        let spec = SchemeSpec::new("x", "{timestamp}.{body}")
            .with_separator(';')
            .with_prefix("v1,")
            .with_timestamp_field("t1,", TimestampForm::UnixSeconds);
        let scheme = CustomScheme::new(spec).unwrap();
        assert_eq!(split(&scheme, "t1,1;v1,a;v1,b"), ["t1,1", "v1,a", "v1,b"]);
    }

    #[test]
    fn space_in_prefix_does_not_separate() {
        let hmac = CustomScheme::new(SchemeSpec::new("x", "{body}").with_prefix("HMAC ")).unwrap();
        assert_eq!(split(&hmac, "HMAC a,HMAC b"), ["HMAC a", "HMAC b"]);
        // Nor does it without a timestamp field.
        assert_eq!(split(&CustomScheme::GITHUB, "sha256=a b"), ["sha256=a b"]);
        assert_eq!(split(&CustomScheme::GITHUB, "sha256=a,sha256=b"), ["sha256=a", "sha256=b"]);
    }
}
