//! Why a request is not admitted: [`VerifyError`].

use std::time::Duration;

use http::HeaderName;

use crate::id::IdError;

/// A request is not admitted.
///
/// Answer it with [`Reply::Refused`](crate::Reply::Refused) and do not read its body. No variant
/// holds a secret, a MAC or any part of the body, so all of them may be logged; a stranger can
/// provoke every one of them.
///
/// [`TooOld`](Self::TooOld) and [`TooNew`](Self::TooNew) are found before any MAC is computed, so
/// they say nothing of the signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The sender does not use this scheme, or something on the way took the header off.
    #[error("the {name} header is missing")]
    MissingHeader {
        /// The header's name.
        name: HeaderName,
    },
    /// The sender, or something on the way, wrote the header twice with different values: two
    /// programs could read the request in two ways.
    #[error("the {name} header is repeated with different values")]
    ConflictingHeader {
        /// The header's name.
        name: HeaderName,
    },
    /// The request has headers of both brands. Genuine senders keep to one.
    #[error("the request mixes svix- and webhook- headers")]
    MixedBrands,
    /// The sender's message id is not of the form of a [`MessageId`](crate::MessageId).
    #[error("the message id is malformed")]
    MalformedId {
        /// What is wrong with it.
        source: IdError,
    },
    /// The sender's message id holds the fixed text that sets it off in the signed bytes, so that
    /// one signature would stand for several messages.
    #[error("the message id holds the text that bounds it in the signed bytes")]
    AmbiguousId,
    /// The signature header lacks the field for the timestamp.
    #[error("the {name} header holds no timestamp")]
    MissingTimestamp {
        /// The signature header's name.
        name: HeaderName,
    },
    /// The signature header holds two timestamps that differ.
    #[error("the {name} header holds different timestamps")]
    ConflictingTimestamp {
        /// The signature header's name.
        name: HeaderName,
    },
    /// The sender's timestamp is not in the scheme's form, or not in its canonical spelling.
    #[error("the {name} header holds a malformed timestamp")]
    MalformedTimestamp {
        /// The name of the header that holds it.
        name: HeaderName,
    },
    /// The request was held up or is a replay, or one of the two clocks is wrong.
    #[error("the timestamp is {age:?} in the past, and {tolerated:?} are tolerated")]
    TooOld {
        /// How far before `now` the timestamp is.
        age: Duration,
        /// How far it may be.
        tolerated: Duration,
    },
    /// One of the two clocks is wrong.
    #[error("the timestamp is {lead:?} in the future, and {tolerated:?} are tolerated")]
    TooNew {
        /// How far after `now` the timestamp is.
        lead: Duration,
        /// How far it may be.
        tolerated: Duration,
    },
    /// The signature header holds more than any genuine sender writes.
    #[error("the {name} header holds more than {limit} signatures")]
    TooManyCandidates {
        /// The signature header's name.
        name: HeaderName,
        /// The limit that was passed: [`MAX_CANDIDATES`](super::MAX_CANDIDATES), or the lower one
        /// for Ed25519.
        limit: usize,
    },
    /// Nothing in the signature header is a well-formed signature of a kind that this verifier has
    /// a key for: the sender uses another version or encoding.
    #[error("the {name} header holds no signature of a form that the keys can check")]
    NoUsableSignature {
        /// The signature header's name.
        name: HeaderName,
    },
    /// The signature or token belongs to another secret, or the request was changed on the way. If
    /// it happens to every request, the receiver's secret is the wrong one, or is given in the
    /// wrong form, or the body was parsed and written again before it came here.
    #[error("the {name} header matches none of the keys")]
    NoMatch {
        /// The name of the header with the signature or token.
        name: HeaderName,
    },
}

impl VerifyError {
    /// A name that does not change between releases, for a metrics label.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::MissingHeader { .. } => "missing-header",
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
                E::ConflictingHeader { name: name.clone() },
                "conflicting-header",
                "the webhook-signature header is repeated with different values",
            ),
            (E::MixedBrands, "mixed-brands", "the request mixes svix- and webhook- headers"),
            (
                E::MalformedId { source: IdError::FullStop },
                "malformed-id",
                "the message id is malformed",
            ),
            (
                E::AmbiguousId,
                "ambiguous-id",
                "the message id holds the text that bounds it in the signed bytes",
            ),
            (
                E::MissingTimestamp { name: name.clone() },
                "missing-timestamp",
                "the webhook-signature header holds no timestamp",
            ),
            (
                E::ConflictingTimestamp { name: name.clone() },
                "conflicting-timestamp",
                "the webhook-signature header holds different timestamps",
            ),
            (
                E::MalformedTimestamp { name: name.clone() },
                "malformed-timestamp",
                "the webhook-signature header holds a malformed timestamp",
            ),
            (
                E::TooOld { age: Duration::from_millis(300_250), tolerated: seconds(300) },
                "too-old",
                "the timestamp is 300.25s in the past, and 300s are tolerated",
            ),
            (
                E::TooNew { lead: seconds(301), tolerated: seconds(300) },
                "too-new",
                "the timestamp is 301s in the future, and 300s are tolerated",
            ),
            (
                E::TooManyCandidates { name: name.clone(), limit: 32 },
                "too-many-candidates",
                "the webhook-signature header holds more than 32 signatures",
            ),
            (
                E::NoUsableSignature { name: name.clone() },
                "no-usable-signature",
                "the webhook-signature header holds no signature of a form that the keys can check",
            ),
            (
                E::NoMatch { name },
                "no-match",
                "the webhook-signature header matches none of the keys",
            ),
        ] {
            assert_eq!(error.name(), label);
            assert_eq!(error.to_string(), text);
        }
    }
}
