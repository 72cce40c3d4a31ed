//! Loads, capacities, and several endpoints.

use std::time::Duration;

use labhook::delivery::{Failure, Schedule};
use labhook::health::State;
use labhook::policy::Load;
use labhook::simulate::{Behaviour, Receiver, Scenario};
use labhook::{EndpointPolicy, Order, Outcome, RetryPolicy, Verdict};

use super::{count, down, millis, one, plain, run, unavailable};
use crate::support::{answer, secs};

#[test]
fn receiver_accepts_its_capacity_in_any_second() {
    // A hundred at once; the fifty over the capacity are retried a second later.
    let policy = RetryPolicy::new(Schedule::list([secs(1)]));
    let receiver = Receiver::new().with_capacity(count(50)).with_latency(Duration::ZERO);
    let load = Load::new(count(1_000_000), secs(1));
    let at_once = Scenario::new(load, Duration::from_micros(100));
    let report = run(&at_once.clone().add_endpoint(plain(policy.clone()), receiver.clone()));
    assert_eq!((report.accepted, report.attempts, report.overloaded), (100, 150, 50));
    assert_eq!((report.peak_requests, report.peak_retries), (100, 50));
    assert_eq!(report.ended_at, secs(1) + Duration::from_micros(99));
    assert_eq!(report.latency.unwrap().p50, Duration::ZERO);
    assert_eq!(report.latency.unwrap().max, secs(1));
    // Another outcome than a 429.
    let gone = receiver.with_overload_outcome(answer(410));
    let report = run(&at_once.add_endpoint(plain(policy), gone));
    assert_eq!((report.ended(Verdict::Delivered), report.ended(Verdict::Gone)), (50, 1));
    assert_eq!((report.accepted, report.shed), (51, 49));
    assert_eq!(report.states, [(Duration::from_micros(50), State::Disabled)]);
}

#[test]
fn load_is_even_and_cycles_through_its_keys() {
    let load = Load::new(count(3), secs(1)).with_keys(count(2));
    let scenario = Scenario::new(load, secs(2));
    // Messages arrive at 0, 1/3, 2/3 s and so on. Those of a key wait for one another, and each
    // takes a second: three of each key, one after another.
    let policies = plain(RetryPolicy::none()).with_order(Order::per_key());
    let receiver = Receiver::new().with_latency(secs(1));
    let report = run(&scenario.clone().add_endpoint(policies, receiver.clone()));
    assert_eq!((report.accepted, report.peak_requests), (6, 2));
    assert_eq!(report.ended_at, secs(3) + Duration::from_micros(333_333));
    let backlog: Vec<_> = report.series.points().iter().map(|it| it.backlog).collect();
    assert_eq!(backlog, [3, 4, 4, 2]);
    let report = run(&scenario.add_endpoint(plain(RetryPolicy::none()), receiver));
    assert_eq!(report.ended_at, secs(2) + Duration::from_micros(666_666));
}

#[test]
fn each_endpoint_has_its_own_report() {
    let policy = || plain(RetryPolicy::new(Schedule::list([secs(5)])));
    let scenario = one()
        .add_endpoint(policy(), Receiver::new())
        .add_endpoint(policy(), down(2, Behaviour::Responds(Outcome::failed(Failure::Tls))));
    let attempts: Vec<_> = scenario.run().iter().map(|report| report.attempts).collect();
    assert_eq!(attempts, [1, 2]);
}

#[test]
fn endpoint_can_have_its_own_load() {
    let policies = || plain(RetryPolicy::svix());
    let shared = Scenario::new(Load::per_second(count(2)), secs(60));
    let busy = Load::per_second(count(5)).with_keys(count(1));
    let receiver = || down(20, unavailable());
    let reports = shared
        .clone()
        .add_endpoint(policies(), receiver())
        .add_endpoint_with_load(policies().with_order(Order::strict()), Receiver::new(), busy)
        .add_endpoint(policies(), Receiver::new())
        .run();
    let accepted: Vec<_> = reports.iter().map(|report| report.accepted).collect();
    assert_eq!(accepted, [120, 300, 120]);
    assert!(reports.iter().all(|report| report.ended(Verdict::Delivered) == report.accepted));
    assert!(reports.iter().all(|report| (report.shed, report.duplicates) == (0, 0)));
    // Its latency is that of its own events.
    assert_eq!(reports[1].latency.unwrap().max, millis(20));
    // The first one behaves as if it were alone, jitter included.
    let mut alone = run(&shared.clone().add_endpoint(policies(), receiver()));
    assert!(alone.retries > 40);
    // A series continues to the end of the simulation.
    assert!(reports[0].series.points().starts_with(alone.series.points()));
    (alone.ended_at, alone.series) = (reports[0].ended_at, reports[0].series.clone());
    assert_eq!(reports[0], alone);

    // No endpoint has the shared load, and a load cycles through its own keys.
    let none = EndpointPolicy::new(RetryPolicy::none()).with_order(Order::per_key());
    let slow = Receiver::new().with_latency(secs(1));
    let report = run(&shared.add_endpoint_with_load(none, slow, busy));
    assert_eq!((report.accepted, report.ended_at), (300, secs(300)));
}

#[test]
fn bursts_keep_the_rate() {
    let load = Load::new(count(60), secs(60)).in_bursts(count(30));
    assert_eq!([0, 29, 30, 59, 60].map(|number| load.at(number).as_secs()), [0, 0, 30, 30, 60]);
    let scenario = Scenario::new(load, secs(120));
    let report = run(&scenario.add_endpoint(plain(RetryPolicy::none()), Receiver::new()));
    assert_eq!((report.accepted, report.peak_requests), (120, 30));
    assert_eq!(report.ended_at, secs(90) + millis(20));
}
