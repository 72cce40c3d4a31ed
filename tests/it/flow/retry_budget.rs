//! The retry budget, alone and in a flow.

use labhook::flow::{
    AttemptKind, Feedback, Flow, FlowDecision, FlowPolicy, RetryBudget, RetryBudgetPolicy,
};

use super::nz;
use crate::support::{at, secs};

// Known fault: a budget that only successes refill, and that blocks when it is empty, never
// recovers.
#[test]
fn empty_budget_delays_only_retries() {
    let budget = RetryBudgetPolicy::new(0, secs(10));
    let policy = FlowPolicy::fixed().with_retry_budget(budget);
    let (mut flow, mut now) = (Flow::new(), at(0));
    let mut retries = Vec::new();
    while retries.len() < 4 {
        for kind in [AttemptKind::First, AttemptKind::Probe] {
            assert_eq!(flow.check(&policy, kind, now), FlowDecision::Go);
        }
        match flow.check(&policy, AttemptKind::Retry, now) {
            FlowDecision::Go => {
                flow.start(&policy, AttemptKind::Retry, now);
                flow.end(&policy, now, Feedback::Other, now);
                retries.push(now);
            }
            FlowDecision::Wait { until } => {
                assert!(until > now && until <= now + secs(10), "{until}");
                now = until;
            }
            FlowDecision::Busy => panic!("nothing is in flight"),
        }
    }
    assert_eq!(retries, [at(0), at(10), at(20), at(30)]);
}

#[test]
fn first_attempts_save_up_retries_to_a_maximum() {
    let policy = RetryBudgetPolicy::new(20, secs(10)).with_max_saved(nz(2));
    let mut budget = RetryBudget::new();
    budget.retried(&policy, at(0));
    for _ in 0..4 {
        budget.first(&policy);
        assert_eq!(budget.wait(&policy, at(0)), Some(at(10)));
    }
    for _ in 0..100 {
        budget.first(&policy);
        assert_eq!(budget.wait(&policy, at(0)), None);
    }
    budget.retried(&policy, at(0));
    budget.retried(&policy, at(0));
    assert_eq!(budget.wait(&policy, at(0)), Some(at(10)), "only two were saved");
    assert_eq!(budget.wait(&policy, at(10)), None);

    let mut budget = RetryBudget::new();
    budget.retried(&policy, at(0));
    for _ in 0..100 {
        budget.first(&policy);
    }
    let higher = policy.with_max_saved(nz(9));
    budget.retried(&higher, at(0));
    budget.retried(&higher, at(0));
    assert_eq!(budget.wait(&higher, at(0)), Some(at(10)), "a higher maximum restores nothing");
}
