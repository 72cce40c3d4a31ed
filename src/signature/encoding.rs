//! How a MAC is encoded: [`Encoding`].

use std::fmt;
use std::str::FromStr;

/// Text encoding of a MAC in the signature header.
///
/// `Display` and `FromStr` use the names `hex` and `base64`, for schemes that come from a
/// configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// Hexadecimal: written in lower case, read in either case.
    Hex,
    /// Standard base64 with padding.
    Base64,
}

impl Encoding {
    /// Returns the encoding as one word, such as `hex`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hex => "hex",
            Self::Base64 => "base64",
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Encoding {
    type Err = ParseEncodingError;

    fn from_str(text: &str) -> Result<Self, ParseEncodingError> {
        match text {
            "hex" => Ok(Self::Hex),
            "base64" => Ok(Self::Base64),
            _ => Err(ParseEncodingError { text: text.to_owned() }),
        }
    }
}

/// Error for text that is not an [`Encoding`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown encoding `{text}`, expected one of `hex`, `base64`")]
pub struct ParseEncodingError {
    text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_round_trips_as_text() {
        for encoding in [Encoding::Hex, Encoding::Base64] {
            assert_eq!(encoding.to_string().parse(), Ok(encoding));
        }
        assert_eq!(
            "Hex".parse::<Encoding>().unwrap_err().to_string(),
            "unknown encoding `Hex`, expected one of `hex`, `base64`"
        );
    }
}
