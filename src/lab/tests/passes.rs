//! The quick way to read a body and the thorough one give the same.

use proptest::prelude::*;

use super::{BODIES, decode};
use crate::decode::{from_json_strictly, from_json_with_path};
use crate::event::{ReadEnvelope, UnknownEvent, read_in_one_pass};
use crate::lab::lab_event::KnownType;
use crate::lab::*;

const VALUES: [&str; 15] = [
    "null",
    "7",
    "-1",
    "18446744073709551616",
    "1.0",
    "1e400",
    "true",
    r#""x""#,
    r#""2025-04-17T09:30:00Z""#,
    r#""\ud800""#,
    "[]",
    r#"["a",1]"#,
    "{}",
    r#"{"device":"d","slot":7}"#,
    r#"{"id":"i","z":1,"z":2}"#,
];

const NAMES: [&str; 16] = [
    "type",
    "timestamp",
    "data",
    "run_id",
    "state",
    "message",
    "from",
    "labware_id",
    "sample",
    "dataset",
    "changes",
    "actor",
    "progress_percent",
    "created_at",
    "id",
    "x",
];

/// Replaces the value after the `index`th colon, if it is a text or a number, or the name before it.
fn edit(body: &str, index: usize, value: &str, name: Option<&str>) -> String {
    let colons: Vec<_> = body.match_indices(':').map(|(at, _)| at).collect();
    let colon = colons[index.checked_rem(colons.len()).unwrap()];
    let (before, after) = body.split_at(colon);
    match name {
        Some(name) => match before.strip_suffix('"').and_then(|it| it.rsplit_once('"')) {
            Some((before, _)) => format!("{before}\"{name}\"{after}"),
            None => body.to_owned(),
        },
        None => {
            let end = after.find([',', '}', ']']).unwrap_or(after.len());
            format!("{before}:{value}{}", &after[end..])
        }
    }
}

/// A published body with some changes, most of which leave it JSON.
fn body() -> impl Strategy<Value = String> {
    let name = prop::option::of(prop::sample::select(&NAMES[..]));
    let change = (any::<usize>(), prop::sample::select(&VALUES[..]), name);
    let changes = prop::collection::vec(change, 0..3);
    (prop::sample::select(&BODIES[..]), changes).prop_map(|(body, changes)| {
        changes.iter().fold(body.trim_end().to_owned(), |body, (index, value, name)| {
            edit(&body, *index, value, *name)
        })
    })
}

proptest! {
    #[test]
    fn strict_pass_equals_the_pass_that_keeps(body in body()) {
        macro_rules! check {
            ($data:expr, $($object:ident)+) => {
                $(
                    if let Some(object) = from_json_strictly::<$object>($data) {
                        let kept = from_json_with_path::<$object>($data.as_bytes());
                        prop_assert_eq!(Some(object), kept.ok(), "{}", body);
                    }
                )+
            };
        }
        check!(&body, ReadEnvelope);
        if let Ok(event) = decode::<UnknownEvent>(&body) {
            check!(
                event.data.as_str(),
                RunStateChanged InstructionCompleted TaskStateChanged LabwareMoved
                SafetyStateChanged PlanCreated DatasetCreated DatasetUpdated DatasetDeleted
                SampleCreated SampleUpdated SampleDeleted LabelUpdated LabelDeleted IssueCreated
                IssueUpdated ReleaseCreated ResourceChanged
            );
        }
    }

    #[test]
    fn one_pass_equals_envelope_and_data(body in body()) {
        if let Some(whole) = read_in_one_pass::<KnownType>(body.as_bytes()) {
            let UnknownEvent { event_type, timestamp, data, unknown } = decode(&body).unwrap();
            let event = LabEvent::from_parts(event_type, timestamp, data, unknown);
            prop_assert_eq!(LabEvent::from(whole), event, "{}", body);
        }
    }
}

#[test]
fn published_body_is_read_in_one_pass() {
    let (_, known) = BODIES.split_last().unwrap();
    for body in known {
        assert!(read_in_one_pass::<KnownType>(body.as_bytes()).is_some(), "{body}");
    }
}

#[test]
fn event_with_its_type_last_is_read() {
    let body = r#"{"data":{"run_id":"r1","state":"paused"},"timestamp":"2025-04-17T09:30:00Z","type":"run.state_changed"}"#;
    assert!(read_in_one_pass::<KnownType>(body.as_bytes()).is_none());
    assert!(matches!(decode(body), Ok(LabEvent::RunStateChanged(_))));
}
