//! What is made of a secret, used and dropped: [`SCENARIOS`].

use std::hint::black_box;

use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use labhook::endpoint::EndpointConfig;
use labhook::message::Rendering;
use labhook::provider::linq::{Hook, Watch};
use labhook::provider::segments;
use labhook::provider::strateos::{Project, ProjectWebhook};
use labhook::provider::strike::{CreateSubscription, WebhookVersion};
use labhook::receive::{Source, Sources};
use labhook::secret::SecretRef;
use labhook::signature::{
    CustomScheme, HttpMessageProfile, ReceiptProfile, Scheme, SigningKey, VerifyingKey,
};
use labhook::{
    Endpoint, EndpointId, EventType, Keys, Message, MessageId, Outbox, Outcome, Registry, Secret,
    Signer, Step, Timestamp, Verifier,
};
use zeroize::Zeroizing;

use super::searched;

/// Work with values that it owns.
type Work = Box<dyn FnMut()>;

type Scenario = (&'static str, fn(&str) -> Work);

/// A name, and a function that makes values of a secret text.
pub(super) const SCENARIOS: &[Scenario] = &[
    ("secrets", secrets),
    ("standard webhooks", standard_webhooks),
    ("hex signature", |text| custom(CustomScheme::GITHUB, text)),
    ("signed field", |text| custom(CustomScheme::STRIPE, text)),
    ("token", token),
    ("signed request", signed_request),
    ("http message", http_message),
    ("secret url", |text| requests(Endpoint::new(eid(), &url(text), Signer::unsigned()).unwrap())),
    ("signed url", signed_url),
    ("static header", static_header),
    ("endpoint", |text| {
        let signer = Signer::standard_webhooks(Secret::from_text(text).unwrap());
        requests(Endpoint::new(eid(), "https://eln.example/in", signer).unwrap())
    }),
    ("outbox", outbox),
    ("sources", sources),
    ("secret in a file", config),
    ("url in a file", config_url),
    ("strike subscription", strike_subscription),
    ("linq hook", linq_hook),
    ("other hooks", other_hooks),
    #[cfg(feature = "twilio")]
    ("twilio", twilio),
    #[cfg(feature = "ed25519")]
    ("ed25519", ed25519),
    #[cfg(feature = "p256")]
    ("p256", p256),
];

const NOW: Timestamp = Timestamp::from_unix_seconds(1_744_882_200);
const BODY: &[u8] = br#"{"type":"run.state_changed"}"#;

fn eid() -> EndpointId {
    EndpointId::new("eln").unwrap()
}

fn mid() -> MessageId {
    MessageId::new("m").unwrap()
}

/// Joins parts without a copy that is left.
fn joined(parts: &[&str]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(parts.iter().map(|it| it.len()).sum()));
    parts.iter().for_each(|part| text.push_str(part));
    text
}

fn url(text: &str) -> Zeroizing<String> {
    joined(&["https://hooks.example/services/", text])
}

fn secrets(text: &str) -> Work {
    let secret = searched(|| Secret::from_bytes(text.as_bytes()).unwrap());
    let whsec = searched(|| secret.expose_whsec());
    let base64 = &whsec["whsec_".len()..];
    let all = [
        secret,
        searched(|| Secret::from_text(text).unwrap()),
        searched(|| Secret::from_base64(base64).unwrap()),
        searched(|| Secret::from_whsec(&whsec).unwrap()),
    ];
    assert!(searched(|| Secret::from_whsec(base64)).is_err());
    assert!(searched(|| Secret::from_base64(&whsec)).is_err());
    Box::new(move || {
        for secret in &all {
            let secret = searched(|| secret.clone());
            black_box(searched(|| secret.expose_whsec()).len());
            black_box(searched(|| format!("{secret:?}")).len());
        }
    })
}

fn check(signer: &Signer, verifier: &Verifier) {
    let headers = searched(|| signer.sign(&mid(), NOW, BODY)).unwrap();
    assert!(searched(|| verifier.verify(&headers, BODY, NOW)).is_ok());
    assert!(searched(|| verifier.verify(&headers, b"other", NOW)).is_err());
}

