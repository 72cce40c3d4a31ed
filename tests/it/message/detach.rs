//! Bodies that were detached: the message without them, and the requests with them.

use std::error::Error as _;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use labhook::endpoint::RequestError;
use labhook::message::format::{CloudEvents, Envelope, Format, FormatError, SlackMessage};
use labhook::message::{BodyDigest, DetachedBody, NoEventError, Rendering};
use labhook::outbox::PublishError;
use labhook::provider::{linq, segments, strateos, strike};
use labhook::signature::CustomScheme;
use labhook::{
    Endpoint, EventType, Keys, LabEvent, Message, Outbox, Secret, Signer, Step, Timestamp,
};
use proptest::prelude::*;

use crate::support::{Host, at, config, eid, endpoint, message, mid, registry};

fn detached(mut message: Message) -> Message {
    assert!(!message.detach_bodies().is_empty());
    message
}

fn from_bytes(body: impl Into<Bytes>) -> Message {
    let rendering = Rendering::new(HeaderValue::from_static("application/x-own"), body);
    Message::new(
        mid("m"),
        EventType::from_static("own.thing"),
        at(0),
        Keys::new(),
        "own",
        rendering,
    )
}

/// A format of messages that the host makes itself.
#[derive(Debug)]
struct Own;

impl Format for Own {
    fn name(&self) -> &str {
        "own"
    }

    fn render(&self, message: &Message) -> Result<Rendering, FormatError> {
        message.event::<LabEvent>()?;
        Err(FormatError::new("made by the host alone"))
    }
}

#[test]
fn detached_message_has_references_only() {
    let mut message = message("r1");
    message.render(&SlackMessage::new()).unwrap();
    let inline = message.clone();
    let bodies = message.detach_bodies();
    assert_eq!(bodies.len(), 2);
    for (it, (format, rendering)) in bodies.iter().zip(inline.renderings()) {
        let DetachedBody { format: name, digest, body, .. } = it;
        assert_eq!((&**name, body), (format, rendering.body().unwrap()));
        assert_eq!(*digest, BodyDigest::of(body));
        let kept = message.rendering(format).unwrap();
        assert_eq!((kept.body(), kept.kept_body()), (None, Some(digest)));
        assert_eq!(kept.body_len(), body.len() as u64);
        assert_eq!(kept.content_type(), rendering.content_type());
    }
    assert_ne!(message, inline);
    assert_eq!(message.detach_bodies(), []);
    assert_eq!((message.id(), message.keys()), (inline.id(), inline.keys()));
}

#[test]
fn detached_message_has_no_event() {
    let error = detached(message("m")).event::<LabEvent>().unwrap_err();
    assert!(matches!(error, NoEventError::BodyKept));
    assert_eq!(error.to_string(), "body of the event is kept by your application");
    assert!(error.source().is_none());
    let error = detached(from_bytes("x")).event::<LabEvent>().unwrap_err();
    assert!(matches!(error, NoEventError::CreatedFromBytes));
}

#[test]
fn no_format_renders_a_detached_message() {
    let message = detached(message("m"));
    let formats: [&dyn Format; 8] = [
        &CloudEvents::structured("/cell").unwrap(),
        &CloudEvents::binary("/cell").unwrap(),
        &CloudEvents::batched("/cell").unwrap(),
        &SlackMessage::new(),
        &linq::Format::default(),
        &segments::Format::default(),
        &strateos::Format::new(),
        &strike::Format::new(),
    ];
    let reason = "message was not rendered in this format before its bodies were detached";
    let check = |error: &FormatError, name: &str| {
        assert_eq!(error.to_string(), reason, "{name}");
        assert!(error.source().unwrap().is::<NoEventError>(), "{name}");
    };
    for format in formats {
        check(&format.render(&message).unwrap_err(), format.name());
    }
    let batch = CloudEvents::batched("/cell").unwrap().render_batch([&message]);
    check(&batch.unwrap_err(), "render_batch");
    // The envelope needs no rendering: the reference is there.
    assert!(Envelope::default().render(&message).unwrap().kept_body().is_some());
}

