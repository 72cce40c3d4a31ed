//! Delivery state machine: the attempts to deliver one message to one endpoint.
//!
//! A [`Delivery`] decides when to try, counts the attempts, and decides what each outcome means for
//! the next step. It does not know the message or the endpoint, makes no request and reads no
//! clock. The [`outbox`](crate::outbox) drives many of them; an application with a job queue or
//! database table of its own keeps one `Delivery` per row and drives each directly.
//!
//! ```text
//!                      start
//!  new ----> Due ------------------> InFlight -----------.
//!            ^ ^                      | |  |             |
//!            | '---- cancel_start ----' |  |             | accepted; rejected;
//!            |                          |  |             | no attempt left; or
//!            |                failed or |  | unanswered, | unanswered, AtMostOnce
//!            |              unanswered, |  | Ask         |
//!            |              AtLeastOnce |  v             |
//!            |                          | InDoubt        |
//!            |                          v                v
//!            '----- time passes ----- Waiting          Ended
//!
//!  Due, Waiting                     -- window or lifetime ends --------> Ended
//!  Due, Waiting, InFlight, InDoubt  -- late success -------------------> Ended
//!  Due, Waiting, InFlight, InDoubt  -- end ----------------------------> Ended
//!  InDoubt                          -- late response, not a success ---> Waiting or Ended
//!  InDoubt                          -- resend -------------------------> Waiting
//!  Due, Waiting, InDoubt, Ended     -- replay -------------------------> Waiting
//! ```
//!
//! # Time
//!
//! - A wait starts when the attempt ends: at the `now` of [`Delivery::resolve`], or at the deadline
//!   if [`Delivery::poll`] found it passed, no matter how late that call was.
//! - The next attempt is due after the jittered delay or after the time that `Retry-After` requests
//!   (up to the policy's cap), whichever is longer.
//! - No retry starts at or past the end of the retry window, which counts from the message's
//!   acceptance or its latest replay, and no attempt starts at or past the end of the message's
//!   lifetime. A delivery ends at once as [`Verdict::Expired`] if its next attempt would not be due
//!   before the earlier of the two. An attempt that started earlier keeps its whole timeout, and a
//!   delivery in doubt stays in doubt: nothing more is sent for it.
//! - The window bounds retries only. The first attempt since the acceptance or the latest replay
//!   may start at any time within the lifetime, so a clock that is wrong at boot, before the time
//!   service answers, expires nothing that was never tried. If that attempt fails past the end of
//!   the window, the delivery expires.
//! - Only `poll` at or past the deadline times an attempt out. A response reported before any such
//!   call counts, even if it is late. One reported after it still ends the delivery if it is a
//!   success; otherwise it changes nothing, unless the attempt is in doubt. [`Delivery::resolve`]
//!   documents for how many attempts this is remembered.
//!
//! # Clocks that step
//!
//! All instants are absolute. A delivery that was found due stays due. A clock that goes back by
//! `d` lengthens a wait by at most `d`, and never beyond what is possible at the new time, which
//! the next `poll` establishes:
//!
//! - A retry is due no later than the longest wait that the policy can ask for after the latest
//!   attempt: its longest jittered delay, or the `Retry-After` cap if that is longer. So a retry
//!   that was planned while the clock was a year ahead does not wait for a year. It also follows
//!   that a policy with shorter waits shortens a pending one. The time of a replay is the plan of
//!   your application, and stays.
//! - An attempt in flight that appears to start in the future starts `now`, with its whole timeout.
//!   If the clock then returns, the attempt can time out early; a late success still counts. Any
//!   other times out within a day, or the policy's timeout if that is longer: an attempt that
//!   started under an earlier policy keeps its longer timeout up to that.
//! - The window and the lifetime stay. A message that was accepted while the clock was ahead is
//!   retried within a window that ends later by as much.
//!
//! A clock that goes forward ends waits, attempts in flight, windows and lifetimes early, as if the
//! time had passed. It ends nothing that was never tried, except by the lifetime.
//!
//! # At-most-once
//!
//! An attempt that ends without a response may have delivered the message. By default the message
//! is sent again: at-least-once. Under [`DeliveryGuarantee::AtMostOnce`] and
//! [`DeliveryGuarantee::Ask`] it is not, unless your application decides so with
//! [`resend`](Delivery::resend) or [`replay`](Delivery::replay). This holds across crashes if you
//! save each start before you send.
//!
//! A late response resolves a delivery in doubt: a success ends it, and any other response, or a
//! failure that proves that nothing was sent, proves that the attempt failed. The delivery then
//! continues as if that had been reported in time, with a retry that waits from now on, or an end
//! by the response rules. Only the response of the attempt in doubt does so; a late response of
//! another attempt changes nothing unless it is a success.
//!
//! # Drive one delivery
//!
//! ```
//! use std::time::Duration;
//!
//! use http::StatusCode;
//! use labhook::{EndpointId, MessageId, Outcome, RetryPolicy, Timestamp, Verdict};
//! use labhook::delivery::{Delivery, Failure, JitterSeed, Progress};
//!
//! let policy = RetryPolicy::standard_webhooks();
//! let (message, endpoint) = (MessageId::new("msg_1")?, EndpointId::new("eln")?);
//! let seed = JitterSeed::new(7, &message, &endpoint);
//!
//! // Your clock, and a receiver that is down for a while.
//! let mut now = Timestamp::from_unix_seconds(1_744_882_200);
//! let mut send = |number| match number {
//!     1 => Outcome::failed(Failure::Connect),
//!     2 => Outcome::bare(StatusCode::BAD_GATEWAY),
//!     _ => Outcome::bare(StatusCode::OK),
//! };
//!
//! let mut delivery = Delivery::new(now);
//! let verdict = loop {
//!     match delivery.poll(&policy, seed, now) {
//!         Progress::Due => {
//!             let Some(started) = delivery.start(&policy, now) else { continue };
//!             // Save the delivery here. After a crash from now on, the attempt counts as
//!             // unanswered once its deadline has passed, and the message is sent again.
//!             let outcome = send(started.number);
//!             now = now + Duration::from_millis(80);
//!             delivery.resolve(&policy, seed, started.number, &outcome, now);
//!         }
//!         // Only after a restart, since this loop awaits each response.
//!         Progress::InFlight { deadline, .. } => now = deadline,
//!         Progress::Wait { until } => now = until,
//!         // Only under `DeliveryGuarantee::Ask`. Ask an operator, for example.
//!         Progress::InDoubt { .. } => _ = delivery.resend(now),
//!         Progress::Ended { verdict } => break verdict,
//!     }
//! };
//! assert_eq!(verdict, Verdict::Delivered);
//! assert_eq!(delivery.attempts(), 3);
//! assert_eq!(delivery.unanswered(), 0);
//! assert_eq!(now.to_string(), "2025-04-17T09:35:05.240Z");
//! # Ok::<(), labhook::id::IdError>(())
//! ```

