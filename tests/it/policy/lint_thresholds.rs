//! Findings about disproportionate settings: their thresholds, confirmed by simulations.

use std::num::NonZeroU32;
use std::time::Duration;

use labhook::delivery::{DeliveryGuarantee, Jitter};
use labhook::health::State;
use labhook::policy::Load;
use labhook::policy::lint::{Assumptions, Finding};
use labhook::simulate::{Behaviour, Chance, Poison, Receiver, Report, Scenario};
use labhook::{EndpointPolicy, FlowPolicy, HealthPolicy, Order, RetryPolicy};

use super::{DAY, HOUR, count, finds, hard, policies, policy, texts};
use crate::support::secs;

/// Whether the finding is about a disproportionate setting.
fn is_disproportion(finding: &Finding) -> bool {
    matches!(
        finding,
        Finding::FewFailures { .. }
            | Finding::NeverSheds
            | Finding::TimeoutExceedsLifetime { .. }
            | Finding::LongTimeout { .. }
            | Finding::OrderWithoutEffect
            | Finding::SkipBeforeTimeout { .. }
    )
}

#[test]
fn presets_and_defaults_are_proportionate() {
    let presets = ["standard_webhooks", "svix", "strike", "hook0", "outpost", "event_grid"];
    let orders = [Order::none(), Order::per_key(), Order::strict()];
    let skipping = orders.map(|order| order.with_skip_after_attempts(NonZeroU32::MIN));
    let timed = orders.map(|order| order.with_skip_after(secs(600)));
    let assumptions = [20, 1].map(|events| {
        let load = Load::new(count(events), secs(60));
        Assumptions::new().with_load(load).with_outage(secs(600)).with_lifetime(secs(DAY))
    });
    for name in presets.into_iter().chain(["shopware", "none"]) {
        for health in [HealthPolicy::default(), HealthPolicy::never()] {
            for flow in [FlowPolicy::default(), FlowPolicy::adaptive(), FlowPolicy::fixed()] {
                for order in orders.into_iter().chain(skipping).chain(timed) {
                    let all = policies(RetryPolicy::named(name).unwrap())
                        .with_health(health)
                        .with_flow(flow)
                        .with_order(order);
                    for assumed in assumptions.iter().chain([&Assumptions::new()]) {
                        let found = all.lint(assumed);
                        assert!(!found.iter().any(is_disproportion), "{name}: {found:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn few_failures_are_reported() {
    let at = |failures| {
        let health = HealthPolicy::default().with_failures(NonZeroU32::new(failures));
        policies(policy()).with_health(health)
    };
    for failures in [2, 9] {
        let what = format!(
            "risk: {failures} messages in a row open the circuit, which chance or a few messages \
             that are never accepted can do"
        );
        finds(&at(failures), &Assumptions::new(), &[&*what]);
    }
    finds(&at(10), &Assumptions::new(), &[]);
    finds(&at(0), &Assumptions::new(), &[]);
}

#[test]
fn strict_order_hides_failures_unless_skipped() {
    let at = |failures, order| {
        let health = HealthPolicy::default().with_failures(NonZeroU32::new(failures));
        policies(policy()).with_health(health).with_order(order)
    };
    let what =
        ["note: 20 messages in a row open the circuit, but in strict order one is tried at \
                 a time"];
    finds(&at(20, Order::strict()), &Assumptions::new(), &what);
    for order in [
        Order::none(),
        Order::per_key(),
        Order::strict().with_skip_after_attempts(count(1)),
        Order::strict().with_skip_after(secs(60)),
    ] {
        finds(&at(20, order), &Assumptions::new(), &[]);
    }
    finds(&at(0, Order::strict()), &Assumptions::new(), &[]);
    // The first failure is never hidden.
    let found = at(1, Order::strict()).lint(&Assumptions::new());
    assert!(matches!(found[..], [Finding::FewFailures { .. }]), "{found:?}");
}

#[test]
fn shedding_requires_time_down() {
    let shed = |health: HealthPolicy, after: u64| {
        let health = health.with_shed_after(secs(after));
        policies(policy().with_window(secs(DAY))).with_health(health)
    };
    let what = ["contradiction: new messages are shed after some time down, but that time never \
                 comes"];
    let hour = || HealthPolicy::default().with_disable_after(secs(HOUR));
    finds(&shed(hour(), HOUR), &Assumptions::new(), &what);
    finds(&shed(hour(), HOUR - 1), &Assumptions::new(), &[]);
    finds(&shed(hour().with_disable_after(None), DAY), &Assumptions::new(), &[]);
    let never = texts(&shed(HealthPolicy::never(), HOUR), &Assumptions::new());
    assert!(never.contains(&what[0].to_owned()), "{never:?}");
}

#[test]
fn attempt_timeout_is_checked() {
    let timed = |timeout, window: Option<u64>| {
        let policy = policy().with_window(window.map(secs)).with_retry_after_cap(Duration::ZERO);
        hard(policy.with_attempt_timeout(secs(timeout)))
    };
    let what = [
        "risk: the attempt timeout of 15 min leaves no time for a retry, since messages live for \
                 15 min",
    ];
    finds(&timed(900, Some(900)), &Assumptions::new(), &what);
    finds(&timed(899, Some(900)), &Assumptions::new(), &[]);
    let lives = |seconds| Assumptions::new().with_lifetime(secs(seconds));
    let found = texts(&timed(900, None), &lives(900));
    assert_eq!(found[0], what[0]);
    // Without retries, none is lost.
    let once = hard(RetryPolicy::none().with_attempt_timeout(secs(900)));
    finds(&once, &lives(900), &["risk: a failed attempt is never retried"]);

    let what = ["risk: the attempt timeout of 1 h is an hour or more"];
    finds(&timed(HOUR, None), &Assumptions::new(), &what);
    finds(&timed(HOUR - 1, None), &Assumptions::new(), &[]);
}

#[test]
fn skip_after_is_checked_against_the_timeout() {
    let skip = |order: Order, millis| {
        let order = order.with_skip_after(Duration::from_millis(millis));
        policies(policy()).with_order(order)
    };
    let at_once = ["contradiction: others may skip a message at once, so the order has no effect"];
    let early =
        ["risk: others may skip a message after 19 s 999 ms, but its first attempt may take \
                  20 s"];
    for order in [Order::per_key(), Order::strict()] {
        finds(&skip(order, 0), &Assumptions::new(), &at_once);
        finds(&skip(order, 19_999), &Assumptions::new(), &early);
        finds(&skip(order, 20_000), &Assumptions::new(), &[]);
    }
    finds(&skip(Order::none(), 0), &Assumptions::new(), &[]);
    // Less than a millisecond counts as zero.
    let micros = Order::strict().with_skip_after(Duration::from_micros(999));
    finds(&policies(policy()).with_order(micros), &Assumptions::new(), &at_once);
}

/// Simulates one endpoint.
fn run(policies: &EndpointPolicy, receiver: Receiver, load: Load, duration: u64) -> Report {
    let scenario = Scenario::new(load, secs(duration)).add_endpoint(policies.clone(), receiver);
    scenario.run().remove(0)
}

fn down(to: u64, behaviour: Behaviour) -> Receiver {
    Receiver::new().add_outage(Duration::ZERO, secs(to), behaviour)
}

#[test]
fn few_failures_open_by_chance_and_by_poison() {
    let error = || Behaviour::status(http::StatusCode::INTERNAL_SERVER_ERROR);
    // A receiver that fails half of all requests, and one that can never accept nine messages.
    let receivers = [
        Receiver::new().add_chance(Chance::share(500_000, error())),
        Receiver::new().add_poison(Poison::numbers(100..109, error())),
    ];
    for (failures, opens) in [(5, true), (20, false)] {
        let health = HealthPolicy::default().with_failures(count(failures));
        let all = policies(policy()).with_health(health);
        let found = all.lint(&Assumptions::new());
        assert_eq!(found.iter().any(|it| matches!(it, Finding::FewFailures { .. })), opens);
        for receiver in receivers.clone() {
            let report = run(&all, receiver, Load::per_second(count(1)), HOUR);
            let opened = report.states.iter().any(|(_, state)| *state == State::Down);
            assert_eq!(opened, opens, "{failures} {:?}", report.states);
        }
    }
}

#[test]
fn strict_order_delays_the_circuit() {
    for (order, failures, opens) in [
        (Order::strict(), 20, false),
        (Order::strict(), 1, true),
        (Order::strict().with_skip_after_attempts(count(1)), 20, true),
        (Order::none(), 20, true),
    ] {
        let health = HealthPolicy::default().with_failures(count(failures));
        let all = policies(policy()).with_health(health).with_order(order);
        let found = all.lint(&Assumptions::new());
        let hides = found.iter().any(|it| matches!(it, Finding::OrderHidesFailures { .. }));
        assert_eq!(hides, !opens);
        let gone = down(DAY, Behaviour::refuses_connections());
        let report = run(&all, gone, Load::per_second(count(1)), HOUR);
        let opened = report.time_to(State::Down).is_some_and(|it| it < secs(HOUR));
        assert_eq!(opened, opens, "{order:?} {failures}");
    }
}

#[test]
fn endpoint_that_is_never_down_for_long_never_sheds() {
    let load = Load::new(count(1), secs(60));
    let shed = |health: HealthPolicy| {
        let all = policies(policy()).with_health(health);
        run(&all, down(3 * DAY, Behaviour::refuses_connections()), load, 3 * DAY).shed
    };
    let disabled = HealthPolicy::default().with_disable_after(secs(DAY));
    assert_eq!(shed(disabled.with_shed_after(secs(DAY))), shed(disabled), "only once disabled");
    assert_eq!(shed(HealthPolicy::never().with_shed_after(secs(HOUR))), 0);
    assert_eq!(shed(HealthPolicy::default()), 0);
    assert!(shed(disabled.with_shed_after(secs(12 * HOUR))) > shed(disabled));
    // All but those that probe.
    assert!(shed(HealthPolicy::default().with_shed_after(secs(HOUR))) > 3_000);
}

#[test]
fn timeout_beyond_the_window_loses_the_message() {
    let latency = |timeout, window: Option<u64>| {
        let policy = policy().with_jitter(Jitter::NONE).with_window(window.map(secs));
        let all = hard(policy.with_attempt_timeout(secs(timeout)));
        // The receiver hangs for a second.
        run(&all, down(1, Behaviour::Hangs), Load::new(count(1), secs(1)), 1).latency
    };
    assert_eq!(latency(900, Some(900)), None);
    let delay = |seconds| Some(secs(seconds) + Duration::from_millis(20));
    assert_eq!(latency(20, Some(900)).map(|it| it.max), delay(80));
    assert_eq!(latency(2 * HOUR, None).map(|it| it.max), delay(2 * HOUR + 60));
}

#[test]
fn order_with_immediate_skipping_has_no_effect() {
    let runs = |order| {
        let load = Load::per_second(count(2)).with_keys(count(1));
        run(&hard(policy()).with_order(order), down(60, Behaviour::Hangs), load, 120)
    };
    let none = runs(Order::none());
    assert_eq!(runs(Order::strict().with_skip_after(Duration::ZERO)), none);
    assert_ne!(runs(Order::strict().with_skip_after(secs(20))), none);

    // The first hangs, and the second arrives half a second later.
    let second = |skip| {
        let all = hard(policy()).with_order(Order::strict().with_skip_after(secs(skip)));
        let receiver = Receiver::new().add_outage(
            Duration::ZERO,
            Duration::from_millis(100),
            Behaviour::Hangs,
        );
        let report = run(&all, receiver, Load::per_second(count(2)), 1);
        report.latency.unwrap().p50
    };
    // At 5 s the first attempt is still in flight; at 20 s it has ended.
    for skip in [5, 20] {
        assert_eq!(second(skip), secs(skip) - Duration::from_millis(480));
    }
}

/// Under at-most-once delivery an attempt that times out is the last, however long it takes.
#[test]
fn long_timeout_is_fine_for_at_most_once() {
    let found = |guarantee| {
        let policy = policy().with_guarantee(guarantee).with_window(secs(30));
        let found =
            EndpointPolicy::new(policy.with_attempt_timeout(secs(30))).lint(&Assumptions::new());
        found.iter().any(|it| matches!(it, Finding::TimeoutExceedsLifetime { .. }))
    };
    assert!(found(DeliveryGuarantee::AtLeastOnce) && found(DeliveryGuarantee::Ask));
    assert!(!found(DeliveryGuarantee::AtMostOnce));
}
