//! Verified request bodies: [`Verified`].

use std::fmt;

use crate::decode::{Decode, DecodeError, TrustedBody};
use crate::time::Timestamp;

/// Verified request body; only [`Verifier::verify`](super::Verifier::verify) creates one.
///
/// It borrows the headers and the body as received. The id and the time are reported only if the
/// scheme signs them. Decoding is a separate step, so a genuine body that cannot be decoded is not
/// lost.
///
/// ```
/// use labhook::{LabEvent, MessageId, Secret, Signer, Timestamp, Verifier};
///
/// let secret = || Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
/// let now = Timestamp::from_unix_seconds(1_614_265_330);
/// let body = br#"{"type": "run.state_changed"}"#;
/// let headers =
///     Signer::standard_webhooks(secret()?).sign(&MessageId::new("msg_1")?, now, body)?;
///
/// let verified = Verifier::standard_webhooks(secret()?).verify(&headers, body, now)?;
/// assert_eq!(verified.id(), Some("msg_1"));
/// assert_eq!(verified.timestamp(), Some(now));
///
/// // Genuine, but not a complete event.
/// assert!(verified.decode::<LabEvent>().is_err());
/// assert_eq!(verified.body(), body);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Verified<'a> {
    pub(super) body: &'a [u8],
    /// The text of a [`MessageId`](crate::MessageId).
    pub(super) id: Option<&'a str>,
    pub(super) timestamp: Option<Timestamp>,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) key_index: usize,
}

impl<'a> Verified<'a> {
    /// Returns the body, byte for byte as received.
    #[must_use]
    pub const fn body(&self) -> &'a [u8] {
        self.body
    }

    /// Returns the message's id, the key to detect duplicates by; `None` if the scheme signs no id.
    ///
    /// It is the text of a valid [`MessageId`](crate::MessageId), borrowed from the header.
    #[must_use]
    pub const fn id(&self) -> Option<&'a str> {
        self.id
    }

    /// Returns the signing time of this attempt; `None` if the scheme signs no time. The event
    /// itself may be older.
    #[must_use]
    pub const fn timestamp(&self) -> Option<Timestamp> {
        self.timestamp
    }

    /// Returns the index of the verifier's key that matched, from 0 in the order in which the keys
    /// were added.
    ///
    /// If the sender signs with several keys, this is the first match. A key rotation is complete
    /// when this stays 0.
    #[doc(alias = "key rotation")]
    #[must_use]
    pub const fn key_index(&self) -> usize {
        self.key_index
    }

    /// Returns the end of the replay window: the last instant at which this signature is within
    /// the verifier's tolerance and has not expired by its own parameter; `None` if the scheme
    /// signs no time.
    ///
    /// Afterwards the verifier rejects the same request as too old, so a store of seen requests may
    /// drop it. It does not limit how long a message's *id* may recur: a sender signs every attempt
    /// again, with a new time.
    #[doc(alias = "replay attack")]
    #[must_use]
    pub const fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// Returns the body for functions that require a trusted body, such as
    /// [`CloudEvent::from_binary`](crate::message::format::CloudEvent::from_binary).
    #[must_use]
    pub const fn trusted_body(&self) -> TrustedBody<'a> {
        TrustedBody::new(self.body)
    }

    /// Decodes the body as a typed value.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if the body is not a `T`. The `Verified` and its body remain usable.
    pub fn decode<T: Decode>(&self) -> Result<T, DecodeError> {
        T::decode(self.trusted_body())
    }
}

impl fmt::Debug for Verified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("id", &self.id)
            .field("timestamp", &self.timestamp)
            .field("key_index", &self.key_index)
            .finish_non_exhaustive()
    }
}
