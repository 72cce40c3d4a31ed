//! Benchling webhooks: the vendor's examples, and one body per published message schema.

use http::HeaderMap;
use labhook::decode::DecodeError;
use labhook::json::{JsonText, Nullable};
use labhook::lab::TaskState;
use labhook::provider::benchling::{Channel, MessageType, ResourceSchema, Stability, Webhook};
use labhook::provider::{DedupeKey, MapError};
use labhook::receive::{Received, Source, Sources};
use labhook::{LabEvent, MessageId, Secret, Signer, Timestamp, Verifier, danger};

/// Bodies in the vendor's `app-examples-python`, as its tests have them.
macro_rules! published {
    ($name:literal) => {
        include_str!(concat!("../data/benchling/published/", $name, ".json"))
    };
}

const ACTIVATION: &str = published!("app_activation_webhook");
const ASSAY_RUN: &str = published!("assay_run_created_webhook");
const INITIALIZED: &str = published!("canvas_initialize_webhook");
const INTERACTION: &str = published!("canvas_interaction_webhook");
const V0_BETA: &str = published!("entity_registered_v0_beta_webhook");

/// One body per message schema with all of its members, which the vendor's package
/// `benchling-api-client` 2.0.446 reads and writes back.
const BY_SCHEMA: &str = include_str!("../data/benchling/by_schema.jsonl");

const NOW: Timestamp = Timestamp::from_unix_seconds(1_712_202_490);

fn try_decode(body: &str) -> Result<Webhook, DecodeError> {
    danger::unsigned(body.as_bytes()).decode()
}

fn decode(body: &str) -> Webhook {
    try_decode(body).unwrap()
}

fn by_schema(message_type: &str) -> &'static str {
    let member = format!(r#""type":"{message_type}""#);
    BY_SCHEMA.lines().find(|body| body.contains(&member)).unwrap()
}

fn event(body: &str) -> LabEvent {
    decode(body).to_event(NOW).unwrap()
}

/// The resource type, operation and id of a resource event.
#[track_caller]
fn change(body: &str) -> (String, String, Option<String>) {
    match event(body) {
        LabEvent::ResourceChanged(event) => (
            event.data.resource_type,
            event.data.operation.as_str().to_owned(),
            event.data.resource_id.map(|id| id.as_str().to_owned()),
        ),
        other => panic!("{other:?}"),
    }
}

