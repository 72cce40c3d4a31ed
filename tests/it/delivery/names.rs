//! The names of verdicts, failures, flow and policies, in text and in saved state.

use labhook::delivery::{Control, DeliveryGuarantee, Failure, ResponseAction, Verdict};
use labhook::flow::Signal;
use labhook::policy::OrderScope;

use crate::support::assert_named;

#[test]
fn name_is_the_same_in_text_and_saved_state() {
    assert_named(Verdict::Delivered, "delivered");
    assert_named(Verdict::Rejected, "rejected");
    assert_named(Verdict::Gone, "gone");
    assert_named(Verdict::Stopped, "stopped");
    assert_named(Verdict::Exhausted, "exhausted");
    assert_named(Verdict::Expired, "expired");
    assert_named(Verdict::Unconfirmed, "unconfirmed");
    assert_named(Verdict::Cancelled, "cancelled");
    assert_named(Failure::Dns, "dns");
    assert_named(Failure::Connect, "connect");
    assert_named(Failure::Tls, "tls");
    assert_named(Failure::Timeout, "timeout");
    assert_named(Failure::Broken, "broken");
    assert_named(Failure::Sender, "sender");
    assert_named(ResponseAction::Deliver, "deliver");
    assert_named(ResponseAction::Retry, "retry");
    assert_named(ResponseAction::Fail, "fail");
    assert_named(ResponseAction::Disable, "disable");
    assert_named(DeliveryGuarantee::AtLeastOnce, "at_least_once");
    assert_named(DeliveryGuarantee::AtMostOnce, "at_most_once");
    assert_named(DeliveryGuarantee::Ask, "ask");
    assert_named(Signal::Success, "success");
    assert_named(Signal::Refused, "refused");
    assert_named(Signal::Failed, "failed");
    assert_named(Signal::Neutral, "neutral");
    assert_named(Signal::Gone, "gone");
    assert_named(OrderScope::None, "none");
    assert_named(OrderScope::PerKey, "per_key");
    assert_named(OrderScope::Strict, "strict");
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
