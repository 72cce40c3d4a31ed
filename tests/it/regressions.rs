//! Faults found by attacking the crate, each as a regression test.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use labhook::delivery::{Ignored, Resolution, ResponseRules, Schedule};
use labhook::endpoint::{EndpointError, RequestError};
use labhook::message::Rendering;
use labhook::message::format::CloudEvent;
use labhook::outbox::{Change, Changes, Record, RestoreError};
use labhook::provider::linq::Hook;
use labhook::provider::strike::{CreateSubscription, WebhookVersion};
use labhook::receive::{Source, Sources};
use labhook::signature::{CustomScheme, SchemeSpec, TimestampForm};
use labhook::{
    Endpoint, LabEvent, Message, Notice, Outbox, Outcome, Registry, RetryPolicy, Secret, Signer,
    Step, Subscription, Ticket, Timestamp, Verdict, Verifier, danger,
};

use crate::support::{at, eid, message, mid, registry};

const OK: StatusCode = StatusCode::OK;

fn endpoint(policy: RetryPolicy) -> Endpoint {
    Endpoint::new(eid("e"), "https://e.example/in", Signer::unsigned()).unwrap().with_retry(policy)
}

fn outbox(policy: RetryPolicy) -> Outbox {
    Outbox::new(registry([endpoint(policy)]), 7)
}

fn secret() -> Secret {
    Secret::from_text("0123456789").unwrap()
}

type Disk = BTreeMap<String, Record>;

fn apply(disk: &mut Disk, changes: impl IntoIterator<Item = Change>) {
    for change in changes {
        match change {
            Change::Put(record) => _ = disk.insert(record.key().to_string(), record),
            Change::Delete(key) => _ = disk.remove(&key.to_string()),
        }
    }
}

fn save(outbox: &mut Outbox, disk: &mut Disk, changes: Changes) {
    let revision = changes.revision();
    apply(disk, changes);
    assert!(outbox.saved(revision));
}

/// Polls until attempt `number` is handed out; every earlier one gets this status.
fn send(outbox: &mut Outbox, disk: &mut Disk, now: &mut Timestamp, number: u32) -> Ticket {
    loop {
        match outbox.poll(*now) {
            Step::Save(changes) => save(outbox, disk, changes),
            Step::Send(attempt) if attempt.ticket().attempt() == number => {
                return attempt.ticket().clone();
            }
            Step::Send(attempt) => {
                let outcome = Outcome::bare(StatusCode::BAD_GATEWAY);
                outbox.resolve(attempt.ticket(), &outcome, *now);
            }
            Step::Notify(Notice::Failing { .. }) => {}
            Step::Wait(until) => *now = until,
            other => panic!("{other:?}"),
        }
    }
}

fn settle(outbox: &mut Outbox, disk: &mut Disk, now: Timestamp) {
    loop {
        match outbox.poll(now) {
            Step::Save(changes) => save(outbox, disk, changes),
            Step::Send(attempt) => _ = outbox.resolve(attempt.ticket(), &Outcome::bare(OK), now),
            Step::Notify(_) => {}
            Step::Wait(_) | Step::Idle => return,
        }
    }
}

#[test]
fn partial_save_does_not_reopen_a_delivery() {
    let mut outbox = outbox(RetryPolicy::none()).with_retention(Duration::from_secs(10));
    let mut disk = Disk::new();
    outbox.publish(message("m"), at(0)).unwrap();
    settle(&mut outbox, &mut disk, at(0));

    // While storage is busy the message is forgotten, and published again for no endpoint.
    outbox.publish(message("other"), at(9)).unwrap();
    let Step::Save(busy) = outbox.poll(at(9)) else { panic!() };
    let _ = outbox.poll(at(11));
    let nothing = Subscription::all().runs(["another".into()]);
    outbox
        .replace_endpoint(endpoint(RetryPolicy::none()).with_subscription(nothing), at(11))
        .unwrap();
    let published = outbox.publish(message("m"), at(11)).unwrap();
    assert!(!published.duplicate && published.endpoints.is_empty());
    save(&mut outbox, &mut disk, busy);

    let changes = loop {
        if let Step::Save(changes) = outbox.poll(at(11)) {
            break changes;
        }
    };
    let changes: Vec<_> = changes.into_iter().collect();
    for length in 0..=changes.len() {
        let mut disk = disk.clone();
        apply(&mut disk, changes[..length].iter().cloned());
        let restored =
            self::outbox(RetryPolicy::none()).restore(disk.into_values(), at(11)).unwrap();
        let open = restored
            .deliveries()
            .filter(|(message, _, it)| message.id().as_str() == "m" && it.verdict().is_none())
            .count();
        assert_eq!(open, 0, "after {length} changes");
    }
}

