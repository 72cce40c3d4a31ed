//! What a vendor says of its signatures, and whether it adds up: [`SchemeSpec`].

use std::fmt;

use super::template;
use super::timestamp_form::TimestampForm;

/// How the bytes of a MAC are written in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// Hexadecimal: written in lower case, read in either.
    Hex,
    /// Standard base64 with its padding.
    Base64,
}

/// What a vendor's documentation says of its HMAC-SHA256 signatures, not yet checked.
///
/// [`CustomScheme`](super::CustomScheme) checks it, when it is compiled or at run time. Without
/// further words the MAC is in hexadecimal, without a prefix, one to a header, and neither time nor
/// id is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemeSpec<'a> {
    /// The header that carries the signature.
    pub header: &'a str,
    /// What is signed: fixed text around `{id}`, `{timestamp}` and `{body}`, each once at most.
    pub template: &'a str,
    /// What stands before the encoded MAC, such as `sha256=`; empty for nothing.
    pub prefix: &'a str,
    /// How the MAC is encoded.
    pub encoding: Encoding,
    /// What parts the fields of the signature header, where it can hold several.
    pub separator: Option<char>,
    /// Where the timestamp sits, and how it is written.
    pub timestamp: Option<(TimestampPlace<'a>, TimestampForm)>,
    /// The header that carries the message's id.
    pub id_header: Option<&'a str>,
}

/// Where a described scheme keeps its timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimestampPlace<'a> {
    /// In a header of its own.
    Header(&'a str),
    /// In the signature header, as the field with this prefix, such as `t=`.
    Field(&'a str),
}

impl<'a> SchemeSpec<'a> {
    /// The signature header and what is signed.
    #[must_use]
    pub const fn new(header: &'a str, template: &'a str) -> Self {
        Self {
            header,
            template,
            prefix: "",
            encoding: Encoding::Hex,
            separator: None,
            timestamp: None,
            id_header: None,
        }
    }

    /// Puts this text before the encoded MAC.
    #[must_use]
    pub const fn with_prefix(mut self, prefix: &'a str) -> Self {
        self.prefix = prefix;
        self
    }

    /// Writes the MAC in base64.
    #[must_use]
    pub const fn with_base64(mut self) -> Self {
        self.encoding = Encoding::Base64;
        self
    }

    /// Lets the signature header hold several fields, parted by this character: a rotating sender
    /// then signs with all its secrets.
    #[must_use]
    pub const fn with_separator(mut self, separator: char) -> Self {
        self.separator = Some(separator);
        self
    }

    /// The timestamp is in a header of its own.
    #[must_use]
    pub const fn with_timestamp_header(mut self, name: &'a str, form: TimestampForm) -> Self {
        self.timestamp = Some((TimestampPlace::Header(name), form));
        self
    }

    /// The timestamp is in the signature header, behind this prefix.
    #[must_use]
    pub const fn with_timestamp_field(mut self, prefix: &'a str, form: TimestampForm) -> Self {
        self.timestamp = Some((TimestampPlace::Field(prefix), form));
        self
    }

    /// The message's id is in this header.
    #[must_use]
    pub const fn with_id_header(mut self, name: &'a str) -> Self {
        self.id_header = Some(name);
        self
    }

    pub(super) const fn check(&self) -> Result<(), SchemeSpecError> {
        let contents = match template::check(self.template.as_bytes()) {
            Ok(contents) => contents,
            Err(error) => return Err(error),
        };
        match (contents.id, self.id_header) {
            (true, None) => return Err(SchemeSpecError::IdNowhere),
            (false, Some(_)) => return Err(SchemeSpecError::IdNotSigned),
            _ => {}
        }
        match (contents.timestamp, self.timestamp) {
            (true, None) => return Err(SchemeSpecError::TimestampNowhere),
            (false, Some(_)) => return Err(SchemeSpecError::TimestampNotSigned),
            _ => {}
        }
        if let Some((_, TimestampForm::UnixSeconds | TimestampForm::UnixMillis)) = self.timestamp
            && contents.id_touches_timestamp
        {
            return Err(SchemeSpecError::IdTouchesTimestamp);
        }
        if !is_graphic(self.prefix) {
            return Err(SchemeSpecError::Prefix);
        }
        if let Some(separator) = self.separator
            && (!parts_fields(separator) || holds(self.prefix, separator))
        {
            // `v1,` of Standard Webhooks holds a comma, and its fields are parted by spaces.
            return Err(SchemeSpecError::Separator);
        }
        if let Some(id_header) = self.id_header
            && same_name(self.header, id_header)
        {
            return Err(SchemeSpecError::SameHeader);
        }
        match (self.timestamp, self.separator) {
            (Some((TimestampPlace::Field(_), _)), None) => Err(SchemeSpecError::Separator),
            (Some((TimestampPlace::Field(field), form)), Some(separator)) => {
                // With an empty prefix the tag itself must not look like the timestamp's field.
                let blurred = self.prefix.is_empty() && !is_beyond(field, self.encoding);
                if field.is_empty() || !is_graphic(field) || holds(field, separator) {
                    Err(SchemeSpecError::Prefix)
                } else if form.writes(separator) {
                    Err(SchemeSpecError::Separator)
                } else if blurred
                    || starts_with(self.prefix, field)
                    || (!self.prefix.is_empty() && starts_with(field, self.prefix))
                {
                    Err(SchemeSpecError::SamePrefix)
                } else {
                    Ok(())
                }
            }
            (Some((TimestampPlace::Header(name), _)), _) => {
                let clashes = match self.id_header {
                    Some(id_header) => same_name(name, id_header),
                    None => false,
                };
                if clashes || same_name(name, self.header) {
                    Err(SchemeSpecError::SameHeader)
                } else {
                    Ok(())
                }
            }
            (None, _) => Ok(()),
        }
    }
}

const fn is_graphic(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        if !first.is_ascii_graphic() {
            return false;
        }
        rest = after;
    }
    true
}

