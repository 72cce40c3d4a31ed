//! Verification errors: [`VerifyError`].

use std::time::Duration;

use http::HeaderName;

use super::http_message_error::HttpMessageError;
use crate::id::IdError;

/// Verification error: why a request was rejected.
///
/// Respond with [`Reply::Refused`](crate::Reply::Refused) and do not read the body. No variant
/// contains a secret, a MAC or any part of the body, so every variant may be logged. Anybody who
/// can reach the receiver can cause every one of them.
///
/// [`TooOld`](Self::TooOld) and [`TooNew`](Self::TooNew) are returned before any MAC is computed,
/// so they say nothing about the signature.
///
/// ```
/// use labhook::signature::VerifyError;
/// use labhook::{Secret, Timestamp, Verifier};
///
/// let secret = Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
/// let verifier = Verifier::standard_webhooks(secret);
/// let now = Timestamp::from_unix_seconds(1_614_265_330);
/// let error = verifier.verify(&http::HeaderMap::new(), b"{}", now).unwrap_err();
/// assert!(matches!(error, VerifyError::MissingHeader { .. }));
/// assert_eq!(error.name(), "missing-header");
/// assert_eq!(error.to_string(), "the webhook-signature header is missing");
/// # Ok::<(), labhook::secret::SecretError>(())
/// ```
#[doc(alias = "invalid signature")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The header is missing: the sender does not use this scheme, or a proxy removed the header.
    #[error("the {name} header is missing")]
    MissingHeader {
        /// Name of the header.
        name: HeaderName,
    },
    /// The scheme signs the method or the URL, and only the headers were passed in. The mistake is
    /// in the receiver: call [`verify_request`](super::Verifier::verify_request).
    #[error("the scheme signs method or URL: use `verify_request`")]
    RequestRequired,
    /// The scheme signs the URL, and the request target has no path, or an invalid host.
    #[error("the request target is not a URL with a host and a path")]
    MalformedTarget,
    /// The signature does not cover the body: it is no form, and the URL has no digest of it
    /// ([`Scheme::Twilio`](super::Scheme) only).
    #[error("the signature does not cover the body")]
    UnsignedBody,
    /// The form has more parameters than any genuine sender writes
    /// ([`Scheme::Twilio`](super::Scheme) only).
    #[error("the form has more than {limit} parameters")]
    TooManyParameters {
        /// The limit.
        limit: usize,
    },
    /// The signature header also contains a signature by a stronger scheme, which this scheme does
    /// not check: see
    /// [`SchemeSpec::with_stronger_prefix`](super::SchemeSpec::with_stronger_prefix).
    #[error("the {name} header contains a stronger signature, which must be checked instead")]
    StrongerSignature {
        /// Name of the signature header.
        name: HeaderName,
    },
    /// The header occurs more than once, with different values: two programs could read the request
    /// in two ways.
    #[error("the {name} header is repeated with different values")]
    ConflictingHeader {
        /// Name of the header.
        name: HeaderName,
    },
    /// The request has both `svix-` and `webhook-` headers, and they are not two complete sets with
    /// the same id and time. Genuine senders use one set, or both while they change from one to the
    /// other.
    #[error(
        "the request mixes `svix-` and `webhook-` headers, incomplete or with different values"
    )]
    MixedBrands,
    /// The message id is not a valid [`MessageId`](crate::MessageId).
    #[error("the {name} header is malformed: {reason}")]
    MalformedId {
        /// Name of the header.
        name: HeaderName,
        /// What is wrong with the id, and where.
        reason: IdError,
    },
    /// The message id contains what delimits it in the signed bytes, the template's text or a time,
    /// so one signature would be valid for several messages.
    #[error("the message id contains what delimits it in the signed bytes")]
    AmbiguousId,
    /// The signature header has no timestamp field.
    #[error("the {name} header has no timestamp")]
    MissingTimestamp {
        /// Name of the signature header.
        name: HeaderName,
    },
    /// The signature header contains different timestamps.
    #[error("the {name} header contains conflicting timestamps")]
    ConflictingTimestamp {
        /// Name of the signature header.
        name: HeaderName,
    },
    /// The timestamp is not in the scheme's format, or not in canonical form.
    #[error("the {name} header contains a malformed timestamp")]
    MalformedTimestamp {
        /// Name of the header that contains it.
        name: HeaderName,
    },
    /// The timestamp is too old: the request was delayed or replayed, or one of the two clocks is
    /// wrong.
    #[error("the timestamp is {age:?} in the past; the tolerance is {tolerated:?}")]
    TooOld {
        /// Time from the timestamp to `now`.
        age: Duration,
        /// The verifier's tolerance.
        tolerated: Duration,
    },
    /// The timestamp is too far in the future: one of the two clocks is wrong.
    #[error("the timestamp is {lead:?} in the future; the tolerance is {tolerated:?}")]
    TooNew {
        /// Time from `now` to the timestamp.
        lead: Duration,
        /// The verifier's tolerance.
        tolerated: Duration,
    },
    /// The signature header contains more signatures than any genuine sender writes.
    #[error("the {name} header contains more than {limit} signatures")]
    TooManyCandidates {
        /// Name of the signature header.
        name: HeaderName,
        /// The limit: [`MAX_CANDIDATES`](super::MAX_CANDIDATES) or
        /// [`MAX_PUBLIC_KEY_CANDIDATES`](super::MAX_PUBLIC_KEY_CANDIDATES).
        limit: usize,
    },
    /// The signature header contains no well-formed signature of a kind that the keys can check:
    /// the sender uses another version or encoding.
    #[error("the {name} header contains no signature that the configured keys can check")]
    NoUsableSignature {
        /// Name of the signature header.
        name: HeaderName,
    },
    /// The signature or token matches no key: it was made with another secret, or the request was
    /// modified in transit. If every request fails, the receiver has the wrong secret, reads it in
    /// the wrong encoding, or parsed and re-serialized the body before verification.
    #[error("the {name} header matches none of the configured keys")]
    NoMatch {
        /// Name of the header with the signature or token.
        name: HeaderName,
    },
    /// The HTTP message signature (RFC 9421) is not one of the profile.
    #[error(transparent)]
    HttpMessage(#[from] HttpMessageError),
}

