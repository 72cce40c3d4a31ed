//! The limiter of one endpoint: [`Flow`].

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::adaptive_rate::AdaptiveRate;
use super::bucket::Charge;
use super::concurrency::ConcurrencyLimit;
use super::decision::FlowDecision;
use super::pauses::Pauses;
use super::policy::FlowPolicy;
use super::rate_limit::RateLimit;
use crate::signal::Signal;
use crate::time::Timestamp;

/// Rate and concurrency limits for one endpoint: their state, which can be saved at any moment.
///
/// The [module](crate::flow) shows a complete loop. Calls may come in any order and be repeated;
/// none panics. The policy and the time are arguments of each call.
///
/// Save it in a serde format that names the fields: tested are JSON, also with the members of each
/// object in another order, CBOR, and MessagePack with named fields. Formats that do not describe
/// themselves, such as postcard and bincode, are not supported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[doc(alias = "rate limiter")]
#[doc(alias = "throttle")]
#[doc(alias = "backpressure")]
pub struct Flow {
    in_flight: u32,
    /// Attempts in a row that failed or were refused, up to two.
    failing: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pause: Option<Pause>,
    pauses: Pauses,
    concurrency: ConcurrencyLimit,
    rate_limit: RateLimit,
    adaptive_rate: AdaptiveRate,
}

/// A pause that the receiver requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pause {
    since: Timestamp,
    until: Timestamp,
}

/// What imposes a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    Pause,
    Configured,
    Learned,
}

/// What the start of an attempt used up, so that it can be [refunded](Flow::cancel_start).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    rate_limit: Option<Charge>,
    adaptive_rate: Option<Charge>,
}

