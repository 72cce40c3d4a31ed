//! A concurrency limit that follows the latency, after the idea of Netflix's gradient2: the ratio
//! of the long-term latency to the current one, with a tolerance of 1.5.

use crate::engine::Micros;
use crate::policy::{Due, End, Gate, IN_FLIGHT, Policy};

const START: f64 = 20.0;
const LEAST: f64 = 1.0;
const QUEUE: f64 = 4.0;
const TOLERANCE: f64 = 1.5;
const SMOOTHING: f64 = 0.2;
/// The long-term latency is an average over this number of samples.
const LONG: f64 = 600.0;
/// Its first samples are averaged plainly.
const WARM_UP: u64 = 10;

pub struct Gradient {
    limit: f64,
    long: f64,
    samples: u64,
}

impl Gradient {
    pub fn new() -> Self {
        Self { limit: START, long: 0.0, samples: 0 }
    }

    fn sample(&mut self, latency: f64, in_flight: usize) {
        self.samples += 1;
        if self.samples <= WARM_UP {
            self.long += (latency - self.long) / self.samples as f64;
        } else {
            self.long += (latency - self.long) * 2.0 / (LONG + 1.0);
        }
        // The long-term latency recovers faster than it grew.
        if self.long / latency > 2.0 {
            self.long *= 0.95;
        }
        // A limit that is not used says nothing.
        if (in_flight as f64) < self.limit / 2.0 {
            return;
        }
        let gradient = (TOLERANCE * self.long / latency).clamp(0.5, 1.0);
        let limit = self.limit * gradient + QUEUE;
        self.limit += (limit - self.limit) * SMOOTHING;
        self.limit = self.limit.clamp(LEAST, IN_FLIGHT as f64);
    }
}

impl Policy for Gradient {
    fn may_send(&mut self, _: Micros, due: &Due<'_>) -> Gate {
        if (due.in_flight as f64) < self.limit.floor() { Gate::Send } else { Gate::Busy }
    }

    fn started(&mut self, _: Micros) {}

    fn ended(&mut self, _: Micros, latency: Micros, in_flight: usize, end: End) {
        // What is refused at once says nothing about how long the work takes.
        if end != End::Refused {
            self.sample(latency.max(1) as f64, in_flight + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steady_latency_lets_a_used_limit_grow() {
        let mut gradient = Gradient::new();
        for _ in 0..1_000 {
            let used = gradient.limit as usize;
            gradient.sample(20_000.0, used);
        }
        assert_eq!(gradient.limit, IN_FLIGHT as f64);
    }

    #[test]
    fn slower_responses_lower_the_limit() {
        let mut gradient = Gradient::new();
        gradient.limit = 100.0;
        for _ in 0..20 {
            gradient.sample(20_000.0, 100);
        }
        let before = gradient.limit;
        for _ in 0..10 {
            gradient.sample(100_000.0, 150);
        }
        assert!(gradient.limit < before, "{} is not below {before}", gradient.limit);
    }

    #[test]
    fn unused_limit_stays() {
        let mut gradient = Gradient::new();
        gradient.sample(20_000.0, 3);
        assert_eq!(gradient.limit, START);
    }
}
