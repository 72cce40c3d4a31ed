//! The names of verdicts, failures and policies, in text and in saved state.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use labhook::delivery::{
    Control, DeliveryGuarantee, Failure, ParseNameError, ResponseAction, Verdict,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn round_trips<T>(values: &[(T, &str)])
where
    T: Copy + Debug + Display + PartialEq + Serialize + DeserializeOwned,
    T: FromStr<Err = ParseNameError>,
{
    for (value, name) in values {
        assert_eq!(value.to_string(), *name);
        assert_eq!(name.parse::<T>().as_ref(), Ok(value));
        let json = format!("\"{name}\"");
        assert_eq!(serde_json::to_string(value).unwrap(), json);
        assert_eq!(serde_json::from_str::<T>(&json).unwrap(), *value);
    }
}

#[test]
fn name_is_the_same_in_text_and_saved_state() {
    round_trips(&[
        (Verdict::Delivered, "delivered"),
        (Verdict::Rejected, "rejected"),
        (Verdict::Gone, "gone"),
        (Verdict::Stopped, "stopped"),
        (Verdict::Exhausted, "exhausted"),
        (Verdict::Expired, "expired"),
        (Verdict::Unconfirmed, "unconfirmed"),
        (Verdict::Cancelled, "cancelled"),
    ]);
    round_trips(&[
        (Failure::Dns, "dns"),
        (Failure::Connect, "connect"),
        (Failure::Tls, "tls"),
        (Failure::Timeout, "timeout"),
        (Failure::Broken, "broken"),
        (Failure::Sender, "sender"),
    ]);
    round_trips(&[
        (ResponseAction::Deliver, "deliver"),
        (ResponseAction::Retry, "retry"),
        (ResponseAction::Fail, "fail"),
        (ResponseAction::Disable, "disable"),
    ]);
    round_trips(&[
        (DeliveryGuarantee::AtLeastOnce, "at_least_once"),
        (DeliveryGuarantee::AtMostOnce, "at_most_once"),
        (DeliveryGuarantee::Ask, "ask"),
    ]);
    for (control, name) in [(Control::Disable, "disable"), (Control::AbortMessage, "abort-message")]
    {
        assert_eq!(control.to_string(), name);
        assert_eq!(name.parse(), Ok(control));
    }
}

#[test]
fn only_delivered_is_delivered() {
    for verdict in [Verdict::Rejected, Verdict::Gone, Verdict::Stopped, Verdict::Exhausted] {
        assert!(!verdict.is_delivered());
    }
    for verdict in [Verdict::Expired, Verdict::Unconfirmed, Verdict::Cancelled] {
        assert!(!verdict.is_delivered());
    }
    assert!(Verdict::Delivered.is_delivered());
}

#[test]
fn long_unknown_name_is_cut_and_escaped() {
    let error = format!("a\n{}", "b".repeat(1_000)).parse::<Verdict>().unwrap_err().to_string();
    let shown = format!("unknown verdict `a\\n{}`, expected one of `delivered`", "b".repeat(62));
    assert!(error.starts_with(&shown), "{error}");
}
