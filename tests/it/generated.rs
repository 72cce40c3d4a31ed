//! Generated JSON, as text.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::subsequence;
use serde_json::value::RawValue;

pub(crate) fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// Any JSON value as compact text, including numbers that fit no number type.
pub(crate) fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,4})?",
        any::<String>().prop_map(|text| quoted(&text)),
        Just(quoted("2021-08-09T14:40:19.987691+00:00")),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let member = ("[a-z]{0,3}", inner.clone()).prop_map(|(name, v)| format!("\"{name}\":{v}"));
        prop_oneof![
            vec(inner, 0..4).prop_map(|all| format!("[{}]", all.join(","))),
            vec(member, 0..4).prop_map(|all| format!("{{{}}}", all.join(","))),
        ]
    })
}

/// Unknown member names, each with a value.
pub(crate) fn unknown() -> impl Strategy<Value = Vec<(String, String)>> {
    vec(("\\PC{0,8}", json()), 0..5).prop_map(|members| {
        let number = |(index, (name, value))| (format!("{name}{index}"), value);
        members.into_iter().enumerate().map(number).collect()
    })
}

/// Some of these names in any order, each with a value, mixed with unknown members.
pub(crate) fn mixed(
    names: &[&'static str],
    value: impl Strategy<Value = String>,
) -> impl Strategy<Value = Vec<(String, String)>> {
    let known = subsequence(names.to_vec(), 0..names.len());
    (known, vec(value, names.len()), unknown())
        .prop_map(|(known, values, unknown)| {
            let known = known.into_iter().map(str::to_owned).zip(values);
            known.chain(unknown).collect::<Vec<_>>()
        })
        .prop_shuffle()
}

pub(crate) fn object(members: &[(String, String)]) -> String {
    let members: Vec<_> = members.iter().map(|(n, v)| format!("{}:{v}", quoted(n))).collect();
    format!("{{{}}}", members.join(","))
}

/// Each member's text, regardless of order.
pub(crate) fn members(text: &str) -> BTreeMap<String, String> {
    let raw: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text).unwrap();
    raw.into_iter().map(|(name, value)| (name, value.get().to_owned())).collect()
}
