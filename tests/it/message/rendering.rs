//! Rendering: once per format, frozen, and saved with the message.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use labhook::event::UnknownEvent;
use labhook::lab::{RunState, RunStateChanged};
use labhook::message::format::{Envelope, Format, FormatError};
use labhook::message::{NoEventError, Rendering};
use labhook::outbox::Published;
use labhook::{
    Endpoint, Event, EventType, Keys, LabEvent, Message, Outbox, Secret, Signer, Subscription,
    Verifier, danger,
};

use crate::support::{Host, answer, at, eid, endpoint, message, mid, registry, show};

/// A format for run events that counts its calls.
#[derive(Clone, Debug)]
struct Counting {
    name: &'static str,
    calls: Arc<AtomicUsize>,
}

impl Counting {
    fn new(name: &'static str) -> Self {
        Self { name, calls: Arc::default() }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

impl Format for Counting {
    fn name(&self) -> &str {
        self.name
    }

    fn render(&self, message: &Message) -> Result<Rendering, FormatError> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let LabEvent::RunStateChanged(event) = message.event()? else {
            return Err(FormatError::new("supports run events only"));
        };
        // A second call would render other bytes.
        let text = format!("{}: {} ({call})", self.name, event.data.run_id);
        let rendering = Rendering::new(HeaderValue::from_static("text/plain"), text);
        Ok(rendering
            .add_header(HeaderName::from_static("x-format"), HeaderValue::from_static(self.name)))
    }
}

fn from_bytes(id: &str, format: &str, body: &'static [u8]) -> Message {
    let rendering = Rendering::new(HeaderValue::from_static("application/x-own"), body);
    Message::new(
        mid(id),
        EventType::from_static("own.thing"),
        at(0),
        Keys::new(),
        format,
        rendering,
    )
}

/// A message with an event that [`Counting`] cannot express.
fn unsupported(id: &str) -> Message {
    let data = serde_json::from_str("{}").unwrap();
    let event = UnknownEvent::new(EventType::from_static("own.thing"), data, at(0));
    LabEvent::Unknown(event).into_message(mid(id)).unwrap()
}

fn reasons(published: &Published) -> Vec<String> {
    let show = |failure: &labhook::outbox::RenderFailure| {
        format!("{}: {}", failure.endpoint, failure.error)
    };
    published.render_failures.iter().map(show).collect()
}

#[test]
fn message_contains_its_envelope_and_its_event() {
    let message = message("r1");
    assert_eq!(message.id(), &mid("r1"));
    assert_eq!(message.event_type().as_str(), "run.state_changed");
    assert_eq!(message.timestamp(), at(-60));
    assert_eq!(message.keys().run, Some("r1".into()));
    let names: Vec<_> = message.renderings().map(|(name, _)| name).collect();
    assert_eq!(names, ["labhook"]);
    assert_eq!(Envelope::NAME, "labhook");
    let rendering = message.rendering("labhook").unwrap();
    assert_eq!(rendering.content_type(), "application/json");
    assert_eq!(rendering.headers().count(), 0);
    assert_eq!(
        rendering.body().unwrap(),
        concat!(
            r#"{"type":"run.state_changed","timestamp":"2025-04-17T09:29:00.000Z","#,
            r#""data":{"run_id":"r1","state":"started"}}"#
        )
    );
    assert!(message.rendering("other").is_none());

    let event: Event<RunStateChanged> = message.event().unwrap();
    assert_eq!(event, Event::new(RunStateChanged::new("r1", RunState::Started), at(-60)));
    assert!(matches!(message.event::<LabEvent>().unwrap(), LabEvent::RunStateChanged(_)));
}

#[test]
fn typed_and_untyped_events_give_equal_messages() {
    let typed = message("r1");
    let body = typed.rendering("labhook").unwrap().body().unwrap().clone();
    let read: LabEvent = danger::unsigned(&body).decode().unwrap();
    assert_eq!(read.into_message(mid("r1")).unwrap(), typed);
}

#[test]
fn no_event_error_texts_are_documented() {
    let error = from_bytes("m", "own", b"x").event::<LabEvent>().unwrap_err();
    assert!(matches!(error, NoEventError::CreatedFromBytes));
    assert_eq!(error.to_string(), "message was created from bytes, not from an event");
    assert!(error.source().is_none());

    let error = from_bytes("m", "labhook", b"canary").event::<LabEvent>().unwrap_err();
    assert_eq!(error.to_string(), "event of the message does not decode as the requested type");
    assert!(matches!(&error, NoEventError::Decode(_)));
    let source = error.source().unwrap().to_string();
    assert!(!source.contains("canary"), "{source}");

    let other = message("m").event::<Event<labhook::lab::TaskStateChanged>>().unwrap_err();
    assert_eq!(
        other.source().unwrap().to_string(),
        "expected event type `task.state_changed`, found `run.state_changed`"
    );
}

#[test]
fn format_error_has_a_reason_and_a_source() {
    let bare = FormatError::new("no counterpart");
    assert_eq!(bare.to_string(), "no counterpart");
    assert!(std::error::Error::source(&bare).is_none());
    let sourced = FormatError::new("no counterpart").with_source(std::fmt::Error);
    let source = std::error::Error::source(&sourced).unwrap();
    assert_eq!(source.to_string(), std::fmt::Error.to_string());
    let no_event = FormatError::from(NoEventError::CreatedFromBytes);
    assert_eq!(no_event.to_string(), "cannot read the event of the message");
    assert!(std::error::Error::source(&no_event).unwrap().is::<NoEventError>());
}

#[test]
fn message_is_rendered_once_per_format() {
    let (lines, other) = (Counting::new("lines"), Counting::new("other"));
    let mut host = Host::with([
        endpoint("a").with_format(lines.clone()),
        endpoint("b").with_format(lines.clone()),
        endpoint("c").with_format(other.clone()),
        endpoint("d"),
        endpoint("e").with_format(lines.clone()).with_enabled(false),
        endpoint("f")
            .with_format(Counting::new("unwanted"))
            .with_subscription(Subscription::all().runs(["nobody".into()])),
    ]);
    let published = host.publish("m");
    assert_eq!(published.endpoints, ["a", "b", "c", "d"].map(eid));
    assert_eq!((lines.calls(), other.calls()), (1, 1));
    let (message, ..) = host.outbox.deliveries().next().unwrap();
    let names: Vec<_> = message.renderings().map(|(name, _)| name).collect();
    assert_eq!(names, ["labhook", "lines", "other"]);

    let requests: Vec<_> =
        host.attempts().iter().map(|attempt| attempt.request(at(0)).unwrap()).collect();
    let bodies: Vec<&Bytes> = requests.iter().map(http::Request::body).collect();
    assert_eq!(bodies[0], "lines: m (0)");
    assert_eq!(bodies[0].as_ptr(), bodies[1].as_ptr(), "a and b share the body");
    assert_eq!(bodies[2], "other: m (0)");
    assert!(bodies[3].starts_with(b"{\"type\""));
    assert_eq!(requests[0].headers()["x-format"], "lines");
    assert_eq!(requests[0].headers()["content-type"], "text/plain");

    // Publishing again renders nothing, and neither does a retry.
    assert!(host.publish("m").duplicate);
    host.now = at(15);
    assert_eq!(host.sends().len(), 4);
    assert_eq!((lines.calls(), other.calls()), (1, 1));
}

#[test]
fn sent_bytes_survive_retries_and_restarts() {
    let secret = || Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let format = Counting::new("lines");
    let signed = |format: Counting| {
        Endpoint::new(eid("a"), "https://a.example/hooks", Signer::standard_webhooks(secret()))
            .unwrap()
            .with_format(format)
    };
    let mut host = Host::with([signed(format.clone())]);
    host.publish("m");

    let verifier = Verifier::standard_webhooks(secret());
    let mut bodies = Vec::new();
    for round in 0..4 {
        let attempt = host.attempts().pop().unwrap();
        assert_eq!(show(attempt.ticket()), format!("m>a#{}", round + 1));
        let request = attempt.request(host.now).unwrap();
        let verified = verifier.verify(request.headers(), request.body(), host.now).unwrap();
        assert_eq!(verified.id(), Some("m"));
        assert_eq!(request.headers()["x-format"], "lines");
        bodies.push(request.body().clone());
        host.resolve(attempt.ticket(), &answer(503));
        host.sends();
        host.now = host.wait.unwrap();
        match round {
            1 => host.restart(Outbox::new(registry([signed(format.clone())]), 7)),
            2 => {
                let other = signed(Counting::new("other"));
                host.outbox.replace_endpoint(other, host.now).unwrap();
            }
            _ => {}
        }
    }
    assert_eq!(bodies, ["lines: m (0)"; 4]);
    assert_eq!(format.calls(), 1);
    // The next message is rendered in the new format.
    host.publish("n");
    let attempts = host.attempts();
    let new = attempts.iter().find(|attempt| attempt.ticket().message() == &mid("n")).unwrap();
    assert_eq!(new.request(host.now).unwrap().body(), "other: n (0)");
    assert_eq!(new.message().renderings().count(), 2);
    assert_eq!(new.endpoint().format().name(), "other");
}

#[test]
fn render_failure_is_reported_per_endpoint() {
    let lines = Counting::new("lines");
    let mut host = Host::with([
        endpoint("a").with_format(lines.clone()),
        endpoint("b"),
        endpoint("c").with_format(lines.clone()),
    ]);
    let published = host.outbox.publish(unsupported("m"), at(0)).unwrap();
    assert_eq!(published.endpoints, [eid("b")]);
    assert_eq!(reasons(&published), ["a: supports run events only", "c: supports run events only"]);
    assert_eq!(host.outbox.pending(), 1);
    assert_eq!(host.send_texts(), ["m>b#1"]);

    // It is reported once, and a duplicate changes nothing.
    let again = host.outbox.publish(unsupported("m"), at(0)).unwrap();
    assert!(again.duplicate && again.render_failures.is_empty());
    assert_eq!(again.endpoints, [eid("b")]);
}

#[test]
fn message_from_bytes_goes_to_its_format_only() {
    let own = Counting::new("own");
    let mut host = Host::with([endpoint("a").with_format(own.clone()), endpoint("b")]);
    let published = host.outbox.publish(from_bytes("m", "own", b"\x00\xff"), at(0)).unwrap();
    assert_eq!(published.endpoints, [eid("a")]);
    assert_eq!(reasons(&published), ["b: cannot read the event of the message"]);
    assert_eq!(own.calls(), 0);
    let attempts = host.attempts();
    let request = attempts[0].request(at(0)).unwrap();
    assert_eq!(request.body(), &b"\x00\xff"[..]);
    assert_eq!(request.headers()["content-type"], "application/x-own");
    // Storage does not change them.
    host.restart(Outbox::new(registry([endpoint("a").with_format(own)]), 7));
    let (message, ..) = host.outbox.deliveries().next().unwrap();
    assert_eq!(message, &from_bytes("m", "own", b"\x00\xff"));
}

#[test]
fn duplicate_differs_in_type_or_bytes() {
    let own = |format: &str, body| from_bytes("m", format, body);
    let mut host = Host::with([endpoint("a").with_format(Counting::new("own"))]);
    host.outbox.publish(own("own", b"x"), at(0)).unwrap();
    assert!(!host.outbox.publish(own("own", b"x"), at(9)).unwrap().differs);
    for other in [own("own", b"y"), own("other", b"x"), message("m")] {
        assert!(host.outbox.publish(other, at(0)).unwrap().differs);
    }
    let mut json = serde_json::to_value(own("own", b"x")).unwrap();
    json["type"] = "own.other".into();
    let other_type = serde_json::from_value(json).unwrap();
    assert!(host.outbox.publish(other_type, at(0)).unwrap().differs);

    // Added renderings make no difference.
    let mut host = Host::with([endpoint("a").with_format(Counting::new("lines"))]);
    host.publish("m");
    assert!(host.publish("m").duplicate);
}

#[test]
fn message_round_trips_through_saved_state() {
    let rendering = Rendering::new(HeaderValue::from_static("text/plain"), "é")
        .add_header(HeaderName::from_static("ce-id"), HeaderValue::from_static("1"));
    let keys = Keys::new().with_run("r1");
    let kind = EventType::from_static("own.thing");
    let message = Message::new(mid("m"), kind, at(0), keys, "own", rendering);
    let json = concat!(
        r#"{"id":"m","type":"own.thing","timestamp":1744882200000000,"keys":{"run":"r1"},"#,
        r#""renderings":{"own":{"content_type":"text/plain","#,
        r#""headers":[{"name":"ce-id","value":"1"}],"body":{"text":"é"}}}}"#
    );
    assert_eq!(serde_json::to_string(&message).unwrap(), json);
    assert_eq!(serde_json::from_str::<Message>(json).unwrap(), message);
}

#[test]
fn malformed_saved_message_is_refused() {
    let good = serde_json::to_value(from_bytes("m", "own", b"x")).unwrap();
    let changed = |change: fn(&mut serde_json::Value)| {
        let mut json = good.clone();
        change(&mut json);
        serde_json::from_value::<Message>(json).unwrap_err().to_string()
    };
    for (error, reason) in [
        (changed(|json| json["id"] = "a.1".into()), "`id` must not have an integer between"),
        (changed(|json| json["more"] = 1.into()), "unknown field `more`"),
        (changed(|json| json["renderings"]["own"]["more"] = 1.into()), "unknown field `more`"),
        (changed(|json| json["renderings"]["own"]["content_type"] = "a\nb".into()), "header value"),
        (
            changed(|json| json["renderings"]["own"]["content_type"] = "\u{100}".into()),
            "out of range",
        ),
        (
            changed(|json| {
                json["renderings"]["own"]["headers"] =
                    serde_json::json!([{"name": "a b", "value": ""}])
            }),
            "header name",
        ),
        (
            changed(|json| json["renderings"]["own"]["body"] = serde_json::json!({"base64": "!"})),
            "Invalid",
        ),
        (
            changed(|json| json["renderings"]["own"]["body"] = serde_json::json!({"hex": "00"})),
            "unknown variant `hex`",
        ),
    ] {
        assert!(error.contains(reason), "{error}");
    }
}
