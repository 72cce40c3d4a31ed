//! What one run of a peer came to: [`Tally`].

use crate::engine::{Micros, SECOND};
use crate::policy::End;

/// Counts of one run.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    recovered_at: Option<Micros>,
    pub published: u64,
    pub pending: u64,
    pub given_up: u64,
    pub requests: u64,
    pub failed: u64,
    /// Requests while the receiver was down.
    pub while_down: u64,
    /// From the last recovery to the first request that was accepted.
    pub first_success: Option<Micros>,
    /// The most requests in one whole second since the last recovery.
    pub peak: u64,
    second: (u64, u64),
    /// The latency of each good message that was delivered.
    latencies: Vec<Micros>,
}

impl Tally {
    pub fn new(recovered_at: Option<Micros>) -> Self {
        Self { recovered_at, ..Self::default() }
    }

    pub fn started(&mut self, now: Micros, is_down: bool) {
        self.requests += 1;
        self.while_down += u64::from(is_down);
        if self.recovered_at.is_some_and(|at| at <= now) {
            let second = now / SECOND;
            let before = if self.second.0 == second { self.second.1 } else { 0 };
            self.second = (second, before + 1);
            self.peak = self.peak.max(self.second.1);
        }
    }

    /// A request was accepted.
    pub fn accepted(&mut self, now: Micros) {
        if self.first_success.is_none()
            && let Some(after) = self.recovered_at.and_then(|at| now.checked_sub(at))
        {
            self.first_success = Some(after);
        }
    }

    pub fn ended(&mut self, end: End) {
        self.failed += u64::from(end != End::Taken);
    }

    /// A good message was delivered, this long after it was published.
    pub fn delivered(&mut self, after: Micros) {
        self.latencies.push(after);
    }

    /// Good messages that were delivered.
    pub fn good(&self) -> u64 {
        self.latencies.len() as u64
    }

    /// The median latency of good messages and its 99th percentile, by nearest rank.
    pub fn percentiles(&mut self) -> Option<(Micros, Micros)> {
        let latencies = &mut self.latencies;
        let rank = |percent: usize| (latencies.len() * percent).div_ceil(100).checked_sub(1);
        let (p50, p99) = (rank(50)?, rank(99)?);
        let p50 = *latencies.select_nth_unstable(p50).1;
        let p99 = *latencies.select_nth_unstable(p99).1;
        Some((p50, p99))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_use_the_nearest_rank() {
        let mut tally = Tally { latencies: (1..=200).rev().collect(), ..Tally::default() };
        assert_eq!(tally.percentiles(), Some((100, 198)));
        assert_eq!(Tally::default().percentiles(), None);
    }

    #[test]
    fn peak_counts_from_the_recovery() {
        let mut tally = Tally::new(Some(10 * SECOND));
        for now in [5 * SECOND, 5 * SECOND, 11 * SECOND, 12 * SECOND, 12 * SECOND + 1] {
            tally.started(now, now < 10 * SECOND);
        }
        tally.accepted(12 * SECOND);
        assert_eq!((tally.while_down, tally.peak, tally.first_success), (2, 2, Some(2 * SECOND)));
    }
}
