//! Tiled webhooks: the example in the user guide, and one body per model of the vendor's software.

use http::{HeaderMap, HeaderName, HeaderValue};
use labhook::json::{JsonText, Nullable};
use labhook::lab::{Dataset, DatasetCreated, DatasetDeleted, DatasetUpdated};
use labhook::message::format::Format as _;
use labhook::provider::MapError;
use labhook::provider::tiled::{EventKind, Format, StructureFamily, Webhook, policy};
use labhook::receive::{Source, Sources};
use labhook::signature::CustomScheme;
use labhook::{Event, LabEvent, Message, MessageId, Secret, Signer, Timestamp, Verifier, danger};

const PUBLISHED: &str = include_str!("../data/tiled/published.json");
const CREATED: &str = include_str!("../data/tiled/container-child-created.json");
const UPDATED: &str = include_str!("../data/tiled/container-child-metadata-updated.json");
const CLOSED: &str = include_str!("../data/tiled/stream-closed.json");

const NOW: Timestamp = Timestamp::from_unix_seconds(1_787_317_501);

fn decode(body: &str) -> Webhook {
    danger::unsigned(body.as_bytes()).decode().unwrap()
}

fn event(body: &str) -> LabEvent {
    decode(body).to_event().unwrap()
}

fn value(text: impl AsRef<[u8]>) -> serde_json::Value {
    serde_json::from_slice(text.as_ref()).unwrap()
}

fn message(event: impl Into<LabEvent>) -> Message {
    event.into().into_message(MessageId::new("msg_1").unwrap()).unwrap()
}

fn created(dataset: Dataset) -> Event<DatasetCreated> {
    Event::new(DatasetCreated::new(dataset), NOW)
}

#[track_caller]
fn refused(event: impl Into<LabEvent>) -> String {
    Webhook::from_event(&event.into()).unwrap_err().to_string()
}

#[test]
fn every_body_round_trips() {
    for body in [PUBLISHED, CREATED, UPDATED, CLOSED] {
        let webhook = decode(body);
        assert!(webhook.unknown.is_empty());
        assert_eq!(value(serde_json::to_vec(&webhook).unwrap()), value(body));

        let event = webhook.to_event().unwrap();
        assert_eq!(event.timestamp(), &webhook.timestamp);
        let message = message(event.clone());
        assert_eq!(message.event::<LabEvent>().unwrap(), event);
        assert_eq!(Webhook::from_event(&event).unwrap(), webhook);
        let rendered = Format::default().render(&message).unwrap();
        assert_eq!(&rendered.body().unwrap()[..], serde_json::to_vec(&webhook).unwrap());
    }
}

#[test]
fn bodies_decode_to_their_fields() {
    let webhook = decode(CREATED);
    assert_eq!(webhook.kind, EventKind::ContainerChildCreated);
    assert_eq!(webhook.key, "scan_001");
    assert_eq!(webhook.structure_family, Some(StructureFamily::Container));
    let specs = webhook.specs.unwrap();
    assert_eq!(specs[0].name, "BlueskyRun");
    assert_eq!(specs[0].version, Nullable::Value("1".to_owned()));
    assert_eq!(specs[1].version, Nullable::Null);
    assert_eq!(webhook.timestamp.timestamp().unwrap().unix_micros(), 1_787_317_340_125_000);
    assert_eq!(decode(PUBLISHED).structure_family, Some(StructureFamily::Array));
    assert_eq!(decode(PUBLISHED).specs, Some(Vec::new()));
}

