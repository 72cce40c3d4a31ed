//! LINQ bodies: decoding, encoding and dedupe keys.

use std::error::Error as _;

use http::HeaderName;
use labhook::provider::linq::{self, Kind, LabwareMovement, RunState, RunStateChange, Webhook};
use labhook::time::TimeText;
use labhook::{MessageId, Secret, Signer, Timestamp, Verifier, danger};

use super::{BODIES, PUBLISHED, decode, encode};

#[test]
fn every_body_round_trips_verbatim() {
    for (kind, body) in BODIES {
        let body = body.trim_end();
        let webhook = decode(kind, body).unwrap();
        assert_eq!(webhook.kind(), kind);
        assert_eq!(webhook.timestamp().unwrap().as_str(), "2025-04-17T09:30:00.000Z");
        assert_eq!(encode(&webhook), body);

        let more = format!(
            "{},\"b\":1.10,\"a\":{{\"n\":123456789012345678901}}}}",
            &body[..body.len() - 1]
        );
        assert_eq!(encode(&decode(kind, &more).unwrap()), more);
    }
}

#[test]
fn published_body_decodes_to_its_fields() {
    let run: RunStateChange = danger::unsigned(PUBLISHED.as_bytes()).decode().unwrap();
    assert_eq!(run.state, RunState::Paused);
    assert_eq!(run.message.as_deref(), Some("The run is paused."));
    assert_eq!(run.run_id.as_str(), "00000000-0000-0000-000000000000");
    assert!(run.unknown.is_empty());

    let timestamp: TimeText = "2025-04-17T09:30:00.000Z".parse().unwrap();
    let run_id = "00000000-0000-0000-000000000000";
    let mut made = RunStateChange::new(RunState::Paused, run_id, timestamp);
    made.message = Some("The run is paused.".to_owned());
    assert_eq!(made, run);
}

#[test]
fn state_keeps_its_spelling() {
    for (text, state, stopped) in [
        ("stoped", RunState::Stoped, true),
        ("stopped", RunState::Stopped, true),
        ("on_fire", RunState::from("on_fire"), false),
    ] {
        let body = PUBLISHED.trim_end().replace("paused\",", &format!("{text}\","));
        let run: RunStateChange = danger::unsigned(body.as_bytes()).decode().unwrap();
        assert_eq!((&run.state, run.state.is_stopped()), (&state, stopped));
        assert_eq!(encode(&run.into()), body);
    }
}

