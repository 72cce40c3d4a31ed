//! Detection of outages on the sender's side: [`OutagePolicy`].

use serde::{Deserialize, Serialize};

use super::error::OutagePolicyError;

/// Detects an outage on the sender's side: if too many endpoints fail together, the fault is
/// probably the sender's.
///
/// An outage is suspected while more than `percent` of all endpoints fail, and at least `at_least`
/// of them. During that time no endpoint is disabled for failing, no probe schedule
/// moves, and the time does not count towards disabling: see
/// [`Health::record`](super::Health::record).
///
/// The caller chooses what to count. A sensible choice are the endpoints that are neither disabled
/// nor paused: all of them, and those that are down. The policy has no memory, so
/// the suspicion ends as soon as the counts allow. If more endpoints than the threshold are dead
/// for good, it never ends, and an operator must disable some of them.
///
/// Source: the idea comes from Envoy's panic threshold and from AWS load balancers, which ignore
/// health checks once most targets fail them. The defaults of 50 percent and three endpoints are
/// this crate's choice.
///
/// ```
/// use labhook::health::{OutagePolicy, SenderOutage};
///
/// let policy = OutagePolicy::default();
/// assert_eq!(policy.check(2, 2), SenderOutage::Clear, "too few to tell");
/// assert_eq!(policy.check(4, 8), SenderOutage::Clear, "one half is not more than one half");
/// assert_eq!(policy.check(5, 8), SenderOutage::Suspected);
/// ```
///
/// In a file: `{"percent": 50, "at_least": 3}`. Either may be absent; unknown fields are errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Form")]
#[doc(alias = "panic threshold")]
pub struct OutagePolicy {
    percent: u8,
    at_least: u32,
}

/// Whether an outage on the sender's side is suspected: an argument of
/// [`Health::poll`](super::Health::poll) and [`Health::record`](super::Health::record).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "an outage is suspected or not")]
pub enum SenderOutage {
    /// Failures are attributed to the endpoint. Use this if you do not detect sender outages.
    #[default]
    Clear,
    /// Failures may be the sender's own.
    Suspected,
}

impl SenderOutage {
    /// Returns whether an outage is suspected.
    #[must_use]
    pub const fn is_suspected(self) -> bool {
        matches!(self, Self::Suspected)
    }
}

impl OutagePolicy {
    /// Creates a policy that suspects an outage while more than `percent` of all endpoints fail,
    /// and at least `at_least` of them. At 100 percent or more it never does.
    #[must_use]
    pub const fn new(percent: u8, at_least: u32) -> Self {
        Self { percent: if percent > 100 { 100 } else { percent }, at_least }
    }

    /// Returns the percentage of failing endpoints that must be exceeded.
    #[must_use]
    pub const fn percent(&self) -> u8 {
        self.percent
    }

    /// Returns the lowest number of failing endpoints at which an outage is suspected.
    #[must_use]
    pub const fn at_least(&self) -> u32 {
        self.at_least
    }

    /// Returns whether an outage is suspected if `failing` out of `all` endpoints fail. The share
    /// is compared exactly, without rounding.
    #[must_use]
    pub fn check(&self, failing: u64, all: u64) -> SenderOutage {
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

/// More than 50 percent, and at least three.
impl Default for OutagePolicy {
    fn default() -> Self {
        Self::new(50, 3)
    }
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "an outage policy table")]
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
            // 100 percent is allowed: it is how a file turns the detection off.
            Form { percent: 0..=100, .. } => Ok(Self::new(form.percent, form.at_least)),
            Form { percent, .. } => Err(OutagePolicyError::Percent { percent }),
        }
    }
}
