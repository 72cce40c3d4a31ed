//! A plain retry schedule with full concurrency.

use crate::engine::Micros;
use crate::policy::{Due, End, Gate, IN_FLIGHT, Policy};

pub struct Schedule;

impl Policy for Schedule {
    fn may_send(&mut self, _: Micros, due: &Due<'_>) -> Gate {
        if due.in_flight < IN_FLIGHT { Gate::Send } else { Gate::Busy }
    }

    fn started(&mut self, _: Micros) {}

    fn ended(&mut self, _: Micros, _: Micros, _: usize, _: End) {}
}