mod attempt_set;
mod decision;
mod error;
mod guarantee;
mod http_date;
mod jitter;
mod jitter_seed;
mod outcome;
mod packed;
mod progress;
mod query;
mod resolve;
mod response_rules;
mod retry_after;
mod retry_policy;
mod retry_policy_file;
mod schedule;
mod state;
mod step_back;
mod verdict;

use serde::{Deserialize, Serialize};

pub use crate::named::ParseNameError;
pub use error::RetryPolicyError;
pub use guarantee::DeliveryGuarantee;
pub use jitter::Jitter;
pub use jitter_seed::JitterSeed;
pub use outcome::{Control, Failure, Outcome, Response};
pub(crate) use packed::{Kind, Packed, Rest};
pub use progress::{Ignored, Progress, Resolution, Started};
pub use response_rules::{ResponseAction, ResponseRules};
pub use retry_after::RetryAfter;
pub use retry_policy::RetryPolicy;
pub use schedule::Schedule;
pub use verdict::Verdict;

use crate::time::Timestamp;
use attempt_set::AttemptSet;
use state::{Replayed, State};

/// Delivery of one message to one endpoint: a state machine that can be saved at any moment.
///
/// See the [module](self) for the states and the driving loop. Methods may be called in any order
/// and repeatedly; none panics. Policy, seed and time are arguments of each call.
///
/// Save it in a serde format that names the fields: tested are JSON, also with the members of each
/// object in another order, CBOR, and MessagePack with named fields. Formats that do not describe
/// themselves, such as postcard and bincode, are not supported.
#[doc(alias("retry", "outbox pattern", "transactional outbox", "dead letter"))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    accepted_at: Timestamp,
    /// The number of attempts started, which is the number of the latest one.
    attempts: u32,
    /// The numbers of the attempts that ended without a response, except those forgotten and the one
    /// whose success came late.
    #[serde(default, skip_serializing_if = "AttemptSet::is_empty")]
    unanswered: AttemptSet,
    /// How many these exceptions are.
    #[serde(default, skip_serializing_if = "is_zero")]
    forgotten: u32,
    /// When the message's lifetime ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replayed: Option<Replayed>,
    state: State,
}

impl Delivery {
    /// Creates the delivery of a message accepted at this time. Its first attempt is due at once.
    #[must_use]
    pub const fn new(accepted_at: Timestamp) -> Self {
        Self {
            accepted_at,
            attempts: 0,
            unanswered: AttemptSet::NONE,
            forgotten: 0,
            expires_at: None,
            replayed: None,
            state: State::Due { since: accepted_at },
        }
    }