#[test]
fn unpublished_kind_accepts_any_object() {
    for kind in &Kind::ALL[1..] {
        assert_eq!(encode(&decode(*kind, "{}").unwrap()), "{}");
        let body = r#"{"event":{"state":"x"},"seq":1.0}"#;
        assert_eq!(encode(&decode(*kind, body).unwrap()), body);
        // `null` means the same as absent.
        let null = decode(*kind, r#"{"state":null,"message":null,"run_id":null,"timestamp":null}"#);
        assert_eq!(null.unwrap(), decode(*kind, "{}").unwrap());
    }
    assert_eq!(LabwareMovement::default(), LabwareMovement::new());
}

#[test]
fn malformed_body_error_names_the_path() {
    let run = |body: &str| decode(Kind::RunStateChange, body).unwrap_err();
    let whole = "the body is malformed";
    for (body, text, source) in [
        (r#"{"state":"paused"}"#, whole, "missing field `run_id`"),
        ("[]", whole, "invalid type: sequence, expected a JSON object"),
        (
            r#"{"state":1}"#,
            "the body is malformed at `state`",
            "invalid type: integer `1`, expected a string",
        ),
        (
            r#"{"run_id":null}"#,
            "the body is malformed at `run_id`",
            "invalid type: null, expected a string",
        ),
        (
            r#"{"timestamp":1744882200}"#,
            "the body is malformed at `timestamp`",
            "invalid type: integer `1744882200`, expected a string",
        ),
        (r#"{"x":1,"x":1}"#, "the body is malformed at `x`", "duplicate field `x`"),
    ] {
        let error = run(body);
        assert_eq!(error.to_string(), text);
        let found = error.source().unwrap().to_string();
        assert_eq!(found.split(" at line ").next(), Some(source), "{body}");
    }
    for kind in &Kind::ALL[1..] {
        // No member is required, so a value of another type is kept.
        let body = r#"{"run_id":5}"#;
        assert_eq!(encode(&decode(*kind, body).unwrap()), body);
        let error = decode(*kind, r#"{"run_id":5,"run_id":5}"#).unwrap_err();
        assert_eq!(error.to_string(), "the body is malformed at `run_id`");
    }
}

#[test]
fn token_header_verifies_a_body() {
    let name = HeaderName::from_static("x-lab-token");
    let secret = || Secret::from_text("correct horse").unwrap();
    let verifier = Verifier::token(name.clone(), secret()).unwrap();
    let signer = Signer::token(name.clone(), secret()).unwrap();
    let now = Timestamp::UNIX_EPOCH;
    let body = PUBLISHED.as_bytes();

    let mut headers = signer.sign(&MessageId::new("m").unwrap(), now, body).unwrap();
    let verified = verifier.verify(&headers, body, now).unwrap();
    let run: RunStateChange = verified.decode().unwrap();
    let same = Webhook::decode_as(Kind::RunStateChange, verified.trusted_body()).unwrap();
    assert_eq!(same, run.into());

    headers.insert(&name, "wrong horse".parse().unwrap());
    assert_eq!(verifier.verify(&headers, body, now).unwrap_err().name(), "no-match");
    headers.remove(&name);
    assert_eq!(verifier.verify(&headers, body, now).unwrap_err().name(), "missing-header");
}

#[test]
fn dedupe_key_is_built_from_the_body() {
    let key = |kind, body: &str| decode(kind, body).unwrap().dedupe_key();
    let published = key(Kind::RunStateChange, PUBLISHED).unwrap();
    assert_eq!(
        published.as_str(),
        "19:on_run_state_change/6:run_id/31:00000000-0000-0000-000000000000\
         /5:state/6:paused/9:timestamp/24:2025-04-17T09:30:00.000Z"
    );
    // The two are indistinguishable.
    let other_message = PUBLISHED.replace("The run is paused.", "Lid open.");
    assert_eq!(key(Kind::RunStateChange, &other_message), Some(published.clone()));
    let other_state = PUBLISHED.replace("\"paused\"", "\"resumed\"");
    assert_ne!(key(Kind::RunStateChange, &other_state), Some(published));

    let labware = BODIES[3].1;
    let one = key(Kind::LabwareMovement, labware);
    assert!(one.is_some());
    assert_ne!(one, key(Kind::LabwareMovement, &labware.replace("\"start\"", "\"end\"")));
    assert_ne!(one, key(Kind::LabwareMovement, &labware.replace("plate-7", "plate-8")));
    let task = BODIES[1].1;
    let safety = BODIES[2].1;
    let plan = BODIES[4].1;
    for (kind, body, from, to) in [
        (Kind::TaskStateChange, task, "t-17\"}", "t-18\"}"),
        (Kind::SafetyStateChange, safety, "cell-1", "cell-2"),
        (Kind::NewPlan, plan, "plan-3", "plan-4"),
    ] {
        assert_ne!(key(kind, body), key(kind, &body.replace(from, to)), "{kind}");
    }

    let at = r#""timestamp":"2025-04-17T09:30:00.000Z""#;
    let absent = key(Kind::NewPlan, &format!("{{{at}}}"));
    assert_ne!(absent, key(Kind::NewPlan, &format!(r#"{{{at},"run_id":""}}"#)));
    assert_ne!(absent, key(Kind::TaskStateChange, &format!("{{{at}}}")));
    assert_eq!(key(Kind::NewPlan, r#"{"plan_id":"p"}"#), None);
}

#[test]
fn policy_is_the_default() {
    assert_eq!(linq::policy(), labhook::RetryPolicy::default());
}

#[test]
fn kind_has_its_filter_and_event_type() {
    let filters: Vec<_> = Kind::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(
        filters,
        [
            "on_run_state_change",
            "on_task_state_change",
            "on_safety_state_change",
            "on_labware_movement",
            "on_new_plan",
        ]
    );
    for (kind, body) in BODIES {
        assert_eq!(Kind::from_filter(kind.filter()), Some(kind));
        let event = decode(kind, body).unwrap().to_event().unwrap();
        assert_eq!(*event.event_type(), kind.event_type());
    }
    assert_eq!(Kind::from_filter("on_fire"), None);
}

#[test]
fn kind_round_trips_as_text_and_json() {
    for &kind in Kind::ALL {
        assert_eq!(kind.to_string().parse(), Ok(kind));
        let json = serde_json::to_string(&kind).unwrap();
        assert_eq!(json, format!(r#""{kind}""#));
        assert_eq!(serde_json::from_str::<Kind>(&json).unwrap(), kind);
    }
    let error = "on_fire".parse::<Kind>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown hook kind `on_fire`, expected one of `on_run_state_change`, \
         `on_task_state_change`, `on_safety_state_change`, `on_labware_movement`, `on_new_plan`"
    );
    assert!(serde_json::from_str::<Kind>(r#""on_fire""#).is_err());
}
