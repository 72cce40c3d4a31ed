//! Rate learned from refusals: [`AdaptiveRate`].

use std::num::NonZeroU64;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use super::bucket::{Bucket, Charge, SECOND, Terms};
use super::error::FlowPolicyError;
use super::range::{clamp_to_a_day, within_a_day};
use super::rate_trial::{self, RateTrial};
use super::sample::{Findings, REQUEST, Sample, Turn, suffice};
use super::share::{Share, scale};
use crate::policy_file;
use crate::time::Timestamp;

/// A million requests per second is as good as no limit.
const MAX_RATE: u64 = 1_000_000 * REQUEST;
/// The rate after an outage, and the rate up to which it doubles.
const RECOVERY_RATE: u64 = 10 * REQUEST;
const RECOVERY_CEILING: u64 = 100 * REQUEST;
/// Above the ceiling the rate climbs by a fraction of itself: first 1/64, then up to 1/8.
const FIRST_STEP: u8 = 6;
const LAST_STEP: u8 = 3;
/// Answers to wait for before a climb above the ceiling: twice as many after each that failed, and
/// half as many after each that did not.
const HOLD: u16 = 64;
/// The same after a trial has shown that the rate is not the cause of the refusals.
const SHORT_HOLD: u16 = 8;
const LONGEST_HOLD: u16 = 1_024;
const LONGEST_HOLD_SECONDS: u64 = 20;
/// Samples after which an excused share is tried again: 16, and twice as many each time.
const FIRST_REST: u16 = 16;
const LAST_REST: u16 = 1_024;
/// Answers after which the excused share has moved a quarter of the way to the share refused.
const EXCUSE_SAMPLE: u32 = 64;

/// Policy of the adaptive rate: its lowest rate.
///
/// The rate rises after eight answers at the earliest. From one request in 10 s, it takes between 2
/// and 14 minutes until a receiver that accepts everything again is sent 10 per second, or up to 23
/// if a cut is on trial; and longer if an excuse is, since a small share takes many answers.
///
/// In a file: `{"slowest_ms": 10000}`, the longest time between two requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "Form")]
pub struct AdaptiveRatePolicy {
    /// At most a day.
    slowest_ms: NonZeroU64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an adaptive rate table")]
struct Form {
    slowest_ms: u64,
}

impl<'de> Deserialize<'de> for AdaptiveRatePolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        policy_file::read_table::<Form, _, _>(deserializer)
    }
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

/// Adaptive rate: the request rate that a receiver accepts, learned from its refusals.
///
/// There is no limit before the first cut. From then on requests are evenly spaced.
///
/// - A **sample** is at least a second of sending. Answers of both kinds take three seconds, or six
///   in a trial, because a receiver may count by windows of a few seconds.
/// - A **cut** follows a sample of which clearly more was refused than is excused: by a sixteenth
///   of all answers, and by two standard deviations, or 2.4 if a share is excused. It reduces the
///   rate to the rate delivered, but to no less than a quarter, or to half if everything was
///   refused.
/// - **A cut is a trial.** If the rate is the cause, fewer attempts are refused at the lower rate;
///   how many fewer is foreseen. If that did not come true for two cuts in a row, the rate is not
///   the cause: it is restored, and the share refused is excused. After a while, twice as long each
///   time, the excuse is tried again.
/// - Without too many refusals the rate **climbs**, if it is used: half-way to the ceiling, which
///   is about the rate delivered at the last cut, and from there on in steps that double. Before
///   each of those steps the rate must hold for 64 answers, twice as many after each step that
///   failed, up to 1 024 answers or 20 seconds. From twice the ceiling on, without a refusal, it
///   doubles with each sample, up to 10 per second.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AdaptiveRate {
    /// `None` if there is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rate: Option<u64>,
    ceiling: u64,
    /// The share refused before the last cut that helped.
    refused: Share,
    /// Above the ceiling, the next climb is by the rate divided by two to this power.
    step: u8,
    /// The highest rate since the last cut that held for long; 0 for none.
    stable: u64,
    /// The last rate at which nothing was refused; 0 if it has been used for a ceiling.
    clean: u64,
    /// Answers to wait for before each climb above the ceiling, and those so far.
    hold: u16,
    held: u32,
    /// The refused share that is not held against the rate.
    excused: Share,
    /// The refused share that a trial has shown to be independent of the rate.
    proved: Share,
    /// Samples between two trials of an excuse, and until the next.
    rest: u16,
    left: u16,
    #[serde(
        default,
        deserialize_with = "rate_trial::read",
        skip_serializing_if = "Option::is_none"
    )]
    trial: Option<RateTrial>,
    sample: Sample,
    spacing: Bucket,
}

