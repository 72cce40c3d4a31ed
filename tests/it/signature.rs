//! The published vectors, and the faults of other implementations: each test is named after one.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use labhook::decode::{Decode, DecodeError, TrustedBody};
use labhook::secret::SecretError;
use labhook::signature::{CustomScheme, MAX_CANDIDATES, Verified};
use labhook::{MessageId, Secret, Signer, Timestamp, Verifier, VerifyError, danger};
use serde::Deserialize;

const VECTORS: &str = include_str!("../data/signature/vectors.json");
const NOW: Timestamp = Timestamp::from_unix_seconds(1_614_265_330);
const BODY: &[u8] = br#"{"test": 2432232314}"#;

fn secret() -> Secret {
    Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()
}

fn other() -> Secret {
    Secret::from_whsec("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap()
}

fn id(text: &str) -> MessageId {
    MessageId::new(text).unwrap()
}

fn signed(body: &[u8]) -> HeaderMap {
    let signer = Signer::standard_webhooks(secret());
    signer.sign(&id("msg_1"), NOW, body).unwrap()
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::try_from(text).unwrap()
}

fn verify<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<Verified<'a>, VerifyError> {
    Verifier::standard_webhooks(secret()).verify(headers, body, NOW)
}

/// Decodes any JSON text.
#[derive(Debug)]
struct Json(serde_json::Value);

impl Decode for Json {
    fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError> {
        body.json().map(Self)
    }
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    scheme: String,
    kind: String,
    secret: Option<String>,
    headers: std::collections::BTreeMap<String, String>,
    body: Option<String>,
    #[cfg(feature = "ed25519")]
    public_key: Option<String>,
}

impl Vector {
    fn pair(&self) -> Option<(Signer, Verifier)> {
        let text = self.secret.as_deref()?;
        let svix = self.headers.contains_key("svix-id");
        let described = |scheme: CustomScheme| {
            let secret = || Secret::from_text(text).unwrap();
            (Signer::custom(scheme.clone(), secret()), Verifier::custom(scheme, secret()))
        };
        match self.scheme.as_str() {
            "standard-webhooks-v1" => {
                let secret = || Secret::from_whsec(text).unwrap();
                Some(if svix {
                    (Signer::svix(secret()), Verifier::svix(secret()))
                } else {
                    (Signer::standard_webhooks(secret()), Verifier::standard_webhooks(secret()))
                })
            }
            #[cfg(feature = "ed25519")]
            "standard-webhooks-v1a" => {
                use labhook::signature::{Ed25519PrivateKey, Ed25519PublicKey};
                let public = self.public_key.as_deref().unwrap();
                let private = Ed25519PrivateKey::from_whsk(text).unwrap();
                let public = Ed25519PublicKey::from_whpk(public).unwrap();
                Some((Signer::standard_webhooks(private), Verifier::standard_webhooks(public)))
            }
            "github-sha256" => Some(described(CustomScheme::GITHUB)),
            "slack-v0" => Some(described(CustomScheme::SLACK)),
            // The primitives are tested beside the code that uses them.
            _ => None,
        }
    }
}

#[test]
fn the_published_vectors_pass_both_ways() {
    let vectors: Vec<Vector> = serde_json::from_str(VECTORS).unwrap();
    let mut count = 0;
    for vector in &vectors {
        let Some((signer, verifier)) = vector.pair() else {
            continue;
        };
        count += 1;
        let mut headers = HeaderMap::new();
        for (name, text) in &vector.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.insert(name, value(text));
        }
        let body = vector.body.as_deref().unwrap().as_bytes();
        let time = ["webhook-timestamp", "svix-timestamp", "x-slack-request-timestamp"]
            .iter()
            .find_map(|&name| headers.get(name))
            .map_or(0, |text| text.to_str().unwrap().parse().unwrap());
        let now = Timestamp::from_unix_seconds(time);
        let message = ["webhook-id", "svix-id"]
            .iter()
            .find_map(|&name| headers.get(name))
            .map_or("unsigned", |text| text.to_str().unwrap());

        let signed = signer.sign(&id(message), now, body).unwrap();
        let verdict = verifier.verify(&headers, body, now);
        if vector.kind == "positive" {
            assert_eq!(signed, headers, "{}", vector.name);
            assert!(verdict.is_ok(), "{}: {verdict:?}", vector.name);
        } else {
            assert_eq!(verdict.unwrap_err().name(), "no-match", "{}", vector.name);
        }
    }
    assert_eq!(count, if cfg!(feature = "ed25519") { 10 } else { 9 });
}

