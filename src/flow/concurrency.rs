//! How many attempts may be in flight: [`ConcurrencyLimit`].

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::policy_file::FlowPolicyError;
use crate::time::Timestamp;

/// Where a window starts, and what it never passes.
///
/// In a file: `{"initial": 1, "max": 64}`, or `{"max": 8}` for one that stays where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
pub struct ConcurrencyLimitPolicy {
    /// At most `max`; `None` where the window does not move.
    initial: Option<NonZeroU32>,
    max: NonZeroU32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "the table of a window")]
struct Form {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    initial: Option<NonZeroU32>,
    max: NonZeroU32,
}

impl TryFrom<Form> for ConcurrencyLimitPolicy {
    type Error = FlowPolicyError;

    fn try_from(form: Form) -> Result<Self, FlowPolicyError> {
        let Form { initial, max } = form;
        match initial {
            Some(initial) if initial > max => {
                Err(FlowPolicyError::InitialOverMax { initial: initial.get(), max: max.get() })
            }
            _ => Ok(Self { initial, max }),
        }
    }
}

impl From<ConcurrencyLimitPolicy> for Form {
    fn from(policy: ConcurrencyLimitPolicy) -> Self {
        Self { initial: policy.initial, max: policy.max }
    }
}

impl ConcurrencyLimitPolicy {
    /// So many attempts in flight, whatever becomes of them.
    #[must_use]
    pub const fn fixed(max: NonZeroU32) -> Self {
        Self { initial: None, max }
    }

    /// A window that starts at `initial` and goes by what becomes of the attempts, up to `max`;
    /// an `initial` over `max` counts as `max`.
    #[must_use]
    pub fn adaptive(initial: NonZeroU32, max: NonZeroU32) -> Self {
        Self { initial: Some(initial.min(max)), max }
    }

    /// Where it starts; `None` where it does not move.
    #[must_use]
    pub const fn initial(&self) -> Option<NonZeroU32> {
        self.initial
    }

    /// The most attempts that are in flight.
    #[must_use]
    pub const fn max(&self) -> NonZeroU32 {
        self.max
    }

    /// Whether it goes by what becomes of the attempts.
    #[must_use]
    pub const fn is_adaptive(&self) -> bool {
        self.initial.is_some()
    }
}

/// How many attempts may be in flight, learned from what became of them.
///
/// It grows by one for each success, which doubles it in the time of a round trip (slow start),
/// up to half of where it last fell; from there by one for each windowful of successes. An
/// overload halves it, once for all attempts that were started before it fell. It is never 0 and
/// never above the policy's maximum, and does not grow while less than half of it is used: nothing
/// would have been learned about the rest.
///
/// ```text
///  max  - - - - - - - - - - - - - - - - - - - - - -
///             overload                  overload
///                 /|               _,-''|
///               /  |         _,-''      |      _,-
///             /    |   _,-''            |_,-''
///           /      |,-''                        half of where it fell
///         /
///  1 ----'                    successes -->
/// ```
///
/// After a pause [`recovered`](Self::recovered) brings it back to 1: a receiver that was down is
/// not met with the whole backlog at once.
///
/// Sources: RFC 5681 sections 3.1 (slow start, and additive increase with multiplicative decrease)
/// and 4.1 (restarting after idle), and RFC 7661 (no growth while the window is not used); the
/// idea of doing so with requests is that of Netflix's concurrency limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConcurrencyLimit {
    /// `None` until it has moved: the policy's initial window then.
    limit: Option<NonZeroU32>,
    /// Up to here a success adds one; the threshold of slow start.
    threshold: u32,
    /// Successes since the window last grew, above the threshold.
    credit: u32,
    /// The most that were seen in flight in this round, which has so many successes left.
    peak: u32,
    left: u32,
    /// When it fell the last time.
    fell_at: Timestamp,
}

impl ConcurrencyLimit {
    /// A window that nothing was learned about.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            limit: None,
            threshold: u32::MAX,
            credit: 0,
            peak: 0,
            left: 0,
            fell_at: Timestamp::MIN,
        }
    }

    /// How many attempts may be in flight.
    #[must_use]
    pub fn limit(&self, policy: &ConcurrencyLimitPolicy) -> NonZeroU32 {
        match policy.initial {
            None => policy.max,
            Some(initial) => self.limit.unwrap_or(initial).min(policy.max),
        }
    }

    /// An attempt succeeded; it was one of `in_flight`, itself included.
    pub fn succeeded(&mut self, policy: &ConcurrencyLimitPolicy, in_flight: u32) {
        if !policy.is_adaptive() {
            return;
        }
        let limit = self.limit(policy);
        if self.left == 0 {
            (self.peak, self.left) = (0, in_flight);
        }
        (self.peak, self.left) = (self.peak.max(in_flight), self.left.saturating_sub(1));
        if limit == policy.max || self.peak < limit.get().div_ceil(2) {
            return;
        }
        self.credit = self.credit.saturating_add(1);
        if limit.get() < self.threshold || self.credit >= limit.get() {
            self.credit = 0;
            self.limit = Some(limit.saturating_add(1));
        }
    }

    /// An attempt that was started at `started_at` met an overload.
    ///
    /// `true` where the window fell: not for an attempt from before it last did, and not at 1.
    pub fn overloaded(
        &mut self,
        policy: &ConcurrencyLimitPolicy,
        started_at: Timestamp,
        now: Timestamp,
    ) -> bool {
        // Where the clock went back, it fell now, so that what starts from here on counts.
        self.fell_at = self.fell_at.min(now);
        if !policy.is_adaptive() || started_at <= self.fell_at {
            return false;
        }
        let limit = self.limit(policy);
        let half = NonZeroU32::new(limit.get() >> 1).unwrap_or(NonZeroU32::MIN);
        self.restart(half);
        (self.threshold, self.fell_at) = (half.get(), now);
        half < limit
    }

    /// The receiver is back after a pause: starts again at 1, and grows per success. The threshold
    /// stays what the last overload made it, so that calling it twice is the same as once.
    pub const fn recovered(&mut self) {
        self.restart(NonZeroU32::MIN);
    }

    const fn restart(&mut self, limit: NonZeroU32) {
        self.limit = Some(limit);
        (self.credit, self.peak, self.left) = (0, 0, 0);
    }
}

/// [`ConcurrencyLimit::new`].
impl Default for ConcurrencyLimit {
    fn default() -> Self {
        Self::new()
    }
}
