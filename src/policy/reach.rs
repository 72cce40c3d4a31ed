//! How far a retry policy's retries reach in time, computed without running it.

use std::time::Duration;

use crate::delivery::RetryPolicy;

/// The longest time from the first attempt to the end of the last, within the window, if no
/// receiver sends `Retry-After`.
pub(super) fn unprompted_span(policy: &RetryPolicy) -> Duration {
    policy.span_with(Duration::ZERO, policy.window())
}

/// The number of retries that are due before `time` has passed, if every attempt fails at once
/// and there is no jitter.
pub(super) fn retries_within(policy: &RetryPolicy, time: Duration) -> u32 {
    let (mut fit, mut beyond) = (0, policy.retries().unwrap_or(u32::MAX).saturating_add(1));
    // A binary search takes at most 32 sums; an endless schedule has no list to walk.
    while beyond.saturating_sub(fit) > 1 {
        let middle = fit.midpoint(beyond);
        if policy.schedule().sum(middle) < time {
            fit = middle;
        } else {
            beyond = middle;
        }
    }
    fit
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::delivery::Schedule;

    #[test]
    fn retries_within_counts_those_that_fit() {
        let policy = RetryPolicy::standard_webhooks();
        for (seconds, fit) in [(0, 0), (5, 0), (6, 1), (305, 1), (306, 2), (1_000_000, 9)] {
            assert_eq!(retries_within(&policy, Duration::from_secs(seconds)), fit, "{seconds}");
        }
        let second = Duration::from_secs(1);
        let endless = RetryPolicy::new(Schedule::list([second]).forever());
        assert_eq!(retries_within(&endless, second * 1_000_000), 999_999);
        assert_eq!(endless.retries(), None);
        let limited = endless.with_max_attempts(NonZeroU32::new(7));
        assert_eq!(retries_within(&limited, second * 1_000_000), 6);
    }

    #[test]
    fn schedule_sum_adds_the_first_delays() {
        let policy = RetryPolicy::standard_webhooks();
        assert_eq!(policy.schedule().sum(2), Duration::from_secs(305));
        assert_eq!(policy.schedule().sum(100), Duration::from_secs(272_105));
    }
}
