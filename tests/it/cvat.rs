//! CVAT webhooks: every published payload, the mapping both ways, and its errors.

mod errors;
mod properties;

use labhook::lab::{IssueStatus, ReleaseStatus};
use labhook::provider::cvat::{
    self, CommentObject, EVENTS, IssueObject, ProjectObject, RequestObject, Webhook,
};
use labhook::receive::{Source, Sources, danger as receive_danger};
use labhook::signature::CustomScheme;
use labhook::{LabEvent, MessageId, Secret, Signer, Timestamp, Verifier, danger};

use crate::support::through_a_message;

macro_rules! payloads {
    ($folder:literal: $($name:literal => $event_type:literal,)+) => {
        [$(($name, $event_type, include_str!(concat!($folder, $name, ".json")))),+]
    };
}

/// The documentation's examples, without whitespace between the members and the page's backslashes
/// before brackets, and the type of the lab event.
const PUBLISHED: [(&str, &str, &str); 5] = payloads!["../data/cvat/":
    "create_task" => "resource.changed",
    "update_task" => "resource.changed",
    "delete_task" => "resource.changed",
    "completed_request" => "resource.changed",
    "ping" => "cvat.ping",
];

/// The documented envelope around resources from the vendor's `tests/python/shared/assets`, and the
/// published request with another operation.
const ASSEMBLED: [(&str, &str, &str); 11] = payloads!["../data/cvat/assembled/":
    "create_project" => "dataset.created",
    "update_project" => "dataset.updated",
    "delete_project" => "dataset.deleted",
    "create_issue" => "issue.created",
    "update_issue" => "issue.updated",
    "delete_issue" => "resource.changed",
    "create_comment" => "issue.updated",
    "update_comment" => "issue.updated",
    "delete_comment" => "issue.updated",
    "export_dataset" => "release.created",
    "export_annotations" => "release.created",
];

const NOW: Timestamp = Timestamp::from_unix_seconds(1_664_881_492);

fn payload(name: &str) -> &'static str {
    let mut all = PUBLISHED.iter().chain(&ASSEMBLED);
    all.find(|(known, ..)| *known == name).unwrap().2.trim_end()
}

fn decode(body: &str) -> Webhook {
    danger::unsigned(body.as_bytes()).decode().unwrap()
}

fn encode(webhook: &Webhook) -> String {
    serde_json::to_string(webhook).unwrap()
}

fn event(name: &str) -> LabEvent {
    decode(payload(name)).to_event(NOW).unwrap()
}

#[test]
fn published_payloads_round_trip_through_the_lab() {
    for (name, event_type, body) in PUBLISHED {
        let body = body.trim_end();
        let webhook = decode(body);
        assert_eq!(encode(&webhook), body);
        assert!(webhook.unknown.is_empty());
        let event = through_a_message(webhook.to_event(NOW).unwrap());
        assert_eq!(event.event_type().as_str(), event_type, "{name}");
        assert_eq!(encode(&Webhook::from_event(&event).unwrap()), body);
    }
}

/// The members of these resources are in alphabetical order, so they move.
#[test]
fn assembled_payloads_round_trip_as_values() {
    let value = |body: &str| serde_json::from_str::<serde_json::Value>(body).unwrap();
    for (name, event_type, body) in ASSEMBLED {
        let webhook = decode(body);
        let event = through_a_message(webhook.to_event(NOW).unwrap());
        assert_eq!(event.event_type().as_str(), event_type, "{name}");
        let back = Webhook::from_event(&event).unwrap();
        assert_eq!(value(&encode(&back)), value(body), "{name}");
        let again = back.to_event(NOW).unwrap();
        assert_eq!(Webhook::from_event(&again).unwrap(), back, "{name}");
        assert!(EVENTS.contains(&&*webhook.event), "{name}");
    }
}

