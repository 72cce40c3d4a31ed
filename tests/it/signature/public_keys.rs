//! ECDSA P-256, in the list of Standard Webhooks and in custom schemes.

use http::HeaderMap;
use labhook::signature::{
    KeySet, MAX_PUBLIC_KEY_CANDIDATES, P256KeyError, P256PrivateKey, P256PublicKey, Scheme,
};
use labhook::{Signer, Timestamp, Verifier};
use serde::Deserialize;

use super::{BODY, NOW, id, secret, signed, value};

/// Signed by two keys, as Benchling does, and accepted by its library.
#[derive(Deserialize)]
struct Benchling {
    now: i64,
    id: String,
    keys: serde_json::Value,
    headers: std::collections::BTreeMap<String, String>,
    body: String,
}

impl Benchling {
    fn load() -> Self {
        serde_json::from_str(include_str!("../../data/signature/benchling.json")).unwrap()
    }

    fn headers(&self) -> HeaderMap {
        let header = |(name, text): (&String, &String)| {
            (http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value(text))
        };
        self.headers.iter().map(header).collect()
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.now)
    }

    fn keys(&self) -> KeySet {
        KeySet::from_json(self.keys.to_string().as_bytes()).unwrap()
    }
}

#[test]
fn benchling_request_is_verified() {
    let (vector, headers) = (Benchling::load(), Benchling::load().headers());
    let keys = vector.keys();
    let verifier = Verifier::with_key_set(Scheme::StandardWebhooks, &keys).unwrap();
    let body = vector.body.as_bytes();
    let verified = verifier.verify(&headers, body, vector.now()).unwrap();
    assert_eq!(verified.id(), Some(&*vector.id));
    assert_eq!(verified.timestamp(), Some(vector.now()));
    assert_eq!(keys.id(verified.key_index()), Some("2"), "the first key of the set that matches");

    // Either key alone accepts it, and says so.
    for (index, key) in keys.keys().enumerate() {
        let verifier = Verifier::standard_webhooks(key.clone());
        assert!(verifier.verify(&headers, body, vector.now()).is_ok(), "{index}");
    }
    let stranger = P256PrivateKey::from_scalar(&[9; 32]).unwrap().public();
    let error = Verifier::standard_webhooks(stranger).verify(&headers, body, vector.now());
    assert_eq!(error.unwrap_err().name(), "no-match");
}

#[test]
fn benchling_request_with_a_changed_byte_fails() {
    let (vector, headers) = (Benchling::load(), Benchling::load().headers());
    let verifier = Verifier::with_key_set(Scheme::StandardWebhooks, &vector.keys()).unwrap();
    let body = vector.body.as_bytes();
    for index in 0..body.len() {
        let mut changed = body.to_vec();
        changed[index] ^= 1;
        let error = verifier.verify(&headers, &changed, vector.now()).unwrap_err();
        assert_eq!(error.name(), "no-match", "{index}");
    }
    for (name, text) in [("webhook-id", "whmsg_2"), ("webhook-timestamp", "1614265331")] {
        let mut changed = headers.clone();
        changed.insert(name, value(text));
        let error = verifier.verify(&changed, body, vector.now()).unwrap_err();
        assert_eq!(error.name(), "no-match", "{name}");
    }
    // Each byte of the list: no change of a signature makes another that is valid.
    let list = &vector.headers["webhook-signature"];
    let one = list.split(' ').next().unwrap();
    for index in 0..one.len() {
        let flipped = if one.as_bytes()[index] == b'B' { "C" } else { "B" };
        let mut changed = one.to_owned();
        changed.replace_range(index..=index, flipped);
        let mut headers = headers.clone();
        headers.insert("webhook-signature", value(&changed));
        assert!(verifier.verify(&headers, body, vector.now()).is_err(), "{changed}");
    }
}

