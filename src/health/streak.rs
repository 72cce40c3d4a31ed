//! The failures of a healthy endpoint since its last success: [`Streak`].

use serde::{Deserialize, Serialize};

use super::policy::HealthPolicy;
use crate::time::Timestamp;

/// The highest threshold that a policy can have.
const MAX_FAULTS: usize = u8::MAX as usize;

/// The failures since the last success.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Streak {
    /// When the endpoint faults within the policy's window were recorded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overload: Option<Overload>,
}

/// Overloads that each followed the one before within the policy's window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Overload {
    first: Timestamp,
    last: Timestamp,
    count: u32,
}

impl Streak {
    pub(super) const NONE: Self = Self { faults: Vec::new(), overload: None };

    pub(super) const fn is_empty(&self) -> bool {
        self.faults.is_empty() && self.overload.is_none()
    }

    pub(super) fn failures(&self) -> u32 {
        let faults = u32::try_from(self.faults.len()).unwrap_or(u32::MAX);
        faults.saturating_add(self.overload.map_or(0, |overload| overload.count))
    }

    /// Counts a fault, and returns whether there are now too many.
    pub(super) fn fault(&mut self, policy: &HealthPolicy, now: Timestamp) -> bool {
        let Some(threshold) = policy.failures() else { return false };
        self.faults.retain(|at| policy.in_window(*at, now));
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(now);
        }
        self.faults.len() >= usize::from(threshold.get())
    }

    /// Counts an overload, and returns whether they have lasted too long.
    pub(super) fn overload(&mut self, policy: &HealthPolicy, now: Timestamp) -> bool {
        let Some(threshold) = policy.failures() else { return false };
        let overload = match self.overload {
            Some(before) if policy.in_window(before.last, now) => {
                Overload { last: now, count: before.count.saturating_add(1), ..before }
            }
            _ => Overload { first: now, last: now, count: 1 },
        };
        self.overload = Some(overload);
        overload.count >= u32::from(threshold.get())
            && policy
                .overload_limit()
                .is_some_and(|limit| now.saturating_since(overload.first) >= limit)
    }
}
