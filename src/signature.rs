//! Signing and verifying requests.
//!
//! A [`Signer`] makes headers from a message's id, the time and the body. A [`Verifier`] checks
//! headers and body against the time and returns a [`Verified`] body, the only kind that can be
//! decoded:
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
//! The [`Scheme`] decides which headers are used and what they sign. Some schemes are built in; most
//! others can be configured as data, with a [`CustomScheme`], which has constants for many vendors.
//! Schemes that sign the method or the URL need [`Verifier::verify_request`].
//!
//! # Guarantees
//!
//! A verified body was signed by a holder of the key, byte for byte, and within the tolerance of
//! `now` if the scheme signs the time. It may still be a replay: keep the ids of handled messages
//! (see [`Inbox`](crate::Inbox)), or compare bodies if the scheme signs no id. A
//! [token](Scheme::Token) proves only that the sender knows it.
//!
//! Unsigned bodies are accepted through [`danger`](crate::danger).

mod algorithm;
mod brands;
mod custom_scheme;
#[cfg(feature = "ed25519")]
mod ed25519;
mod elements;
mod encoding;
mod error;
mod fields;
mod headers;
mod http_message;
mod http_message_error;
mod key;
#[cfg(any(feature = "ed25519", feature = "p256"))]
mod key_set;
mod limits;
mod mac;
#[cfg(feature = "p256")]
mod p256;
mod placeholder;
mod public_key;
mod request_values;
mod scheme;
mod scheme_signer;
mod scheme_spec;
mod scheme_spec_error;
mod sign_error;
mod signer;
mod target;
mod template;
mod template_check;
mod timestamp_form;
#[cfg(feature = "twilio")]
mod twilio;
mod up_to;
mod vendors;
mod verified;
mod verifier;

#[cfg(feature = "p256")]
pub use self::p256::{P256KeyError, P256PrivateKey, P256PublicKey};
pub use algorithm::Algorithm;
pub use custom_scheme::CustomScheme;
#[cfg(feature = "ed25519")]
pub use ed25519::{Ed25519KeyError, Ed25519PrivateKey, Ed25519PublicKey};
pub use encoding::Encoding;
pub use error::VerifyError;
pub use http_message::{HttpMessageProfile, HttpMessageProfileError, ReceiptProfile};
pub use http_message_error::HttpMessageError;
pub use key::{KeyError, SigningKey, VerifyingKey};
#[cfg(any(feature = "ed25519", feature = "p256"))]
pub use key_set::{KeySet, KeySetError};
pub use limits::{MAX_CANDIDATES, MAX_PUBLIC_KEY_CANDIDATES};
pub use scheme::Scheme;
pub(crate) use scheme::is_brand_header;
pub use scheme_spec::{SchemeSpec, TimestampPlace};
pub use scheme_spec_error::SchemeSpecError;
pub use sign_error::SignError;
pub use signer::{SharedHeaderError, Signer};
pub use target::BaseUrlError;
pub(crate) use target::RequestView;
pub use timestamp_form::TimestampForm;
pub use verified::Verified;
pub use verifier::Verifier;

#[doc(no_inline)]
pub use crate::named::ParseNameError;