#[test]
fn partial_save_cancels_nothing_without_its_reason() {
    let narrow = || {
        Outbox::new(
            registry([endpoint(RetryPolicy::default()).with_max_in_flight(NonZeroU32::MIN)]),
            7,
        )
    };
    let (mut outbox, mut disk, mut now) = (narrow(), Disk::new(), at(0));
    outbox.publish(message("m1"), now).unwrap();
    outbox.publish(message("m2"), now).unwrap();
    let ticket = send(&mut outbox, &mut disk, &mut now, 1);
    outbox.resolve(&ticket, &Outcome::bare(StatusCode::GONE), now);
    let Step::Save(changes) = outbox.poll(now) else { panic!() };
    let changes: Vec<_> = changes.into_iter().collect();
    for length in 0..=changes.len() {
        let mut disk = disk.clone();
        apply(&mut disk, changes[..length].iter().cloned());
        let restored = narrow().restore(disk.into_values(), at(1)).unwrap();
        let cancelled =
            restored.deliveries().any(|(.., it)| it.verdict() == Some(Verdict::Cancelled));
        assert_eq!(
            cancelled,
            restored.status(&eid("e")).unwrap().health.disabled().is_some(),
            "after {length} changes"
        );
    }
}

#[test]
fn missing_endpoint_applies_no_other_policy() {
    let for_ever = || {
        RetryPolicy::new(Schedule::list([Duration::from_secs(1)]).forever())
            .with_responses(ResponseRules::strike())
    };
    let (mut outbox, mut disk, mut now) = (outbox(for_ever()), Disk::new(), at(0));
    outbox.publish(message("m"), now).unwrap();
    // The default policy would have given up by then.
    let ticket = send(&mut outbox, &mut disk, &mut now, 10);
    for status in [StatusCode::BAD_GATEWAY, StatusCode::GONE] {
        let restored = Outbox::new(Registry::new(), 7).restore(disk.values().cloned(), now);
        let mut restored = restored.unwrap();
        let resolution = restored.resolve(&ticket, &Outcome::bare(status), now);
        assert_eq!(resolution, Resolution::Ignored(Ignored::NoPolicy));
        assert!(restored.status(&eid("e")).unwrap().health.disabled().is_none());
        restored.insert_endpoint(endpoint(for_ever()), now).unwrap();
        assert_eq!(restored.pending(), 1);
        assert!(matches!(restored.poll(now), Step::Wait(_)), "until the attempt's deadline");
    }
}

#[test]
fn highest_sequence_number_is_an_error() {
    let mut outbox = outbox(RetryPolicy::default());
    outbox.publish(message("m"), at(0)).unwrap();
    let Step::Save(changes) = outbox.poll(at(0)) else { panic!() };
    let records = changes.iter().filter_map(|change| match change {
        Change::Put(record) => Some(serde_json::to_value(record).unwrap()),
        Change::Delete(_) => None,
    });
    let mut record = records.into_iter().find(|record| record["record"] == "message").unwrap();
    // With room for one more, two messages after it would share a number.
    for sequence in [u64::MAX, u64::MAX - 1] {
        record["sequence"] = sequence.into();
        let last: Record = serde_json::from_value(record.clone()).unwrap();
        let error = self::outbox(RetryPolicy::default()).restore([last], at(0)).unwrap_err();
        assert_eq!(error, RestoreError::LastSequence { id: mid("m") });
        assert_eq!(error.to_string(), "message m has a sequence number that no outbox reaches");
    }
}

#[test]
fn attempt_in_flight_is_restored_once() {
    let mut outbox = outbox(RetryPolicy::default());
    outbox.publish(message("m"), at(0)).unwrap();
    let Step::Save(changes) = outbox.poll(at(0)) else { panic!() };
    let mut records: Vec<Record> = changes
        .into_iter()
        .filter_map(|change| match change {
            Change::Put(record) => Some(record),
            Change::Delete(_) => None,
        })
        .collect();
    let twice: Vec<_> =
        records.iter().filter(|it| matches!(it, Record::Delivery(_))).cloned().collect();
    records.extend(twice);
    let error = self::outbox(RetryPolicy::default()).restore(records, at(0)).unwrap_err();
    assert_eq!(error, RestoreError::Duplicate { id: mid("m") });
}

