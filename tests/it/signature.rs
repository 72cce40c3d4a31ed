//! Signing and verifying requests.

mod conformance;
mod custom_scheme;
mod http_message;
mod lists;
mod properties;
#[cfg(feature = "p256")]
mod public_keys;
mod readings;
mod requests;
mod rotation;
mod signers;
mod tolerance;
#[cfg(feature = "twilio")]
mod twilio;
pub(crate) mod vendors;
mod verify;

use http::{HeaderMap, HeaderValue};
use labhook::signature::Verified;
use labhook::{MessageId, Secret, Signer, Timestamp, Verifier, VerifyError};

const VECTORS: &str = include_str!("../data/signature/vectors.json");
const NOW: Timestamp = Timestamp::from_unix_seconds(1_614_265_330);
const BODY: &[u8] = br#"{"test": 2432232314}"#;

fn secret() -> Secret {
    Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()
}

fn other_secret() -> Secret {
    Secret::from_whsec("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap()
}

fn id(text: &str) -> MessageId {
    MessageId::new(text).unwrap()
}

/// The headers of a Standard Webhooks request with this body, signed at [`NOW`].
fn signed(body: &[u8]) -> HeaderMap {
    let signer = Signer::standard_webhooks(secret());
    signer.sign(&id("msg_1"), NOW, body).unwrap()
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::try_from(text).unwrap()
}

/// Verifies a Standard Webhooks request at [`NOW`].
fn verify<'a>(headers: &'a HeaderMap, body: &'a [u8]) -> Result<Verified<'a>, VerifyError> {
    Verifier::standard_webhooks(secret()).verify(headers, body, NOW)
}
