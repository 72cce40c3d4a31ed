//! Verification: published vectors, and regressions for the numbered faults of other
//! implementations.

use std::time::Duration;

use http::{HeaderMap, HeaderName};
use labhook::decode::{Decode, DecodeError, TrustedBody};
use labhook::secret::SecretError;
use labhook::signature::{CustomScheme, MAX_CANDIDATES, Verified};
use labhook::{MessageId, Secret, Signer, Timestamp, Verifier, VerifyError, danger};
use serde::Deserialize;

use super::{BODY, NOW, VECTORS, id, secret, signed, value, verify};

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
        let custom = |scheme: CustomScheme| {
            let secret = || Secret::from_text(text).unwrap();
            (
                Signer::custom(scheme.clone(), secret()).unwrap(),
                Verifier::custom(scheme, secret()).unwrap(),
            )
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
            "github-sha256" => Some(custom(CustomScheme::GITHUB)),
            "slack-v0" => Some(custom(CustomScheme::SLACK)),
            // The primitives have unit tests.
            _ => None,
        }
    }
}

#[test]
fn published_vectors_sign_and_verify() {
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
        let result = verifier.verify(&headers, body, now);
        if vector.kind == "positive" {
            assert_eq!(signed, headers, "{}", vector.name);
            assert!(result.is_ok(), "{}: {result:?}", vector.name);
        } else {
            assert_eq!(result.unwrap_err().name(), "no-match", "{}", vector.name);
        }
    }
    assert_eq!(count, if cfg!(feature = "ed25519") { 10 } else { 9 });
}

