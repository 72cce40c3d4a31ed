//! Messages, their renderings and the formats that make them.

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

/// Counts how often it is asked. It can tell of runs, under the name that it was given.
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
            return Err(FormatError::new("it tells of runs only"));
        };
        // Another time it would be other bytes.
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

/// An event of a type that [`Counting`] cannot express.
fn inexpressible(id: &str) -> Message {
    let data = serde_json::from_str("{}").unwrap();
    let event = UnknownEvent::new(EventType::from_static("own.thing"), data, at(0));
    LabEvent::Unknown(event).into_message(mid(id)).unwrap()
}

fn reasons(published: &Published) -> Vec<String> {
    let shown = |it: &labhook::outbox::RenderFailure| format!("{}: {}", it.endpoint, it.error);
    published.render_failures.iter().map(shown).collect()
}

#[test]
fn a_message_of_an_event_holds_its_envelope_and_gives_the_event_back() {
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
        rendering.body(),
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
fn typed_and_untyped_events_freeze_to_the_same_message() {
    let typed = message("r1");
    let body = typed.rendering("labhook").unwrap().body().clone();
    let read: LabEvent = danger::unsigned(&body).decode().unwrap();
    assert_eq!(read.into_message(mid("r1")).unwrap(), typed);
}

#[test]
fn each_reason_why_there_is_no_event_has_its_text() {
    let error = from_bytes("m", "own", b"x").event::<LabEvent>().unwrap_err();
    assert!(matches!(error, NoEventError::MadeFromBytes));
    assert_eq!(error.to_string(), "the message was made from bytes, not from an event");
    assert!(error.source().is_none());

    let error = from_bytes("m", "labhook", b"canary").event::<LabEvent>().unwrap_err();
    assert_eq!(error.to_string(), "the message's event cannot be read as what was asked for");
    assert!(matches!(&error, NoEventError::Unreadable(_)));
    let source = error.source().unwrap().to_string();
    assert!(!source.contains("canary"), "{source}");

    let other = message("m").event::<Event<labhook::lab::TaskStateChanged>>().unwrap_err();
    assert_eq!(
        other.source().unwrap().to_string(),
        "expected event type `task.state_changed`, found `run.state_changed`"
    );
}

#[test]
fn a_format_error_says_its_reason_and_keeps_its_source() {
    let bare = FormatError::new("no counterpart");
    assert_eq!(bare.to_string(), "no counterpart");
    assert!(std::error::Error::source(&bare).is_none());
    let sourced = FormatError::new("no counterpart").because(std::fmt::Error);
    let source = std::error::Error::source(&sourced).unwrap();
    assert_eq!(source.to_string(), std::fmt::Error.to_string());
    let no_event = FormatError::from(NoEventError::MadeFromBytes);
    assert_eq!(no_event.to_string(), "the message does not give its event");
    assert!(std::error::Error::source(&no_event).unwrap().is::<NoEventError>());
}

#[test]
fn a_message_is_rendered_once_for_each_format_however_many_endpoints_name_it() {
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
    assert_eq!(bodies[0].as_ptr(), bodies[1].as_ptr(), "a and b share it");
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
fn what_is_sent_is_frozen_over_attempts_restarts_and_changes_of_the_endpoint() {
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
        assert_eq!(verified.id(), Some(&mid("m")));
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
    // The next message is written in the new format.
    host.publish("n");
    let attempts = host.attempts();
    let new = attempts.iter().find(|it| it.ticket().message() == &mid("n")).unwrap();
    assert_eq!(new.request(host.now).unwrap().body(), "other: n (0)");
    assert_eq!(new.message().renderings().count(), 2);
    assert_eq!(new.endpoint().format().name(), "other");
}

#[test]
fn what_a_format_cannot_express_is_reported_for_each_endpoint_and_goes_to_the_others() {
    let lines = Counting::new("lines");
    let mut host = Host::with([
        endpoint("a").with_format(lines.clone()),
        endpoint("b"),
        endpoint("c").with_format(lines.clone()),
    ]);
    let published = host.outbox.publish(inexpressible("m"), at(0)).unwrap();
    assert_eq!(published.endpoints, [eid("b")]);
    assert_eq!(reasons(&published), ["a: it tells of runs only", "c: it tells of runs only"]);
    assert_eq!(host.outbox.pending(), 1);
    assert_eq!(host.shown(), ["m>b#1"]);

    // It is reported once, and a repetition changes nothing.
    let again = host.outbox.publish(inexpressible("m"), at(0)).unwrap();
    assert!(again.duplicate && again.render_failures.is_empty());
    assert_eq!(again.endpoints, [eid("b")]);
}

#[test]
fn bytes_of_the_hosts_own_go_to_the_endpoints_of_their_format() {
    let own = Counting::new("own");
    let mut host = Host::with([endpoint("a").with_format(own.clone()), endpoint("b")]);
    let published = host.outbox.publish(from_bytes("m", "own", b"\x00\xff"), at(0)).unwrap();
    assert_eq!(published.endpoints, [eid("a")]);
    assert_eq!(reasons(&published), ["b: the message does not give its event"]);
    assert_eq!(own.calls(), 0);
    let attempts = host.attempts();
    let request = attempts[0].request(at(0)).unwrap();
    assert_eq!(request.body(), &b"\x00\xff"[..]);
    assert_eq!(request.headers()["content-type"], "application/x-own");
    // Through storage and back they are the same.
    host.restart(Outbox::new(registry([endpoint("a").with_format(own)]), 7));
    let (message, ..) = host.outbox.deliveries().next().unwrap();
    assert_eq!(message, &from_bytes("m", "own", b"\x00\xff"));
}

#[test]
fn a_message_is_published_again_if_its_type_and_bytes_are_the_same() {
    let own = |format: &str, body| from_bytes("m", format, body);
    let mut host = Host::with([endpoint("a").with_format(Counting::new("own"))]);
    host.outbox.publish(own("own", b"x"), at(0)).unwrap();
    assert!(host.outbox.publish(own("own", b"x"), at(9)).unwrap().duplicate);
    for other in [own("own", b"y"), own("other", b"x"), message("m")] {
        assert!(host.outbox.publish(other, at(0)).is_err());
    }
    let mut json = serde_json::to_value(own("own", b"x")).unwrap();
    json["type"] = "own.other".into();
    let other_type = serde_json::from_value(json).unwrap();
    assert!(host.outbox.publish(other_type, at(0)).is_err());

    // What its formats added to it is no difference.
    let mut host = Host::with([endpoint("a").with_format(Counting::new("lines"))]);
    host.publish("m");
    assert!(host.publish("m").duplicate);
}

#[test]
fn the_saved_form_of_a_message_is_the_documented_one() {
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
fn a_saved_message_that_is_not_of_the_form_is_refused() {
    let good = serde_json::to_value(from_bytes("m", "own", b"x")).unwrap();
    let changed = |change: fn(&mut serde_json::Value)| {
        let mut json = good.clone();
        change(&mut json);
        serde_json::from_value::<Message>(json).unwrap_err().to_string()
    };
    for (error, reason) in [
        (changed(|it| it["id"] = "a.b".into()), "a message id cannot hold a full stop"),
        (changed(|it| it["more"] = 1.into()), "unknown field `more`"),
        (changed(|it| it["renderings"]["own"]["more"] = 1.into()), "unknown field `more`"),
        (changed(|it| it["renderings"]["own"]["content_type"] = "a\nb".into()), "header value"),
        (changed(|it| it["renderings"]["own"]["content_type"] = "\u{100}".into()), "out of range"),
        (
            changed(|it| {
                it["renderings"]["own"]["headers"] =
                    serde_json::json!([{"name": "a b", "value": ""}])
            }),
            "header name",
        ),
        (
            changed(|it| it["renderings"]["own"]["body"] = serde_json::json!({"base64": "!"})),
            "Invalid",
        ),
        (
            changed(|it| it["renderings"]["own"]["body"] = serde_json::json!({"hex": "00"})),
            "unknown variant `hex`",
        ),
    ] {
        assert!(error.contains(reason), "{error}");
    }
}
