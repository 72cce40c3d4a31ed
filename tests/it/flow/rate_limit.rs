//! The configured rate, to the microsecond.

use std::time::Duration;

use labhook::Timestamp;
use labhook::flow::{ConcurrencyLimitPolicy, Flow, FlowDecision, FlowPolicy, RateLimitPolicy};

use super::{TICK, ms, nz};
use crate::support::{at, secs};

/// A rate limit alone.
fn limited(rate: RateLimitPolicy) -> FlowPolicy {
    let unlimited = ConcurrencyLimitPolicy::fixed(nz(u32::MAX));
    FlowPolicy::fixed().with_concurrency(unlimited).with_rate_limit(rate)
}

fn wait(flow: &mut Flow, rate: RateLimitPolicy, now: Timestamp) -> Option<Timestamp> {
    let decision = flow.check(&limited(rate), now);
    assert_ne!(decision, FlowDecision::Busy);
    decision.wake_at()
}

/// The times of `count` releases that are requested at once, in microseconds from the first.
fn releases(rate: RateLimitPolicy, count: usize) -> Vec<u64> {
    let (mut flow, mut now) = (Flow::new(), at(0));
    let mut times = Vec::new();
    while times.len() < count {
        match wait(&mut flow, rate, now) {
            Some(until) => {
                assert!(until > now);
                assert_eq!(wait(&mut flow, rate, until - TICK), Some(until), "not a tick earlier");
                now = until;
            }
            None => {
                flow.start(&limited(rate), now);
                times.push(u64::try_from(now.saturating_since(at(0)).as_micros()).unwrap());
            }
        }
    }
    times
}

#[test]
fn rate_is_exact() {
    let three = RateLimitPolicy::per_second(nz(3)).with_burst(nz(2));
    let times = releases(three, 8);
    assert_eq!(times, [0, 0, 333_334, 666_667, 1_000_000, 1_333_334, 1_666_667, 2_000_000]);

    // A burst makes up for rounding: no release drifts.
    let seven = RateLimitPolicy::new(nz(7), secs(1)).with_burst(nz(2));
    assert_eq!(releases(seven, 70_002)[70_001], 10_000_000_000);

    let slow = RateLimitPolicy::new(nz(2), secs(60));
    assert_eq!(releases(slow, 3), [0, 30_000_000, 60_000_000]);
    let fast = RateLimitPolicy::per_second(nz(3_000_000)).with_burst(nz(3));
    assert_eq!(releases(fast, 9), [0, 0, 0, 1, 1, 1, 2, 2, 2]);
}

#[test]
fn new_policy_applies_to_later_releases() {
    let (second, minute) =
        (RateLimitPolicy::per_second(nz(1)), RateLimitPolicy::new(nz(1), secs(60)));
    let mut flow = Flow::new();
    flow.start(&limited(second), at(0));
    assert_eq!(wait(&mut flow, second, at(0)), Some(at(1)));
    assert_eq!(wait(&mut flow, minute, at(0)), Some(at(60)), "one release is one release");
    assert_eq!(wait(&mut flow, second.with_burst(nz(2)), at(0)), None);
    flow.start(&limited(minute), at(30));
    assert_eq!(wait(&mut flow, second, at(30)), Some(at(30) + ms(1_500)));
}

#[test]
fn extreme_rate_still_limits() {
    let day = Duration::from_secs(86_400);
    let huge = RateLimitPolicy::new(nz(1), Duration::MAX).with_burst(nz(u32::MAX));
    assert_eq!(huge.per(), day);
    let mut saved = serde_json::to_value(Flow::new()).unwrap();
    saved["rate_limit"] = serde_json::json!({"level": u64::MAX, "cost": 1, "at": 0});
    let mut flow: Flow = serde_json::from_value(saved).unwrap();
    let until = wait(&mut flow, huge, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(until, Timestamp::UNIX_EPOCH + day, "one day for the one release too many");
    flow.start(&limited(huge), Timestamp::MAX);
    assert_eq!(
        wait(&mut flow, RateLimitPolicy::per_second(nz(1)), Timestamp::MAX),
        Some(Timestamp::MAX)
    );
    assert_eq!(RateLimitPolicy::new(nz(1), Duration::ZERO).per(), ms(1));
}

#[test]
fn clock_back_lengthens_no_wait_of_the_rate() {
    let minute = RateLimitPolicy::new(nz(1), secs(60));
    let mut flow = Flow::new();
    flow.start(&limited(minute), at(0));
    assert_eq!(wait(&mut flow, minute, at(20)), Some(at(60)));
    // Two weeks back: what is left is at most a full wait.
    let back = -14 * 86_400;
    assert_eq!(wait(&mut flow, minute, at(back)), Some(at(back + 60)));
    assert_eq!(wait(&mut flow, minute, at(back + 60)), None);
}
