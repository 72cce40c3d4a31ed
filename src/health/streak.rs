//! The messages that failed since the last success: [`Streak`].

use serde::{Deserialize, Serialize};

use super::policy::HealthPolicy;
use crate::signal::Signal;
use crate::time::Timestamp;

/// The messages whose first attempt failed since the last success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Streak {
    pub(super) failures: u32,
    /// How many of the failures were refusals.
    pub(super) refusals: u32,
    /// When the first of the failures was recorded.
    since: Timestamp,
}

impl Default for Streak {
    fn default() -> Self {
        Self::NONE
    }
}

impl Streak {
    pub(super) const NONE: Self = Self { failures: 0, refusals: 0, since: Timestamp::UNIX_EPOCH };

    pub(super) const fn is_empty(&self) -> bool {
        self.failures == 0
    }

    /// Counts a failure or a refusal, and returns whether the circuit opens.
    pub(super) fn count(&mut self, policy: &HealthPolicy, signal: Signal, now: Timestamp) -> bool {
        if self.is_empty() {
            *self = Self { since: now, ..Self::NONE };
        }
        self.since = self.since.min(now);
        self.failures = self.failures.saturating_add(1);
        self.refusals = self.refusals.saturating_add(u32::from(signal == Signal::Refused));
        let Some(threshold) = policy.failures() else { return false };
        // A receiver that refuses load is not down, unless it takes nothing at all for too long.
        let mostly_failed = self.refusals < self.failures.saturating_sub(self.refusals);
        self.failures >= threshold.get()
            && (mostly_failed || now.saturating_since(self.since) >= policy.refused_for())
    }
}