#[test]
fn unsignable_message_is_reported_at_publish() {
    let description = SchemeSpec::new("x-sig", "{id}:{timestamp}:{body}")
        .with_id_header("x-id")
        .with_timestamp_header("x-time", TimestampForm::UnixSeconds);
    let signer = Signer::custom(CustomScheme::new(description).unwrap(), secret()).unwrap();
    let many = (0..32).fold(Signer::standard_webhooks(secret()), |it, _| it.add_secret(secret()));
    let with = |id, signer| Endpoint::new(eid(id), "https://e.example", signer).unwrap();
    let mut outbox = Outbox::new(registry([with("colon", signer), with("many", many)]), 7);
    let published = outbox.publish(message("run:17"), at(0)).unwrap();
    assert!(published.endpoints.is_empty());
    let refused: Vec<_> = published.render_failures.iter().map(|it| it.endpoint.as_str()).collect();
    assert_eq!(refused, ["colon", "many"]);
    let text = published.render_failures[0].error.to_string();
    assert_eq!(text, "the endpoint's signer cannot sign the message");
}

#[test]
fn self_overlapping_literal_keeps_the_end_of_an_id() {
    let scheme =
        || CustomScheme::new(SchemeSpec::new("x-sig", "{id}::{body}").with_id_header("x-id"));
    let signer = Signer::custom(scheme().unwrap(), secret()).unwrap();
    assert!(signer.sign(&mid("m:"), at(0), b"x").is_err());
    let genuine = signer.sign(&mid("m"), at(0), b":x").unwrap();
    let verifier = Verifier::custom(scheme().unwrap(), secret()).unwrap();
    assert!(verifier.verify(&genuine, b":x", at(0)).is_ok());
    let mut moved = genuine.clone();
    moved.insert("x-id", HeaderValue::from_static("m:"));
    assert!(verifier.verify(&moved, b"x", at(0)).is_err());
}

#[test]
fn rendering_with_too_many_headers_is_an_error() {
    let name = |number| HeaderName::from_bytes(format!("x-{number}").as_bytes()).unwrap();
    let plain = Rendering::new(HeaderValue::from_static("text/plain"), "x");
    let value = HeaderValue::from_static("1");
    let huge = (0..40_000).fold(plain, |it, number| it.add_header(name(number), value.clone()));
    let error = endpoint(RetryPolicy::none()).request(&mid("m"), &huge, at(0)).unwrap_err();
    assert!(matches!(error, RequestError::TooManyHeaders(_)));
    assert_eq!(error.to_string(), "request has too many headers");
}

#[test]
fn signer_cannot_use_a_header_of_the_request() {
    let length = CustomScheme::new(SchemeSpec::new("content-length", "{body}")).unwrap();
    for signer in [
        Signer::custom(length, secret()).unwrap(),
        Signer::token(header::CONTENT_TYPE, secret()).unwrap(),
    ] {
        let error = Endpoint::new(eid("e"), "https://e.example", signer).unwrap_err();
        assert!(matches!(error, EndpointError::ReservedHeader { .. }));
    }
}

#[test]
fn unreachable_url_is_rejected() {
    let new = |url: &str| Endpoint::new(eid("e"), url, Signer::unsigned());
    for port in ["99999", "abc", "", "-1", "0", "443secret"] {
        let error = new(&format!("https://e.example:{port}/")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "port of the endpoint URL must be between 1 and 65535",
            "{port}"
        );
    }
    for host in ["[]", "[zz]", "*", "$(x)"] {
        assert!(new(&format!("https://{host}/")).is_err(), "{host}");
    }
    for good in
        ["https://[::1]:8443/", "https://127.0.0.1", "https://a-b.example:1/x?y", "HTTPS://e/"]
    {
        assert!(new(good).is_ok(), "{good}");
    }
}