/// The work itself is counted beside the verifier.
#[test]
fn fault_1_a_flood_of_candidates_is_refused() {
    let mut headers = signed(BODY);
    let good = headers["webhook-signature"].to_str().unwrap().to_owned();
    let flood = vec![good.as_str(); 400].join(" ");
    headers.insert("webhook-signature", value(&flood));
    let error = verify(&headers, BODY).unwrap_err();
    assert_eq!(
        error,
        VerifyError::TooManyCandidates {
            name: HeaderName::from_static("webhook-signature"),
            limit: MAX_CANDIDATES,
        }
    );
}

#[test]
fn fault_2_a_malformed_candidate_does_not_spoil_the_list() {
    let mut headers = signed(BODY);
    let good = headers["webhook-signature"].to_str().unwrap().to_owned();
    for bad in ["v1", "v1,", "v1,!", ",", "v1a,AAAA", "v1,AAAA", "v2,x", "="] {
        headers.insert("webhook-signature", value(&format!("{bad} {good}")));
        assert!(verify(&headers, BODY).is_ok(), "{bad}");
        headers.insert("webhook-signature", value(&format!("{good}  {bad}")));
        assert!(verify(&headers, BODY).is_ok(), "{bad}");
    }
}

#[test]
fn fault_3_extreme_timestamps_are_answers() {
    let mut headers = signed(BODY);
    for (text, refusal) in [
        ("-9223372036854775808", "too-old"),
        ("-9223372036854775807", "too-old"),
        ("9223372036854775807", "too-new"),
        ("9223372036854775808", "malformed-timestamp"),
    ] {
        headers.insert("webhook-timestamp", value(text));
        for now in [Timestamp::UNIX_EPOCH, NOW] {
            let verifier = Verifier::standard_webhooks(secret());
            let error = verifier.verify(&headers, BODY, now).unwrap_err();
            assert_eq!(error.name(), refusal, "{text}");
        }
        let widest =
            Verifier::standard_webhooks(secret()).with_tolerance(Duration::MAX, Duration::MAX);
        for now in [Timestamp::MIN, Timestamp::MAX] {
            assert!(widest.verify(&headers, BODY, now).is_err());
        }
    }
}

#[test]
fn fault_4_any_length_is_an_answer() {
    let verifier = Verifier::custom(CustomScheme::GITHUB, secret());
    for len in 0..200 {
        for text in ["sha256=", "", "sha256"] {
            let text = format!("{text}{}", "0".repeat(len));
            let headers =
                HeaderMap::from_iter([(CustomScheme::GITHUB.header().clone(), value(&text))]);
            let error = verifier.verify(&headers, b"", NOW).unwrap_err();
            let whole = text.len() == "sha256=".len() + 64 && text.starts_with("sha256=");
            let refusal = if whole { "no-match" } else { "no-usable-signature" };
            assert_eq!(error.name(), refusal, "{text}");
        }
    }
}

#[test]
fn fault_5_an_empty_secret_is_refused_at_construction() {
    assert_eq!(Secret::from_text("").unwrap_err(), SecretError::Empty);
    assert_eq!(Secret::from_bytes(b"").unwrap_err(), SecretError::Empty);
    assert_eq!(Secret::from_base64("").unwrap_err(), SecretError::Empty);
    assert_eq!(Secret::from_whsec("whsec_").unwrap_err(), SecretError::TooShort { bytes: 0 });
}

