//! The proof that a body is genuine: [`Verified`].

use std::fmt;

use crate::decode::{Decode, DecodeError, TrustedBody};
use crate::id::MessageId;
use crate::time::Timestamp;

/// A body whose origin a [`Verifier`](super::Verifier) has checked; there is no other way to one.
///
/// It borrows the body as it was received. The id and the time are reported only where the scheme
/// signs them. Decoding comes after and apart: a genuine body that cannot be decoded is not lost.
#[derive(Clone)]
pub struct Verified<'a> {
    pub(super) body: &'a [u8],
    pub(super) id: Option<MessageId>,
    pub(super) timestamp: Option<Timestamp>,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) key_index: usize,
}

impl<'a> Verified<'a> {
    /// The body's bytes, exactly as they were received.
    #[must_use]
    pub const fn body(&self) -> &'a [u8] {
        self.body
    }

    /// The message's id, where the scheme signs one: what to deduplicate by.
    #[must_use]
    pub const fn id(&self) -> Option<&MessageId> {
        self.id.as_ref()
    }

    /// When this attempt was signed, where the scheme signs the time. The event itself may be
    /// older.
    #[must_use]
    pub const fn timestamp(&self) -> Option<Timestamp> {
        self.timestamp
    }

    /// Which of the verifier's keys matched, counted from 0 in the order in which they were given.
    ///
    /// Where a sender signs with several keys it is the first that matched. A rotation from an
    /// older secret is done when this stays 0.
    #[must_use]
    pub const fn key_index(&self) -> usize {
        self.key_index
    }

    /// The last instant at which this signature is within the verifier's tolerance, where the
    /// scheme signs the time: after it the verifier refuses the same request as too old, so a
    /// store of seen requests may forget it.
    ///
    /// A sender signs every attempt anew, so this is not for how long a message's *id* may come
    /// again.
    #[must_use]
    pub const fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// The body for a function that asks for one that came through a door, such as
    /// [`CloudEvent::from_binary`](crate::message::format::CloudEvent::from_binary).
    #[must_use]
    pub const fn trusted_body(&self) -> TrustedBody<'a> {
        TrustedBody::new(self.body)
    }

    /// Reads the body as a typed value.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] where the body does not hold one. The `Verified` and its body remain.
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
