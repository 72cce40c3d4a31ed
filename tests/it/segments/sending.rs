//! Sending lab events as Segments.ai webhooks.

use std::error::Error as _;
use std::time::Duration;

use labhook::lab::{
    Dataset, DatasetCreated, DatasetUpdated, Issue, IssueUpdated, Label, LabelDeleted, LabelStatus,
    Release, ReleaseCreated, RunState, RunStateChanged, Sample, SampleCreated,
};
use labhook::provider::segments::{self, EventKind, Format, Hook, HookError, Webhook};
use labhook::{
    EndpointId, Event, LabEvent, Message, MessageId, RetryPolicy, Secret, Signer, Timestamp,
    Verifier,
};

use super::secret;

const AT: Timestamp = Timestamp::from_unix_seconds(1_628_520_020);

fn json(event: impl Into<LabEvent>) -> String {
    let webhook = Webhook::from_event(&event.into()).unwrap();
    let json = serde_json::to_string(&webhook).unwrap();
    assert_eq!(super::decode(&json), webhook);
    json
}

fn expected(kind: &str, object: &str, text: &str, more: &str) -> String {
    format!(
        r#"{{"event_type":"{kind}","created_at":"2021-08-09T14:40:20.000Z","api_version":"2021-08-01","dataset":"jane/flowers","object":{object},"text":"{text}"{more}}}"#
    )
}

fn rose() -> Sample {
    let mut sample = Sample::new("9f3b");
    sample.name = Some("rose.png".into());
    sample.dataset_id = Some("jane/flowers".into());
    sample
}

fn created(sample: Sample) -> Message {
    let event = Event::new(SampleCreated::new(sample), AT);
    event.into_message(MessageId::new("msg_1").unwrap()).unwrap()
}