#[test]
fn signatures_of_all_kinds_share_a_list() {
    let key = P256PrivateKey::from_scalar(&[7; 32]).unwrap();
    let signer = Signer::standard_webhooks(secret()).add_key(key.clone()).unwrap();
    let headers = signer.sign(&id("msg_1"), NOW, BODY).unwrap();
    let list = headers["webhook-signature"].to_str().unwrap();
    let (first, second) = list.split_once(' ').unwrap();
    assert_eq!(first, signed(BODY)["webhook-signature"]);
    assert!(second.starts_with("v1der,"), "{second}");
    for verifier in
        [Verifier::standard_webhooks(secret()), Verifier::standard_webhooks(key.public())]
    {
        assert_eq!(verifier.verify(&headers, BODY, NOW).unwrap().key_index(), 0);
    }
    // Signing is deterministic.
    assert_eq!(signer.sign(&id("msg_1"), NOW, BODY).unwrap(), headers);
}

#[test]
fn version_number_of_a_signature_is_ignored() {
    let key = P256PrivateKey::from_scalar(&[7; 32]).unwrap();
    let mut headers = Signer::svix(key.clone()).sign(&id("msg_1"), NOW, BODY).unwrap();
    let verifier = Verifier::svix(key.public());
    let one = headers["svix-signature"].to_str().unwrap().to_owned();
    let mut verdict = |list: &str| {
        headers.insert("svix-signature", value(list));
        verifier.verify(&headers, BODY, NOW).map(drop).map_err(|error| error.name())
    };
    for prefix in ["v1der,", "v2der,", "v170der,"] {
        assert_eq!(verdict(&one.replace("v1der,", prefix)), Ok(()), "{prefix}");
    }
    for prefix in ["vder,", "v1xder,", "v1,", "v1a,", "der,", "v1derx,", "v-1der,", ""] {
        let error = verdict(&one.replace("v1der,", prefix));
        assert_eq!(error, Err("no-usable-signature"), "{prefix}");
    }
    let stranger = P256PrivateKey::from_scalar(&[8; 32]).unwrap();
    let other = Signer::svix(stranger).sign(&id("msg_1"), NOW, BODY).unwrap();
    let other = other["svix-signature"].to_str().unwrap();
    let many = |count| vec![other; count].join(" ");
    let full = format!("{} {one}", many(MAX_PUBLIC_KEY_CANDIDATES - 1));
    assert_eq!(verdict(&full), Ok(()));
    let over = format!("{} {one}", many(MAX_PUBLIC_KEY_CANDIDATES));
    assert_eq!(verdict(&over), Err("too-many-candidates"));
}

#[test]
fn key_text_round_trips() {
    let key = P256PrivateKey::from_scalar(&[7; 32]).unwrap().public();
    let spki = key.to_spki();
    assert_eq!(P256PublicKey::from_spki(&spki).unwrap(), key);
    let (start, end) = spki.split_at(64);
    let pem =
        format!("-----BEGIN PUBLIC KEY-----\r\n{start}\r\n{end}\r\n-----END PUBLIC KEY-----\n");
    assert_eq!(P256PublicKey::from_spki(&pem).unwrap(), key);
    assert_eq!(format!("{key:?}"), "P256PublicKey");
}

#[test]
fn each_key_error_has_its_text() {
    let text = |error: P256KeyError| error.to_string();
    let public = |text: &str| P256PublicKey::from_spki(text).unwrap_err();
    assert_eq!(text(public("!")), "the key is not standard base64");
    assert_eq!(text(public("AAAA")), "the bytes are not a P-256 public key");
    // Ed25519, as the same structure.
    let ed25519 = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    assert_eq!(text(public(ed25519)), "the bytes are not a P-256 public key");
    let off_curve = [&[4][..], &[1; 64]].concat();
    for point in [&off_curve[..], &[0], &[]] {
        assert_eq!(P256PublicKey::from_point(point).unwrap_err(), P256KeyError::InvalidPublicKey);
    }
    for scalar in [[0; 32], [0xff; 32]] {
        let error = P256PrivateKey::from_scalar(&scalar).unwrap_err();
        assert_eq!(text(error), "the bytes are not a P-256 private key");
    }
}
