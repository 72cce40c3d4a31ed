//! Instants that a clock which has stepped back left too far ahead.

use std::time::Duration;

use super::{Delivery, RetryPolicy, State};
use crate::time::Timestamp;

/// An attempt in flight may have a longer timeout than the policy: that of an earlier policy. It is
/// then still being made, and another one must not start meanwhile.
const EARLIER_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

impl Delivery {
    /// Pulls in the saved instants that are further ahead of `now` than they could be if the clock
    /// had not stepped back.
    ///
    /// An instant that is possible stays: a clock that is slightly wrong shortens no wait. The
    /// window is not pulled in: its end expires the message, and a single reading far behind would
    /// bring that end near for good.
    pub(super) fn pull_in(&mut self, policy: &RetryPolicy, now: Timestamp) {
        let tries = self.attempts_since_replay();
        if self.in_flight().is_some_and(|started| now < started.at) {
            self.renew_attempt(now);
        }
        match &mut self.state {
            State::Due { since } => *since = now.min(*since),
            State::Waiting { due } if tries > 0 => {
                *due = (now + policy.longest_wait(tries)).min(*due);
            }
            // Only a replay lets a first attempt wait, until it is due and as far ahead as it likes.
            // Otherwise the saved state is damaged.
            State::Waiting { due } => {
                let planned = self.replayed.map_or(now, |replayed| replayed.due);
                *due = planned.min(*due);
            }
            State::InFlight { deadline, .. } => {
                // Further ahead than this, the saved state is damaged.
                *deadline = (now + policy.attempt_timeout().max(EARLIER_TIMEOUT)).min(*deadline);
            }
            State::InDoubt { .. } | State::Ended { .. } => {}
        }
    }
}
