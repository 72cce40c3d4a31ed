//! What a simulation came to: [`Report`].

use std::collections::BTreeMap;
use std::time::Duration;

use super::series::Series;
use crate::delivery::Verdict;
use crate::health::State;

/// What became of one endpoint in a simulation.
///
/// All times are since its start, unless they say otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The messages that were accepted for the endpoint.
    pub accepted: u64,
    /// The messages that were not, since it was suspended or disabled.
    pub shed: u64,
    /// The deliveries that ended, by how they did.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// The deliveries that had not ended when the simulation did.
    pub pending: u64,
    /// The attempts that were started.
    pub attempts: u64,
    /// Those of them that were not the first of their delivery.
    pub retries: u64,
    /// The most attempts of one delivery that ended.
    pub most_attempts: u32,
    /// The requests that the receiver refused for its capacity.
    pub refused: u64,
    /// The copies that it took beyond the first of each message.
    pub duplicates: u64,
    /// How long the delivered messages took; `None` where none was.
    pub delays: Option<Delays>,
    /// The most attempts that were started in one whole second.
    pub peak_requests: u64,
    /// The most retries among them in one whole second.
    pub peak_retries: u64,
    /// When the first outage began, where there was one.
    pub down_at: Option<Duration>,
    /// What followed the last outage, where there was one.
    pub recovery: Option<Recovery>,
    /// The endpoint's states from its first change on, in their order.
    pub states: Vec<(Duration, State)>,
    /// When the last thing happened.
    pub ended_at: Duration,
    /// Attempts, deliveries and backlog over time.
    pub series: Series,
}

impl Report {
    /// How many deliveries ended in this way.
    #[must_use]
    pub fn ended(&self, verdict: Verdict) -> u64 {
        self.verdicts.get(&verdict).copied().unwrap_or(0)
    }

    /// The time from the start of the first outage to the first change to this state after it, if
    /// there was one.
    #[must_use]
    pub fn time_to(&self, state: State) -> Option<Duration> {
        let down_at = self.down_at?;
        let change = self.states.iter().find(|(at, to)| *at >= down_at && *to == state);
        change.map(|(at, _)| at.saturating_sub(down_at))
    }
}

/// How long messages took from their acceptance to the answer that the receiver has them: the
/// delays that half of the delivered ones, 99 in 100 of them and all of them do not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Delays {
    /// Half of them.
    pub p50: Duration,
    /// 99 in 100.
    pub p99: Duration,
    /// All.
    pub max: Duration,
}

impl Delays {
    /// Of delays in microseconds.
    pub(super) fn of(mut micros: Vec<u64>) -> Option<Self> {
        micros.sort_unstable();
        let rank = |percent: usize| {
            let rank = micros.len().saturating_mul(percent).div_ceil(100).saturating_sub(1);
            micros.get(rank).copied().map(Duration::from_micros)
        };
        Some(Self { p50: rank(50)?, p99: rank(99)?, max: rank(100)? })
    }
}

/// What followed the end of the last outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Recovery {
    /// When it ended.
    pub at: Duration,
    /// The most attempts that were started in one whole second since.
    pub peak_requests: u64,
    /// The most retries among them in one whole second.
    pub peak_retries: u64,
    /// How long it took from then until every delivery from before had ended; `None` where one had
    /// not.
    pub drained_after: Option<Duration>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        let of = |delays: Vec<u64>| {
            let Delays { p50, p99, max } = Delays::of(delays)?;
            Some([p50, p99, max].map(|delay| delay.as_micros()))
        };
        assert_eq!(of(Vec::new()), None);
        assert_eq!(of(vec![7]), Some([7, 7, 7]));
        assert_eq!(of((1..=200).rev().collect()), Some([100, 198, 200]));
    }
}