#[test]
fn own_events_have_the_published_body() {
    let mut sample = rose();
    sample.run_id = Some("r1".into());
    sample.labware_id = Some("plate-7".into());
    sample.unknown.insert("priority", "0.50").unwrap();
    let mut event = Event::new(SampleCreated::new(sample), AT);
    event.data.unknown.insert("bench", "4").unwrap();
    event.unknown.insert("trace", r#""t-1""#).unwrap();
    assert_eq!(
        json(event),
        expected(
            "sample.created",
            r#"{"uuid":"9f3b","name":"rose.png","labware_id":"plate-7","run_id":"r1","priority":0.50}"#,
            "Sample rose.png created in dataset jane/flowers.",
            r#","bench":4,"trace":"t-1""#,
        )
    );

    let mut dataset = Dataset::new("jane/flowers");
    dataset.owner = Some("jane".into());
    assert_eq!(
        json(Event::new(DatasetCreated::new(dataset.clone()), AT)),
        expected(
            "dataset.created",
            r#"{"owner":{"username":"jane"}}"#,
            "Dataset jane/flowers created.",
            "",
        )
    );
    let mut updated = DatasetUpdated::new(dataset);
    updated.changes = Some(vec!["name".into()]);
    let updated = LabEvent::from(Event::new(updated, AT));
    assert_eq!(
        json(updated.clone()),
        expected(
            "dataset.updated",
            r#"{"owner":{"username":"jane"}}"#,
            "Dataset jane/flowers updated.",
            r#","changes":["name"]"#,
        )
    );
    let LabEvent::DatasetUpdated(back) = Webhook::from_event(&updated).unwrap().to_event().unwrap()
    else {
        panic!()
    };
    assert_eq!(back.data.changes, Some(vec!["name".into()]));

    let mut label = Label::new("9f3b");
    label.dataset_id = Some("jane/flowers".into());
    label.status = Some(LabelStatus::Skipped);
    assert_eq!(
        json(Event::new(LabelDeleted::new(label), AT)),
        expected(
            "label.deleted",
            r#"{"sample_uuid":"9f3b","label_status":"SKIPPED"}"#,
            "Label of sample 9f3b deleted in dataset jane/flowers.",
            "",
        )
    );
    let mut issue = Issue::new("1c5e");
    issue.dataset_id = Some("jane/flowers".into());
    assert_eq!(
        json(Event::new(IssueUpdated::new(issue), AT)),
        expected(
            "issue.updated",
            r#"{"uuid":"1c5e"}"#,
            "Issue 1c5e updated in dataset jane/flowers.",
            "",
        )
    );
    let mut release = Release::new("77ab");
    release.dataset_id = Some("jane/flowers".into());
    release.samples_count = Some(1200);
    assert_eq!(
        json(Event::new(ReleaseCreated::new(release), AT)),
        expected(
            "release.created",
            r#"{"uuid":"77ab","samples_count":1200}"#,
            "Release 77ab created in dataset jane/flowers.",
            "",
        )
    );
}

#[test]
fn kept_version_and_text_are_written_verbatim() {
    let mut event = Event::new(SampleCreated::new(rose()), AT);
    event.data.unknown.insert("text", r#""A rose.""#).unwrap();
    let webhook = Webhook::from_event(&event.clone().into()).unwrap();
    assert_eq!(webhook.text.value().unwrap(), "A rose.");
    assert_eq!(webhook.api_version, "2021-08-01");
    event.data.unknown.insert("api_version", r#""2030-01-01""#).unwrap();
    assert_eq!(Webhook::from_event(&event.into()).unwrap().api_version, "2030-01-01");
}

#[test]
fn format_output_verifies_and_decodes() {
    let hook = Hook::new("https://eln.example/hooks?key=1", "jane").unwrap();
    let endpoint = hook.endpoint(EndpointId::new("eln").unwrap(), Signer::svix(secret())).unwrap();
    let mut message = created(rose());
    assert!(endpoint.subscription.matches(&message));
    message.render(endpoint.format()).unwrap();
    let rendering = message.rendering("segments").unwrap();
    let request = endpoint.request(message.id(), rendering, AT).unwrap();
    assert_eq!(request.headers()["svix-id"], "msg_1");
    assert_eq!(request.headers()["content-type"], "application/json");

    let verifier = Verifier::svix(secret());
    let verified = verifier.verify(request.headers(), request.body(), AT).unwrap();
    assert_eq!(segments::dedupe_key(&verified).unwrap().as_str(), "msg_1");
    let webhook: Webhook = verified.decode().unwrap();
    let text = "Sample rose.png created in dataset jane/flowers.";
    assert_eq!(webhook.text.value().unwrap(), text);

    let run = Event::new(RunStateChanged::new("r1", RunState::Paused), AT);
    let mut message = run.into_message(MessageId::new("msg_2").unwrap()).unwrap();
    let error = message.render(&Format::default()).unwrap_err();
    assert_eq!(error.to_string(), "cannot write the event as a Segments.ai webhook");
    assert_eq!(
        std::error::Error::source(&error).unwrap().to_string(),
        "Segments.ai has no webhook for `run.state_changed` events"
    );
}

#[test]
fn hook_receives_its_kinds_in_its_owners_datasets() {
    let hook = Hook::new("https://eln.example/hooks", "jane").unwrap().with_version(2);
    assert_eq!((hook.version, hook.owner()), (Some(2), "jane"));
    assert_eq!(hook.expose_url(), "https://eln.example/hooks");
    let in_dataset = |dataset: Option<&str>| {
        let mut sample = rose();
        sample.dataset_id = dataset.map(Into::into);
        created(sample)
    };
    let everything = hook.subscription().unwrap();
    for (dataset, owned) in [
        ("jane/flowers", true),
        ("jane/", true),
        ("jane", false),
        ("Jane/flowers", false),
        ("janet/flowers", false),
        ("joe/jane/flowers", false),
    ] {
        assert_eq!(hook.owns(&dataset.into()), owned, "{dataset}");
        assert_eq!(everything.matches(&in_dataset(Some(dataset))), owned, "{dataset}");
    }
    assert!(!everything.matches(&in_dataset(None)));

    let some = hook.clone().with_event_types([EventKind::SampleDeleted]);
    assert!(!some.subscription().unwrap().matches(&in_dataset(Some("jane/flowers"))));
    let some = some.with_event_types([EventKind::SampleCreated, "project.created".into()]);
    assert!(some.subscription().unwrap().matches(&in_dataset(Some("jane/flowers"))));
    assert!(
        serde_json::to_string(&some.subscription().unwrap())
            .unwrap()
            .contains(r#""segments.project.created""#)
    );
}

#[test]
fn policy_is_svix() {
    let hook = Hook::new("https://eln.example/hooks", "jane").unwrap();
    let endpoint =
        hook.endpoint(EndpointId::new("eln").unwrap(), Signer::standard_webhooks(secret()));
    assert_eq!(endpoint.unwrap().policy.retry, RetryPolicy::svix());
    assert_eq!(segments::policy(), RetryPolicy::svix());
    assert_eq!(segments::policy().attempt_timeout(), Duration::from_secs(15));
    assert_eq!(segments::DISABLED_AFTER, Duration::from_secs(432_000));
}

#[test]
fn hook_errors_have_exact_texts() {
    let text = |error: HookError| (error.to_string(), error.source().map(ToString::to_string));
    let url = |url| text(Hook::new(url, "jane").unwrap_err());
    let unusable = "invalid URL of the Segments.ai hook".to_owned();
    for (bad, why) in [
        (
            "http://eln.example/hooks",
            "scheme of the endpoint URL must be `https`; only `Endpoint::plain_http` accepts `http`",
        ),
        ("eln.example", "endpoint URL must be absolute, with a scheme and a host"),
        ("https://a:b@eln.example", "endpoint URL must not contain a user name or password"),
        ("https://eln.example/#a", "endpoint URL must not contain a fragment"),
    ] {
        assert_eq!(url(bad), (unusable.clone(), Some(why.to_owned())));
    }
    for owner in ["", "jane/flowers"] {
        let error = Hook::new("https://eln.example", owner).unwrap_err();
        let own = "`owner` of the Segments.ai hook must not be empty or contain `/`".to_owned();
        assert_eq!(text(error), (own, None));
    }
    let hook = Hook::new("https://eln.example", "jane").unwrap();
    let id = || EndpointId::new("eln").unwrap();
    let strike = Signer::strike(Secret::from_text("0123456789").unwrap());
    for signer in [strike, Signer::unsigned()] {
        let own = "signer of a Segments.ai hook must use Svix or Standard Webhooks".to_owned();
        assert_eq!(text(hook.endpoint(id(), signer).unwrap_err()), (own, None));
    }
    let odd = hook.with_event_types(["a b".into()]);
    let own = "invalid event type in the Segments.ai hook".to_owned();
    let why = "event type must contain only `A-Z a-z 0-9 _ - .`".to_owned();
    assert_eq!(text(odd.subscription().unwrap_err()), (own.clone(), Some(why.clone())));
    let error = odd.endpoint(id(), Signer::svix(secret())).unwrap_err();
    assert_eq!(text(error), (own, Some(why)));
}

#[test]
fn debug_hides_the_url() {
    let hook = Hook::new("https://hooks.example/services/T0/SECRET?key=SECRET", "jane").unwrap();
    let endpoint = hook.endpoint(EndpointId::new("eln").unwrap(), Signer::svix(secret())).unwrap();
    assert_eq!(format!("{hook:?}"), r#"Hook(https://hooks.example, "jane", [])"#);
    assert!(!format!("{endpoint:?}").contains("SECRET"));
}
