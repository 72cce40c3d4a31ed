//! The messages that a subscription selects.

use std::error::Error as _;

use http::HeaderValue;
use labhook::endpoint::{EventPattern, TriggerOn};
use labhook::event::Trigger;
use labhook::message::Rendering;
use labhook::{EventType, Keys, Message, Subscription};

use crate::support::{at, mid};

fn message(event_type: &str, keys: Keys) -> Message {
    let rendering = Rendering::new(HeaderValue::from_static("text/plain"), "");
    let event_type = EventType::new(event_type).unwrap();
    Message::new(mid("m"), event_type, at(0), keys, "text", rendering)
}

fn pattern(text: &str) -> EventPattern {
    text.parse().unwrap()
}

/// A movement that carries every key.
fn full() -> Keys {
    Keys::new()
        .with_run("r1")
        .with_project("p1")
        .with_task("t1")
        .with_labware("l1")
        .with_trigger(Trigger::Start)
}

fn without(change: impl FnOnce(&mut Keys)) -> Keys {
    let mut keys = full();
    change(&mut keys);
    keys
}

/// A subscription with every filter, which [`full`] keys of `labware.moved` pass.
fn strict() -> Subscription {
    Subscription::all()
        .event_types([pattern("run.*"), pattern("labware.moved")])
        .runs(["r1".into(), "r2".into()])
        .projects(["p1".into()])
        .tasks(["t1".into()])
        .labware(["l1".into()])
        .with_trigger_on(TriggerOn::Start)
}

#[test]
fn subscription_without_filters_matches_everything() {
    assert!(Subscription::all().matches(&message("x", Keys::new())));
    assert!(Subscription::all().matches(&message("labware.moved", full())));
    // A filter with an empty list is no filter.
    let empty = Subscription::all().event_types([]).runs([]).projects([]).tasks([]).labware([]);
    assert_eq!(empty, Subscription::all());
    assert!(empty.with_trigger_on(TriggerOn::Both).matches(&message("x", Keys::new())));
}

#[test]
fn filter_requires_its_key_with_a_listed_value() {
    let all = Subscription::all;
    let filters = [
        (
            all().runs(["r1".into(), "r2".into()]),
            Keys::new().with_run("r1"),
            Keys::new().with_run("r3"),
        ),
        (
            all().projects(["p1".into()]),
            Keys::new().with_project("p1"),
            Keys::new().with_project("p2"),
        ),
        (all().tasks(["t1".into()]), Keys::new().with_task("t1"), Keys::new().with_task("t2")),
        (
            all().labware(["l1".into()]),
            Keys::new().with_labware("l1"),
            Keys::new().with_labware("l2"),
        ),
    ];
    for (index, (subscription, wanted, other)) in filters.iter().enumerate() {
        assert!(subscription.matches(&message("x", wanted.clone())), "{subscription:?}");
        assert!(subscription.matches(&message("x", full())), "{subscription:?}");
        assert!(!subscription.matches(&message("x", other.clone())), "{subscription:?}");
        assert!(!subscription.matches(&message("x", Keys::new())), "{subscription:?}");
        for (other_index, (_, keys, _)) in filters.iter().enumerate() {
            let own = index == other_index;
            assert_eq!(subscription.matches(&message("x", keys.clone())), own, "{keys:?}");
        }
    }
    // The ordering key does not count as any other key.
    let ordered = Keys::new().with_ordering("r1");
    assert!(!filters[0].0.matches(&message("x", ordered)));
}

#[test]
fn ids_match_exactly() {
    let subscription = Subscription::all().runs(["r1".into()]);
    for other in ["r", "r11", "R1", " r1", ""] {
        assert!(!subscription.matches(&message("x", Keys::new().with_run(other))), "{other:?}");
    }
    let empty = Subscription::all().runs(["".into()]);
    assert!(empty.matches(&message("x", Keys::new().with_run(""))));
    assert!(!empty.matches(&message("x", Keys::new())), "an empty id is an id");
}

#[test]
fn all_filters_must_match() {
    let moved = |keys| message("labware.moved", keys);
    assert!(strict().matches(&moved(full())));
    assert!(strict().matches(&moved(full().with_run("r2"))));
    for keys in [
        full().with_run("r3"),
        full().with_project("p2"),
        full().with_task("t2"),
        full().with_labware("l2"),
        full().with_trigger(Trigger::End),
        without(|keys| keys.run = None),
        without(|keys| keys.project = None),
        without(|keys| keys.task = None),
        without(|keys| keys.labware = None),
        without(|keys| keys.trigger = None),
    ] {
        assert!(!strict().matches(&moved(keys.clone())), "{keys:?}");
    }
    assert!(!strict().matches(&message("labware.scanned", full())));
    assert!(strict().matches(&message("run.state_changed", full())));
}

