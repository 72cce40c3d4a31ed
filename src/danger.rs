//! The door for bodies that nobody signed.
//!
//! Strateos and LINQ do not sign. Their bodies can be decoded all the same, and the place where
//! that is done can be found by searching for `danger::`. Where the sender can be given a static
//! header, a shared token is better: [`Scheme::Token`](crate::signature::Scheme::Token).

use std::fmt;

use crate::decode::{Decode, DecodeError, TrustedBody};

/// Admits a body without any proof of where it comes from.
///
/// Anybody who can reach the receiver can have written it.
///
/// ```
/// use labhook::danger;
///
/// let unsigned = danger::unsigned(br#"{"event":{"op":"run_started"}}"#);
/// assert_eq!(unsigned.body().len(), 30);
/// ```
#[must_use]
pub const fn unsigned(body: &[u8]) -> Unsigned<'_> {
    Unsigned(body)
}

/// A body that nobody vouched for: see [`unsigned`].
#[derive(Clone, Copy)]
pub struct Unsigned<'a>(&'a [u8]);

impl<'a> Unsigned<'a> {
    /// The body's bytes, exactly as they were received.
    #[must_use]
    pub const fn body(&self) -> &'a [u8] {
        self.0
    }

    /// The body for a function that asks for one that came through a door, such as
    /// [`CloudEvent::from_binary`](crate::message::format::CloudEvent::from_binary).
    #[must_use]
    pub const fn trusted_body(&self) -> TrustedBody<'a> {
        TrustedBody::new(self.0)
    }

    /// Reads the body as a typed value.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] where the body does not hold one.
    pub fn decode<T: Decode>(&self) -> Result<T, DecodeError> {
        T::decode(self.trusted_body())
    }
}

impl fmt::Debug for Unsigned<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unsigned({} bytes)", self.0.len())
    }
}
