//! Headers that a message takes to every endpoint.

use http::{HeaderName, HeaderValue};
use labhook::message::MessageHeaderError;
use labhook::message::format::CloudEvents;
use labhook::{Endpoint, Message, Outbox, Secret, Signer};

use crate::support::{Host, at, eid, endpoint, message, registry};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn header(name: &'static str, value: &'static str) -> (HeaderName, HeaderValue) {
    (HeaderName::from_static(name), HeaderValue::from_static(value))
}

/// A message with a trace.
fn traced(id: &str) -> Message {
    let (name, value) = header("traceparent", PARENT);
    let traced = message(id).add_header(name, value).unwrap();
    let (name, value) = header("tracestate", "vendor=1");
    traced.add_header(name, value).unwrap()
}

fn endpoints() -> [Endpoint; 4] {
    let secret = Secret::from_bytes(&[7; 24]).unwrap();
    let signed = Signer::standard_webhooks(secret);
    let (name, value) = header("tracestate", "mine=1");
    [
        Endpoint::new(eid("plain"), "https://a.example/", signed).unwrap(),
        endpoint("structured").with_format(CloudEvents::structured("/cell").unwrap()),
        endpoint("binary").with_format(CloudEvents::binary("/cell").unwrap()),
        endpoint("own").add_header(name, &value).unwrap(),
    ]
}

#[test]
fn headers_go_to_every_endpoint_after_a_restart() {
    let mut host = Host::with(endpoints());
    let saved = serde_json::to_string(&traced("m")).unwrap();
    let read: Message = serde_json::from_str(&saved).unwrap();
    assert_eq!(read, traced("m"));
    host.outbox.publish(read, at(0)).unwrap();
    // The process crashes after the save, and sends when the deadlines have passed.
    let changes = host.unsaved();
    host.write(changes);
    host.restart(Outbox::new(registry(endpoints()), 7));
    let mut attempts = Vec::new();
    for seconds in [0, 20, 40] {
        host.now = at(seconds);
        attempts.append(&mut host.attempts());
    }
    assert_eq!(attempts.len(), 4);
    for attempt in attempts {
        let request = attempt.request(at(20)).unwrap();
        let text = |name: &str| request.headers().get(name).map(|it| it.to_str().unwrap());
        let id = attempt.endpoint().id().as_str();
        assert_eq!(text("traceparent"), Some(PARENT), "{id}");
        let state = if id == "own" { "mine=1" } else { "vendor=1" };
        assert_eq!(text("tracestate"), Some(state), "{id}");
        assert_eq!(request.headers().get_all("tracestate").iter().count(), 1);
        let parent = format!("\"traceparent\":\"{PARENT}\"");
        let body = std::str::from_utf8(request.body()).unwrap();
        assert_eq!(body.contains(&parent), id == "structured", "{body}");
        assert_eq!(text("ce-traceparent").is_some(), id == "binary");
    }
}

#[test]
fn header_of_the_request_or_its_signature_is_refused() {
    for name in ["content-type", "host", "connection", "webhook-id", "svix-signature", "ce-id"] {
        let (name, value) = header(name, "x");
        let refused = message("m").add_header(name.clone(), value).unwrap_err();
        assert_eq!(refused, MessageHeaderError::Reserved { name });
    }
    let (name, value) = header("traceparent", PARENT);
    let refused = traced("m").add_header(name.clone(), value.clone()).unwrap_err();
    assert_eq!(refused, MessageHeaderError::Duplicate { name: name.clone() });
    let mut secret = value;
    secret.set_sensitive(true);
    let refused = message("m").add_header(name.clone(), secret).unwrap_err();
    assert_eq!(refused, MessageHeaderError::Sensitive { name });
}

#[test]
fn another_trace_makes_no_other_message() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m");
    let published = host.outbox.publish(traced("m"), at(0)).unwrap();
    assert!(published.duplicate && !published.differs);
}

#[test]
fn trace_of_the_event_itself_stays() {
    let mut json = serde_json::to_value(message("m")).unwrap();
    let text = json["renderings"]["labhook"]["body"]["text"].as_str().unwrap().to_owned();
    let own = text.replacen('{', r#"{"traceparent":"of-the-event","#, 1);
    json["renderings"]["labhook"]["body"]["text"] = own.into();
    let event: Message = serde_json::from_value(json).unwrap();
    let (name, value) = header("traceparent", PARENT);
    let mut event = event.add_header(name, value).unwrap();
    event.render(&CloudEvents::structured("/cell").unwrap()).unwrap();
    let (_, rendering) = event.renderings().next().unwrap();
    let body = std::str::from_utf8(rendering.body().unwrap()).unwrap();
    assert!(body.contains(r#""traceparent":"of-the-event""#), "{body}");
    assert!(!body.contains(PARENT));
}
