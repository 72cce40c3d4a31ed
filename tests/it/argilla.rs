//! Argilla webhooks: every published payload, the mapping both ways, and its errors.

mod errors;
mod properties;

use labhook::provider::MapError;
use labhook::provider::argilla::{
    self, DatasetObject, DatasetStatus, EventKind, Format, RecordObject, RecordStatus,
    ResponseObject, ResponseStatus, Webhook,
};
use labhook::receive::{Source, Sources};
use labhook::{LabEvent, MessageId, Secret, Signer, Timestamp, Verifier, danger, lab};

use crate::support::through_a_message;

macro_rules! published {
    ($($name:literal => $event_type:literal,)+) => {
        [$(($name, $event_type, include_str!(concat!("../data/argilla/", $name, ".json")))),+]
    };
}

/// The documentation's examples, without whitespace between the members, and the type of the lab
/// event. A comma that the page lacks in `dataset.updated` is added.
const PUBLISHED: [(&str, &str, &str); 11] = published![
    "dataset.created" => "dataset.created",
    "dataset.updated" => "dataset.updated",
    "dataset.deleted" => "dataset.deleted",
    "dataset.published" => "release.created",
    "record.created" => "sample.created",
    "record.updated" => "sample.updated",
    "record.deleted" => "sample.deleted",
    "record.completed" => "sample.updated",
    "response.created" => "label.updated",
    "response.updated" => "label.updated",
    "response.deleted" => "label.deleted",
];

const DATASET: &str = "ae2961f0-18a4-49d5-ba0c-40fa863fc8f2";
const RECORD: &str = "88654411-4eec-4d17-ad73-e5baf59d0efb";

fn published(name: &str) -> &'static str {
    PUBLISHED.iter().find(|(known, ..)| *known == name).unwrap().2.trim_end()
}

fn decode(body: &str) -> Webhook {
    danger::unsigned(body.as_bytes()).decode().unwrap()
}

fn encode(webhook: &Webhook) -> String {
    serde_json::to_string(webhook).unwrap()
}

#[test]
fn published_payloads_round_trip_through_the_lab() {
    for (name, event_type, body) in PUBLISHED {
        let body = body.trim_end();
        let webhook = decode(body);
        assert_eq!(encode(&webhook), body);
        assert_eq!(webhook.event_type.as_str(), name);
        assert!(webhook.unknown.is_empty());

        let event = through_a_message(webhook.to_event().unwrap());
        assert_eq!(event.event_type().as_str(), event_type, "{name}");
        assert_eq!(event.timestamp(), &webhook.timestamp);
        assert!(event.timestamp().timestamp().is_some());
        assert!(event.keys().dataset.is_some(), "{name}");
        assert_eq!(encode(&Webhook::from_event(&event).unwrap()), body);
    }
    let names: Vec<&str> = EventKind::KNOWN.iter().map(EventKind::as_str).collect();
    assert_eq!(names, PUBLISHED.map(|(name, ..)| name));
}