#[test]
fn fault_6_the_id_cannot_move_the_boundary() {
    // Signed as ("m", 1614265330, "2.x"); sent as ("m.1614265330", 2, "x").
    let signer = Signer::standard_webhooks(secret());
    let mut headers = signer.sign(&id("m"), NOW, b"2.x").unwrap();
    headers.insert("webhook-id", value("m.1614265330"));
    headers.insert("webhook-timestamp", value("2"));
    let verifier =
        Verifier::standard_webhooks(secret()).with_tolerance(Duration::MAX, Duration::MAX);
    let error = verifier.verify(&headers, b"x", NOW).unwrap_err();
    assert_eq!(error.name(), "malformed-id");
    for bad in ["", "a b", "a\tb", "a.b"] {
        assert!(MessageId::new(bad).is_err());
        headers.insert("webhook-id", value(bad));
        let error = verifier.verify(&headers, b"x", NOW).unwrap_err();
        assert_eq!(error.name(), "malformed-id", "{bad:?}");
    }
}

#[test]
fn fault_7_the_timestamp_is_signed_as_it_is_written() {
    let now = Timestamp::from_unix_seconds(5);
    let signer = Signer::standard_webhooks(secret());
    let mut headers = signer.sign(&id("m"), now, BODY).unwrap();
    let verifier = Verifier::standard_webhooks(secret());
    assert!(verifier.verify(&headers, BODY, now).is_ok());
    for other_spelling in ["+5", "05", "5.0", "0x5"] {
        headers.insert("webhook-timestamp", value(other_spelling));
        let error = verifier.verify(&headers, BODY, now).unwrap_err();
        assert_eq!(error.name(), "malformed-timestamp", "{other_spelling}");
    }
}

#[test]
fn fault_8_conflicting_duplicates_and_mixed_brands_are_errors() {
    for name in ["webhook-id", "webhook-timestamp"] {
        let mut headers = signed(BODY);
        headers.append(name, headers[name].clone());
        assert!(verify(&headers, BODY).is_ok(), "equal duplicates are fine");
        headers.append(name, value("7"));
        let error = verify(&headers, BODY).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the {name} header is repeated with different values")
        );
    }

    let mut headers = signed(BODY);
    let good = headers["webhook-signature"].clone();
    headers.insert("webhook-signature", value("v1,AAAA"));
    headers.append("webhook-signature", good);
    assert!(verify(&headers, BODY).is_ok(), "every line is read");

    let verifier = Verifier::svix(secret());
    for name in ["id", "timestamp", "signature"] {
        let mut headers = Signer::svix(secret()).sign(&id("msg_1"), NOW, BODY).unwrap();
        let moved = headers.remove(format!("svix-{name}")).unwrap();
        let webhook = HeaderName::try_from(format!("webhook-{name}")).unwrap();
        headers.insert(webhook, moved);
        let error = verifier.verify(&headers, BODY, NOW).unwrap_err();
        assert_eq!(error, VerifyError::MixedBrands);
        let error = verify(&headers, BODY).unwrap_err();
        assert_eq!(error.name(), "missing-header");
    }
    assert!(verifier.verify(&signed(BODY), BODY, NOW).is_ok());
}

#[test]
fn fault_10_a_part_of_a_signature_is_not_a_signature() {
    let signer = Signer::strike(secret());
    let headers = signer.sign(&id("m"), NOW, BODY).unwrap();
    let whole = headers["x-webhook-signature"].to_str().unwrap();
    let verifier = Verifier::strike(secret());
    for len in 0..whole.len() {
        let mut headers = headers.clone();
        headers.insert("x-webhook-signature", value(&whole[..len]));
        let error = verifier.verify(&headers, BODY, NOW).unwrap_err();
        assert_eq!(error.name(), "no-usable-signature", "{len}");
    }
}

