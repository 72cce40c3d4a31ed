//! Refunds of what a cancelled attempt used up.

use std::num::NonZeroU32;

use labhook::flow::{
    AdaptiveRatePolicy, AttemptKind, ConcurrencyLimitPolicy, Feedback, Flow, FlowDecision,
    FlowPolicy, RateLimitPolicy, RetryBudgetPolicy,
};

use super::nz;
use crate::support::{Host, answer, at, eid, endpoint, policy, secs};

fn roomy() -> FlowPolicy {
    FlowPolicy::fixed().with_concurrency(ConcurrencyLimitPolicy::fixed(nz(1_000)))
}

/// The number of retries that may start at once.
fn retries(flow: &Flow, policy: &FlowPolicy, now: i64) -> u32 {
    let mut flow = flow.clone();
    let mut count = 0;
    while flow.check(policy, AttemptKind::Retry, at(now)) == FlowDecision::Go {
        flow.start(policy, AttemptKind::Retry, at(now));
        count += 1;
    }
    count
}

#[test]
fn refunded_retry_is_saved_again_however_late() {
    // The budget of the default policy.
    let policy = roomy().with_retry_budget(RetryBudgetPolicy::new(20, secs(1)));
    let mut flow = Flow::new();
    for _ in 0..50 {
        flow.start(&policy, AttemptKind::First, at(0));
        flow.end(&policy, at(0), Feedback::Other, at(0));
    }
    // Ten from first attempts, and that of the interval.
    assert_eq!(retries(&flow, &policy, 10), 11);
    let receipts = [(); 8].map(|()| flow.start(&policy, AttemptKind::Retry, at(10)));
    for receipt in receipts {
        // Storage took two seconds.
        flow.cancel_start(&policy, receipt, at(12));
    }
    assert_eq!(retries(&flow, &policy, 12), 11, "time restores no credit");
}

#[test]
fn pause_uses_up_no_saved_retries() {
    let budget = RetryBudgetPolicy::new(50, secs(600));
    let retried = |paused: bool| {
        let mut host = Host::with([endpoint("e").with_flow(roomy().with_retry_budget(budget))]);
        for number in 0..16 {
            host.publish(&format!("m{number}"));
        }
        for ticket in host.sends() {
            host.resolve(&ticket, &answer(500));
        }
        host.sends();
        host.now = at(5);
        if paused {
            // While the retries are being saved.
            let changes = host.unsaved();
            host.outbox.pause_endpoint(&eid("e"), host.now).unwrap();
            host.now = at(605);
            host.save(changes);
            assert_eq!(host.sends().len(), 0);
            host.outbox.resume_endpoint(&eid("e"), host.now).unwrap();
        }
        host.now = at(605);
        host.sends().len()
    };
    assert_eq!(retried(false), 9, "half a retry for each, and that of the interval");
    assert_eq!(retried(true), retried(false));
}

#[test]
fn cancelled_first_attempt_keeps_others_savings() {
    let policy =
        roomy().with_retry_budget(RetryBudgetPolicy::new(20, secs(3_600)).with_max_saved(nz(2)));
    let mut flow = Flow::new();
    for _ in 0..50 {
        flow.start(&policy, AttemptKind::First, at(0));
        flow.end(&policy, at(0), Feedback::Other, at(0));
    }
    assert_eq!(retries(&flow, &policy, 0), 3);
    // A batch of messages that expire while it is being saved.
    let receipts = [(); 16].map(|()| flow.start(&policy, AttemptKind::First, at(1)));
    for receipt in receipts {
        flow.cancel_start(&policy, receipt, at(2));
    }
    assert_eq!(retries(&flow, &policy, 2), 3, "they neither earned nor used up anything");
}

#[test]
fn retry_from_before_the_budget_is_not_refunded() {
    let before = endpoint("e").with_retry(policy(&[5, 20])).with_flow(roomy());
    let budget = RetryBudgetPolicy::new(0, secs(3_600));
    let after = || endpoint("e").with_flow(roomy().with_retry_budget(budget));
    let mut host = Host::with([before]);
    for number in 0..8 {
        host.publish(&format!("m{number}"));
    }
    for ticket in host.sends() {
        host.resolve(&ticket, &answer(500));
    }
    assert_eq!(host.sends().len(), 0);
    host.now = at(5);
    // All retries are started. While they are saved, an operator pauses and sets a budget.
    let changes = host.unsaved();
    host.outbox.pause_endpoint(&eid("e"), host.now).unwrap();
    host.outbox.replace_endpoint(after(), host.now).unwrap();
    host.save(changes);
    assert_eq!(host.sends().len(), 0);
    host.outbox.resume_endpoint(&eid("e"), host.now).unwrap();
    assert_eq!(host.sends().len(), 1, "no first attempt since, and one from the interval");
}