impl AdaptiveRate {
    pub(super) const fn new() -> Self {
        Self {
            rate: None,
            ceiling: 0,
            refused: Share::NONE,
            step: FIRST_STEP,
            stable: 0,
            clean: 0,
            hold: HOLD,
            held: 0,
            excused: Share::NONE,
            proved: Share::NONE,
            rest: 0,
            left: 0,
            trial: None,
            sample: Sample::new(Timestamp::MIN),
            spacing: Bucket::EMPTY,
        }
    }

    /// Starts slowly after an outage. What was learned before it says nothing any more.
    pub(super) fn recovered(&mut self, now: Timestamp) {
        *self = Self {
            rate: Some(RECOVERY_RATE),
            ceiling: RECOVERY_CEILING,
            step: LAST_STEP,
            hold: SHORT_HOLD,
            sample: Sample::new(now),
            ..Self::new()
        };
    }

    /// Returns the rate in millionths of a request per second; `None` if there is no limit.
    fn rate(&self, policy: &AdaptiveRatePolicy) -> Option<u64> {
        Some(self.rate?.clamp(policy.min_rate(), MAX_RATE))
    }

    /// Returns the time between two requests, rounded up to the microsecond; `None` if there is no
    /// limit.
    pub(super) fn spacing(&self, policy: &AdaptiveRatePolicy) -> Option<Duration> {
        let rate = self.rate(policy)?;
        Some(Duration::from_micros(REQUEST.saturating_mul(SECOND).div_ceil(rate.max(1))))
    }

    pub(super) const fn excused(&self) -> Share {
        self.excused
    }

    pub(super) const fn refused(&self) -> Share {
        self.refused
    }

    pub(super) fn refused_before_cut(&self) -> Share {
        self.trial.map_or(self.refused, |trial| trial.loss)
    }

    /// Returns when a request is allowed; `None` if that is now. It is after `now`, except at
    /// [`Timestamp::MAX`].
    pub(super) fn wait(&self, policy: &AdaptiveRatePolicy, now: Timestamp) -> Option<Timestamp> {
        self.spacing.wait(terms(self.rate(policy)?), now)
    }

    pub(super) fn charge(&mut self, policy: &AdaptiveRatePolicy, now: Timestamp) -> Option<Charge> {
        self.sample.started(now);
        Some(self.spacing.charge(terms(self.rate(policy)?), now))
    }

    /// Refunds a request that was not made.
    pub(super) fn refund(
        &mut self,
        policy: &AdaptiveRatePolicy,
        charge: Option<Charge>,
        now: Timestamp,
    ) {
        self.sample.cancelled();
        if let (Some(rate), Some(charge)) = (self.rate(policy), charge) {
            self.spacing.refund(terms(rate), charge, now);
        }
    }

    /// Records the answer to a request that was started at `started_at`.
    pub(super) fn answered(
        &mut self,
        policy: &AdaptiveRatePolicy,
        started_at: Timestamp,
        refused: bool,
        now: Timestamp,
    ) {
        self.sample.answered(started_at, refused);
        let loss = self.trial.map(|trial| trial.loss);
        if let Some(findings) = self.sample.findings(loss, self.excused, now) {
            self.judge(policy, findings);
            self.sample = Sample::new(now);
        }
    }

