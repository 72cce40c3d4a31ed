//! Error for an invalid signature scheme: [`SchemeSpecError`].

use std::fmt;

/// Error for a [`SchemeSpec`](super::SchemeSpec) that contradicts itself, or that would sign less
/// than it names.
///
/// The mistake is in the spec, not in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SchemeSpecError {
    /// The template lacks `{body}`: any body would be accepted.
    NoBody,
    /// The template has a brace that does not belong to a
    /// [placeholder](super::SchemeSpec::template).
    Placeholder,
    /// The template contains one of the placeholders twice.
    Repeated,
    /// The template has more parts than any vendor's, counting placeholders and text.
    TooManyParts,
    /// A value of the request, such as `{path}`, and another value are not separated by text that
    /// the value cannot contain, so bytes could move from one to the other. A line feed separates
    /// all of them.
    RequestValueNotDelimited,
    /// No text separates `{id}` from `{body}`, so bytes could move from one to the other.
    IdAdjacentToBody,
    /// No text separates `{id}` from a `{timestamp}` that is written as an integer, so digits
    /// could move from one to the other; or from any `{timestamp}` between `{body}` and `{id}`, so
    /// another time in the body could be read as the signed one.
    IdAdjacentToTimestamp,
    /// The text between a `{timestamp}` that is written as an integer and another placeholder is a
    /// number too, so digits could move.
    TextContinuesTimestamp,
    /// The template contains `{timestamp}`, but the spec has no timestamp header or field.
    NoTimestampHeader,
    /// The spec has a timestamp that the template does not sign: anybody could change it.
    TimestampNotSigned,
    /// The template contains `{id}`, but the spec has no id header.
    NoIdHeader,
    /// The spec has an id header that the template does not sign: anybody could change it.
    IdNotSigned,
    /// A header name is not valid in HTTP.
    HeaderName,
    /// Two of the headers have the same name.
    SameHeader,
    /// A prefix contains the separator or a character other than printable ASCII, or starts with a
    /// space, or the timestamp's or the stronger signature's prefix is empty.
    Prefix,
    /// One field could be read both as the timestamp and as a signature, or as one of them and as a
    /// stronger signature.
    SamePrefix,
    /// A separator could occur inside a field, or is missing although the timestamp is a field.
    Separator,
}

impl SchemeSpecError {
    /// Returns the text of `Display`, which a failed const evaluation shows too.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::NoBody => "the template must contain `{body}`",
            Self::Placeholder => "the template has a brace outside a placeholder such as `{body}`",
            Self::Repeated => "the template repeats a placeholder",
            Self::TooManyParts => "the template must have at most 12 placeholders and texts",
            Self::RequestValueNotDelimited => {
                "the template must have text between a value of the request and another value that \
                 the former cannot contain, such as a line feed"
            }
            Self::IdAdjacentToBody => "the template must have text between `{id}` and `{body}`",
            Self::IdAdjacentToTimestamp => {
                "the template must have text between `{id}` and a `{timestamp}` that is an integer \
                 or follows `{body}`"
            }
            Self::TextContinuesTimestamp => {
                "the text beside an integer `{timestamp}` must not be a number"
            }
            Self::NoTimestampHeader => {
                "the template contains `{timestamp}`, but no timestamp header or field is set"
            }
            Self::TimestampNotSigned => {
                "a timestamp is set, but the template does not contain `{timestamp}`"
            }
            Self::NoIdHeader => "the template contains `{id}`, but no id header is set",
            Self::IdNotSigned => "an id header is set, but the template does not contain `{id}`",
            Self::HeaderName => "a header name is invalid",
            Self::SameHeader => "two headers have the same name",
            Self::Prefix => {
                "a prefix must be printable ASCII without the separator and without a space at its \
                 start, and that of the timestamp must not be empty"
            }
            Self::SamePrefix => "the prefixes of timestamp and signatures are ambiguous",
            Self::Separator => "a separator is missing or could occur inside a field",
        }
    }
}

impl fmt::Display for SchemeSpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for SchemeSpecError {}
