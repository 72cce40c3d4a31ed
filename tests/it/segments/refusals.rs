//! What has no counterpart, and malformed bodies: each with its exact text.

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

fn differ(what: &str) -> String {
    format!("the Segments.ai webhook and the event differ: {what}")
}

#[test]
fn an_object_without_an_id_is_no_event_and_the_webhook_is_whole() {
    let webhook = decode(PUBLISHED);
    let error = webhook.to_event().unwrap_err();
    assert_eq!(error, MapError::Missing { vendor: "Segments.ai", member: "object.uuid" });
    assert_eq!(error.to_string(), differ("there is no object.uuid"));
    assert_eq!(encode(&webhook), PUBLISHED.trim_end());
}

#[test]
fn each_webhook_that_is_no_event_is_refused_by_name() {
    for (kind, object, more, what) in [
        ("sample.deleted", "null", "", "there is no object.uuid"),
        ("sample.updated", r#"{"uuid":null}"#, "", "there is no object.uuid"),
        ("sample.updated", r#"{"uuid":7}"#, "", "the object.uuid has no counterpart"),
        ("sample.updated", r#"{"uuid":"a","uuid":"b"}"#, "", "there is no object.uuid"),
        ("label.updated", r#"{"uuid":"a"}"#, "", "there is no object.sample_uuid"),
        ("label.deleted", "{}", "", "there is no object.sample_uuid"),
        ("issue.created", "{}", "", "there is no object.uuid"),
        ("issue.updated", "[]", "", "there is no object.uuid"),
        ("release.created", "{}", "", "there is no object.uuid"),
        ("sample.created", r#"{"uuid":"a"}"#, r#","sample":1"#, "the sample has no counterpart"),
        (
            "label.deleted",
            r#"{"sample_uuid":"a"}"#,
            r#","label":1"#,
            "the label has no counterpart",
        ),
        ("sample.updated", r#"{"uuid":"a"}"#, r#","changes":1"#, "the changes has no counterpart"),
        ("a b", "{}", "", "the event_type has no counterpart"),
        ("", "{}", "", "the event_type has no counterpart"),
    ] {
        let body = envelope(kind, object, more);
        let webhook = decode(&body);
        assert_eq!(webhook.to_event().unwrap_err().to_string(), differ(what), "{body}");
        assert_eq!(encode(&webhook), body);
    }
}

fn refusal(event: impl Into<LabEvent>) -> String {
    Webhook::from_event(&event.into()).unwrap_err().to_string()
}

#[test]
fn each_event_without_a_webhook_is_refused_by_name() {
    let run = Event::new(RunStateChanged::new("r1", RunState::Paused), AT);
    assert_eq!(refusal(run), "Segments.ai has no webhook for a run.state_changed event");
    let other = |event_type: &'static str, data: &str| {
        let data = JsonText::new(data).unwrap();
        UnknownEvent::new(EventType::from_static(event_type), data, AT)
    };
    assert_eq!(
        refusal(other("batch.labelled", "{}")),
        "Segments.ai has no webhook for a batch.labelled event"
    );
    let project = envelope("project.created", "{}", "");
    assert_eq!(
        refusal(other("segments.project.created", "{}")),
        differ("the data has no counterpart")
    );
    assert_eq!(
        refusal(other("segments.project.deleted", &project)),
        differ("the event_type has no counterpart")
    );
    assert_eq!(
        refusal(other("segments.project.created", &project)),
        differ("the created_at has no counterpart")
    );
}

#[test]
fn each_member_that_cannot_be_written_is_refused_by_name() {
    let created = || {
        let mut sample = Sample::new("9f3b");
        sample.dataset_id = Some("jane/flowers".into());
        Event::new(SampleCreated::new(sample), AT)
    };
    let nowhere = Event::new(SampleCreated::new(Sample::new("9f3b")), AT);
    let error = Webhook::from_event(&nowhere.into()).unwrap_err();
    assert_eq!(error, MapError::Missing { vendor: "Segments.ai", member: "dataset" });
    assert_eq!(error.to_string(), differ("there is no dataset"));

    for (name, json, what) in [
        ("api_version", "7", "the api_version has no counterpart"),
        ("text", "7", "the text has no counterpart"),
        ("object", "7", "the object has no counterpart"),
        ("dataset", "7", "the dataset has no counterpart"),
        ("event_type", "7", "the event_type has no counterpart"),
    ] {
        let mut event = created();
        event.data.unknown.insert(name, json).unwrap();
        assert_eq!(refusal(event), differ(what));
    }
    let mut event = created();
    event.data.sample.unknown.insert("uuid", "7").unwrap();
    assert_eq!(refusal(event), differ("the object has no counterpart"));
    let mut event = created();
    event.data.sample.unknown.insert("priority", "7").unwrap();
    event.data.unknown.insert("object", r#"{"priority":8}"#).unwrap();
    assert_eq!(refusal(event), differ("the object has no counterpart"));

    let mut event = created();
    event.data.unknown.insert("trace", "7").unwrap();
    event.unknown.insert("trace", "8").unwrap();
    assert_eq!(refusal(event), differ("the unknown has no counterpart"));
    let mut event = created();
    event.unknown.insert("text", "8").unwrap();
    assert_eq!(refusal(event), differ("the text has no counterpart"));

    let mut event = Event::new(DatasetUpdated::new(Dataset::new("jane/flowers")), AT);
    event.data.changes = Some(vec!["name".into()]);
    event.data.unknown.insert("changes", "7").unwrap();
    assert_eq!(refusal(event), differ("the changes has no counterpart"));
}

#[test]
fn a_malformed_body_is_an_error_with_its_path() {
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
            sample.replace("2021-08-09T14:40:19.987691+00:00", "today"),
            "created_at",
            "expected an RFC 3339 date-time, such as `2025-04-17T09:30:00Z`",
        ),
        (
            envelope("sample.created", "{}", r#","dataset":"a/b""#),
            "dataset",
            "duplicate field `dataset`",
        ),
        (envelope("sample.created", "{}", r#","z":1,"z":1"#), "z", "duplicate field `z`"),
        (
            envelope("sample.created", "{}", r#","text":7"#),
            "text",
            "invalid type: integer `7`, expected a string",
        ),
    ] {
        let error = of(&body);
        assert_eq!(error.to_string(), body_malformed_at(path));
        assert!(matches!(error, DecodeError::Body { .. }));
        let source = error.source().unwrap().to_string();
        assert_eq!(source.split(" at line ").next(), Some(why), "{body}");
    }
    // An object whose members stand twice is the vendor's own matter until it is read.
    let body = envelope("sample.created", r#"{"uuid":"a","uuid":"b"}"#, "");
    assert_eq!(encode(&decode(&body)), body);
}
