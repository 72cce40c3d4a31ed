//! A circuit breaker: opens when half of the last 100 attempts failed, for 60 s, then probes once.

use std::collections::VecDeque;

use crate::engine::{Micros, SECOND};
use crate::policy::{Due, End, Gate, IN_FLIGHT, Policy};

const WINDOW: usize = 100;
const OPEN_FOR: Micros = 60 * SECOND;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Open(Micros),
    Probing,
}

pub struct Breaker {
    state: State,
    /// Whether each of the last attempts failed.
    last: VecDeque<bool>,
    failed: usize,
    /// Attempts in flight from before it opened, which say nothing about the probe.
    stale: usize,
}

impl Breaker {
    pub fn new() -> Self {
        Self { state: State::Closed, last: VecDeque::new(), failed: 0, stale: 0 }
    }

    fn open(&mut self, now: Micros, in_flight: usize) {
        self.state = State::Open(now + OPEN_FOR);
        self.last.clear();
        self.failed = 0;
        self.stale += in_flight;
    }
}

impl Policy for Breaker {
    fn may_send(&mut self, now: Micros, due: &Due<'_>) -> Gate {
        match self.state {
            State::Closed if due.in_flight < IN_FLIGHT => Gate::Send,
            State::Open(until) if now < until => Gate::Until(until),
            // The probe waits for the attempts from before.
            State::Open(_) if due.in_flight == 0 => Gate::Send,
            State::Closed | State::Open(_) | State::Probing => Gate::Busy,
        }
    }

    fn started(&mut self, _: Micros) {
        if let State::Open(_) = self.state {
            self.state = State::Probing;
        }
    }

    fn ended(&mut self, now: Micros, _: Micros, in_flight: usize, end: End) {
        if self.stale > 0 {
            self.stale -= 1;
            return;
        }
        let failed = end != End::Taken;
        if self.state == State::Probing {
            if failed {
                self.open(now, in_flight);
            } else {
                self.state = State::Closed;
            }
            return;
        }
        self.last.push_back(failed);
        self.failed += usize::from(failed);
        if self.last.len() > WINDOW {
            self.failed -= usize::from(self.last.pop_front() == Some(true));
        }
        if self.failed * 2 >= WINDOW {
            self.open(now, in_flight);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::tests::due;

    #[test]
    fn half_of_100_failed_opens_for_a_minute() {
        let mut breaker = Breaker::new();
        for attempt in 0..99 {
            assert_eq!(breaker.may_send(attempt, &due(0)), Gate::Send);
            breaker.started(attempt);
            breaker.ended(attempt, 1, 0, if attempt % 2 == 0 { End::Taken } else { End::Failed });
        }
        breaker.ended(99, 1, 0, End::Failed);
        let until = 99 + OPEN_FOR;
        assert_eq!(breaker.may_send(100, &due(0)), Gate::Until(until));
        assert_eq!(breaker.may_send(until, &due(0)), Gate::Send);
        breaker.started(until);
        assert_eq!(breaker.may_send(until, &due(1)), Gate::Busy);
        breaker.ended(until + 1, 1, 0, End::Taken);
        assert_eq!(breaker.may_send(until + 1, &due(0)), Gate::Send);
    }

    #[test]
    fn failed_probe_opens_again() {
        let mut breaker = Breaker::new();
        breaker.open(0, 0);
        assert_eq!(breaker.may_send(OPEN_FOR, &due(0)), Gate::Send);
        breaker.started(OPEN_FOR);
        breaker.ended(OPEN_FOR, 1, 0, End::Refused);
        assert_eq!(breaker.may_send(OPEN_FOR, &due(0)), Gate::Until(2 * OPEN_FOR));
    }

    #[test]
    fn attempts_from_before_are_no_probe() {
        let mut breaker = Breaker::new();
        breaker.open(0, 2);
        breaker.ended(1, 1, 1, End::Taken);
        breaker.ended(2, 1, 0, End::Taken);
        assert_eq!(breaker.may_send(3, &due(0)), Gate::Until(OPEN_FOR));
    }
}
