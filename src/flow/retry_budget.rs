//! Limit on the share of retries: [`RetryBudget`].

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bucket::{Bucket, Charge, Terms};
use super::error::FlowPolicyError;
use super::range::{at_least_one, clamp_to_a_day, within_a_day};
use crate::time::Timestamp;

/// Policy of a [`RetryBudget`]: the number of retries per first attempt, and a minimum over time.
///
/// In a file: `{"percent": 20, "min_interval_ms": 10000, "max_saved": 100}`; `max_saved` is 100 if
/// it is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
pub struct RetryBudgetPolicy {
    percent: u16,
    /// At most a day.
    min_interval_ms: NonZeroU64,
    max_saved: NonZeroU32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a retry budget table")]
struct Form {
    percent: u16,
    min_interval_ms: u64,
    #[serde(default = "max_saved")]
    max_saved: u32,
}

const MAX_SAVED: NonZeroU32 = NonZeroU32::new(100).expect("a hundred is not zero");

const fn max_saved() -> u32 {
    MAX_SAVED.get()
}

impl TryFrom<Form> for RetryBudgetPolicy {
    type Error = FlowPolicyError;

    fn try_from(form: Form) -> Result<Self, FlowPolicyError> {
        Ok(Self {
            percent: form.percent,
            min_interval_ms: within_a_day("min_interval_ms", form.min_interval_ms)?,
            max_saved: at_least_one("max_saved", form.max_saved)?,
        })
    }
}

impl From<RetryBudgetPolicy> for Form {
    fn from(policy: RetryBudgetPolicy) -> Self {
        let RetryBudgetPolicy { percent, min_interval_ms, max_saved } = policy;
        Self { percent, min_interval_ms: min_interval_ms.get(), max_saved: max_saved.get() }
    }
}

impl RetryBudgetPolicy {
    /// Creates a policy of `percent` retries per hundred first attempts, plus one retry per
    /// `min_interval`.
    ///
    /// The interval is rounded up to whole milliseconds and clamped to between 1 ms and a day:
    /// without it a budget could block forever. At most a hundred retries are saved up.
    #[must_use]
    pub fn new(percent: u16, min_interval: Duration) -> Self {
        Self { percent, min_interval_ms: clamp_to_a_day(min_interval), max_saved: MAX_SAVED }
    }

    /// Sets the maximum number of retries saved up from first attempts.
    #[must_use]
    pub const fn with_max_saved(mut self, retries: NonZeroU32) -> Self {
        self.max_saved = retries;
        self
    }

    /// Returns the number of retries per hundred first attempts.
    #[must_use]
    pub const fn percent(&self) -> u16 {
        self.percent
    }

    /// Returns the interval at which one retry is allowed even if none is saved up.
    #[must_use]
    pub const fn min_interval(&self) -> Duration {
        Duration::from_millis(self.min_interval_ms.get())
    }

    /// Returns the maximum number of retries saved up from first attempts.
    #[must_use]
    pub const fn max_saved(&self) -> NonZeroU32 {
        self.max_saved
    }

    fn interval_terms(&self) -> Terms {
        Terms { burst: 1, cost: self.min_interval_ms.get().saturating_mul(1_000), leak: 1 }
    }

    /// The highest credit, in hundredths of a retry.
    fn max_credit(&self) -> i64 {
        i64::from(self.max_saved.get()).saturating_mul(RETRY)
    }
}

/// A retry, in the hundredths that credit is counted in.
const RETRY: i64 = 100;

/// Retry budget: limits retries to a share of first attempts, so that a failing receiver is not
/// flooded with repeated requests (a retry storm).
///
/// Each first attempt earns a fraction of a retry, and one retry per interval is allowed without
/// any. From the start, and over any time `w`:
///
/// ```text
///  retries  <=  percent / 100 × first attempts  +  1 + w / min_interval
/// ```
///
/// plus, over a later period, the retries that were saved up before it; a first attempt that is
/// [cancelled](super::Flow::cancel_start) counts until then. A retry that finds none saved up waits
/// for the interval: it is delayed, never dropped. First attempts never wait. The budget grows with
/// starts and time, not with successes, so it recovers even while everything fails.
///
/// Source: Finagle's retry budgets. Finagle expires saved retries; here `max_saved` limits them
/// instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[doc(alias = "retry storm")]
pub struct RetryBudget {
    /// In hundredths of a retry. Negative if a first attempt was cancelled after a retry had used
    /// what it earned.
    credit: i64,
    /// Allows one retry per interval.
    interval: Bucket,
}

impl RetryBudget {
    /// Creates a budget with nothing saved up, and the first retry of the interval available.
    #[must_use]
    pub const fn new() -> Self {
        Self { credit: 0, interval: Bucket::EMPTY }
    }

    /// Returns the first instant at which a retry is allowed by time alone; `None` if that is now.
    /// A first attempt that starts in between may allow an earlier one.
    #[must_use]
    pub fn wait(&self, policy: &RetryBudgetPolicy, now: Timestamp) -> Option<Timestamp> {
        if self.credit.min(policy.max_credit()) >= RETRY {
            return None;
        }
        self.interval.wait(policy.interval_terms(), now)
    }

    /// Counts a first attempt.
    pub fn first(&mut self, policy: &RetryBudgetPolicy) {
        self.earn(policy);
    }

    pub(super) fn earn(&mut self, policy: &RetryBudgetPolicy) -> BudgetCharge {
        let before = self.credit;
        let more = before.saturating_add(policy.percent.into());
        self.credit = more.min(policy.max_credit());
        BudgetCharge::Earned(self.credit.saturating_sub(before).max(0))
    }

    /// Counts a retry, whether or not it was allowed.
    pub fn retried(&mut self, policy: &RetryBudgetPolicy, now: Timestamp) {
        self.charge(policy, now);
    }

    pub(super) fn charge(&mut self, policy: &RetryBudgetPolicy, now: Timestamp) -> BudgetCharge {
        let credit = self.credit.min(policy.max_credit());
        if credit >= RETRY {
            self.credit = credit.saturating_sub(RETRY);
            BudgetCharge::Saved
        } else {
            BudgetCharge::Interval(self.interval.charge(policy.interval_terms(), now))
        }
    }

    /// Reverses what an attempt earned or used up that was not made.
    pub(super) fn refund(
        &mut self,
        policy: &RetryBudgetPolicy,
        charge: BudgetCharge,
        now: Timestamp,
    ) {
        match charge {
            BudgetCharge::Earned(credit) => self.credit = self.credit.saturating_sub(credit),
            BudgetCharge::Saved => {
                self.credit = self.credit.saturating_add(RETRY).min(policy.max_credit());
            }
            BudgetCharge::Interval(charge) => {
                self.interval.refund(policy.interval_terms(), charge, now);
            }
        }
    }
}

/// The effect of one attempt on a [`RetryBudget`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BudgetCharge {
    /// A first attempt earned this credit.
    Earned(i64),
    /// A retry used up a saved one.
    Saved,
    /// A retry used up that of the interval.
    Interval(Charge),
}

/// [`RetryBudget::new`].
impl Default for RetryBudget {
    fn default() -> Self {
        Self::new()
    }
}
