//! Rate learned from refusals: [`AdaptiveRate`].

use std::num::NonZeroU64;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bucket::{Bucket, Charge, Terms, elapsed};
use super::error::FlowPolicyError;
use super::range::{clamp_to_a_day, within_a_day};
use crate::time::Timestamp;

/// One request. Rates are counted in millionths of a request per second.
const REQUEST: u64 = 1_000_000;
/// One second, in microseconds.
const SECOND: u64 = 1_000_000;
/// A million requests per second is as good as no limit.
const MAX_RATE: u64 = 1_000_000 * REQUEST;
/// The fewest requests in a period, so that its share of refusals is meaningful.
const SAMPLE: u64 = 4;
/// Below the ceiling, each period adds this fraction of it.
const INCREASE_DIVISOR: u64 = 64;

/// Policy of an [`AdaptiveRate`]: its lowest rate.
///
/// In a file: `{"slowest_ms": 10000}`, the longest time between two requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
pub struct AdaptiveRatePolicy {
    /// At most a day.
    slowest_ms: NonZeroU64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an adaptive rate table")]
struct Form {
    slowest_ms: u64,
}

impl TryFrom<Form> for AdaptiveRatePolicy {
    type Error = FlowPolicyError;

    fn try_from(form: Form) -> Result<Self, FlowPolicyError> {
        Ok(Self { slowest_ms: within_a_day("slowest_ms", form.slowest_ms)? })
    }
}

impl From<AdaptiveRatePolicy> for Form {
    fn from(policy: AdaptiveRatePolicy) -> Self {
        Self { slowest_ms: policy.slowest_ms.get() }
    }
}

impl AdaptiveRatePolicy {
    /// Creates a policy under which two requests are never more than `slowest` apart, however many
    /// are refused. The time is rounded up to whole milliseconds and clamped to between 1 ms and a
    /// day.
    #[must_use]
    pub fn new(slowest: Duration) -> Self {
        Self { slowest_ms: clamp_to_a_day(slowest) }
    }

    /// Returns the longest time between two requests.
    #[must_use]
    pub const fn slowest(&self) -> Duration {
        Duration::from_millis(self.slowest_ms.get())
    }

