//! Values of every type that can hold a secret, a MAC or a body: [`print_all`].

use std::num::NonZeroUsize;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use http::{HeaderMap, Request, StatusCode, request};
use labhook::endpoint::EndpointConfig;
use labhook::message::Rendering;
use labhook::message::format::CloudEvent;
use labhook::outbox::{Change, Record};
use labhook::provider::linq;
use labhook::provider::segments;
use labhook::provider::strateos::{Project, ProjectWebhook};
use labhook::provider::strike::{self, CreateSubscription, UpdateSubscription, WebhookVersion};
use labhook::receive::{self, Proof, ReceiveError, Source, Sources};
use labhook::secret::SecretRef;
use labhook::signature::{
    CustomScheme, HttpMessageProfile, ReceiptProfile, Scheme, SigningKey, VerifyingKey,
};
use labhook::{
    Endpoint, EventType, Inbox, Keys, Message, Outbox, Reply, Secret, Signer, Step, Timestamp,
    Verifier, danger,
};

use super::printed::{BODY, HEADER, OLDER, Printed, SECRET, URL};
use crate::support::{answer, at, eid, mid, registry};

pub(super) fn secret() -> Secret {
    Secret::from_text(SECRET).unwrap()
}

pub(super) fn older() -> Secret {
    Secret::from_text(OLDER).unwrap()
}

pub(super) fn endpoint() -> Endpoint {
    let signer = Signer::standard_webhooks(secret()).add_secret(older());
    let header = HeaderValue::from_static(HEADER);
    let endpoint = Endpoint::new(eid("eln"), URL, signer).unwrap();
    endpoint.add_header(HeaderName::from_static("x-api-key"), &header).unwrap()
}

pub(super) fn rendering() -> Rendering {
    Rendering::new(HeaderValue::from_static("application/json"), BODY)
}

pub(super) fn message(id: &str) -> Message {
    let kind = EventType::from_static("own.thing");
    Message::new(mid(id), kind, at(0), Keys::new(), "labhook", rendering())
}

/// A request to sign, with what schemes sign beside the body.
pub(super) fn request() -> request::Parts {
    let request = Request::post(URL).header("content-type", "application/json").body(()).unwrap();
    request.into_parts().0
}

/// The signers and verifiers of all schemes.
pub(super) fn schemes() -> Vec<(Signer, Verifier)> {
    let token = || HeaderName::from_static("x-token");
    let mut schemes = vec![
        (
            Signer::standard_webhooks(secret()).add_secret(older()),
            Verifier::standard_webhooks(older()).add_secret(secret()),
        ),
        (Signer::svix(secret()), Verifier::svix(secret())),
        (Signer::strike(secret()), Verifier::strike(secret())),
        (
            Signer::token(token(), secret()).unwrap(),
            Verifier::token(token(), secret()).unwrap().add_secret(older()),
        ),
    ];
    let message = Scheme::HttpMessageSignatures(HttpMessageProfile::new());
    schemes.push((
        Signer::new(message.clone(), secret()).unwrap(),
        Verifier::new(message, secret()).unwrap(),
    ));
    for scheme in [CustomScheme::SLACK, CustomScheme::STRIPE, CustomScheme::SQUARE] {
        let signer = Signer::custom(scheme.clone(), secret()).unwrap();
        schemes.push((signer, Verifier::custom(scheme, secret()).unwrap()));
    }
    #[cfg(feature = "twilio")]
    schemes.push((
        Signer::new(Scheme::Twilio, secret()).unwrap(),
        Verifier::new(Scheme::Twilio, secret()).unwrap(),
    ));
    #[cfg(feature = "ed25519")]
    {
        let key = labhook::signature::Ed25519PrivateKey::from_seed(seed());
        let verifier = Verifier::standard_webhooks(key.public());
        schemes.push((Signer::standard_webhooks(key), verifier));
    }
    #[cfg(feature = "p256")]
    {
        let key = labhook::signature::P256PrivateKey::from_scalar(seed()).unwrap();
        let verifier = Verifier::custom(CustomScheme::SENDGRID, key.public()).unwrap();
        schemes.push((Signer::custom(CustomScheme::SENDGRID, key).unwrap(), verifier));
    }
    schemes
}

