//! One message on its way to one endpoint: [`Delivery`].
//!
//! The machine says when to try, counts the attempts and decides what an outcome means for the
//! next step. It knows neither the message nor the endpoint, makes no request and reads no clock;
//! a host with a queue or a table of its own keeps one `Delivery` in each row and drives it alone.
//!
//! ```text
//!                       start
//!  new ----> Due --------------------> InFlight ------.
//!            ^ ^                        |    |        |
//!            | '------- unstart --------'    |        | the receiver has it, refuses it
//!            |                               |        | or no attempt is left
//!            |                    failed or  |        |
//!            |                    unanswered v        v
//!            '--- time passes ------------ Waiting   Ended
//!
//!  Due, Waiting            -- the window ends --> Ended
//!  Due, Waiting, InFlight  -- a late success ---> Ended
//!  Due, Waiting, InFlight  -- the host ends it -> Ended
//! ```
//!
//! # Time
//!
//! - A wait starts when the attempt ends: at the `now` of [`Delivery::resolve`], or at the
//!   deadline where [`Delivery::poll`] found it passed, however much later that call came.
//! - The next attempt is due after the jittered delay or after what `Retry-After` asked for (up
//!   to the policy's cap), whichever is longer.
//! - Nothing is released at or past the end of the window, which counts from the message's
//!   acceptance. A delivery whose next attempt would not be due before that ends at once as
//!   [`Verdict::Expired`]. An attempt that started before it keeps its whole timeout.
//! - An attempt counts as timed out by `poll` at or past its deadline, and by nothing else: an
//!   answer that is handed in before any such call is the attempt's answer, be it late. One that
//!   comes after it still ends the delivery where it is a success, and changes nothing where it
//!   is not.
//! - All instants are absolute, so that a clock which goes back by `d` lengthens a wait by `d`
//!   and never shortens one. What was found due stays due.
//!
//! # A host that drives one delivery
//!
//! ```
//! use std::time::Duration;
//!
//! use http::StatusCode;
//! use labhook::delivery::{Dice, Failure, Progress};
//! use labhook::{Delivery, EndpointId, MessageId, Outcome, Policy, Timestamp, Verdict};
//!
//! let policy = Policy::standard_webhooks();
//! let (message, endpoint) = (MessageId::new("msg_1")?, EndpointId::new("eln")?);
//! let dice = Dice::new(7, &message, &endpoint);
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
//!         Progress::Ended { verdict } => break verdict,
//!     }
//! };
//! assert_eq!(verdict, Verdict::Delivered);
//! assert_eq!(delivery.attempts(), 3);
//! assert_eq!(delivery.unanswered(), 0);
//! assert_eq!(now.to_string(), "2025-04-17T09:35:05.240Z");
//! # Ok::<(), labhook::IdError>(())
//! ```

mod dice;
mod jitter;
mod outcome;
mod policy;
mod policy_file;
mod progress;
mod responses;
mod retry_after;
mod schedule;
mod verdict;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use dice::Dice;
pub use jitter::Jitter;
pub use outcome::{Control, Failure, Outcome, Response};
pub use policy::Policy;
pub use policy_file::PolicyError;
pub use progress::{Ignored, Progress, Resolution, Started};
pub use responses::{Reaction, Responses};
pub use retry_after::RetryAfter;
pub use schedule::Schedule;
pub use verdict::Verdict;

use crate::timestamp::Timestamp;
use policy::Meaning;

/// One message on its way to one endpoint: the state of it, which can be saved at any moment.
///
/// See the [module](self) for the states and a host's loop. Calls may come in any order and be
/// repeated; none panics. Policy, dice and time are arguments of each call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    accepted_at: Timestamp,
    /// How many attempts were started; the number of the last one.
    attempts: u32,
    /// The numbers of the attempts that ended without an answer, rising.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unanswered: Vec<u32>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// The next attempt may start.
    Due,
    /// The next attempt may start from `due` on.
    Waiting {
        due: Timestamp,
    },
    /// Attempt number `attempts` is live.
    InFlight {
        deadline: Timestamp,
    },
    Ended {
        verdict: Verdict,
        at: Timestamp,
    },
}

