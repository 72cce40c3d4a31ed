//! Decoding and encoding of the event catalogue.

mod passes;

use std::convert::Infallible;
use std::error::Error as _;

use proptest::prelude::*;

use super::*;
use crate::decode::{Decode, DecodeError, TrustedBody};
use crate::event::{Trigger, UnknownEvent};
use crate::json::JsonText;
use crate::{Event, EventType, Keys, Payload, Timestamp};

/// One event of each type, full of unknown members and values; the type of the last is not in the
/// catalogue.
const BODIES: [&str; 19] = [
    include_str!("../../tests/data/lab/run.state_changed.json"),
    include_str!("../../tests/data/lab/instruction.completed.json"),
    include_str!("../../tests/data/lab/task.state_changed.json"),
    include_str!("../../tests/data/lab/labware.moved.json"),
    include_str!("../../tests/data/lab/safety.state_changed.json"),
    include_str!("../../tests/data/lab/plan.created.json"),
    include_str!("../../tests/data/lab/dataset.created.json"),
    include_str!("../../tests/data/lab/dataset.updated.json"),
    include_str!("../../tests/data/lab/dataset.deleted.json"),
    include_str!("../../tests/data/lab/sample.created.json"),
    include_str!("../../tests/data/lab/sample.updated.json"),
    include_str!("../../tests/data/lab/sample.deleted.json"),
    include_str!("../../tests/data/lab/label.updated.json"),
    include_str!("../../tests/data/lab/label.deleted.json"),
    include_str!("../../tests/data/lab/issue.created.json"),
    include_str!("../../tests/data/lab/issue.updated.json"),
    include_str!("../../tests/data/lab/release.created.json"),
    include_str!("../../tests/data/lab/resource.changed.json"),
    include_str!("../../tests/data/lab/batch.labelled.json"),
];

fn decode<T: Decode>(body: &str) -> Result<T, DecodeError> {
    T::decode(TrustedBody::new(body.as_bytes()))
}

fn encode(event: &LabEvent) -> String {
    let json = String::from_utf8(event.to_json().unwrap()).unwrap();
    assert_eq!(serde_json::to_string(event).unwrap(), json);
    json
}

fn at() -> Timestamp {
    Timestamp::from_unix_seconds(1_744_882_200)
}

/// The texts of the error and of its source, without the position that the parser adds.
fn texts(error: &DecodeError) -> (String, String) {
    let source = error.source().unwrap().to_string();
    let (why, _) = source.split_once(" at line ").unwrap();
    (error.to_string(), why.to_owned())
}

