//! Mapping between LINQ webhooks and lab events.

use labhook::lab::{
    DeviceState, InstructionCompleted, LabwareMoved, LabwareTrigger, Location, PlanCreated,
    PlanStatus, RunState, RunStateChanged, SafetyStateChanged, TaskState, TaskStateChanged,
};
use labhook::provider::linq::{Kind, NewPlan, RunStateChange, SafetyStateChange, Webhook};
use labhook::{Event, LabEvent, Payload, Timestamp};

use super::{BODIES, PUBLISHED, decode, encode, there_and_back};

const AT: Timestamp = Timestamp::from_unix_seconds(1_744_882_200);
const RUN: &str = "00000000-0000-0000-000000000000";

fn event<P: Payload>(data: P) -> LabEvent
where
    LabEvent: From<Event<P>>,
{
    Event::new(data, AT).into()
}

fn body(event: &LabEvent) -> String {
    encode(&Webhook::from_event(event).unwrap())
}

#[test]
fn every_body_round_trips_through_its_event() {
    for (kind, body) in BODIES {
        let body = body.trim_end();
        let (_, back) = there_and_back(kind, body);
        assert_eq!(back, body);
        let more = format!(
            "{},\"b\":1.10,\"a\":{{\"n\":123456789012345678901,\"m\":null}}}}",
            &body[..body.len() - 1]
        );
        assert_eq!(there_and_back(kind, &more).1, more);
    }
}

#[test]
fn published_body_maps_to_a_paused_run() {
    let LabEvent::RunStateChanged(event) = there_and_back(Kind::RunStateChange, PUBLISHED).0 else {
        panic!("another event");
    };
    assert_eq!(event.timestamp.as_str(), "2025-04-17T09:30:00.000Z");
    let mut data = RunStateChanged::new(RUN, RunState::Paused);
    data.message = Some("The run is paused.".into());
    assert_eq!(event.data, data);
}

#[test]
fn own_event_has_the_published_body() {
    let bare = event(RunStateChanged::new(RUN, RunState::Paused));
    assert_eq!(body(&bare), PUBLISHED.trim_end());

    for (state, spelled, message) in [
        (RunState::Stopped, "stoped", "The run is stopped."),
        (RunState::Started, "started", "The run is started."),
        (RunState::Failed, "failed", "The run is failed."),
        (RunState::from("on_fire"), "on_fire", "The run is on_fire."),
    ] {
        let run = RunStateChange::from_event(&Event::new(RunStateChanged::new("r1", state), AT));
        let run = run.unwrap();
        assert_eq!((run.state.as_str(), run.message.as_deref()), (spelled, Some(message)));
        assert!(run.unknown.is_empty());
    }

    let mut task = TaskStateChanged::new(RUN, "t-17".into(), TaskState::Failed);
    task.message = Some("Task t-17 has failed.".into());
    let mut safety = SafetyStateChanged::new("cell-1", DeviceState::EmergencyStop);
    safety.message = Some("The emergency stop was pressed.".into());
    safety.run_id = Some(RUN.into());
    let mut moved = LabwareMoved::new("plate-7", LabwareTrigger::Start);
    moved.message = Some("Plate 7 was picked up.".into());
    moved.run_id = Some(RUN.into());
    let mut plan = PlanCreated::new("plan-3", PlanStatus::Completed);
    plan.message = Some("There is a new plan.".into());
    plan.run_id = Some(RUN.into());
    let events = [event(task), event(safety), event(moved), event(plan)];
    for (event, (kind, own)) in events.iter().zip(&BODIES[1..]) {
        assert_eq!(body(event), own.trim_end());
        assert_eq!(&decode(*kind, own).unwrap().to_event().unwrap(), event);
    }
}

#[test]
fn both_spellings_of_stopped_round_trip() {
    for (spelled, kept) in [("stoped", None), ("stopped", Some("\"stopped\""))] {
        let wire = PUBLISHED.trim_end().replace("paused\",", &format!("{spelled}\","));
        let (event, back) = there_and_back(Kind::RunStateChange, &wire);
        assert_eq!(back, wire);
        let LabEvent::RunStateChanged(event) = event else { panic!("another event") };
        assert_eq!(event.data.state, RunState::Stopped);
        assert!(matches!(event.data.state, RunState::Stopped));
        assert_eq!(event.data.unknown.get("linq_state"), kept);
    }
}