#[test]
fn format_not_rendered_is_a_render_failure() {
    let slack = || endpoint("slack").with_format(SlackMessage::new());
    let mut host = Host::with([endpoint("plain"), slack()]);
    let published = host.outbox.publish(detached(message("late")), at(0)).unwrap();
    assert_eq!(published.endpoints, [eid("plain")]);
    let [failure] = &published.render_failures[..] else { panic!("{published:?}") };
    assert_eq!(failure.endpoint, eid("slack"));
    assert_eq!(
        failure.error.to_string(),
        "message was not rendered in this format before its bodies were detached"
    );

    let mut rendered = message("early");
    rendered.render(slack().format()).unwrap();
    let published = host.outbox.publish(detached(rendered), at(0)).unwrap();
    assert_eq!(published.endpoints, [eid("plain"), eid("slack")]);
    assert!(published.render_failures.is_empty());
}

#[test]
fn duplicate_is_told_by_digest_if_detached() {
    let own = || endpoint("a").with_format(Own);
    for first_is_detached in [false, true] {
        for second_is_detached in [false, true] {
            let published = |body: &'static str, is_detached| {
                if is_detached { detached(from_bytes(body)) } else { from_bytes(body) }
            };
            let mut host = Host::new(Outbox::new(registry([own()]), 7).with_strict_ids());
            host.outbox.publish(published("same", first_is_detached), at(0)).unwrap();
            let again = host.outbox.publish(published("same", second_is_detached), at(0)).unwrap();
            assert_eq!((again.duplicate, again.differs), (true, false));
            let other = host.outbox.publish(published("else", second_is_detached), at(0));
            assert!(matches!(other, Err(PublishError::Conflict { .. })));
        }
    }
    // Renderings that were made and detached, or made by the outbox alone, make no difference.
    let mut host = Host::with([endpoint("b").with_format(SlackMessage::new())]);
    let mut rendered = message("m");
    rendered.render(&SlackMessage::new()).unwrap();
    host.outbox.publish(detached(rendered), at(0)).unwrap();
    assert!(!host.publish("m").differs);
}

#[test]
fn header_can_be_added_to_a_detached_message() {
    let mut message = message("m");
    let body = message.detach_bodies().remove(0).body;
    let name = HeaderName::from_static("traceparent");
    let message = message.add_header(name, HeaderValue::from_static("00-1")).unwrap();
    let rendering = message.rendering("labhook").unwrap();
    let request = endpoint("a").request_with_body(message.id(), rendering, body, at(0)).unwrap();
    assert_eq!(request.headers()["traceparent"], "00-1");
}