#[test]
fn dataset_id_has_the_key_once() {
    let id = |path: &str, key: &str| {
        let body = format!(r#"{{"type":"x","timestamp":"t","key":"{key}","path":{path}}}"#);
        decode(&body).dataset_id().as_str().to_owned()
    };
    assert_eq!(decode(PUBLISHED).dataset_id(), "my/container/scan_001".into());
    assert_eq!(decode(CREATED).dataset_id(), "my/container/scan_001".into());
    assert_eq!(id("[]", "a"), "a");
    assert_eq!(id(r#"["a","a"]"#, "a"), "a/a");
    assert_eq!(id("[]", ""), "");
}

#[test]
fn created_entry_is_a_created_dataset() {
    let LabEvent::DatasetCreated(event) = event(CREATED) else { panic!() };
    let mut expected = Dataset::new("my/container/scan_001");
    expected.name = Some("scan_001".to_owned());
    assert_eq!(event.data.dataset, expected);
    assert_eq!(event.data.unknown.get("structure_family"), Some(r#""container""#));
    let metadata = event.data.unknown.get("metadata").unwrap();
    assert!(metadata.contains("1787331740.125"), "{metadata}");
    assert!(event.unknown.is_empty());
}

#[test]
fn closed_stream_is_an_updated_dataset_and_no_run() {
    for (body, kind) in [(UPDATED, "container-child-metadata-updated"), (CLOSED, "stream-closed")] {
        let LabEvent::DatasetUpdated(event) = event(body) else { panic!() };
        assert_eq!(event.data.unknown.get("type"), Some(&*format!(r#""{kind}""#)));
        assert_eq!(event.data.changes, None);
        assert_eq!(event.keys().run, None);
    }
}

#[test]
fn unlisted_type_becomes_an_unknown_event() {
    let body = CLOSED.replace("stream-closed", "entry-deleted");
    let LabEvent::Unknown(event) = event(&body) else { panic!() };
    assert_eq!(event.event_type.as_str(), "tiled.entry-deleted");
    assert_eq!(Webhook::from_event(&event.clone().into()).unwrap(), decode(&body));

    let mut moved = event.clone();
    moved.timestamp = NOW.into();
    assert!(refused(moved).starts_with("`timestamp` cannot be mapped"));
    let mut doubled = event.clone();
    doubled.unknown.insert("key", "1").unwrap();
    assert!(refused(doubled).starts_with("`unknown` cannot be mapped"));
    let mut renamed = event;
    renamed.event_type = "tiled.entry-moved".parse().unwrap();
    assert!(refused(renamed).starts_with("`data.type` cannot be mapped"));
    let error = decode(&CLOSED.replace("stream-closed", "two words")).to_event().unwrap_err();
    assert!(matches!(error, MapError::Value { member: "type", .. }), "{error}");
}

#[test]
fn odd_and_colliding_members_round_trip() {
    let body = r#"{"type":"container-child-created","timestamp":"soon","key":"a","path":["a"],"structure_family":7,"specs":[{}],"dataset":1.10,"tiled.x":2,"x":null}"#;
    let webhook = decode(body);
    assert_eq!((&webhook.structure_family, &webhook.specs), (&None, &None));
    let event = webhook.to_event().unwrap();
    let LabEvent::DatasetCreated(created) = &event else { panic!() };
    assert_eq!(created.data.unknown.get("tiled.dataset"), Some("1.10"));
    assert_eq!(Webhook::from_event(&event).unwrap(), webhook);

    let mut by_hand = webhook;
    by_hand.unknown.insert("key", "1").unwrap();
    let error = by_hand.to_event().unwrap_err();
    assert!(matches!(error, MapError::Value { member: "webhook", .. }), "{error}");
}

#[test]
fn own_event_needs_the_members_without_a_field() {
    let mut event = created(Dataset::new("run-17/images"));
    for (member, json) in
        [("structure_family", r#""array""#), ("specs", "[]"), ("metadata", r#"{"a":1.10}"#)]
    {
        let text = format!("Tiled webhook has no value for `{member}`");
        assert_eq!(refused(event.clone()), text);
        event.data.unknown.insert(member, json).unwrap();
    }
    event.unknown.insert("trace", "7").unwrap();
    let webhook = Webhook::from_event(&event.into()).unwrap();
    assert_eq!(
        serde_json::to_string(&webhook).unwrap(),
        r#"{"type":"container-child-created","timestamp":"2026-08-21T13:05:01.000Z","key":"images","path":["run-17","images"],"structure_family":"array","specs":[],"metadata":{"a":1.10},"trace":7}"#
    );
}

#[test]
fn event_beyond_the_webhook_is_a_named_error() {
    let deleted = Event::new(DatasetDeleted::new(Dataset::new("a")), NOW);
    assert_eq!(refused(deleted), "Tiled has no webhook for `dataset.deleted` events");

    let cannot = |member: &str| {
        format!("`{member}` cannot be mapped between a Tiled webhook and a lab event")
    };
    let LabEvent::DatasetCreated(original) = event(CREATED) else { panic!() };
    let mut owned = original.clone();
    owned.data.dataset.owner = Some("jane".to_owned());
    assert_eq!(refused(owned), cannot("data.dataset"));
    let mut moved = original.clone();
    moved.data.dataset.id = "elsewhere".into();
    assert_eq!(refused(moved), cannot("data.dataset"));
    let mut doubled = original.clone();
    doubled.unknown.insert("specs", "[]").unwrap();
    assert_eq!(refused(doubled), cannot("unknown"));
    let mut retyped = original.clone();
    retyped.data.unknown.insert("type", r#""stream-closed""#).unwrap();
    assert_eq!(refused(retyped), cannot("data.type"));
    let mut twice = original;
    twice.data.unknown.insert("tiled.key", "1").unwrap();
    assert_eq!(refused(twice), cannot("data.unknown"));

    let LabEvent::DatasetUpdated(mut updated) = event(UPDATED) else { panic!() };
    updated.data.changes = Some(vec!["metadata".to_owned()]);
    assert_eq!(refused(updated), cannot("data.changes"));
    let update = Event::new(DatasetUpdated::new(Dataset::new("a")), NOW);
    assert_eq!(refused(update), "Tiled webhook has no value for `specs`");
}

#[test]
fn policy_makes_three_attempts() {
    let policy = policy();
    assert_eq!(policy.retries(), Some(2));
    assert_eq!(policy.attempt_timeout().as_secs(), 10);
    assert_eq!(policy.span().as_secs(), 3 * 10 + (1 + 1) + (5 + 1));
}

#[test]
fn source_ignores_the_unsigned_event_id() {
    let secret = || Secret::from_text("my-hmac-secret").unwrap();
    let verifier = Verifier::custom(CustomScheme::TILED, secret()).unwrap();
    let sources = Sources::new([Source::tiled("beamline", verifier)]).unwrap();
    let signer = Signer::custom(CustomScheme::TILED, secret()).unwrap();
    let headers = |body: &str, id: &'static str| {
        let mut headers: HeaderMap =
            signer.sign(&MessageId::new("m").unwrap(), NOW, body.as_bytes()).unwrap();
        let name = HeaderName::from_static("x-tiled-event-id");
        headers.insert(name, HeaderValue::from_static(id));
        headers
    };
    let key = |body: &str, id| {
        let headers = headers(body, id);
        let received = sources.receive(&headers, body.as_bytes(), NOW).unwrap();
        assert_eq!(received.event, event(body));
        received.dedupe_key.unwrap()
    };
    assert!(key(CLOSED, "1f").as_str().starts_with("sha256:"));
    assert_eq!(key(CLOSED, "1f"), key(CLOSED, "2f"));
    assert_ne!(key(CLOSED, "1f"), key(&CLOSED.replace("01.500000Z", "01.500001Z"), "1f"));

    let odd = r#"{"type":"stream-closed","timestamp":"2026-08-21T13:05:01Z"}"#;
    let headers = headers(odd, "1f");
    let received = sources.receive(&headers, odd.as_bytes(), NOW).unwrap();
    let LabEvent::Unreadable { event, .. } = &received.event else { panic!("{received:?}") };
    assert_eq!(event.event_type.as_str(), "tiled.stream-closed");
    assert_eq!(event.data, JsonText::new(odd).unwrap());
}
