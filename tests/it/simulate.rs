//! The simulator: small scenarios with results computed by hand, and large ones that must be quick.

mod clock;
mod evidence;
mod faults;
mod health;
mod limiters;
mod load;
mod outages;
mod properties;
mod reports;
mod test_host;

use std::num::NonZeroU32;
use std::time::Duration;

use http::StatusCode;
use labhook::flow::ConcurrencyLimitPolicy;
use labhook::policy::Load;
use labhook::simulate::{Behaviour, Receiver, Report, Scenario};
use labhook::{EndpointPolicy, FlowPolicy, HealthPolicy, RetryPolicy, Verdict};

use crate::support::secs;

const DAY: u64 = 86_400;

fn count(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// An endpoint that is limited by its retry policy and a large concurrency limit alone.
fn plain(policy: RetryPolicy) -> EndpointPolicy {
    let flow = FlowPolicy::fixed().with_concurrency(ConcurrencyLimitPolicy::fixed(count(1_000)));
    EndpointPolicy::new(policy).with_health(HealthPolicy::never()).with_flow(flow)
}

/// One message, at the start.
fn one() -> Scenario {
    Scenario::new(Load::new(count(1), secs(1)), secs(1))
}

fn down(to: u64, behaviour: Behaviour) -> Receiver {
    Receiver::new().add_outage(Duration::ZERO, secs(to), behaviour)
}

fn unavailable() -> Behaviour {
    Behaviour::status(StatusCode::SERVICE_UNAVAILABLE)
}

/// Runs a scenario with one endpoint, and checks the invariants of its report.
fn run(scenario: &Scenario) -> Report {
    let mut reports = scenario.run();
    assert_eq!(reports.len(), 1);
    let report = reports.pop().unwrap();
    let ended: u64 = report.verdicts.values().sum();
    assert_eq!(report.accepted, ended + report.pending);
    let points = report.series.points();
    let attempts = points.iter().map(|it| it.first_attempts + it.retries).sum::<u64>();
    assert_eq!(attempts, report.attempts);
    assert_eq!(points.iter().map(|it| it.retries).sum::<u64>(), report.retries);
    let delivered = points.iter().map(|it| it.delivered).sum::<u64>();
    assert_eq!(delivered, report.ended(Verdict::Delivered));
    let peak = points.iter().map(|it| it.peak_requests).max().unwrap_or(0);
    assert_eq!(peak, report.peak_requests);
    report
}

fn run_one(policy: RetryPolicy, receiver: Receiver) -> Report {
    run(&one().add_endpoint(plain(policy), receiver))
}
