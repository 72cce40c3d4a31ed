//! Receiving from several senders with `Sources`.

use http::{HeaderMap, HeaderName, HeaderValue};
use labhook::provider::linq::Kind;
use labhook::receive::{Decoded, Proof, ReceiveError, Received, Source, Sources, danger};
use labhook::signature::CustomScheme;
use labhook::{LabEvent, MessageId, Secret, Signer, Timestamp, Verifier};

mod errors;
mod kinds;
mod unreadable;

const STRATEOS: &str = include_str!("../data/strateos/run_started.json");
const LINQ: &str = include_str!("../data/linq/run_state_change.json");
const LINQ_TASK: &str = include_str!("../data/linq/own/task_state_change.json");
const LINQ_PLAN: &str = include_str!("../data/linq/own/new_plan.json");
const STRIKE: &str = include_str!("../data/strike/invoice.updated.json");
const SEGMENTS: &str = include_str!("../data/segments/by_package/sample.created.json");
const ENVELOPE: &str = include_str!("../data/lab/run.state_changed.json");

const STRIKE_ID: &str = "245e40d8-f197-411c-8f20-a326d08da402";

fn now() -> Timestamp {
    Timestamp::from_unix_seconds(1_744_882_200)
}

fn id() -> MessageId {
    MessageId::new("msg_1").unwrap()
}

fn secret(text: &str) -> Secret {
    Secret::from_text(text).unwrap()
}

/// The headers that an endpoint with this signer sends with the body.
fn signed(signer: &Signer, body: &str) -> HeaderMap {
    signer.sign(&id(), now(), body.as_bytes()).unwrap()
}

/// Headers that outlive what was received with them.
fn leaked(headers: HeaderMap) -> &'static HeaderMap {
    Box::leak(Box::new(headers))
}

fn no_headers() -> &'static HeaderMap {
    leaked(HeaderMap::new())
}

fn token() -> HeaderName {
    HeaderName::from_static("x-lab-token")
}

fn with_token(text: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(token(), HeaderValue::from_static(text));
    headers
}

fn token_verifier(text: &str) -> Verifier {
    Verifier::token(token(), secret(text)).unwrap()
}

fn sources(sources: impl IntoIterator<Item = Source>) -> Sources {
    Sources::new(sources).unwrap()
}

/// One source of each kind, each with its own key.
fn all() -> Sources {
    sources([
        Source::envelope("scheduler", Verifier::standard_webhooks(secret("key-envelope"))),
        Source::strike("payments", Verifier::strike(secret("key-strike"))),
        Source::segments("labelling", Verifier::svix(secret("key-segments"))),
        Source::linq("runs", Kind::RunStateChange, token_verifier("key-runs")),
        Source::linq("tasks", Kind::TaskStateChange, token_verifier("key-tasks")),
        Source::cloud_events(
            "bus",
            Verifier::custom(CustomScheme::STRIPE, secret("key-bus")).unwrap(),
        ),
        Source::cloud_events_binary(
            "wire",
            Verifier::custom(CustomScheme::GITHUB, secret("key-wire")).unwrap(),
        ),
        Source::strateos(
            "gateway",
            Verifier::custom(CustomScheme::LINEAR, secret("key-gateway")).unwrap(),
        ),
        danger::strateos("cloud lab"),
        danger::linq("bare plans", Kind::NewPlan),
    ])
}

#[track_caller]
fn refused<'a>(result: Result<Received<'a>, ReceiveError<'a>>) -> ReceiveError<'a> {
    match result {
        Err(error) => error,
        Ok(received) => panic!("{received:?}"),
    }
}

fn key<'a>(received: &'a Received<'_>) -> Option<&'a str> {
    received.dedupe_key.as_ref().map(|key| key.as_str())
}

/// The sources that were tried, with their errors.
#[track_caller]
fn tried<'a>(error: &'a ReceiveError<'_>) -> Vec<(&'a str, &'static str)> {
    let ReceiveError::NotGenuine { tried } = error else { panic!("{error:?}") };
    tried.iter().map(|(name, error)| (&**name, error.name())).collect()
}

/// The type of an unreadable event, and the path of what does not match.
#[track_caller]
fn unreadable<'a>(received: &'a Received<'_>) -> (&'a str, &'a str) {
    let LabEvent::Unreadable { event, reason, .. } = &received.event else {
        panic!("{received:?}");
    };
    (event.event_type.as_str(), reason.path())
}
