//! Properties of generated Strateos webhooks.

use labhook::provider::MapError;
use proptest::prelude::*;

use super::{about, decode, encode, there_and_back};

/// JSON values in unusual spellings.
fn json() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("null".to_owned()),
        Just("1.10".to_owned()),
        Just("123456789012345678901234567890".to_owned()),
        Just(r#"{"z":1E3,"a":[ ]}"#.to_owned()),
        "[a-z ]{0,6}".prop_map(|text| format!("\"{text}\"")),
    ]
}

/// Members with distinct names, some of them names of lab event fields, each preceded by a comma.
fn members() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        proptest::sample::select(vec![
            "run_id",
            "state",
            "message",
            "title_",
            "project_id",
            "operation",
            "strateos.x",
            "strateos.state",
            "strateos.run",
            "instruction_id",
            "type",
            "data",
            "timestamp",
        ])
        .prop_map(str::to_owned),
        "x[a-z]{0,3}",
    ];
    proptest::collection::btree_map(name, json(), 0..5).prop_map(|members| {
        members.into_iter().map(|(name, json)| format!(r#","{name}":{json}"#)).collect()
    })
}

fn bodies() -> impl Strategy<Value = String> {
    let event = prop_oneof![
        Just(r#"{"op":"run_started""#.to_owned()),
        Just(r#"{"op":"run_completed""#.to_owned()),
        Just(r#"{"op":"run_started","id":"i1""#.to_owned()),
        any::<u64>().prop_map(|number| format!(
            r#"{{"op":"instruction_completed","id":"i1","sequence_no":{number},"completed_at":"2020-06-01T15:39:55.049-07:00""#
        )),
        "[a-z]{1,4}([._-][A-Z0-9]{1,3}){0,2}".prop_map(|op| format!(r#"{{"op":"{op}""#)),
    ];
    (event, "[a-zé\u{1f600} ]{0,5}", [members(), members(), members(), members()]).prop_map(
        |(event, text, [run, project, inner, outer])| {
            format!(
                r#"{{"run":{{"id":"{text}","title":"{text}"{run}}},"project":{{"id":"{text}","name":"{text}"{project}}},"event":{event}{inner}}}{outer}}}"#
            )
        },
    )
}

proptest! {
    #![proptest_config(crate::support::config())]

    #[test]
    fn webhook_round_trips_through_its_event(body in bodies()) {
        prop_assert_eq!(&encode(&decode(&body)), &body);
        prop_assert_eq!(&there_and_back(&body).unwrap(), &body);
    }

    /// Absent and null members in any operation.
    #[test]
    fn webhook_without_members_round_trips(
        op in proptest::sample::select(vec!["run_started", "instruction_completed", "x"]),
        id in proptest::option::of(proptest::sample::select(vec!["null", r#""i1""#])),
        number in proptest::option::of(proptest::sample::select(vec!["null", "7"])),
        time in proptest::option::of(proptest::sample::select(
            vec!["null", r#""2009-01-03T18:15:00+01:00""#],
        )),
    ) {
        let member = |name: &str, value: Option<&str>| {
            value.map(|it| format!(r#","{name}":{it}"#)).unwrap_or_default()
        };
        let body = about(&format!(
            r#"{{"op":"{op}"{}{}{}}}"#,
            member("id", id), member("sequence_no", number), member("completed_at", time),
        ));
        match there_and_back(&body) {
            Ok(again) => prop_assert_eq!(decode(&again), decode(&body)),
            Err(MapError::Missing { member, .. }) => {
                prop_assert_eq!((op, member), ("instruction_completed", "event.id"));
            }
            Err(other) => panic!("{other}"),
        }
    }
}