#[test]
fn other_spellings_of_states_round_trip() {
    for (spelled, state) in [("cancelled", RunState::Canceled), ("succeeded", RunState::Completed)]
    {
        let wire = PUBLISHED.trim_end().replace("paused\",", &format!("{spelled}\","));
        let (event, back) = there_and_back(Kind::RunStateChange, &wire);
        assert_eq!(back, wire);
        let LabEvent::RunStateChanged(event) = event else { panic!("another event") };
        assert_eq!(event.data.state, state);
        assert_eq!(event.data.unknown.get("linq_state"), Some(&*format!("{spelled:?}")));
    }
}

#[test]
fn model_only_fields_follow_the_published() {
    let mut run = RunStateChanged::new("r1", RunState::Resumed);
    run.message = Some("On we go.".into());
    run.previous_state = Some(RunState::Paused);
    run.project_id = Some("p1".into());
    run.unknown.insert("seq", "1.0").unwrap();
    let run = event(run);
    assert_eq!(
        body(&run),
        concat!(
            r#"{"state":"resumed","message":"On we go.","run_id":"r1","#,
            r#""timestamp":"2025-04-17T09:30:00.000Z","previous_state":"paused","#,
            r#""project_id":"p1","seq":1.0}"#,
        )
    );
    assert_eq!(there_and_back(Kind::RunStateChange, &body(&run)).0, run);

    let mut moved = LabwareMoved::new("plate-7", LabwareTrigger::End);
    moved.to = Some(Location::new("reader-2"));
    moved.unknown.insert("state", "\"done\"").unwrap();
    let moved = event(moved);
    assert_eq!(
        body(&moved),
        concat!(
            r#"{"state":"done","timestamp":"2025-04-17T09:30:00.000Z","labware_id":"plate-7","#,
            r#""trigger":"end","to":{"device":"reader-2"}}"#,
        )
    );
    assert_eq!(there_and_back(Kind::LabwareMovement, &body(&moved)).0, moved);
}

#[test]
fn webhook_without_required_field_is_an_error() {
    for (kind, own) in &BODIES[1..] {
        let needed: &[&str] = match kind {
            Kind::TaskStateChange => &["run_id", "task_id", "state", "timestamp"],
            Kind::SafetyStateChange => &["workcell_id", "state", "timestamp"],
            Kind::LabwareMovement => &["labware_id", "trigger", "timestamp"],
            _ => &["plan_id", "state", "timestamp"],
        };
        for member in needed {
            let mut object: serde_json::Map<_, _> = serde_json::from_str(own).unwrap();
            object.remove(*member);
            let webhook = decode(*kind, &serde_json::to_string(&object).unwrap()).unwrap();
            assert_eq!(
                webhook.to_event().unwrap_err().to_string(),
                format!("LINQ webhook has no value for `{member}`")
            );
        }
    }
}

#[test]
fn receiver_supplies_missing_time_and_workcell() {
    let body = r#"{"state":"emergency_stop"}"#;
    let safety = decode(Kind::SafetyStateChange, body).unwrap();
    assert!(safety.to_event().is_err());
    let safety = safety.timestamp_or(AT).workcell_or("cell-1");
    let data = SafetyStateChanged::new("cell-1", DeviceState::EmergencyStop);
    assert_eq!(safety.to_event().unwrap(), event(data));
    // Existing values are not replaced.
    let same = safety.clone().timestamp_or(Timestamp::UNIX_EPOCH).workcell_or("cell-2");
    assert_eq!(same, safety);

    for (kind, own) in BODIES {
        let webhook = decode(kind, own).unwrap();
        let told = webhook.clone().timestamp_or(Timestamp::UNIX_EPOCH).workcell_or("cell-2");
        assert_eq!(told, webhook);
    }
    for kind in &Kind::ALL[1..] {
        let webhook = decode(*kind, "{}").unwrap().timestamp_or(AT);
        assert_eq!(webhook.timestamp().unwrap().timestamp(), Some(AT));
    }
}