fn envelope(event_type: &str, data: &str) -> String {
    format!(r#"{{"type":"{event_type}","timestamp":"2025-04-17T09:30:00.000Z","data":{data}}}"#)
}

#[test]
fn lab_event_round_trips_byte_for_byte() {
    for body in BODIES {
        let body = body.trim_end();
        let event: LabEvent = decode(body).unwrap();
        assert_eq!(encode(&event), body);
        assert_eq!(decode::<LabEvent>(&encode(&event)).unwrap(), event);
    }
}

#[test]
fn catalogue_has_a_variant_and_a_body_per_type() {
    let (last, known) = BODIES.split_last().unwrap();
    let found: Vec<EventType> = known
        .iter()
        .map(|body| {
            let event: LabEvent = decode(body).unwrap();
            assert!(!matches!(event, LabEvent::Unknown(_)), "{event:?}");
            event.event_type().clone()
        })
        .collect();
    assert_eq!(found, LabEvent::CATALOGUE);
    let LabEvent::Unknown(event) = decode(last).unwrap() else {
        panic!("batch.labelled is not in the catalogue");
    };
    assert_eq!(event.event_type.as_str(), "batch.labelled");
    assert_eq!(event.unknown.get("dataset"), Some(r#""jane/flowers""#));
}

#[test]
fn lab_event_keys_match_the_documented_table() {
    let keys = |index: usize| decode::<LabEvent>(BODIES[index]).unwrap().keys();
    let run = Keys::new().with_run("r1").with_project("p1");
    let flowers = |keys: &Keys| keys.clone().with_dataset("jane/flowers");
    let zeros = "00000000-0000-0000-000000000000";
    let expected = [
        Keys::new()
            .with_run(zeros)
            .with_project("p18sjzxaeaff9")
            .with_custom("workcell", "cell-1")
            .with_ordering(zeros),
        Keys::new()
            .with_run("r19a428rm8tbp")
            .with_project("p18sjzxaeaff9")
            .with_ordering("r19a428rm8tbp"),
        run.clone().with_task("t-17").with_custom("device", "washer-2").with_ordering("r1"),
        run.clone()
            .with_task("t-17")
            .with_labware("plate-7")
            .with_trigger(Trigger::End)
            .with_ordering("r1"),
        run.clone()
            .with_custom("workcell", "cell-1")
            .with_custom("device", "arm-1")
            .with_ordering("cell-1"),
        run.clone().with_custom("workcell", "cell-1").with_ordering("r1"),
        flowers(&run).with_ordering("jane/flowers"),
        flowers(&Keys::new()).with_ordering("jane/flowers"),
        flowers(&Keys::new()).with_ordering("jane/flowers"),
        flowers(&run).with_labware("plate-7").with_ordering("9f3b"),
        Keys::new().with_ordering("9f3b"),
        Keys::new().with_ordering("9f3b"),
        flowers(&run).with_ordering("s-1"),
        Keys::new().with_ordering("s-1"),
        flowers(&run).with_ordering("i-1"),
        Keys::new().with_ordering("i-1"),
        flowers(&Keys::new()).with_project("p1").with_ordering("rel-1"),
        Keys::new()
            .with_resource_change("payment-method.bank.updated")
            .with_ordering("602cc206-6b4a-42dd-bc89-9a534bb04034"),
        Keys::new(),
    ];
    assert_eq!(expected.len(), BODIES.len());
    for (index, expected) in expected.into_iter().enumerate() {
        assert_eq!(keys(index), expected, "{}", BODIES[index]);
    }
}

#[test]
fn event_without_a_run_is_ordered_by_its_own_id() {
    let moved = LabwareMoved::new("plate-7", LabwareTrigger::Start);
    assert_eq!(
        moved.keys(),
        Keys::new().with_labware("plate-7").with_trigger(Trigger::Start).with_ordering("plate-7")
    );
    let plan = PlanCreated::new("plan-9", PlanStatus::Pending);
    assert_eq!(plan.keys(), Keys::new().with_ordering("plan-9"));
    let hovering = LabwareMoved::new("plate-7", "hovering".into());
    assert_eq!(hovering.keys().trigger, None);
}

#[test]
fn created_event_is_written_in_the_wire_form() {
    let mut moved = LabwareMoved::new("plate-7", LabwareTrigger::Start);
    let mut from = Location::new("incubator-1");
    from.slot = Some("12".to_owned());
    moved.from = Some(from);
    moved.run_id = Some("r1".into());
    moved.unknown.insert("grip_n", "4.20").unwrap();
    let event = LabEvent::from(Event::new(moved, at()));
    assert_eq!(event.timestamp().as_str(), "2025-04-17T09:30:00.000Z");
    assert_eq!(
        encode(&event),
        envelope(
            "labware.moved",
            r#"{"labware_id":"plate-7","trigger":"start","from":{"device":"incubator-1","slot":"12"},"run_id":"r1","grip_n":4.20}"#
        )
    );
    let event_type = EventType::from_static("lid.opened");
    let other = UnknownEvent::new(event_type, JsonText::new("[1.10]").unwrap(), at());
    assert_eq!(encode(&other.into()), envelope("lid.opened", "[1.10]"));
}

#[test]
fn progress_and_actor_are_written_after_the_others() {
    let mut run = RunStateChanged::new("r1", RunState::ActionRequired);
    run.device = Some("reader-2".to_owned());
    run.progress_percent = Some(40);
    run.expected_end = Some(at().into());
    run.actor = Some("jane".to_owned());
    assert_eq!(run.keys().custom.get("device").map(|it| &**it), Some("reader-2"));
    let mut task = TaskStateChanged::new("r1", "t1".into(), TaskState::Aborted);
    task.progress_percent = run.progress_percent;
    task.expected_end.clone_from(&run.expected_end);
    task.actor.clone_from(&run.actor);
    let mut resource = ResourceChanged::new("entry", ResourceOperation::Updated);
    resource.actor.clone_from(&run.actor);
    let rest = r#""progress_percent":40,"expected_end":"2025-04-17T09:30:00.000Z","actor":"jane""#;
    for (event, data) in [
        (
            LabEvent::from(Event::new(run, at())),
            format!(r#"{{"run_id":"r1","state":"action_required","device":"reader-2",{rest}}}"#),
        ),
        (
            Event::new(task, at()).into(),
            format!(r#"{{"run_id":"r1","task_id":"t1","state":"aborted",{rest}}}"#),
        ),
        (
            Event::new(resource, at()).into(),
            r#"{"resource_type":"entry","operation":"updated","actor":"jane"}"#.to_owned(),
        ),
    ] {
        let body = envelope(event.event_type().as_str(), &data);
        assert_eq!(encode(&event), body);
        assert_eq!(decode::<LabEvent>(&body).unwrap(), event);
    }
}

#[test]
fn malformed_data_error_names_the_path() {
    for (data, path, why) in [
        (
            r#"{"labware_id":"l","trigger":7}"#,
            "data.trigger",
            "invalid type: integer `7`, expected a string",
        ),
        (r#"{"labware_id":"l"}"#, "data", "missing field `trigger`"),
        (
            r#"{"labware_id":null,"trigger":"end"}"#,
            "data.labware_id",
            "invalid type: null, expected a string",
        ),
        (
            r#"{"labware_id":"l","trigger":"end","trigger":"end"}"#,
            "data.trigger",
            "duplicate field `trigger`",
        ),
        (
            r#"{"labware_id":"l","trigger":"end","barcode":null,"barcode":"b"}"#,
            "data.barcode",
            "duplicate field `barcode`",
        ),
        ("7", "data", "invalid type: integer `7`, expected a JSON object"),
    ] {
        let body = envelope("labware.moved", data);
        let error = decode::<Event<LabwareMoved>>(&body).unwrap_err();
        let own = format!("the labware.moved event is malformed at `{path}`");
        assert_eq!(texts(&error), (own, why.to_owned()), "{data}");
        let any: LabEvent = decode(&body).unwrap();
        let LabEvent::Unreadable { event, reason } = &any else { panic!("{any:?}") };
        assert_eq!((event.data.as_str(), reason.path()), (data, path));
        assert!(reason.why().starts_with(why), "{data}");
        assert_eq!(any.event_type(), &LabwareMoved::EVENT_TYPE);
        assert_eq!(encode(&any), body);
    }
}

#[test]
fn optional_member_of_another_type_is_kept() {
    for (event_type, data) in [
        ("labware.moved", r#"{"labware_id":"l","trigger":"end","from":["d","s"]}"#),
        ("labware.moved", r#"{"labware_id":"l","trigger":"end","from":{"device":7}}"#),
        ("labware.moved", r#"{"labware_id":"l","trigger":"end","to":{"device":"d","z":1,"z":1}}"#),
        ("labware.moved", r#"{"labware_id":"l","trigger":"end","from":{"device":"d","slot":{}}}"#),
        ("dataset.updated", r#"{"dataset":{"id":"d"},"changes":["a",1]}"#),
    ] {
        let body = envelope(event_type, data);
        let event: LabEvent = decode(&body).unwrap();
        assert!(event.as_text().is_none(), "{event:?}");
        assert_eq!(encode(&event), body);
    }
}

#[test]
fn labware_trigger_converts_to_a_key_and_back() {
    for trigger in [Trigger::Start, Trigger::End] {
        assert_eq!(LabwareTrigger::from(trigger).trigger(), Some(trigger));
    }
    assert_eq!(LabwareTrigger::from("both").trigger(), None);
}

#[test]
fn final_run_states_are_known_states() {
    assert!(RunState::KNOWN.iter().any(RunState::is_final));
    for state in ["started", "paused", "resumed", "warming_up"] {
        assert!(!RunState::from(state).is_final(), "{state}");
    }
}

#[test]
fn open_enum_preserves_its_text() {
    fn check<T>(known: &[T], as_str: fn(&T) -> &str)
    where
        T: Clone + Ord + std::fmt::Debug + std::fmt::Display,
        T: serde::Serialize + serde::de::DeserializeOwned,
        T: for<'a> From<&'a str> + std::str::FromStr<Err = Infallible>,
    {
        assert!(!known.is_empty());
        let other = T::from("something else");
        for value in known.iter().chain([&other]) {
            let json = serde_json::to_string(value).unwrap();
            assert_eq!(json, format!("{:?}", as_str(value)));
            assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), value);
            assert_eq!(&T::from(as_str(value)), value);
            assert_eq!(as_str(value).parse().as_ref(), Ok(value));
            assert_eq!(value.to_string(), as_str(value));
            assert_eq!(value.cmp(&other), as_str(value).cmp(as_str(&other)));
        }
        assert!(!known.contains(&other));
    }
    check(RunState::KNOWN, RunState::as_str);
    check(TaskState::KNOWN, TaskState::as_str);
    check(LabwareTrigger::KNOWN, LabwareTrigger::as_str);
    check(DeviceState::KNOWN, DeviceState::as_str);
    check(Severity::KNOWN, Severity::as_str);
    check(PlanStatus::KNOWN, PlanStatus::as_str);
    check(PlanStage::KNOWN, PlanStage::as_str);
    assert!(RunState::KNOWN.iter().all(RunState::is_known));
    assert!(!RunState::from("warming_up").is_known());
    let by_hand = RunState::Other("paused".into());
    assert_eq!(by_hand, RunState::Paused);
    assert!(by_hand.is_known());
    assert_eq!(by_hand.to_string(), "paused");
    let by_hand = RunState::Other("cancelled".into());
    assert_eq!(by_hand, RunState::Canceled);
    assert!(by_hand.is_known());
    assert_eq!(serde_json::to_string(&by_hand).unwrap(), "\"canceled\"");
    assert_eq!(RunState::from("cancelled".to_owned()), RunState::Canceled);
}

/// Any JSON value, as compact text, with numbers outside of every number type.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,4})?",
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let member = ("[a-z]{0,3}", inner.clone()).prop_map(|(name, v)| format!("\"{name}\":{v}"));
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|all| format!("[{}]", all.join(","))),
            prop::collection::vec(member, 0..4).prop_map(|all| format!("{{{}}}", all.join(","))),
        ]
    })
}

/// Members of an object, each with a leading comma, with unknown names.
fn members() -> impl Strategy<Value = String> {
    prop::collection::vec(("\\PC{0,8}", json()), 0..5).prop_map(|members| {
        let write = |(index, (name, value)): (usize, &(String, String))| {
            let name = serde_json::to_string(&format!("{name}{index}")).unwrap();
            format!(",{name}:{value}")
        };
        members.iter().enumerate().map(write).collect()
    })
}

proptest! {
    #[test]
    fn unknown_members_and_values_round_trip(
        state in any::<String>(),
        id in any::<String>(),
        [deep, inner, outer] in [members(), members(), members()],
    ) {
        let [state, id] = [state, id].map(|text| serde_json::to_string(&text).unwrap());
        let data = format!(
            r#"{{"labware_id":{id},"trigger":{state},"from":{{"device":{id}{deep}}}{inner}}}"#
        );
        let mut body = envelope("labware.moved", &data);
        body.pop();
        body.push_str(&outer);
        body.push('}');
        let event = decode::<LabEvent>(&body).unwrap();
        prop_assert_eq!(encode(&event), body);
    }

    #[test]
    fn unknown_event_round_trips(name in "[a-z_]{1,8}(\\.[a-z]{1,8}){1,3}x", data in json()) {
        let body = envelope(&name, &data);
        let event = decode::<LabEvent>(&body).unwrap();
        prop_assert!(matches!(event, LabEvent::Unknown(_)));
        prop_assert_eq!(encode(&event), body);
    }

    #[test]
    fn arbitrary_bytes_fail_to_decode(body in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assert!(LabEvent::decode(TrustedBody::new(&body)).is_err());
    }
}