/// The secret as a private key.
#[cfg(any(feature = "ed25519", feature = "p256"))]
pub(super) fn seed() -> &'static [u8; 32] {
    SECRET.as_bytes().first_chunk().unwrap()
}

/// Hides the MACs and signatures in sensitive headers. A token has its own form.
pub(super) fn hide_macs(printed: &mut Printed, headers: &HeaderMap) {
    for value in headers.values().filter(|value| value.is_sensitive()) {
        let text = value.to_str().unwrap();
        for part in text.split([' ', ',', ':']).filter(|part| part.len() > 20) {
            let part = part.rsplit_once("v0=").or(part.rsplit_once("v1=")).map_or(part, |it| it.1);
            printed.hide("a MAC as text", part.as_bytes());
            for mac in [STANDARD.decode(part).ok(), hex::decode(part).ok()].into_iter().flatten() {
                printed.hide("a MAC", &mac);
            }
        }
    }
}

pub(super) fn print_all(printed: &mut Printed) {
    secrets(printed);
    signatures(printed);
    endpoints(printed);
    hooks(printed);
    messages(printed);
    outbox(printed);
    received(printed);
}

fn secrets(printed: &mut Printed) {
    printed.debug(&secret());
    let json = format!(r#"{{"encoding":"text","value":"{SECRET}"}}"#);
    let reference: SecretRef = serde_json::from_str(&json).unwrap();
    printed.debug(&reference);
    printed.debug(&SigningKey::from(secret()));
    printed.debug(&VerifyingKey::from(secret()));
    #[cfg(feature = "ed25519")]
    {
        use labhook::signature::Ed25519PrivateKey;

        let key = Ed25519PrivateKey::from_seed(seed());
        printed.debug(&key);
        printed.debug(&key.public());
        printed.debug(&SigningKey::from(key));
    }
    #[cfg(any(feature = "ed25519", feature = "p256"))]
    {
        use labhook::signature::KeySet;

        let json = format!(
            r#"{{"keys":[{{"kty":"oct","k":"{SECRET}"}},
                {{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}},
                {{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
                "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}}]}}"#
        );
        printed.debug(&KeySet::from_json(json.as_bytes()).unwrap());
    }
    #[cfg(feature = "p256")]
    {
        use labhook::signature::P256PrivateKey;

        let key = P256PrivateKey::from_scalar(seed()).unwrap();
        printed.debug(&key);
        printed.debug(&key.public());
        printed.debug(&SigningKey::from(key));
    }
}

fn signatures(printed: &mut Printed) {
    for (signer, verifier) in schemes() {
        printed.debug(&signer);
        printed.debug(&verifier);
        let mut request = request();
        let headers = signer.sign_request(&request, &mid("m"), at(0), body_of(&signer)).unwrap();
        hide_macs(printed, &headers);
        // The headers too: an application may log them.
        printed.debug(&headers);
        request.headers.extend(headers);
        let verified = verifier.verify_request(&request, body_of(&signer), at(0)).unwrap();
        printed.debug(&verified);
    }
    let profile = HttpMessageProfile::new();
    printed.debug(&profile);
    let receipts = ReceiptProfile::new(profile).with_base_url("https://eln.example").unwrap();
    printed.debug(&receipts);
    let mut request = request();
    let (signer, _) = schemes().swap_remove(4);
    let headers = signer.sign_request(&request, &mid("m"), at(0), BODY.as_bytes()).unwrap();
    request.headers.extend(headers);
    let key = SigningKey::from(secret());
    let headers = receipts.sign(&key, &request, StatusCode::OK, at(0)).unwrap();
    hide_macs(printed, &headers);
    printed.debug(&headers);
}

/// Twilio signs a body that is no form in its URL alone.
pub(super) fn body_of(signer: &Signer) -> &'static [u8] {
    let is_twilio = signer.header_names().any(|name| name == "x-twilio-signature");
    if is_twilio { b"" } else { BODY.as_bytes() }
}

fn endpoints(printed: &mut Printed) {
    printed.debug(&endpoint());
    printed.debug(&registry([endpoint()]));
    for json in [
        format!(
            r#"{{"url":"{URL}","secret":{{"encoding":"text","value":"{SECRET}"}},
                "headers":{{"x-api-key":"{HEADER}"}}}}"#
        ),
        format!(
            r#"{{"url":{{"encoding":"text","value":"{URL}"}},"signature":"unsigned",
                "headers":{{"x-api-key":{{"encoding":"text","value":"{HEADER}"}}}}}}"#
        ),
    ] {
        let config: EndpointConfig = serde_json::from_str(&json).unwrap();
        printed.debug(&config);
        printed.debug(&config.endpoint(eid("eln"), |_| None::<&str>).unwrap());
    }
    let request = endpoint().request(&mid("m"), &rendering(), at(0)).unwrap();
    hide_macs(printed, request.headers());
    printed.debug(request.headers());
}

