//! How fast one endpoint may be sent to: [`Flow`].
//!
//! It knows nothing of messages, endpoints, their health or requests: it is asked whether an
//! attempt may go, is told when one starts and what became of it, and counts. A host with a queue
//! or a table of its own keeps one `Flow` for each receiver and drives it alone.
//!
//! ```text
//!                  check(kind, now)
//!                       |
//!     ConcurrencyLimit  N in flight ------------ full ---> Busy: check when one has ended
//!                       |
//!     pause             the receiver asked for one   ---.
//!     RateLimit         N per second, configured     ---|
//!     AdaptiveRate      N per second, learned        ---+-> Wait: check at `until`
//!     RetryBudget       for retries                  ---'
//!                       |
//!                       Go -> start(kind, now) -> end(started_at, feedback, now)
//!
//!                Success      the limit grows, the rate rises
//!                TooFast      the rate falls (the limit, if no rate is learned)
//!                Overloaded   both fall
//!                Other        nothing
//! ```
//!
//! Each of the four machines stands on its own too, with its own policy.
//!
//! # What it keeps
//!
//! - In any stretch of time there are at most `burst + rate × time` releases; exactly, for any
//!   rational rate.
//! - If anything may go, something goes. [`Busy`](FlowDecision::Busy) is said only while an attempt
//!   is in flight, and a [`Wait`](FlowDecision::Wait) is always after `now` (but at
//!   [`Timestamp::MAX`]), finite and exact: if nothing is started or ended in between, the answer
//!   at `until` is not to wait, and a microsecond earlier it is.
//! - Asking changes nothing, so it may be done at any time and any number of times, and
//!   [`Busy`](FlowDecision::Busy) and [`Wait`](FlowDecision::Wait) use up no attempt.
//! - A first attempt never waits for a retry's budget, and a retry is delayed and never dropped.
//!
//! An answer may have changed once its `until` has come, and after any of `start`, `end`,
//! `pause_until`, `recovered` and `set_in_flight`; not otherwise. A probe is an attempt that finds
//! out whether the receiver is back: how many of them there are at a time is up to whoever sends
//! them. It is no retry, and otherwise subject to all limits.
//!
//! # Time
//!
//! All waits are absolute: a clock that goes back by `d` lengthens a wait by at most `d` and never
//! shortens one. One that stands still, or is at either end of time, does no harm.
//!
//! # A host that drives one flow
//!
//! ```
//! use std::collections::VecDeque;
//! use std::time::Duration;
//!
//! use labhook::Timestamp;
//! use labhook::flow::{AttemptKind, Feedback, Flow, FlowDecision, FlowPolicy};
//!
//! let policy = FlowPolicy::adaptive();
//! let mut flow = Flow::new();
//! let start = Timestamp::from_unix_seconds(1_744_882_200);
//!
//! // The host's clock and queue, and a receiver that answers after 20 ms: once it refuses, and
//! // asks for a pause of 2 s.
//! let mut now = start;
//! let mut queue: VecDeque<_> = [1, 2, 3, 4].into_iter().map(|n| (n, AttemptKind::First)).collect();
//! let refuses = |n, now| n == 2 && now < start + Duration::from_secs(1);
//!
//! while let Some((n, class)) = queue.pop_front() {
//!     loop {
//!         match flow.check(&policy, class, now) {
//!             FlowDecision::Go => break,
//!             FlowDecision::Wait { until } => now = until,
//!             // This host awaits each answer, so none is in flight here.
//!             FlowDecision::Busy => unreachable!(),
//!         }
//!     }
//!     let started_at = now;
//!     flow.start(&policy, class, started_at);
//!     let refused = refuses(n, now);
//!     now = now + Duration::from_millis(20);
//!     if refused {
//!         flow.end(&policy, started_at, Feedback::TooFast, now);
//!         flow.pause_until(&policy, now + Duration::from_secs(2), now);
//!         queue.push_back((n, AttemptKind::Retry));
//!     } else {
//!         flow.end(&policy, started_at, Feedback::Success, now);
//!     }
//! }
//! assert!(now > start + Duration::from_secs(2));
//! ```

mod adaptive_rate;
mod bucket;
mod concurrency;
mod policy;
mod policy_file;
mod rate_limit;
mod retry_budget;

