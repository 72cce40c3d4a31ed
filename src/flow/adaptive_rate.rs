//! A rate that has to be found out: [`AdaptiveRate`].

use std::num::NonZeroU64;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bucket::{Bucket, Poured, Terms, elapsed, micros};
use super::policy_file::FlowPolicyError;
use super::rate_limit::{held_within_a_day, within_a_day};
use crate::time::Timestamp;

/// Rates are counted in millionths of a request a second, so that this many make a request.
const REQUEST: u64 = 1_000_000;
/// A rate flows for this many microseconds to make a request of `REQUEST` a second.
const SECOND: u64 = 1_000_000;
/// A million requests a second is as good as no limit.
const FASTEST: u64 = 1_000_000 * REQUEST;
/// A period carries at least this many requests, for its share of refusals to mean something.
const SAMPLE: u64 = 4;
/// Under the ceiling, each period gives back one part in so many of it.
const CLIMB: u64 = 64;

/// How slow a pace may become.
///
/// In a file: `{"slowest_ms": 10000}`, the longest time between two requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
pub struct AdaptiveRatePolicy {
    /// At most a day.
    slowest_ms: NonZeroU64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "the table of a pace")]
struct Form {
    slowest_ms: u64,
}

impl TryFrom<Form> for AdaptiveRatePolicy {
    type Error = FlowPolicyError;

    fn try_from(form: Form) -> Result<Self, FlowPolicyError> {
        Ok(Self { slowest_ms: within_a_day(form.slowest_ms)? })
    }
}

impl From<AdaptiveRatePolicy> for Form {
    fn from(policy: AdaptiveRatePolicy) -> Self {
        Self { slowest_ms: policy.slowest_ms.get() }
    }
}

impl AdaptiveRatePolicy {
    /// A pace that never leaves more than this time between two requests, however many are
    /// refused. It is rounded up to whole milliseconds and held between 1 ms and a day.
    #[must_use]
    pub fn new(slowest: Duration) -> Self {
        Self { slowest_ms: held_within_a_day(slowest) }
    }

    /// The longest time between two requests.
    #[must_use]
    pub const fn slowest(&self) -> Duration {
        Duration::from_millis(self.slowest_ms.get())
    }

    fn floor(&self) -> u64 {
        REQUEST.saturating_mul(1_000).div_ceil(self.slowest_ms.get())
    }
}

/// The rate at which a receiver takes requests, learned from its refusals.
///
/// There is no limit before the first refusal. From there on requests are evenly spaced, and:
///
/// ```text
///  rate                                           two, four, eight ... steps a period:
///                                                 the receiver may take far more by now
///                                             .'
///       refused         refused            .'
///  ceiling  .|            .|  - - - - - -.'- - -  what was delivered at the last fall
///        .'  |         .'  |         .-'
///     .'     |      .'     |      .-'             a 64th of the ceiling each period
///            |   .'        |   .-'
///            |.'           |.-'                   nine tenths, or the share that was delivered
///                                                 time -->
/// ```
///
/// - A **period** is a second, or four requests where these take longer. It goes by when attempts
///   start, so that a long round trip does not spoil what it tells.
/// - A **fall** takes the rate to the share of it that was delivered, where that is less than
///   nine tenths, and to nine tenths otherwise; to no less than a quarter at once. A single refusal
///   tells of a limit but of no share. There is no further fall for attempts that started within a
///   period from it: they speak of the rate before, or of what the receiver counted before.
/// - The **ceiling** is what was delivered at the last fall. Below half of it the rate doubles each
///   period, up to it climbs evenly, and above it by a step that doubles each period, at most to
///   twice the rate.
/// - It climbs only after a period without a refusal, of which at least three quarters were used:
///   a rate that nobody asks for teaches nothing.
///
/// # Why it settles
///
/// Requests are evenly spaced, so the share of them that is delivered times the rate is what the
/// receiver takes, whichever way it counts. A fall sets the rate by that and not by the number of
/// refusals, so that a hundred of them fall no deeper than two, and it measures only what was sent
/// after the fall before. From a rate far above what the receiver takes, two or three falls come
/// down to it. At it, a fall costs a tenth and the climb gives that back over six or seven
/// periods, then tries a 64th more, and three 64ths: a sawtooth between nine tenths and a little
/// over what the receiver takes, whose mean is some 97 percent, with a handful of refusals in each
/// tooth. A receiver that takes more by now is found after a few teeth's time, since the steps
/// double, and one that takes nothing is asked at the policy's slowest.
///
/// Additive increase with multiplicative decrease is that of RFC 5681; the remembered ceiling, slow
/// below and fast beyond, is the idea of CUBIC (RFC 9438); measuring the delivered rate rather than
/// counting losses is that of TCP Westwood and BBR.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdaptiveRate {
    /// `None` before the first refusal.
    rate: Option<u64>,
    ceiling: u64,
    /// What the rate climbs by next, above the ceiling.
    step: u64,
    fell_at: Timestamp,
    /// When the period began, and what its attempts came to.
    since: Timestamp,
    successes: u32,
    refusals: u32,
    /// Successes of the period before, were it as long as one should be; none across a fall.
    before: u32,
    spacing: Bucket,
}