/// The body with this message.
fn body(message: &str) -> String {
    format!(r#"{{"tenantId":"ten_1","app":{{"id":"app_1"}},"message":{message}}}"#)
}

#[test]
fn every_schema_round_trips_verbatim() {
    let mut types = Vec::new();
    for body in BY_SCHEMA.lines() {
        let webhook = decode(body);
        assert_eq!(serde_json::to_string(&webhook).unwrap(), body);
        assert!(webhook.unknown.is_empty() && webhook.message.unknown.is_empty(), "{body}");
        types.push(webhook.message.message_type);
    }
    let mut known = MessageType::KNOWN.to_vec();
    known.sort();
    assert_eq!(types, known);
}

#[test]
fn every_example_keeps_its_members() {
    for body in [ACTIVATION, ASSAY_RUN, INITIALIZED, INTERACTION, V0_BETA] {
        let written = serde_json::to_value(decode(body)).unwrap();
        assert_eq!(written, serde_json::from_str::<serde_json::Value>(body).unwrap());
    }
}

#[test]
fn published_event_decodes_to_its_fields() {
    let webhook = decode(ASSAY_RUN);
    assert_eq!(webhook.version.as_deref(), Some("0"));
    assert_eq!(webhook.base_url.as_deref(), Some("https://non-existent.benchling.com"));
    assert_eq!(webhook.tenant_id, "ten_pkyu4s98as");
    assert_eq!(webhook.app.id, "app_KNz7HTHIu7TSOSA3");
    let definition = webhook.app_definition.as_ref().unwrap();
    assert_eq!(definition.id, "appdef_UG0XibU4eW");
    assert_eq!(definition.version_number.as_deref(), Some("0.1.0"));
    assert_eq!(webhook.channel, Some(Channel::Events));
    let message = &webhook.message;
    assert_eq!(message.message_type, MessageType::AssayRunCreated);
    assert_eq!(message.id.as_deref(), Some("evt_MQjr2hnJ7WLS"));
    assert_eq!(message.schema, Nullable::Value(ResourceSchema::new("assaysch_fFLKmdmG")));
    assert_eq!(message.deprecated, Some(false));
    assert_eq!(message.excluded_properties, Some(Vec::new()));
    assert!(webhook.unknown.is_empty() && message.unknown.is_empty());
}

#[test]
fn every_schema_maps_as_the_table_says() {
    for body in BY_SCHEMA.lines() {
        let webhook = decode(body);
        let name = webhook.message.message_type.as_str();
        let event = webhook.to_event(NOW).unwrap();
        let sample = ["customEntity", "dnaOligo", "dnaSequence", "rnaOligo", "rnaSequence"]
            .iter()
            .any(|resource| name.starts_with(&format!("v3.{resource}.")));
        let expected = match name {
            "v2.entity.registered" => "sample.updated",
            _ if sample && name.ends_with(".created") => "sample.created",
            _ if sample => "sample.updated",
            _ => "resource.changed",
        };
        assert_eq!(event.event_type().as_str(), expected, "{name}");
        if expected == "resource.changed" {
            // The version is not part of the key to subscribe by.
            let key = event.keys().resource_change;
            assert_eq!(key.as_deref(), name.split_once('.').map(|(_, rest)| rest));
        }
        let at = webhook.message.created_at.clone().unwrap_or_else(|| NOW.into());
        assert_eq!(event.timestamp(), &at, "{name}");
        let message = event.clone().into_message(MessageId::new("m").unwrap()).unwrap();
        assert_eq!(message.event::<LabEvent>().unwrap(), event, "{name}");
    }
}

#[test]
fn assay_run_is_a_created_resource() {
    let id = "77af3205-65af-457f-87f5-75462b85075a".to_owned();
    assert_eq!(change(ASSAY_RUN), ("assayRun".into(), "created".into(), Some(id)));
    let LabEvent::ResourceChanged(event) = event(ASSAY_RUN) else { panic!() };
    assert_eq!(event.timestamp.as_str(), "2024-04-04T03:48:09.962068+00:00");
    assert!(event.unknown.is_empty());
    let names: Vec<&str> = event.data.unknown.iter().map(|(name, _)| name).collect();
    let expected = ["version", "baseURL", "tenantId", "app", "appDefinition", "channel", "message"];
    assert_eq!(names, expected);
    let kept = event.data.unknown.get("message").unwrap();
    let kept: serde_json::Value = serde_json::from_str(kept).unwrap();
    assert_eq!(kept["schema"]["id"], "assaysch_fFLKmdmG");
}

#[test]
fn app_signal_names_the_app_and_not_a_time() {
    let id = Some("app_DRBigxGEyr2BzW4T".to_owned());
    assert_eq!(change(ACTIVATION), ("app".into(), "activateRequested".into(), id));
    assert_eq!(event(ACTIVATION).timestamp(), &NOW.into());
    let configured = by_schema("v2-beta.app.configuration.updated");
    let id = Some("app_KNz7HTHIu7TSOSA3".to_owned());
    assert_eq!(change(configured), ("app".into(), "configuration.updated".into(), id));
}

#[test]
fn canvas_signal_names_the_canvas_and_the_user() {
    let id = Some("cnvs_1234".to_owned());
    assert_eq!(change(INTERACTION), ("canvas".into(), "userInteracted".into(), id));
    let LabEvent::ResourceChanged(event) = event(by_schema("v2.canvas.userInteracted")) else {
        panic!()
    };
    assert_eq!(event.data.actor.as_deref(), Some("ent_1234"));
    // Its `resourceId` is not that of a canvas.
    assert_eq!(change(INITIALIZED), ("canvas".into(), "initialized".into(), None));
}

#[test]
fn update_names_the_changed_properties() {
    let status = by_schema("v2.workflowTask.updated.status");
    let LabEvent::ResourceChanged(changed) = event(status) else { panic!() };
    assert_eq!(changed.data.operation.as_str(), "updated.status");
    assert_eq!(changed.data.changes, Some(vec!["fields.yield".to_owned()]));
    let LabEvent::SampleUpdated(updated) = event(by_schema("v3.dnaOligo.updated")) else {
        panic!()
    };
    assert_eq!(updated.data.sample.id.as_str(), "bfi_J81Hy0ih");
    assert_eq!(updated.data.changes, Some(vec!["name".to_owned()]));
    let stability = decode(by_schema("v3.dnaOligo.updated")).message.stability;
    assert_eq!(stability, Some(Stability::Stable));
}

#[test]
fn transform_state_is_in_the_type_alone() {
    let states: Vec<_> =
        MessageType::KNOWN.iter().filter_map(MessageType::transform_state).collect();
    let all = [TaskState::Failed, TaskState::Pending, TaskState::Running, TaskState::Completed];
    assert_eq!(states, all);
    let other = MessageType::from("v2.automationFileTransform.updated.status.paused");
    assert_eq!(other.transform_state(), None);
}

#[test]
fn entity_without_an_id_is_a_named_error() {
    let webhook = decode(&body(r#"{"type":"v3.customEntity.created"}"#));
    let error = webhook.to_event(NOW).unwrap_err();
    let text = "Benchling webhook has no value for `message.resourceId`";
    assert_eq!(error.to_string(), text);
}

#[test]
fn unlisted_type_becomes_an_unknown_event() {
    let LabEvent::Unknown(event) = event(V0_BETA) else { panic!() };
    assert_eq!(event.event_type.as_str(), "benchling.v0-beta.event.created");
    assert_eq!(event.timestamp, NOW.into());
    assert_eq!(event.data.read::<Webhook>().unwrap(), decode(V0_BETA));

    let error = decode(&body(r#"{"type":"two words"}"#)).to_event(NOW).unwrap_err();
    assert!(matches!(error, MapError::Value { member: "message.type", .. }), "{error}");
    // A listed type that was made by hand is a listed type.
    let mut webhook = decode(ASSAY_RUN);
    webhook.message.message_type = MessageType::Other("v2.assayRun.created".into());
    assert_eq!(webhook.to_event(NOW).unwrap(), decode(ASSAY_RUN).to_event(NOW).unwrap());
}

#[test]
fn colliding_member_gets_a_prefix() {
    let body = r#"{"tenantId":"t","app":{"id":"a"},"message":{"type":"v3.run.created"},"changes":1.10,"benchling.x":2,"x":3}"#;
    let LabEvent::ResourceChanged(event) = event(body) else { panic!() };
    assert_eq!(event.data.changes, None);
    for (name, json) in [("benchling.changes", "1.10"), ("benchling.benchling.x", "2"), ("x", "3")]
    {
        assert_eq!(event.data.unknown.get(name), Some(json), "{name}");
    }
    let mut webhook = decode(body);
    webhook.unknown.insert("app", "{}").unwrap();
    let error = webhook.to_event(NOW).unwrap_err();
    assert!(matches!(error, MapError::Value { member: "webhook", .. }), "{error}");
}

#[test]
fn member_of_another_type_is_kept() {
    let odd = body(r#"{"type":"v2.entry.created","createdAt":7,"updates":"all","schema":3}"#);
    let webhook = decode(&odd);
    assert_eq!((webhook.message.created_at.as_ref(), &webhook.message.updates), (None, &None));
    let LabEvent::ResourceChanged(event) = webhook.to_event(NOW).unwrap() else { panic!() };
    let kept = event.data.unknown.get("message").unwrap();
    assert_eq!(kept, r#"{"type":"v2.entry.created","createdAt":7,"updates":"all","schema":3}"#);
}

#[test]
fn dedupe_key_is_the_event_of_an_app_and_type() {
    let key = |body: &str| decode(body).dedupe_key();
    let expected =
        "14:ten_pkyu4s98as/20:app_KNz7HTHIu7TSOSA3/19:v2.assayRun.created/16:evt_MQjr2hnJ7WLS";
    assert_eq!(key(ASSAY_RUN).unwrap().as_str(), expected);
    for (from, to) in [("ten_p", "ten_q"), ("app_K", "app_L"), ("created\"", "updated.fields\"")] {
        assert_ne!(key(&ASSAY_RUN.replacen(from, to, 1)), key(ASSAY_RUN), "{to}");
    }
    assert_eq!(key(INTERACTION), None);
}

fn secret() -> Secret {
    Secret::from_text("a key of the test").unwrap()
}

fn signed(id: &str, body: &str) -> HeaderMap {
    let id = MessageId::new(id).unwrap();
    Signer::standard_webhooks(secret()).sign(&id, NOW, body.as_bytes()).unwrap()
}

fn receive<'a>(sources: &'a Sources, headers: &'a HeaderMap, body: &'a str) -> Received<'a> {
    sources.receive(headers, body.as_bytes(), NOW).unwrap()
}

#[test]
fn source_reads_events_signals_and_odd_bodies() {
    let verifier = Verifier::standard_webhooks(secret());
    let sources = Sources::new([Source::benchling("eln", verifier)]).unwrap();
    let key = |received: &Received<'_>| received.dedupe_key.clone().map(|key| key.to_string());

    let headers = signed("msg_1", ASSAY_RUN);
    let received = receive(&sources, &headers, ASSAY_RUN);
    assert_eq!(received.event, event(ASSAY_RUN));
    assert_eq!(received.dedupe_key, decode(ASSAY_RUN).dedupe_key());

    // Two clicks have the same body, and are two signals.
    for id in ["msg_2", "msg_3"] {
        let headers = signed(id, INTERACTION);
        let received = receive(&sources, &headers, INTERACTION);
        assert_eq!(received.event.event_type().as_str(), "resource.changed");
        assert_eq!(key(&received).as_deref(), Some(id));
    }

    for (odd, path) in [
        (body(r#"{"type":"v3.rnaOligo.updated"}"#), "message.resourceId"),
        (r#"{"tenantId":"t","message":{"type":"v3.rnaOligo.updated"}}"#.to_owned(), "."),
    ] {
        let headers = signed("msg_4", &odd);
        let received = receive(&sources, &headers, &odd);
        let LabEvent::Unreadable { event, reason, .. } = &received.event else {
            panic!("{received:?}")
        };
        assert_eq!(event.event_type.as_str(), "benchling.v3.rnaOligo.updated");
        assert_eq!(event.data, JsonText::new(&*odd).unwrap());
        assert_eq!(reason.path(), path);
        assert_eq!(key(&received).as_deref(), Some("msg_4"));
    }

    let headers = signed("msg_5", "{}");
    assert!(sources.receive(&headers, b"{}", NOW).is_err());
}

#[test]
fn signal_without_a_signed_id_has_no_key() {
    let sources = Sources::new([Source::benchling(
        "eln",
        Verifier::token(http::HeaderName::from_static("x-gateway"), secret()).unwrap(),
    )])
    .unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("x-gateway", http::HeaderValue::from_static("a key of the test"));
    assert_eq!(receive(&sources, &headers, INTERACTION).dedupe_key, None::<DedupeKey>);
    assert!(receive(&sources, &headers, ASSAY_RUN).dedupe_key.is_some());
}