use serde::{Deserialize, Serialize};

pub use adaptive_rate::{AdaptiveRate, AdaptiveRatePolicy};
pub use concurrency::{ConcurrencyLimit, ConcurrencyLimitPolicy};
pub use policy::FlowPolicy;
pub use policy_file::FlowPolicyError;
pub use rate_limit::{RateLimit, RateLimitPolicy};
pub use retry_budget::{RetryBudget, RetryBudgetPolicy};

use crate::time::Timestamp;
use bucket::Poured;
use retry_budget::Share;

/// What kind of attempt is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AttemptKind {
    /// The first attempt at a message: never held back by the retries' budget, and it adds to it.
    First,
    /// A further attempt at a message.
    Retry,
    /// An attempt that finds out whether a receiver is back. It neither uses up the retries'
    /// budget nor adds to it.
    Probe,
}

/// Whether an attempt may go: the answer of [`Flow::check`].
///
/// Exhaustive, because a host has to meet every arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a host has to meet every arm")]
pub enum FlowDecision {
    /// It may: see [`Flow::start`].
    Go,
    /// Not before this instant.
    Wait {
        /// The instant, always after the `now` of the call, but at [`Timestamp::MAX`].
        until: Timestamp,
    },
    /// Not before an attempt in flight has ended; one is.
    Busy,
}

impl FlowDecision {
    /// The instant at which this answer changes by time alone, if it does: only a
    /// [`Wait`](Self::Wait) does.
    #[must_use]
    pub const fn wake_at(self) -> Option<Timestamp> {
        match self {
            Self::Wait { until } => Some(until),
            Self::Go | Self::Busy => None,
        }
    }
}

/// What an attempt told of the receiver's strength, which is not whether the message was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Feedback {
    /// It copes: a 2xx, or any other answer that says the message is at fault rather than the
    /// pace.
    Success,
    /// It refused the attempt as one too many in too short a time: a 429.
    TooFast,
    /// It is overloaded, by the rate or by the number at once: a 503, a 504, a timeout.
    Overloaded,
    /// Nothing: the attempt failed for another reason.
    Other,
}

/// What an attempt used up when it was started, so that it can be
/// [taken back](Flow::cancel_start).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    rate: Option<Poured>,
    pace: Option<Poured>,
    budget: Option<Share>,
}

/// How fast one endpoint may be sent to: the state of it, which can be saved at any moment.
///
/// See the [module](self) for a host's loop. Calls may come in any order and be repeated; none
/// panics. Policy and time are arguments of each call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    in_flight: u32,
    /// Nothing goes before this.
    held_until: Timestamp,
    window: ConcurrencyLimit,
    rate: RateLimit,
    pace: AdaptiveRate,
    budget: RetryBudget,
}

