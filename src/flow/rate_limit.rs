//! Configured rate: [`RateLimit`].

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use super::bucket::{Bucket, Charge, Terms};
use super::error::FlowPolicyError;
use super::range::{at_least_one, clamp_to_a_day, within_a_day};
use crate::policy_file;
use crate::time::Timestamp;

/// Policy of the rate limit: `releases` per `per`, evenly spaced, and a burst.
///
/// Any period of length `w`, including both ends, contains at most `burst + rate × w` releases.
///
/// In a file: `{"releases": 100, "per_ms": 60000, "burst": 10}`; `burst` is 1 if it is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "Form")]
#[doc(alias = "GCRA")]
#[doc(alias = "leaky bucket")]
#[doc(alias = "token bucket")]
pub struct RateLimitPolicy {
    releases: NonZeroU32,
    /// At most a day.
    per_ms: NonZeroU64,
    burst: NonZeroU32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a rate limit table")]
struct Form {
    releases: u32,
    per_ms: u64,
    #[serde(default = "one")]
    burst: u32,
}

const fn one() -> u32 {
    1
}

impl<'de> Deserialize<'de> for RateLimitPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        policy_file::read_table::<Form, _, _>(deserializer)
    }
}

impl TryFrom<Form> for RateLimitPolicy {
    type Error = FlowPolicyError;

    fn try_from(form: Form) -> Result<Self, FlowPolicyError> {
        Ok(Self {
            releases: at_least_one("releases", form.releases)?,
            per_ms: within_a_day("per_ms", form.per_ms)?,
            burst: at_least_one("burst", form.burst)?,
        })
    }
}

impl From<RateLimitPolicy> for Form {
    fn from(policy: RateLimitPolicy) -> Self {
        let RateLimitPolicy { releases, per_ms, burst } = policy;
        Self { releases: releases.get(), per_ms: per_ms.get(), burst: burst.get() }
    }
}

impl RateLimitPolicy {
    /// Creates a policy of `releases` per `per`, evenly spaced. The time is rounded up to whole
    /// milliseconds, and clamped to between 1 ms and a day.
    #[must_use]
    pub fn new(releases: NonZeroU32, per: Duration) -> Self {
        Self { releases, per_ms: clamp_to_a_day(per), burst: NonZeroU32::MIN }
    }

    /// Creates a policy of `releases` per second, evenly spaced.
    #[must_use]
    pub fn per_second(releases: NonZeroU32) -> Self {
        Self::new(releases, Duration::from_secs(1))
    }

    /// Sets the number of releases allowed at once after a pause. The burst is added to the rate.
    #[must_use]
    pub const fn with_burst(mut self, burst: NonZeroU32) -> Self {
        self.burst = burst;
        self
    }

    /// Returns the number of releases per [`per`](Self::per).
    #[must_use]
    pub const fn releases(&self) -> NonZeroU32 {
        self.releases
    }

    /// Returns the time over which [`releases`](Self::releases) is counted.
    #[must_use]
    pub const fn per(&self) -> Duration {
        Duration::from_millis(self.per_ms.get())
    }

    /// Returns the number of releases allowed at once.
    #[must_use]
    pub const fn burst(&self) -> NonZeroU32 {
        self.burst
    }

    /// A release costs `per` in microseconds, and each microsecond gives back `releases`: both are
    /// whole numbers at any rate.
    fn terms(&self) -> Terms {
        Terms {
            burst: self.burst.get(),
            cost: self.per_ms.get().saturating_mul(1_000),
            leak: u64::from(self.releases.get()),
        }
    }
}

/// Rate limit: the generic cell rate algorithm (GCRA), as a leaky bucket.
///
/// Any period of length `w`, including both ends, contains at most `burst + rate × w` releases.
/// This is exact at any rate, because all sums are whole numbers. Instants are whole microseconds,
/// so without a burst a release is late by up to the microsecond that its instant was rounded up
/// by. A bucket counts up to 2^64 of its units, which limits a burst of more than two hundred
/// million per day.
///
/// ```text
///  burst 3, 1 per second    full
///  |#     |  0.0 s  Go        |   each release adds one,
///  |##    |  0.0 s  Go        |   one per second leaks out;
///  |###   |  0.0 s  Go        v   no room: wait until there is
///  |###   |  0.0 s  wait until 1.0 s
/// ```
///
/// Source: ITU-T Recommendation I.371, the generic cell rate algorithm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct RateLimit(Bucket);

impl RateLimit {
    /// Creates a rate limit with nothing used up.
    pub(super) const fn new() -> Self {
        Self(Bucket::EMPTY)
    }

    /// Returns the first instant at which a release is allowed; `None` if that is now.
    ///
    /// It is after `now`, except at [`Timestamp::MAX`]. Another release in between postpones it.
    pub(super) fn wait(&self, policy: &RateLimitPolicy, now: Timestamp) -> Option<Timestamp> {
        self.0.wait(policy.terms(), now)
    }

    /// Counts a release, whether or not it was allowed.
    pub(super) fn charge(&mut self, policy: &RateLimitPolicy, now: Timestamp) -> Charge {
        self.0.charge(policy.terms(), now)
    }

    /// Refunds a release that was not made.
    pub(super) fn refund(&mut self, policy: &RateLimitPolicy, charge: Charge, now: Timestamp) {
        self.0.refund(policy.terms(), charge, now);
    }

    /// After the clock stepped back, moves the limit's instant to `now`.
    pub(super) fn pull_in(&mut self, now: Timestamp) {
        self.0.pull_in(now);
    }
}