impl Delivery {
    /// A delivery of a message that was accepted at this time. Its first attempt is due at once.
    #[must_use]
    pub const fn new(accepted_at: Timestamp) -> Self {
        Self { accepted_at, attempts: 0, unanswered: Vec::new(), state: State::Due }
    }

    /// When the message was accepted; the policy's window counts from here.
    #[must_use]
    pub const fn accepted_at(&self) -> Timestamp {
        self.accepted_at
    }

    /// How many attempts were started so far, the one in flight included.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How many attempts ended without an answer: at the deadline or by a broken connection; a
    /// crash of the host shows as a deadline that passed. The receiver may have got the message in
    /// each of them, so it has at most this many copies beyond the first that it answered with a
    /// success.
    #[must_use]
    pub fn unanswered(&self) -> u32 {
        // They are a part of `attempts`, which is a `u32`.
        u32::try_from(self.unanswered.len()).unwrap_or(u32::MAX)
    }

    /// The attempt in flight, if one is.
    #[must_use]
    pub const fn in_flight(&self) -> Option<Started> {
        match self.state {
            State::InFlight { deadline } => Some(Started { number: self.attempts, deadline }),
            _ => None,
        }
    }

    /// How the delivery ended, if it did.
    #[must_use]
    pub const fn verdict(&self) -> Option<Verdict> {
        match self.state {
            State::Ended { verdict, .. } => Some(verdict),
            _ => None,
        }
    }

    /// When the delivery ended, if it did.
    #[must_use]
    pub const fn ended_at(&self) -> Option<Timestamp> {
        match self.state {
            State::Ended { at, .. } => Some(at),
            _ => None,
        }
    }

    /// The instant at and after which no attempt is to leave the host; `None` where the policy has
    /// no window.
    #[must_use]
    pub fn window_end(&self, policy: &Policy) -> Option<Timestamp> {
        policy.window_end(self.accepted_at)
    }

    /// From when on there is something to do: what a host that keeps a row for each delivery
    /// indexes it by. It claims the rows whose instant has come and polls them.
    ///
    /// That is [`wake_at`](Self::wake_at), save that what is due has something to do already, and
    /// stands at the time of its acceptance.
    #[must_use]
    pub fn claim_at(&self, policy: &Policy) -> Option<Timestamp> {
        match self.state {
            State::Due => Some(self.accepted_at),
            _ => self.wake_at(policy),
        }
    }

    /// The instant at which the answer of the last [`poll`](Self::poll) changes by time alone, if
    /// it ever does: the key of a wake-up index.
    ///
    /// That is the deadline of an attempt in flight, the end of a wait, and the end of the window
    /// for what is due. `start`, `unstart`, `resolve` and `end` change it.
    #[must_use]
    pub fn wake_at(&self, policy: &Policy) -> Option<Timestamp> {
        let close = self.window_end(policy);
        match self.state {
            State::Due => close,
            State::Waiting { due } => Some(close.map_or(due, |close| close.min(due))),
            State::InFlight { deadline } => Some(deadline),
            State::Ended { .. } => None,
        }
    }

