//! Adaptive throttling as in the SRE book, "Handling Overload": rejects a share of its own
//! requests, `(requests - K accepts) / (requests + 1)` over two minutes, with K = 2.
//!
//! A request counts when it is rejected or has ended, so that a burst is not rejected without
//! responses. A rejected request is put off: by 1 s, doubling to two minutes.

use std::collections::VecDeque;

use crate::engine::{Micros, SECOND};
use crate::policy::{Due, End, Gate, IN_FLIGHT, Policy};

const K: u64 = 2;
const WINDOW: u64 = 120;

pub struct Sre {
    random: fastrand::Rng,
    /// Requests and accepts in each second of the window, oldest first.
    seconds: VecDeque<(u64, u64, u64)>,
    requests: u64,
    accepts: u64,
}

impl Sre {
    pub fn new(seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        Self { random, seconds: VecDeque::new(), requests: 0, accepts: 0 }
    }

    fn count(&mut self, now: Micros, requests: u64, accepts: u64) {
        let second = now / SECOND;
        while let Some((first, old_requests, old_accepts)) = self.seconds.front().copied()
            && first + WINDOW <= second
        {
            self.seconds.pop_front();
            self.requests -= old_requests;
            self.accepts -= old_accepts;
        }
        match self.seconds.back_mut().filter(|last| last.0 == second) {
            Some(last) => (last.1, last.2) = (last.1 + requests, last.2 + accepts),
            None => self.seconds.push_back((second, requests, accepts)),
        }
        self.requests += requests;
        self.accepts += accepts;
    }

    /// The probability of a rejection.
    fn rejection(&self) -> f64 {
        let excess = self.requests.saturating_sub(K * self.accepts);
        excess as f64 / (self.requests + 1) as f64
    }
}

impl Policy for Sre {
    fn may_send(&mut self, now: Micros, due: &Due<'_>) -> Gate {
        if due.in_flight >= IN_FLIGHT {
            return Gate::Busy;
        }
        self.count(now, 0, 0);
        if self.random.f64() < self.rejection() {
            self.count(now, 1, 0);
            return Gate::Later(SECOND << due.put_off.min(7));
        }
        Gate::Send
    }

    fn started(&mut self, _: Micros) {}

    fn ended(&mut self, now: Micros, _: Micros, _: usize, end: End) {
        self.count(now, 1, u64::from(end == End::Taken));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_rejected_while_half_is_taken() {
        let mut sre = Sre::new(1);
        sre.count(0, 100, 50);
        assert_eq!(sre.rejection(), 0.0);
    }

    #[test]
    fn rejection_follows_the_formula() {
        let mut sre = Sre::new(1);
        sre.count(0, 99, 20);
        assert!((sre.rejection() - 0.59).abs() < 1e-9);
    }

    #[test]
    fn window_forgets_after_two_minutes() {
        let mut sre = Sre::new(1);
        sre.count(0, 99, 0);
        sre.count(WINDOW * SECOND - 1, 1, 1);
        assert_eq!((sre.requests, sre.accepts), (100, 1));
        sre.count(WINDOW * SECOND, 0, 0);
        assert_eq!((sre.requests, sre.accepts), (1, 1));
    }
}
