//! How a MAC is encoded: [`Encoding`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::named::named;

/// Text encoding of a signature in its header.
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
    /// Encodes a signature.
    pub(super) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex::encode(bytes),
            Self::Base64 => STANDARD.encode(bytes),
        }
    }

    /// Decodes a signature; `None` if it is longer than any, or malformed.
    pub(super) fn decode<'b>(self, text: &[u8], buffer: &'b mut [u8; 80]) -> Option<&'b [u8]> {
        let len = match self {
            Self::Hex => {
                let len = text.len() / 2;
                hex::decode_to_slice(text, buffer.get_mut(..len)?).ok().map(|()| len)?
            }
            Self::Base64 => STANDARD.decode_slice(text, buffer).ok()?,
        };
        buffer.get(..len)
    }
}

named!(Encoding, "encoding", {
    Hex => "hex",
    Base64 => "base64",
});

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
