//! Every kind of source: its proof, dedupe key and event.

use labhook::Event;
use labhook::lab::{RunState, RunStateChanged};
use labhook::message::format::{CloudEvents, Format as _};

use super::*;

/// Receives a request of `source` with `receive_from` and with `receive`.
#[track_caller]
fn receive_both_ways<'a>(source: &str, headers: &'a HeaderMap, body: &'a str) -> Received<'a> {
    let named = all().receive_from(source, headers, body.as_bytes(), now()).unwrap();
    let received = all().receive(headers, body.as_bytes(), now()).unwrap();
    assert_eq!(received.source, source);
    assert_eq!(named.source, source);
    assert_eq!(named.event, received.event);
    assert_eq!(named.dedupe_key, received.dedupe_key);
    assert_eq!(received.proof.body(), body.as_bytes());
    received
}

#[track_caller]
fn is_verified(received: &Received<'_>) {
    assert!(matches!(received.proof, Proof::Verified(_)), "{received:?}");
}

#[track_caller]
fn is_unsigned(received: &Received<'_>) {
    assert!(matches!(received.proof, Proof::Unsigned(_)), "{received:?}");
}

fn rendered(format: &CloudEvents) -> (HeaderMap, String) {
    let event = Event::new(RunStateChanged::new("run-17", RunState::Paused), now());
    let rendering = format.render(&event.into_message(id()).unwrap()).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("content-type", rendering.content_type().clone());
    for (name, value) in rendering.headers() {
        headers.insert(name.clone(), value.clone());
    }
    (headers, String::from_utf8(rendering.body().unwrap().to_vec()).unwrap())
}

#[test]
fn envelope_source_decodes_and_verifies() {
    let headers = signed(&Signer::standard_webhooks(secret("key-envelope")), ENVELOPE);
    let received = receive_both_ways("scheduler", &headers, ENVELOPE);
    is_verified(&received);
    assert_eq!(key(&received), Some("msg_1"));
    assert_eq!(received.event.event_type().as_str(), "run.state_changed");
}

#[test]
fn strike() {
    let headers = signed(&Signer::strike(secret("key-strike")), STRIKE);
    let received = receive_both_ways("payments", &headers, STRIKE);
    is_verified(&received);
    assert_eq!(key(&received), Some(STRIKE_ID));
    let LabEvent::ResourceChanged(event) = &received.event else { panic!("{received:?}") };
    assert_eq!(event.data.resource_type, "invoice");
}

#[test]
fn segments_under_either_brand() {
    for signer in [Signer::svix, Signer::standard_webhooks] {
        let headers = signed(&signer(secret("key-segments")), SEGMENTS);
        let received = receive_both_ways("labelling", &headers, SEGMENTS);
        is_verified(&received);
        assert_eq!(key(&received), Some("msg_1"));
        let LabEvent::SampleCreated(event) = &received.event else { panic!("{received:?}") };
        assert_eq!(event.data.sample.id.as_str(), "9f3b");
    }
}

/// A LINQ body does not contain its kind; the token identifies it.
#[test]
fn linq_kind_follows_from_the_token() {
    let received = receive_both_ways("runs", leaked(with_token("key-runs")), LINQ);
    is_verified(&received);
    let LabEvent::RunStateChanged(event) = &received.event else { panic!("{received:?}") };
    assert_eq!(event.data.state.as_str(), "paused");
    assert!(key(&received).unwrap().starts_with("19:on_run_state_change/"));

    let received = receive_both_ways("tasks", leaked(with_token("key-tasks")), LINQ_TASK);
    let LabEvent::TaskStateChanged(event) = &received.event else { panic!("{received:?}") };
    assert_eq!(event.data.task_id.as_str(), "t-17");
    assert!(key(&received).unwrap().starts_with("20:on_task_state_change/"));
}

#[test]
fn every_linq_kind_is_received() {
    for (kind, body, event_type) in [
        (Kind::RunStateChange, LINQ, "run.state_changed"),
        (Kind::TaskStateChange, LINQ_TASK, "task.state_changed"),
        (
            Kind::SafetyStateChange,
            include_str!("../../data/linq/own/safety_state_change.json"),
            "safety.state_changed",
        ),
        (
            Kind::LabwareMovement,
            include_str!("../../data/linq/own/labware_movement.json"),
            "labware.moved",
        ),
        (Kind::NewPlan, LINQ_PLAN, "plan.created"),
    ] {
        for (source, headers) in [
            (Source::linq("cell", kind, token_verifier("key")), with_token("key")),
            (danger::linq("cell", kind), HeaderMap::new()),
        ] {
            let sources = sources([source]);
            let received = sources.receive(&headers, body.as_bytes(), now()).unwrap();
            assert_eq!(received.event.event_type().as_str(), event_type);
            assert!(received.dedupe_key.is_some());
        }
    }
}

/// LINQ publishes no member for the workcell; the receiver knows it.
#[test]
fn linq_source_supplies_the_workcell() {
    let body = r#"{"state":"emergency_stop","timestamp":"2025-04-17T09:30:00.000Z"}"#;
    let source = danger::linq("cell", Kind::SafetyStateChange);
    let without = sources([source.clone()]);
    let received = without.receive_from("cell", no_headers(), body.as_bytes(), now()).unwrap();
    assert_eq!(unreadable(&received), ("linq.on_safety_state_change", "workcell_id"));
    let sources = sources([source.with_workcell("cell-1")]);
    let received = sources.receive(no_headers(), body.as_bytes(), now()).unwrap();
    let LabEvent::SafetyStateChanged(event) = &received.event else { panic!("{received:?}") };
    assert_eq!(event.data.workcell_id.as_str(), "cell-1");
}