impl AdaptiveRate {
    /// A pace without a limit, as before the first refusal.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            rate: None,
            ceiling: 0,
            step: 0,
            fell_at: Timestamp::MIN,
            since: Timestamp::MIN,
            successes: 0,
            refusals: 0,
            before: 0,
            spacing: Bucket::EMPTY,
        }
    }

    /// The time between two requests, rounded up to the microsecond; `None` where there is no
    /// limit.
    #[must_use]
    pub fn spacing(&self, policy: &AdaptiveRatePolicy) -> Option<Duration> {
        let rate = self.rate(policy)?;
        Some(micros(REQUEST.saturating_mul(SECOND).div_ceil(rate)))
    }

    /// The first instant at which a request is allowed; `None` where that is now. It is after
    /// `now`, but at [`Timestamp::MAX`]. A success or a refusal in between may move it.
    #[must_use]
    pub fn wait(&self, policy: &AdaptiveRatePolicy, now: Timestamp) -> Option<Timestamp> {
        self.spacing.wait(terms(self.rate(policy)?), now)
    }

    /// Counts a request, whether it was allowed or not.
    pub fn released(&mut self, policy: &AdaptiveRatePolicy, now: Timestamp) {
        self.release(policy, now);
    }

    pub(super) fn release(
        &mut self,
        policy: &AdaptiveRatePolicy,
        now: Timestamp,
    ) -> Option<Poured> {
        Some(self.spacing.pour(terms(self.rate(policy)?), now))
    }

    /// Takes back a request that was not made.
    pub(super) fn take_back(
        &mut self,
        policy: &AdaptiveRatePolicy,
        poured: Poured,
        now: Timestamp,
    ) {
        if let Some(rate) = self.rate(policy) {
            self.spacing.scoop(terms(rate), poured, now);
        }
    }

    /// The receiver took a request that was started at `started_at`.
    pub fn succeeded(
        &mut self,
        policy: &AdaptiveRatePolicy,
        started_at: Timestamp,
        now: Timestamp,
    ) {
        self.follow(now);
        // Those from before are told of by the period before, or by none.
        if started_at <= self.since {
            return;
        }
        self.successes = self.successes.saturating_add(1);
        let rate = self.rate(policy);
        let (period, took) = (period(rate), elapsed(self.since, started_at));
        let calm = self.refusals == 0;
        if took < period || (!calm && took < period.saturating_mul(2)) {
            return;
        }
        let used = scale(u64::from(self.successes), REQUEST.saturating_mul(SECOND), took);
        if let Some(rate) = rate.filter(|rate| calm && used >= scale(*rate, 3, 4)) {
            self.climb(rate);
        }
        self.before = narrow(scale(u64::from(self.successes), period, took));
        (self.since, self.successes, self.refusals) = (now, 0, 0);
    }

    /// The receiver refused a request that was started at `started_at` as one too many.
    ///
    /// `true` where the rate fell by it.
    pub fn refused(
        &mut self,
        policy: &AdaptiveRatePolicy,
        started_at: Timestamp,
        now: Timestamp,
    ) -> bool {
        self.follow(now);
        let rate = self.rate(policy);
        // Those from before the fall tell of a rate that is no more.
        if rate.is_some() && started_at <= self.fell_at {
            return false;
        }
        self.refusals = self.refusals.saturating_add(1);
        if rate.is_some() && elapsed(self.fell_at, started_at) < period(rate) {
            return false;
        }
        let taken = u64::from(self.successes.saturating_add(self.before));
        let fallen = match rate {
            Some(rate) => {
                // A single refusal tells that there is a limit, and not yet where.
                let more = u64::from(self.refusals).saturating_sub(1);
                let delivered = match taken.saturating_add(more) {
                    0 => rate,
                    asked => scale(rate, taken, asked),
                };
                // Where nothing was delivered, nothing was learned of what could be.
                if delivered > 0 {
                    self.ceiling = delivered;
                }
                delivered.clamp(rate >> 2, scale(rate, 9, 10))
            }
            None => {
                let took = elapsed(self.since, now).max(SECOND);
                let now_taken =
                    scale(u64::from(self.successes), REQUEST.saturating_mul(SECOND), took);
                let before = u64::from(self.before).saturating_mul(REQUEST);
                self.ceiling = now_taken.max(before).max(REQUEST);
                scale(self.ceiling, 9, 10)
            }
        };
        self.rate = Some(fallen.clamp(policy.floor(), FASTEST));
        (self.step, self.before) = (0, 0);
        (self.fell_at, self.since, self.successes, self.refusals) = (now, now, 0, 0);
        true
    }

    fn climb(&mut self, rate: u64) {
        let even = (self.ceiling.max(rate) >> CLIMB.ilog2()).max(1);
        let step = if rate < self.ceiling >> 1 {
            rate
        } else if rate < self.ceiling {
            even
        } else {
            self.step = self.step.saturating_mul(2).clamp(even, rate.max(even));
            self.step
        };
        self.rate = Some(rate.saturating_add(step).min(FASTEST));
    }

    fn rate(&self, policy: &AdaptiveRatePolicy) -> Option<u64> {
        Some(self.rate?.clamp(policy.floor(), FASTEST))
    }

    /// Where the clock went back, what lies ahead of it is taken to be now.
    fn follow(&mut self, now: Timestamp) {
        self.fell_at = self.fell_at.min(now);
        self.since = self.since.min(now);
    }
}

/// [`AdaptiveRate::new`].
impl Default for AdaptiveRate {
    fn default() -> Self {
        Self::new()
    }
}

fn terms(rate: u64) -> Terms {
    Terms { burst: 1, cost: REQUEST.saturating_mul(SECOND), leak: rate }
}

/// In microseconds.
fn period(rate: Option<u64>) -> u64 {
    let sample = rate.map_or(0, |rate| scale(SAMPLE.saturating_mul(REQUEST), SECOND, rate));
    sample.max(SECOND)
}

/// `value × times / by`, saturating; 0 by 0.
fn scale(value: u64, times: u64, by: u64) -> u64 {
    let product = u128::from(value).saturating_mul(u128::from(times));
    u64::try_from(product.checked_div(u128::from(by)).unwrap_or(0)).unwrap_or(u64::MAX)
}

fn narrow(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
