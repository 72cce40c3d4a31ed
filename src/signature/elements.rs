//! Elements of a signature header, as senders write them and proxies join them: [`elements`].

use super::custom_scheme::{CustomScheme, TimestampSource};

/// Returns the timestamps and signatures in one line of the signature header.
///
/// Beside the scheme's own separators, a comma separates elements, because a proxy may join lines
/// with one, with or without a space (RFC 9110, section 5.3); no encoding and no timestamp contains
/// one. If the timestamp is a field, a space does too, because a sender may write one pair of
/// timestamp and signature per key. Every element is still compared with the MAC of the same bytes,
/// so none of this makes a forgery easier.
pub(super) fn elements<'h>(
    layout: &CustomScheme,
    line: &'h [u8],
) -> impl Iterator<Item = &'h [u8]> {
    let field_prefix = match &layout.timestamp {
        Some((TimestampSource::Field(prefix), _)) => Some(&**prefix),
        _ => None,
    };
    let in_prefix = |character| {
        layout.prefix.contains(character)
            || field_prefix.is_some_and(|prefix| prefix.contains(character))
    };
    let comma = (!in_prefix(',')).then_some(',');
    let space = (field_prefix.is_some() && !in_prefix(' ')).then_some(' ');
    let separators = [layout.separator, layout.value_separator, comma, space];
    // `v1,` contains a comma itself.
    let version = layout.prefix.strip_suffix(',').filter(|version| !version.contains(','));
    let version = version.map(|version| version.as_bytes().to_vec());
    line.split(move |&byte| separators.contains(&Some(char::from(byte))))
        .map(<[u8]>::trim_ascii)
        .flat_map(move |field| match &version {
            Some(version) => versioned(field, version),
            None => vec![field],
        })
        .filter(|element| !element.is_empty())
}

/// Splits `v1,a,v1,b` before each version. What is no version with one value is returned in its
/// parts, none of which is a signature.
fn versioned<'h>(field: &'h [u8], version: &[u8]) -> Vec<&'h [u8]> {
    let is_version = |part: &[u8]| part == version || is_version(part);
    let mut elements = Vec::new();
    let mut rest = Some(field);
    while let Some(here) = rest {
        let here = here.trim_ascii_start();
        let (first, after_first) = split_at_comma(here);
        rest = after_first;
        let Some((value, after_value)) = after_first.map(split_at_comma) else {
            elements.push(first.trim_ascii_end());
            continue;
        };
        let next = after_value.map(|after| split_at_comma(after).0.trim_ascii());
        let is_pair = is_version(first)
            && !value.trim_ascii().is_empty()
            && !is_version(value.trim_ascii())
            && next.is_none_or(|next| next.is_empty() || is_version(next));
        if is_pair {
            let len = first.len().saturating_add(1).saturating_add(value.len());
            elements.extend(here.get(..len).map(<[u8]>::trim_ascii_end));
            rest = after_value;
        } else {
            elements.push(first.trim_ascii_end());
        }
    }
    elements
}

fn split_at_comma(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut parts = text.splitn(2, |&byte| byte == b',');
    (parts.next().unwrap_or_default(), parts.next())
}

/// Returns whether this is a version of Standard Webhooks, such as `v1` and `v1a`.
fn is_version(text: &[u8]) -> bool {
    let Some(number) = text.strip_prefix(b"v") else { return false };
    let digits = number.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && number.iter().skip(digits).all(u8::is_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::scheme::STANDARD_WEBHOOKS;
    use crate::signature::{SchemeSpec, TimestampForm};

    fn split(layout: &CustomScheme, line: &str) -> Vec<String> {
        let text = |element: &[u8]| String::from_utf8(element.to_vec()).unwrap();
        elements(layout, line.as_bytes()).map(text).collect()
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
    fn space_in_prefix_does_not_separate() {
        let hmac = CustomScheme::new(SchemeSpec::new("x", "{body}").with_prefix("HMAC ")).unwrap();
        assert_eq!(split(&hmac, "HMAC a,HMAC b"), ["HMAC a", "HMAC b"]);
        // Nor does it without a timestamp field.
        assert_eq!(split(&CustomScheme::GITHUB, "sha256=a b"), ["sha256=a b"]);
        assert_eq!(split(&CustomScheme::GITHUB, "sha256=a,sha256=b"), ["sha256=a", "sha256=b"]);
    }
}
