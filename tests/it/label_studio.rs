//! Label Studio webhooks: every published payload, the mapping both ways, and its errors.

mod errors;
mod properties;

use http::{HeaderMap, HeaderName};
use labhook::lab::LabelStatus;
use labhook::provider::label_studio::{
    self, Action, AnnotationObject, ProjectObject, TaskObject, Webhook,
};
use labhook::receive::{Source, Sources, danger as receive_danger};
use labhook::{LabEvent, Secret, Timestamp, Verifier, danger};

use crate::support::through_a_message;

macro_rules! published {
    ($($name:literal => $event_type:literal,)+) => {
        [$(($name, $event_type, include_str!(concat!("../data/label_studio/", $name, ".json")))),+]
    };
}

/// The documentation's examples, without whitespace between the members, and the type of the lab
/// event.
const PUBLISHED: [(&str, &str, &str); 8] = published![
    "PROJECT_CREATED" => "dataset.created",
    "PROJECT_UPDATED" => "dataset.updated",
    "PROJECT_DELETED" => "dataset.deleted",
    "TASKS_CREATED" => "label_studio.TASKS_CREATED",
    "TASKS_DELETED" => "label_studio.TASKS_DELETED",
    "ANNOTATION_CREATED" => "label.updated",
    "ANNOTATION_UPDATED" => "label.updated",
    "ANNOTATIONS_DELETED" => "resource.changed",
];

const NOW: Timestamp = Timestamp::from_unix_seconds(1_629_208_368);

fn published(name: &str) -> &'static str {
    PUBLISHED.iter().find(|(known, ..)| *known == name).unwrap().2.trim_end()
}

fn decode(body: &str) -> Webhook {
    danger::unsigned(body.as_bytes()).decode().unwrap()
}

fn encode(webhook: &Webhook) -> String {
    serde_json::to_string(webhook).unwrap()
}

fn event(name: &str) -> LabEvent {
    decode(published(name)).to_event(NOW).unwrap()
}

#[test]
fn published_payloads_round_trip_through_the_lab() {
    for (name, event_type, body) in PUBLISHED {
        let body = body.trim_end();
        let webhook = decode(body);
        assert_eq!(encode(&webhook), body);
        assert_eq!(webhook.action.as_str(), name);
        assert!(webhook.action.is_known() && webhook.unknown.is_empty());
        let event = through_a_message(webhook.to_event(NOW).unwrap());
        assert_eq!(event.event_type().as_str(), event_type);
        assert_eq!(encode(&Webhook::from_event(&event).unwrap()), body);
    }
}

#[test]
fn split_webhooks_round_trip_each() {
    for (name, event_type, count) in
        [("TASKS_CREATED", "sample.created", 3), ("TASKS_DELETED", "sample.deleted", 6)]
    {
        let split = decode(published(name)).split();
        assert_eq!(split.len(), count);
        for webhook in &split {
            let event = through_a_message(webhook.to_event(NOW).unwrap());
            assert_eq!(event.event_type().as_str(), event_type);
            assert_eq!(event.keys().dataset, Some("2".into()));
            assert_eq!(&Webhook::from_event(&event).unwrap(), webhook);
            assert_eq!(webhook.split(), std::slice::from_ref(webhook));
        }
    }
    let one = decode(published("PROJECT_CREATED"));
    assert_eq!(one.split(), [one]);
}

