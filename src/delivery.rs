//! One message on its way to one endpoint: [`Delivery`].

mod dice;
mod jitter;
mod outcome;
mod policy;
mod policy_file;
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
pub use responses::{Reaction, Responses};
pub use retry_after::RetryAfter;
pub use schedule::Schedule;
pub use verdict::Verdict;

use crate::timestamp::Timestamp;
use policy::Meaning;

/// One message on its way to one endpoint.
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
        Self {
            accepted_at,
            attempts: 0,
            unanswered: Vec::new(),
            state: State::Due,
        }
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
            State::InFlight { deadline } => Some(Started {
                number: self.attempts,
                deadline,
            }),
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

    /// The instant at which the answer of [`poll`](Self::poll) changes by time alone, as of the
    /// last call.
    #[must_use]
    pub fn wake_at(&self, policy: &Policy) -> Option<Timestamp> {
        let close = policy.window_end(self.accepted_at);
        match self.state {
            State::Due => close,
            State::Waiting { due } => Some(close.map_or(due, |close| close.min(due))),
            State::InFlight { deadline } => Some(deadline),
            State::Ended { .. } => None,
        }
    }

    /// Moves the delivery on to `now` and says where it stands.
    pub fn poll(&mut self, policy: &Policy, dice: Dice<'_>, now: Timestamp) -> Progress {
        if let State::InFlight { deadline } = self.state {
            if now < deadline {
                return Progress::InFlight {
                    number: self.attempts,
                    deadline,
                };
            }
            self.unanswered.push(self.attempts);
            self.retry(policy, dice, Duration::ZERO, deadline);
        }
        let close = policy.window_end(self.accepted_at);
        if let (State::Due | State::Waiting { .. }, Some(close)) = (self.state, close)
            && now >= close
        {
            self.state = State::Ended {
                verdict: Verdict::Expired,
                at: close,
            };
        }
        match self.state {
            State::Waiting { due } if now < due => Progress::Wait {
                until: close.map_or(due, |close| close.min(due)),
            },
            State::Ended { verdict, .. } => Progress::Ended { verdict },
            // In flight it is no more, so it is due.
            State::Due | State::Waiting { .. } | State::InFlight { .. } => {
                self.state = State::Due;
                Progress::Due
            }
        }
    }

    /// Starts the attempt that is due; `None` unless one is.
    #[must_use = "the attempt counts as in flight until it is resolved or its deadline has passed"]
    pub fn start(&mut self, policy: &Policy, now: Timestamp) -> Option<Started> {
        match self.state {
            State::Due => {}
            State::Waiting { due } if now >= due => {}
            _ => return None,
        }
        if policy
            .window_end(self.accepted_at)
            .is_some_and(|close| now >= close)
        {
            return None;
        }
        self.attempts = self.attempts.checked_add(1)?;
        let deadline = now + policy.attempt_timeout();
        self.state = State::InFlight { deadline };
        self.in_flight()
    }

    /// Takes back the start of attempt `number`, which never left the host.
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

    /// Takes in what became of attempt `number`.
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

    /// Ends the delivery from outside; `false` if it has ended already.
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

/// An attempt that [`Delivery::start`] started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Started {
    /// The attempt's number; the first is 1.
    pub number: u32,
    /// When the attempt counts as timed out.
    pub deadline: Timestamp,
}

/// Where a delivery stands. Exhaustive: a host has to meet every arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a host has to meet every arm")]
pub enum Progress {
    /// An attempt may be started now.
    Due,
    /// An attempt is live.
    InFlight {
        /// Its number.
        number: u32,
        /// When it counts as timed out.
        deadline: Timestamp,
    },
    /// Nothing is to be done before this instant.
    Wait {
        /// The instant, always after the `now` of the call.
        until: Timestamp,
    },
    /// It is over.
    Ended {
        /// How.
        verdict: Verdict,
    },
}

/// What [`Delivery::resolve`] made of an outcome. Exhaustive: a host has to meet every arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a host has to meet every arm")]
pub enum Resolution {
    /// The delivery ended with it.
    Ended(Verdict),
    /// The attempt failed and there will be another.
    Retry {
        /// When it is due.
        at: Timestamp,
    },
    /// An attempt that had counted as unanswered succeeded after all: the delivery ended as
    /// [`Verdict::Delivered`].
    LateSuccess,
    /// Nothing changed.
    Ignored(Ignored),
}

/// Why an outcome changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ignored {
    /// No attempt of this number was started.
    NeverStarted,
    /// The attempt was resolved before.
    AlreadyResolved,
    /// The delivery has ended.
    Ended,
    /// The attempt had counted as unanswered, and failed.
    LateFailure,
}

/// Whole milliseconds, rounded up, so that nothing comes earlier than it was asked to.
const fn millis_up(duration: Duration) -> u64 {
    let millis = duration.as_millis();
    let part = duration.subsec_nanos() % 1_000_000 != 0;
    if millis >= u64::MAX as u128 {
        u64::MAX
    } else {
        // Below `u64::MAX`, so it fits with one added.
        (millis as u64).saturating_add(part as u64)
    }
}
