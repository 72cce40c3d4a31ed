//! The names of states, signals and origins, in text and in saved state.

use labhook::health::{DisabledBy, Signal, State};

use super::world::SIGNALS;
use crate::support::assert_named;

#[test]
fn name_parses_to_its_value() {
    for state in [State::Healthy, State::Down, State::Disabled] {
        assert_named(state, state.as_str());
    }
    for signal in SIGNALS {
        assert_named(signal, signal.as_str());
    }
    for by in [DisabledBy::Operator, DisabledBy::Receiver, DisabledBy::Escalation] {
        assert_named(by, by.as_str());
    }
}

#[test]
fn unknown_name_is_an_error() {
    for (error, text) in [
        (
            "open".parse::<State>().unwrap_err(),
            "unknown state `open`, expected one of `healthy`, `down`, `disabled`",
        ),
        (
            "Success".parse::<Signal>().unwrap_err(),
            "unknown signal `Success`, expected one of `success`, `refused`, `failed`, `neutral`, \
             `gone`",
        ),
        (
            "".parse::<DisabledBy>().unwrap_err(),
            "unknown disable origin ``, expected one of `operator`, `receiver`, `escalation`",
        ),
    ] {
        assert_eq!(error.to_string(), text);
    }
}
