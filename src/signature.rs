//! The seal: what a sender adds to a request, and what a receiver asks for.
//!
//! A [`Signer`] makes headers from a message's id, the time and the body. A [`Verifier`] takes
//! headers, body and the time, and gives a [`Verified`] body, which is the only thing that decodes:
//!
//! ```
//! use labhook::{Secret, Timestamp, Verified, Verifier};
//! use labhook::decode::{Decode, DecodeError, TrustedBody};
//!
//! struct Calibrated { instrument: String }
//!
//! impl Decode for Calibrated {
//!     fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError> {
//!         let instrument = body.json()?;
//!         Ok(Self { instrument })
//!     }
//! }
//!
//! # let secret = || Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
//! # let older = secret;
//! # let now = Timestamp::from_unix_seconds(1_614_265_330);
//! # let body: &[u8] = br#""reader 2""#;
//! # let id = labhook::MessageId::new("msg_1")?;
//! # let headers = labhook::Signer::standard_webhooks(secret()?).sign(&id, now, body)?;
//! let verifier = Verifier::standard_webhooks(secret()?).add_secret(older()?);
//! let verified: Verified<'_> = verifier.verify(&headers, body, now)?;
//! let event: Calibrated = verified.decode()?;
//! # assert_eq!(event.instrument, "reader 2");
//! # assert_eq!(verified.key_index(), 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Which headers there are and what they cover is the [`Scheme`]. Five are built in; the others of
//! the HMAC-SHA256 family are data, a [`CustomScheme`].
//!
//! # What is and is not proved
//!
//! A verified body was signed by a holder of the key, byte for byte, within the tolerance of `now`
//! where the scheme signs the time. That it has not been seen before is not proved: keep the ids,
//! or where there are none, tell repeats by the body. A [token](Scheme::Token) proves only that
//! the sender has heard it.
//!
//! Bodies that nobody signed come in by [`danger`](crate::danger).

mod custom_scheme;
#[cfg(feature = "ed25519")]
mod ed25519;
mod error;
mod fields;
mod headers;
mod key;
mod mac;
mod scheme;
mod scheme_spec;
mod signer;
mod template;
mod timestamp_form;
mod vendors;
mod verified;
mod verifier;

pub use custom_scheme::CustomScheme;
#[cfg(feature = "ed25519")]
pub use ed25519::{Ed25519KeyError, Ed25519PrivateKey, Ed25519PublicKey};
pub use error::VerifyError;
pub use key::{KeyError, SigningKey, VerifyingKey};
pub use scheme::Scheme;
pub use scheme_spec::{Encoding, SchemeSpec, SchemeSpecError, TimestampPlace};
pub use signer::{SignError, Signer};
pub use timestamp_form::TimestampForm;
pub use verified::Verified;
pub use verifier::Verifier;

/// How many signatures a request may carry, of whatever version and form, before it is refused.
///
/// A sender in rotation writes two or three. The bound is also that of a [`Signer`]'s keys.
pub const MAX_CANDIDATES: usize = 32;

/// How many Ed25519 signatures a request may carry, where the verifier has an Ed25519 key.
///
/// It is lower than [`MAX_CANDIDATES`] because each of them takes a pass over the body.
pub const MAX_ED25519_CANDIDATES: usize = 4;
