//! Errors of mapping Label Studio webhooks, with their exact texts.

use labhook::lab::{
    Dataset, DatasetUpdated, Label, LabelDeleted, LabelStatus, LabelUpdated, ResourceChanged,
    Sample, SampleCreated, SampleDeleted, SampleUpdated,
};
use labhook::provider::label_studio::{Format, Webhook};
use labhook::{Event, LabEvent, MessageId};

use super::{NOW, decode, encode, event};

fn missing(member: &str) -> String {
    format!("Label Studio webhook has no value for `{member}`")
}

fn unmapped(member: &str) -> String {
    format!("`{member}` cannot be mapped between a Label Studio webhook and a lab event")
}

#[test]
fn unmappable_webhook_error_names_the_field() {
    for (body, text) in [
        (r#"{"action":"PROJECT_CREATED"}"#, missing("project")),
        (r#"{"action":"PROJECT_DELETED","id":3}"#, missing("project")),
        (r#"{"action":"PROJECT_DELETED","project":{}}"#, missing("project.id")),
        (r#"{"action":"PROJECT_DELETED","project":{"id":"3"}}"#, unmapped("project.id")),
        (r#"{"action":"TASKS_CREATED"}"#, missing("tasks")),
        (r#"{"action":"TASKS_DELETED","tasks":7}"#, missing("tasks")),
        (r#"{"action":"TASK_CREATED","tasks":[{}]}"#, missing("tasks.id")),
        (r#"{"action":"ANNOTATION_CREATED"}"#, missing("annotation")),
        (r#"{"action":"ANNOTATION_UPDATED","annotation":{"id":1}}"#, missing("annotation.task")),
        (r#"{"action":"ANNOTATIONS_CREATED","annotation":{"id":1}}"#, unmapped("annotation")),
        (r#"{"action":"ANNOTATIONS_DELETED","annotations":[{}]}"#, missing("annotations.id")),
        (r#"{"action":"PROJECT_DELETED","project":{"id":3},"dataset":1}"#, unmapped("dataset")),
        (r#"{"action":"a b"}"#, unmapped("action")),
    ] {
        let webhook = decode(body);
        assert_eq!(webhook.to_event(NOW).unwrap_err().to_string(), text, "{body}");
        assert_eq!(encode(&webhook), body);
    }
}

#[test]
fn inexpressible_event_error_names_the_field() {
    let dataset = |id: &str| labhook::lab::DatasetCreated::new(Dataset::new(id));
    let mut updated = DatasetUpdated::new(Dataset::new("3"));
    updated.changes = Some(vec!["name".into()]);
    let mut named = Sample::new("1");
    named.name = Some("rose.png".into());
    let annotation = || ResourceChanged::new("annotation", "deleted".into());
    let mut deleted = annotation();
    deleted.resource_id = Some("17".into());
    let with_project = |mut it: SampleCreated| {
        it.unknown.insert("project", r#"{"id":2}"#).unwrap();
        it
    };
    for (event, text) in [
        (LabEvent::from(Event::new(dataset("3"), NOW)), missing("project.title")),
        (Event::new(dataset("roses"), NOW).into(), unmapped("data.dataset.id")),
        (Event::new(updated, NOW).into(), unmapped("data.changes")),
        (Event::new(SampleDeleted::new(Sample::new("1")), NOW).into(), missing("project")),
        (
            Event::new(with_project(SampleCreated::new(Sample::new("1"))), NOW).into(),
            missing("tasks.data"),
        ),
        (
            Event::new(with_project(SampleCreated::new(named)), NOW).into(),
            unmapped("data.sample.name"),
        ),
        (Event::new(LabelUpdated::new(Label::new("1")), NOW).into(), missing("project")),
        (Event::new(annotation(), NOW).into(), missing("annotations.id")),
        (Event::new(deleted, NOW).into(), missing("project")),
        (
            Event::new(ResourceChanged::new("task", "deleted".into()), NOW).into(),
            unmapped("data.resource_type"),
        ),
        (
            Event::new(SampleUpdated::new(Sample::new("1")), NOW).into(),
            "Label Studio has no webhook for `sample.updated` events".to_owned(),
        ),
        (
            Event::new(LabelDeleted::new(Label::new("1")), NOW).into(),
            "Label Studio has no webhook for `label.deleted` events".to_owned(),
        ),
    ] {
        assert_eq!(Webhook::from_event(&event).unwrap_err().to_string(), text, "{event:?}");
    }
}

#[test]
fn change_that_contradicts_what_is_kept_is_refused() {
    let refused = |change: &dyn Fn(&mut LabelUpdated)| {
        let LabEvent::LabelUpdated(mut event) = event("ANNOTATION_CREATED") else { panic!() };
        change(&mut event.data);
        Webhook::from_event(&event.into()).unwrap_err().to_string()
    };
    let set = |name, json| move |it: &mut LabelUpdated| it.unknown.insert(name, json).unwrap();
    assert_eq!(
        refused(&|it| it.label.dataset_id = Some("3".into())),
        unmapped("data.label.dataset_id")
    );
    assert_eq!(
        refused(&|it| it.label.created_by = Some("2".into())),
        unmapped("data.label.created_by")
    );
    assert_eq!(
        refused(&|it| it.label.status = Some(LabelStatus::Labeled)),
        unmapped("data.label.status")
    );
    assert_eq!(refused(&|it| it.label.sample_id = "x".into()), unmapped("data.label.sample_id"));
    assert_eq!(refused(&set("action", r#""TASKS_CREATED""#)), unmapped("data.action"));
    assert_eq!(refused(&set("annotation", "[]")), unmapped("data.annotation"));
}

#[test]
fn format_reports_the_vendor() {
    let event = Event::new(SampleUpdated::new(Sample::new("1")), NOW);
    let message = event.into_message(MessageId::new("msg_1").unwrap()).unwrap();
    let format = Format::default();
    let error = labhook::message::format::Format::render(&format, &message).unwrap_err();
    assert_eq!(error.to_string(), "cannot write the event as a Label Studio webhook");
}