#[test]
fn fault_11_bodies_that_are_not_utf_8_and_unpadded_secrets_are_accepted() {
    let body = [0xff, 0xfe, 0x00, 0x80];
    assert_eq!(verify(&signed(&body), &body).unwrap().body(), body);

    let unpadded = Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS").unwrap();
    let signer = Signer::standard_webhooks(unpadded);
    let message = id("msg_p5jXN8AQM9LWM0D4loKWxJek");
    let headers = signer.sign(&message, NOW, BODY).unwrap();
    assert_eq!(headers["webhook-signature"], "v1,LVOXivKoo4FWasi/IaHvzhE/u+7/cu2AME+zS/nXqzk=");
}

#[test]
fn fault_12_a_genuine_body_that_cannot_be_decoded_is_not_lost() {
    let body = b"{not json";
    let headers = signed(body);
    let verified = verify(&headers, body).unwrap();
    assert!(verified.decode::<Json>().is_err());
    assert_eq!(verified.body(), body);
    assert_eq!(verified.id(), Some(&id("msg_1")));
}

#[test]
fn what_is_verified_is_decoded() {
    let headers = signed(BODY);
    let verified = verify(&headers, BODY).unwrap();
    let Json(json) = verified.decode().unwrap();
    assert_eq!(json["test"], 2_432_232_314_u32);
    assert_eq!(verified.timestamp(), Some(NOW));
    assert_eq!(verified.expires_at(), Some(Timestamp::from_unix_seconds(1_614_265_630)));
    let Json(json) = danger::unsigned(BODY).decode().unwrap();
    assert_eq!(json["test"], 2_432_232_314_u32);
}

/// A rotation, seen from a receiver that has both secrets all the time.
#[test]
fn a_rotation_is_seen_to_be_done() {
    let verifier = Verifier::standard_webhooks(other()).add_secret(secret());
    let index = |signer: Signer| {
        let headers = signer.sign(&id("m"), NOW, BODY).unwrap();
        verifier.verify(&headers, BODY, NOW).unwrap().key_index()
    };
    assert_eq!(index(Signer::standard_webhooks(secret())), 1);
    assert_eq!(index(Signer::standard_webhooks(other()).add_secret(secret())), 0);
    assert_eq!(index(Signer::standard_webhooks(other())), 0);
    // A receiver that has only the old secret is served until the sender drops it.
    let both = Signer::standard_webhooks(other()).add_secret(secret());
    let headers = both.sign(&id("m"), NOW, BODY).unwrap();
    assert!(verify(&headers, BODY).is_ok());
}

#[cfg(feature = "ed25519")]
#[test]
fn one_list_carries_both_kinds_of_signature() {
    use labhook::signature::Ed25519PrivateKey;

    let key = Ed25519PrivateKey::from_seed(&[7; 32]);
    let public = key.public();
    let signer = Signer::standard_webhooks(secret()).add_key(key).unwrap();
    let headers = signer.sign(&id("m"), NOW, BODY).unwrap();
    let list = headers["webhook-signature"].to_str().unwrap();
    assert!(list.starts_with("v1,") && list.contains(" v1a,"), "{list}");
    for verifier in [
        Verifier::standard_webhooks(secret()),
        Verifier::standard_webhooks(public.clone()),
        Verifier::standard_webhooks(other()).add_key(public).unwrap(),
    ] {
        assert!(verifier.verify(&headers, BODY, NOW).is_ok());
    }
}

#[test]
fn every_type_is_send_and_sync() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Signer>();
    check::<Verifier>();
    check::<Verified<'static>>();
    check::<VerifyError>();
    check::<CustomScheme>();
    check::<danger::Unsigned<'static>>();
    #[cfg(feature = "ed25519")]
    check::<labhook::signature::Ed25519PrivateKey>();
}