#[test]
fn typed_fields_are_read_and_the_rest_kept() {
    let event = |name| decode(published(name)).to_event().unwrap();
    let LabEvent::DatasetUpdated(updated) = event("dataset.updated") else { panic!() };
    let dataset = updated.data.dataset;
    assert_eq!(dataset.id.as_str(), "3d673549-ad31-4485-97eb-31f9dcd0df71");
    assert_eq!(dataset.name.as_deref(), Some("fineweb-edu-min"));
    let created_at = dataset.created_at.unwrap();
    assert_eq!(created_at.as_str(), "2024-09-26T14:17:20.477163");
    assert_eq!(created_at.timestamp(), None, "it has no UTC offset");
    assert_eq!(updated.data.unknown.get("version"), Some("1"));
    assert_eq!(updated.data.unknown.get("type"), None);
    let rest = updated.data.unknown.get("data").unwrap();
    assert!(rest.starts_with(r#"{"guidelines":null,"allow_extra_metadata":false,"status""#));

    let LabEvent::ReleaseCreated(released) = event("dataset.published") else { panic!() };
    assert_eq!(released.data.release.id.as_str(), dataset.id.as_str());
    assert_eq!(released.data.release.dataset_id, Some(dataset.id));

    let LabEvent::SampleUpdated(completed) = event("record.completed") else { panic!() };
    let lab::SampleUpdated { sample, changes, unknown, .. } = completed.data;
    assert_eq!(sample.id.as_str(), RECORD);
    assert_eq!(sample.dataset_id, Some(DATASET.into()));
    assert!(sample.attributes.unwrap().as_str().starts_with(r#"{"text":"Throughout life"#));
    assert!(sample.metadata.unwrap().as_str().contains(r#""language_score":0.9633054733276367"#));
    assert_eq!(changes, None);
    assert_eq!(unknown.get("type"), Some(r#""record.completed""#));

    let LabEvent::LabelUpdated(updated) = event("response.updated") else { panic!() };
    let label = updated.data.label;
    assert_eq!(label.sample_id.as_str(), "54b137ae-68a4-4aa4-ab2f-ef350ca96a6b");
    assert_eq!(label.status, Some("discarded".into()));
    assert_eq!(label.created_by.as_deref(), Some("argilla"));
    assert_eq!(label.updated_at.unwrap().as_str(), "2024-09-26T14:13:22.206179");
    assert_eq!(label.dataset_id, Some(DATASET.into()));
}

#[test]
fn views_read_the_published_objects() {
    let dataset: DatasetObject = decode(published("dataset.deleted")).data.read().unwrap();
    assert_eq!(dataset.status, DatasetStatus::Ready);
    assert_eq!(dataset.workspace.name, "argilla");
    let record: RecordObject = decode(published("record.created")).data.read().unwrap();
    assert_eq!(record.status, RecordStatus::Pending);
    assert!(record.external_id.value().unwrap().starts_with("<urn:uuid:"));
    let response: ResponseObject = decode(published("response.deleted")).data.read().unwrap();
    assert_eq!(response.status, ResponseStatus::Submitted);
    assert_eq!(response.user.role, "owner");
    assert_eq!(response.record.dataset.id.as_str(), DATASET);
    for (_, _, body) in PUBLISHED {
        let data = decode(body).data;
        let unknown = match body.split('.').next().unwrap() {
            r#"{"type":"dataset"# => data.read::<DatasetObject>().unwrap().unknown,
            r#"{"type":"record"# => data.read::<RecordObject>().unwrap().unknown,
            _ => data.read::<ResponseObject>().unwrap().unknown,
        };
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}

/// The members of a `ping` are those of the server's source.
#[test]
fn ping_passes_through_whole() {
    let body = r#"{"type":"ping","version":1,"timestamp":"2024-09-26T14:17:20.488053Z","data":{"agent":"argilla-server","version":"2.8.0"}}"#;
    let event = through_a_message(decode(body).to_event().unwrap());
    let LabEvent::Unknown(unknown) = &event else { panic!("{event:?}") };
    assert_eq!(unknown.event_type.as_str(), "argilla.ping");
    assert_eq!(unknown.data.as_str(), body);
    assert_eq!(encode(&Webhook::from_event(&event).unwrap()), body);
}

#[test]
fn changed_field_replaces_the_kept_member() {
    let body = published("response.created");
    let LabEvent::LabelUpdated(mut event) = decode(body).to_event().unwrap() else { panic!() };
    event.data.label.status = Some("draft".into());
    event.unknown.insert("trace", r#""t-1""#).unwrap();
    event.data.label.unknown.insert("bench", "4").unwrap();
    let back = encode(&Webhook::from_event(&event.into()).unwrap());
    let expected = body.replacen(r#""status":"submitted""#, r#""status":"draft""#, 1).replace(
        "\"updated_at\":\"2024-09-26T14:05:30.128332\"}}",
        "\"updated_at\":\"2024-09-26T14:05:30.128332\",\"bench\":4},\"trace\":\"t-1\"}",
    );
    assert_eq!(back, expected);
}

#[test]
fn own_event_is_written_with_the_required_members() {
    let mut sample = lab::Sample::new("s1");
    sample.attributes = Some(r#"{"text":"rose"}"#.parse().unwrap());
    sample.dataset_id = Some("d1".into());
    sample.created_at = Some(Timestamp::UNIX_EPOCH.into());
    let mut event = labhook::Event::new(lab::SampleCreated::new(sample), Timestamp::UNIX_EPOCH);
    let rest = r#"{"updated_at":"1970-01-01T00:00:00Z","dataset":{"id":"d1"},"status":"pending"}"#;
    event.data.unknown.insert("data", rest).unwrap();
    let event = LabEvent::from(event);
    let body = r#"{"type":"record.created","version":1,"timestamp":"1970-01-01T00:00:00.000Z","data":{"id":"s1","status":"pending","fields":{"text":"rose"},"dataset":{"id":"d1"},"inserted_at":"1970-01-01T00:00:00.000Z","updated_at":"1970-01-01T00:00:00Z"}}"#;
    assert_eq!(encode(&Webhook::from_event(&event).unwrap()), body);

    let message = event.into_message(MessageId::new("msg_1").unwrap()).unwrap();
    let format = Format::default();
    let rendering = labhook::message::format::Format::render(&format, &message).unwrap();
    assert_eq!(rendering.body().unwrap(), body.as_bytes());
}

fn secret() -> Secret {
    Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()
}

/// Argilla makes another id for each attempt: the key must not be the id.
#[test]
fn redelivery_under_another_id_has_the_same_key() {
    let now = Timestamp::from_unix_seconds(1_727_359_530);
    let source = Source::argilla("labelling", Verifier::standard_webhooks(secret()));
    let sources = Sources::new([source]).unwrap();
    let key_of = |id: &str, body: &str| {
        let signer = Signer::standard_webhooks(secret());
        let id = MessageId::new(id).unwrap();
        let headers = signer.sign(&id, now, body.as_bytes()).unwrap();
        let received = sources.receive(&headers, body.as_bytes(), now);
        received.map_err(|error| error.to_string()).unwrap().dedupe_key.unwrap()
    };
    let body = published("record.completed");
    let key = key_of("msg_1", body);
    assert_eq!(key, key_of("msg_2", body));
    assert_eq!(key, decode(body).dedupe_key());
    assert_eq!(
        key.as_str(),
        "16:record.completed/27:2024-09-26T14:05:30.236958Z/36:88654411-4eec-4d17-ad73-e5baf59d0efb"
    );
    // Without its envelope a body has its digest as the key.
    let short = r#"{"type":"record.completed"}"#;
    assert_eq!(key_of("msg_1", short), key_of("msg_2", short));
    assert!(key_of("msg_1", short).as_str().starts_with("sha256:"));

    let keys: std::collections::BTreeSet<_> =
        PUBLISHED.iter().map(|(_, _, body)| decode(body).dedupe_key()).collect();
    assert_eq!(keys.len(), PUBLISHED.len());
}

#[test]
fn policy_has_the_published_retries_and_timeout() {
    let policy = argilla::policy();
    assert_eq!(policy.retries(), Some(3));
    assert_eq!(policy.attempt_timeout().as_secs(), 20);
    let delays: Vec<_> = (1..=3).map(|n| policy.schedule().delay(n).unwrap().as_secs()).collect();
    assert_eq!(delays, [10, 60, 180]);
}

#[test]
fn other_vendors_event_is_refused_by_name() {
    let event = labhook::Event::new(
        lab::RunStateChanged::new("r1", lab::RunState::Started),
        Timestamp::UNIX_EPOCH,
    );
    let error = Webhook::from_event(&event.into()).unwrap_err();
    assert!(matches!(error, MapError::NoWebhook { vendor: "Argilla", .. }));
    assert_eq!(error.to_string(), "Argilla has no webhook for `run.state_changed` events");
}

#[test]
fn events_without_a_usual_id_have_other_keys() {
    let key = |data: &str| {
        let body = format!(
            r#"{{"type":"record.created","version":1,"timestamp":"2025-04-17T09:30:00Z","data":{data}}}"#
        );
        let webhook: Webhook = danger::unsigned(body.as_bytes()).decode().unwrap();
        webhook.dedupe_key().as_str().to_owned()
    };
    let bodies = [r#"{"id":1}"#, r#"{"id":2}"#, r#"{"id":null}"#, "7", r#"{"id":"a","id":"b"}"#];
    let keys: std::collections::BTreeSet<_> = bodies.into_iter().map(key).collect();
    assert_eq!(keys.len(), bodies.len());
}