/// Fault 1. A unit test of the verifier counts the MACs.
#[test]
fn flood_of_candidates_is_rejected() {
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

/// Fault 2.
#[test]
fn malformed_candidate_does_not_spoil_the_list() {
    let mut headers = signed(BODY);
    let good = headers["webhook-signature"].to_str().unwrap().to_owned();
    for bad in ["v1", "v1,", "v1,!", ",", "v1a,AAAA", "v1,AAAA", "v2,x", "="] {
        headers.insert("webhook-signature", value(&format!("{bad} {good}")));
        assert!(verify(&headers, BODY).is_ok(), "{bad}");
        headers.insert("webhook-signature", value(&format!("{good}  {bad}")));
        assert!(verify(&headers, BODY).is_ok(), "{bad}");
    }
}

/// Fault 4.
#[test]
fn signature_of_any_length_does_not_panic() {
    let verifier = Verifier::custom(CustomScheme::GITHUB, secret()).unwrap();
    for len in 0..200 {
        for text in ["sha256=", "", "sha256"] {
            let text = format!("{text}{}", "0".repeat(len));
            let headers =
                HeaderMap::from_iter([(CustomScheme::GITHUB.header().clone(), value(&text))]);
            let error = verifier.verify(&headers, b"", NOW).unwrap_err();
            let complete = text.len() == "sha256=".len() + 64 && text.starts_with("sha256=");
            let expected = if complete { "no-match" } else { "no-usable-signature" };
            assert_eq!(error.name(), expected, "{text}");
        }
    }
}

/// Fault 5.
#[test]
fn empty_secret_is_rejected_at_construction() {
    assert_eq!(Secret::from_text("").unwrap_err(), SecretError::Empty);
    assert_eq!(Secret::from_bytes(b"").unwrap_err(), SecretError::Empty);
    assert_eq!(Secret::from_base64("").unwrap_err(), SecretError::Empty);
    assert_eq!(Secret::from_whsec("whsec_").unwrap_err(), SecretError::TooShort { bytes: 0 });
}

/// Fault 6.
#[test]
fn id_cannot_move_the_boundary() {
    // Signed as ("m", 1614265330, "2.x"); sent as ("m.1614265330", 2, "x").
    let signer = Signer::standard_webhooks(secret());
    let mut headers = signer.sign(&id("m"), NOW, b"2.x").unwrap();
    headers.insert("webhook-id", value("m.1614265330"));
    headers.insert("webhook-timestamp", value("2"));
    let verifier =
        Verifier::standard_webhooks(secret()).with_tolerance(Duration::MAX, Duration::MAX);
    let error = verifier.verify(&headers, b"x", NOW).unwrap_err();
    assert_eq!(error.name(), "malformed-id");
    for bad in ["", "a\tb", "a.7", "a.7.b", " a"] {
        assert!(MessageId::new(bad).is_err());
        headers.insert("webhook-id", value(bad));
        let error = verifier.verify(&headers, b"x", NOW).unwrap_err();
        assert_eq!(error.name(), "malformed-id", "{bad:?}");
    }
    assert_eq!(
        error.to_string(),
        "the webhook-id header is malformed: `id` must not have an integer between full stops, \
         or after the last one, got one at byte 2"
    );
}

/// The last segment alone does not decide: an id may end with a part of another message's body.
#[test]
fn id_cannot_take_a_part_of_the_body() {
    let signer = Signer::standard_webhooks(secret());
    // An event with text that somebody else wrote.
    let body = format!(r#"{{"note":"x.{}.{{}}"}}"#, NOW.unix_seconds());
    let mut headers = signer.sign(&id("m"), NOW, body.as_bytes()).unwrap();
    let (start, forged) = body.split_at(body.find("x.").unwrap() + 1);
    let forged = forged.strip_prefix(&format!(".{}.", NOW.unix_seconds())).unwrap();
    let longer = format!("m.{}.{start}", NOW.unix_seconds());
    headers.insert("webhook-id", value(&longer));
    let error = verify(&headers, forged.as_bytes()).unwrap_err();
    assert_eq!(error.name(), "malformed-id");
}

/// The same attack on a scheme whose time touches the id.
#[test]
fn id_cannot_take_a_date_time_of_the_body() {
    let signer = Signer::custom(CustomScheme::TWITCH, secret()).unwrap();
    let time = "2021-02-25T15:02:10.000Z";
    let body = format!(r#"{{"note":"{time}{{}}"}}"#);
    let mut headers = signer.sign(&id("m"), NOW, body.as_bytes()).unwrap();
    assert_eq!(headers["twitch-eventsub-message-timestamp"], time);
    let (start, forged) = body.split_once(time).unwrap();
    headers.insert("twitch-eventsub-message-id", value(&format!("m{time}{start}")));
    let verifier = Verifier::custom(CustomScheme::TWITCH, secret()).unwrap();
    let error = verifier.verify(&headers, forged.as_bytes(), NOW).unwrap_err();
    assert_eq!(error.name(), "ambiguous-id");
}

#[test]
fn ids_of_other_libraries_verify() {
    for text in ["msg.run", "17.x", "msg run 17", &"x".repeat(1_024), "{run: \"17\"}"] {
        let headers = Signer::standard_webhooks(secret()).sign(&id(text), NOW, BODY).unwrap();
        assert_eq!(verify(&headers, BODY).unwrap().id().unwrap(), text);
    }
}

/// Fault 8.
#[test]
fn conflicting_headers_and_mixed_brands_are_errors() {
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

/// Fault 10.
#[test]
fn truncated_signature_is_rejected() {
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

/// Fault 11.
#[test]
fn non_utf8_body_and_unpadded_secret_are_accepted() {
    let body = [0xff, 0xfe, 0x00, 0x80];
    assert_eq!(verify(&signed(&body), &body).unwrap().body(), body);

    let unpadded = Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS").unwrap();
    let signer = Signer::standard_webhooks(unpadded);
    let message = id("msg_p5jXN8AQM9LWM0D4loKWxJek");
    let headers = signer.sign(&message, NOW, BODY).unwrap();
    assert_eq!(headers["webhook-signature"], "v1,LVOXivKoo4FWasi/IaHvzhE/u+7/cu2AME+zS/nXqzk=");
}

/// Fault 12.
#[test]
fn genuine_body_survives_a_decode_error() {
    let body = b"{not json";
    let headers = signed(body);
    let verified = verify(&headers, body).unwrap();
    assert!(verified.decode::<Json>().is_err());
    assert_eq!(verified.body(), body);
    assert_eq!(verified.id(), Some("msg_1"));
}

#[test]
fn verified_and_unsigned_bodies_are_decoded() {
    let headers = signed(BODY);
    let verified = verify(&headers, BODY).unwrap();
    let Json(json) = verified.decode().unwrap();
    assert_eq!(json["test"], 2_432_232_314_u32);
    assert_eq!(verified.timestamp(), Some(NOW));
    assert_eq!(verified.expires_at(), Some(Timestamp::from_unix_seconds(1_614_265_630)));
    let Json(json) = danger::unsigned(BODY).decode().unwrap();
    assert_eq!(json["test"], 2_432_232_314_u32);
}

#[test]
fn signature_types_are_send_and_sync() {
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
