//! Accepting unsigned request bodies.
//!
//! Strateos, LINQ and Label Studio do not sign their webhooks. This module decodes such bodies
//! anyway; search code for `danger::` to find every place that does. If the sender can set a static
//! header, use a shared token instead: [`Scheme::Token`](crate::signature::Scheme::Token).

use std::fmt;

use crate::decode::{Decode, DecodeError, TrustedBody};

/// Accepts a body without any proof of its origin.
///
/// Anybody who can reach the receiver may have written it.
///
/// ```
/// use labhook::danger;
/// use labhook::provider::strateos::Webhook;
///
/// let body = br#"{"run":{"id":"r19a428rm8tbp","title":"pGFP"},"project":{"id":"p18sjzxaeaff9","name":"Demo Project"},"event":{"op":"run_started"}}"#;
/// let unsigned = danger::unsigned(body);
/// let webhook: Webhook = unsigned.decode()?;
/// assert_eq!(webhook.project.name.as_deref(), Some("Demo Project"));
/// # assert_eq!(unsigned.body(), body);
/// # Ok::<(), labhook::decode::DecodeError>(())
/// ```
#[doc(alias = "unverified")]
#[must_use]
pub const fn unsigned(body: &[u8]) -> Unsigned<'_> {
    Unsigned(body)
}

/// Unsigned request body, accepted with [`unsigned`].
#[derive(Clone, Copy)]
pub struct Unsigned<'a>(&'a [u8]);

impl<'a> Unsigned<'a> {
    /// Returns the body, byte for byte as received.
    #[must_use]
    pub const fn body(&self) -> &'a [u8] {
        self.0
    }

    /// Returns the body for functions that require a trusted body, such as
    /// [`CloudEvent::from_binary`](crate::message::format::CloudEvent::from_binary).
    #[must_use]
    pub const fn trusted_body(&self) -> TrustedBody<'a> {
        TrustedBody::new(self.0)
    }

    /// Decodes the body as a typed value.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if the body is not a `T`.
    pub fn decode<T: Decode>(&self) -> Result<T, DecodeError> {
        T::decode(self.trusted_body())
    }
}

impl fmt::Debug for Unsigned<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unsigned({} bytes)", self.0.len())
    }
}
