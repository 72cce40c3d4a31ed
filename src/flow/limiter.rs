//! The limiter of one endpoint: [`Flow`].

use serde::{Deserialize, Serialize};

use super::adaptive_rate::AdaptiveRate;
use super::bucket::Charge;
use super::concurrency::ConcurrencyLimit;
use super::decision::{AttemptKind, Feedback, FlowDecision};
use super::policy::FlowPolicy;
use super::rate_limit::RateLimit;
use super::retry_budget::{BudgetCharge, RetryBudget};
use crate::time::Timestamp;

/// Rate and concurrency limits for one endpoint: their state, which can be saved at any moment.
///
/// The [module](crate::flow) shows a complete loop. Calls may come in any order and be repeated;
/// none panics. The policy and the time are arguments of each call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[doc(alias = "rate limiter")]
#[doc(alias = "throttle")]
#[doc(alias = "backpressure")]
pub struct Flow {
    in_flight: u32,
    /// Nothing starts before this instant.
    paused_until: Timestamp,
    concurrency: ConcurrencyLimit,
    rate_limit: RateLimit,
    adaptive_rate: AdaptiveRate,
    retry_budget: RetryBudget,
}

/// What the start of an attempt used up, so that it can be [refunded](Flow::cancel_start).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    rate_limit: Option<Charge>,
    adaptive_rate: Option<Charge>,
    retry_budget: Option<BudgetCharge>,
}

