//! Errors of mapping and decoding Segments.ai webhooks, with their exact texts.

use std::error::Error as _;

use labhook::decode::DecodeError;
use labhook::event::UnknownEvent;
use labhook::json::JsonText;
use labhook::lab::{Dataset, DatasetUpdated, RunState, RunStateChanged, Sample, SampleCreated};
use labhook::provider::MapError;
use labhook::provider::segments::Webhook;
use labhook::{Event, EventType, LabEvent, Timestamp, danger};

use super::{PUBLISHED, by_package, decode, encode, envelope};
use crate::support::body_malformed_at;

const AT: Timestamp = Timestamp::from_unix_seconds(1_628_520_020);

fn missing(field: &str) -> String {
    format!("Segments.ai webhook has no value for `{field}`")
}

fn unmapped(field: &str) -> String {
    format!("`{field}` cannot be mapped between a Segments.ai webhook and a lab event")
}

#[test]
fn object_without_an_id_leaves_the_webhook_whole() {
    let webhook = decode(PUBLISHED);
    let error = webhook.to_event().unwrap_err();
    assert_eq!(error, MapError::Missing { vendor: "Segments.ai", member: "object.uuid" });
    assert_eq!(error.to_string(), missing("object.uuid"));
    assert_eq!(encode(&webhook), PUBLISHED.trim_end());
}

#[test]
fn unmappable_webhook_error_names_the_field() {
    for (kind, object, more, text) in [
        ("sample.deleted", "null", "", missing("object.uuid")),
        ("sample.updated", r#"{"uuid":null}"#, "", missing("object.uuid")),
        ("sample.updated", r#"{"uuid":7}"#, "", unmapped("object.uuid")),
        ("sample.updated", r#"{"uuid":"a","uuid":"b"}"#, "", missing("object.uuid")),
        ("label.updated", r#"{"uuid":"a"}"#, "", missing("object.sample_uuid")),
        ("label.deleted", "{}", "", missing("object.sample_uuid")),
        ("issue.created", "{}", "", missing("object.uuid")),
        ("issue.updated", "[]", "", missing("object.uuid")),
        ("release.created", "{}", "", missing("object.uuid")),
        ("sample.created", r#"{"uuid":"a"}"#, r#","sample":1"#, unmapped("sample")),
        ("label.deleted", r#"{"sample_uuid":"a"}"#, r#","label":1"#, unmapped("label")),
        ("a b", "{}", "", unmapped("event_type")),
        ("", "{}", "", unmapped("event_type")),
    ] {
        let body = envelope(kind, object, more);
        let webhook = decode(&body);
        assert_eq!(webhook.to_event().unwrap_err().to_string(), text, "{body}");
        assert_eq!(encode(&webhook), body);
    }
}

fn error_text(event: impl Into<LabEvent>) -> String {
    Webhook::from_event(&event.into()).unwrap_err().to_string()
}

#[test]
fn event_without_a_webhook_error_names_the_type() {
    let run = Event::new(RunStateChanged::new("r1", RunState::Paused), AT);
    assert_eq!(error_text(run), "Segments.ai has no webhook for `run.state_changed` events");
    let other = |event_type: &'static str, data: &str| {
        let data = JsonText::new(data).unwrap();
        UnknownEvent::new(EventType::from_static(event_type), data, AT)
    };
    assert_eq!(
        error_text(other("batch.labelled", "{}")),
        "Segments.ai has no webhook for `batch.labelled` events"
    );
    let project = envelope("project.created", "{}", "");
    assert_eq!(error_text(other("segments.project.created", "{}")), unmapped("data"));
    assert_eq!(error_text(other("segments.project.deleted", &project)), unmapped("event_type"));
    assert_eq!(error_text(other("segments.project.created", &project)), unmapped("created_at"));
}

#[test]
fn unwritable_member_error_names_the_member() {
    let created = || {
        let mut sample = Sample::new("9f3b");
        sample.dataset_id = Some("jane/flowers".into());
        Event::new(SampleCreated::new(sample), AT)
    };
    let nowhere = Event::new(SampleCreated::new(Sample::new("9f3b")), AT);
    let error = Webhook::from_event(&nowhere.into()).unwrap_err();
    assert_eq!(error, MapError::Missing { vendor: "Segments.ai", member: "dataset" });
    assert_eq!(error.to_string(), missing("dataset"));

    for (name, json, field) in [
        ("api_version", "7", "api_version"),
        ("text", "7", "text"),
        ("object", "7", "object"),
        ("dataset", "7", "dataset"),
        ("event_type", "7", "event_type"),
    ] {
        let mut event = created();
        event.data.unknown.insert(name, json).unwrap();
        assert_eq!(error_text(event), unmapped(field));
    }
    let mut event = created();
    event.data.sample.unknown.insert("uuid", "7").unwrap();
    assert_eq!(error_text(event), unmapped("object"));
    let mut event = created();
    event.data.sample.unknown.insert("priority", "7").unwrap();
    event.data.unknown.insert("object", r#"{"priority":8}"#).unwrap();
    assert_eq!(error_text(event), unmapped("object"));

    let mut event = created();
    event.data.unknown.insert("trace", "7").unwrap();
    event.unknown.insert("trace", "8").unwrap();
    assert_eq!(error_text(event), unmapped("unknown"));
    let mut event = created();
    event.unknown.insert("text", "8").unwrap();
    assert_eq!(error_text(event), unmapped("text"));

    let mut event = Event::new(DatasetUpdated::new(Dataset::new("jane/flowers")), AT);
    event.data.changes = Some(vec!["name".into()]);
    event.data.unknown.insert("changes", "7").unwrap();
    assert_eq!(error_text(event), unmapped("changes"));
}

#[test]
fn malformed_body_error_names_the_path() {
    let of = |body: &str| danger::unsigned(body.as_bytes()).decode::<Webhook>().unwrap_err();
    let sample = by_package("sample.created");
    for (body, path, why) in [
        ("[]".to_owned(), ".", "invalid type: sequence, expected a JSON object"),
        (
            sample.replace(r#""event_type":"sample.created","#, ""),
            ".",
            "missing field `event_type`",
        ),
        (
            sample.replace(r#""2021-08-09T14:40:19.987691+00:00""#, "7"),
            "created_at",
            "invalid type: integer `7`, expected a string",
        ),
        (
            envelope("sample.created", "{}", r#","dataset":"a/b""#),
            "dataset",
            "duplicate field `dataset`",
        ),
        (envelope("sample.created", "{}", r#","z":1,"z":1"#), "z", "duplicate field `z`"),
        (
            envelope("sample.created", "{}", r#","text":7,"text":7"#),
            "text",
            "duplicate field `text`",
        ),
    ] {
        let error = of(&body);
        assert_eq!(error.to_string(), body_malformed_at(path));
        assert!(matches!(error, DecodeError::Body { .. }));
        let source = error.source().unwrap().to_string();
        assert_eq!(source.split(" at line ").next(), Some(why), "{body}");
    }
    // Duplicate members in `object` are no error until it is read.
    let body = envelope("sample.created", r#"{"uuid":"a","uuid":"b"}"#, "");
    assert_eq!(encode(&decode(&body)), body);
}
