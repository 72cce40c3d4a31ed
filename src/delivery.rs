//! One message on its way to one endpoint: [`Delivery`].
//!
//! The machine says when to try, counts the attempts and decides what an outcome means for the
//! next step. It knows neither the message nor the endpoint, makes no request and reads no clock;
//! a host with a queue or a table of its own keeps one `Delivery` in each row and drives it alone.
//!
//! ```text
//!                       start
//!  new ----> Due --------------------> InFlight ------------.
//!            ^ ^                        | |  |              |
//!            | '------- unstart --------' |  | unanswered,  | the receiver has it, refuses it
//!            |                            |  | DeliveryGuarantee::Ask   | or no attempt is left; or it is
//!            |                  failed or |  v              | unanswered, DeliveryGuarantee::AtMostOnce
//!            |                unanswered, | InDoubt         |
//!            |              DeliveryGuarantee::AtLeastOnce v                 v
//!            '--- time passes --------- Waiting           Ended
//!
//!  Due, Waiting                     -- the window or the lifetime ends --> Ended
//!  Due, Waiting, InFlight, InDoubt  -- a late success -------------------> Ended
//!  Due, Waiting, InFlight, InDoubt  -- the host ends it -----------------> Ended
//!  InDoubt                          -- a late answer, not a success -----> Waiting or Ended
//!  InDoubt                          -- the host resends it --------------> Waiting
//!  Due, Waiting, InDoubt, Ended     -- the host replays it --------------> Waiting
//! ```
//!
//! # Time
//!
//! - A wait starts when the attempt ends: at the `now` of [`Delivery::resolve`], or at the
//!   deadline where [`Delivery::poll`] found it passed, however much later that call came.
//! - The next attempt is due after the jittered delay or after what `Retry-After` asked for (up
//!   to the policy's cap), whichever is longer.
//! - Nothing is released at or past the end of the window, which counts from the message's
//!   acceptance or from its last replay, nor at or past the end of the message's lifetime. A
//!   delivery whose next attempt would not be due before the earlier of the two ends at once as
//!   [`Verdict::Expired`]. An attempt that started before it keeps its whole timeout, and what
//!   stands in doubt stays there past it: nothing of it is sent anyway.
//! - An attempt counts as timed out by `poll` at or past its deadline, and by nothing else: an
//!   answer that is handed in before any such call is the attempt's answer, be it late. One that
//!   comes after it still ends the delivery where it is a success, and changes nothing where it
//!   is not, save in doubt. [`Delivery::resolve`] says over how many attempts that is remembered.
//! - All instants are absolute, so that a clock which goes back by `d` lengthens a wait by `d`
//!   and never shortens one. What was found due stays due.
//!
//! # At most once
//!
//! An attempt that ends without an answer may have delivered the message. By default it is sent
//! again, and a policy's [`DeliveryGuarantee`] says otherwise: under
//! [`DeliveryGuarantee::AtMostOnce`] and [`DeliveryGuarantee::Ask`] no attempt follows one that is
//! unconfirmed unless the host decides it, by [`resend`](Delivery::resend) or
//! [`replay`](Delivery::replay). That holds over a crash too, if the host saves each start before
//! it sends.
//!
//! In doubt, an answer that comes late decides: a success ends the delivery, and any other
//! answer, or the news that nothing was sent, proves that the attempt failed. Then it goes on as
//! if that had come in time, with a retry that waits from now on or an end by the response table.
//! Only the answer of the attempt in doubt does so; another one that is late and no success
//! changes nothing.
//!
//! # A host that drives one delivery
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
//! let dice = JitterSeed::new(7, &message, &endpoint);
//!
//! // The host's clock, and a receiver that is down for a while.
//! let mut now = Timestamp::from_unix_seconds(1_744_882_200);
//! let mut send = |number| match number {
//!     1 => Outcome::failed(Failure::Connect),
//!     2 => Outcome::bare(StatusCode::BAD_GATEWAY),
//!     _ => Outcome::bare(StatusCode::OK),
//! };
//!
//! let mut delivery = Delivery::new(now);
//! let verdict = loop {
//!     match delivery.poll(&policy, dice, now) {
//!         Progress::Due => {
//!             let Some(started) = delivery.start(&policy, now) else { continue };
//!             // Save the delivery here: should the host crash from now on, the attempt counts as
//!             // unanswered once its deadline has passed, and is made again.
//!             let outcome = send(started.number);
//!             now = now + Duration::from_millis(80);
//!             delivery.resolve(&policy, dice, started.number, &outcome, now);
//!         }
//!         // Only after a restart here, since this host awaits each answer.
//!         Progress::InFlight { deadline, .. } => now = deadline,
//!         Progress::Wait { until } => now = until,
//!         // Under `DeliveryGuarantee::Ask` alone: a person is asked, say.
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
mod guarantee;
mod jitter;
mod jitter_seed;
mod outcome;
mod policy_file;
mod progress;
mod query;
mod response_rules;
mod retry_after;
mod retry_policy;
mod schedule;
mod state;
mod verdict;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use guarantee::DeliveryGuarantee;
pub use jitter::Jitter;
pub use jitter_seed::JitterSeed;
pub use outcome::{Control, Failure, Outcome, Response};
pub use policy_file::RetryPolicyError;
pub use progress::{Ignored, Progress, Resolution, Started};
pub use response_rules::{ResponseAction, ResponseRules};
pub use retry_after::RetryAfter;
pub use retry_policy::RetryPolicy;
pub use schedule::Schedule;
pub use verdict::Verdict;

