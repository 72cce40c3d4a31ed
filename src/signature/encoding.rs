//! How a MAC is encoded: [`Encoding`].

use crate::named::named;

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