    /// Decides what a sample means for the rate.
    fn judge(&mut self, policy: &AdaptiveRatePolicy, found: Findings) {
        let found = found.since_it_is_back();
        let share = found.share();
        if let Some(trial) = self.trial {
            if found.turn == Some(Turn::ForTheBetter) && !suffice(found.answers, trial.loss) {
                return;
            }
            if trial.failed(share, found.seen, self.excused) {
                if trial.again {
                    self.excuse(trial, share);
                } else {
                    self.trial = Some(RateTrial { again: true, ..trial });
                    self.cut(policy, found);
                }
                return;
            }
            (self.trial, self.rest, self.refused) = (None, 0, trial.loss);
            if trial.rate.is_some() {
                self.hold = self.hold.saturating_mul(2).clamp(HOLD, LONGEST_HOLD);
            }
            self.excused = self.excused.min(share);
            self.proved = self.excused;
        }
        let retry = !self.proved.is_none() && self.left == 0;
        if self.is_excessive(found) || (retry && !share.is_none()) {
            let (rate, loss, seen) = (self.rate, share, found.seen);
            self.trial = Some(RateTrial { rate, loss, seen, again: false });
            self.cut(policy, found);
            return;
        }
        self.left = self.left.saturating_sub(1);
        // A short sample says less. The lower share is the safer one: what a limit adds to it must
        // not be excused.
        let steps = EXCUSE_SAMPLE.div_ceil(found.answers.clamp(1, EXCUSE_SAMPLE));
        let pace = if share < self.excused { 2 } else { 8 };
        let steps = steps.saturating_mul(pace);
        self.excused = self.excused.towards(share, steps).min(self.proved);
        if self.excused < Share::of(1, 64) {
            (self.excused, self.proved) = (Share::NONE, Share::NONE);
        }
        if found.refused == 0 {
            self.clean = found.seen;
        }
        self.climb(policy, found);
    }

    /// Returns whether clearly more was refused than is excused: by a sixteenth of all answers, and
    /// by two standard deviations, or √6 if a share is excused.
    fn is_excessive(&self, found: Findings) -> bool {
        let (answers, refused) = (u64::from(found.answers), u64::from(found.refused));
        let excess = refused.saturating_sub(self.excused.times(answers));
        // An excuse is judged by many samples, of which some are bound to deviate.
        let times = if self.excused.is_none() { 4 } else { 6 };
        let deviation =
            refused.saturating_mul(answers.saturating_sub(refused)).saturating_mul(times);
        excess.saturating_mul(16) > answers
            && u128::from(excess.saturating_mul(excess)).saturating_mul(answers.into())
                > u128::from(deviation)
    }

    fn cut(&mut self, policy: &AdaptiveRatePolicy, found: Findings) {
        let base = self.rate(policy).unwrap_or(MAX_RATE).min(found.seen.max(1));
        // What is excused would be refused at any rate, unless that excuse is what is on trial.
        let on_trial = self.trial.is_some_and(|trial| !trial.exceeds(self.excused));
        let excused = if on_trial { Share::NONE } else { self.excused };
        let delivered = found.share().rest().over(excused.rest()).times(base);
        // A receiver that counts few requests refuses in steps: a rate that has held for long is
        // better known than the rate delivered.
        let is_near = self.stable > delivered && self.stable <= scale(delivered, 5, 4).min(base);
        let known = if is_near { self.stable } else { delivered };
        let all_refused = found.refused == found.answers;
        if self.ceiling == 0 {
            self.ceiling = base;
        }
        if !all_refused && found.turn.is_none() {
            // One sample may cover less than a window of the receiver's.
            self.ceiling = known.max(scale(self.ceiling, 7, 8).min(base));
        } else if self.clean > 0 {
            // The receiver is down, or it counts what it refuses and takes nothing above its limit,
            // which then lies between the rate at which nothing was refused and this one. Further
            // cuts say no more.
            let least = self.clean.max(base >> 1);
            // A ceiling that was passed twice over is out of date.
            let is_old = base >> 1 >= self.ceiling;
            self.ceiling = if is_old { least } else { self.ceiling.min(least) };
            self.clean = 0;
        }
        let rate = if all_refused { base >> 1 } else { known.clamp(base >> 2, base) };
        self.rate = Some(rate.clamp(policy.min_rate(), MAX_RATE));
        (self.step, self.held, self.stable) = (FIRST_STEP, 0, 0);
    }