impl VerifyError {
    /// Returns a name that does not change between releases, for use as a metrics label.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::MissingHeader { .. } => "missing-header",
            Self::RequestRequired => "request-required",
            Self::MalformedTarget => "malformed-target",
            Self::UnsignedBody => "unsigned-body",
            Self::TooManyParameters { .. } => "too-many-parameters",
            Self::StrongerSignature { .. } => "stronger-signature",
            Self::ConflictingHeader { .. } => "conflicting-header",
            Self::MixedBrands => "mixed-brands",
            Self::MalformedId { .. } => "malformed-id",
            Self::AmbiguousId => "ambiguous-id",
            Self::MissingTimestamp { .. } => "missing-timestamp",
            Self::ConflictingTimestamp { .. } => "conflicting-timestamp",
            Self::MalformedTimestamp { .. } => "malformed-timestamp",
            Self::TooOld { .. } => "too-old",
            Self::TooNew { .. } => "too-new",
            Self::TooManyCandidates { .. } => "too-many-candidates",
            Self::NoUsableSignature { .. } => "no-usable-signature",
            Self::NoMatch { .. } => "no-match",
            Self::HttpMessage(error) => error.name(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_text_and_name() {
        use VerifyError as E;
        let name = HeaderName::from_static("webhook-signature");
        let seconds = Duration::from_secs;
        for (error, label, text) in [
            (
                E::MissingHeader { name: name.clone() },
                "missing-header",
                "the webhook-signature header is missing",
            ),
            (
                E::RequestRequired,
                "request-required",
                "the scheme signs method or URL: use `verify_request`",
            ),
            (
                E::MalformedTarget,
                "malformed-target",
                "the request target is not a URL with a host and a path",
            ),
            (E::UnsignedBody, "unsigned-body", "the signature does not cover the body"),
            (
                E::TooManyParameters { limit: 1000 },
                "too-many-parameters",
                "the form has more than 1000 parameters",
            ),
            (
                E::StrongerSignature { name: name.clone() },
                "stronger-signature",
                "the webhook-signature header contains a stronger signature, \
                 which must be checked instead",
            ),
            (
                E::ConflictingHeader { name: name.clone() },
                "conflicting-header",
                "the webhook-signature header is repeated with different values",
            ),
            (
                E::MixedBrands,
                "mixed-brands",
                "the request mixes `svix-` and `webhook-` headers, \
                 incomplete or with different values",
            ),
            (
                E::MalformedId {
                    name: HeaderName::from_static("webhook-id"),
                    reason: IdError::NotPrintableAscii { at: 3 },
                },
                "malformed-id",
                "the webhook-id header is malformed: \
                 `id` must contain only printable ASCII characters, got another at byte 3",
            ),
            (
                E::AmbiguousId,
                "ambiguous-id",
                "the message id contains what delimits it in the signed bytes",
            ),
            (
                E::MissingTimestamp { name: name.clone() },
                "missing-timestamp",
                "the webhook-signature header has no timestamp",
            ),
            (
                E::ConflictingTimestamp { name: name.clone() },
                "conflicting-timestamp",
                "the webhook-signature header contains conflicting timestamps",
            ),
            (
                E::MalformedTimestamp { name: name.clone() },
                "malformed-timestamp",
                "the webhook-signature header contains a malformed timestamp",
            ),
            (
                E::TooOld { age: Duration::from_millis(300_250), tolerated: seconds(300) },
                "too-old",
                "the timestamp is 300.25s in the past; the tolerance is 300s",
            ),
            (
                E::TooNew { lead: seconds(301), tolerated: seconds(300) },
                "too-new",
                "the timestamp is 301s in the future; the tolerance is 300s",
            ),
            (
                E::TooManyCandidates { name: name.clone(), limit: 32 },
                "too-many-candidates",
                "the webhook-signature header contains more than 32 signatures",
            ),
            (
                E::NoUsableSignature { name: name.clone() },
                "no-usable-signature",
                "the webhook-signature header contains no signature that the configured keys can check",
            ),
            (
                E::NoMatch { name },
                "no-match",
                "the webhook-signature header matches none of the configured keys",
            ),
        ] {
            assert_eq!(error.name(), label);
            assert_eq!(error.to_string(), text);
        }
    }
}
