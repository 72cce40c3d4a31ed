//! The time that counts towards disabling: [`DisableTimer`].

use serde::{Deserialize, Serialize};

use super::policy::{HealthPolicy, MAX_STEP};
use crate::time::Timestamp;

/// The time that counts towards disabling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DisableTimer {
    /// When the circuit would have opened if all of its time since then had counted.
    start: Timestamp,
    /// Up to when it is decided whether the time counts.
    decided_until: Timestamp,
}

impl DisableTimer {
    pub(super) const fn new(now: Timestamp) -> Self {
        Self { start: now, decided_until: now }
    }

    /// Counts the time up to `now`.
    pub(super) fn count(&mut self, now: Timestamp) {
        self.start += now.saturating_since(self.decided_until).saturating_sub(MAX_STEP);
        self.decided_until = now;
    }

    /// Excludes the time from `since` up to `now`, unless it was decided before.
    pub(super) fn exclude(&mut self, since: Timestamp, now: Timestamp) {
        if since > self.decided_until {
            self.count(since);
        }
        self.start += now.saturating_since(self.decided_until.max(since));
        self.decided_until = now;
    }

    pub(super) fn deadline(&self, policy: &HealthPolicy) -> Option<Timestamp> {
        policy.disable_after().map(|time| self.start + time)
    }

    /// Returns when the next probe is due, if the schedule has it at `due`: no later than the time to
    /// disable ends, because only a failed probe disables.
    pub(super) fn cap(&self, policy: &HealthPolicy, due: Timestamp) -> Timestamp {
        self.deadline(policy).map_or(due, |deadline| due.min(deadline))
    }

    /// After the clock stepped back behind what was decided, the time counts from `now` on, less
    /// what had counted before.
    pub(super) fn pull_in(&mut self, now: Timestamp) {
        if self.decided_until > now {
            let counted = self.decided_until.saturating_since(self.start);
            *self = Self { start: now - counted, decided_until: now };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn long_gap_before_a_pause_counts_one_step() {
        let (start, second) = (Timestamp::from_unix_seconds(0), Duration::from_secs(1));
        let policy = HealthPolicy::default().with_disable_after(second * 100_000);
        let mut timer = DisableTimer::new(start);
        let paused = start + MAX_STEP + second * 100;
        timer.exclude(paused, paused + second * 50);
        assert_eq!(timer.deadline(&policy), Some(start + second * 100_150));
    }
}
