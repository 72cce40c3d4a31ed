//! The names of states, signals and origins, in text and in saved state.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use labhook::health::{DisabledBy, ParseNameError, Signal, State};
use serde::Serialize;

use super::world::SIGNALS;

fn round_trips<T>(value: T, name: &str)
where
    T: Copy + Debug + Display + PartialEq + Serialize + FromStr<Err = ParseNameError>,
{
    assert_eq!(value.to_string(), name);
    assert_eq!(name.parse::<T>(), Ok(value));
    assert_eq!(serde_json::to_string(&value).unwrap(), format!("\"{name}\""));
}

#[test]
fn name_parses_to_its_value() {
    for state in [State::Healthy, State::Degraded, State::Suspended, State::Disabled] {
        round_trips(state, state.as_str());
    }
    for signal in SIGNALS {
        round_trips(signal, signal.as_str());
    }
    for by in [DisabledBy::Operator, DisabledBy::Receiver, DisabledBy::Escalation] {
        round_trips(by, by.as_str());
    }
}

#[test]
fn unknown_name_is_an_error() {
    for (error, text) in [
        (
            "open".parse::<State>().unwrap_err(),
            "unknown state `open`, expected one of `healthy`, `degraded`, `suspended`, `disabled`",
        ),
        (
            "Success".parse::<Signal>().unwrap_err(),
            "unknown signal `Success`, expected one of `success`, `endpoint_fault`, `overload`, \
             `payload_fault`, `sender_fault`, `gone`",
        ),
        (
            "".parse::<DisabledBy>().unwrap_err(),
            "unknown disable origin ``, expected one of `operator`, `receiver`, `escalation`",
        ),
    ] {
        assert_eq!(error.to_string(), text);
    }
}
