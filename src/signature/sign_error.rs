//! Errors of signing: [`SignError`].

use http::{HeaderName, header};

use super::error::VerifyError;
use super::http_message_error::HttpMessageError;

/// Error for a message that cannot be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The message id is ambiguous in this scheme: it contains what delimits it in the signed
    /// bytes, the template's text or a time. Choose another id or scheme.
    #[error("the message id contains what delimits it in the signed bytes")]
    AmbiguousId,
    /// The signing time has a year outside 0000 to 9999, which RFC 3339 cannot express. Check the
    /// clock.
    #[error("the scheme's timestamp format cannot express the signing time")]
    Time,
    /// The signer has more keys, or more private keys, than a verifier accepts signatures. Remove
    /// old keys.
    #[error("the signer has too many keys; the limit is {limit}")]
    TooManyKeys {
        /// The limit for [all keys](super::MAX_CANDIDATES), or for
        /// [private keys](super::MAX_PUBLIC_KEY_CANDIDATES).
        limit: usize,
    },
    /// The scheme signs the method, the URL or headers: use
    /// [`sign_request`](super::Signer::sign_request).
    #[error("the scheme signs method, URL or headers: use `sign_request`")]
    RequestRequired,
    /// The scheme signs a header that the request does not have.
    #[error("the request must have the {name} header, which the scheme signs")]
    MissingHeader {
        /// Name of the header.
        name: HeaderName,
    },
    /// The scheme signs a header that the request has with different values.
    #[error("the {name} header, which the scheme signs, is repeated with different values")]
    ConflictingHeader {
        /// Name of the header.
        name: HeaderName,
    },
    /// The scheme cannot sign a body that is no form, unless the URL contains its digest.
    #[error("the scheme cannot sign this body")]
    UnsignedBody,
    /// The scheme signs a header with bytes outside of ASCII, which an HTTP message signature cannot
    /// cover.
    #[error("the {name} header, which the scheme signs, must be ASCII")]
    NotAscii {
        /// Name of the header.
        name: HeaderName,
    },
    /// The scheme signs the URL, and the request's is not absolute.
    #[error("the request must have an absolute URL, which the scheme signs")]
    NotAbsolute,
}

impl SignError {
    /// Returns the error for a request that is to be signed.
    pub(super) fn of(error: VerifyError) -> Self {
        match error {
            VerifyError::MissingHeader { name } if name != header::HOST => {
                Self::MissingHeader { name }
            }
            VerifyError::ConflictingHeader { name } => Self::ConflictingHeader { name },
            VerifyError::HttpMessage(HttpMessageError::NotAscii { name }) => {
                Self::NotAscii { name }
            }
            VerifyError::RequestRequired => Self::RequestRequired,
            VerifyError::UnsignedBody
            | VerifyError::TooManyParameters { .. }
            | VerifyError::NoMatch { .. } => Self::UnsignedBody,
            _ => Self::NotAbsolute,
        }
    }
}