    fn min_rate(&self) -> u64 {
        REQUEST.saturating_mul(1_000).div_ceil(self.slowest_ms.get())
    }
}

/// Adaptive rate: the request rate that a receiver accepts, learned from its refusals (AIMD).
///
/// There is no limit before the first refusal. After it requests are evenly spaced, and:
///
/// ```text
///  rate                                           two, four, eight ... steps per period:
///                                                 the receiver may accept far more by now
///                                             .'
///       refused         refused            .'
///  ceiling  .|            .|  - - - - - -.'- - -  rate delivered at the last decrease
///        .'  |         .'  |         .-'
///     .'     |      .'     |      .-'             1/64 of the ceiling per period
///            |   .'        |   .-'
///            |.'           |.-'                   9/10, or the share that was delivered
///                                                 time -->
/// ```
///
/// - A **period** is a second, or the time of four requests if that is longer. It advances when
///   attempts start, so that a long round trip does not distort the measurement.
/// - A **decrease** multiplies the rate by the share of requests that was delivered, if that is
///   less than 9/10, or else by 9/10, but never by less than 1/4. A single refusal reveals a limit
///   but no share. Attempts that started within one period of a decrease cause no further one,
///   because they reflect the earlier rate, or requests that the receiver counted earlier.
/// - The **ceiling** is the rate delivered at the last decrease. Below half of it the rate doubles
///   every period; from there up to it the rate increases by even steps; above it the step doubles
///   every period, up to a step that doubles the rate.
/// - The rate increases only after a period without a refusal of which at least 3/4 was used,
///   because an unused rate reveals nothing.
///
/// # Why it converges
///
/// Requests are evenly spaced, so the share of them that is delivered, times the rate, is the rate
/// that the receiver accepts, however it counts. A decrease goes by this share and not by the
/// number of refusals, so a hundred refusals decrease the rate no further than two, and it measures
/// only what was sent since the last decrease. From far above the accepted rate it takes two or
/// three decreases to reach it. Once there, a decrease costs a tenth, and six or seven periods
/// recover it, then try 1/64 more, and 3/64: a sawtooth between 9/10 of the accepted rate and a
/// little more than it. Its mean is about 97 percent, with a handful of refusals per tooth. A
/// receiver that accepts more by now is found within a few teeth, because the steps double, and one
/// that accepts nothing is probed at the policy's slowest rate.
///
/// Sources: additive increase with multiplicative decrease is that of RFC 5681; a remembered
/// ceiling, slow below and fast beyond, is the idea of CUBIC (RFC 9438); measuring the delivered
/// rate rather than counting losses is that of TCP Westwood and BBR.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[doc(alias = "AIMD")]
#[doc(alias = "adaptive throttling")]
pub struct AdaptiveRate {
    /// `None` before the first refusal.
    rate: Option<u64>,
    ceiling: u64,
    /// The last increase above the ceiling.
    step: u64,
    decreased_at: Timestamp,
    period_start: Timestamp,
    /// Results of attempts started in this period.
    successes: u32,
    refusals: u32,
    /// Successes of the previous period, scaled to its nominal length; zero after a decrease.
    previous_successes: u32,
    spacing: Bucket,
}

impl AdaptiveRate {
    /// Creates a rate without a limit, as before the first refusal.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            rate: None,
            ceiling: 0,
            step: 0,
            decreased_at: Timestamp::MIN,
            period_start: Timestamp::MIN,
            successes: 0,
            refusals: 0,
            previous_successes: 0,
            spacing: Bucket::EMPTY,
        }
    }

    /// Returns the time between two requests, rounded up to the microsecond; `None` if there is no
    /// limit.
    #[must_use]
    pub fn spacing(&self, policy: &AdaptiveRatePolicy) -> Option<Duration> {
        let rate = self.rate(policy)?;
        Some(Duration::from_micros(REQUEST.saturating_mul(SECOND).div_ceil(rate)))
    }

    /// Returns the first instant at which a request is allowed; `None` if that is now.
    ///
    /// It is after `now`, except at [`Timestamp::MAX`]. A success or a refusal in between may move
    /// it.
    #[must_use]
    pub fn wait(&self, policy: &AdaptiveRatePolicy, now: Timestamp) -> Option<Timestamp> {
        self.spacing.wait(terms(self.rate(policy)?), now)
    }

    /// Counts a request, whether or not it was allowed.
    pub fn released(&mut self, policy: &AdaptiveRatePolicy, now: Timestamp) {
        self.charge(policy, now);
    }

    pub(super) fn charge(&mut self, policy: &AdaptiveRatePolicy, now: Timestamp) -> Option<Charge> {
        Some(self.spacing.charge(terms(self.rate(policy)?), now))
    }

    /// Refunds a request that was not made.
    pub(super) fn refund(&mut self, policy: &AdaptiveRatePolicy, charge: Charge, now: Timestamp) {
        if let Some(rate) = self.rate(policy) {
            self.spacing.refund(terms(rate), charge, now);
        }
    }

    /// Records that the receiver accepted a request that was started at `started_at`.
    pub fn succeeded(
        &mut self,
        policy: &AdaptiveRatePolicy,
        started_at: Timestamp,
        now: Timestamp,
    ) {
        self.clamp_to_now(now);
        // An attempt from an earlier period says nothing about this one.
        if started_at <= self.period_start {
            return;
        }
        self.successes = self.successes.saturating_add(1);
        let rate = self.rate(policy);
        let (period, length) = (period(rate), elapsed(self.period_start, started_at));
        let unrefused = self.refusals == 0;
        // A period with refusals stays open for longer, so that a decrease measures more of it.
        if length < period || (!unrefused && length < period.saturating_mul(2)) {
            return;
        }
        let used = scale(u64::from(self.successes), REQUEST.saturating_mul(SECOND), length);
        if let Some(rate) = rate.filter(|rate| unrefused && used >= scale(*rate, 3, 4)) {
            self.increase(rate);
        }
        self.previous_successes = narrow(scale(u64::from(self.successes), period, length));
        (self.period_start, self.successes, self.refusals) = (now, 0, 0);
    }

    /// Records that the receiver refused a request that was started at `started_at` because of the
    /// rate.
    ///
    /// Returns whether the rate decreased.
    pub fn refused(
        &mut self,
        policy: &AdaptiveRatePolicy,
        started_at: Timestamp,
        now: Timestamp,
    ) -> bool {
        self.clamp_to_now(now);
        let rate = self.rate(policy);
        // An attempt from before the last decrease reflects the earlier rate.
        if rate.is_some() && started_at <= self.decreased_at {
            return false;
        }
        self.refusals = self.refusals.saturating_add(1);
        if rate.is_some() && elapsed(self.decreased_at, started_at) < period(rate) {
            return false;
        }
        let accepted = u64::from(self.successes.saturating_add(self.previous_successes));
        let decreased = match rate {
            Some(rate) => {
                // A single refusal reveals that there is a limit, but not where.
                let more = u64::from(self.refusals).saturating_sub(1);
                let delivered = match accepted.saturating_add(more) {
                    0 => rate,
                    sent => scale(rate, accepted, sent),
                };
                // If nothing was delivered, nothing is known about the accepted rate.
                if delivered > 0 {
                    self.ceiling = delivered;
                }
                delivered.clamp(rate >> 2, scale(rate, 9, 10))
            }
            None => {
                let length = elapsed(self.period_start, now).max(SECOND);
                let current =
                    scale(u64::from(self.successes), REQUEST.saturating_mul(SECOND), length);
                let previous = u64::from(self.previous_successes).saturating_mul(REQUEST);
                self.ceiling = current.max(previous).max(REQUEST);
                scale(self.ceiling, 9, 10)
            }
        };
        self.rate = Some(decreased.clamp(policy.min_rate(), MAX_RATE));
        (self.step, self.previous_successes) = (0, 0);
        (self.decreased_at, self.period_start) = (now, now);
        (self.successes, self.refusals) = (0, 0);
        true
    }

    fn increase(&mut self, rate: u64) {
        let even = (self.ceiling.max(rate) >> INCREASE_DIVISOR.ilog2()).max(1);
        let step = if rate < self.ceiling >> 1 {
            rate
        } else if rate < self.ceiling {
            even
        } else {
            self.step = self.step.saturating_mul(2).clamp(even, rate.max(even));
            self.step
        };
        self.rate = Some(rate.saturating_add(step).min(MAX_RATE));
    }

    fn rate(&self, policy: &AdaptiveRatePolicy) -> Option<u64> {
        Some(self.rate?.clamp(policy.min_rate(), MAX_RATE))
    }

    /// After the clock stepped back, moves instants that lie ahead of it to `now`.
    fn clamp_to_now(&mut self, now: Timestamp) {
        self.decreased_at = self.decreased_at.min(now);
        self.period_start = self.period_start.min(now);
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

/// The length of a period in microseconds.
fn period(rate: Option<u64>) -> u64 {
    let sample = rate.map_or(0, |rate| scale(SAMPLE.saturating_mul(REQUEST), SECOND, rate));
    sample.max(SECOND)
}

/// `value × times / by`, saturating; 0 if `by` is 0.
fn scale(value: u64, times: u64, by: u64) -> u64 {
    let product = u128::from(value).saturating_mul(u128::from(times));
    u64::try_from(product.checked_div(u128::from(by)).unwrap_or(0)).unwrap_or(u64::MAX)
}

fn narrow(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