impl Flow {
    /// Creates a flow with nothing used up and nothing learned.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            in_flight: 0,
            paused_until: Timestamp::MIN,
            concurrency: ConcurrencyLimit::new(),
            rate_limit: RateLimit::new(),
            adaptive_rate: AdaptiveRate::new(),
            retry_budget: RetryBudget::new(),
        }
    }

    /// Returns the number of attempts that have started and not ended.
    #[must_use]
    pub const fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// Returns the learned concurrency limit.
    #[must_use]
    pub const fn concurrency(&self) -> &ConcurrencyLimit {
        &self.concurrency
    }

    /// Returns the learned rate.
    #[must_use]
    pub const fn adaptive_rate(&self) -> &AdaptiveRate {
        &self.adaptive_rate
    }

    /// Returns whether an attempt of this kind may start. Changes nothing.
    #[must_use]
    pub fn check(&self, policy: &FlowPolicy, kind: AttemptKind, now: Timestamp) -> FlowDecision {
        if self.in_flight >= self.concurrency.limit(&policy.concurrency).get() {
            return FlowDecision::Busy;
        }
        let retry_budget = match kind {
            AttemptKind::Retry => {
                policy.retry_budget.and_then(|it| self.retry_budget.wait(&it, now))
            }
            AttemptKind::First | AttemptKind::Probe => None,
        };
        let waits = [
            Some(self.paused_until).filter(|until| *until > now),
            policy.rate_limit.and_then(|it| self.rate_limit.wait(&it, now)),
            policy.adaptive_rate.and_then(|it| self.adaptive_rate.wait(&it, now)),
            retry_budget,
        ];
        match waits.into_iter().flatten().max() {
            Some(until) => FlowDecision::Wait { until },
            None => FlowDecision::Go,
        }
    }

    /// Returns the instant at which the result of [`check`](Self::check) for this kind changes by
    /// time alone, if it does: the key for a timer index.
    #[must_use]
    pub fn wake_at(
        &self,
        policy: &FlowPolicy,
        kind: AttemptKind,
        now: Timestamp,
    ) -> Option<Timestamp> {
        self.check(policy, kind, now).wake_at()
    }

    /// Starts an attempt, which [`check`](Self::check) should have allowed; it counts in any case.
    /// The attempt is in flight until [`end`](Self::end).
    ///
    /// The receipt is needed only to [cancel](Self::cancel_start) the attempt before it is sent.
    pub fn start(&mut self, policy: &FlowPolicy, kind: AttemptKind, now: Timestamp) -> Receipt {
        self.in_flight = self.in_flight.saturating_add(1);
        Receipt {
            rate_limit: policy.rate_limit.map(|it| self.rate_limit.charge(&it, now)),
            adaptive_rate: policy.adaptive_rate.and_then(|it| self.adaptive_rate.charge(&it, now)),
            retry_budget: policy.retry_budget.and_then(|it| match kind {
                AttemptKind::First => Some(self.retry_budget.earn(&it)),
                AttemptKind::Retry => Some(self.retry_budget.charge(&it, now)),
                AttemptKind::Probe => None,
            }),
        }
    }

    /// Cancels the start of an attempt that was never sent, instead of [`end`](Self::end): it is no
    /// longer in flight, and a first attempt earns no retries.
    ///
    /// Refunds what it used up of the rate limit, the adaptive rate and the retry budget, unless
    /// time has already replenished it or the policy or the learned rate has changed since. If a
    /// retry has already used what a cancelled first attempt earned, the budget owes it.
    pub fn cancel_start(&mut self, policy: &FlowPolicy, receipt: Receipt, now: Timestamp) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if let (Some(policy), Some(charge)) = (&policy.rate_limit, receipt.rate_limit) {
            self.rate_limit.refund(policy, charge, now);
        }
        if let (Some(policy), Some(charge)) = (&policy.adaptive_rate, receipt.adaptive_rate) {
            self.adaptive_rate.refund(policy, charge, now);
        }
        if let (Some(policy), Some(charge)) = (&policy.retry_budget, receipt.retry_budget) {
            self.retry_budget.refund(policy, charge, now);
        }
    }

    /// Ends an attempt that was started at `started_at`. Call this once for each attempt, including
    /// those that time out; for one that was never sent, call [`cancel_start`](Self::cancel_start).
    ///
    /// The start tells attempts from before the last decrease from later ones. It need not be exact
    /// to the microsecond; pass `now` if it is unknown.
    pub fn end(
        &mut self,
        policy: &FlowPolicy,
        started_at: Timestamp,
        feedback: Feedback,
        now: Timestamp,
    ) {
        let in_flight = self.in_flight;
        self.in_flight = in_flight.saturating_sub(1);
        match feedback {
            Feedback::Success => {
                self.concurrency.succeeded(&policy.concurrency, in_flight);
                if let Some(policy) = &policy.adaptive_rate {
                    self.adaptive_rate.succeeded(policy, started_at, now);
                }
            }
            Feedback::TooFast | Feedback::Overloaded => {
                if let Some(policy) = &policy.adaptive_rate {
                    self.adaptive_rate.refused(policy, started_at, now);
                }
                // Two controllers on one signal oscillate, and a small concurrency limit says
                // nothing about the rate.
                if feedback == Feedback::Overloaded || policy.adaptive_rate.is_none() {
                    self.concurrency.overloaded(&policy.concurrency, started_at, now);
                }
            }
            Feedback::Other => {}
        }
    }

    /// Pauses the endpoint: nothing starts before this instant. A pause never shortens another.
    ///
    /// The receiver asks for it, for example with `Retry-After`. The caller limits how far such a
    /// request is followed: pass [`Observation::pause`](crate::policy::Observation::pause), which is
    /// capped, and never [`Response::retry_after`](crate::delivery::Response::retry_after). The cap: see
    /// [`RetryPolicy::retry_after_cap`](crate::RetryPolicy::retry_after_cap).
    pub fn pause_until(&mut self, until: Timestamp) {
        self.paused_until = self.paused_until.max(until);
    }

    /// Restarts slowly after an outage, once a probe has shown that the receiver is back.
    ///
    /// An adaptive concurrency limit restarts at 1 and grows with each success, so that the backlog
    /// is not released at once. The learned rate is forgotten, because refusals of a receiver that
    /// is down say nothing about its rate while it is up.
    pub const fn recovered(&mut self) {
        self.concurrency.recovered();
        self.adaptive_rate = AdaptiveRate::new();
    }

    /// Sets the number of attempts in flight, for an application that knows it better than this
    /// state: for example after a restart that ended them all.
    pub const fn set_in_flight(&mut self, attempts: u32) {
        self.in_flight = attempts;
    }
}

/// [`Flow::new`].
impl Default for Flow {
    fn default() -> Self {
        Self::new()
    }
}