use crate::time::Timestamp;
use attempt_set::AttemptSet;
use retry_policy::Meaning;
use state::{Replayed, State};

/// One message on its way to one endpoint: the state of it, which can be saved at any moment.
///
/// See the [module](self) for the states and a host's loop. Calls may come in any order and be
/// repeated; none panics. Policy, jitter seed and time are arguments of each call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    accepted_at: Timestamp,
    /// How many attempts were started; the number of the last one.
    attempts: u32,
    /// The numbers of the attempts that ended without an answer, but for those that were forgotten.
    #[serde(default, skip_serializing_if = "AttemptSet::is_empty")]
    unanswered: AttemptSet,
    /// How many of these numbers were forgotten.
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
    /// A delivery of a message that was accepted at this time. Its first attempt is due at once.
    #[must_use]
    pub const fn new(accepted_at: Timestamp) -> Self {
        Self {
            accepted_at,
            attempts: 0,
            unanswered: AttemptSet::NONE,
            forgotten: 0,
            expires_at: None,
            replayed: None,
            state: State::Due,
        }
    }

    /// With this end of the message's lifetime, at and after which no attempt is to leave the
    /// host, whatever the policy's window; `None` for no such end.
    #[must_use]
    pub fn with_expires_at(mut self, at: impl Into<Option<Timestamp>>) -> Self {
        self.expires_at = at.into();
        self
    }

    /// Moves the delivery on to `now` and says where it stands.
    ///
    /// An attempt at or past its deadline counts as timed out and unanswered; a delivery at or
    /// past its window's end expires, unless an attempt is in flight or in doubt; one that is due
    /// and has no attempt left, since the policy changed or the host resent it, is exhausted.
    /// Nothing else changes here, and calling it any number of times is fine: at the instants of
    /// [`wake_at`](Self::wake_at) is enough.
    pub fn poll(&mut self, policy: &RetryPolicy, dice: JitterSeed<'_>, now: Timestamp) -> Progress {
        if let State::InFlight { deadline, .. } = self.state {
            if now < deadline {
                return Progress::InFlight { number: self.attempts, deadline };
            }
            self.unconfirmed(policy, dice, deadline);
        }
        let due = match self.state {
            State::Waiting { due } => Some(due),
            // In flight it is no more.
            State::Due | State::InFlight { .. } => None,
            State::InDoubt { since } => return Progress::InDoubt { since },
            State::Ended { verdict, .. } => return Progress::Ended { verdict },
        };
        let close = self.window_end(policy);
        let (verdict, at) = match (close, due) {
            // What was not to come before the close ends when that is found, and not at the close.
            (Some(close), due) if now >= close => {
                (Verdict::Expired, due.map_or(close, |due| due.min(now).max(close)))
            }
            (_, Some(due)) if now < due => {
                return Progress::Wait { until: close.map_or(due, |close| close.min(due)) };
            }
            _ if !policy.permits(self.attempts, self.tries()) => {
                (Verdict::Exhausted, due.unwrap_or(now))
            }
            _ => {
                self.state = State::Due;
                return Progress::Due;
            }
        };
        self.state = State::Ended { verdict, at };
        Progress::Ended { verdict }
    }

    /// Starts the attempt that is due; `None` where none is, where the window has ended, or where
    /// no attempt is left.
    ///
    /// It counts as in flight from here. A host that saves does so before it sends: the record
    /// then holds every attempt that the receiver can have seen.
    #[must_use = "the attempt counts as in flight until it is resolved or its deadline has passed"]
    pub fn start(&mut self, policy: &RetryPolicy, now: Timestamp) -> Option<Started> {
        match self.state {
            State::Due => {}
            State::Waiting { due } if now >= due => {}
            _ => return None,
        }
        let too_late = self.window_end(policy).is_some_and(|close| now >= close);
        if too_late || !policy.permits(self.attempts, self.tries()) {
            return None;
        }
        self.attempts = self.attempts.checked_add(1)?;
        let deadline = now + policy.attempt_timeout();
        self.state = State::InFlight { at: now, deadline };
        self.in_flight()
    }

    /// Takes back the start of attempt `number`, of which nothing has left the host: the attempt
    /// is due again, and the next start has the same number.
    ///
    /// `false`, and nothing is changed, where that attempt is not in flight.
    pub fn cancel_start(&mut self, number: u32) -> bool {
        match (self.state, self.attempts.checked_sub(1)) {
            (State::InFlight { .. }, Some(before)) if number == self.attempts => {
                self.attempts = before;
                self.state = State::Due;
                true
            }
            _ => false,
        }
    }

    /// Takes in what became of attempt `number`, at `now`.
    ///
    /// A success ends the delivery, also where the attempt had counted as timed out or its
    /// connection as broken, and even while a later attempt is in flight. Everything else counts
    /// only for the attempt in flight, and for the one in doubt where it leaves none. An outcome
    /// for an attempt that was never started, one that was answered before, or for a delivery that
    /// has ended changes nothing and is reported as such.
    ///
    /// Which attempts ended without an answer is remembered of the last 16 runs of them, each of
    /// attempts that followed one another, so that the saved state stays small however long it is
    /// tried. One is forgotten no sooner than 32 attempts later. From then on its outcome changes
    /// nothing, be it a success, and is reported as [`Ignored::AlreadyResolved`]; it still counts
    /// in [`unanswered`](Self::unanswered).
    pub fn resolve(
        &mut self,
        policy: &RetryPolicy,
        dice: JitterSeed<'_>,
        number: u32,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Resolution {
        if number == 0 || number > self.attempts {
            return Resolution::Ignored(Ignored::NeverStarted);
        }
        if self.verdict().is_some() {
            return Resolution::Ignored(Ignored::Ended);
        }
        let meaning = policy.meaning(outcome);
        let last = number == self.attempts;
        if last && self.in_flight().is_some() {
            return if outcome.is_in_doubt() {
                self.unconfirmed(policy, dice, now)
            } else {
                self.answered(policy, dice, meaning, now)
            };
        }
        if !self.unanswered.contains(number) {
            return Resolution::Ignored(Ignored::AlreadyResolved);
        }
        if let Meaning::Ends(verdict @ Verdict::Delivered) = meaning {
            self.abandon();
            self.state = State::Ended { verdict, at: now };
            Resolution::LateSuccess
        } else if last && self.in_doubt().is_some() && !outcome.is_in_doubt() {
            self.unanswered.pop(number);
            self.answered(policy, dice, meaning, now)
        } else {
            Resolution::Ignored(Ignored::LateFailure)
        }
    }

    /// How many attempts were started since the last replay.
    fn tries(&self) -> u32 {
        self.attempts.saturating_sub(self.before_replay())
    }

    /// How many attempts were started before the last replay.
    pub(crate) fn before_replay(&self) -> u32 {
        self.replayed.map_or(0, |replayed| replayed.after)
    }

    /// It is known at `end` what became of the last attempt.
    fn answered(
        &mut self,
        policy: &RetryPolicy,
        dice: JitterSeed<'_>,
        meaning: Meaning,
        end: Timestamp,
    ) -> Resolution {
        match meaning {
            Meaning::Ends(verdict) => {
                self.state = State::Ended { verdict, at: end };
                Resolution::Ended(verdict)
            }
            Meaning::Retry(asked) => self.retry(policy, dice, asked, end),
        }
    }

    /// The last attempt is awaited no more, and its answer can still come.
    fn count_unanswered(&mut self) {
        let forgotten = self.unanswered.push(self.attempts);
        self.forgotten = self.forgotten.saturating_add(forgotten);
    }

    /// The last attempt ended without an answer at `end`.
    fn unconfirmed(
        &mut self,
        policy: &RetryPolicy,
        dice: JitterSeed<'_>,
        end: Timestamp,
    ) -> Resolution {
        self.count_unanswered();
        match policy.guarantee() {
            DeliveryGuarantee::AtLeastOnce => self.retry(policy, dice, Duration::ZERO, end),
            DeliveryGuarantee::AtMostOnce => {
                self.state = State::Ended { verdict: Verdict::Unconfirmed, at: end };
                Resolution::Ended(Verdict::Unconfirmed)
            }
            DeliveryGuarantee::Ask => {
                self.state = State::InDoubt { since: end };
                Resolution::InDoubt
            }
        }
    }

    /// The last attempt failed at `end`.
    fn retry(
        &mut self,
        policy: &RetryPolicy,
        dice: JitterSeed<'_>,
        asked: Duration,
        end: Timestamp,
    ) -> Resolution {
        let wait = policy.retry_wait(dice, self.attempts, self.before_replay(), asked);
        let verdict = match wait {
            Some(wait) => {
                let due = end + wait;
                if self.window_end(policy).is_none_or(|close| due < close) {
                    self.state = State::Waiting { due };
                    return Resolution::Retry { at: due };
                }
                Verdict::Expired
            }
            None => Verdict::Exhausted,
        };
        self.state = State::Ended { verdict, at: end };
        Resolution::Ended(verdict)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "what serde asks for")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests;