#[test]
fn detached_message_round_trips_through_saved_state() {
    let message = detached(from_bytes("x"));
    let json = concat!(
        r#"{"id":"m","type":"own.thing","timestamp":1744882200000000,"keys":{},"#,
        r#""renderings":{"own":{"content_type":"application/x-own","body":{"kept":{"len":1,"#,
        r#""sha256":"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}}}}}"#
    );
    assert_eq!(serde_json::to_string(&message).unwrap(), json);
    assert_eq!(serde_json::from_str::<Message>(json).unwrap(), message);
    for (from, to, reason) in [
        ("2d71", "2D71", "`sha256` must be 64 lowercase hexadecimal digits"),
        (r#""len":1,"#, "", "missing field `len`"),
        (r#""len":1"#, r#""len":1.5"#, "invalid type: floating point `1.5`, expected u64"),
        (r#""len":1"#, r#""len":1,"md5":"""#, "unknown field `md5`"),
        (
            r#""kept""#,
            r#""lost""#,
            "unknown variant `lost`, expected one of `text`, `base64`, `kept`",
        ),
    ] {
        let error = serde_json::from_str::<Message>(&json.replace(from, to)).unwrap_err();
        assert!(error.to_string().starts_with(reason), "{error}");
    }
}

#[test]
fn request_needs_the_body_that_was_rendered() {
    let secret = Secret::from_bytes(&[7; 24]).unwrap();
    let signed = Signer::standard_webhooks(secret);
    let endpoint = Endpoint::new(eid("a"), "https://a.example/", signed).unwrap();
    let kind = HeaderValue::from_static("text/plain");
    let inline = Rendering::new(kind.clone(), "abc");
    let kept = Rendering::by_reference(kind, BodyDigest::of(b"abc"));

    let error = endpoint.request(&mid("m"), &kept, at(0)).unwrap_err();
    assert!(matches!(error, RequestError::BodyKept));
    assert_eq!(
        error.to_string(),
        "body of the message is kept by your application: pass it to `request_with_body`"
    );
    for rendering in [&inline, &kept] {
        for other in ["abd", "ab", ""] {
            let result = endpoint.request_with_body(&mid("m"), rendering, other, at(0));
            let Err(RequestError::OtherBody { expected, found }) = result else {
                panic!("{result:?}");
            };
            assert_eq!(
                (expected, found),
                (BodyDigest::of(b"abc"), BodyDigest::of(other.as_bytes()))
            );
        }
        let body = Bytes::from("abc".to_owned());
        let request = endpoint.request_with_body(&mid("m"), rendering, body.clone(), at(0));
        assert_eq!(request.unwrap().body().as_ptr(), body.as_ptr(), "the body is not copied");
    }
    let error = endpoint.request_with_body(&mid("m"), &kept, "", at(0)).unwrap_err();
    assert_eq!(
        error.to_string(),
        concat!(
            "body must have 3 bytes and ",
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad, ",
            "found 0 bytes and ",
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        )
    );
}

fn signer(number: usize) -> Signer {
    let secret = || Secret::from_bytes(&[7; 24]).unwrap();
    match number {
        0 => Signer::unsigned(),
        1 => Signer::standard_webhooks(secret()),
        2 => Signer::svix(secret()),
        3 => Signer::strike(secret()),
        _ => Signer::custom(CustomScheme::STRIPE, secret()).unwrap(),
    }
}

/// The request to send to one endpoint.
fn request(
    message: Message,
    signer: Signer,
    body: Option<Bytes>,
    now: Timestamp,
) -> Request<Bytes> {
    let (name, value) = (HeaderName::from_static("x-key"), HeaderValue::from_static("static"));
    let endpoint = Endpoint::new(eid("a"), "https://a.example/in", signer).unwrap();
    let endpoint = endpoint.with_format(Own).add_header(name, &value).unwrap();
    let mut outbox = Outbox::new(registry([endpoint]), 7).without_storage();
    outbox.publish(message, at(0)).unwrap();
    let Step::Send(attempt) = outbox.poll(at(0)) else { panic!("an attempt is due") };
    assert_eq!(attempt.format(), "own");
    assert_eq!(attempt.kept_body().is_some(), body.is_some());
    match body {
        Some(body) => attempt.request_with_body(body, now).unwrap(),
        None => attempt.request(now).unwrap(),
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn detached_message_gives_the_request_of_its_twin(
        body in prop::collection::vec(any::<u8>(), 0..300),
        value in "[ -~]{0,20}",
        scheme in 0..5_usize,
        millis in 0..4_000_u64,
    ) {
        let value = HeaderValue::from_str(&value).unwrap();
        let name = HeaderName::from_static("traceparent");
        let inline = from_bytes(body).add_header(name, value).unwrap();
        let mut kept = inline.clone();
        let body = kept.detach_bodies().remove(0).body;
        let saved = serde_json::to_string(&kept).unwrap();
        let kept = serde_json::from_str(&saved).unwrap();
        let now = at(0) + Duration::from_millis(millis);
        let one = request(inline, signer(scheme), None, now);
        let other = request(kept, signer(scheme), Some(body), now);
        prop_assert_eq!(one.method(), other.method());
        prop_assert_eq!(one.uri(), other.uri());
        prop_assert_eq!(one.headers(), other.headers());
        prop_assert_eq!(one.body(), other.body());
    }
}
