//! Errors of mapping CVAT webhooks, with their exact texts.

use labhook::lab::{Dataset, DatasetCreated, ResourceChanged, RunState, RunStateChanged};
use labhook::provider::cvat::{Format, Webhook};
use labhook::{Event, LabEvent, MessageId, lab};

use super::{NOW, decode, encode, event};

fn missing(member: &str) -> String {
    format!("CVAT webhook has no value for `{member}`")
}

fn unmapped(member: &str) -> String {
    format!("`{member}` cannot be mapped between a CVAT webhook and a lab event")
}

#[test]
fn unmappable_webhook_error_names_the_field() {
    for (body, text) in [
        (r#"{"event":"create:project"}"#, missing("project.id")),
        (r#"{"event":"create:project","project":{"id":"8"}}"#, unmapped("project.id")),
        (r#"{"event":"update:issue","issue":{}}"#, missing("issue.id")),
        (r#"{"event":"create:comment","comment":{"id":6}}"#, missing("comment.issue")),
        (r#"{"event":"create:comment","comment":{"issue":[]}}"#, unmapped("comment.issue")),
        (
            r#"{"event":"completed:request[export:dataset]","request":{"id":7}}"#,
            unmapped("request.id"),
        ),
        (r#"{"event":"update:job"}"#, missing("<resource>")),
        (r#"{"event":"create:project","project":{"id":8},"dataset":1}"#, unmapped("dataset")),
        (r#"{"event":"update:job","job":{"id":8},"resource":1}"#, unmapped("resource")),
        (r#"{"event":"a b"}"#, unmapped("event")),
    ] {
        let webhook = decode(body);
        assert_eq!(webhook.to_event(NOW).unwrap_err().to_string(), text, "{body}");
        assert_eq!(encode(&webhook), body);
    }
}

#[test]
fn own_event_lacks_the_webhook_id() {
    for event in [
        LabEvent::from(Event::new(DatasetCreated::new(Dataset::new("8")), NOW)),
        Event::new(ResourceChanged::new("task", "created".into()), NOW).into(),
    ] {
        let error = Webhook::from_event(&event).unwrap_err();
        assert_eq!(error.to_string(), missing("webhook_id"));
        let message = event.into_message(MessageId::new("msg_1").unwrap()).unwrap();
        let format = Format::default();
        let error = labhook::message::format::Format::render(&format, &message).unwrap_err();
        assert_eq!(error.to_string(), "cannot write the event as a CVAT webhook");
    }
    let run = Event::new(RunStateChanged::new("r1", RunState::Started), NOW);
    assert_eq!(
        Webhook::from_event(&run.into()).unwrap_err().to_string(),
        "CVAT has no webhook for `run.state_changed` events"
    );
}

#[test]
fn inexpressible_change_error_names_the_field() {
    let refused = |change: &dyn Fn(&mut lab::DatasetUpdated)| {
        let LabEvent::DatasetUpdated(mut event) = event("update_project") else { panic!() };
        change(&mut event.data);
        Webhook::from_event(&event.into()).unwrap_err().to_string()
    };
    assert_eq!(refused(&|it| it.dataset.id = "eight".into()), unmapped("data.dataset.id"));
    assert_eq!(refused(&|it| it.dataset.id = "08".into()), unmapped("data.dataset.id"));
    assert_eq!(refused(&|it| it.dataset.owner = Some("x".into())), unmapped("data.dataset.owner"));
    assert_eq!(refused(&|it| it.dataset.public = Some(true)), unmapped("data.dataset.public"));
    assert_eq!(refused(&|it| it.changes = Some(vec!["name".into()])), unmapped("data.changes"));
    let set =
        |name, json| move |it: &mut lab::DatasetUpdated| it.unknown.insert(name, json).unwrap();
    assert_eq!(refused(&set("event", r#""create:issue""#)), unmapped("data.event"));
    assert_eq!(refused(&set("resource", "[]")), unmapped("data.resource"));
    assert_eq!(refused(&set("project", "{}")), unmapped("data.resource"));

    let refused = |change: &dyn Fn(&mut ResourceChanged)| {
        let LabEvent::ResourceChanged(mut event) = event("update_task") else { panic!() };
        change(&mut event.data);
        Webhook::from_event(&event.into()).unwrap_err().to_string()
    };
    assert_eq!(refused(&|it| it.resource_type = "job".into()), unmapped("data.resource_type"));
    assert_eq!(refused(&|it| it.operation = "deleted".into()), unmapped("data.operation"));
    assert_eq!(refused(&|it| it.resource_id = Some("16".into())), unmapped("data.resource_id"));
    assert_eq!(refused(&|it| it.actor = Some("jane".into())), unmapped("data.actor"));

    let LabEvent::IssueUpdated(mut event) = event("update_issue") else { panic!() };
    event.data.issue.status = Some("WONTFIX".into());
    let error = Webhook::from_event(&event.into()).unwrap_err();
    assert_eq!(error.to_string(), unmapped("data.issue.status"));
}

#[test]
fn event_without_a_verb_or_a_resource_is_unknown() {
    for event in [":job", "update:", "created:job"] {
        let body = format!(r#"{{"event":"{event}","job":{{"id":8}}}}"#);
        let read = decode(&body).to_event(NOW);
        assert!(!matches!(read, Ok(LabEvent::ResourceChanged(_))), "{event}: {read:?}");
    }
}

#[test]
fn members_of_another_type_are_kept() {
    let body = r#"{"event":"update:job","job":{"id":[]},"before_update":[1],"webhook_id":"7","sender":"jane"}"#;
    let event = decode(body).to_event(NOW).unwrap();
    let LabEvent::ResourceChanged(changed) = &event else { panic!("{event:?}") };
    assert_eq!((&changed.data.resource_id, &changed.data.changes), (&None, &None));
    let back = Webhook::from_event(&event).unwrap();
    assert_eq!(encode(&back), body);
}