fn standard_webhooks(text: &str) -> Work {
    let secret = || Secret::from_text(text).unwrap();
    let other = || Secret::from_text("0123456789").unwrap();
    let signer = searched(|| Signer::standard_webhooks(secret()).add_secret(other()));
    let verifier = searched(|| Verifier::standard_webhooks(other()).add_secret(secret()));
    Box::new(move || check(&searched(|| signer.clone()), &searched(|| verifier.clone())))
}

fn custom(scheme: CustomScheme, text: &str) -> Work {
    let secret = || Secret::from_text(text).unwrap();
    let signer = searched(|| Signer::custom(scheme.clone(), secret())).unwrap();
    let verifier = searched(|| Verifier::custom(scheme, secret())).unwrap();
    Box::new(move || check(&signer, &verifier))
}

fn token(text: &str) -> Work {
    let secret = || Secret::from_text(text).unwrap();
    let signer = searched(|| Signer::token(AUTHORIZATION, secret())).unwrap();
    let verifier = searched(|| Verifier::token(AUTHORIZATION, secret())).unwrap();
    Box::new(move || {
        let headers = searched(|| signer.sign(&mid(), NOW, BODY)).unwrap();
        assert!(searched(|| verifier.verify(&headers, BODY, NOW)).is_ok());
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static("other"));
        assert!(searched(|| verifier.verify(&headers, BODY, NOW)).is_err());
    })
}

fn check_request(signer: &Signer, verifier: &Verifier) {
    let request = http::Request::post("https://lab.example/in?a=1").body(()).unwrap();
    let (mut request, ()) = request.into_parts();
    request.headers.insert("content-type", HeaderValue::from_static("text/plain"));
    let headers = searched(|| signer.sign_request(&request, &mid(), NOW, BODY)).unwrap();
    request.headers.extend(headers);
    assert!(searched(|| verifier.verify_request(&request, BODY, NOW)).is_ok());
    assert!(searched(|| verifier.verify_request(&request, b"other", NOW)).is_err());
}

fn signed_request(text: &str) -> Work {
    let secret = || Secret::from_text(text).unwrap();
    let signer = searched(|| Signer::custom(CustomScheme::SQUARE, secret())).unwrap();
    let verifier = searched(|| Verifier::custom(CustomScheme::SQUARE, secret())).unwrap();
    Box::new(move || check_request(&signer, &verifier))
}

fn http_message(text: &str) -> Work {
    let secret = || Secret::from_text(text).unwrap();
    let profile = HttpMessageProfile::new();
    let scheme = Scheme::HttpMessageSignatures(profile.clone());
    let signer = searched(|| Signer::new(scheme.clone(), secret())).unwrap();
    let verifier = searched(|| Verifier::new(scheme, secret())).unwrap();
    let (signing, verifying) = (SigningKey::from(secret()), VerifyingKey::from(secret()));
    Box::new(move || {
        check_request(&signer, &verifier);
        let request = http::Request::post("https://lab.example/in?a=1").body(()).unwrap();
        let (mut request, ()) = request.into_parts();
        request.headers.insert("content-type", HeaderValue::from_static("text/plain"));
        let headers = signer.sign_request(&request, &mid(), NOW, BODY).unwrap();
        request.headers.extend(headers);
        let receipts = ReceiptProfile::new(profile.clone());
        let receipt = searched(|| receipts.sign(&signing, &request, StatusCode::OK, NOW)).unwrap();
        let check = || receipts.verify(&verifying, &request, StatusCode::OK, &receipt);
        assert!(searched(check).is_ok());
    })
}

fn rendering() -> Rendering {
    Rendering::new(HeaderValue::from_static("application/json"), BODY)
}

fn requests(endpoint: Endpoint) -> Work {
    Box::new(move || {
        let endpoint = searched(|| endpoint.clone());
        let request = searched(|| endpoint.request(&mid(), &rendering(), NOW)).unwrap();
        black_box(searched(|| format!("{endpoint:?}")).len());
        searched(|| drop(endpoint));
        let (request, body) = request.into_parts();
        black_box((request, body));
    })
}