impl Flow {
    /// Creates a flow with nothing used up and nothing learned.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            in_flight: 0,
            failing: 0,
            pause: None,
            pauses: Pauses::new(),
            concurrency: ConcurrencyLimit::new(),
            rate_limit: RateLimit::new(),
            adaptive_rate: AdaptiveRate::new(),
        }
    }

    /// Returns the number of attempts that have started and not ended.
    #[must_use]
    pub const fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// Returns the number of attempts that may be in flight.
    #[must_use]
    pub fn concurrency_limit(&self, policy: &FlowPolicy) -> NonZeroU32 {
        self.concurrency.limit(&policy.concurrency)
    }

    /// Returns the time between two requests at the learned rate, rounded up to the microsecond;
    /// `None` if the rate is not limited.
    #[must_use]
    pub fn spacing(&self, policy: &FlowPolicy) -> Option<Duration> {
        self.adaptive_rate.spacing(policy.adaptive_rate.as_ref()?)
    }

    /// Returns the share of attempts, in percent, that the receiver refuses at any rate, so that it
    /// is not held against the rate.
    #[must_use]
    pub fn excused_percent(&self) -> u8 {
        u8::try_from(self.adaptive_rate.excused().times(100)).unwrap_or(100)
    }

    /// Returns the share of attempts, in percent, that the receiver refused above the learned rate;
    /// 0 if it has not refused too many so far.
    #[must_use]
    pub fn refused_percent(&self) -> u8 {
        u8::try_from(self.adaptive_rate.refused().times(100)).unwrap_or(100)
    }

    /// Returns the share of attempts, in percent and rounded up, that was refused before the rate
    /// was last cut, also while that cut is on trial; 0 if it was not cut since a recovery.
    pub(crate) fn refused_before_cut(&self) -> u8 {
        let accepted = self.adaptive_rate.refused_before_cut().rest().times(100);
        u8::try_from(100_u64.saturating_sub(accepted)).unwrap_or(100)
    }

    /// Returns whether a trial has shown that the pauses that the receiver requests do not help, so
    /// that they are not granted.
    #[must_use]
    pub const fn ignores_pauses(&self) -> bool {
        self.pauses.are_useless()
    }

    /// Returns until when the receiver has requested a pause, if one was granted. It may be over.
    #[must_use]
    pub fn paused_until(&self) -> Option<Timestamp> {
        self.pause.map(|pause| pause.until)
    }

    /// Returns whether an attempt may start.
    ///
    /// After the clock stepped back, waits are shortened to what could have been asked for at
    /// `now`. Otherwise this changes nothing.
    #[must_use]
    pub fn check(&mut self, policy: &FlowPolicy, now: Timestamp) -> FlowDecision {
        self.pull_in(now);
        if self.in_flight >= self.concurrency.limit(&policy.concurrency).get() {
            return FlowDecision::Busy;
        }
        match self.wait(policy, now) {
            Some((until, _)) => FlowDecision::Wait { until },
            None => FlowDecision::Go,
        }
    }

    /// Returns the longest wait, and what imposes it.
    pub(crate) fn wait(&self, policy: &FlowPolicy, now: Timestamp) -> Option<(Timestamp, Limit)> {
        let pause = self.paused_until().filter(|until| *until > now);
        let rate = policy.rate_limit.and_then(|it| self.rate_limit.wait(&it, now));
        let learned = policy.adaptive_rate.and_then(|it| self.adaptive_rate.wait(&it, now));
        let waits = [(pause, Limit::Pause), (rate, Limit::Configured), (learned, Limit::Learned)];
        let waits = waits.into_iter().filter_map(|(until, limit)| Some((until?, limit)));
        waits.max_by_key(|(until, _)| *until)
    }

    /// Starts an attempt, which [`check`](Self::check) should have allowed; it counts in any case.
    /// The attempt is in flight until [`end`](Self::end).
    ///
    /// The receipt is needed only to [cancel](Self::cancel_start) the attempt before it is sent.
    pub fn start(&mut self, policy: &FlowPolicy, now: Timestamp) -> Receipt {
        self.in_flight = self.in_flight.saturating_add(1);
        self.concurrency.started(&policy.concurrency, self.in_flight);
        Receipt {
            rate_limit: policy.rate_limit.map(|it| self.rate_limit.charge(&it, now)),
            adaptive_rate: policy.adaptive_rate.and_then(|it| self.adaptive_rate.charge(&it, now)),
        }
    }

    /// Cancels the start of an attempt that was never sent, instead of [`end`](Self::end): it is no
    /// longer in flight.
    ///
    /// Refunds what it used up of the rate limit and the adaptive rate, unless time has already
    /// replenished it or the policy or the learned rate has changed since.
    pub fn cancel_start(&mut self, policy: &FlowPolicy, receipt: Receipt, now: Timestamp) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if let (Some(policy), Some(charge)) = (&policy.rate_limit, receipt.rate_limit) {
            self.rate_limit.refund(policy, charge, now);
        }
        if let Some(policy) = &policy.adaptive_rate {
            self.adaptive_rate.refund(policy, receipt.adaptive_rate, now);
        }
    }

    /// Ends an attempt that was started at `started_at`. Call this once for each attempt, including
    /// those that time out; for one that was never sent, call [`cancel_start`](Self::cancel_start).
    ///
    /// The start tells attempts from before a change of a limit from later ones. It need not be
    /// exact to the microsecond; pass `now` if it is unknown.
    ///
    /// `pause` is what the receiver requested with `Retry-After`. The caller limits how far such a
    /// request is followed: pass [`Observation::pause`](crate::policy::Observation::pause), which
    /// is [capped](crate::RetryPolicy::retry_after_cap), and never
    /// [`Response::retry_after`](crate::delivery::Response::retry_after). The endpoint pauses
    /// unless the request is alone among successes, since it then concerns its message, and unless
    /// a trial has shown that pauses do not help. A pause never shortens another.
    pub fn end(
        &mut self,
        policy: &FlowPolicy,
        started_at: Timestamp,
        signal: Signal,
        pause: Option<Duration>,
        now: Timestamp,
    ) {
        self.in_flight = self.in_flight.saturating_sub(1);
        match signal {
            Signal::Success => {
                self.failing = 0;
                self.concurrency.succeeded(&policy.concurrency, started_at, now);
            }
            Signal::Refused | Signal::Failed => {
                self.failing = self.failing.saturating_add(1).min(2);
            }
            Signal::Neutral | Signal::Gone => {}
        }
        let refused = signal == Signal::Refused;
        self.pauses.answered(refused);
        if let Some(policy) = &policy.adaptive_rate {
            self.adaptive_rate.answered(policy, started_at, refused, now);
        }
        if let Some(pause) = pause.filter(|_| self.failing > 1) {
            self.request_pause(now + pause, now);
        }
    }

    fn request_pause(&mut self, until: Timestamp, now: Timestamp) {
        let current = self.pause.map(|pause| pause.until).filter(|until| *until > now);
        let granted = match current {
            Some(current) => until > current,
            None => self.pauses.requested(),
        };
        // `since` belongs to the request that set `until`: none asked for the time from the first
        // start to the last end.
        if granted {
            self.pause = Some(Pause { since: now, until });
        }
    }

    /// Restarts slowly after an outage, once a probe has shown that the receiver is back.
    ///
    /// An adaptive concurrency limit restarts at its minimum, and an adaptive rate at 10 per
    /// second, so that the backlog is not released at once. What was learned from refusals about
    /// the rate and about pauses is forgotten, because those of a receiver that is down say nothing
    /// about it while it is up.
    pub fn recovered(&mut self, now: Timestamp) {
        self.failing = 0;
        (self.pause, self.pauses) = (None, Pauses::new());
        self.concurrency.recovered(now);
        self.adaptive_rate.recovered(now);
    }

    /// Sets the number of attempts in flight, for an application that knows it better than this
    /// state: for example after a restart that ended them all.
    pub const fn set_in_flight(&mut self, attempts: u32) {
        self.in_flight = attempts;
    }

    /// Returns whether the flow has changed since `saved` in a way that a crash must not lose. If
    /// so, save the whole flow.
    ///
    /// What has been learned matters, and so does the use of a
    /// [configured rate](super::RateLimitPolicy), and every response while the receiver refuses
    /// attempts or a trial runs. The running measurements of a healthy receiver do not: after a
    /// crash they begin again with the next responses, and [the module](crate::flow#saving) says
    /// how little that costs. The number of attempts [in flight](Self::set_in_flight) does not
    /// count either: set it after a restart.
    ///
    /// Before an orderly stop, save the flow in any case.
    ///
    /// ```
    /// # use labhook::Timestamp;
    /// # use labhook::flow::{Flow, FlowPolicy, Signal};
    /// # let (policy, now) = (FlowPolicy::adaptive(), Timestamp::from_unix_seconds(1_744_882_200));
    /// let mut flow = Flow::new();
    /// let mut saved = flow.clone();
    /// for (signal, matters) in [(Signal::Success, false), (Signal::Refused, true)] {
    ///     flow.start(&policy, now);
    ///     flow.end(&policy, now, signal, None, now);
    ///     assert_eq!(flow.needs_save(&saved), matters);
    ///     if matters {
    ///         saved = flow.clone();
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn needs_save(&self, saved: &Self) -> bool {
        let Self { in_flight: _, failing, pause, pauses, concurrency, rate_limit, adaptive_rate } =
            self;
        *failing != saved.failing
            || *pause != saved.pause
            || *pauses != saved.pauses
            || *rate_limit != saved.rate_limit
            || concurrency.needs_save(&saved.concurrency)
            || adaptive_rate.needs_save(&saved.adaptive_rate)
    }

    /// Ends a pause within this time. None is longer than the cap on requests for one, unless it was
    /// read from a damaged record, or under a policy with another cap.
    pub(crate) fn cap_pause(&mut self, cap: Duration, now: Timestamp) {
        self.pull_in_pause(now);
        if let Some(Pause { until, .. }) = &mut self.pause {
            *until = (now + cap).min(*until);
        }
    }

    fn pull_in_pause(&mut self, now: Timestamp) {
        if let Some(Pause { since, until }) = &mut self.pause
            && now < *since
        {
            *until = now + until.saturating_since(*since);
            *since = now;
        }
    }

    /// After the clock stepped back, pulls in the instants that lie further ahead than anything
    /// could have asked for at `now`.
    fn pull_in(&mut self, now: Timestamp) {
        self.pull_in_pause(now);
        self.concurrency.pull_in(now);
        self.rate_limit.pull_in(now);
        self.adaptive_rate.pull_in(now);
    }
}

/// [`Flow::new`].
impl Default for Flow {
    fn default() -> Self {
        Self::new()
    }
}
