//! Getters of a delivery, and its wake-up times.

use super::{Delivery, Replayed, RetryPolicy, Started, State, Verdict};
use crate::time::Timestamp;

impl Delivery {
    /// Returns when the message was accepted. The policy's window counts from here until the
    /// delivery is [replayed](Self::replay), and bounds only retries.
    #[must_use]
    pub const fn accepted_at(&self) -> Timestamp {
        self.accepted_at
    }

    /// Returns when the message's lifetime ends, if it has an end.
    #[must_use]
    pub const fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// Returns the number of attempts started so far, including the one in flight and those before
    /// a [replay](Self::replay).
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns how often the delivery was [replayed](Self::replay).
    #[doc(alias = "redeliveries")]
    #[must_use]
    pub const fn replays(&self) -> u32 {
        match self.replayed {
            Some(Replayed { times, .. }) => times,
            None => 0,
        }
    }

    /// Returns the number of attempts that ended without a response: at the deadline (which is how
    /// a crash of the sender shows), by a broken connection, or abandoned when the delivery ended.
    ///
    /// Each of them may have reached the receiver, so it has at most this many duplicates of the
    /// copy that it first answered with a success. A late response, other than a success, that
    /// resolves a delivery in doubt takes its attempt off the count.
    #[doc(alias("duplicates", "copies"))]
    #[must_use]
    pub fn unanswered(&self) -> u32 {
        self.unanswered.count().saturating_add(self.forgotten)
    }

    /// Returns the attempt in flight, if there is one.
    #[must_use]
    pub const fn in_flight(&self) -> Option<Started> {
        match self.state {
            State::InFlight { at, deadline } => {
                Some(Started { number: self.attempts, at, deadline })
            }
            _ => None,
        }
    }

    /// Returns since when the delivery has been in doubt, if it is: when its latest attempt ended
    /// without a response.
    ///
    /// Only [`DeliveryGuarantee::Ask`](super::DeliveryGuarantee::Ask) leads to this state, and a
    /// later change of the policy does not lead out of it: your application
    /// [resends](Self::resend), [ends](Self::end) or [replays](Self::replay) the delivery, or a
    /// late response arrives.
    #[must_use]
    pub const fn in_doubt(&self) -> Option<Timestamp> {
        match self.state {
            State::InDoubt { since } => Some(since),
            _ => None,
        }
    }

    /// Returns the final result, if the delivery has ended.
    #[must_use]
    pub const fn verdict(&self) -> Option<Verdict> {
        match self.state {
            State::Ended { verdict, .. } => Some(verdict),
            _ => None,
        }
    }

    /// Returns when the delivery ended, if it has.
    #[must_use]
    pub const fn ended_at(&self) -> Option<Timestamp> {
        match self.state {
            State::Ended { at, .. } => Some(at),
            _ => None,
        }
    }

    /// Returns when the next attempt is due, if the delivery waits for one.
    #[must_use]
    pub const fn next_at(&self) -> Option<Timestamp> {
        match self.state {
            State::Waiting { due } => Some(due),
            _ => None,
        }
    }

    /// Returns since when the next attempt has been due, if the latest call found it due: the key
    /// to start first what has waited longest.
    ///
    /// A new delivery is due since its acceptance, a retry or a replay since the end of its wait,
    /// no matter how late [`poll`](Self::poll) found that, and an attempt whose start was
    /// [cancelled](Self::cancel_start) since that start.
    #[must_use]
    pub const fn due_since(&self) -> Option<Timestamp> {
        match self.state {
            State::Due { since } => Some(since),
            _ => None,
        }
    }

    /// Returns the instant from which on the attempt in flight, or else the next one, may not
    /// start; `None` if there is none.
    ///
    /// For a retry it is the end of the policy's window or of the message's lifetime, whichever is
    /// earlier. For the first attempt since the message's acceptance or its latest replay it is the
    /// end of the lifetime alone, since the window bounds only retries.
    #[must_use]
    pub fn window_end(&self, policy: &RetryPolicy) -> Option<Timestamp> {
        let in_flight = u32::from(self.in_flight().is_some());
        if self.attempts_since_replay() <= in_flight {
            return self.expires_at;
        }
        self.retry_window_end(policy)
    }

    /// Returns the instant from which on no retry may start.
    pub(super) fn retry_window_end(&self, policy: &RetryPolicy) -> Option<Timestamp> {
        let opened_at = self.replayed.map_or(self.accepted_at, |replayed| replayed.due);
        let window = policy.window().map(|window| opened_at + window);
        window.into_iter().chain(self.expires_at).min()
    }

    /// Returns from when on there is something to do: the column to index if you keep one row per
    /// delivery. Claim the rows whose time has come, and poll them.
    ///
    /// It is [`wake_at`](Self::wake_at), except that a delivery that is due already has the time of
    /// its acceptance. After your clock was ahead, poll each pending row once: only
    /// [`poll`](Self::poll) pulls in what was saved too far ahead.
    #[doc(alias("outbox pattern", "transactional outbox", "skip locked"))]
    #[must_use]
    pub fn claim_at(&self, policy: &RetryPolicy) -> Option<Timestamp> {
        match self.state {
            State::Due { .. } => Some(self.accepted_at),
            _ => self.wake_at(policy),
        }
    }

    /// Returns when the result of [`poll`](Self::poll) next changes by time alone, if it does: the
    /// key for a timer.
    ///
    /// That is the deadline of an attempt in flight, the end of a wait, or the
    /// [`window_end`](Self::window_end) of a delivery that is due. A delivery that is in doubt or
    /// has ended has none. `start`, `cancel_start`, `resolve`, `resend`, `replay` and `end` change
    /// it, and so does a `poll` after the clock has stepped back or the policy has changed.
    #[must_use]
    pub fn wake_at(&self, policy: &RetryPolicy) -> Option<Timestamp> {
        let window_end = self.window_end(policy);
        match self.state {
            State::Due { .. } => window_end,
            State::Waiting { due } => Some(window_end.map_or(due, |end| end.min(due))),
            State::InFlight { deadline, .. } => Some(deadline),
            State::InDoubt { .. } | State::Ended { .. } => None,
        }
    }
}