/// In the source, this action has lists under the names of one.
#[test]
fn created_annotations_are_split_with_their_tasks() {
    let body = r#"{"action":"ANNOTATIONS_CREATED","annotation":[{"id":1,"task":5},{"id":2,"task":6}],"project":{"id":2},"task":[{"id":5},{"id":6}]}"#;
    let webhook = decode(body);
    let event = through_a_message(webhook.to_event(NOW).unwrap());
    assert_eq!(event.event_type().as_str(), "label_studio.ANNOTATIONS_CREATED");
    assert_eq!(encode(&Webhook::from_event(&event).unwrap()), body);
    let split = webhook.split();
    let last = r#"{"action":"ANNOTATIONS_CREATED","annotation":[{"id":2,"task":6}],"project":{"id":2},"task":[{"id":6}]}"#;
    assert_eq!(encode(&split[1]), last);
    let event = through_a_message(split[1].to_event(NOW).unwrap());
    let LabEvent::LabelUpdated(updated) = &event else { panic!("{event:?}") };
    assert_eq!(updated.data.label.sample_id.as_str(), "6");
    assert_eq!(encode(&Webhook::from_event(&event).unwrap()), last);
    // Without one task per annotation, all of them stay.
    let odd = body.replace(r#",{"id":6}]"#, "]");
    assert!(encode(&decode(&odd).split()[1]).ends_with(r#""task":[{"id":5}]}"#));
}

#[test]
fn typed_fields_are_read_and_the_rest_kept() {
    let LabEvent::DatasetUpdated(updated) = event("PROJECT_UPDATED") else { panic!() };
    let dataset = updated.data.dataset;
    assert_eq!((dataset.id.as_str(), dataset.name.as_deref()), ("1", Some("New Project #5")));
    assert_eq!(dataset.description.as_deref(), Some(""));
    assert_eq!(updated.timestamp.as_str(), "2021-08-17T13:39:14.054849Z");
    assert_eq!(updated.data.unknown.get("action"), Some(r#""PROJECT_UPDATED""#));
    assert!(updated.data.unknown.get("project").unwrap().contains("RectangleLabels"));
    let LabEvent::DatasetDeleted(deleted) = event("PROJECT_DELETED") else { panic!() };
    assert_eq!(deleted.timestamp.timestamp(), Some(NOW));

    let LabEvent::LabelUpdated(created) = event("ANNOTATION_CREATED") else { panic!() };
    let label = created.data.label;
    assert_eq!(label.sample_id.as_str(), "19");
    assert_eq!(label.dataset_id, Some("2".into()));
    assert_eq!((label.status, label.created_by.as_deref()), (None, Some("1")));
    assert!(label.attributes.unwrap().as_str().contains("Opossums"));
    assert_eq!(created.timestamp.as_str(), "2021-08-17T13:52:48.536303Z");
    let LabEvent::LabelUpdated(updated) = event("ANNOTATION_UPDATED") else { panic!() };
    assert_eq!(updated.timestamp.as_str(), "2021-08-17T13:37:25.805479Z");

    let LabEvent::ResourceChanged(deleted) = event("ANNOTATIONS_DELETED") else { panic!() };
    assert_eq!(deleted.data.resource_type, "annotation");
    assert_eq!(deleted.data.operation.as_str(), "deleted");
    assert_eq!(deleted.data.resource_id.unwrap().as_str(), "17");

    let task = decode(published("TASKS_CREATED")).split().remove(0);
    let LabEvent::SampleCreated(created) = task.to_event(NOW).unwrap() else { panic!() };
    assert_eq!(created.data.sample.id.as_str(), "21");
    assert!(created.data.sample.attributes.unwrap().as_str().starts_with(r#"{"ner":"#));
    assert_eq!(created.data.sample.metadata.unwrap().as_str(), "{}");
}

#[test]
fn skipped_task_is_a_skipped_label() {
    let body = published("ANNOTATION_CREATED")
        .replace(r#""was_cancelled":false"#, r#""was_cancelled":true"#);
    let event = decode(&body).to_event(NOW).unwrap();
    let LabEvent::LabelUpdated(created) = &event else { panic!() };
    assert_eq!(created.data.label.status, Some(LabelStatus::Skipped));
    assert_eq!(encode(&Webhook::from_event(&event).unwrap()), body);
}

#[test]
fn views_read_the_published_objects() {
    for (name, _, body) in PUBLISHED {
        let webhook = decode(body);
        if let Some(project) = &webhook.project {
            let project: ProjectObject = project.read().unwrap();
            assert!(project.unknown.is_empty(), "{name}: {:?}", project.unknown);
        }
        for task in webhook.tasks.iter().flatten() {
            assert!(task.read::<TaskObject>().unwrap().unknown.is_empty());
        }
        if let Some(annotation) = &webhook.annotation {
            let annotation: AnnotationObject = annotation.read().unwrap();
            assert!(annotation.unknown.is_empty());
            assert_eq!(annotation.was_cancelled, Some(false));
        }
    }
}

/// The members of a label link are not published.
#[test]
fn label_link_passes_through_whole() {
    let body = r#"{"action":"LABEL_LINK_CREATED","project":{"id":2},"label_link":[{"id":1}]}"#;
    let event = through_a_message(decode(body).to_event(NOW).unwrap());
    let LabEvent::Unknown(unknown) = &event else { panic!("{event:?}") };
    assert_eq!(unknown.event_type.as_str(), "label_studio.LABEL_LINK_CREATED");
    assert_eq!(encode(&Webhook::from_event(&event).unwrap()), body);
    assert_eq!(decode(body).dedupe_key(), None);
}

#[test]
fn own_deleted_dataset_has_the_published_body() {
    let dataset = labhook::lab::Dataset::new("3");
    let event = labhook::Event::new(labhook::lab::DatasetDeleted::new(dataset), NOW);
    let webhook = Webhook::from_event(&event.into()).unwrap();
    assert_eq!(encode(&webhook), published("PROJECT_DELETED"));
}

#[test]
fn dedupe_key_has_action_ids_and_update() {
    let key = |name| decode(published(name)).dedupe_key().unwrap().to_string();
    assert_eq!(key("PROJECT_DELETED"), "15:PROJECT_DELETED/1:3");
    assert_eq!(key("TASKS_CREATED"), "13:TASKS_CREATED/2:21/2:22/2:23");
    assert_eq!(key("ANNOTATION_CREATED"), "18:ANNOTATION_CREATED/2:17");
    assert_eq!(
        key("ANNOTATION_UPDATED"),
        "18:ANNOTATION_UPDATED/2:16/27:2021-08-17T13:37:25.805479Z"
    );
    for body in [
        r#"{"action":"PROJECT_CREATED"}"#,
        r#"{"action":"TASKS_CREATED","tasks":[]}"#,
        r#"{"action":"PROJECT_UPDATED","project":{"id":1}}"#,
    ] {
        assert_eq!(decode(body).dedupe_key(), None, "{body}");
    }
}

#[test]
fn token_source_verifies_and_maps() {
    let name = HeaderName::from_static("x-lab-token");
    let secret = Secret::from_text("correct horse battery").unwrap();
    let verifier = Verifier::token(name.clone(), secret).unwrap();
    let sources = Sources::new([Source::label_studio("labels", verifier)]).unwrap();
    let body = published("ANNOTATION_CREATED").as_bytes();
    let mut headers = HeaderMap::new();
    headers.insert(name.clone(), "correct horse battery".parse().unwrap());
    let received = sources.receive(&headers, body, NOW).unwrap();
    assert_eq!(received.event, event("ANNOTATION_CREATED"));
    assert_eq!(received.dedupe_key.as_ref().unwrap().as_str(), "18:ANNOTATION_CREATED/2:17");
    headers.insert(name, "wrong horse battery".parse().unwrap());
    assert_eq!(sources.receive(&headers, body, NOW).unwrap_err().name(), "no-match");
}

#[test]
fn unsigned_source_takes_only_its_own_events() {
    let sources = Sources::new([receive_danger::label_studio("labels")]).unwrap();
    let none = HeaderMap::new();
    for (_, event_type, body) in PUBLISHED {
        let received = sources.receive(&none, body.as_bytes(), NOW).unwrap();
        assert_eq!(received.event.event_type().as_str(), event_type);
    }
    // Sent without payload, it is plainly Label Studio's, and no lab event.
    let received = sources.receive(&none, br#"{"action":"TASKS_CREATED"}"#, NOW).unwrap();
    let LabEvent::Unreadable { event, reason, .. } = &received.event else { panic!() };
    assert_eq!(event.event_type.as_str(), "label_studio.TASKS_CREATED");
    assert_eq!(reason.path(), "tasks");
    let error = sources.receive(&none, br#"{"action":"open"}"#, NOW).unwrap_err();
    assert_eq!(error.name(), "not-recognized");
}

#[test]
fn policy_is_one_attempt_of_a_second() {
    let policy = label_studio::policy();
    assert_eq!((policy.retries(), policy.attempt_timeout().as_secs()), (Some(0), 1));
    assert_eq!(Action::from("TASK_CREATED"), Action::TaskCreated);
}
