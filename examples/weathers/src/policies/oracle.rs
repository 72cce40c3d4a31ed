//! The oracle, which knows the receiver: it sends exactly what would be accepted now.
//!
//! It does not know chance: what fails by chance is retried by the schedule, as is a poisoned
//! message. Its goodput is the 100 % of the others.

use crate::engine::Micros;
use crate::policy::{Due, End, Gate, Policy};

pub struct Oracle {
    /// The most attempts in flight: for receivers that slow down under more.
    in_flight: usize,
}

impl Oracle {
    pub const fn new(in_flight: usize) -> Self {
        Self { in_flight }
    }
}

impl Policy for Oracle {
    fn may_send(&mut self, now: Micros, due: &Due<'_>) -> Gate {
        let Due { message, in_flight, world, .. } = *due;
        if in_flight >= self.in_flight {
            Gate::Busy
        } else if world.would_accept(message, now)
            || (world.is_poisoned(message) && !world.is_down(now))
        {
            Gate::Send
        } else {
            Gate::Skip
        }
    }

    fn started(&mut self, _: Micros) {}

    fn ended(&mut self, _: Micros, _: Micros, _: usize, _: End) {}
}