fn signed_url(text: &str) -> Work {
    let secret = Secret::from_text("0123456789").unwrap();
    let signer = Signer::custom(CustomScheme::SQUARE, secret).unwrap();
    requests(searched(|| Endpoint::new(eid(), &url(text), signer)).unwrap())
}

fn static_header(text: &str) -> Work {
    let endpoint = Endpoint::new(eid(), "https://eln.example/in", Signer::unsigned()).unwrap();
    // The application wipes its own.
    let value = bytes::Bytes::from_owner(Zeroizing::new(text.as_bytes().to_vec()));
    let value = HeaderValue::from_maybe_shared(value).unwrap();
    let name = HeaderName::from_static("x-api-key");
    requests(searched(|| endpoint.add_header(name, &value)).unwrap())
}

fn outbox(text: &str) -> Work {
    let signer = Signer::standard_webhooks(Secret::from_text(text).unwrap());
    let endpoint = Endpoint::new(eid(), &url(text), signer).unwrap();
    let mut registry = Registry::new();
    registry.insert(endpoint).unwrap();
    let mut outbox = Outbox::new(registry, 7);
    let mut count = 0;
    Box::new(move || {
        count += 1;
        let id = MessageId::new(format!("m{count}")).unwrap();
        let kind = EventType::from_static("own.thing");
        let message = Message::new(id, kind, NOW, Keys::new(), "labhook", rendering());
        outbox.publish(message, NOW).unwrap();
        let mut sent = 0;
        for _ in 0..9 {
            match outbox.poll(NOW) {
                Step::Save(changes) => _ = outbox.saved(changes.revision()),
                Step::Send(attempt) => {
                    black_box(searched(|| attempt.request(NOW)).unwrap());
                    outbox.resolve(attempt.ticket(), &Outcome::bare(StatusCode::OK), NOW);
                    sent += 1;
                }
                other => _ = black_box(other),
            }
        }
        assert_eq!(sent, 1);
        black_box(searched(|| format!("{outbox:?}")).len());
    })
}

fn sources(text: &str) -> Work {
    let secret = || Secret::from_text(text).unwrap();
    let signer = Signer::standard_webhooks(secret());
    let sources = Sources::new([
        Source::envelope("a", Verifier::standard_webhooks(secret())),
        Source::linq(
            "b",
            labhook::provider::linq::Kind::NewPlan,
            Verifier::token(AUTHORIZATION, secret()).unwrap(),
        ),
    ])
    .unwrap();
    Box::new(move || {
        let sources = searched(|| sources.clone());
        let headers = signer.sign(&mid(), NOW, BODY).unwrap();
        assert!(searched(|| sources.receive(&headers, b"other", NOW)).is_err());
        let receive = || sources.receive(&headers, BODY, NOW).map_err(|error| error.to_string());
        black_box(searched(receive).is_ok());
    })
}