    /// The rate is not the cause of the refusals: restores it, and excuses this share of refusals.
    fn excuse(&mut self, trial: RateTrial, share: Share) {
        self.rate = trial.rate;
        self.ceiling = trial.rate.unwrap_or(self.ceiling);
        (self.excused, self.proved) = (share, share);
        self.rest = self.rest.saturating_mul(2).clamp(FIRST_REST, LAST_REST);
        (self.left, self.trial) = (self.rest, None);
        (self.hold, self.step) = (SHORT_HOLD, LAST_STEP);
    }

    /// Raises the rate if it was used: an unused rate reveals nothing.
    fn climb(&mut self, policy: &AdaptiveRatePolicy, found: Findings) {
        let Some(rate) = self.rate(policy) else { return };
        if found.seen < scale(rate, 3, 4) {
            return;
        }
        let below = self.ceiling.saturating_sub(rate);
        let step = if below > self.ceiling >> 5 {
            rate.min((below >> 1).saturating_add(1))
        } else if below > 0 {
            below
        } else if found.refused == 0 && rate >> 1 >= self.ceiling && rate < RECOVERY_RATE {
            // The ceiling is out of date. Step by step, a low rate would take minutes to leave it.
            rate.min(RECOVERY_RATE.saturating_sub(rate))
        } else {
            self.held = self.held.saturating_add(found.answers);
            // At a low rate, that number of answers would take too long.
            let in_time = scale(rate, LONGEST_HOLD_SECONDS, REQUEST).max(SHORT_HOLD.into());
            if u64::from(self.held) < u64::from(self.hold).min(in_time) {
                return;
            }
            self.held = 0;
            if self.hold >= HOLD {
                self.stable = rate;
                if rate > self.ceiling {
                    self.hold = (self.hold >> 1).max(HOLD);
                }
            }
            let power = self.step.clamp(LAST_STEP, FIRST_STEP);
            let step = rate.checked_shr(power.into()).unwrap_or(0).max(1);
            self.step = power.saturating_sub(1).max(LAST_STEP);
            step
        };
        self.rate = Some(rate.saturating_add(step).min(MAX_RATE));
    }

    /// Returns whether losing what has changed since `saved` would matter.
    ///
    /// Of a healthy receiver, what matters is what the end of a sample changes. A process that
    /// crashes before each end must still judge refusals, end a trial, retry an excuse, and keep to
    /// a slow rate and leave it; so then each start and answer matters.
    pub(super) fn needs_save(&self, saved: &Self) -> bool {
        if self.is_under_watch() || saved.is_under_watch() {
            return self != saved;
        }
        // A lost charge allows one request too early by a tenth of a second at most, and the next
        // sample without a refusal sets `clean` again.
        let conclusions = |it: &Self| {
            let Self { rate, ceiling, refused, step, stable, hold, held, rest, left, .. } = *it;
            (rate, ceiling, refused, step, stable, hold, held, rest, left)
        };
        conclusions(self) != conclusions(saved)
    }

    /// Returns whether each start and answer may matter.
    fn is_under_watch(&self) -> bool {
        self.sample.has_refusals()
            || self.trial.is_some()
            // Nothing is excused beyond what is proved.
            || !self.proved.is_none()
            || self.rate.is_some_and(|rate| rate < RECOVERY_RATE)
    }

    /// After the clock stepped back, moves instants that lie ahead of it to `now`.
    pub(super) fn pull_in(&mut self, now: Timestamp) {
        self.sample.pull_in(now);
        self.spacing.pull_in(now);
    }
}

fn terms(rate: u64) -> Terms {
    Terms { burst: 1, cost: REQUEST.saturating_mul(SECOND), leak: rate }
}
