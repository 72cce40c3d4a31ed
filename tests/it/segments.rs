//! Segments.ai webhooks: the published payload, and one payload per event named after the vendor's
//! package.

mod errors;
mod properties;
mod sending;

use http::{HeaderMap, HeaderName, HeaderValue};
use labhook::json::Nullable;
use labhook::provider::segments::{
    self, DatasetObject, EventKind, IssueObject, LabelObject, ReleaseObject, SampleObject, Webhook,
};
use labhook::{
    Event, LabEvent, MessageId, Secret, Signer, Timestamp, Verifier, VerifyError, danger, lab,
};

use crate::support::through_a_message;

/// The documentation's example, with `{}` in place of `{ ... }`.
const PUBLISHED: &str = include_str!("../data/segments/sample.created.json");

macro_rules! by_package {
    ($($name:literal,)+) => {
        [$(($name, include_str!(concat!("../data/segments/by_package/", $name, ".json")))),+]
    };
}

/// The published envelope, with `object` named after the package's models.
const BY_PACKAGE: [(&str, &str); 11] = by_package![
    "dataset.created",
    "dataset.updated",
    "dataset.deleted",
    "sample.created",
    "sample.updated",
    "sample.deleted",
    "label.updated",
    "label.deleted",
    "issue.created",
    "issue.updated",
    "release.created",
];

fn decode(body: &str) -> Webhook {
    danger::unsigned(body.as_bytes()).decode().unwrap()
}

fn encode(webhook: &Webhook) -> String {
    serde_json::to_string(webhook).unwrap()
}

fn by_package(name: &str) -> &'static str {
    BY_PACKAGE.iter().find(|(known, _)| *known == name).unwrap().1.trim_end()
}

fn envelope(kind: &str, object: &str, more: &str) -> String {
    format!(
        r#"{{"event_type":"{kind}","created_at":"2021-08-09T14:40:19.987691+00:00","api_version":"2021-08-01","dataset":"jane/flowers","object":{object}{more}}}"#
    )
}

#[test]
fn every_payload_round_trips_verbatim() {
    let published = ("sample.created", PUBLISHED);
    for (name, body) in BY_PACKAGE.into_iter().chain([published]) {
        let webhook = decode(body);
        assert_eq!(encode(&webhook), body.trim_end());
        assert_eq!(webhook.event_type.as_str(), name);
        assert!(webhook.unknown.is_empty());
    }
    let names: Vec<&str> = EventKind::KNOWN.iter().map(EventKind::as_str).collect();
    assert_eq!(names, BY_PACKAGE.map(|(name, _)| name));
    assert!(matches!(EventKind::from("label.created"), EventKind::Other(_)));
}

