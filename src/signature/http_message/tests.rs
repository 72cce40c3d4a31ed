//! Published signature bases: `tests/data/signature/http_message_bases.json`.
//!
//! Their components are others than a profile's, so bases and algorithms are checked by themselves.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, Request, request};
use serde::Deserialize;

use super::super::algorithm::Algorithm;
use super::super::key::{ReadyVerifyingKey, VerifyingKey};
use super::super::mac::{self, Tag};
use super::super::public_key::PublicKeySignature;
use super::super::target::RequestView;
use super::component::Component;
use super::signature_base::SignatureBase;
use super::signature_input::{SignatureInput, labelled};
use super::structured_field::{BareItem, Value};
use super::{HttpMessageProfile, SIGNATURE, registered_name};
use crate::id::MessageId;
use crate::secret::Secret;
use crate::signature::{Scheme, Signer, Verifier};
use crate::time::Timestamp;

const CASES: &str = include_str!("../../../tests/data/signature/http_message_bases.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(rename = "source")]
    _source: String,
    algorithm: String,
    /// Base64 of the secret or of the `SubjectPublicKeyInfo`, or Ed25519's 32 bytes in hexadecimal.
    key: String,
    /// None for a signed response.
    request: Option<RequestCase>,
    signature_input: String,
    signature: String,
    base: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestCase {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
}

impl RequestCase {
    fn parts(&self) -> request::Parts {
        let request = Request::builder().method(&*self.method).uri(&self.url);
        let request =
            self.headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        request.body(()).unwrap().into_parts().0
    }
}

impl Case {
    fn algorithm(&self) -> Algorithm {
        self.algorithm.parse().unwrap()
    }

    fn label(&self) -> &str {
        self.signature_input.split_once('=').unwrap().0
    }

    /// `None` if its feature is off.
    fn key(&self) -> Option<ReadyVerifyingKey> {
        let key = match self.algorithm() {
            Algorithm::HmacSha256 => {
                let bytes = STANDARD.decode(&self.key).unwrap();
                VerifyingKey::from(Secret::from_bytes(&bytes).unwrap())
            }
            #[cfg(feature = "ed25519")]
            Algorithm::Ed25519 => {
                crate::signature::Ed25519PublicKey::from_hex(&self.key).unwrap().into()
            }
            #[cfg(feature = "p256")]
            Algorithm::EcdsaP256 => {
                crate::signature::P256PublicKey::from_spki(&self.key).unwrap().into()
            }
            #[cfg(not(all(feature = "ed25519", feature = "p256")))]
            _ => return None,
        };
        Some(key.into())
    }

    fn signature(&self) -> Vec<u8> {
        let member = labelled(&self.signature, self.label(), &SIGNATURE).unwrap();
        let Value::Item(BareItem::Bytes(base64)) = member.value else { panic!("{}", self.name) };
        STANDARD.decode(base64).unwrap()
    }
}

fn cases() -> Vec<Case> {
    let cases: Vec<Case> = serde_json::from_str(CASES).unwrap();
    assert_eq!(cases.len(), 20);
    cases
}

fn component(identifier: &str) -> Component {
    match identifier.trim_matches('"') {
        "@method" => Component::Method,
        "@target-uri" => Component::TargetUri,
        "@authority" => Component::Authority,
        "@path" => Component::Path,
        "@query" => Component::Query,
        name => Component::Header(HeaderName::try_from(name).unwrap()),
    }
}

#[test]
fn published_signature_bases_are_built() {
    let mut count = 0;
    for case in cases() {
        let input = SignatureInput::read(&case.signature_input, case.label()).unwrap();
        if let Some(algorithm) = input.algorithm {
            assert_eq!(algorithm, registered_name(case.algorithm()), "{}", case.name);
        }
        let Some(request) = &case.request else { continue };
        let parts = request.parts();
        let view = RequestView::request(&parts);
        let mut lines = SignatureBase::default();
        for identifier in input.components {
            lines.add(identifier, &component(identifier).value(view, None).unwrap());
        }
        assert_eq!(*lines.finish(input.text), case.base, "{}", case.name);
        count += 1;
    }
    assert_eq!(count, 17);
}

/// A request is refused for the cost of one MAC of a short text per key, and of none if its times
/// or parameters are wrong. The body is hashed after that.
#[test]
fn refusal_costs_one_mac_per_key() {
    let secret = |text: &str| Secret::from_text(text).unwrap();
    let scheme = || Scheme::HttpMessageSignatures(HttpMessageProfile::new());
    let now = Timestamp::from_unix_seconds(1_744_882_200);
    let request = Request::post("https://lab.example/").header("content-type", "text/plain");
    let mut request = request.body(()).unwrap().into_parts().0;
    let signer = Signer::new(scheme(), secret("a")).unwrap();
    let id = MessageId::new("m").unwrap();
    request.headers.extend(signer.sign_request(&request, &id, now, b"x").unwrap());

    let verifier = Verifier::new(scheme(), secret("b")).unwrap().add_secret(secret("c"));
    let macs = |now| {
        let before = mac::COUNT.get();
        assert!(verifier.verify_request(&request, b"x", now).is_err());
        mac::COUNT.get() - before
    };
    assert_eq!(macs(now), 2);
    assert_eq!(macs(now + Duration::from_secs(301)), 0);
}

#[test]
fn published_signatures_of_bases_are_valid() {
    for case in cases() {
        let Some(key) = case.key() else { continue };
        let signature = case.signature();
        let is_valid = |base: &str| match &key {
            ReadyVerifyingKey::Shared(key) => {
                let tag: [u8; 32] = signature.as_slice().try_into().unwrap();
                Tag::new(tag.into()) == key.tag(&[base.as_bytes()])
            }
            ReadyVerifyingKey::Public(key) => {
                let bytes = signature.as_slice().try_into().unwrap();
                let signature = PublicKeySignature::new(key.algorithm(), bytes);
                key.any_verifies(&[base.as_bytes()], std::iter::once(&signature))
            }
        };
        assert!(is_valid(&case.base), "{}", case.name);
        assert!(!is_valid(&format!("{}\n", case.base)), "{}", case.name);
    }
}
