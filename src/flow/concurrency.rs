//! Limit on attempts in flight: [`ConcurrencyLimit`].

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::error::FlowPolicyError;
use super::range::at_least_one;
use crate::time::Timestamp;

/// Policy of a [`ConcurrencyLimit`]: fixed, or adaptive between 1 and a maximum.
///
/// In a file: `{"initial": 1, "max": 64}`, or `{"max": 8}` for a fixed limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
pub struct ConcurrencyLimitPolicy {
    /// At most `max`; `None` if the limit is fixed.
    initial: Option<NonZeroU32>,
    max: NonZeroU32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a concurrency limit table")]
struct Form {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    initial: Option<u32>,
    max: u32,
}

impl TryFrom<Form> for ConcurrencyLimitPolicy {
    type Error = FlowPolicyError;

    fn try_from(form: Form) -> Result<Self, FlowPolicyError> {
        let max = at_least_one("max", form.max)?;
        let initial = form.initial.map(|it| at_least_one("initial", it)).transpose()?;
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
        Self { initial: policy.initial.map(NonZeroU32::get), max: policy.max.get() }
    }
}

impl ConcurrencyLimitPolicy {
    /// Creates a policy of up to `max` attempts in flight, regardless of their results.
    #[must_use]
    pub const fn fixed(max: NonZeroU32) -> Self {
        Self { initial: None, max }
    }

    /// Creates a policy that starts at `initial` and adapts to results, up to `max`. An `initial`
    /// above `max` counts as `max`.
    #[must_use]
    pub fn adaptive(initial: NonZeroU32, max: NonZeroU32) -> Self {
        Self { initial: Some(initial.min(max)), max }
    }

    /// Returns the initial limit; `None` if the limit is fixed.
    #[must_use]
    pub const fn initial(&self) -> Option<NonZeroU32> {
        self.initial
    }

    /// Returns the maximum number of attempts in flight.
    #[must_use]
    pub const fn max(&self) -> NonZeroU32 {
        self.max
    }

    /// Returns whether the limit adapts to results.
    #[must_use]
    pub const fn is_adaptive(&self) -> bool {
        self.initial.is_some()
    }
}

/// Concurrency limit: the number of attempts that may be in flight, learned from their results.
///
/// It grows by one per success, which doubles it every round trip (slow start), up to half of the
/// limit at its last decrease. From there it grows by one per round of successes. An overload
/// halves it, once for all attempts started before the decrease. It is never 0 and never above the
/// policy's maximum. It does not grow while less than half of it is used, because nothing was
/// learned about the rest.
///
/// ```text
///  max  - - - - - - - - - - - - - - - - - - - - - -
///             overload                  overload
///                 /|               _,-''|
///               /  |         _,-''      |      _,-
///             /    |   _,-''            |_,-''
///           /      |,-''                        half of the limit at the decrease
///         /
///  1 ----'                    successes -->
/// ```
///
/// After an outage [`recovered`](Self::recovered) resets it to 1, so that the whole backlog does
/// not hit a receiver that was down.
///
/// Sources: RFC 5681 sections 3.1 (slow start, and additive increase with multiplicative decrease)
/// and 4.1 (restarting after idle), and RFC 7661 (no growth while the window is not used). Applying
/// this to requests is the idea of Netflix's concurrency limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[doc(alias = "AIMD")]
#[doc(alias = "slow start")]
#[doc(alias = "congestion window")]
pub struct ConcurrencyLimit {
    /// `None` until the first change: the policy's initial limit then.
    limit: Option<NonZeroU32>,
    /// The slow start threshold: below it each success adds one.
    threshold: u32,
    /// Successes since the limit last grew, above the threshold.
    credit: u32,
    /// The most attempts seen in flight in this round.
    peak: u32,
    /// Successes until the round ends.
    left: u32,
    /// When the limit last decreased.
    decreased_at: Timestamp,
}

impl ConcurrencyLimit {
    /// Creates a limit about which nothing is known.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            limit: None,
            threshold: u32::MAX,
            credit: 0,
            peak: 0,
            left: 0,
            decreased_at: Timestamp::MIN,
        }
    }

    /// Returns the number of attempts that may be in flight.
    #[must_use]
    pub fn limit(&self, policy: &ConcurrencyLimitPolicy) -> NonZeroU32 {
        match policy.initial {
            None => policy.max,
            Some(initial) => self.limit.unwrap_or(initial).min(policy.max),
        }
    }

    /// Records a success of an attempt that was one of `in_flight`, itself included.
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

    /// Records an overload, reported to an attempt that was started at `started_at`.
    ///
    /// Returns whether the limit decreased. It does not for an attempt from before the last
    /// decrease, nor at 1.
    pub fn overloaded(
        &mut self,
        policy: &ConcurrencyLimitPolicy,
        started_at: Timestamp,
        now: Timestamp,
    ) -> bool {
        // After the clock stepped back, attempts that start from here on must count.
        self.decreased_at = self.decreased_at.min(now);
        if !policy.is_adaptive() || started_at <= self.decreased_at {
            return false;
        }
        let limit = self.limit(policy);
        let half = NonZeroU32::new(limit.get() >> 1).unwrap_or(NonZeroU32::MIN);
        self.restart(half);
        (self.threshold, self.decreased_at) = (half.get(), now);
        half < limit
    }

    /// Restarts at 1 after an outage, to grow with each success. The slow start threshold stays
    /// that of the last overload, so that calling this twice has the effect of one call.
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