/// Whether the character can part fields: it occurs in neither encoding.
const fn parts_fields(separator: char) -> bool {
    separator == ' ' || (separator.is_ascii_punctuation() && !matches!(separator, '+' | '/' | '='))
}

/// Whether the text holds the character, which is in ASCII.
const fn holds(text: &str, wanted: char) -> bool {
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        if *first as u32 == wanted as u32 {
            return true;
        }
        rest = after;
    }
    false
}

/// Whether the text holds a character that the encoding does not write.
const fn is_beyond(text: &str, encoding: Encoding) -> bool {
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let own = match encoding {
            Encoding::Hex => first.is_ascii_hexdigit(),
            Encoding::Base64 => {
                first.is_ascii_alphanumeric() || matches!(*first, b'+' | b'/' | b'=')
            }
        };
        if !own {
            return true;
        }
        rest = after;
    }
    false
}

const fn starts_with(text: &str, start: &str) -> bool {
    let (mut text, mut start) = (text.as_bytes(), start.as_bytes());
    while let [wanted, start_after @ ..] = start {
        match text {
            [found, text_after @ ..] if *found == *wanted => text = text_after,
            _ => return false,
        }
        start = start_after;
    }
    true
}

const fn same_name(left: &str, right: &str) -> bool {
    let (mut left, mut right) = (left.as_bytes(), right.as_bytes());
    loop {
        match (left, right) {
            ([], []) => return true,
            ([l, l_after @ ..], [r, r_after @ ..]) if l.eq_ignore_ascii_case(r) => {
                (left, right) = (l_after, r_after);
            }
            _ => return false,
        }
    }
}

/// A description contradicts itself, or would sign less than it names.
///
/// Whoever wrote the description is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemeSpecError {
    /// The template lacks `{body}`: any body would pass.
    NoBody,
    /// The template has a brace that does not belong to `{id}`, `{timestamp}` or `{body}`.
    Placeholder,
    /// The template holds one of the three twice.
    Repeated,
    /// `{id}` and `{body}` stand side by side, so that bytes could move from one to the other.
    IdTouchesBody,
    /// `{id}` and a `{timestamp}` that is all digits stand side by side, so that digits could move
    /// from one to the other.
    IdTouchesTimestamp,
    /// The template uses `{timestamp}` and nothing says where it sits.
    TimestampNowhere,
    /// A timestamp is described which the template does not sign: anybody could change it.
    TimestampNotSigned,
    /// The template uses `{id}` and no header carries it.
    IdNowhere,
    /// An id header is described which the template does not sign: anybody could change it.
    IdNotSigned,
    /// A name is not usable as a header name.
    HeaderName,
    /// Two of the headers have one name.
    SameHeader,
    /// A prefix holds a character other than visible ASCII, or the separator, or is empty where it
    /// must tell the timestamp from the signature.
    Prefix,
    /// The prefixes of the timestamp and the signature cannot be told apart.
    SamePrefix,
    /// The separator could occur inside a field, or is missing where the timestamp is a field.
    Separator,
}

impl SchemeSpecError {
    /// The text of `Display`, which a failed const evaluation shows too.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::NoBody => "the template does not sign {body}",
            Self::Placeholder => "the template has a brace outside {id}, {timestamp} and {body}",
            Self::Repeated => "the template repeats a placeholder",
            Self::IdTouchesBody => "the template has no text between {id} and {body}",
            Self::IdTouchesTimestamp => "the template has no text between {id} and {timestamp}",
            Self::TimestampNowhere => {
                "the template uses {timestamp} and nothing says where it sits"
            }
            Self::TimestampNotSigned => "the template does not sign the timestamp",
            Self::IdNowhere => "the template uses {id} and no header carries it",
            Self::IdNotSigned => "the template does not sign the id",
            Self::HeaderName => "a header name is not usable",
            Self::SameHeader => "two headers of the scheme have one name",
            Self::Prefix => "a prefix is not made of visible ASCII characters without separator",
            Self::SamePrefix => "the prefixes of timestamp and signature cannot be told apart",
            Self::Separator => "the separator is missing or could occur inside a field",
        }
    }
}