#[test]
fn cloud_events_are_received_in_both_modes() {
    for (format, signer, source) in [
        (
            CloudEvents::structured("/cell-1").unwrap(),
            Signer::custom(CustomScheme::STRIPE, secret("key-bus")).unwrap(),
            "bus",
        ),
        (
            CloudEvents::binary("/cell-1").unwrap(),
            Signer::custom(CustomScheme::GITHUB, secret("key-wire")).unwrap(),
            "wire",
        ),
    ] {
        let (mut headers, body) = rendered(&format);
        headers.extend(signed(&signer, &body));
        let received = receive_both_ways(source, &headers, &body);
        is_verified(&received);
        // The event's source and id.
        assert_eq!(key(&received), Some("7:/cell-1/5:msg_1"));
        assert_eq!(received.event.event_type().as_str(), "run.state_changed");
    }
}

#[test]
fn strateos_is_received_signed_and_unsigned() {
    let built = "13:p18sjzxaeaff9/13:r19a428rm8tbp/11:run_started";

    let headers =
        signed(&Signer::custom(CustomScheme::LINEAR, secret("key-gateway")).unwrap(), STRATEOS);
    let received = receive_both_ways("gateway", &headers, STRATEOS);
    is_verified(&received);
    assert_eq!(key(&received), Some(built));

    let received = receive_both_ways("cloud lab", no_headers(), STRATEOS);
    is_unsigned(&received);
    assert_eq!(key(&received), Some(built));
    let LabEvent::RunStateChanged(event) = &received.event else { panic!("{received:?}") };
    // The webhook has no timestamp.
    assert_eq!(event.timestamp.timestamp(), Some(now()));
}

#[test]
fn unsigned_request_goes_to_the_source_that_decodes() {
    let received = receive_both_ways("bare plans", no_headers(), LINQ_PLAN);
    is_unsigned(&received);
    assert_eq!(received.event.event_type().as_str(), "plan.created");
}

/// Without a timestamp, a redelivery looks the same as a second event.
#[test]
fn untimed_linq_request_has_no_dedupe_key() {
    let body = r#"{"state":"running","run_id":"r1","task_id":"t1"}"#;
    let received = receive_both_ways("tasks", leaked(with_token("key-tasks")), body);
    assert_eq!(key(&received), None);
    let LabEvent::TaskStateChanged(event) = &received.event else { panic!("{received:?}") };
    assert_eq!(event.timestamp.timestamp(), Some(now()));
}

/// If the signature covers no id, the key is the digest of the body.
#[test]
fn body_without_an_id_has_its_digest_as_key() {
    let sources = sources([Source::envelope("lims", token_verifier("key"))]);
    let key_of = |body: &str| {
        let received = sources.receive(leaked(with_token("key")), body.as_bytes(), now()).unwrap();
        key(&received).unwrap().to_owned()
    };
    let digest = key_of(ENVELOPE);
    assert_eq!(digest.len(), "sha256:".len() + 64);
    assert!(digest.starts_with("sha256:"));
    assert_eq!(digest, key_of(ENVELOPE));
    assert_ne!(digest, key_of(&format!("{ENVELOPE} ")));
}

/// Two senders with the same scheme are distinguished by their keys.
#[test]
fn sources_of_one_scheme_differ_by_key() {
    let sources = sources([
        Source::strike("one", Verifier::strike(secret("key-one"))),
        Source::strike("two", Verifier::strike(secret("key-two")).add_secret(secret("key-old"))),
        Source::strike("three", Verifier::strike(secret("key-three"))),
    ]);
    for (key, source) in
        [("key-one", "one"), ("key-two", "two"), ("key-old", "two"), ("key-three", "three")]
    {
        let headers = signed(&Signer::strike(secret(key)), STRIKE);
        let received = sources.receive(&headers, STRIKE.as_bytes(), now()).unwrap();
        assert_eq!(received.source, source);
    }
    let headers = signed(&Signer::strike(secret("key-four")), STRIKE);
    let refusal = refused(sources.receive(&headers, STRIKE.as_bytes(), now()));
    let refused = ["one", "two", "three"].map(|name| (name, "no-match"));
    assert_eq!(tried(&refusal), refused);
}

/// A key of one source is not accepted for another.
#[test]
fn receive_from_accepts_only_the_named_source() {
    let headers = signed(&Signer::svix(secret("key-segments")), SEGMENTS);
    let refusal = refused(all().receive_from("scheduler", &headers, SEGMENTS.as_bytes(), now()));
    assert_eq!(refusal.name(), "missing-header");
    assert!(all().receive_from("labelling", &headers, SEGMENTS.as_bytes(), now()).is_ok());

    // A signed source does not accept an unsigned request of the same format.
    let refusal = refused(all().receive_from("gateway", no_headers(), STRATEOS.as_bytes(), now()));
    assert_eq!(tried(&refusal), [("gateway", "missing-header")]);
}
