//! What a delivery says of itself, and when it is to be looked at.

use super::{Delivery, Replayed, RetryPolicy, Started, State, Verdict};
use crate::time::Timestamp;

impl Delivery {
    /// When the message was accepted; the policy's window counts from here, until there is a
    /// [replay](Self::replay).
    #[must_use]
    pub const fn accepted_at(&self) -> Timestamp {
        self.accepted_at
    }

    /// When the message's lifetime ends, if it does.
    #[must_use]
    pub const fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// How many attempts were started so far, the one in flight and those before a
    /// [replay](Self::replay) included.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How often the delivery was [replayed](Self::replay).
    #[must_use]
    pub const fn replays(&self) -> u32 {
        match self.replayed {
            Some(Replayed { times, .. }) => times,
            None => 0,
        }
    }

    /// How many attempts ended without an answer: at the deadline, by a broken connection, or
    /// abandoned as the delivery ended; a crash of the host shows as a deadline that passed. The
    /// receiver may have got the message in each of them, so it has at most this many copies
    /// beyond the first that it answered with a success. An answer other than a success that
    /// takes a delivery out of doubt takes its attempt off the count.
    #[must_use]
    pub fn unanswered(&self) -> u32 {
        self.unanswered.count().saturating_add(self.forgotten)
    }

    /// The attempt in flight, if one is.
    #[must_use]
    pub const fn in_flight(&self) -> Option<Started> {
        match self.state {
            State::InFlight { at, deadline } => {
                Some(Started { number: self.attempts, at, deadline })
            }
            _ => None,
        }
    }

    /// Since when the delivery stands in doubt, if it does: when its last attempt ended without an
    /// answer. Only [`DeliveryGuarantee::Ask`](super::DeliveryGuarantee::Ask) leads here, and a
    /// later change of the policy does not lead out: the host [resends](Self::resend),
    /// [ends](Self::end) or [replays](Self::replay) it, or an answer comes.
    #[must_use]
    pub const fn in_doubt(&self) -> Option<Timestamp> {
        match self.state {
            State::InDoubt { since } => Some(since),
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

    /// When the next attempt is due, if one is to follow by itself.
    #[must_use]
    pub const fn next_at(&self) -> Option<Timestamp> {
        match self.state {
            State::Waiting { due } => Some(due),
            _ => None,
        }
    }

    /// The instant at and after which no attempt is to leave the host: the end of the policy's
    /// window or of the message's lifetime, whichever is earlier; `None` where it has neither.
    #[must_use]
    pub fn window_end(&self, policy: &RetryPolicy) -> Option<Timestamp> {
        let opened_at = self.replayed.map_or(self.accepted_at, |replayed| replayed.due);
        let window = policy.window().map(|window| opened_at + window);
        window.into_iter().chain(self.expires_at).min()
    }

    /// From when on there is something to do: what a host that keeps a row for each delivery
    /// indexes it by. It claims the rows whose instant has come and polls them.
    ///
    /// That is [`wake_at`](Self::wake_at), save that what is due has something to do already, and
    /// stands at the time of its acceptance.
    #[must_use]
    pub fn claim_at(&self, policy: &RetryPolicy) -> Option<Timestamp> {
        match self.state {
            State::Due => Some(self.accepted_at),
            _ => self.wake_at(policy),
        }
    }

    /// The instant at which the answer of the last [`poll`](Self::poll) changes by time alone, if
    /// it ever does: the key of a wake-up index.
    ///
    /// That is the deadline of an attempt in flight, the end of a wait, and the end of the window
    /// for what is due. What stands in doubt, as what has ended, has none. `start`, `unstart`,
    /// `resolve`, `resend`, `replay` and `end` change it.
    #[must_use]
    pub fn wake_at(&self, policy: &RetryPolicy) -> Option<Timestamp> {
        let close = self.window_end(policy);
        match self.state {
            State::Due => close,
            State::Waiting { due } => Some(close.map_or(due, |close| close.min(due))),
            State::InFlight { deadline, .. } => Some(deadline),
            State::InDoubt { .. } | State::Ended { .. } => None,
        }
    }
}
