//! Bounds of the linter and the summary, held against simulations.

use std::num::NonZeroU32;
use std::time::Duration;

use http::StatusCode;
use labhook::delivery::{Jitter, Schedule};
use labhook::flow::{ConcurrencyLimitPolicy, RateLimitPolicy};
use labhook::health::State;
use labhook::policy::Load;
use labhook::policy::lint::{Assumptions, Finding, Severity};
use labhook::simulate::{Behaviour, Receiver, Report, Scenario};
use labhook::{EndpointPolicy, FlowPolicy, HealthPolicy, Order, RetryPolicy, Verdict};
use proptest::prelude::*;

use super::{count, hard};
use crate::support::{config, policy, secs};

fn run(policies: &EndpointPolicy, receiver: Receiver, load: Load, duration: u64) -> Report {
    let scenario = Scenario::new(load, secs(duration)).add_endpoint(policies.clone(), receiver);
    scenario.run().remove(0)
}

fn down(behaviour: Behaviour) -> Receiver {
    Receiver::new().add_outage(Duration::ZERO, Duration::MAX, behaviour)
}

fn asks_for(pause: u64) -> Behaviour {
    Behaviour::retry_after(StatusCode::SERVICE_UNAVAILABLE, secs(pause))
}

fn window_exceeds_schedule(policies: &EndpointPolicy) -> Option<Finding> {
    let mut found = policies.lint(&Assumptions::new()).into_iter();
    found.find(|it| matches!(it, Finding::WindowExceedsSchedule { .. }))
}

#[test]
fn unreached_window_ends_only_delayed_deliveries() {
    let windowed = || hard(policy(&[5, 20]).with_window(secs(8_000)));
    let expired = |policies: &EndpointPolicy, behaviour, load| {
        // The finding is a note in all of these cases.
        assert_eq!(window_exceeds_schedule(policies).unwrap().severity(), Severity::Note);
        run(policies, down(behaviour), load, 1_000).ended(Verdict::Expired)
    };
    // One delivery follows its schedule, and so do many if concurrency allows it.
    let (rare, often) = (Load::new(count(1), secs(1_000)), Load::per_second(count(10)));
    let roomy = FlowPolicy::fixed().with_concurrency(ConcurrencyLimitPolicy::fixed(count(10_000)));
    for behaviour in [Behaviour::Hangs, Behaviour::refuses_connections()] {
        assert_eq!(expired(&windowed(), behaviour.clone(), rare), 0);
        assert_eq!(expired(&windowed().with_flow(roomy), behaviour, often), 0);
    }
    // Ten times the rate limit: the last first attempt is long past its window, but made.
    let rate = FlowPolicy::fixed().with_rate_limit(RateLimitPolicy::per_second(NonZeroU32::MIN));
    let healthy = Behaviour::status(StatusCode::OK);
    assert_eq!(expired(&windowed().with_flow(rate), healthy, often), 0);
    // Eight at a time, each for its full timeout.
    assert!(expired(&windowed(), Behaviour::Hangs, often) > 0);
    // Each `Retry-After` pauses the others as well.
    assert!(expired(&windowed(), asks_for(3_600), often) > 0);
}

/// An endpoint that is down after the first failure, with a message due whenever a probe is.
fn escalating(health: HealthPolicy, timeout: u64) -> EndpointPolicy {
    let endless =
        RetryPolicy::new(Schedule::list([secs(1)]).forever()).with_attempt_timeout(secs(timeout));
    let health = health.with_failures(NonZeroU32::MIN).with_refused_for(Duration::ZERO);
    EndpointPolicy::new(endless).with_health(health).with_flow(FlowPolicy::fixed())
}

