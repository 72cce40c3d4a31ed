//! What is measured: endpoints, messages and signed requests.

#![allow(dead_code, unreachable_pub, reason = "each target uses its part")]

use std::num::NonZeroU32;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode};
use labhook::delivery::{Jitter, Schedule};
use labhook::flow::ConcurrencyLimitPolicy;
use labhook::message::Rendering;
use labhook::{
    Attempt, Endpoint, EndpointId, EndpointPolicy, EventType, FlowPolicy, HealthPolicy, Keys,
    Message, MessageId, Outbox, Outcome, Registry, RetryPolicy, Secret, Signer, Step, Timestamp,
};

pub const DAY: Duration = Duration::from_secs(86_400);

/// A Standard Webhooks secret.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The seed of everything random.
pub const SEED: u64 = 7;

/// When everything starts.
pub fn start() -> Timestamp {
    Timestamp::from_unix_seconds(1_744_882_200)
}

pub fn secret() -> Secret {
    Secret::from_whsec(SECRET).expect("the secret is valid")
}

/// A random id of 31 characters, like those of Svix.
pub fn id(random: &mut fastrand::Rng) -> String {
    let random: String = std::iter::repeat_with(|| random.alphanumeric()).take(27).collect();
    format!("msg_{random}")
}

pub fn message_id(random: &mut fastrand::Rng) -> MessageId {
    MessageId::new(id(random)).expect("the id is valid")
}

pub fn endpoint_id(number: usize) -> EndpointId {
    EndpointId::new(format!("endpoint-{number}")).expect("the id is valid")
}

/// An endpoint that signs as Standard Webhooks do, under the default policies.
pub fn endpoint(number: usize) -> Endpoint {
    let url = format!("https://lab-{number}.example/hooks");
    let signer = Signer::standard_webhooks(secret());
    Endpoint::new(endpoint_id(number), &url, signer).expect("the endpoint is valid")
}

/// A policy under which a failed delivery waits up to 24 h, evenly spread, for ever, and nothing
/// else holds it back: no circuit breaker, no rate, no limit of concurrency.
pub fn patient() -> EndpointPolicy {
    let retry = RetryPolicy::new(Schedule::list([DAY]).forever()).with_jitter(Jitter::FULL);
    EndpointPolicy::new(retry.with_window(None)).with_health(HealthPolicy::never()).with_flow(
        FlowPolicy::fixed().with_concurrency(ConcurrencyLimitPolicy::fixed(NonZeroU32::MAX)),
    )
}

pub fn registry(endpoints: impl IntoIterator<Item = Endpoint>) -> Registry {
    let mut registry = Registry::new();
    for endpoint in endpoints {
        registry.insert(endpoint).expect("the endpoints differ");
    }
    registry
}

/// A JSON body of this many bytes.
pub fn body(bytes: usize) -> Vec<u8> {
    let mut body = br#"{"type":"run.state_changed","data":{"run_id":"run-17","log":""#.to_vec();
    body.extend((b'a'..=b'z').cycle().take(bytes.saturating_sub(body.len() + 3)));
    body.extend(br#""}}"#);
    body
}

/// A message with a body of 200 bytes.
pub fn message(random: &mut fastrand::Rng) -> Message {
    message_with(random, Keys::new().with_run("run-17"), 200)
}

pub fn message_with(random: &mut fastrand::Rng, keys: Keys, bytes: usize) -> Message {
    Message::new(
        message_id(random),
        EventType::from_static("run.state_changed"),
        start(),
        keys,
        "labhook",
        Rendering::new(HeaderValue::from_static("application/json"), body(bytes)),
    )
}

pub fn failure() -> Outcome {
    Outcome::bare(StatusCode::INTERNAL_SERVER_ERROR)
}

pub fn success() -> Outcome {
    Outcome::bare(StatusCode::NO_CONTENT)
}

/// A signed request.
pub struct Signed {
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub at: Timestamp,
    /// What the MAC covers, except for the body: `id.timestamp.`.
    pub prefix: String,
}

pub fn signed(body: Vec<u8>, at: Timestamp) -> Signed {
    let id = message_id(&mut fastrand::Rng::with_seed(SEED));
    let signer = Signer::standard_webhooks(secret());
    let headers = signer.sign(&id, at, &body).expect("the id can be signed");
    let prefix = format!("{}.{}.", id.as_str(), at.unix_seconds());
    Signed { headers, body, at, prefix }
}

/// An attempt to send a message with a body of this many bytes, and when.
pub fn attempt(bytes: usize) -> (Attempt, Timestamp) {
    let mut outbox = Outbox::new(registry([endpoint(0)]), SEED).without_storage();
    let mut random = fastrand::Rng::with_seed(SEED);
    let message = message_with(&mut random, Keys::new().with_run("run-17"), bytes);
    outbox.publish(message, start()).expect("ids need not be strict");
    match outbox.poll(start()) {
        Step::Send(attempt) => (attempt, start()),
        other => panic!("{other:?} where an attempt was to be sent"),
    }
}
