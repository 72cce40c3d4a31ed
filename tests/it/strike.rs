//! Strike webhooks: published bodies, and bodies that the documentation permits.

mod properties;
mod subscription;

use http::{HeaderMap, HeaderValue};
use labhook::decode::DecodeError;
use labhook::event::UnknownEvent;
use labhook::json::{JsonText, Nullable};
use labhook::lab::{ResourceChanged, ResourceOperation, RunState, RunStateChanged};
use labhook::message::format::Format as _;
use labhook::provider::MapError;
use labhook::provider::strike::{EVENT_TYPES, Format, Webhook, WebhookVersion};
use labhook::time::TimeText;
use labhook::{
    Event, EventType, LabEvent, Message, MessageId, Secret, Signer, Timestamp, Verifier, danger,
};

use crate::support::body_malformed_at;

/// The origin of a body.
#[derive(Clone, Copy, PartialEq)]
enum Source {
    /// This body is in the documentation.
    Published,
    /// The smallest body that the documentation permits.
    Smallest,
}
use Source::{Published, Smallest};

macro_rules! bodies {
    ($($source:ident $event_type:literal)+) => {
        [$(($source, $event_type, include_str!(concat!("../data/strike/", $event_type, ".json")))),+]
    };
}

const BODIES: [(Source, &str, &str); 14] = bodies![
    Smallest "invoice.created"
    Published "invoice.updated"
    Smallest "payment-method.bank.created"
    Smallest "payment-method.bank.updated"
    Smallest "payout.created"
    Smallest "payout.updated"
    Smallest "payout-originator.created"
    Smallest "payout-originator.updated"
    Smallest "currency-exchange-quote.updated"
    Smallest "payment.created"
    Smallest "payment.updated"
    Smallest "deposit.updated"
    Smallest "receive-request.receive-pending"
    Smallest "receive-request.receive-completed"
];

fn published() -> &'static str {
    BODIES.iter().find(|(source, ..)| *source == Published).unwrap().2.trim_end()
}

fn decode(body: &str) -> Webhook {
    try_decode(body).unwrap()
}

fn try_decode(body: &str) -> Result<Webhook, DecodeError> {
    danger::unsigned(body.as_bytes()).decode()
}

fn encode(webhook: &Webhook) -> String {
    serde_json::to_string(webhook).unwrap()
}

fn own_id() -> MessageId {
    MessageId::new("own").unwrap()
}

fn at() -> TimeText {
    "2009-01-03T18:15:00+01:00".parse().unwrap()
}

fn change(event: LabEvent) -> Event<ResourceChanged> {
    match event {
        LabEvent::ResourceChanged(event) => event,
        other => panic!("{other:?}"),
    }
}

/// A webhook of this event type, with JSON text for the other members.
fn body(event_type: &str, data: &str, rest: &str) -> String {
    format!(
        r#"{{"id":"e1","eventType":"{event_type}","webhookVersion":"v1","data":{data},"created":"2009-01-03T18:15:00+01:00"{rest}}}"#
    )
}

/// Maps the webhook to an event, sends it through a message's bytes, and maps it back.
fn there_and_back(webhook: &Webhook) -> Webhook {
    let event = webhook.to_event().unwrap();
    let message = event.clone().into_message(own_id()).unwrap();
    assert_eq!(message.event::<LabEvent>().unwrap(), event);
    Webhook::from_event(&event, &own_id()).unwrap()
}

#[test]
fn every_body_round_trips_verbatim() {
    let types: Vec<&str> = BODIES.iter().map(|(_, event_type, _)| *event_type).collect();
    assert_eq!(types, EVENT_TYPES);
    for (_, event_type, body) in BODIES {
        let body = body.trim_end();
        let webhook = decode(body);
        assert_eq!(webhook.event_type, event_type);
        assert_eq!(encode(&webhook), body);
        assert_eq!(encode(&there_and_back(&webhook)), body);

        let event = change(webhook.to_event().unwrap());
        let (resource_type, operation) = event_type.rsplit_once('.').unwrap();
        assert_eq!(event.data.resource_type, resource_type);
        assert_eq!(event.data.operation.as_str(), operation);
        assert_eq!(event.timestamp.as_str(), "2009-01-03T18:15:00+01:00");
        assert_eq!(event.keys().resource_change.as_deref(), Some(event_type));
    }
}

