//! Whether it is we who are down: [`OutagePolicy`].

use serde::{Deserialize, Serialize};

/// Tells an outage of the sender from one of its receivers: where too many endpoints fail
/// together, the fault is likely nearer home.
///
/// It holds while the failing endpoints are more than `percent` of all, and at least `at_least`.
/// While it holds, no endpoint is suspended or disabled for failing, no ladder moves, and the time
/// does not count towards disabling: see [`Health::record`](super::Health::record).
///
/// What it is fed with is the host's choice. Sensible counts are of the endpoints that are neither
/// disabled nor paused: all of them, and those that are degraded or suspended. It has no memory,
/// so that it lifts as soon as the counts do. Where more endpoints than the threshold allows are
/// dead for good, it holds for good, and an operator has to disable some of them.
///
/// Source: the idea is that of Envoy's panic threshold and of the load balancers of AWS, which
/// distrust the health checks once most of the targets fail them. The defaults of 50 percent and
/// three endpoints are this crate's choice.
///
/// ```
/// use labhook::health::{OutagePolicy, SenderOutage};
///
/// let guard = OutagePolicy::default();
/// assert_eq!(guard.check(2, 2), SenderOutage::Clear, "too few to tell");
/// assert_eq!(guard.check(4, 8), SenderOutage::Clear, "one half is not over one half");
/// assert_eq!(guard.check(5, 8), SenderOutage::Suspected);
/// ```
///
/// In a file: `{"percent": 50, "at_least": 3}`. Either may be absent; other members are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Form")]
pub struct OutagePolicy {
    percent: u8,
    at_least: u32,
}

/// Whether the guard against our own outage holds: an argument of
/// [`Health::poll`](super::Health::poll) and [`Health::record`](super::Health::record).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "it holds or it does not")]
pub enum SenderOutage {
    /// Failures are the endpoint's own; also for a host that has no guard.
    #[default]
    Clear,
    /// Failures may be ours.
    Suspected,
}

impl SenderOutage {
    /// Whether it holds.
    #[must_use]
    pub const fn is_suspected(self) -> bool {
        matches!(self, Self::Suspected)
    }
}

impl OutagePolicy {
    /// A guard that holds over this share of failing endpoints, of which there have to be at least
    /// so many. A percentage of 100 or more never holds.
    #[must_use]
    pub const fn new(percent: u8, at_least: u32) -> Self {
        Self { percent: if percent > 100 { 100 } else { percent }, at_least }
    }

    /// Over how many percent of failing endpoints it holds.
    #[must_use]
    pub const fn percent(&self) -> u8 {
        self.percent
    }

    /// How many endpoints have to fail for it to hold.
    #[must_use]
    pub const fn at_least(&self) -> u32 {
        self.at_least
    }

    /// Whether it holds with so many failing endpoints of so many in all. The share is compared
    /// exactly, without rounding.
    #[must_use]
    pub fn check(&self, failing: u64, all: u64) -> SenderOutage {
        // More than all cannot fail.
        let failing = failing.min(all);
        let share = u128::from(failing).saturating_mul(100);
        let limit = u128::from(all).saturating_mul(u128::from(self.percent));
        if share > limit && failing >= u64::from(self.at_least) {
            SenderOutage::Suspected
        } else {
            SenderOutage::Clear
        }
    }
}

/// Over 50 percent, and at least three.
impl Default for OutagePolicy {
    fn default() -> Self {
        Self::new(50, 3)
    }
}

/// A guard that was read, from a file say, makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutagePolicyError {
    /// More than all endpoints cannot fail.
    #[error("an outage guard over {percent} percent could never hold")]
    Percent {
        /// The percentage.
        percent: u8,
    },
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "the table of an outage guard")]
struct Form {
    percent: u8,
    at_least: u32,
}

impl Default for Form {
    fn default() -> Self {
        let OutagePolicy { percent, at_least } = OutagePolicy::default();
        Self { percent, at_least }
    }
}

impl TryFrom<Form> for OutagePolicy {
    type Error = OutagePolicyError;

    fn try_from(form: Form) -> Result<Self, OutagePolicyError> {
        match form {
            // One that never holds is a way to write that there is none.
            Form { percent: 0..=100, .. } => Ok(Self::new(form.percent, form.at_least)),
            Form { percent, .. } => Err(OutagePolicyError::Percent { percent }),
        }
    }
}