fn hooks(printed: &mut Printed) {
    let hook = linq::Hook::new(linq::Watch::NewPlan, URL).add_header("x-api-key", HEADER);
    printed.debug(&hook);
    printed.debug(&hook.endpoint(eid("eln")).unwrap());
    let json = hook.expose_json();
    printed.debug(&linq::Hook::from_json(&json).unwrap());
    printed.debug(&segments::Hook::new(URL, "jane").unwrap());
    printed.debug(&ProjectWebhook::new(Project::new("p1")).with_url(URL).unwrap());

    let types = ["invoice.updated"];
    let create = CreateSubscription::new(URL, WebhookVersion::V1, secret(), types).unwrap();
    printed.debug(&create);
    printed.debug(&create.response("s-1", at(0)));
    printed.debug(&create.endpoint(eid("eln")).unwrap());
    let update = UpdateSubscription::new().with_webhook_url(URL).unwrap();
    printed.debug(&update.with_secret(secret()).unwrap());
}

fn messages(printed: &mut Printed) {
    let mut message = message("m");
    printed.json(&message);
    printed.json(&rendering());
    message.detach_bodies().iter().for_each(|detached| printed.debug(detached));
    printed.json(&message);
    printed.debug(&danger::unsigned(BODY.as_bytes()));
    let trusted = danger::unsigned(BODY.as_bytes()).trusted_body();
    printed.debug(&trusted);
    printed.debug(&CloudEvent::from_binary(&cloud_event_headers(), trusted).unwrap());
}

/// The headers of a CloudEvent in binary mode.
pub(super) fn cloud_event_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("ce-specversion", "1.0"),
        ("ce-id", "1"),
        ("ce-source", "/lab"),
        ("ce-type", "own.thing"),
        ("content-type", "application/json"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
}