#[test]
fn conflicting_member_error_names_the_member() {
    let more = |body: &str, member: &str| {
        format!("{},{member}}}", &body.trim_end()[..body.trim_end().len() - 1])
    };
    for (kind, member, name) in [
        (0, r#""linq_state":"stopped""#, "linq_state"),
        (0, r#""linq_state":null"#, "linq_state"),
        (4, r#""status":"PENDING""#, "status"),
    ] {
        let (kind, body) = BODIES[kind];
        let webhook = decode(kind, &more(body, member)).unwrap();
        assert_eq!(
            webhook.to_event().unwrap_err().to_string(),
            format!("`{name}` cannot be mapped between a LINQ webhook and a lab event")
        );
    }
    // Members of another type than the model's are kept.
    for (kind, member) in [
        (0, r#""title":5"#),
        (1, r#""attempt":1.5"#),
        (2, r#""severity":[]"#),
        (3, r#""from":{"device":1}"#),
        (4, r#""makespan_seconds":-1"#),
    ] {
        let (kind, body) = BODIES[kind];
        let webhook = decode(kind, &more(body, member)).unwrap();
        let event = webhook.to_event().unwrap();
        assert_eq!(Webhook::from_event(&event).unwrap(), webhook, "{member}");
    }
    // An unknown member with the name of a known field makes the body unwritable.
    let mut plan = NewPlan::default();
    plan.plan_id = Some("p".into());
    plan.state = Some(PlanStatus::Pending);
    plan.timestamp = Some(AT.into());
    plan.unknown.insert("state", "1").unwrap();
    assert_eq!(
        plan.to_event().unwrap_err().to_string(),
        "`body` cannot be mapped between a LINQ webhook and a lab event"
    );
}

#[test]
fn inexpressible_event_is_an_error() {
    let refused = |event: &LabEvent| Webhook::from_event(event).unwrap_err().to_string();
    let text =
        |name: &str| format!("`{name}` cannot be mapped between a LINQ webhook and a lab event");

    assert_eq!(
        refused(&event(InstructionCompleted::new("r1", "i1".into()))),
        "LINQ has no webhook for `instruction.completed` events"
    );

    let run = || RunStateChanged::new("r1", RunState::Stopped);
    let mut enveloped = Event::new(run(), AT);
    enveloped.unknown.insert("seq", "1").unwrap();
    assert_eq!(refused(&enveloped.into()), text("unknown"));
    for (state, kept) in [
        (RunState::Stopped, "\"stoped\""),
        (RunState::Stopped, "null"),
        (RunState::Failed, "\"stopped\""),
        (RunState::Canceled, "\"canceled\""),
        (RunState::Canceled, "\"succeeded\""),
        (RunState::from("on_fire"), "\"on_fire\""),
        (RunState::Paused, "7"),
    ] {
        let mut run = RunStateChanged::new("r1", state);
        run.unknown.insert("linq_state", kept).unwrap();
        assert_eq!(refused(&event(run)), text("linq_state"));
    }
    for timestamp in ["\"2025-04-17T09:30:00.000Z\"", "null", "5"] {
        let mut run = run();
        run.unknown.insert("timestamp", timestamp).unwrap();
        assert_eq!(refused(&event(run)), text("timestamp"));
        let mut task = TaskStateChanged::new("r1", "t1".into(), TaskState::Running);
        task.unknown.insert("timestamp", timestamp).unwrap();
        assert_eq!(refused(&event(task)), text("timestamp"));
    }
    let mut moved = LabwareMoved::new("plate-7", LabwareTrigger::End);
    moved.unknown.insert("state", "5").unwrap();
    let webhook = Webhook::from_event(&event(moved)).unwrap();
    assert!(encode(&webhook).ends_with(r#""trigger":"end","state":5}"#));
    let mut plan = PlanCreated::new("plan-3", PlanStatus::Completed);
    plan.unknown.insert("state", "\"PENDING\"").unwrap();
    assert_eq!(refused(&event(plan)), text("state"));
    let mut twice = run();
    twice.unknown.insert("run_id", "\"r2\"").unwrap();
    assert_eq!(refused(&event(twice)), text("data"));
}

#[test]
fn typed_webhooks_map_to_typed_events() {
    let data = SafetyStateChanged::new("cell-1", DeviceState::Ready);
    let safety = Event::new(data, AT);
    let webhook = SafetyStateChange::from_event(&safety).unwrap();
    assert_eq!(webhook.to_event().unwrap(), safety);
}
