//! HTTP Message Signatures (RFC 9421) with Content-Digest (RFC 9530).

mod accepted;
mod adcp;
mod peers;
mod properties;
mod receipts;
mod refused;
mod tampered;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, Request, request};
use labhook::signature::{HttpMessageProfile, Scheme, SigningKey, VerifyingKey};
use labhook::{Secret, Signer, Timestamp, Verifier};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_744_882_200);
const BODY: &[u8] = br#"{"run":"R-7"}"#;

fn profile() -> HttpMessageProfile {
    HttpMessageProfile::new()
}

fn secret() -> Secret {
    Secret::from_text("a secret of the lab").unwrap()
}

fn signer(profile: HttpMessageProfile) -> Signer {
    Signer::new(Scheme::HttpMessageSignatures(profile), secret()).unwrap()
}

fn verifier(profile: HttpMessageProfile) -> Verifier {
    Verifier::new(Scheme::HttpMessageSignatures(profile), secret()).unwrap()
}

/// A pair of keys of each kind.
fn key_pairs() -> Vec<(SigningKey, VerifyingKey)> {
    vec![
        (secret().into(), secret().into()),
        #[cfg(feature = "ed25519")]
        {
            let key = labhook::signature::Ed25519PrivateKey::from_seed(&[7; 32]);
            (key.clone().into(), key.public().into())
        },
        #[cfg(feature = "p256")]
        {
            let key = labhook::signature::P256PrivateKey::from_scalar(&[7; 32]).unwrap();
            (key.clone().into(), key.public().into())
        },
    ]
}

fn unsigned() -> request::Parts {
    let request = Request::post("https://lab.example/hooks?run=17");
    request.header("content-type", "application/json").body(()).unwrap().into_parts().0
}

/// A request signed with the profile's signer at [`NOW`].
fn signed_with(signer: &Signer) -> request::Parts {
    let mut request = unsigned();
    let headers = signer.sign_request(&request, &super::id("msg_1"), NOW, BODY).unwrap();
    request.headers.extend(headers);
    request
}

fn signed() -> request::Parts {
    signed_with(&signer(profile()))
}

/// Returns the name of the error, or `accepted`.
fn verdict(verifier: &Verifier, request: &request::Parts, body: &[u8]) -> &'static str {
    match verifier.verify_request(request, body, NOW) {
        Ok(_) => "accepted",
        Err(error) => error.name(),
    }
}

/// Changes the text of a header.
fn edit(request: &mut request::Parts, name: &str, from: &str, to: &str) {
    let text = request.headers[name].to_str().unwrap();
    assert!(text.contains(from), "{text}");
    let text = text.replacen(from, to, 1);
    request.headers.insert(HeaderName::try_from(name).unwrap(), text.parse().unwrap());
}

/// Reads a key of a data file: base64 of a secret or of a `SubjectPublicKeyInfo`, or hexadecimal.
/// `None` if its feature is off.
fn key(algorithm: &str, text: &str) -> Option<VerifyingKey> {
    match algorithm {
        "hmac_sha256" => {
            let bytes = STANDARD.decode(text).unwrap();
            Some(Secret::from_bytes(&bytes).unwrap().into())
        }
        #[cfg(feature = "ed25519")]
        "ed25519" => Some(labhook::signature::Ed25519PublicKey::from_hex(text).unwrap().into()),
        #[cfg(feature = "p256")]
        "ecdsa_p256" => Some(labhook::signature::P256PublicKey::from_spki(text).unwrap().into()),
        _ => None,
    }
}

fn request(method: &str, url: &str, headers: &[(String, String)]) -> request::Parts {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::try_from(name).unwrap(), value.parse().unwrap());
    }
    let request = Request::builder().method(method).uri(url).body(()).unwrap();
    let mut request = request.into_parts().0;
    request.headers = map;
    request
}
