//! Results of a simulation: [`Report`].

use std::collections::BTreeMap;
use std::time::Duration;

use super::series::Series;
use crate::delivery::Verdict;
use crate::health::State;

/// Results of a simulation for one endpoint.
///
/// Times are since the start of the simulation, unless a field says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Messages that were accepted for the endpoint.
    pub accepted: u64,
    /// Messages that were shed because the endpoint was down for too long or disabled.
    pub shed: u64,
    /// Deliveries that ended, by verdict.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// Deliveries that were still pending when the simulation ended.
    pub pending: u64,
    /// Attempts that were started.
    pub attempts: u64,
    /// Attempts that were not the first of their delivery.
    pub retries: u64,
    /// The most attempts of any delivery that ended.
    pub most_attempts: u32,
    /// Attempts that got no 2xx response in time.
    pub failed: u64,
    /// Attempts that were started during outages, those of flapping included.
    pub while_down: u64,
    /// Requests that the receiver's capacity, a limiter or its queue refused.
    pub overloaded: u64,
    /// Copies that the receiver accepted beyond the first of each message, whether or not it
    /// noticed that they were copies.
    pub duplicates: u64,
    /// Delivery latency: p50, p99 and maximum; `None` if nothing was delivered.
    pub latency: Option<Latency>,
    /// The messages that are not poisoned.
    pub good: GoodMessages,
    /// The most attempts that were started in one whole second.
    pub peak_requests: u64,
    /// The most retries that were started in one whole second.
    pub peak_retries: u64,
    /// Time in which the sender held back for no reason, in whole seconds: a delivery that the
    /// receiver would have accepted was due at the start of the second, and nothing was sent in it.
    pub held_back: Duration,
    /// Time in which the endpoint was in another state than [`State::Healthy`].
    pub not_healthy: Duration,
    /// Start of the first outage, if there was one.
    pub outage_start: Option<Duration>,
    /// Recovery from the last outage, if there was one.
    pub recovery: Option<Recovery>,
    /// The endpoint's state changes, in order.
    pub states: Vec<(Duration, State)>,
    /// End of the simulation.
    pub ended_at: Duration,
    /// Attempts, deliveries and backlog over time.
    pub series: Series,
}

impl Report {
    /// Returns the number of deliveries that ended with this verdict.
    #[must_use]
    pub fn ended(&self, verdict: Verdict) -> u64 {
        self.verdicts.get(&verdict).copied().unwrap_or(0)
    }

    /// Returns the time from the start of the first outage to the first change to this state
    /// after it, if there was one.
    #[must_use]
    pub fn time_to(&self, state: State) -> Option<Duration> {
        let start = self.outage_start?;
        let change = self.states.iter().find(|(at, to)| *at >= start && *to == state);
        change.map(|(at, _)| at.saturating_sub(start))
    }
}

/// Messages of a report that are not [poisoned](super::Poison).
#[doc(alias = "goodput")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct GoodMessages {
    /// Messages that were published, whether accepted for the endpoint or shed.
    pub published: u64,
    /// Deliveries that ended as delivered.
    pub delivered: u64,
    /// Their latency: p50, p99 and maximum; `None` if nothing was delivered.
    pub latency: Option<Latency>,
}

/// Delivery latency, from a message's acceptance to the response that delivered it. Percentiles
/// are by nearest rank.
#[doc(alias = "percentile")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Latency {
    /// The median.
    pub p50: Duration,
    /// The 99th percentile.
    pub p99: Duration,
    /// The maximum.
    pub max: Duration,
}

impl Latency {
    /// Summarises latencies in microseconds.
    pub(super) fn from_micros(mut micros: Vec<u64>) -> Option<Self> {
        micros.sort_unstable();
        let rank = |percent: usize| {
            let rank = micros.len().saturating_mul(percent).div_ceil(100).saturating_sub(1);
            micros.get(rank).copied().map(Duration::from_micros)
        };
        Some(Self { p50: rank(50)?, p99: rank(99)?, max: rank(100)? })
    }
}

/// Recovery from the last outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Recovery {
    /// End of the last outage.
    pub at: Duration,
    /// Time from the end of the outage to the first request since then that the receiver accepted;
    /// `None` if there was none.
    pub first_success_after: Option<Duration>,
    /// The most attempts that were started in one whole second since.
    pub peak_requests: u64,
    /// The most retries that were started in one whole second since.
    pub peak_retries: u64,
    /// Time from the end of the outage until every delivery from before it had ended; `None` if
    /// one had not.
    pub drained_after: Option<Duration>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_use_the_nearest_rank() {
        let summary = |micros: Vec<u64>| {
            let Latency { p50, p99, max } = Latency::from_micros(micros)?;
            Some([p50, p99, max].map(|latency| latency.as_micros()))
        };
        assert_eq!(summary(Vec::new()), None);
        assert_eq!(summary(vec![7]), Some([7, 7, 7]));
        assert_eq!(summary((1..=200).rev().collect()), Some([100, 198, 200]));
    }
}