#[test]
fn trigger_filter_selects_an_end_of_a_movement() {
    for (trigger_on, start, end, none) in [
        (TriggerOn::Start, true, false, false),
        (TriggerOn::End, false, true, false),
        (TriggerOn::Both, true, true, true),
    ] {
        let subscription = Subscription::all().with_trigger_on(trigger_on);
        let matches = |keys| subscription.matches(&message("x", keys));
        assert_eq!(matches(Keys::new().with_trigger(Trigger::Start)), start);
        assert_eq!(matches(Keys::new().with_trigger(Trigger::End)), end);
        assert_eq!(matches(Keys::new()), none);
    }
    assert_eq!(TriggerOn::default(), TriggerOn::Both);
}

#[test]
fn pattern_matches_all_a_family_or_one_type() {
    for (text, yes, no) in [
        ("*", &["run", "run.state_changed", "a.b.c"][..], &[][..]),
        ("run.*", &["run.state_changed", "run.state.changed"], &["run", "runs.x", "re.run.x"]),
        ("run.state.*", &["run.state.changed"], &["run.state", "run.states.x", "run.x"]),
        ("run", &["run"], &["run.state_changed", "Run", "runs"]),
        ("run.state_changed", &["run.state_changed"], &["run", "run.state_changed.x"]),
    ] {
        let pattern = pattern(text);
        assert_eq!(pattern.to_string(), text);
        assert_eq!(format!("{pattern:?}"), format!("\"{text}\""));
        for yes in yes {
            assert!(pattern.matches(&EventType::new(*yes).unwrap()), "{text} {yes}");
        }
        for no in no {
            assert!(!pattern.matches(&EventType::new(*no).unwrap()), "{text} {no}");
        }
    }
    let run = EventType::from_static("run");
    assert_eq!(pattern("run.*"), EventPattern::under(run.clone()));
    assert_eq!(pattern("run"), run.into());
    assert_eq!(pattern("*"), EventPattern::ALL);
}

#[test]
fn invalid_pattern_is_refused() {
    let long = "a".repeat(129);
    let (empty, character, too_long) = (
        "event type must not have an empty segment",
        "event type must contain only `A-Z a-z 0-9 _ - .`",
        "event type must be at most 128 bytes, got 129",
    );
    for (text, source) in [
        ("", empty),
        (".*", empty),
        ("run.", empty),
        ("run..*", empty),
        ("**", character),
        ("*.*", character),
        ("*.run", character),
        ("run*", character),
        ("run.*.*", character),
        ("run.*.x", character),
        (" *", character),
        ("run state", character),
        (&long, too_long),
    ] {
        let error = text.parse::<EventPattern>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "event pattern must be `*`, an event type, or an event type followed by `.*`",
            "{text:?}"
        );
        assert_eq!(error.source().unwrap().to_string(), source, "{text:?}");
        let json = serde_json::to_string(&[text]).unwrap();
        assert!(serde_json::from_str::<Vec<EventPattern>>(&json).is_err(), "{text:?}");
    }
}

#[test]
fn subscription_round_trips_through_saved_state() {
    let json = concat!(
        r#"{"event_types":["run.*","labware.moved"],"runs":["r1","r2"],"projects":["p1"],"#,
        r#""tasks":["t1"],"labware":["l1"],"trigger_on":"start"}"#
    );
    assert_eq!(serde_json::to_string(&strict()).unwrap(), json);
    assert_eq!(serde_json::from_str::<Subscription>(json).unwrap(), strict());

    assert_eq!(serde_json::to_string(&Subscription::all()).unwrap(), "{}");
    for nothing in ["{}", r#"{"runs":[],"event_types":[],"trigger_on":"both"}"#] {
        assert_eq!(serde_json::from_str::<Subscription>(nothing).unwrap(), Subscription::all());
    }
    let end = Subscription::all().with_trigger_on(TriggerOn::End);
    assert_eq!(serde_json::to_string(&end).unwrap(), r#"{"trigger_on":"end"}"#);
}

#[test]
fn invalid_configuration_is_refused() {
    for (json, reason) in [
        (r#"{"run":["r1"]}"#, "unknown field `run`"),
        (
            r#"{"event_types":["run.*.x"]}"#,
            "event pattern must be `*`, an event type, or an event type followed by `.*`",
        ),
        (r#"{"event_types":"*"}"#, "expected a sequence"),
        (r#"{"trigger_on":"start","trigger_on":"end"}"#, "duplicate field `trigger_on`"),
        (r#"{"trigger_on":"begin"}"#, "unknown variant `begin`"),
    ] {
        let error = serde_json::from_str::<Subscription>(json).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}
