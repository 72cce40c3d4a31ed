//! Errors of mapping Argilla webhooks, with their exact texts.

use std::error::Error as _;

use labhook::lab::{Dataset, DatasetUpdated, Label, LabelDeleted, Release, ReleaseCreated, Sample};
use labhook::provider::argilla::{Format, Webhook};
use labhook::receive::{Source, Sources};
use labhook::{Event, LabEvent, MessageId, Signer, Timestamp, Verifier, lab};

use super::{decode, encode, published, secret};

const AT: Timestamp = Timestamp::from_unix_seconds(1_727_359_530);

fn missing(member: &str) -> String {
    format!("Argilla webhook has no value for `{member}`")
}

fn unmapped(member: &str) -> String {
    format!("`{member}` cannot be mapped between an Argilla webhook and a lab event")
}

fn envelope(kind: &str, data: &str, more: &str) -> String {
    format!(
        r#"{{"type":"{kind}","version":1,"timestamp":"2024-09-26T14:17:20.488053Z","data":{data}{more}}}"#
    )
}

#[test]
fn unmappable_webhook_error_names_the_field() {
    for (kind, data, more, text) in [
        ("dataset.created", "{}", "", missing("data.id")),
        ("dataset.published", "[]", "", missing("data.id")),
        ("record.updated", "null", "", missing("data.id")),
        ("record.updated", r#"{"id":7}"#, "", unmapped("data.id")),
        ("record.updated", r#"{"id":"a","id":"b"}"#, "", missing("data.id")),
        ("response.created", r#"{"id":"a"}"#, "", missing("data.record.id")),
        ("response.deleted", r#"{"record":{"id":[]}}"#, "", unmapped("data.record.id")),
        ("record.deleted", r#"{"id":"a"}"#, r#","sample":1"#, unmapped("sample")),
        ("response.updated", r#"{"record":{"id":"a"}}"#, r#","changes":1"#, unmapped("changes")),
        ("a b", "{}", "", unmapped("type")),
    ] {
        let body = envelope(kind, data, more);
        let webhook = decode(&body);
        assert_eq!(webhook.to_event().unwrap_err().to_string(), text, "{body}");
        assert_eq!(encode(&webhook), body);
    }
}

#[test]
fn inexpressible_event_error_names_the_field() {
    let mut updated = DatasetUpdated::new(Dataset::new("d1"));
    updated.changes = Some(vec!["name".into()]);
    let mut public = Dataset::new("d1");
    public.public = Some(true);
    let mut renamed = Sample::new("s1");
    renamed.name = Some("rose.png".into());
    let mut elsewhere = Release::new("r1");
    elsewhere.dataset_id = Some("d1".into());
    for (event, text) in [
        (LabEvent::from(Event::new(updated, AT)), unmapped("data.changes")),
        (Event::new(lab::DatasetCreated::new(public), AT).into(), unmapped("data.dataset.public")),
        (Event::new(lab::SampleCreated::new(renamed), AT).into(), unmapped("data.sample.name")),
        (
            Event::new(ReleaseCreated::new(elsewhere), AT).into(),
            unmapped("data.release.dataset_id"),
        ),
        (Event::new(lab::DatasetDeleted::new(Dataset::new("d1")), AT).into(), missing("data.name")),
        (Event::new(lab::SampleDeleted::new(Sample::new("s1")), AT).into(), missing("data.status")),
        (Event::new(LabelDeleted::new(Label::new("s1")), AT).into(), missing("data.record")),
    ] {
        assert_eq!(Webhook::from_event(&event).unwrap_err().to_string(), text, "{event:?}");
    }
}

#[test]
fn change_that_contradicts_what_is_kept_is_refused() {
    let received = || {
        let event = decode(published("response.created")).to_event().unwrap();
        let LabEvent::LabelUpdated(event) = event else { panic!() };
        event
    };
    let refused = |change: &dyn Fn(&mut lab::LabelUpdated)| {
        let mut event = received();
        change(&mut event.data);
        Webhook::from_event(&event.into()).unwrap_err().to_string()
    };
    let set =
        |name, json| move |data: &mut lab::LabelUpdated| data.unknown.insert(name, json).unwrap();
    assert_eq!(refused(&|it| it.label.sample_id = "s1".into()), unmapped("data.label.sample_id"));
    assert_eq!(
        refused(&|it| it.label.dataset_id = Some("d1".into())),
        unmapped("data.label.dataset_id")
    );
    assert_eq!(
        refused(&|it| it.label.created_by = Some("jane".into())),
        unmapped("data.label.created_by")
    );
    assert_eq!(refused(&set("type", r#""record.created""#)), unmapped("data.type"));
    assert_eq!(refused(&set("version", r#""one""#)), unmapped("data.version"));
    assert_eq!(refused(&set("data", "[]")), unmapped("data.data"));
    assert_eq!(refused(&set("timestamp", "1")), unmapped("timestamp"));
    let twice = |it: &mut lab::LabelUpdated| it.label.unknown.insert("user", "1").unwrap();
    assert_eq!(refused(&twice), unmapped("data"));
    let mut event = received();
    event.unknown.insert("version", "2").unwrap();
    let error = Webhook::from_event(&event.into()).unwrap_err();
    assert_eq!(error.to_string(), unmapped("version"));
}

#[test]
fn format_reports_the_missing_member() {
    let event = Event::new(lab::DatasetCreated::new(Dataset::new("d1")), AT);
    let message = event.into_message(MessageId::new("msg_1").unwrap()).unwrap();
    let format = Format::default();
    let error = labhook::message::format::Format::render(&format, &message).unwrap_err();
    assert_eq!(error.to_string(), "cannot write the event as an Argilla webhook");
    assert_eq!(error.source().unwrap().to_string(), missing("data.name"));
}

#[test]
fn event_without_an_id_is_unreadable() {
    let source = Source::argilla("labelling", Verifier::standard_webhooks(secret()));
    let sources = Sources::new([source]).unwrap();
    for (body, path) in [
        (envelope("record.created", r#"{"fields":{}}"#, ""), "data.id"),
        (r#"{"type":"record.created"}"#.to_owned(), "."),
    ] {
        let signer = Signer::standard_webhooks(secret());
        let headers = signer.sign(&MessageId::new("m").unwrap(), AT, body.as_bytes()).unwrap();
        let received = sources.receive(&headers, body.as_bytes(), AT).unwrap();
        let LabEvent::Unreadable { event, reason, .. } = received.event else { panic!("{body}") };
        assert_eq!(event.event_type.as_str(), "argilla.record.created");
        assert_eq!(event.data.as_str(), body);
        assert_eq!(reason.path(), path);
    }
}
