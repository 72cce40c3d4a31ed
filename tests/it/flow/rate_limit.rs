//! The rate limit alone, to the microsecond.

use std::time::Duration;

use labhook::Timestamp;
use labhook::flow::{RateLimit, RateLimitPolicy};

use super::{TICK, ms, nz};
use crate::support::{at, secs};

/// The times of `count` releases that are requested at once, in microseconds from the first.
fn releases(
    policy: &RateLimitPolicy,
    rate: &mut RateLimit,
    count: usize,
    mut now: Timestamp,
) -> Vec<u64> {
    let start = now;
    let mut times = Vec::new();
    while times.len() < count {
        match rate.wait(policy, now) {
            Some(until) => {
                assert!(until > now);
                assert_eq!(rate.wait(policy, until - TICK), Some(until), "not a tick earlier");
                now = until;
            }
            None => {
                rate.released(policy, now);
                times.push(u64::try_from(now.saturating_since(start).as_micros()).unwrap());
            }
        }
    }
    times
}

#[test]
fn rate_is_exact() {
    let three = RateLimitPolicy::per_second(nz(3)).with_burst(nz(2));
    let times = releases(&three, &mut RateLimit::new(), 8, at(0));
    assert_eq!(times, [0, 0, 333_334, 666_667, 1_000_000, 1_333_334, 1_666_667, 2_000_000]);

    // A burst makes up for rounding: no release drifts.
    let seven = RateLimitPolicy::new(nz(7), secs(1)).with_burst(nz(2));
    let times = releases(&seven, &mut RateLimit::new(), 70_002, at(0));
    assert_eq!(times[70_001], 10_000_000_000);

    let slow = RateLimitPolicy::new(nz(2), secs(60));
    assert_eq!(releases(&slow, &mut RateLimit::new(), 3, at(0)), [0, 30_000_000, 60_000_000]);
    let fast = RateLimitPolicy::per_second(nz(3_000_000)).with_burst(nz(3));
    assert_eq!(releases(&fast, &mut RateLimit::new(), 9, at(0)), [0, 0, 0, 1, 1, 1, 2, 2, 2]);
}

#[test]
fn new_policy_applies_to_later_releases() {
    let (second, minute) =
        (RateLimitPolicy::per_second(nz(1)), RateLimitPolicy::new(nz(1), secs(60)));
    let mut rate = RateLimit::new();
    rate.released(&second, at(0));
    assert_eq!(rate.wait(&second, at(0)), Some(at(1)));
    assert_eq!(rate.wait(&minute, at(0)), Some(at(60)), "one release is one release");
    assert_eq!(rate.wait(&second.with_burst(nz(2)), at(0)), None);
    rate.released(&minute, at(30));
    assert_eq!(rate.wait(&second, at(30)), Some(at(30) + ms(1_500)));
}

#[test]
fn extreme_rate_still_limits() {
    let day = Duration::from_secs(86_400);
    let huge = RateLimitPolicy::new(nz(1), Duration::MAX).with_burst(nz(u32::MAX));
    assert_eq!(huge.per(), day);
    let mut rate: RateLimit =
        serde_json::from_str(r#"{"level": 18446744073709551615, "cost": 1, "at": 0}"#).unwrap();
    let until = rate.wait(&huge, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(until, Timestamp::UNIX_EPOCH + day, "one day for the one release too many");
    rate.released(&huge, Timestamp::MAX);
    assert_eq!(
        rate.wait(&RateLimitPolicy::per_second(nz(1)), Timestamp::MAX),
        Some(Timestamp::MAX)
    );
    assert_eq!(RateLimitPolicy::new(nz(1), Duration::ZERO).per(), ms(1));
}