fn config(text: &str) -> Work {
    let json = joined(&[r#"{"encoding":"text","value":""#, text, r#""}"#]);
    let reference: SecretRef = searched(|| serde_json::from_str(&json)).unwrap();
    let json = joined(&[
        r#"{"url":"https://eln.example/in","secret":"#,
        &json,
        r#","headers":{"x-api-key":"#,
        &json,
        "}}",
    ]);
    let config: EndpointConfig = searched(|| serde_json::from_str(&json)).unwrap();
    Box::new(move || {
        black_box(searched(|| reference.resolve(|_| None::<&str>)).unwrap());
        black_box(searched(|| config.clone().endpoint(eid(), |_| None::<&str>)).unwrap());
    })
}

fn config_url(text: &str) -> Work {
    let json = joined(&[
        r#"{"url":{"encoding":"text","value":""#,
        &url(text),
        r#""},"signature":"unsigned"}"#,
    ]);
    let config: EndpointConfig = searched(|| serde_json::from_str(&json)).unwrap();
    let json = joined(&[r#"{"url":""#, &url(text), r#"","signature":"unsigned"}"#]);
    let plain: EndpointConfig = searched(|| serde_json::from_str(&json)).unwrap();
    Box::new(move || {
        black_box(searched(|| config.clone().endpoint(eid(), |_| None::<&str>)).unwrap());
        black_box(searched(|| plain.clone().endpoint(eid(), |_| None::<&str>)).unwrap());
    })
}

fn strike_subscription(text: &str) -> Work {
    let secret = Secret::from_text(text).unwrap();
    let types = ["invoice.updated"];
    let url = url(text);
    let create = || CreateSubscription::new(&url, WebhookVersion::V1, secret, types);
    let subscription = searched(create).unwrap();
    Box::new(move || {
        black_box(searched(|| subscription.expose_json()));
        black_box(searched(|| subscription.response("id", NOW)));
        black_box(searched(|| subscription.endpoint(eid())).unwrap());
        black_box(searched(|| format!("{subscription:?}")).len());
    })
}

fn linq_hook(text: &str) -> Work {
    let url = url(text);
    let new = || Hook::new(Watch::NewPlan, &url).add_header("authorization", text);
    let hook = searched(new);
    let list = searched(|| Hook::expose_list_json(std::slice::from_ref(&hook)));
    let hooks = searched(|| Hook::list_from_json(&list)).unwrap();
    Box::new(move || {
        black_box(searched(|| hook.expose_json()));
        black_box(searched(|| hook.endpoint(eid())).is_ok());
        black_box(searched(|| format!("{hooks:?}")).len());
    })
}

fn other_hooks(text: &str) -> Work {
    let url = url(text);
    let segments = searched(|| segments::Hook::new(&url, "jane")).unwrap();
    let project = searched(|| ProjectWebhook::new(Project::new("p1")).with_url(&url)).unwrap();
    Box::new(move || {
        black_box(searched(|| segments.endpoint(eid(), Signer::unsigned())).is_ok());
        black_box(searched(|| project.endpoint(eid())).is_ok());
        black_box(searched(|| format!("{segments:?} {project:?}")).len());
    })
}

#[cfg(feature = "twilio")]
fn twilio(text: &str) -> Work {
    let secret = || Secret::from_text(text).unwrap();
    let signer = searched(|| Signer::new(Scheme::Twilio, secret())).unwrap();
    let verifier = searched(|| Verifier::new(Scheme::Twilio, secret())).unwrap();
    Box::new(move || {
        let request = http::Request::post("https://lab.example/in?a=1").body(()).unwrap();
        let (mut request, ()) = request.into_parts();
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers.insert("content-type", form);
        let headers = searched(|| signer.sign_request(&request, &mid(), NOW, b"a=b")).unwrap();
        request.headers.extend(headers);
        assert!(searched(|| verifier.verify_request(&request, b"a=b", NOW)).is_ok());
        assert!(searched(|| verifier.verify_request(&request, b"a=c", NOW)).is_err());
    })
}

#[cfg(feature = "ed25519")]
fn ed25519(text: &str) -> Work {
    use labhook::signature::Ed25519PrivateKey;
    let seed = text.as_bytes().first_chunk::<32>().unwrap();
    let key = searched(|| Ed25519PrivateKey::from_seed(seed));
    let whsk = searched(|| key.expose_whsk());
    let again = searched(|| Ed25519PrivateKey::from_whsk(&whsk)).unwrap();
    assert!(searched(|| Ed25519PrivateKey::from_whsk(&whsk[..61])).is_err());
    let signer = searched(|| Signer::standard_webhooks(key.clone()));
    let verifier = searched(|| Verifier::standard_webhooks(again.public()));
    Box::new(move || {
        check(&signer, &verifier);
        black_box((&key, &again));
    })
}

#[cfg(feature = "p256")]
fn p256(text: &str) -> Work {
    use labhook::signature::P256PrivateKey;
    let scalar = text.as_bytes().first_chunk::<32>().unwrap();
    let key = searched(|| P256PrivateKey::from_scalar(scalar)).unwrap();
    let signer = searched(|| Signer::custom(CustomScheme::SENDGRID, key.clone())).unwrap();
    let verifier = searched(|| Verifier::custom(CustomScheme::SENDGRID, key.public())).unwrap();
    Box::new(move || {
        check(&signer, &verifier);
        black_box(&key);
    })
}
