//! What an attempt used up that was taken back before it left.

use std::num::NonZeroU32;

use labhook::flow::{
    AdaptiveRatePolicy, AttemptKind, ConcurrencyLimitPolicy, Feedback, Flow, FlowDecision,
    FlowPolicy, RateLimitPolicy, RetryBudgetPolicy,
};

use crate::support::{Host, answer, at, eid, endpoint, policy, secs};

fn many(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap()
}

fn roomy() -> FlowPolicy {
    FlowPolicy::fixed().with_concurrency(ConcurrencyLimitPolicy::fixed(many(1_000)))
}

/// How many retries may go at once.
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
fn a_saved_up_retry_that_is_taken_back_is_saved_up_again_however_late() {
    // The default policy's budget.
    let policy = roomy().with_retry_budget(RetryBudgetPolicy::new(20, secs(1)));
    let mut flow = Flow::new();
    for _ in 0..50 {
        flow.start(&policy, AttemptKind::First, at(0));
        flow.end(&policy, at(0), Feedback::Other, at(0));
    }
    // Ten of the firsts, and the trickle's.
    assert_eq!(retries(&flow, &policy, 10), 11);
    let spent = [(); 8].map(|()| flow.start(&policy, AttemptKind::Retry, at(10)));
    for spent in spent {
        // Storage took two seconds.
        flow.cancel_start(&policy, spent, at(12));
    }
    assert_eq!(retries(&flow, &policy, 12), 11, "time gives no credit back");
}

#[test]
fn a_pause_does_not_use_up_the_retries_that_were_saved_up() {
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
    assert_eq!(retried(false), 9, "half a retry for each, and the trickle's");
    assert_eq!(retried(true), retried(false));
}

#[test]
fn a_first_attempt_that_is_taken_back_leaves_what_others_have_saved_up() {
    let policy =
        roomy().with_retry_budget(RetryBudgetPolicy::new(20, secs(3_600)).with_max_saved(many(2)));
    let mut flow = Flow::new();
    for _ in 0..50 {
        flow.start(&policy, AttemptKind::First, at(0));
        flow.end(&policy, at(0), Feedback::Other, at(0));
    }
    assert_eq!(retries(&flow, &policy, 0), 3);
    // A batch whose messages expire while it is being saved.
    let spent = [(); 16].map(|()| flow.start(&policy, AttemptKind::First, at(1)));
    for spent in spent {
        flow.cancel_start(&policy, spent, at(2));
    }
    assert_eq!(
        retries(&flow, &policy, 2),
        3,
        "they saved up nothing, nor did they use anything up"
    );
}

#[test]
fn a_retry_from_before_there_was_a_budget_is_not_paid_out_of_it() {
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
    // All retries are started. While they are saved, somebody pauses and sets a budget.
    let changes = host.unsaved();
    host.outbox.pause_endpoint(&eid("e"), host.now).unwrap();
    host.outbox.replace_endpoint(after(), host.now).unwrap();
    host.save(changes);
    assert_eq!(host.sends().len(), 0);
    host.outbox.resume_endpoint(&eid("e"), host.now).unwrap();
    assert_eq!(host.sends().len(), 1, "no first attempt was made since, and the trickle gives one");
}

#[test]
fn what_a_new_rate_never_counted_is_not_given_back_by_it() {
    let rate = roomy().with_rate_limit(RateLimitPolicy::new(many(1), secs(3_600)));
    let mut flow = Flow::new();
    let spent = flow.start(&roomy(), AttemptKind::First, at(0));
    flow.start(&rate, AttemptKind::First, at(1));
    let wait = flow.check(&rate, AttemptKind::First, at(2));
    assert_ne!(wait, FlowDecision::Go);
    flow.cancel_start(&rate, spent, at(2));
    assert_eq!(flow.check(&rate, AttemptKind::First, at(2)), wait, "the second one was made");
}

#[test]
fn what_a_slower_rate_counted_once_is_not_given_back_twice() {
    let fast = roomy().with_rate_limit(RateLimitPolicy::new(many(10), secs(1)));
    let slow = roomy().with_rate_limit(RateLimitPolicy::new(many(1), secs(3_600)));
    let mut flow = Flow::new();
    let spent = flow.start(&fast, AttemptKind::First, at(0));
    let mut alone = Flow::new();
    for flow in [&mut flow, &mut alone] {
        flow.start(&fast, AttemptKind::First, at(1));
    }
    flow.cancel_start(&slow, spent, at(2));
    let wait = alone.check(&slow, AttemptKind::First, at(2));
    assert_ne!(wait, FlowDecision::Go);
    assert_eq!(flow.check(&slow, AttemptKind::First, at(2)), wait, "the second one was made");
}

#[test]
fn what_was_started_before_there_was_a_pace_gives_no_pace_back() {
    let policy = roomy().with_adaptive_rate(AdaptiveRatePolicy::new(secs(10)));
    let mut flow = Flow::new();
    // One that is refused, and one that is not handed out yet.
    let spent = flow.start(&policy, AttemptKind::First, at(0));
    flow.start(&policy, AttemptKind::First, at(0));
    flow.end(&policy, at(0), Feedback::TooFast, at(0));
    flow.start(&policy, AttemptKind::First, at(0));
    let wait = flow.check(&policy, AttemptKind::First, at(0));
    assert_ne!(wait, FlowDecision::Go);
    flow.cancel_start(&policy, spent, at(0));
    assert_eq!(flow.check(&policy, AttemptKind::First, at(0)), wait, "the last one was made");
}

#[test]
fn an_attempt_that_was_taken_back_earns_no_retry() {
    let budget = RetryBudgetPolicy::new(50, secs(3_600));
    let flow = FlowPolicy::fixed().with_retry_budget(budget);
    let mut host = Host::with([endpoint("e").with_retry(policy(&[1, 1, 1, 1])).with_flow(flow)]);
    host.publish("m");
    for _ in 0..10 {
        // Somebody pauses while storage is busy, and resumes.
        let changes = host.unsaved();
        host.outbox.pause_endpoint(&eid("e"), host.now).unwrap();
        host.save(changes);
        assert_eq!(host.shown(), [""; 0]);
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
    // One first attempt gives half a retry, and the trickle one an hour.
    assert_eq!(retries, 1);
}

#[test]
fn an_attempt_that_was_taken_back_uses_up_no_rate() {
    let flow =
        FlowPolicy::fixed().with_rate_limit(RateLimitPolicy::new(NonZeroU32::MIN, secs(86_400)));
    let mut host = Host::with([endpoint("e").with_flow(flow)]);
    host.publish("m");
    let changes = host.unsaved();
    host.outbox.pause_endpoint(&eid("e"), host.now).unwrap();
    host.save(changes);
    assert_eq!(host.shown(), [""; 0]);
    host.outbox.resume_endpoint(&eid("e"), host.now).unwrap();
    assert_eq!(host.shown(), ["m>e#1"]);
}
