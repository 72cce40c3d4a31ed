//! Properties of generated LINQ bodies and hooks.

use labhook::provider::linq::{Hook, Kind, Webhook};
use proptest::collection::btree_map;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::{decode, encode, there_and_back};

/// Any JSON value, in a spelling that only a verbatim copy preserves.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("1.10".to_owned()),
        Just("1E+2".to_owned()),
        Just("-0".to_owned()),
        "[1-9][0-9]{0,40}",
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3)
                .prop_map(|values| format!("[{}]", values.join(","))),
            (inner.clone(), inner).prop_map(|(a, b)| format!(r#"{{"b":{a},"a":{b},"b":{a}}}"#)),
        ]
    })
}

/// Members that no wire type, model or hook knows, in any order.
fn unknown() -> impl Strategy<Value = String> {
    btree_map("[a-zé ]{0,3}", value(), 0..4)
        .prop_map(|members| members.into_iter().collect::<Vec<_>>())
        .prop_shuffle()
        .prop_map(|members| {
            let known = ["to", "url"];
            let members = members.iter().filter(|(name, _)| !known.contains(&&**name));
            members.map(|(name, value)| format!(",\"{name}\":{value}")).collect()
        })
}

fn text() -> impl Strategy<Value = String> {
    any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap())
}

fn state() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] = &[
        "started",
        "paused",
        "stoped",
        "stopped",
        "completed",
        "failed",
        "emergency_stop",
        "PENDING",
        "",
    ];
    prop_oneof![select(KNOWN).prop_map(|state| format!("\"{state}\"")), text()]
}

fn timestamp() -> impl Strategy<Value = String> {
    const SPELLINGS: &[&str] = &[
        "2025-04-17T09:30:00.000Z",
        "2021-08-09T14:40:19.987691+00:00",
        "2009-01-03T18:15:00+01:00",
    ];
    select(SPELLINGS).prop_map(|text| format!("\"{text}\""))
}

fn own_members(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::TaskStateChange => &["task_id"],
        Kind::SafetyStateChange => &["workcell_id"],
        Kind::LabwareMovement => &["labware_id", "trigger"],
        Kind::NewPlan => &["plan_id"],
        _ => &[],
    }
}

/// A body with all members that its event requires.
fn full() -> impl Strategy<Value = (Kind, String)> {
    let members = (state(), text(), text(), timestamp(), text(), unknown());
    (select(Kind::ALL), members).prop_map(|(kind, (state, message, run, at, own, unknown))| {
        let own: String =
            own_members(kind).iter().map(|name| format!(",\"{name}\":{own}")).collect();
        let known =
            format!(r#""state":{state},"message":{message},"run_id":{run},"timestamp":{at}"#);
        (kind, format!("{{{known}{own}{unknown}}}"))
    })
}

/// A body of an unpublished kind: each member is absent, `null` or a value.
fn loose() -> impl Strategy<Value = (Kind, String, String)> {
    let member = |value: BoxedStrategy<String>| option::of(option::of(value));
    let members = (
        member(state().boxed()),
        member(text().boxed()),
        member(text().boxed()),
        member(timestamp().boxed()),
        member(text().boxed()),
    );
    (select(&Kind::ALL[1..]), members, unknown()).prop_map(|(kind, members, unknown)| {
        let (state, message, run, at, own) = members;
        let names = ["state", "message", "run_id", "timestamp"];
        let own = own_members(kind).iter().map(|name| (*name, own.clone()));
        let known = names.into_iter().zip([state, message, run, at]).chain(own);
        let (mut came, mut written) = (Vec::new(), Vec::new());
        for (name, value) in known {
            let Some(value) = value else { continue };
            if let Some(value) = &value {
                written.push(format!("\"{name}\":{value}"));
            }
            came.push(format!("\"{name}\":{}", value.as_deref().unwrap_or("null")));
        }
        let object = |known: Vec<String>| {
            let members = known.join(",") + &unknown;
            format!("{{{}}}", members.trim_start_matches(','))
        };
        (kind, object(came), object(written))
    })
}

fn hook() -> impl Strategy<Value = String> {
    let headers = prop_oneof![
        Just(String::new()),
        Just(",\"headers\":null".to_owned()),
        btree_map("[A-Z]{1,3}", text(), 0..4)
            .prop_map(|map| map.into_iter().collect::<Vec<_>>())
            .prop_shuffle()
            .prop_map(|headers| {
                let list: Vec<_> =
                    headers.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!(",\"headers\":{{{}}}", list.join(","))
            }),
    ];
    let ids = prop::collection::vec(text(), 0..3).prop_map(|ids| ids.join(","));
    let ends = select(&["start", "end", "both"][..]);
    (select(Kind::ALL), text(), headers, unknown(), ids, ends, unknown()).prop_map(
        |(kind, url, headers, inner, ids, end, unknown)| {
            let own = match kind {
                Kind::TaskStateChange => format!(",\"task_ids\":[{ids}]"),
                Kind::LabwareMovement => {
                    format!(",\"labware_ids\":[{ids}],\"trigger_on\":\"{end}\"")
                }
                _ => String::new(),
            };
            let parameters = format!("\"parameters\":{{\"url\":{url}{headers}{inner}}}");
            format!("{{\"filter\":\"{kind}\",{parameters}{own}{unknown}}}")
        },
    )
}

proptest! {
    #[test]
    fn body_round_trips_through_its_event((kind, body) in full()) {
        prop_assert_eq!(&encode(&decode(kind, &body).unwrap()), &body);
        let (event, back) = there_and_back(kind, &body);
        prop_assert_eq!(&back, &body);
        prop_assert_eq!(Webhook::from_event(&event).unwrap().to_event().unwrap(), event);
    }

    #[test]
    fn unpublished_body_round_trips((kind, came, written) in loose()) {
        let webhook = decode(kind, &came).unwrap();
        prop_assert_eq!(&encode(&webhook), &written);
        if let Ok(event) = webhook.to_event() {
            prop_assert_eq!(Webhook::from_event(&event).unwrap(), webhook);
        }
    }

    #[test]
    fn hook_round_trips(json in hook()) {
        let hook = Hook::from_json(&json).unwrap();
        prop_assert_eq!(&*hook.expose_json(), &json);
    }

    #[test]
    fn arbitrary_body_does_not_panic(kind in select(Kind::ALL), body in ".*|\\{.*\\}") {
        if let Ok(webhook) = decode(kind, &body) {
            let _ = (webhook.to_event(), webhook.dedupe_key());
        }
        let _ = Hook::from_json(&body);
    }
}