#[test]
fn new_rate_limit_refunds_nothing_it_never_counted() {
    let rate = roomy().with_rate_limit(RateLimitPolicy::new(nz(1), secs(3_600)));
    let mut flow = Flow::new();
    let receipt = flow.start(&roomy(), AttemptKind::First, at(0));
    flow.start(&rate, AttemptKind::First, at(1));
    let wait = flow.check(&rate, AttemptKind::First, at(2));
    assert_ne!(wait, FlowDecision::Go);
    flow.cancel_start(&rate, receipt, at(2));
    assert_eq!(flow.check(&rate, AttemptKind::First, at(2)), wait, "the second one was made");
}

#[test]
fn slower_rate_limit_refunds_no_more_than_it_counted() {
    let fast = roomy().with_rate_limit(RateLimitPolicy::new(nz(10), secs(1)));
    let slow = roomy().with_rate_limit(RateLimitPolicy::new(nz(1), secs(3_600)));
    let mut flow = Flow::new();
    let receipt = flow.start(&fast, AttemptKind::First, at(0));
    let mut alone = Flow::new();
    for flow in [&mut flow, &mut alone] {
        flow.start(&fast, AttemptKind::First, at(1));
    }
    flow.cancel_start(&slow, receipt, at(2));
    let wait = alone.check(&slow, AttemptKind::First, at(2));
    assert_ne!(wait, FlowDecision::Go);
    assert_eq!(flow.check(&slow, AttemptKind::First, at(2)), wait, "the second one was made");
}

#[test]
fn attempt_from_before_the_rate_is_not_refunded() {
    let policy = roomy().with_adaptive_rate(AdaptiveRatePolicy::new(secs(10)));
    let mut flow = Flow::new();
    // One that is refused, and one that is not sent yet.
    let receipt = flow.start(&policy, AttemptKind::First, at(0));
    flow.start(&policy, AttemptKind::First, at(0));
    flow.end(&policy, at(0), Feedback::TooFast, at(0));
    flow.start(&policy, AttemptKind::First, at(0));
    let wait = flow.check(&policy, AttemptKind::First, at(0));
    assert_ne!(wait, FlowDecision::Go);
    flow.cancel_start(&policy, receipt, at(0));
    assert_eq!(flow.check(&policy, AttemptKind::First, at(0)), wait, "the last one was made");
}

#[test]
fn cancelled_attempt_earns_no_retry() {
    let budget = RetryBudgetPolicy::new(50, secs(3_600));
    let flow = FlowPolicy::fixed().with_retry_budget(budget);
    let mut host = Host::with([endpoint("e").with_retry(policy(&[1, 1, 1, 1])).with_flow(flow)]);
    host.publish("m");
    for _ in 0..10 {
        // An operator pauses while storage is busy, and resumes.
        let changes = host.unsaved();
        host.outbox.pause_endpoint(&eid("e"), host.now).unwrap();
        host.save(changes);
        assert_eq!(host.send_texts(), [""; 0]);
        host.outbox.resume_endpoint(&eid("e"), host.now).unwrap();
    }
    let mut retries = 0;
    for second in 0..60 {
        host.now = at(second);
        for ticket in host.sends() {
            retries += u32::from(ticket.attempt() > 1);
            host.resolve(&ticket, &answer(500));
        }
    }
    // One first attempt earns half a retry, and the interval allows one per hour.
    assert_eq!(retries, 1);
}

#[test]
fn cancelled_attempt_uses_up_no_rate() {
    let flow =
        FlowPolicy::fixed().with_rate_limit(RateLimitPolicy::new(NonZeroU32::MIN, secs(86_400)));
    let mut host = Host::with([endpoint("e").with_flow(flow)]);
    host.publish("m");
    let changes = host.unsaved();
    host.outbox.pause_endpoint(&eid("e"), host.now).unwrap();
    host.save(changes);
    assert_eq!(host.send_texts(), [""; 0]);
    host.outbox.resume_endpoint(&eid("e"), host.now).unwrap();
    assert_eq!(host.send_texts(), ["m>e#1"]);
}
