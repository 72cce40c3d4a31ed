//! Findings about disproportionate settings: their thresholds, confirmed by simulations.

use std::num::{NonZeroU8, NonZeroU32};
use std::time::Duration;

use labhook::delivery::{DeliveryGuarantee, Jitter, Schedule};
use labhook::flow::{ConcurrencyLimitPolicy, RateLimitPolicy};
use labhook::health::{NewMessages, State};
use labhook::policy::Load;
use labhook::policy::lint::{Assumptions, Finding};
use labhook::simulate::{Behaviour, Receiver, Report, Scenario};
use labhook::{EndpointPolicy, FlowPolicy, HealthPolicy, Order, RetryPolicy};
use proptest::prelude::*;

use super::{DAY, HOUR, count, finds, hard, policies, policy, texts};
use crate::support::{config, secs};

/// Whether the finding is about a disproportionate setting.
fn is_disproportion(finding: &Finding) -> bool {
    matches!(
        finding,
        Finding::TooFewTimeoutsToDegrade { .. }
            | Finding::TooFewAttemptsToDegrade { .. }
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
                        .with_health(health.clone())
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
fn failure_window_holds_enough_failures() {
    let windowed = |seconds: u64| HealthPolicy::default().with_failure_window(secs(seconds));
    let one = FlowPolicy::adaptive().with_concurrency(ConcurrencyLimitPolicy::fixed(count(1)));
    // Timeouts at 20, 40, 60, 80 and 100 s.
    let what =
        ["risk: 5 failures within 1 min 19 s degrade the endpoint, but at most 4 attempts can \
                 time out in that time"];
    let at = |seconds| policies(policy()).with_health(windowed(seconds));
    finds(&at(79).with_flow(one), &Assumptions::new(), &what);
    finds(&at(80).with_flow(one), &Assumptions::new(), &[]);
    finds(&at(79).with_order(Order::strict()), &Assumptions::new(), &what);
    // If others may skip, or belong to other groups, they time out together.
    finds(&at(1), &Assumptions::new(), &[]);
    finds(&at(1).with_order(Order::per_key()), &Assumptions::new(), &[]);
    let skipping = Order::strict().with_skip_after_attempts(count(1));
    finds(&at(1).with_order(skipping), &Assumptions::new(), &[]);
    // A rate limit spaces them as well: two at once, and one in ten seconds.
    let slow = |burst| {
        let rate = RateLimitPolicy::new(count(6), secs(60)).with_burst(count(burst));
        FlowPolicy::adaptive().with_rate_limit(rate)
    };
    let what =
        ["risk: 5 failures within 20 s degrade the endpoint, but at most 4 attempts can time out \
                 in that time"];
    finds(&at(20).with_flow(slow(2)), &Assumptions::new(), &what);
    finds(&at(20).with_flow(slow(3)), &Assumptions::new(), &[]);
    let always = windowed(1).with_failure_window(None);
    finds(&policies(policy()).with_health(always).with_flow(one), &Assumptions::new(), &[]);

    // One message per day, and three attempts of each.
    let daily = Assumptions::new().with_load(Load::new(count(1), secs(DAY)));
    let what =
        ["risk: 5 failures within 23 h 59 min 59 s degrade the endpoint, but the load causes at \
                 most 3 attempts in that time"];
    finds(&at(DAY - 1), &daily, &what);
    finds(&at(DAY), &daily, &[]);
    finds(&at(DAY - 1).with_order(Order::strict()), &daily, &[]);
}

#[test]
fn shedding_requires_a_suspension() {
    let shed = |health: HealthPolicy| {
        let health = health.with_new_messages(NewMessages::Shed);
        policies(policy().with_window(secs(DAY))).with_health(health)
    };
    let what = ["contradiction: new messages are shed while suspended, but nothing suspends"];
    finds(&shed(HealthPolicy::default().with_suspend_after(None)), &Assumptions::new(), &what);
    let never = texts(&shed(HealthPolicy::never()), &Assumptions::new());
    assert!(never.contains(&what[0].to_owned()), "{never:?}");
    finds(&shed(HealthPolicy::default()), &Assumptions::new(), &[]);
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
fn failures_too_far_apart_never_degrade() {
    let state = |policies: &EndpointPolicy, receiver, load, duration| {
        run(policies, receiver, load, duration).time_to(State::Degraded)
    };
    let one = FlowPolicy::fixed().with_concurrency(ConcurrencyLimitPolicy::fixed(count(1)));
    let rate = RateLimitPolicy::new(count(6), secs(60)).with_burst(count(2));
    let slow = FlowPolicy::fixed()
        .with_rate_limit(rate)
        .with_concurrency(ConcurrencyLimitPolicy::fixed(count(64)));
    let strict = FlowPolicy::fixed();
    // The longest failure window that is too short, and when a longer one degrades.
    for (flow, order, most, degraded) in [
        (one, Order::none(), 79, 100),
        (strict, Order::strict(), 79, 100),
        // Two at the start, and then one in ten seconds.
        (slow, Order::none(), 29, 50),
    ] {
        for (window, degraded) in [(most, None), (most + 1, Some(secs(degraded)))] {
            let health = HealthPolicy::default().with_failure_window(secs(window));
            let all = policies(RetryPolicy::none().with_attempt_timeout(secs(20)));
            let all = all.with_health(health).with_flow(flow).with_order(order);
            let warned = all.lint(&Assumptions::new());
            let warned =
                warned.iter().any(|it| matches!(it, Finding::TooFewTimeoutsToDegrade { .. }));
            assert_eq!(warned, degraded.is_none());
            let load = Load::per_second(count(1));
            let hangs = down(DAY, Behaviour::Hangs);
            assert_eq!(state(&all, hangs, load, 600), degraded);
        }
    }

    let daily = Load::new(count(1), secs(DAY));
    for (days, degraded) in [(3, None), (4, Some(4))] {
        let health = HealthPolicy::default().with_failure_window(secs(days * DAY));
        let all = policies(RetryPolicy::none()).with_health(health);
        let warned = all.lint(&Assumptions::new().with_load(daily));
        let warned = warned.iter().any(|it| matches!(it, Finding::TooFewAttemptsToDegrade { .. }));
        assert_eq!(warned, degraded.is_none());
        let gone = down(30 * DAY, Behaviour::refuses_connections());
        let degraded = degraded.map(|days| secs(days * DAY) + Duration::from_millis(20));
        assert_eq!(state(&all, gone, daily, 30 * DAY), degraded);
    }
}

#[test]
fn endpoint_that_is_never_suspended_never_sheds() {
    let load = Load::new(count(1), secs(600));
    let shed = |health: HealthPolicy| {
        let all = policies(policy()).with_health(health.with_new_messages(NewMessages::Shed));
        run(&all, down(3 * DAY, Behaviour::refuses_connections()), load, 3 * DAY).shed
    };
    assert_eq!(shed(HealthPolicy::default().with_suspend_after(None)), 0);
    assert_eq!(shed(HealthPolicy::never()), 0);
    assert!(shed(HealthPolicy::default()) > 300);
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

proptest! {
    #![proptest_config(config())]

    /// If the linter reports too few failures, no outage of that kind degrades the endpoint.
    #[test]
    fn reported_failure_windows_never_degrade(
        failures in 2_u8..9,
        (window, timeout) in (1_u64..90, 1_u64..40),
        at_once in 1_u32..5,
        rate in prop::option::of((1_u32..4, 1_u64..60, 1_u32..4)),
        delays in prop::collection::vec(0_u64..120, 0..3),
        (events, every) in (1_u32..4, 1_u64..120),
        is_strict in any::<bool>(),
    ) {
        let policy = RetryPolicy::new(Schedule::list(delays.into_iter().map(secs)))
            .with_attempt_timeout(secs(timeout));
        let health = HealthPolicy::default()
            .with_failures(NonZeroU8::new(failures))
            .with_failure_window(secs(window));
        let mut flow = FlowPolicy::fixed().with_concurrency(ConcurrencyLimitPolicy::fixed(count(at_once)));
        if let Some((releases, per, burst)) = rate {
            let rate = RateLimitPolicy::new(count(releases), secs(per));
            flow = flow.with_rate_limit(rate.with_burst(count(burst)));
        }
        let order = if is_strict { Order::strict() } else { Order::none() };
        let mut all = policies(policy).with_health(health).with_flow(flow).with_order(order);
        let load = Load::new(count(events), secs(every));
        let warned = |all: &EndpointPolicy, expected: Assumptions, of: fn(&Finding) -> bool| {
            all.lint(&expected).iter().any(of)
        };
        let degrades = |all: &EndpointPolicy, behaviour| {
            run(all, down(DAY, behaviour), load, 1_200).time_to(State::Degraded).is_some()
        };
        let none = Assumptions::new();
        if warned(&all, none, |it| matches!(it, Finding::TooFewTimeoutsToDegrade { .. })) {
            prop_assert!(!degrades(&all, Behaviour::Hangs));
        }
        // Limited by the load alone.
        all.flow = FlowPolicy::fixed().with_concurrency(ConcurrencyLimitPolicy::fixed(count(10_000)));
        all.order = Order::none();
        let expected = Assumptions::new().with_load(load);
        if warned(&all, expected, |it| matches!(it, Finding::TooFewAttemptsToDegrade { .. })) {
            for behaviour in [Behaviour::Hangs, Behaviour::refuses_connections()] {
                prop_assert!(!degrades(&all, behaviour));
            }
        }
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
