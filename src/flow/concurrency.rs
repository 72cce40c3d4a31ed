//! Limit on attempts in flight: [`ConcurrencyLimit`].

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use super::bucket::{SECOND, elapsed};
use super::error::FlowPolicyError;
use super::range::at_least_one;
use crate::policy_file;
use crate::time::Timestamp;

/// The least by which answers must be slower than the base, in microseconds.
const NOTICEABLE: u64 = 20_000;
/// Answers with which a window can be judged.
const ENOUGH: u32 = 8;

/// Policy of the concurrency limit: fixed, or adaptive between two bounds.
///
/// In a file: `{"min": 8, "max": 256}`, or `{"max": 8}` for a fixed limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "Form")]
pub struct ConcurrencyLimitPolicy {
    /// At most `max`; `None` if the limit is fixed.
    min: Option<NonZeroU32>,
    max: NonZeroU32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a concurrency limit table")]
struct Form {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min: Option<u32>,
    max: u32,
}

impl<'de> Deserialize<'de> for ConcurrencyLimitPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        policy_file::read_table::<Form, _, _>(deserializer)
    }
}

impl TryFrom<Form> for ConcurrencyLimitPolicy {
    type Error = FlowPolicyError;

    fn try_from(form: Form) -> Result<Self, FlowPolicyError> {
        let max = at_least_one("max", form.max)?;
        let min = form.min.map(|it| at_least_one("min", it)).transpose()?;
        match min {
            Some(min) if min > max => {
                Err(FlowPolicyError::MinOverMax { min: min.get(), max: max.get() })
            }
            _ => Ok(Self { min, max }),
        }
    }
}

impl From<ConcurrencyLimitPolicy> for Form {
    fn from(policy: ConcurrencyLimitPolicy) -> Self {
        Self { min: policy.min.map(NonZeroU32::get), max: policy.max.get() }
    }
}

impl ConcurrencyLimitPolicy {
    /// Creates a policy of up to `max` attempts in flight, regardless of their results.
    #[must_use]
    pub const fn fixed(max: NonZeroU32) -> Self {
        Self { min: None, max }
    }

    /// Creates a policy that starts at `min` and adapts to latency, up to `max`. A `min` above
    /// `max` counts as `max`.
    #[must_use]
    pub fn adaptive(min: NonZeroU32, max: NonZeroU32) -> Self {
        Self { min: Some(min.min(max)), max }
    }

    /// Returns the lowest and initial limit; `None` if the limit is fixed.
    #[must_use]
    pub const fn min(&self) -> Option<NonZeroU32> {
        self.min
    }

    /// Returns the maximum number of attempts in flight.
    #[must_use]
    pub const fn max(&self) -> NonZeroU32 {
        self.max
    }

    /// Returns whether the limit adapts to latency.
    #[must_use]
    pub const fn is_adaptive(&self) -> bool {
        self.min.is_some()
    }
}

/// Concurrency limit: the number of attempts that may be in flight, learned from latency.
///
/// It is judged about once a second, by the quickest success: if even that took more than twice the
/// base latency, a queue stands at the receiver all the time. Then the limit shrinks by an eighth,
/// and this is a trial: once it has halved, either latency has fallen, or the limit is not the
/// cause and is restored, and that latency is the new base. Otherwise the limit grows, if at least
/// half of it was used: it doubles until the first cut, and then grows by a sixteenth.
///
/// Sources: the sign of a standing queue is that of CoDel (RFC 8289); slow start is that of RFC
/// 5681; no growth while the window is not used is that of RFC 7661.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConcurrencyLimit {
    /// `None` until the first change: the policy's lowest limit then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limit: Option<NonZeroU32>,
    /// Whether the limit has been cut, so that it no longer doubles.
    cut: bool,
    /// The latency of a receiver without a queue, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trial: Option<Trial>,
    since: Timestamp,
    answers: u32,
    /// The latency of the quickest success, in microseconds.
    quickest: u64,
    /// The most attempts seen in flight.
    peak: u32,
}

/// A series of cuts that must show that it helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trial {
    limit: NonZeroU32,
    quickest: u64,
}