#[test]
fn undelayed_probes_disable_in_time() {
    let health = HealthPolicy::new().with_probes(secs(60), secs(60)).with_disable_after(secs(600));
    let policies = escalating(health, 30);
    let longest = policies.summary().time_to_disable.unwrap();
    assert_eq!(longest, secs(600 + 30));
    let took = |policies: &EndpointPolicy, behaviour| {
        let load = Load::new(count(1), secs(10));
        let report = run(policies, down(behaviour), load, 86_400);
        report.time_to(State::Disabled).expect("it is disabled within a day")
    };
    let latency = Duration::from_millis(20);
    assert_eq!(took(&policies, Behaviour::refuses_connections()), secs(600) + 2 * latency);
    // The attempt that opens the circuit times out as well.
    assert_eq!(took(&policies, Behaviour::Hangs), longest + secs(30));

    // The first probe is the second request in a row for a pause, which is granted. The next probe
    // comes after it, or after the cap, and disables.
    let about = |took: Duration, pause: u64| {
        let first_probe = took - secs(pause) - 3 * latency;
        assert!(first_probe >= secs(54) && first_probe <= secs(66), "{took:?}");
    };
    about(took(&policies, asks_for(3_000)), 3_000);
    let capped = |cap| {
        let retry = policies.retry.clone().with_retry_after_cap(secs(cap));
        took(&policies.clone().with_retry(retry), asks_for(3_000))
    };
    about(capped(1_000), 1_000);
    assert!(capped(60) <= longest + secs(60));
}

proptest! {
    #![proptest_config(config())]

    /// If the linter reports that the schedule never reaches the window's end, no single delivery
    /// does, however its receiver fails and whatever `Retry-After` it sends.
    #[test]
    fn unreached_window_ends_no_single_delivery(
        delays in prop::collection::vec(0_u64..300, 0..5),
        jitter in prop_oneof![
            3 => Just(Jitter::NONE),
            1 => Just(Jitter::FULL),
            1 => Just(Jitter::plus_minus(40)),
            1 => Just(Jitter::decorrelated(secs(1), secs(200))),
        ],
        (timeout, limit) in (1_u64..20, prop::option::of(1_u32..5)),
        (beyond, short_of) in (0_u64..40, 0_u64..20),
        (cap, asked) in (prop_oneof![Just(0), 0_u64..400], 0_u64..600),
        (seed, way) in (any::<u64>(), 0..3),
    ) {
        let policy = RetryPolicy::new(Schedule::list(delays.into_iter().map(secs)))
            .with_jitter(jitter)
            .with_attempt_timeout(secs(timeout))
            .with_max_attempts(limit.and_then(NonZeroU32::new))
            .with_retry_after_cap(secs(cap));
        // Near the start and end of the last attempt.
        let window = (policy.span() + secs(beyond)).saturating_sub(secs(timeout + short_of));
        let policy = policy.with_window(window);
        let policies = hard(policy);
        let behaviour = match way {
            0 => Behaviour::Hangs,
            1 => Behaviour::refuses_connections(),
            _ => asks_for(asked),
        };
        let scenario = Scenario::new(Load::new(count(1), secs(1)), secs(1)).with_seed(seed);
        let report = scenario.add_endpoint(policies.clone(), down(behaviour)).run().remove(0);
        prop_assert_eq!(report.accepted, 1);
        if window_exceeds_schedule(&policies).is_some() {
            prop_assert_eq!(report.ended(Verdict::Exhausted), 1);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..config() })]

    /// Only what delays a probe adds to the time to disable.
    #[test]
    fn failing_endpoint_is_disabled_in_time(
        (first, longest_wait) in (1_u64..400, 1_u64..2_000),
        (disable, timeout) in (1_u64..4_000, 1_u64..60),
        (cap, asked) in (0_u64..400, 0_u64..600),
        way in 0..3,
        strict in any::<bool>(),
    ) {
        let health = HealthPolicy::new()
            .with_probes(secs(first), secs(longest_wait))
            .with_disable_after(secs(disable));
        let order = if strict { Order::strict() } else { Order::none() };
        let policies = escalating(health, timeout).with_order(order);
        let retry = policies.retry.clone().with_retry_after_cap(secs(cap));
        let policies = policies.with_retry(retry);
        let (behaviour, pause) = match way {
            0 => (Behaviour::Hangs, 0),
            1 => (Behaviour::refuses_connections(), 0),
            _ => (asks_for(asked), asked.min(cap)),
        };
        let report = run(&policies, down(behaviour), Load::new(count(1), secs(10)), 20_000);
        let took = report.time_to(State::Disabled).expect("it is disabled in the end");
        // It counts from the failure that opens the circuit, which takes at most one timeout. When
        // the last probe is due, the receiver may just have asked for a pause, and the next message
        // comes within ten seconds.
        let longest = policies.summary().time_to_disable.unwrap() + secs(timeout);
        let delayed = secs(pause) + secs(10);
        prop_assert!(took <= longest + delayed, "{took:?}, {longest:?} and {delayed:?}");
        prop_assert!(took >= secs(disable), "early");
    }
}