#[test]
fn published_payload_decodes_to_its_fields() {
    let webhook = decode(PUBLISHED);
    assert_eq!(webhook.created_at.as_str(), "2021-08-09T14:40:19.987691+00:00");
    assert_eq!(webhook.created_at.timestamp().unwrap().unix_micros(), 1_628_520_019_987_691);
    assert_eq!(webhook.api_version, segments::API_VERSION);
    assert_eq!(webhook.dataset.as_str(), "jane/flowers");
    assert_eq!(webhook.object.as_str(), "{}");
    assert_eq!(webhook.object.read::<SampleObject>().unwrap(), SampleObject::default());
    let text = "Sample rose.png created in dataset jane/flowers.".to_owned();
    assert_eq!(webhook.text, Nullable::Value(text));

    let without = envelope("sample.created", "{}", "");
    assert_eq!(decode(&without).text, Nullable::Absent);
    assert_eq!(encode(&decode(&without)), without);
    let null = envelope("sample.created", "{ \"b\" : 1.10 }", r#","text":null,"z":1.10,"a":[]"#);
    assert_eq!(decode(&null).text, Nullable::Null);
    assert_eq!(encode(&decode(&null)), null);
}

#[test]
fn every_event_round_trips_through_the_lab() {
    for (name, body) in BY_PACKAGE {
        let webhook = decode(body);
        let event = through_a_message(webhook.to_event().unwrap());
        assert_eq!(event.event_type().as_str(), name);
        assert_eq!(event.timestamp(), &webhook.created_at);
        assert_eq!(event.keys().dataset, Some("jane/flowers".into()), "{name}");
        let back = Webhook::from_event(&event).unwrap();
        assert_eq!(encode(&back), body.trim_end());
        // Further round trips change nothing.
        assert_eq!(Webhook::from_event(&back.to_event().unwrap()).unwrap(), back);
    }
}

#[test]
fn typed_fields_are_read_and_the_rest_kept() {
    let event = |name| decode(by_package(name)).to_event().unwrap();
    let LabEvent::SampleCreated(created) = event("sample.created") else { panic!() };
    let lab::SampleCreated { sample, unknown, .. } = created.data;
    assert_eq!(sample.id.as_str(), "9f3b");
    assert_eq!(sample.name.as_deref(), Some("rose.png"));
    assert_eq!(sample.dataset_id, Some("jane/flowers".into()));
    assert_eq!(sample.metadata.unwrap().as_str(), r#"{"b":null,"a":[]}"#);
    assert_eq!(sample.created_by.as_deref(), Some("jane"));
    assert!(sample.unknown.is_empty());
    assert_eq!(unknown.get("api_version"), Some(r#""2021-08-01""#));
    let text = r#""Sample rose.png created in dataset jane/flowers.""#;
    assert_eq!(unknown.get("text"), Some(text));
    assert_eq!(unknown.get("object"), Some(r#"{"assigned_labeler":null,"priority":0.50}"#));

    let LabEvent::DatasetUpdated(updated) = event("dataset.updated") else { panic!() };
    let dataset = updated.data.dataset;
    assert_eq!(dataset.id.as_str(), "jane/flowers");
    assert_eq!(dataset.owner.as_deref(), Some("jane"));
    assert_eq!(dataset.public, Some(false));
    assert_eq!(
        updated.data.unknown.get("object"),
        Some(concat!(
            r#"{"owner":{"created_at":"2021-01-01T00:00:00Z","email":null},"cloned_from":null,"#,
            r#""enable_ratings":true,"label_stats":{"TOTAL":1E3},"samples_count":"1200"}"#
        ))
    );

    let LabEvent::LabelUpdated(updated) = event("label.updated") else { panic!() };
    assert_eq!(updated.data.label.sample_id.as_str(), "9f3b");
    assert_eq!(updated.data.label.status, Some(lab::LabelStatus::Labeled));
    let LabEvent::IssueUpdated(updated) = event("issue.updated") else { panic!() };
    assert_eq!(updated.data.issue.id.as_str(), "1c5e");
    assert_eq!(updated.data.issue.status, Some("WONTFIX".into()));
    assert_eq!(updated.data.issue.sample_id, Some("9f3b".into()));
    let LabEvent::ReleaseCreated(created) = event("release.created") else { panic!() };
    assert_eq!(created.data.release.id.as_str(), "77ab");
    assert_eq!(created.data.release.samples_count, Some(1200));
    let LabEvent::DatasetDeleted(deleted) = event("dataset.deleted") else { panic!() };
    assert_eq!(deleted.data.unknown.get("object"), None);
}

#[test]
fn views_read_the_package_names() {
    fn view<T: serde::de::DeserializeOwned>(name: &str) -> T {
        decode(by_package(name)).object.read().unwrap()
    }
    let dataset: DatasetObject = view("dataset.created");
    assert_eq!(dataset.full_name.as_deref(), Some("jane/flowers"));
    assert_eq!(dataset.owner.unwrap().username.as_deref(), Some("jane"));
    assert_eq!(dataset.samples_count.unwrap().as_str(), r#""1200""#);
    assert_eq!(dataset.cloned_from, None);
    assert_eq!(dataset.unknown.get("enable_ratings"), Some("true"));
    let sample: SampleObject = view("sample.created");
    assert_eq!(sample.priority.unwrap().as_str(), "0.50");
    let label: LabelObject = view("label.updated");
    assert_eq!(label.label_status, Some(lab::LabelStatus::Labeled));
    assert_eq!(label.score.unwrap().as_str(), "0.50");
    let issue: IssueObject = view("issue.created");
    assert_eq!(issue.status, Some(lab::IssueStatus::Open));
    let release: ReleaseObject = view("release.created");
    assert_eq!(release.status, Some(lab::ReleaseStatus::Succeeded));
    assert_eq!(release.samples_count, Some(1200));
}

#[test]
fn mistyped_values_are_kept_verbatim() {
    for object in [
        r#"{"uuid":"9f3b","name":7,"created_at":20250417,"metadata":null,"run_id":[]}"#,
        r#"{"uuid":"9f3b","labware_id":"plate-7","run_id":"r1","id":"x","dataset_id":"y"}"#,
    ] {
        let body = envelope("sample.updated", object, r#","text":null"#);
        let webhook = decode(&body);
        let event = through_a_message(webhook.to_event().unwrap());
        assert_eq!(encode(&Webhook::from_event(&event).unwrap()), body);
    }
    // The envelope names the dataset, so its object needs no members.
    for object in ["null", "[1.10]", r#"{"name":"a","name":"b"}"#, r#"{"owner":"jane"}"#, "{}"] {
        let body = envelope("dataset.deleted", object, "");
        let event = through_a_message(decode(&body).to_event().unwrap());
        assert_eq!(encode(&Webhook::from_event(&event).unwrap()), body);
    }
    let body = envelope("dataset.created", r#"{"owner":{"email":null,"username":"jane"}}"#, "");
    let LabEvent::DatasetCreated(event) = decode(&body).to_event().unwrap() else { panic!() };
    assert_eq!(event.data.dataset.owner.as_deref(), Some("jane"));
    assert_eq!(event.data.unknown.get("object"), Some(r#"{"owner":{"email":null}}"#));
}

#[test]
fn changed_field_replaces_the_kept_member() {
    let body = envelope("sample.created", r#"{"uuid":"9f3b","name":null,"priority":1}"#, "");
    let LabEvent::SampleCreated(mut event) = decode(&body).to_event().unwrap() else { panic!() };
    event.data.sample.name = Some("rose.png".into());
    let webhook = Webhook::from_event(&event.into()).unwrap();
    assert_eq!(webhook.object.as_str(), r#"{"uuid":"9f3b","name":"rose.png","priority":1}"#);
    assert_eq!(webhook.text, Nullable::Absent);
}

#[test]
fn unlisted_event_passes_through_whole() {
    let more = r#","text":"A project.","by":{"user":"jane"}"#;
    let body = envelope("project.created", r#"{ "n": 1.10 }"#, more);
    let event = through_a_message(decode(&body).to_event().unwrap());
    let LabEvent::Unknown(unknown) = &event else { panic!() };
    assert_eq!(unknown.event_type.as_str(), "segments.project.created");
    assert_eq!(unknown.data.as_str(), body);
    assert_eq!(encode(&Webhook::from_event(&event).unwrap()), body);

    // `Other` with the text of a known kind is mapped like that kind.
    let mut webhook = decode(by_package("sample.created"));
    webhook.event_type = EventKind::Other("sample.created".into());
    assert!(matches!(webhook.to_event(), Ok(LabEvent::SampleCreated(Event { .. }))));
}

/// `msg_p5jXN8AQM9LWM0D4loKWxJek.1628520020.` and the body, signed by another implementation.
const SIGNATURE: &str = "v1,KRxzq2duiBGDJiz4ir45tQkpMywwTboE9ITK4H8+6wA=";

fn secret() -> Secret {
    Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()
}

fn headers(names: [&'static str; 3]) -> HeaderMap {
    let values = ["msg_p5jXN8AQM9LWM0D4loKWxJek", "1628520020", SIGNATURE];
    let pair = |(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
    names.into_iter().zip(values).map(pair).collect()
}

#[test]
fn published_body_verifies_under_one_brand() {
    let now = Timestamp::from_unix_seconds(1_628_520_020);
    let body = PUBLISHED.trim_end().as_bytes();
    let verifier = Verifier::svix(secret());
    for names in [
        ["svix-id", "svix-timestamp", "svix-signature"],
        ["webhook-id", "webhook-timestamp", "webhook-signature"],
    ] {
        let headers = headers(names);
        let verified = verifier.verify(&headers, body, now).unwrap();
        let key = segments::dedupe_key(&verified).unwrap();
        assert_eq!(key.as_str(), "msg_p5jXN8AQM9LWM0D4loKWxJek");
        assert_eq!(verified.decode::<Webhook>().unwrap(), decode(PUBLISHED));
    }
    for names in [
        ["svix-id", "webhook-timestamp", "webhook-signature"],
        ["webhook-id", "svix-timestamp", "svix-signature"],
        ["webhook-id", "webhook-timestamp", "svix-signature"],
    ] {
        let error = verifier.verify(&headers(names), body, now).unwrap_err();
        assert_eq!(error, VerifyError::MixedBrands);
        assert_eq!(
            error.to_string(),
            "the request mixes `svix-` and `webhook-` headers, incomplete or with different values"
        );
    }
    let names = ["svix-id", "svix-timestamp", "svix-signature"];
    let changed = by_package("sample.created").as_bytes();
    assert_eq!(verifier.verify(&headers(names), changed, now).unwrap_err().name(), "no-match");
}

#[test]
fn scheme_without_id_gives_no_dedupe_key() {
    let now = Timestamp::from_unix_seconds(1_628_520_020);
    let id = MessageId::new("msg_1").unwrap();
    let secret = || Secret::from_text("0123456789").unwrap();
    let headers = Signer::strike(secret()).sign(&id, now, b"{}").unwrap();
    let verified = Verifier::strike(secret()).verify(&headers, b"{}", now).unwrap();
    assert_eq!(segments::dedupe_key(&verified), None);
}
