//! Proof of a request's origin: [`Proof`].

use crate::danger::Unsigned;
use crate::decode::{Decode, DecodeError, TrustedBody};
use crate::provider::DedupeKey;
use crate::signature::Verified;

/// Proof of a request's origin.
///
/// Exhaustive: a receiver that distinguishes them must handle both cases.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums, reason = "a request is either verified or unsigned")]
pub enum Proof<'a> {
    /// The signature or token was verified.
    Verified(Verified<'a>),
    /// No proof: anyone who knows the URL can have sent it.
    Unsigned(Unsigned<'a>),
}

impl<'a> Proof<'a> {
    /// Returns the body, byte for byte as received.
    #[must_use]
    pub const fn body(&self) -> &'a [u8] {
        match self {
            Self::Verified(verified) => verified.body(),
            Self::Unsigned(unsigned) => unsigned.body(),
        }
    }

    /// Returns the body for functions that require a trusted body.
    #[must_use]
    pub const fn trusted_body(&self) -> TrustedBody<'a> {
        match self {
            Self::Verified(verified) => verified.trusted_body(),
            Self::Unsigned(unsigned) => unsigned.trusted_body(),
        }
    }

    /// Decodes the body as a typed value, for example as a payload of your own.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if the body is not a `T`.
    pub fn decode<T: Decode>(&self) -> Result<T, DecodeError> {
        T::decode(self.trusted_body())
    }

    /// The message's id, if the scheme signs one.
    pub(super) fn signed_key(&self) -> Option<DedupeKey> {
        match self {
            Self::Verified(verified) => verified.id().map(DedupeKey::of_id),
            Self::Unsigned(_) => None,
        }
    }

    /// The message's id if the scheme signs one, or else the digest of the body.
    pub(super) fn dedupe_key(&self) -> DedupeKey {
        self.signed_key().unwrap_or_else(|| DedupeKey::of_body(self.body()))
    }
}