fn outbox(printed: &mut Printed) {
    let outbox = Outbox::new(registry([endpoint()]), 7).with_input_log().with_attempt_reports();
    let mut outbox = outbox.with_retention(std::time::Duration::from_secs(60));
    printed.debug(&outbox);
    let published = outbox.publish(message("m"), at(0)).unwrap();
    printed.debug(&published);
    let strike = endpoint().with_format(strike::Format::of_version(WebhookVersion::V1));
    let mut other = Outbox::new(registry([strike]), 7);
    for failure in &other.publish(message("m"), at(0)).unwrap().render_failures {
        printed.debug(failure);
    }
    let mut now = at(0);
    for _ in 0..20 {
        let step = outbox.poll(now);
        printed.debug(&step);
        printed.debug(&outbox);
        match step {
            Step::Save(changes) => {
                printed.debug(&changes);
                for change in changes.iter() {
                    printed.debug(change);
                    let Change::Put(record) = change else { continue };
                    printed.json(record);
                    if let Record::Message(record) = record {
                        printed.json(record);
                    }
                }
                outbox.saved(changes.revision());
            }
            Step::Send(attempt) => {
                printed.debug(&attempt);
                printed.json(attempt.ticket());
                let request = attempt.request(now).unwrap();
                hide_macs(printed, request.headers());
                outbox.resolve(attempt.ticket(), &answer(500), now);
            }
            Step::Notify(notice) => printed.json(&notice),
            Step::Wait(until) => now = until,
            Step::Idle => break,
        }
        printed.json(&outbox.explain(&mid("m"), &eid("eln"), now));
        printed.debug(&outbox.status(&eid("eln")).unwrap());
    }
    for entry in outbox.take_input_log() {
        printed.json(&entry);
    }
}

fn received(printed: &mut Printed) {
    let now = at(0);
    let incoming = std::sync::Arc::new(Mutex::new(Vec::new()));
    let kept = std::sync::Arc::clone(&incoming);
    let own = HeaderName::from_static("x-own");
    let custom = Source::custom("own", Verifier::token(own, older()).unwrap(), move |request| {
        kept.lock().unwrap().push(format!("{request:?}\n{request:#?}"));
        Err("the decoder's error".into())
    });
    let sources = [
        Source::envelope("lab", Verifier::standard_webhooks(secret())),
        Source::linq(
            "linq",
            linq::Kind::NewPlan,
            Verifier::token(AUTHORIZATION, secret()).unwrap(),
        ),
        custom,
    ];
    sources.iter().for_each(|source| printed.debug(source));
    let sources = Sources::new(sources).unwrap();
    printed.debug(&sources);

    let id = mid("m");
    let signer = Signer::standard_webhooks(secret());
    let headers = signer.sign(&id, now, BODY.as_bytes()).unwrap();
    hide_macs(printed, &headers);
    let mut receive = |sources: &Sources, headers: &HeaderMap, body: &[u8], now: Timestamp| {
        let error = match sources.receive(headers, body, now) {
            Ok(received) => return printed.debug(&received),
            Err(error) => error,
        };
        printed.note::<ReceiveError<'_>>(&error);
        printed.search("an error", &error.to_string(), true);
        match &error {
            ReceiveError::Unreadable(refusal) => {
                printed.debug(&**refusal);
                printed.quoting_error(&refusal.reason);
            }
            error => printed.debug(error),
        }
        // What a stranger gets.
        let reply = Reply::from(error);
        printed.debug(&reply);
        let reply = http::Response::<Vec<u8>>::from(reply);
        printed.debug(&reply);
        assert!(reply.body().is_empty());
    };
    receive(&sources, &headers, BODY.as_bytes(), now);
    receive(&sources, &headers, b"other", now);
    receive(&sources, &headers, BODY.as_bytes(), at(1_000));
    receive(&sources, &HeaderMap::new(), BODY.as_bytes(), now);
    let unsigned = Sources::new([receive::danger::strateos("strateos")]).unwrap();
    receive(&unsigned, &HeaderMap::new(), BODY.as_bytes(), now);
    for name in ["authorization", "x-own"] {
        for value in [SECRET, OLDER] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            receive(&sources, &headers, BODY.as_bytes(), now);
        }
    }
    let incoming = std::mem::take(&mut *incoming.lock().unwrap());
    incoming.iter().for_each(|text| printed.search("an incoming request", text, true));
    assert!(!incoming.is_empty());
    printed.types.insert("receive::decoder::Incoming".to_owned());

    let unsigned = Proof::Unsigned(danger::unsigned(BODY.as_bytes()));
    printed.debug(&unsigned);
    let mut inbox = Inbox::new(NonZeroUsize::MIN);
    inbox.remember("lab", "m", now);
    printed.json(&inbox);
}
