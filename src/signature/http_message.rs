//! HTTP Message Signatures (RFC 9421) with Content-Digest (RFC 9530), in one strict profile:
//! [`HttpMessageProfile`].

mod component;
mod content_digest;
mod profile;
mod profile_error;
mod receipt;
mod sign;
mod signature_base;
mod signature_input;
mod signed_request;
mod structured_field;
#[cfg(test)]
mod tests;

use http::HeaderName;

use super::algorithm::Algorithm;

pub use profile::HttpMessageProfile;
pub use profile_error::HttpMessageProfileError;
pub use receipt::ReceiptProfile;
pub(super) use sign::sign;
pub(super) use signed_request::SignedRequest;

static CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");
static SIGNATURE: HeaderName = HeaderName::from_static("signature");
static SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");

/// Returns the algorithm's name in the registry of RFC 9421, section 6.2.2.
const fn registered_name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::HmacSha256 => "hmac-sha256",
        Algorithm::Ed25519 => "ed25519",
        Algorithm::EcdsaP256 => "ecdsa-p256-sha256",
    }
}
