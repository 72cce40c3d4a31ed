//! What is measured of one run: [`Measure`].

use std::num::NonZeroUsize;
use std::time::Duration;

use labhook::EndpointPolicy;
use labhook::simulate::Scenario;

use crate::engine::{self, Course};
use crate::policy::Name;
use crate::weather::Weather;

/// The figures of one run.
#[derive(Clone, Debug, Default)]
pub struct Measure {
    /// Good messages that were delivered.
    pub good: u64,
    pub requests: u64,
    pub failed: u64,
    /// Latency of good messages.
    pub p50: Option<Duration>,
    pub p99: Option<Duration>,
    /// Requests while the receiver was down.
    pub while_down: u64,
    /// From the last recovery to the first success.
    pub first_success: Option<Duration>,
    /// The most requests in a second since the last recovery.
    pub peak: u64,
    /// How long labhook held back while the receiver took most.
    pub held_back: Option<Duration>,
    /// How long labhook took the endpoint for unhealthy.
    pub not_healthy: Option<Duration>,
}

impl Measure {
    /// Failed requests in percent of all.
    pub fn failed_percent(&self) -> f64 {
        if self.requests == 0 { 0.0 } else { 100.0 * self.failed as f64 / self.requests as f64 }
    }

    /// Goodput in percent of the oracle's.
    pub fn goodput(&self, oracle: &Self) -> f64 {
        if oracle.good == 0 { 100.0 } else { 100.0 * self.good as f64 / oracle.good as f64 }
    }
}

/// Runs a policy through a weather.
pub fn run(weather: &Weather, name: Name, seed: u64) -> Measure {
    match name.policy(seed, weather.oracle_in_flight) {
        None => labhook(weather, seed),
        Some(mut policy) => {
            let micros = |at: Duration| at.as_micros() as u64;
            let course = Course {
                arrivals: &weather.arrivals(),
                end: micros(weather.ends),
                recovered_at: weather.recovered_at.map(micros),
            };
            let mut world = weather.receiver.start(seed);
            let mut tally = engine::run(&course, &mut *policy, &mut world);
            let percentiles = tally.percentiles();
            Measure {
                good: tally.good(),
                requests: tally.requests,
                failed: tally.failed,
                p50: percentiles.map(|it| Duration::from_micros(it.0)),
                p99: percentiles.map(|it| Duration::from_micros(it.1)),
                while_down: tally.while_down,
                first_success: tally.first_success.map(Duration::from_micros),
                peak: tally.peak,
                held_back: None,
                not_healthy: None,
            }
        }
    }
}

/// Runs the crate's defaults, in the real outbox.
fn labhook(weather: &Weather, seed: u64) -> Measure {
    let mut scenario = Scenario::new(weather.arrival_load(), weather.lasts)
        .with_seed(seed)
        .with_limit(weather.ends)
        .with_points(NonZeroUsize::MIN)
        .add_endpoint(EndpointPolicy::default(), weather.receiver.clone());
    for (at, lasts, shift) in &weather.clock_jumps {
        scenario = scenario.add_clock_jump(*at, *lasts, *shift);
    }
    let reports = scenario.run();
    let report = &reports[0];
    Measure {
        good: report.good.delivered,
        requests: report.attempts,
        failed: report.failed,
        p50: report.good.latency.map(|it| it.p50),
        p99: report.good.latency.map(|it| it.p99),
        while_down: report.while_down,
        first_success: report.recovery.and_then(|it| it.first_success_after),
        peak: report.recovery.map_or(0, |it| it.peak_requests),
        held_back: Some(report.held_back),
        not_healthy: Some(report.not_healthy),
    }
}
