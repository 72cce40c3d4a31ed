//! The catalogue as it is read and written.

use std::error::Error as _;

use proptest::prelude::*;

use super::*;
use crate::decode::{Decode, DecodeError, TrustedBody};
use crate::event::{Trigger, UnknownEvent};
use crate::json::JsonText;
use crate::{Event, EventType, Keys, Payload, Timestamp};

/// One event of each type, full of members and values that nobody knows; the last is of a type
/// that is not in the catalogue.
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
    String::from_utf8(event.to_json().unwrap()).unwrap()
}

fn at() -> Timestamp {
    Timestamp::from_unix_seconds(1_744_882_200)
}

/// The error's own text and that of its source, without the position that the parser adds.
fn texts(error: &DecodeError) -> (String, String) {
    let source = error.source().unwrap().to_string();
    let (why, _) = source.split_once(" at line ").unwrap();
    (error.to_string(), why.to_owned())
}

fn envelope(event_type: &str, data: &str) -> String {
    format!(r#"{{"type":"{event_type}","timestamp":"2025-04-17T09:30:00.000Z","data":{data}}}"#)
}

#[test]
fn every_body_survives_byte_for_byte() {
    for body in BODIES {
        let body = body.trim_end();
        let event: LabEvent = decode(body).unwrap();
        assert_eq!(encode(&event), body);
        assert_eq!(decode::<LabEvent>(&encode(&event)).unwrap(), event);
    }
}

#[test]
fn every_type_of_the_catalogue_has_its_arm_and_its_body() {
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
fn keys_say_what_subscriptions_ask() {
    let keys = |index: usize| decode::<LabEvent>(BODIES[index]).unwrap().keys();
    let run = Keys::new().with_run("r1").with_project("p1");
    let flowers = |keys: &Keys| keys.clone().with_dataset("jane/flowers");
    let zeros = "00000000-0000-0000-000000000000";
    let expected = [
        Keys::new().with_run(zeros).with_project("p18sjzxaeaff9").with_ordering(zeros),
        Keys::new()
            .with_run("r19a428rm8tbp")
            .with_project("p18sjzxaeaff9")
            .with_ordering("r19a428rm8tbp"),
        run.clone().with_task("t-17").with_ordering("r1"),
        run.clone()
            .with_task("t-17")
            .with_labware("plate-7")
            .with_trigger(Trigger::End)
            .with_ordering("r1"),
        run.clone().with_ordering("cell-1"),
        run.clone().with_ordering("r1"),
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
fn without_a_run_things_are_ordered_by_themselves() {
    let moved = LabwareMoved::new("plate-7", Trigger::Start);
    assert_eq!(
        moved.keys(),
        Keys::new().with_labware("plate-7").with_trigger(Trigger::Start).with_ordering("plate-7")
    );
    let plan = PlanCreated::new("plan-9", PlanStatus::Pending);
    assert_eq!(plan.keys(), Keys::new().with_ordering("plan-9"));
    let hovering = LabwareMoved::new("plate-7", "hovering");
    assert_eq!(hovering.keys().trigger, None);
}

#[test]
fn what_is_made_is_what_is_written() {
    let mut moved = LabwareMoved::new("plate-7", Trigger::Start);
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
fn a_malformed_body_of_a_known_type_is_an_error_with_its_path() {
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
            r#"{"labware_id":"l","trigger":"end","from":{"device":"d","slot":{}}}"#,
            "data.from.slot",
            "invalid type: map, expected a string",
        ),
        (
            r#"{"labware_id":"l","trigger":"end","from":["d","s"]}"#,
            "data.from",
            "invalid type: sequence, expected a JSON object",
        ),
        (
            r#"{"labware_id":"l","trigger":"end","trigger":"end"}"#,
            "data.trigger",
            "`trigger` stands twice",
        ),
        (
            r#"{"labware_id":"l","trigger":"end","to":{"device":"d","z":1,"z":1}}"#,
            "data.to.z",
            "`z` stands twice",
        ),
        (
            r#"{"labware_id":"l","trigger":"end","barcode":null,"barcode":"b"}"#,
            "data.barcode",
            "`barcode` stands twice",
        ),
        ("7", "data", "invalid type: integer `7`, expected a JSON object"),
    ] {
        let error = decode::<LabEvent>(&envelope("labware.moved", data)).unwrap_err();
        let own = format!("the labware.moved event is malformed at `{path}`");
        assert_eq!(texts(&error), (own, why.to_owned()), "{data}");
        let typed = decode::<Event<LabwareMoved>>(&envelope("labware.moved", data)).unwrap_err();
        assert_eq!(texts(&typed), texts(&error), "{data}");
    }
    let body = envelope("dataset.updated", r#"{"dataset":{"id":"d"},"changes":["a",1]}"#);
    assert_eq!(
        decode::<LabEvent>(&body).unwrap_err().to_string(),
        "the dataset.updated event is malformed at `data.changes[1]`"
    );
}

#[test]
fn labware_triggers_are_the_keys_own() {
    for trigger in [Trigger::Start, Trigger::End] {
        assert_eq!(LabwareTrigger::from(trigger).trigger(), Some(trigger));
    }
    assert_eq!(LabwareTrigger::from("both").trigger(), None);
}

#[test]
fn what_cannot_go_on_is_final() {
    assert!(RunState::KNOWN.iter().any(RunState::is_final));
    for state in ["started", "paused", "resumed", "warming_up"] {
        assert!(!RunState::from(state).is_final(), "{state}");
    }
}

#[test]
fn open_enumerations_keep_their_text() {
    fn check<T>(known: &[T], as_str: fn(&T) -> &str)
    where
        T: Clone + PartialEq + std::fmt::Debug + serde::Serialize + serde::de::DeserializeOwned,
        T: for<'a> From<&'a str>,
    {
        assert!(!known.is_empty());
        let other = T::from("something else");
        for value in known.iter().chain([&other]) {
            let json = serde_json::to_string(value).unwrap();
            assert_eq!(json, format!("{:?}", as_str(value)));
            assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), value);
            assert_eq!(&T::from(as_str(value)), value);
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
    let by_hand = RunState::Other("paused".into());
    assert_eq!(by_hand, RunState::Paused);
    assert_eq!(by_hand.to_string(), "paused");
}

/// Any JSON value, as compact text, with numbers that no number type holds.
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

/// Members of an object, each led by a comma, under names that no type here knows.
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
    fn unknown_members_and_values_survive(
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
    fn unknown_events_survive(name in "[a-z_]{1,8}(\\.[a-z]{1,8}){1,3}x", data in json()) {
        let body = envelope(&name, &data);
        let event = decode::<LabEvent>(&body).unwrap();
        prop_assert!(matches!(event, LabEvent::Unknown(_)));
        prop_assert_eq!(encode(&event), body);
    }

    #[test]
    fn no_bytes_are_too_odd(body in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assert!(LabEvent::decode(TrustedBody::new(&body)).is_err());
    }
}