#[test]
fn error_shortens_and_escapes_an_unknown_field() {
    let name = format!("x\nERROR forged line {}", "y".repeat(10_000));
    let body = format!(
        r#"{{"type":"a","timestamp":"2025-04-17T09:30:00Z","data":{{}},"{name}":1,"{name}":2}}"#
    );
    let error = danger::unsigned(body.as_bytes()).decode::<LabEvent>().unwrap_err();
    let text = error.to_string();
    assert!(!text.contains('\n') && text.len() < 200, "{text}");
}

#[test]
fn decorrelated_jitter_is_never_zero() {
    let file = r#"{"jitter":{"decorrelated":{"base_ms":0,"cap_ms":60000}}}"#;
    let error = serde_json::from_str::<RetryPolicy>(file).unwrap_err();
    assert!(
        error.to_string().starts_with("`base_ms` of a `decorrelated` jitter must be at least 1"),
        "{error}"
    );
}

#[test]
fn expired_claim_does_not_block_a_handled_event() {
    use labhook::Inbox;
    use labhook::receive::Admission;

    let mut inbox = Inbox::new(1.try_into().unwrap()).with_lease(Duration::ZERO);
    let Admission::New(first) = inbox.begin("s", "a", at(0)) else { panic!() };
    assert!(matches!(inbox.begin("s", "a", at(0)), Admission::InProgress { .. }));
    let Admission::New(_) = inbox.begin("s", "b", at(1)) else { panic!() };
    assert!(inbox.done(&first, at(2)), "the other's lease is over too");
    assert_eq!(inbox.begin("s", "a", at(2)), Admission::Seen);
}

#[test]
fn message_without_renderings_is_rejected() {
    let mut json = serde_json::to_value(message("m")).unwrap();
    json["renderings"] = serde_json::json!({});
    let error = serde_json::from_value::<Message>(json).unwrap_err();
    assert_eq!(error.to_string(), "`renderings` must not be empty");
}

#[test]
fn two_digit_leap_day_falls_back_to_the_past() {
    let mut headers = HeaderMap::new();
    let date = HeaderValue::from_static("Tuesday, 29-Feb-00 00:00:00 GMT");
    headers.insert(header::RETRY_AFTER, date);
    let in_2061 = Timestamp::from_unix_seconds(2_871_763_200);
    let Outcome::Response(response) =
        Outcome::response(StatusCode::SERVICE_UNAVAILABLE, &headers, in_2061)
    else {
        panic!()
    };
    let asked = response.retry_after().unwrap();
    assert_eq!(format!("{asked:?}"), "Wait(0ns)");
}

#[test]
fn unsigned_headers_do_not_change_the_event_id() {
    let body = br#"{"run_id":"r17","state":"paused"}"#;
    let signer = Signer::standard_webhooks(secret());
    let verifier = Verifier::standard_webhooks(secret());
    let sources = Sources::new([Source::cloud_events_binary("lab", verifier)]).unwrap();
    let keys = ["msg_1", "x1", "x2"].map(|forged| {
        let mut headers = signer.sign(&mid("msg_1"), at(0), body).unwrap();
        for (name, value) in [
            ("ce-specversion", "1.0"),
            ("ce-id", forged),
            ("ce-source", "/lab"),
            ("ce-type", "run.state_changed"),
            ("content-type", "application/json"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        sources.receive(&headers, body, at(0)).unwrap().dedupe_key.unwrap().to_string()
    });
    assert_eq!(keys, ["msg_1"; 3]);
}

#[test]
fn cloud_event_without_id_or_source_is_rejected() {
    for (id, source, path) in [("", "s", "id"), ("1", "", "source")] {
        let body = format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"{source}","type":"x.y","data":{{}}}}"#
        );
        let event: CloudEvent = danger::unsigned(body.as_bytes()).decode().unwrap();
        assert_eq!(event.to_event(at(0)).unwrap_err().path(), Some(path));
    }
}

#[test]
fn null_id_list_does_not_mean_all() {
    let hook = r#"{"filter":"on_task_state_change","parameters":{"url":"https://a.example"},"task_ids":null}"#;
    let error = Hook::from_json(hook).unwrap_err();
    assert_eq!(error.to_string(), "the hook is malformed at `task_ids`");
}

#[test]
fn subscription_to_an_empty_event_type_is_rejected() {
    let new = CreateSubscription::new("https://a.example", WebhookVersion::V1, secret(), [""]);
    assert_eq!(
        new.unwrap_err().to_string(),
        "`eventTypes` must contain at least one event type and no empty ones"
    );
}
