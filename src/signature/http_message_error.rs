//! What is wrong with an HTTP message signature: [`HttpMessageError`].

use std::time::Duration;

use http::HeaderName;

/// Verification error of an HTTP message signature (RFC 9421), inside of
/// [`VerifyError::HttpMessage`](crate::VerifyError::HttpMessage).
///
/// No variant contains any text that the sender chose.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpMessageError {
    /// The header is not a dictionary in canonical form (RFC 9651, section 4.1.2), not what the
    /// header must contain, or longer than any genuine one.
    #[error("the {name} header is not a structured field in canonical form")]
    MalformedField {
        /// Name of the header.
        name: HeaderName,
    },
    /// A covered header contains bytes outside of ASCII, which a signature cannot cover.
    #[error("the {name} header is not ASCII, so no signature can cover it")]
    NotAscii {
        /// Name of the header.
        name: HeaderName,
    },
    /// The header has no signature with the profile's label.
    #[error("the {name} header has no signature with the profile's label")]
    MissingLabel {
        /// Name of the header.
        name: HeaderName,
    },
    /// The header has several signatures with the profile's label.
    #[error("the {name} header has several signatures with the profile's label")]
    RepeatedLabel {
        /// Name of the header.
        name: HeaderName,
    },
    /// The signature does not cover a component of the profile.
    #[error("the signature does not cover `{component}`")]
    MissingComponent {
        /// Identifier of the component, as in the header.
        component: Box<str>,
    },
    /// The signature covers a component that is not in the profile, or one with parameters.
    #[error("the signature covers a component that is not in the profile")]
    UnknownComponent,
    /// The signature covers a component twice.
    #[error("the signature covers `{component}` twice")]
    RepeatedComponent {
        /// Identifier of the component, as in the header.
        component: Box<str>,
    },
    /// The signature lacks a parameter that the profile requires.
    #[error("the signature has no `{parameter}` parameter")]
    MissingParameter {
        /// Name of the parameter.
        parameter: &'static str,
    },
    /// The signature has a parameter that RFC 9421 does not define.
    #[error("the signature has a parameter that RFC 9421 does not define")]
    UnknownParameter,
    /// The parameter is repeated or of another type, or `expires` is not after `created`.
    #[error("the `{parameter}` parameter of the signature is invalid")]
    InvalidParameter {
        /// Name of the parameter.
        parameter: &'static str,
    },
    /// The parameter is not that of the profile or its keys: the signature was made with another
    /// key or algorithm, or for another application.
    #[error("the `{parameter}` parameter of the signature is not that of the profile and its keys")]
    OtherParameter {
        /// `alg`, `keyid` or `tag`.
        parameter: &'static str,
    },
    /// The time in `expires` has passed.
    #[error("the signature expired {age:?} ago")]
    Expired {
        /// Time from `expires` to `now`.
        age: Duration,
    },
    /// The content-digest header has no `sha-256` digest.
    #[error("the content-digest header has no `sha-256` digest")]
    MissingDigest,
    /// The signature is genuine, and its digest is not that of the body: the body was modified in
    /// transit, or parsed and serialized again before verification.
    #[error("the `sha-256` digest in the content-digest header is not that of the body")]
    OtherDigest,
}

impl HttpMessageError {
    /// Returns a name that does not change between releases, for use as a metrics label.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::MalformedField { .. } => "malformed-field",
            Self::NotAscii { .. } => "not-ascii",
            Self::MissingLabel { .. } => "missing-label",
            Self::RepeatedLabel { .. } => "repeated-label",
            Self::MissingComponent { .. } => "missing-component",
            Self::UnknownComponent => "unknown-component",
            Self::RepeatedComponent { .. } => "repeated-component",
            Self::MissingParameter { .. } => "missing-parameter",
            Self::UnknownParameter => "unknown-parameter",
            Self::InvalidParameter { .. } => "invalid-parameter",
            Self::OtherParameter { .. } => "other-parameter",
            Self::Expired { .. } => "expired",
            Self::MissingDigest => "missing-digest",
            Self::OtherDigest => "other-digest",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::VerifyError;

    #[test]
    fn each_error_has_its_text_and_name() {
        use HttpMessageError as E;
        let name = || HeaderName::from_static("signature-input");
        let component = || "\"@query\"".into();
        for (error, label, text) in [
            (
                E::MalformedField { name: name() },
                "malformed-field",
                "the signature-input header is not a structured field in canonical form",
            ),
            (
                E::NotAscii { name: name() },
                "not-ascii",
                "the signature-input header is not ASCII, so no signature can cover it",
            ),
            (
                E::MissingLabel { name: name() },
                "missing-label",
                "the signature-input header has no signature with the profile's label",
            ),
            (
                E::RepeatedLabel { name: name() },
                "repeated-label",
                "the signature-input header has several signatures with the profile's label",
            ),
            (
                E::MissingComponent { component: component() },
                "missing-component",
                "the signature does not cover `\"@query\"`",
            ),
            (
                E::UnknownComponent,
                "unknown-component",
                "the signature covers a component that is not in the profile",
            ),
            (
                E::RepeatedComponent { component: component() },
                "repeated-component",
                "the signature covers `\"@query\"` twice",
            ),
            (
                E::MissingParameter { parameter: "created" },
                "missing-parameter",
                "the signature has no `created` parameter",
            ),
            (
                E::UnknownParameter,
                "unknown-parameter",
                "the signature has a parameter that RFC 9421 does not define",
            ),
            (
                E::InvalidParameter { parameter: "expires" },
                "invalid-parameter",
                "the `expires` parameter of the signature is invalid",
            ),
            (
                E::OtherParameter { parameter: "tag" },
                "other-parameter",
                "the `tag` parameter of the signature is not that of the profile and its keys",
            ),
            (E::Expired { age: Duration::from_secs(2) }, "expired", "the signature expired 2s ago"),
            (
                E::MissingDigest,
                "missing-digest",
                "the content-digest header has no `sha-256` digest",
            ),
            (
                E::OtherDigest,
                "other-digest",
                "the `sha-256` digest in the content-digest header is not that of the body",
            ),
        ] {
            assert_eq!(error.name(), label);
            assert_eq!(error.to_string(), text);
            let outer = VerifyError::from(error);
            assert_eq!((outer.name(), outer.to_string().as_str()), (label, text));
        }
    }
}