impl ConcurrencyLimit {
    pub(super) const fn new() -> Self {
        Self {
            limit: None,
            cut: false,
            base: None,
            trial: None,
            since: Timestamp::MIN,
            answers: 0,
            quickest: u64::MAX,
            peak: 0,
        }
    }

    /// Returns the number of attempts that may be in flight.
    pub(super) fn limit(&self, policy: &ConcurrencyLimitPolicy) -> NonZeroU32 {
        match policy.min {
            None => policy.max,
            Some(min) => self.limit.unwrap_or(min).clamp(min, policy.max),
        }
    }

    /// Starts at the lowest limit after an outage.
    pub(super) const fn recovered(&mut self, now: Timestamp) {
        let base = self.base;
        *self = Self { base, since: now, ..Self::new() };
    }

    /// Records an attempt that brings the number in flight to this.
    pub(super) fn started(&mut self, policy: &ConcurrencyLimitPolicy, in_flight: u32) {
        // A fixed limit learns nothing, so its state need not be saved.
        if policy.is_adaptive() {
            self.peak = self.peak.max(in_flight);
        }
    }

    /// Records a success of an attempt that was started at `started_at`.
    pub(super) fn succeeded(
        &mut self,
        policy: &ConcurrencyLimitPolicy,
        started_at: Timestamp,
        now: Timestamp,
    ) {
        let Some(min) = policy.min else { return };
        if started_at <= self.since {
            return;
        }
        if self.answers == 0 && self.since == Timestamp::MIN {
            // The first sample begins with the first attempt.
            self.since = started_at - Duration::from_micros(1);
        }
        self.answers = self.answers.saturating_add(1);
        self.quickest = self.quickest.min(elapsed(started_at, now));
        if self.answers >= ENOUGH && elapsed(self.since, now) >= SECOND {
            self.judge(min, policy.max, self.quickest);
            (self.since, self.answers) = (now, 0);
            (self.quickest, self.peak) = (u64::MAX, 0);
        }
    }

    fn judge(&mut self, min: NonZeroU32, max: NonZeroU32, quickest: u64) {
        let limit = self.limit.unwrap_or(min).clamp(min, max);
        let base = self.base.map_or(quickest, |base| base.min(quickest));
        self.base = Some(base);
        let queued =
            quickest > base.saturating_mul(2) && quickest > base.saturating_add(NOTICEABLE);
        if !queued {
            self.trial = None;
            if self.peak >= limit.get().div_ceil(2) {
                let more = if self.cut { limit.get().div_ceil(16) } else { limit.get() };
                self.limit = Some(limit.saturating_add(more).min(max));
            }
            return;
        }
        let trial = *self.trial.get_or_insert(Trial { limit, quickest });
        self.cut = true;
        if limit.get() > min.get() && limit.get() > trial.limit.get() >> 1 {
            let less = limit.get().saturating_sub(limit.get().div_ceil(8));
            self.limit = NonZeroU32::new(less.max(min.get()));
        } else if quickest >= trial.quickest.saturating_sub(trial.quickest >> 2) {
            // Fewer attempts in flight are not quicker: the receiver has become slower by itself.
            (self.limit, self.base) = (Some(trial.limit), Some(quickest));
            (self.trial, self.cut) = (None, false);
        } else {
            self.trial = Some(Trial { limit, quickest });
        }
    }

    /// Returns whether losing what has changed since `saved` would matter.
    ///
    /// The running sample does not, unless a trial waits for its end: it takes eight answers to
    /// make up for it, and without it the limit stays as it is, within the policy's bounds.
    pub(super) fn needs_save(&self, saved: &Self) -> bool {
        let Self { limit, cut, base, trial, since: _, answers: _, quickest: _, peak: _ } = self;
        if trial.is_some() {
            return self != saved;
        }
        (limit, cut, base, trial) != (&saved.limit, &saved.cut, &saved.base, &saved.trial)
    }

    /// After the clock stepped back, moves instants that lie ahead of it to `now`.
    pub(super) fn pull_in(&mut self, now: Timestamp) {
        self.since = self.since.min(now);
    }
}