    /// Moves the delivery on to `now` and says where it stands.
    ///
    /// An attempt at or past its deadline counts as timed out and unanswered; a delivery at or
    /// past its window's end expires, unless an attempt is in flight. Nothing else changes here,
    /// and calling it any number of times is fine: at the instants of [`wake_at`](Self::wake_at)
    /// is enough.
    pub fn poll(&mut self, policy: &Policy, dice: Dice<'_>, now: Timestamp) -> Progress {
        if let State::InFlight { deadline } = self.state {
            if now < deadline {
                return Progress::InFlight { number: self.attempts, deadline };
            }
            self.unanswered.push(self.attempts);
            self.retry(policy, dice, Duration::ZERO, deadline);
        }
        let close = self.window_end(policy);
        if let (State::Due | State::Waiting { .. }, Some(close)) = (self.state, close)
            && now >= close
        {
            self.state = State::Ended { verdict: Verdict::Expired, at: close };
        }
        match self.state {
            State::Waiting { due } if now < due => {
                Progress::Wait { until: close.map_or(due, |close| close.min(due)) }
            }
            State::Ended { verdict, .. } => Progress::Ended { verdict },
            // No number is left for another: only a record that was edited by hand is at it.
            State::Due | State::Waiting { .. } | State::InFlight { .. }
                if self.attempts == u32::MAX =>
            {
                self.state = State::Ended { verdict: Verdict::Exhausted, at: now };
                Progress::Ended { verdict: Verdict::Exhausted }
            }
            // In flight it is no more, so it is due.
            State::Due | State::Waiting { .. } | State::InFlight { .. } => {
                self.state = State::Due;
                Progress::Due
            }
        }
    }

    /// Starts the attempt that is due; `None` where none is, or where the window has ended.
    ///
    /// It counts as in flight from here. A host that saves does so before it sends: the record
    /// then holds every attempt that the receiver can have seen.
    #[must_use = "the attempt counts as in flight until it is resolved or its deadline has passed"]
    pub fn start(&mut self, policy: &Policy, now: Timestamp) -> Option<Started> {
        match self.state {
            State::Due => {}
            State::Waiting { due } if now >= due => {}
            _ => return None,
        }
        if self.window_end(policy).is_some_and(|close| now >= close) {
            return None;
        }
        self.attempts = self.attempts.checked_add(1)?;
        let deadline = now + policy.attempt_timeout();
        self.state = State::InFlight { deadline };
        self.in_flight()
    }

    /// Takes back the start of attempt `number`, of which nothing has left the host: the attempt
    /// is due again, and the next start has the same number.
    ///
    /// `false`, and nothing is changed, where that attempt is not in flight.
    pub fn unstart(&mut self, number: u32) -> bool {
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
    /// only for the attempt in flight. An outcome for an attempt that was never started, one that
    /// was answered before, or for a delivery that has ended changes nothing and is reported as
    /// such.
    pub fn resolve(
        &mut self,
        policy: &Policy,
        dice: Dice<'_>,
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
        let live = number == self.attempts && self.in_flight().is_some();
        if live {
            if outcome.is_in_doubt() {
                self.unanswered.push(number);
            }
            match meaning {
                Meaning::Ends(verdict) => {
                    self.state = State::Ended { verdict, at: now };
                    Resolution::Ended(verdict)
                }
                Meaning::Retry(asked) => self.retry(policy, dice, asked, now),
            }
        } else if self.unanswered.binary_search(&number).is_err() {
            Resolution::Ignored(Ignored::AlreadyResolved)
        } else if let Meaning::Ends(verdict @ Verdict::Delivered) = meaning {
            self.state = State::Ended { verdict, at: now };
            Resolution::LateSuccess
        } else {
            Resolution::Ignored(Ignored::LateFailure)
        }
    }

    /// Ends the delivery on the host's decision: its endpoint was removed
    /// ([`Verdict::Cancelled`]), say. An attempt in flight is abandoned.
    ///
    /// `false`, and nothing is changed, where it has ended already.
    pub fn end(&mut self, verdict: Verdict, now: Timestamp) -> bool {
        if self.verdict().is_some() {
            return false;
        }
        self.state = State::Ended { verdict, at: now };
        true
    }

    /// The last attempt failed at `end`.
    fn retry(
        &mut self,
        policy: &Policy,
        dice: Dice<'_>,
        asked: Duration,
        end: Timestamp,
    ) -> Resolution {
        match policy.retry_at(dice, self.accepted_at, self.attempts, asked, end) {
            Ok(due) => {
                self.state = State::Waiting { due };
                Resolution::Retry { at: due }
            }
            Err(verdict) => {
                self.state = State::Ended { verdict, at: end };
                Resolution::Ended(verdict)
            }
        }
    }
}

#[cfg(test)]
mod tests;