    /// Sets when the message's lifetime ends; `None` for no end. No attempt starts at or after it,
    /// not even the first, whatever the policy's window.
    #[doc(alias = "TTL")]
    #[must_use]
    pub fn with_expires_at(mut self, at: impl Into<Option<Timestamp>>) -> Self {
        self.expires_at = at.into();
        self
    }

    /// Advances the delivery to `now` and returns its state.
    ///
    /// An attempt at or past its deadline times out and counts as unanswered. A delivery at or past
    /// its [`window_end`](Self::window_end) expires, unless an attempt is in flight or in doubt. A
    /// delivery that is due but has no attempt left, because the policy changed or your application
    /// resent it, is exhausted. If the clock has stepped back, instants too far ahead are
    /// [pulled in](self#clocks-that-step). Nothing else changes, so you may poll any number of
    /// times; polling at each [`wake_at`](Self::wake_at), and once after the clock has stepped back
    /// or the policy has changed, is enough.
    pub fn poll(&mut self, policy: &RetryPolicy, seed: JitterSeed<'_>, now: Timestamp) -> Progress {
        self.pull_in(policy, now);
        if let State::InFlight { deadline, .. } = self.state {
            if now < deadline {
                return Progress::InFlight { number: self.attempts, deadline };
            }
            self.end_unanswered(policy, seed, deadline);
        }
        let due = match self.state {
            State::Waiting { due } => Some(due),
            // `end_unanswered` left `InFlight`.
            State::Due { .. } | State::InFlight { .. } => None,
            State::InDoubt { since } => return Progress::InDoubt { since },
            State::Ended { verdict, .. } => return Progress::Ended { verdict },
        };
        let window_end = self.window_end(policy);
        let (verdict, at) = match (window_end, due) {
            // A retry due after the window's end expires when that is found, which can be later
            // than the window's end: the policy may have changed, or a resend come too late.
            (Some(end), due) if now >= end => {
                (Verdict::Expired, due.map_or(end, |due| due.min(now).max(end)))
            }
            (_, Some(due)) if now < due => {
                return Progress::Wait { until: window_end.map_or(due, |end| end.min(due)) };
            }
            _ if !policy.permits(self.attempts, self.attempts_since_replay()) => {
                (Verdict::Exhausted, due.unwrap_or(now))
            }
            _ => {
                if let Some(since) = due {
                    self.state = State::Due { since };
                }
                return Progress::Due;
            }
        };
        self.state = State::Ended { verdict, at };
        Progress::Ended { verdict }
    }

    /// Starts the attempt that is due; `None` if none is due, if it is too late for it (see
    /// [`window_end`](Self::window_end)), or if no attempt is left.
    ///
    /// The attempt is in flight from here on. If you save deliveries, save this one before you
    /// send: the saved state then includes every attempt that the receiver can have seen.
    #[must_use = "the attempt is in flight until it is resolved or its deadline has passed"]
    pub fn start(&mut self, policy: &RetryPolicy, now: Timestamp) -> Option<Started> {
        match self.state {
            State::Due { .. } => {}
            State::Waiting { due } if now >= due => {}
            _ => return None,
        }
        let too_late = self.window_end(policy).is_some_and(|end| now >= end);
        if too_late || !policy.permits(self.attempts, self.attempts_since_replay()) {
            return None;
        }
        self.attempts = self.attempts.checked_add(1)?;
        let deadline = now + policy.attempt_timeout();
        self.state = State::InFlight { at: now, deadline };
        self.in_flight()
    }

    /// Cancels the start of attempt `number`, if nothing of it was sent: the attempt is due again,
    /// [since](Self::due_since) that start, and the next start has the same number.
    ///
    /// Returns `false`, and changes nothing, if that attempt is not in flight.
    pub fn cancel_start(&mut self, number: u32) -> bool {
        match (self.state, self.attempts.checked_sub(1)) {
            (State::InFlight { at, .. }, Some(before)) if number == self.attempts => {
                self.attempts = before;
                self.state = State::Due { since: at };
                true
            }
            _ => false,
        }
    }

    /// Lets the attempt in flight go on as if it had started now, because the clock has stepped. Its
    /// start moves with the deadline, so that another step back shows in it.
    pub(crate) fn renew_attempt(&mut self, now: Timestamp) {
        if let State::InFlight { at, deadline } = &mut self.state {
            *deadline = now + deadline.saturating_since(*at);
            *at = now;
        }
    }

    /// Returns the number of attempts started since the latest replay.
    fn attempts_since_replay(&self) -> u32 {
        self.attempts.saturating_sub(self.before_replay())
    }

    /// Returns the number of attempts started before the latest replay.
    pub(crate) fn before_replay(&self) -> u32 {
        self.replayed.map_or(0, |replayed| replayed.after)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests;