#[test]
fn actor_has_no_member_in_the_webhook() {
    let mut event = change(decode(published()).to_event().unwrap());
    event.data.actor = Some("jane".into());
    let error = Webhook::from_event(&event.into(), &own_id()).unwrap_err();
    let text = "`data.actor` cannot be mapped between a Strike webhook and a lab event";
    assert_eq!(error.to_string(), text);
    let webhook = decode(&body("a.b", r#"{"actor":{"id":1.10}}"#, ""));
    assert_eq!(there_and_back(&webhook), webhook);
}

#[test]
fn published_webhook_decodes_to_its_fields() {
    let webhook = decode(published());
    assert_eq!(webhook.id, "245e40d8-f197-411c-8f20-a326d08da402");
    assert_eq!(webhook.dedupe_key().as_str(), "245e40d8-f197-411c-8f20-a326d08da402");
    assert_eq!(webhook.webhook_version, WebhookVersion::V1);
    assert_eq!(webhook.delivery_success, Nullable::Value(true));
    let event = change(webhook.to_event().unwrap());
    assert_eq!(event.data.operation, ResourceOperation::Updated);
    let id = "602cc206-6b4a-42dd-bc89-9a534bb04034";
    assert_eq!(event.data.resource_id, Some(id.into()));
    assert_eq!(event.data.changes, Some(vec!["state".to_owned()]));
    assert!(event.data.unknown.is_empty());
    let kept: Vec<_> = event.unknown.iter().collect();
    assert_eq!(
        kept,
        [
            ("id", r#""245e40d8-f197-411c-8f20-a326d08da402""#),
            ("webhookVersion", r#""v1""#),
            ("deliverySuccess", "true"),
        ]
    );
}

#[test]
fn published_body_verifies() {
    let id = MessageId::new("m").unwrap();
    for (secret, tag) in [
        ("0123456789", "4e725a6f18c0e5892e2fcf9fccdd9c24ca4cde7752b1ff9c143442b1b46a6c71"),
        ("testtesttest", "c50b864fdcd9bf0e0cc254bd65ad09d17305856ad9e0793ed3b502633794a983"),
    ] {
        let secret = || Secret::from_text(secret).unwrap();
        let body = published().as_bytes();
        let headers = Signer::strike(secret()).sign(&id, Timestamp::MIN, body).unwrap();
        assert_eq!(headers["x-webhook-signature"], tag);

        let verifier = Verifier::strike(secret());
        let verified = verifier.verify(&headers, body, Timestamp::MAX).unwrap();
        assert_eq!(verified.decode::<Webhook>().unwrap(), decode(published()));

        let mut upper = HeaderMap::new();
        let tag = HeaderValue::try_from(tag.to_uppercase()).unwrap();
        upper.insert("x-webhook-signature", tag);
        assert!(verifier.verify(&upper, body, Timestamp::MIN).is_ok());
        let other = body.to_ascii_uppercase();
        assert!(verifier.verify(&headers, &other, Timestamp::MIN).is_err());
    }
}

#[test]
fn receiver_accepts_both_secrets_in_rotation() {
    let id = MessageId::new("m").unwrap();
    let (old, new) = (|| Secret::from_text("0123456789"), || Secret::from_text("testtesttest"));
    let verifier = Verifier::strike(new().unwrap()).add_secret(old().unwrap());
    let body = published().as_bytes();
    for (signer, key_index) in [
        (Signer::strike(old().unwrap()), 1),
        (Signer::strike(new().unwrap()).add_secret(old().unwrap()), 0),
    ] {
        let headers = signer.sign(&id, Timestamp::MIN, body).unwrap();
        assert_eq!(headers.len(), 1);
        let verified = verifier.verify(&headers, body, Timestamp::MIN).unwrap();
        assert_eq!(verified.key_index(), key_index);
    }
}

#[test]
fn absent_null_and_unlisted_members_round_trip() {
    for body in [
        body(
            "invoice.updated",
            r#"{"entityId":null,"changes":null}"#,
            r#","deliverySuccess":null"#,
        ),
        body("invoice.updated", r#"{"changes":[]}"#, r#","deliverySuccess":false"#),
        body(
            "invoice.updated",
            r#"{"receiveId":1.10,"id":"x","created":null}"#,
            r#","z":1e400,"a":{}"#,
        ),
        body("invoice.updated", r#"{"operation":1,"strike.operation":2,"resource_id":3}"#, ""),
        body(
            "invoice.updated",
            "{}",
            r#","type":"x","strike.type":"y","timestamp":0,"strike.z":1"#,
        ),
        body("ping", r#"{"entityId":null,"z":[1.10]}"#, r#","deliverySuccess":null,"z":{}"#),
        body("invoice.updated", "{}", "").replace("v1", "v3"),
        body("Ünknown thing.done", "{}", ""),
        body("a..b", "{}", ""),
    ] {
        let webhook = decode(&body);
        assert_eq!(encode(&webhook), body);
        assert_eq!(encode(&there_and_back(&webhook)), body);
    }
    let event = change(decode(&body("a.b", r#"{"receiveId":1.10}"#, "")).to_event().unwrap());
    assert_eq!(event.data.unknown.get("receiveId"), Some("1.10"));
    let colliding = body("a.b", r#"{"operation":1}"#, r#","type":2"#);
    let event = change(decode(&colliding).to_event().unwrap());
    assert_eq!(event.data.unknown.get("strike.operation"), Some("1"));
    assert_eq!(event.unknown.get("strike.type"), Some("2"));
}

#[test]
fn one_part_event_type_is_an_unknown_event() {
    let text = body("ping", r#"{"z":1.10}"#, "");
    let LabEvent::Unknown(event) = decode(&text).to_event().unwrap() else { panic!() };
    assert_eq!(event.event_type.as_str(), "strike.ping");
    assert_eq!(event.timestamp.as_str(), "2009-01-03T18:15:00+01:00");
    assert_eq!(event.data.as_str(), text);
}

#[test]
fn own_event_has_the_published_body() {
    let mut data = ResourceChanged::new("invoice", ResourceOperation::Updated);
    data.resource_id = Some("i1".into());
    data.changes = Some(vec!["state".to_owned()]);
    let event = LabEvent::from(Event::new(data, at()));
    let webhook = Webhook::from_event(&event, &own_id()).unwrap();
    assert_eq!(
        encode(&webhook),
        r#"{"id":"own","eventType":"invoice.updated","webhookVersion":"v1","data":{"entityId":"i1","changes":["state"]},"created":"2009-01-03T18:15:00+01:00"}"#
    );
    let bare = LabEvent::from(Event::new(ResourceChanged::new("invoice", "created".into()), at()));
    assert_eq!(
        encode(&Webhook::from_event(&bare, &own_id()).unwrap()),
        r#"{"id":"own","eventType":"invoice.created","webhookVersion":"v1","data":{},"created":"2009-01-03T18:15:00+01:00"}"#
    );
}

#[test]
fn malformed_body_error_names_the_path() {
    for (body, path) in [
        (body("a.b", "null", ""), "data"),
        (body("a.b", r#"{"changes":1,"changes":1}"#, ""), "data.changes"),
        (body("a.b", r#"{"z":1,"z":1}"#, ""), "data.z"),
        (body("a.b", "{}", r#","deliverySuccess":1,"deliverySuccess":1"#), "deliverySuccess"),
        (body("a.b", "{}", r#","id":"e2""#), "id"),
        (r#"{"id":"e1"}"#.to_owned(), "."),
    ] {
        let error = try_decode(&body).unwrap_err();
        assert_eq!(error.to_string(), body_malformed_at(path), "{body}");
    }
}

#[test]
fn unmappable_webhook_error_names_the_field() {
    for event_type in ["", ".", "a b", ".b", "a.", &"a".repeat(122)] {
        let webhook = decode(&body(event_type, "{}", ""));
        assert_eq!(
            webhook.to_event().unwrap_err().to_string(),
            "`eventType` cannot be mapped between a Strike webhook and a lab event",
            "{event_type}"
        );
    }
    let added = |event_type: &str, name: &str, inside: bool| {
        let mut webhook = decode(&body(event_type, r#"{"entityId":"i1"}"#, ""));
        let unknown = if inside { &mut webhook.data.unknown } else { &mut webhook.unknown };
        unknown.insert(name, "1").unwrap();
        webhook.to_event().unwrap_err().to_string()
    };
    let text = |member: &str| {
        format!("`{member}` cannot be mapped between a Strike webhook and a lab event")
    };
    assert_eq!(added("a.b", "id", false), text("unknown"));
    assert_eq!(added("ping", "id", false), text("unknown"));
    assert_eq!(added("a.b", "entityId", true), text("data.unknown"));
}

#[test]
fn unmappable_event_error_names_the_field() {
    let text = |event: LabEvent| Webhook::from_event(&event, &own_id()).unwrap_err().to_string();
    let unmapped = |member: &str| {
        format!("`{member}` cannot be mapped between a Strike webhook and a lab event")
    };
    let run = RunStateChanged::new("r1", RunState::Paused);
    assert_eq!(
        text(Event::new(run, at()).into()),
        "Strike has no webhook for `run.state_changed` events"
    );
    let unknown = |event_type: &'static str, data: &str| {
        UnknownEvent::new(EventType::from_static(event_type), JsonText::new(data).unwrap(), at())
    };
    assert_eq!(
        text(unknown("striker.ping", "{}").into()),
        "Strike has no webhook for `striker.ping` events"
    );
    let ping = body("ping", "{}", "");
    assert_eq!(text(unknown("strike.ping", "{}").into()), unmapped("data"));
    assert_eq!(text(unknown("strike.pong", &ping).into()), unmapped("data.eventType"));
    let mut later = unknown("strike.ping", &ping);
    later.timestamp = Timestamp::UNIX_EPOCH.into();
    assert_eq!(text(later.into()), unmapped("timestamp"));
    let mut more = unknown("strike.ping", &ping);
    more.unknown.insert("z", "1").unwrap();
    assert_eq!(text(more.into()), unmapped("unknown"));

    let of = |resource_type: &str, operation: &str| {
        Event::new(ResourceChanged::new(resource_type, operation.into()), at())
    };
    assert_eq!(text(of("", "updated").into()), unmapped("data.resource_type"));
    assert_eq!(text(of("invoice", "").into()), unmapped("data.operation"));
    assert_eq!(text(of("invoice", "un.done").into()), unmapped("data.operation"));
    for (name, json, member) in [
        ("id", "1", "id"),
        ("webhookVersion", "null", "webhookVersion"),
        ("deliverySuccess", "1", "deliverySuccess"),
        ("eventType", "1", "unknown"),
        ("created", "1", "unknown"),
        ("type", "1", "unknown"),
    ] {
        let mut event = of("invoice", "updated");
        event.unknown.insert(name, json).unwrap();
        assert_eq!(text(event.into()), unmapped(member), "{name}");
    }
    for (name, json) in [("entityId", "1"), ("strike.changes", "[]"), ("changes", "null")] {
        let mut event = of("invoice", "updated");
        event.data.unknown.insert(name, json).unwrap();
        assert_eq!(text(event.into()), unmapped("data.unknown"), "{name}");
    }
    let mut event = of("invoice", "updated");
    event.data.resource_id = Some("i1".into());
    event.data.unknown.insert("entityId", "null").unwrap();
    assert_eq!(text(event.into()), unmapped("data.unknown"));
    let mut event = of("invoice", "updated");
    event.data.changes = Some(vec!["state".to_owned()]);
    event.data.unknown.insert("changes", "null").unwrap();
    assert_eq!(text(event.into()), unmapped("data.unknown"));
}

#[test]
fn many_unknown_members_are_mapped_quickly() {
    let members: String = (0..50_000).map(|n| format!(r#","u{n}":{n}"#)).collect();
    let data = format!(r#"{{"entityId":"x"{members}}}"#);
    let body = body("invoice.updated", &data, &members);
    let event = decode(&body).to_event().unwrap();
    assert_eq!(encode(&Webhook::from_event(&event, &own_id()).unwrap()), body);
}

fn message(event: impl Into<LabEvent>, id: &str) -> Message {
    event.into().into_message(MessageId::new(id).unwrap()).unwrap()
}

fn updated(id: &str) -> Message {
    message(Event::new(ResourceChanged::new("invoice", "updated".into()), at()), id)
}

#[test]
fn format_uses_the_message_id() {
    let rendered = |format: Format, message: &Message| {
        let rendering = format.render(message).unwrap();
        assert_eq!(rendering.content_type(), "application/json");
        String::from_utf8(rendering.body().unwrap().to_vec()).unwrap()
    };
    let own = updated("m1");
    let expected = body("invoice.updated", "{}", "").replace("e1", "m1");
    assert_eq!(rendered(Format::new(), &own), expected);
    let v2 = Format::of_version(WebhookVersion::V2);
    assert_eq!(rendered(v2.clone(), &own), expected.replace("v1", "v2"));
    assert_eq!((Format::default().name(), v2.name()), ("strike", "strike-v2"));
    assert_eq!(format!("{v2:?}"), "Format(strike-v2)");

    let passed_on = message(decode(published()).to_event().unwrap(), "m2");
    assert_eq!(rendered(v2, &passed_on), published());
}

#[test]
fn format_error_has_a_map_error_as_source() {
    let run = message(Event::new(RunStateChanged::new("r1", RunState::Paused), at()), "m");
    let error = Format::new().render(&run).unwrap_err();
    assert_eq!(error.to_string(), "cannot write the event as a Strike webhook");
    let source = std::error::Error::source(&error).unwrap().downcast_ref::<MapError>().unwrap();
    assert_eq!(source.to_string(), "Strike has no webhook for `run.state_changed` events");
}