impl Flow {
    /// A flow of which nothing is used up and nothing known.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            in_flight: 0,
            held_until: Timestamp::MIN,
            window: ConcurrencyLimit::new(),
            rate: RateLimit::new(),
            pace: AdaptiveRate::new(),
            budget: RetryBudget::new(),
        }
    }

    /// How many attempts were started and have not ended.
    #[must_use]
    pub const fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// What was learned of how many may be in flight.
    #[must_use]
    pub const fn concurrency(&self) -> &ConcurrencyLimit {
        &self.window
    }

    /// What was learned of how fast they may follow one another.
    #[must_use]
    pub const fn adaptive_rate(&self) -> &AdaptiveRate {
        &self.pace
    }

    /// Whether an attempt of this class may go. Changes nothing.
    #[must_use]
    pub fn check(&self, policy: &FlowPolicy, class: AttemptKind, now: Timestamp) -> FlowDecision {
        if self.in_flight >= self.window.limit(&policy.window).get() {
            return FlowDecision::Busy;
        }
        let budget = match class {
            AttemptKind::Retry => policy.retry_budget.and_then(|p| self.budget.wait(&p, now)),
            AttemptKind::First | AttemptKind::Probe => None,
        };
        let waits = [
            Some(self.held_until).filter(|until| *until > now),
            policy.rate.and_then(|p| self.rate.wait(&p, now)),
            policy.pace.and_then(|p| self.pace.wait(&p, now)),
            budget,
        ];
        match waits.into_iter().flatten().max() {
            Some(until) => FlowDecision::Wait { until },
            None => FlowDecision::Go,
        }
    }

    /// The instant at which the answer of [`check`](Self::check) for this class changes by time
    /// alone, if it does: the key of a wake-up index.
    #[must_use]
    pub fn wake_at(
        &self,
        policy: &FlowPolicy,
        class: AttemptKind,
        now: Timestamp,
    ) -> Option<Timestamp> {
        self.check(policy, class, now).wake_at()
    }

    /// An attempt was started, which [`check`](Self::check) should have allowed. It counts in any
    /// case, and is in flight until [`end`](Self::end).
    ///
    /// The answer is for a host that may have to [take it back](Self::cancel_start) before anything
    /// has left.
    pub fn start(&mut self, policy: &FlowPolicy, class: AttemptKind, now: Timestamp) -> Receipt {
        self.in_flight = self.in_flight.saturating_add(1);
        Receipt {
            rate: policy.rate.map(|rate| self.rate.release(&rate, now)),
            pace: policy.pace.and_then(|pace| self.pace.release(&pace, now)),
            budget: policy.retry_budget.and_then(|budget| match class {
                AttemptKind::First => Some(self.budget.save_up(&budget)),
                AttemptKind::Retry => Some(self.budget.use_up(&budget, now)),
                AttemptKind::Probe => None,
            }),
        }
    }

    /// Takes back the start of an attempt of which nothing has left the host, in the place of
    /// [`end`](Self::end): it is in flight no more, and a first attempt has saved up nothing.
    ///
    /// What it used up of rate, pace and budget is there again, as far as time has not given it
    /// back already and the policy and the learned pace are what they were. Where a retry has gone
    /// for what a first attempt saved up, that is owed from here on.
    pub fn cancel_start(&mut self, policy: &FlowPolicy, spent: Receipt, now: Timestamp) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if let (Some(policy), Some(poured)) = (&policy.rate, spent.rate) {
            self.rate.take_back(policy, poured, now);
        }
        if let (Some(policy), Some(poured)) = (&policy.pace, spent.pace) {
            self.pace.take_back(policy, poured, now);
        }
        if let (Some(policy), Some(share)) = (&policy.retry_budget, spent.budget) {
            self.budget.take_back(policy, share, now);
        }
    }

    /// What became of an attempt that was started at `started_at`. To be called once for each,
    /// also for one that timed out; one that never left is [`cancel_start`](Self::cancel_start).
    ///
    /// The start is there to tell attempts of before the last fall from those of after it, and
    /// need not be known to the microsecond; `now` says that nothing is known.
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
                self.window.succeeded(&policy.window, in_flight);
                if let Some(pace) = &policy.pace {
                    self.pace.succeeded(pace, started_at, now);
                }
            }
            Feedback::TooFast | Feedback::Overloaded => {
                if let Some(pace) = &policy.pace {
                    self.pace.refused(pace, started_at, now);
                }
                // Two that answer the same word fight: a window of few is no measure of a rate.
                if feedback == Feedback::Overloaded || policy.pace.is_none() {
                    self.window.overloaded(&policy.window, started_at, now);
                }
            }
            Feedback::Other => {}
        }
    }

    /// The receiver asked for a pause, by `Retry-After` say: nothing goes before this instant, or
    /// before the policy's cap has passed from `now`, whichever is earlier. A hold never shortens
    /// another.
    pub fn pause_until(&mut self, policy: &FlowPolicy, until: Timestamp, now: Timestamp) {
        self.held_until = self.held_until.max(until.min(now + policy.hold_cap()));
    }

    /// The receiver is back after a pause, as a probe has shown: a window that is adaptive starts
    /// again at 1 and grows per success, so that the backlog is not released at once. A pace that
    /// was learned is forgotten, since one that was learned from a receiver that is down says
    /// nothing of it while it is up.
    pub const fn recovered(&mut self) {
        self.window.recovered();
        self.pace = AdaptiveRate::new();
    }

    /// Says how many attempts are in flight, for a host that knows better than this state: after a
    /// restart, say, that ended them all.
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