#[test]
fn resource_changes_name_resource_and_actor() {
    let LabEvent::ResourceChanged(updated) = event("update_task") else { panic!() };
    assert_eq!(updated.timestamp.as_str(), "2022-10-04T11:04:51.451681Z");
    let data = updated.data;
    assert_eq!((&*data.resource_type, data.operation.as_str()), ("task", "updated"));
    assert_eq!(data.resource_id.unwrap().as_str(), "15");
    assert_eq!(data.changes.unwrap(), ["name"]);
    assert_eq!(data.actor.as_deref(), Some("admin1"));
    assert_eq!(data.unknown.get("webhook_id"), Some("7"));
    assert!(data.unknown.get("resource").unwrap().contains(r#""segment_size":1"#));

    let LabEvent::ResourceChanged(deleted) = event("delete_task") else { panic!() };
    assert_eq!(deleted.timestamp.timestamp(), Some(NOW), "a deletion has no time");
    let LabEvent::ResourceChanged(done) = event("completed_request") else { panic!() };
    assert_eq!(done.data.resource_type, "request[create:task]");
    assert_eq!(done.data.operation.as_str(), "completed");
    assert_eq!(done.timestamp.as_str(), "2026-08-17T08:16:17.866904Z");
}

#[test]
fn typed_fields_are_read_and_the_rest_kept() {
    let LabEvent::DatasetUpdated(updated) = event("update_project") else { panic!() };
    assert_eq!(updated.data.dataset.id.as_str(), "8");
    assert_eq!(updated.data.dataset.name.as_deref(), Some("project with video data"));
    assert_eq!(updated.data.dataset.owner.as_deref(), Some("admin1"));
    assert_eq!(updated.data.changes.unwrap(), ["bug_tracker"]);
    assert_eq!(updated.timestamp.as_str(), "2022-12-01T12:53:34.917000Z");

    let LabEvent::IssueCreated(created) = event("create_issue") else { panic!() };
    let issue = created.data.issue;
    assert_eq!((issue.id.as_str(), issue.status), ("5", Some(IssueStatus::Open)));
    assert_eq!(issue.created_by.as_deref(), Some("user6"));
    assert_eq!(issue.updated_at, None);
    let rest = created.data.unknown.get("resource").unwrap();
    assert!(rest.contains(r#""job":11"#) && rest.contains(r#""updated_date":null"#));
    let LabEvent::IssueUpdated(closed) = event("update_issue") else { panic!() };
    assert_eq!(closed.data.issue.status, Some(IssueStatus::Closed));

    let LabEvent::IssueUpdated(commented) = event("delete_comment") else { panic!() };
    assert_eq!(commented.data.issue.id.as_str(), "5");
    assert_eq!(commented.data.changes.unwrap(), ["comments"]);
    assert!(commented.data.unknown.get("resource").unwrap().contains("Wrong position"));

    let LabEvent::ReleaseCreated(exported) = event("export_dataset") else { panic!() };
    let release = exported.data.release;
    assert_eq!(release.release_type.as_deref(), Some("COCO 1.0"));
    assert_eq!(release.status, Some(ReleaseStatus::Succeeded));
    assert_eq!(release.dataset_id, Some("2".into()));
    let LabEvent::ReleaseCreated(failed) = event("export_annotations") else { panic!() };
    assert_eq!(failed.data.release.status, Some(ReleaseStatus::Failed));
}

#[test]
fn views_read_the_resources() {
    let project: ProjectObject = decode(payload("create_project")).project.unwrap().read().unwrap();
    assert_eq!(project.owner.value().unwrap().username.as_deref(), Some("admin1"));
    let issue: IssueObject = decode(payload("create_issue")).issue.unwrap().read().unwrap();
    assert_eq!((issue.frame, issue.resolved), (Some(0), Some(false)));
    let comment: CommentObject = decode(payload("create_comment")).comment.unwrap().read().unwrap();
    assert_eq!((comment.issue, comment.message.as_deref()), (5, Some("Wrong position")));
    let request: RequestObject =
        decode(payload("completed_request")).request.unwrap().read().unwrap();
    assert_eq!(request.operation.unwrap().kind.as_deref(), Some("create:task"));
    assert!(request.unknown.is_empty());
}

#[test]
fn changed_field_replaces_the_kept_member() {
    let LabEvent::IssueUpdated(mut event) = event("update_issue") else { panic!() };
    event.data.issue.status = Some(IssueStatus::Open);
    event.unknown.insert("trace", r#""t-1""#).unwrap();
    let back = Webhook::from_event(&event.into()).unwrap();
    let issue: IssueObject = back.issue.as_ref().unwrap().read().unwrap();
    assert_eq!(issue.resolved, Some(false));
    assert_eq!(back.unknown.get("trace"), Some(r#""t-1""#));
}

#[test]
fn dedupe_key_ignores_the_order_of_members() {
    let key = |body: &str| decode(body).dedupe_key().map(|key| key.to_string());
    let updated = key(payload("update_task")).unwrap();
    assert_eq!(updated, "11:update:task/2:15/27:2022-10-04T11:04:51.451681Z/4:name");
    // A repeated delivery of the vendor's may have another order, and another webhook another id.
    let shuffled = r#"{"sender":null,"webhook_id":8,"before_update":{"name":"task"},"task":{"updated_date":"2022-10-04T11:04:51.451681Z","id":15},"event":"update:task"}"#;
    assert_eq!(key(shuffled), Some(updated));
    assert_eq!(key(payload("delete_task")).unwrap(), "11:delete:task/2:15");
    assert_eq!(key(payload("ping")), None);
    assert_eq!(key(r#"{"event":"update:membership","membership":{"id":1}}"#), None);
    let all = PUBLISHED.iter().chain(&ASSEMBLED).filter_map(|(_, _, body)| key(body));
    let all: Vec<_> = all.collect();
    let distinct: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), all.len());
}

#[test]
fn signed_source_verifies_and_maps() {
    let secret = || Secret::from_text("mykey").unwrap();
    let source =
        Source::cvat("annotation", Verifier::custom(CustomScheme::CVAT, secret()).unwrap());
    let sources = Sources::new([source]).unwrap();
    let body = payload("update_task").as_bytes();
    let id = MessageId::new("msg_1").unwrap();
    let headers =
        Signer::custom(CustomScheme::CVAT, secret()).unwrap().sign(&id, NOW, body).unwrap();
    let received = sources.receive(&headers, body, NOW).unwrap();
    assert_eq!(received.event, event("update_task"));
    assert_eq!(received.dedupe_key, decode(payload("update_task")).dedupe_key());
    assert!(sources.receive(&headers, b"{}", NOW).is_err());
}

#[test]
fn unsigned_source_takes_only_its_own_events() {
    let sources = Sources::new([receive_danger::cvat("annotation")]).unwrap();
    let none = http::HeaderMap::new();
    for (name, event_type, body) in PUBLISHED {
        let received = sources.receive(&none, body.as_bytes(), NOW).unwrap();
        assert_eq!(received.event.event_type().as_str(), event_type, "{name}");
    }
    for body in [r#"{"event":"pong"}"#, r#"{"event":"update:lid"}"#, r#"{"action":"x"}"#] {
        let error = sources.receive(&none, body.as_bytes(), NOW).unwrap_err();
        assert_eq!(error.name(), "not-recognized", "{body}");
    }
    // Under a URL of its own, nothing is turned away.
    let received = sources.receive_from("annotation", &none, br#"{"event":"pong"}"#, NOW).unwrap();
    assert_eq!(received.event.event_type().as_str(), "cvat.pong");
}

#[test]
fn policy_has_the_retries_of_the_source() {
    let policy = cvat::policy();
    assert_eq!(policy.attempt_timeout().as_secs(), 10);
    let delays = (1..=8).map(|retry| policy.schedule().delay(retry).unwrap().as_secs());
    let expected = [5, 300, 1_800, 10_800, 86_400, 86_400, 86_400, 86_400];
    assert_eq!(delays.collect::<Vec<_>>(), expected);
    let action = |status: u16| policy.responses().action(status.try_into().unwrap()).to_string();
    assert_eq!(
        [200, 404, 408, 429, 500, 301].map(action),
        ["deliver", "fail", "retry", "retry", "retry", "fail"]
    );
}
