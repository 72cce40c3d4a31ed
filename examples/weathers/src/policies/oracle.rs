//! The oracle, which knows the receiver: it sends exactly what would be accepted now.
//!
//! It does not know the fates of single messages: what fails by chance, is poisoned or is still
//! being worked on is retried by the schedule. Its goodput is the 100 % of the others.

use crate::engine::{Micros, SECOND};
use crate::policy::{Due, End, Gate, Policy};

/// How soon it looks again at a receiver that would accept nothing, at first and at most.
const FIRST_LOOK: Micros = SECOND / 100;
const LAST_LOOK: Micros = SECOND / 20;

/// Numbers of messages that do not exist. What the receiver would not accept any of, it would not
/// accept for its own sake: one of them may be poisoned, but hardly all.
const STRANGERS: std::ops::Range<u64> = u64::MAX - 16..u64::MAX - 1;

pub struct Oracle {
    /// The most attempts in flight: for receivers that slow down under more.
    in_flight: usize,
    look: Micros,
}

impl Oracle {
    pub const fn new(in_flight: usize) -> Self {
        Self { in_flight, look: FIRST_LOOK }
    }
}

impl Policy for Oracle {
    fn may_send(&mut self, now: Micros, due: &Due<'_>) -> Gate {
        let Due { message, in_flight, world, .. } = *due;
        if in_flight >= self.in_flight {
            return Gate::Busy;
        }
        let mut messages = std::iter::once(message).chain(STRANGERS);
        if messages.any(|message| world.would_accept(message, now)) {
            self.look = FIRST_LOOK;
            return Gate::Send;
        }
        let until = now + self.look;
        self.look = (self.look * 2).min(LAST_LOOK);
        Gate::Until(until)
    }

    fn started(&mut self, _: Micros) {}

    fn ended(&mut self, _: Micros, _: Micros, _: usize, _: End) {}
}
