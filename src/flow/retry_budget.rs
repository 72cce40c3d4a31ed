//! How many of the attempts may be retries: [`RetryBudget`].

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bucket::{Bucket, Poured, Terms};
use super::policy_file::FlowPolicyError;
use super::rate_limit::{held_within_a_day, within_a_day};
use crate::time::Timestamp;

/// How many retries there may be for each first attempt, and how many anyway.
///
/// In a file: `{"percent": 20, "trickle_ms": 10000, "saved": 100}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
pub struct RetryBudgetPolicy {
    percent: u16,
    /// At most a day.
    trickle_ms: NonZeroU64,
    saved: NonZeroU32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "the table of a retry budget")]
struct Form {
    percent: u16,
    trickle_ms: u64,
    #[serde(default = "saved")]
    saved: NonZeroU32,
}

const SAVED: NonZeroU32 = NonZeroU32::new(100).expect("a hundred is not zero");

const fn saved() -> NonZeroU32 {
    SAVED
}

impl TryFrom<Form> for RetryBudgetPolicy {
    type Error = FlowPolicyError;

    fn try_from(form: Form) -> Result<Self, FlowPolicyError> {
        let Form { percent, trickle_ms, saved } = form;
        Ok(Self { percent, trickle_ms: within_a_day(trickle_ms)?, saved })
    }
}

impl From<RetryBudgetPolicy> for Form {
    fn from(policy: RetryBudgetPolicy) -> Self {
        let RetryBudgetPolicy { percent, trickle_ms, saved } = policy;
        Self { percent, trickle_ms: trickle_ms.get(), saved }
    }
}

impl RetryBudgetPolicy {
    /// So many retries for each hundred first attempts, and one each `trickle` besides. The
    /// trickle is rounded up to whole milliseconds and held between 1 ms and a day: a budget
    /// without one could stand still for ever. At most a hundred retries are saved up.
    #[must_use]
    pub fn new(percent: u16, trickle: Duration) -> Self {
        Self { percent, trickle_ms: held_within_a_day(trickle), saved: SAVED }
    }

    /// With at most so many retries saved up from first attempts.
    #[must_use]
    pub const fn with_max_saved(mut self, retries: NonZeroU32) -> Self {
        self.saved = retries;
        self
    }

    /// The retries for each hundred first attempts.
    #[must_use]
    pub const fn percent(&self) -> u16 {
        self.percent
    }

    /// The time after which there may be a retry anyway.
    #[must_use]
    pub const fn min_interval(&self) -> Duration {
        Duration::from_millis(self.trickle_ms.get())
    }

    /// How many retries are saved up at the most.
    #[must_use]
    pub const fn max_saved(&self) -> NonZeroU32 {
        self.saved
    }

    fn trickle_terms(&self) -> Terms {
        Terms { burst: 1, cost: self.trickle_ms.get().saturating_mul(1_000), leak: 1 }
    }

    /// The most credit there is, in hundredths of a retry.
    fn most(&self) -> i64 {
        i64::from(self.saved.get()).saturating_mul(RETRY)
    }
}

/// A retry, in the hundredths that credit is counted in.
const RETRY: i64 = 100;

/// Holds retries to a share of the first attempts, so that a receiver in trouble is not met with
/// the same messages again and again.
///
/// Each first attempt saves up a share of a retry, and a trickle gives one retry each so often
/// without any. From the start, and over any time `w`:
///
/// ```text
///  retries  <=  percent / 100 × first attempts  +  1 + w / trickle
/// ```
///
/// plus, over a later stretch, the retries that were saved up before it; a first attempt that is
/// [taken back](super::Flow::cancel_start) counts until then. A retry that finds nothing saved
/// waits for the trickle: it is delayed and never dropped. First attempts never wait. What fills
/// the budget is starts and time, never a success, so a budget that is used up comes back while
/// everything fails.
///
/// Source: Finagle's retry budgets, without their expiry of what was saved, for which the cap is
/// in place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryBudget {
    /// In hundredths of a retry. Less than none where a first attempt was taken back after a retry
    /// had gone for it.
    credit: i64,
    trickle: Bucket,
}

impl RetryBudget {
    /// A budget in which nothing is saved up, and the trickle's first retry is at hand.
    #[must_use]
    pub const fn new() -> Self {
        Self { credit: 0, trickle: Bucket::EMPTY }
    }

    /// The first instant at which a retry is allowed by time alone; `None` where that is now.
    /// A first attempt that is started in between may allow one earlier.
    #[must_use]
    pub fn wait(&self, policy: &RetryBudgetPolicy, now: Timestamp) -> Option<Timestamp> {
        if self.credit.min(policy.most()) >= RETRY {
            return None;
        }
        self.trickle.wait(policy.trickle_terms(), now)
    }

    /// A first attempt was started.
    pub fn first(&mut self, policy: &RetryBudgetPolicy) {
        self.save_up(policy);
    }

    pub(super) fn save_up(&mut self, policy: &RetryBudgetPolicy) -> Share {
        let before = self.credit;
        let more = before.saturating_add(policy.percent.into());
        self.credit = more.min(policy.most());
        Share::Saved(self.credit.saturating_sub(before).max(0))
    }

    /// A retry was started, whether it was allowed or not.
    pub fn retried(&mut self, policy: &RetryBudgetPolicy, now: Timestamp) {
        self.use_up(policy, now);
    }

    pub(super) fn use_up(&mut self, policy: &RetryBudgetPolicy, now: Timestamp) -> Share {
        let credit = self.credit.min(policy.most());
        if credit >= RETRY {
            self.credit = credit.saturating_sub(RETRY);
            Share::Used
        } else {
            Share::Trickled(self.trickle.pour(policy.trickle_terms(), now))
        }
    }

    /// Takes back what an attempt saved up or used up that was not made.
    pub(super) fn take_back(&mut self, policy: &RetryBudgetPolicy, share: Share, now: Timestamp) {
        match share {
            Share::Saved(credit) => self.credit = self.credit.saturating_sub(credit),
            Share::Used => self.credit = self.credit.saturating_add(RETRY).min(policy.most()),
            Share::Trickled(poured) => self.trickle.scoop(policy.trickle_terms(), poured, now),
        }
    }
}

/// What an attempt did to a [`RetryBudget`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    /// As a first one it saved up so much of a retry.
    Saved(i64),
    /// As a retry it used up one that was saved.
    Used,
    /// As a retry it took the trickle's.
    Trickled(Poured),
}

/// [`RetryBudget::new`].
impl Default for RetryBudget {
    fn default() -> Self {
        Self::new()
    }
}
