//! Profiles that no signature fits: [`HttpMessageProfileError`].

use http::HeaderName;

/// Error for a setting of an [`HttpMessageProfile`](super::HttpMessageProfile) that no signature
/// can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpMessageProfileError {
    /// The label is not a key of a dictionary (RFC 9651, section 3.2).
    #[error(
        "the label must start with a lower-case letter or `*`, contain only lower-case letters, \
         digits and `_-.*`, and be at most 64 bytes long"
    )]
    Label,
    /// The tag is not a string that needs no escapes.
    #[error("the tag must be 1 to 256 printable ASCII characters without `\"` and `\\`")]
    Tag,
    /// A key id is not a string that needs no escapes.
    #[error("a key id must be 1 to 256 printable ASCII characters without `\"` and `\\`")]
    KeyId,
    /// The header is covered already, or is one that the signature itself uses.
    #[error("the {name} header is covered already or part of the signature")]
    Header {
        /// Name of the header.
        name: HeaderName,
    },
    /// There are more headers than a verifier accepts covered components.
    #[error("the profile must have at most 24 headers of its own")]
    TooManyHeaders,
}

#[cfg(test)]
mod tests {
    use super::super::HttpMessageProfile;
    use super::*;

    #[test]
    fn each_profile_error_has_its_text() {
        let new = HttpMessageProfile::new;
        let name = HeaderName::from_static;
        let many = (0..25).map(|n| HeaderName::try_from(format!("x-{n}")).unwrap());
        for (result, text) in [
            (
                new().with_label("Sig1"),
                "the label must start with a lower-case letter or `*`, contain only lower-case \
                 letters, digits and `_-.*`, and be at most 64 bytes long",
            ),
            (
                new().with_tag(""),
                "the tag must be 1 to 256 printable ASCII characters without `\"` and `\\`",
            ),
            (
                new().with_key_ids(["a", "b\"c"]),
                "a key id must be 1 to 256 printable ASCII characters without `\"` and `\\`",
            ),
            (
                new().with_headers([name("content-type")]),
                "the content-type header is covered already or part of the signature",
            ),
            (
                new().with_headers([name("x-a"), name("x-a")]),
                "the x-a header is covered already or part of the signature",
            ),
            (
                new().with_id_header(name("signature")),
                "the signature header is covered already or part of the signature",
            ),
            (new().with_headers(many), "the profile must have at most 24 headers of its own"),
        ] {
            assert_eq!(result.unwrap_err().to_string(), text);
        }
        let most = (0..24).map(|number| HeaderName::try_from(format!("x-{number}")).unwrap());
        assert!(new().with_headers(most).is_ok());
    }
}
