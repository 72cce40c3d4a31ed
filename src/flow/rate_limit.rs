//! A rate that is known: [`RateLimit`].

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bucket::{Bucket, Poured, Terms};
use super::policy_file::FlowPolicyError;
use crate::time::{Timestamp, millis_up};

/// The longest time that the file of a policy may name for a rate, a spacing or a trickle.
pub(super) const DAY_MS: u64 = 86_400_000;

/// So many requests in so much time, and so many at once.
///
/// In a file: `{"releases": 100, "per_ms": 60000, "burst": 10}`; a burst of 1 where it is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
pub struct RateLimitPolicy {
    releases: NonZeroU32,
    /// At most a day.
    per_ms: NonZeroU64,
    burst: NonZeroU32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "the table of a rate")]
struct Form {
    releases: NonZeroU32,
    per_ms: u64,
    #[serde(default = "one")]
    burst: NonZeroU32,
}

const fn one() -> NonZeroU32 {
    NonZeroU32::MIN
}

/// A time of 1 ms to a day, from a file.
pub(super) fn within_a_day(millis: u64) -> Result<NonZeroU64, FlowPolicyError> {
    NonZeroU64::new(millis)
        .filter(|millis| millis.get() <= DAY_MS)
        .ok_or(FlowPolicyError::NotWithinADay { millis })
}

/// The same from code, where there is no error: held within those limits.
pub(super) fn held_within_a_day(time: Duration) -> NonZeroU64 {
    NonZeroU64::new(millis_up(time).min(DAY_MS)).unwrap_or(NonZeroU64::MIN)
}

impl TryFrom<Form> for RateLimitPolicy {
    type Error = FlowPolicyError;

    fn try_from(form: Form) -> Result<Self, FlowPolicyError> {
        let Form { releases, per_ms, burst } = form;
        Ok(Self { releases, per_ms: within_a_day(per_ms)?, burst })
    }
}

impl From<RateLimitPolicy> for Form {
    fn from(policy: RateLimitPolicy) -> Self {
        let RateLimitPolicy { releases, per_ms, burst } = policy;
        Self { releases, per_ms: per_ms.get(), burst }
    }
}

impl RateLimitPolicy {
    /// So many releases in so much time, evenly spaced. The time is rounded up to whole
    /// milliseconds, and held between 1 ms and a day.
    #[must_use]
    pub fn new(releases: NonZeroU32, per: Duration) -> Self {
        Self { releases, per_ms: held_within_a_day(per), burst: NonZeroU32::MIN }
    }

    /// So many releases a second, evenly spaced.
    #[must_use]
    pub fn per_second(releases: NonZeroU32) -> Self {
        Self::new(releases, Duration::from_secs(1))
    }

    /// With so many releases at once after a pause. It is added to what the rate allows: see
    /// [`RateLimit`].
    #[must_use]
    pub const fn with_burst(mut self, burst: NonZeroU32) -> Self {
        self.burst = burst;
        self
    }

    /// How many releases in [`per`](Self::per).
    #[must_use]
    pub const fn releases(&self) -> NonZeroU32 {
        self.releases
    }

    /// The time in which there are so many [`releases`](Self::releases).
    #[must_use]
    pub const fn per(&self) -> Duration {
        Duration::from_millis(self.per_ms.get())
    }

    /// How many releases there may be at once.
    #[must_use]
    pub const fn burst(&self) -> NonZeroU32 {
        self.burst
    }

    /// A release costs `per` in microseconds and each microsecond gives back `releases`: both are
    /// whole, whatever the rate.
    fn terms(&self) -> Terms {
        Terms {
            burst: self.burst.get(),
            cost: self.per_ms.get().saturating_mul(1_000),
            leak: u64::from(self.releases.get()),
        }
    }
}

/// Holds releases to a rate: the generic cell rate algorithm, in its form of a leaky bucket.
///
/// In any stretch of time `w`, its two ends included, there are at most `burst + rate × w`
/// releases, exactly: all sums are whole numbers, whatever the rate. Instants are too, so without
/// a burst to catch up with, a release is late by up to the microsecond that its instant was
/// rounded up by. A bucket counts at most 2^64 of its units, and so holds a burst of more than two
/// hundred million a day to that.
///
/// ```text
///  burst 3, 1 a second      full
///  |#     |  0.0 s  Go        |   each release pours in one,
///  |##    |  0.0 s  Go        |   time lets out one a second;
///  |###   |  0.0 s  Go        v   no room: wait until there is
///  |###   |  0.0 s  wait until 1.0 s
/// ```
///
/// Source: ITU-T Recommendation I.371, the generic cell rate algorithm.
///
/// ```
/// use std::num::NonZeroU32;
/// use labhook::Timestamp;
/// use labhook::flow::{RateLimit, RateLimitPolicy};
///
/// let policy = RateLimitPolicy::per_second(NonZeroU32::new(4).unwrap());
/// let mut rate = RateLimit::new();
/// let now = Timestamp::from_unix_seconds(1_744_882_200);
///
/// assert_eq!(rate.wait(&policy, now), None);
/// rate.released(&policy, now);
/// let until = rate.wait(&policy, now).unwrap();
/// assert_eq!(until.to_string(), "2025-04-17T09:30:00.250Z");
/// assert_eq!(rate.wait(&policy, until), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RateLimit(Bucket);

impl RateLimit {
    /// A rate of which nothing is used up.
    #[must_use]
    pub const fn new() -> Self {
        Self(Bucket::EMPTY)
    }

    /// The first instant at which a release is allowed; `None` where that is now. It is after
    /// `now`, but at [`Timestamp::MAX`], and time alone brings it: a release that is made in
    /// between puts it off.
    #[must_use]
    pub fn wait(&self, policy: &RateLimitPolicy, now: Timestamp) -> Option<Timestamp> {
        self.0.wait(policy.terms(), now)
    }

    /// Counts a release, whether it was allowed or not.
    pub fn released(&mut self, policy: &RateLimitPolicy, now: Timestamp) {
        self.release(policy, now);
    }

    pub(super) fn release(&mut self, policy: &RateLimitPolicy, now: Timestamp) -> Poured {
        self.0.pour(policy.terms(), now)
    }

    /// Takes back a release that was not made.
    pub(super) fn take_back(&mut self, policy: &RateLimitPolicy, poured: Poured, now: Timestamp) {
        self.0.scoop(policy.terms(), poured, now);
    }
}

/// [`RateLimit::new`].
impl Default for RateLimit {
    fn default() -> Self {
        Self::new()
    }
}
