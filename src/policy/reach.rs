//! How far a policy's retries reach in time, reckoned without running it.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::delivery::{Jitter, RetryPolicy};

/// The reach of a policy's schedule.
pub(super) struct Reach<'a>(pub(super) &'a RetryPolicy);

impl Reach<'_> {
    /// The retries that the schedule and the attempt limit permit; `None` where they have no end.
    pub(super) fn retries(&self) -> Option<u32> {
        let limit = self.0.max_attempts().map(|most| most.get().saturating_sub(1));
        match (self.0.schedule().retries(), limit) {
            (Some(retries), Some(limit)) => Some(retries.min(limit)),
            (retries, limit) => retries.or(limit),
        }
    }

    /// The longest time from the first attempt to the end of the last where no receiver asks for
    /// more, held by the window.
    pub(super) fn span(&self) -> Duration {
        self.0.clone().with_retry_after_cap(Duration::ZERO).span()
    }

    /// The sum of the schedule's first so many delays as it names them.
    fn sum(&self, retries: u32) -> Duration {
        const TICK: Duration = Duration::from_millis(1);
        let retries = self.0.schedule().retries().map_or(retries, |all| all.min(retries));
        let attempts = NonZeroU32::MIN.saturating_add(retries);
        let span = RetryPolicy::new(self.0.schedule().clone())
            .with_attempt_timeout(TICK)
            .with_retry_after_cap(Duration::ZERO)
            .with_max_attempts(attempts)
            .span();
        span.saturating_sub(TICK.saturating_mul(attempts.get()))
    }

    /// How many retries fall due before so much time has passed, where each attempt fails at once
    /// and nothing spreads them.
    pub(super) fn within(&self, time: Duration) -> u32 {
        let (mut fit, mut beyond) = (0, self.retries().unwrap_or(u32::MAX).saturating_add(1));
        // Between the two, each halving asks for a sum; there are 32 at the most.
        while beyond.saturating_sub(fit) > 1 {
            let middle = fit.midpoint(beyond);
            if self.sum(middle) < time {
                fit = middle;
            } else {
                beyond = middle;
            }
        }
        fit
    }

    /// Whether the delays are those of the schedule: decorrelated ones are not.
    pub(super) fn is_scheduled(&self) -> bool {
        !self.0.jitter().is_decorrelated()
    }

    pub(super) fn has_jitter(&self) -> bool {
        *self.0.jitter() != Jitter::NONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::Schedule;

    #[test]
    fn it_finds_the_retries_that_fit() {
        let policy = RetryPolicy::standard_webhooks();
        let reach = Reach(&policy);
        assert_eq!(reach.sum(2), Duration::from_secs(305));
        assert_eq!(reach.sum(100), Duration::from_secs(272_105));
        for (seconds, fit) in [(0, 0), (5, 0), (6, 1), (305, 1), (306, 2), (1_000_000, 9)] {
            assert_eq!(reach.within(Duration::from_secs(seconds)), fit, "{seconds}");
        }
        let second = Duration::from_secs(1);
        let endless = RetryPolicy::new(Schedule::list([second]).forever());
        assert_eq!(Reach(&endless).within(second * 1_000_000), 999_999);
        assert_eq!(Reach(&endless).retries(), None);
        let limited = endless.with_max_attempts(NonZeroU32::new(7));
        assert_eq!(Reach(&limited).within(second * 1_000_000), 6);
    }

    #[test]
    fn only_decorrelated_delays_are_not_the_schedules() {
        let second = Duration::from_secs(1);
        for (jitter, scheduled) in [
            (Jitter::NONE, true),
            (Jitter::FULL, true),
            (Jitter::added(10, second, second * 9), true),
            (Jitter::decorrelated(second, second * 60), false),
        ] {
            let policy = RetryPolicy::svix().with_jitter(jitter);
            assert_eq!(Reach(&policy).is_scheduled(), scheduled);
        }
    }
}
