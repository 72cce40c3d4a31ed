//! The flow of one endpoint, step by step.

use labhook::Timestamp;
use labhook::flow::{AttemptKind, Feedback, Flow, FlowDecision, FlowPolicy, RateLimitPolicy};

use super::{TICK, ms, nz};
use crate::support::at;

/// The number of attempts that start at once, each time all those in flight have succeeded.
fn rounds(flow: &mut Flow, policy: &FlowPolicy, count: usize) -> Vec<u32> {
    let mut now = at(0);
    (0..count)
        .map(|_| {
            let mut went = 0;
            while flow.check(policy, AttemptKind::First, now) == FlowDecision::Go {
                flow.start(policy, AttemptKind::First, now);
                went += 1;
            }
            let started_at = now;
            now += ms(20);
            for _ in 0..went {
                flow.end(policy, started_at, Feedback::Success, now);
            }
            went
        })
        .collect()
}

// Known fault: a success while half-open releases the whole backlog at once.
#[test]
fn recovered_receiver_gets_a_slow_start() {
    let policy = FlowPolicy::adaptive();
    let mut flow = Flow::new();
    assert_eq!(rounds(&mut flow, &policy, 5), [8, 16, 32, 64, 64]);
    flow.recovered();
    flow.recovered();
    assert_eq!(rounds(&mut flow, &policy, 8), [1, 2, 4, 8, 16, 32, 64, 64]);
}

// Known fault: an open breaker that returns a zero delay makes its caller spin.
#[test]
fn wait_is_always_later_than_now() {
    let policy = FlowPolicy::adaptive().with_rate_limit(RateLimitPolicy::per_second(nz(1)));
    let mut flow = Flow::new();
    for clock in [at(0), at(0), at(-5)] {
        flow.start(&policy, AttemptKind::Retry, clock);
        flow.end(&policy, clock, Feedback::TooFast, clock);
        flow.pause_until(clock);
        for kind in [AttemptKind::First, AttemptKind::Retry, AttemptKind::Probe] {
            let FlowDecision::Wait { until } = flow.check(&policy, kind, clock) else { panic!() };
            assert!(until > clock);
            assert_eq!(flow.wake_at(&policy, kind, clock), Some(until));
            assert_eq!(flow.check(&policy, kind, until), FlowDecision::Go);
        }
    }
    assert_eq!(flow.in_flight(), 0, "no attempt was used up");
}

#[test]
fn pause_holds_all_kinds_and_is_never_shortened() {
    let policy = FlowPolicy::fixed();
    let mut flow = Flow::new();
    flow.pause_until(at(120));
    flow.pause_until(at(30));
    flow.pause_until(Timestamp::MIN);
    for kind in [AttemptKind::First, AttemptKind::Retry, AttemptKind::Probe] {
        assert_eq!(flow.check(&policy, kind, at(1)), FlowDecision::Wait { until: at(120) });
        assert_eq!(
            flow.check(&policy, kind, at(120) - TICK),
            FlowDecision::Wait { until: at(120) }
        );
        assert_eq!(flow.check(&policy, kind, at(120)), FlowDecision::Go);
    }
    flow.pause_until(Timestamp::MAX);
    let until = flow.wake_at(&policy, AttemptKind::First, at(11));
    assert_eq!(until, Some(Timestamp::MAX), "the caller limits it");
}

#[test]
fn each_feedback_has_its_machine() {
    let adaptive = FlowPolicy::adaptive();
    let decreased = |policy: &FlowPolicy, feedback| {
        let mut flow = Flow::new();
        flow.start(policy, AttemptKind::First, at(0));
        flow.end(policy, at(0), feedback, at(1));
        let rate = policy.adaptive_rate().and_then(|it| flow.adaptive_rate().spacing(it)).is_some();
        (rate, flow.concurrency().limit(policy.concurrency()).get() < 8)
    };
    assert_eq!(decreased(&adaptive, Feedback::TooFast), (true, false));
    assert_eq!(decreased(&adaptive, Feedback::Overloaded), (true, true));
    assert_eq!(decreased(&adaptive, Feedback::Other), (false, false));
    assert_eq!(decreased(&adaptive.with_adaptive_rate(None), Feedback::TooFast), (false, true));
    assert_eq!(decreased(&FlowPolicy::fixed(), Feedback::Overloaded), (false, false));
}

#[test]
fn in_flight_counts_starts_and_ends() {
    let policy = FlowPolicy::fixed();
    let mut flow = Flow::new();
    flow.end(&policy, at(0), Feedback::Success, at(0));
    assert_eq!(rounds(&mut flow, &policy, 2), [8, 8], "an extra end does no harm");
    flow.set_in_flight(8);
    assert_eq!(flow.check(&policy, AttemptKind::Probe, at(0)), FlowDecision::Busy);
    assert_eq!(flow.wake_at(&policy, AttemptKind::Probe, at(0)), None);
    flow.set_in_flight(0);
    assert_eq!(flow.check(&policy, AttemptKind::Probe, at(0)), FlowDecision::Go);
}
