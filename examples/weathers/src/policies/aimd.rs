//! An adaptive rate: 1/s faster each second, and half as fast on a refusal, at most once a second.

use crate::engine::{Micros, SECOND};
use crate::policy::{Due, End, Gate, IN_FLIGHT, Policy};

const LEAST: f64 = 0.1;
const MOST: f64 = 1_000.0;

pub struct Aimd {
    per_second: f64,
    next_at: Micros,
    raised_at: Micros,
    halved_at: Option<Micros>,
}

impl Aimd {
    pub fn new() -> Self {
        Self { per_second: 10.0, next_at: 0, raised_at: 0, halved_at: None }
    }

    fn raise(&mut self, now: Micros) {
        let seconds = (now - self.raised_at) / SECOND;
        self.raised_at += seconds * SECOND;
        self.per_second = (self.per_second + seconds as f64).min(MOST);
    }
}

impl Policy for Aimd {
    fn may_send(&mut self, now: Micros, due: &Due<'_>) -> Gate {
        self.raise(now);
        if due.in_flight >= IN_FLIGHT {
            Gate::Busy
        } else if now < self.next_at {
            Gate::Until(self.next_at)
        } else {
            Gate::Send
        }
    }

    fn started(&mut self, now: Micros) {
        // A wait that lasted longer than needed is not caught up with.
        self.next_at = now + (SECOND as f64 / self.per_second) as Micros;
    }

    fn ended(&mut self, now: Micros, _: Micros, _: usize, end: End) {
        self.raise(now);
        if end == End::Refused && self.halved_at.is_none_or(|at| at + SECOND <= now) {
            self.per_second = (self.per_second / 2.0).max(LEAST);
            self.halved_at = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::tests::due;

    #[test]
    fn refusals_halve_at_most_once_a_second() {
        let mut aimd = Aimd::new();
        aimd.ended(10, 1, 0, End::Refused);
        aimd.ended(20, 1, 0, End::Refused);
        assert_eq!(aimd.per_second, 5.0);
        aimd.ended(10 + SECOND, 1, 0, End::Refused);
        assert_eq!(aimd.per_second, 3.0);
        aimd.ended(11 + SECOND, 1, 0, End::Failed);
        assert_eq!(aimd.per_second, 3.0);
    }

    #[test]
    fn attempts_keep_the_interval() {
        let mut aimd = Aimd::new();
        assert_eq!(aimd.may_send(0, &due(0)), Gate::Send);
        aimd.started(0);
        assert_eq!(aimd.may_send(1, &due(0)), Gate::Until(SECOND / 10));
        assert_eq!(aimd.may_send(SECOND / 10, &due(0)), Gate::Send);
        assert_eq!(aimd.may_send(SECOND / 10, &due(IN_FLIGHT)), Gate::Busy);
    }
}
