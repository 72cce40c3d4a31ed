//! Every kind of source: whose it is, on what proof, under which key, and what it tells.

use labhook::Event;
use labhook::lab::{RunState, RunStateChanged};
use labhook::message::format::{CloudEvents, Format as _};

use super::*;

/// Takes the request, which is of `source`, through either door.
#[track_caller]
fn taken<'a>(source: &str, headers: &HeaderMap, body: &'a str) -> Received<'a> {
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
    (headers, String::from_utf8(rendering.body().to_vec()).unwrap())
}

#[test]
fn the_crates_own_envelope() {
    let headers = signed(&Signer::standard_webhooks(secret("key-envelope")), ENVELOPE);
    let received = taken("scheduler", &headers, ENVELOPE);
    is_verified(&received);
    assert_eq!(key(&received), Some("msg_1"));
    assert_eq!(received.event.event_type().as_str(), "run.state_changed");
}

#[test]
fn strike() {
    let headers = signed(&Signer::strike(secret("key-strike")), STRIKE);
    let received = taken("payments", &headers, STRIKE);
    is_verified(&received);
    assert_eq!(key(&received), Some(STRIKE_ID));
    let LabEvent::ResourceChanged(event) = &received.event else { panic!("{received:?}") };
    assert_eq!(event.data.resource_type, "invoice");
}

#[test]
fn segments_under_either_brand() {
    for signer in [Signer::svix, Signer::standard_webhooks] {
        let headers = signed(&signer(secret("key-segments")), SEGMENTS);
        let received = taken("labelling", &headers, SEGMENTS);
        is_verified(&received);
        assert_eq!(key(&received), Some("msg_1"));
        let LabEvent::SampleCreated(event) = &received.event else { panic!("{received:?}") };
        assert_eq!(event.data.sample.id.as_str(), "9f3b");
    }
}

/// No body of LINQ's says of which kind it is: the token does.
#[test]
fn linqs_kinds_by_their_tokens() {
    let received = taken("runs", &with_token("key-runs"), LINQ);
    is_verified(&received);
    let LabEvent::RunStateChanged(event) = &received.event else { panic!("{received:?}") };
    assert_eq!(event.data.state.as_str(), "paused");
    assert!(key(&received).unwrap().starts_with("19:on_run_state_change/"));

    let received = taken("tasks", &with_token("key-tasks"), LINQ_TASK);
    let LabEvent::TaskStateChanged(event) = &received.event else { panic!("{received:?}") };
    assert_eq!(event.data.task_id.as_str(), "t-17");
    assert!(key(&received).unwrap().starts_with("20:on_task_state_change/"));
}

#[test]
fn every_kind_of_linqs_hooks() {
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

/// LINQ has no known member for it: the receiver knows where its hook is.
#[test]
fn a_source_knows_the_workcell_of_its_safety_hook() {
    let body = r#"{"state":"emergency_stop","timestamp":"2025-04-17T09:30:00.000Z"}"#;
    let source = danger::linq("cell", Kind::SafetyStateChange);
    let refusal =
        refused(sources([source.clone()]).receive(&HeaderMap::new(), body.as_bytes(), now()));
    assert_eq!(refusal.name(), "unmapped");
    let sources = sources([source.with_workcell("cell-1")]);
    let received = sources.receive(&HeaderMap::new(), body.as_bytes(), now()).unwrap();
    let LabEvent::SafetyStateChanged(event) = &received.event else { panic!("{received:?}") };
    assert_eq!(event.data.workcell_id.as_str(), "cell-1");
}

#[test]
fn cloud_events_in_both_modes() {
    for (format, signer, source) in [
        (
            CloudEvents::structured("/cell-1").unwrap(),
            Signer::custom(CustomScheme::STRIPE, secret("key-bus")),
            "bus",
        ),
        (
            CloudEvents::binary("/cell-1").unwrap(),
            Signer::custom(CustomScheme::GITHUB, secret("key-wire")),
            "wire",
        ),
    ] {
        let (mut headers, body) = rendered(&format);
        headers.extend(signed(&signer, &body));
        let received = taken(source, &headers, &body);
        is_verified(&received);
        // The source and the id of the event.
        assert_eq!(key(&received), Some("7:/cell-1/5:msg_1"));
        assert_eq!(received.event.event_type().as_str(), "run.state_changed");
    }
}

#[test]
fn strateos_behind_a_gateway_that_signs_and_without_one() {
    let built = "13:p18sjzxaeaff9/13:r19a428rm8tbp/11:run_started";

    let headers = signed(&Signer::custom(CustomScheme::LINEAR, secret("key-gateway")), STRATEOS);
    let received = taken("gateway", &headers, STRATEOS);
    is_verified(&received);
    assert_eq!(key(&received), Some(built));

    let received = taken("cloud lab", &HeaderMap::new(), STRATEOS);
    is_unsigned(&received);
    assert_eq!(key(&received), Some(built));
    let LabEvent::RunStateChanged(event) = &received.event else { panic!("{received:?}") };
    // It has no time of its own.
    assert_eq!(event.timestamp.timestamp(), now());
}

#[test]
fn an_unsigned_request_is_of_the_source_that_can_read_it() {
    let received = taken("bare plans", &HeaderMap::new(), LINQ_PLAN);
    is_unsigned(&received);
    assert_eq!(received.event.event_type().as_str(), "plan.created");
}

/// Without a time nothing tells a repetition from a second event.
#[test]
fn some_requests_have_no_dedupe_key() {
    let body = r#"{"state":"running","run_id":"r1","task_id":"t1"}"#;
    let received = taken("tasks", &with_token("key-tasks"), body);
    assert_eq!(key(&received), None);
    let LabEvent::TaskStateChanged(event) = &received.event else { panic!("{received:?}") };
    assert_eq!(event.timestamp.timestamp(), now());
}

/// An envelope without an id under its signature is known by its bytes.
#[test]
fn a_body_without_an_id_is_known_by_its_digest() {
    let sources = sources([Source::envelope("lims", token_verifier("key"))]);
    let key_of = |body: &str| {
        let received = sources.receive(&with_token("key"), body.as_bytes(), now()).unwrap();
        key(&received).unwrap().to_owned()
    };
    let digest = key_of(ENVELOPE);
    assert_eq!(digest.len(), "sha256:".len() + 64);
    assert!(digest.starts_with("sha256:"));
    assert_eq!(digest, key_of(ENVELOPE));
    assert_ne!(digest, key_of(&format!("{ENVELOPE} ")));
}

/// Two senders of one scheme: whose key fits.
#[test]
fn several_sources_of_one_scheme() {
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

/// One sender's key does not open another's door.
#[test]
fn by_name_only_that_sources_key_counts() {
    let headers = signed(&Signer::svix(secret("key-segments")), SEGMENTS);
    let refusal = refused(all().receive_from("scheduler", &headers, SEGMENTS.as_bytes(), now()));
    assert_eq!(refusal.name(), "missing-header");
    assert!(all().receive_from("labelling", &headers, SEGMENTS.as_bytes(), now()).is_ok());

    // A signed source of the same form is not open to what an unsigned one takes.
    let refusal =
        refused(all().receive_from("gateway", &HeaderMap::new(), STRATEOS.as_bytes(), now()));
    assert_eq!(tried(&refusal), [("gateway", "missing-header")]);
}