impl fmt::Display for SchemeSpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for SchemeSpecError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::CustomScheme;

    #[test]
    fn each_error_has_its_text() {
        use SchemeSpecError as E;
        const FORM: TimestampForm = TimestampForm::UnixSeconds;
        let new = SchemeSpec::new;
        for (description, error, text) in [
            (new("x", "v0"), E::NoBody, "the template does not sign {body}"),
            (
                new("x", "{Body}{body}"),
                E::Placeholder,
                "the template has a brace outside {id}, {timestamp} and {body}",
            ),
            (new("x", "{body}{body}"), E::Repeated, "the template repeats a placeholder"),
            (
                new("x", "{id}{body}").with_id_header("y"),
                E::IdTouchesBody,
                "the template has no text between {id} and {body}",
            ),
            (
                new("x", "{id}{timestamp}.{body}")
                    .with_id_header("y")
                    .with_timestamp_header("z", FORM),
                E::IdTouchesTimestamp,
                "the template has no text between {id} and {timestamp}",
            ),
            (
                new("x", "{timestamp}.{body}"),
                E::TimestampNowhere,
                "the template uses {timestamp} and nothing says where it sits",
            ),
            (
                new("x", "{body}").with_timestamp_header("y", FORM),
                E::TimestampNotSigned,
                "the template does not sign the timestamp",
            ),
            (
                new("x", "{id}.{body}"),
                E::IdNowhere,
                "the template uses {id} and no header carries it",
            ),
            (
                new("x", "{body}").with_id_header("y"),
                E::IdNotSigned,
                "the template does not sign the id",
            ),
            (new("x y", "{body}"), E::HeaderName, "a header name is not usable"),
            (
                new("x-a", "{id}.{body}").with_id_header("X-A"),
                E::SameHeader,
                "two headers of the scheme have one name",
            ),
            (
                new("x", "{body}").with_prefix("v1 "),
                E::Prefix,
                "a prefix is not made of visible ASCII characters without separator",
            ),
            (
                new("x", "{timestamp}{body}")
                    .with_separator(',')
                    .with_prefix("t=")
                    .with_timestamp_field("t=", FORM),
                E::SamePrefix,
                "the prefixes of timestamp and signature cannot be told apart",
            ),
            (
                new("x", "{timestamp}{body}").with_timestamp_field("t=", FORM),
                E::Separator,
                "the separator is missing or could occur inside a field",
            ),
        ] {
            let found = CustomScheme::new(description).unwrap_err();
            assert_eq!(found, error);
            assert_eq!(found.to_string(), text);
        }
    }

    #[test]
    fn further_contradictions_are_found() {
        use SchemeSpecError as E;
        const FORM: TimestampForm = TimestampForm::UnixSeconds;
        let signed = SchemeSpec::new("x", "{timestamp}.{body}").with_separator(',');
        let error = |description| CustomScheme::new(description).unwrap_err();
        assert_eq!(error(signed.with_timestamp_header("X", FORM)), E::SameHeader);
        assert_eq!(error(signed.with_timestamp_field("", FORM)), E::Prefix);
        assert_eq!(error(signed.with_timestamp_field("t,", FORM)), E::Prefix);
        assert_eq!(
            error(signed.with_prefix("t=1").with_timestamp_field("t=", FORM)),
            E::SamePrefix
        );
        assert_eq!(error(signed.with_prefix("t").with_timestamp_field("t=", FORM)), E::SamePrefix);
        // A tag in hexadecimal may begin with an a.
        assert_eq!(error(signed.with_timestamp_field("a", FORM)), E::SamePrefix);
        assert!(CustomScheme::new(signed.with_timestamp_field("a=", FORM)).is_ok());
        let rfc3339 = signed.with_prefix("v1=").with_separator(':');
        assert_eq!(error(rfc3339.with_timestamp_field("t=", TimestampForm::Rfc3339)), E::Separator);
        let touching = SchemeSpec::new("x", "{id}{timestamp}.{body}").with_id_header("y");
        assert_eq!(error(touching.with_timestamp_header("z", FORM)), E::IdTouchesTimestamp);
        assert!(
            CustomScheme::new(touching.with_timestamp_header("z", TimestampForm::Rfc3339)).is_ok()
        );
        let plain = SchemeSpec::new("x", "{body}");
        for bad in ['=', '/', '+', 'a', '0', '\n', 'é'] {
            assert_eq!(error(plain.with_separator(bad)), E::Separator, "{bad:?}");
        }
        assert_eq!(error(plain.with_separator(',').with_prefix("v1,")), E::Separator);
        assert!(CustomScheme::new(plain.with_separator(';').with_prefix("v1,")).is_ok());
        for bad in ["{body}}", "{{body}", "{body", "{}{body}", "{body}{id", "{"] {
            let error = error(SchemeSpec::new("x", bad));
            assert_eq!(error, E::Placeholder, "{bad}");
        }
        assert_eq!(error(SchemeSpec::new("x", "{body}{id}").with_id_header("y")), E::IdTouchesBody);
    }
}
