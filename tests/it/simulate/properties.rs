//! Properties of every report.

use std::num::NonZeroUsize;

use http::StatusCode;
use labhook::delivery::{Jitter, Schedule};
use labhook::policy::Load;
use labhook::simulate::{Behaviour, Receiver, Scenario};
use labhook::{EndpointPolicy, FlowPolicy, HealthPolicy, Order, RetryPolicy};
use proptest::prelude::*;

use super::{count, down, run, unavailable};
use crate::support::{answer, config, secs};

#[test]
fn run_is_repeatable_and_depends_on_the_seed() {
    let scenario = Scenario::new(Load::per_second(count(2)), secs(600))
        .with_points(NonZeroUsize::new(16).unwrap())
        .add_endpoint(EndpointPolicy::new(RetryPolicy::svix()), down(60, unavailable()));
    let report = run(&scenario);
    assert_eq!(report, run(&scenario));
    assert_ne!(report, run(&scenario.clone().with_seed(1)));
    assert!(report.series.points().len() <= 16);
}

fn behaviour() -> impl Strategy<Value = Behaviour> {
    prop_oneof![
        Just(Behaviour::refuses_connections()),
        Just(Behaviour::Hangs),
        prop::sample::select(vec![429_u16, 500, 503, 400])
            .prop_map(|status| Behaviour::Responds(answer(status))),
        (1_u64..600).prop_map(|pause| {
            Behaviour::retry_after(StatusCode::SERVICE_UNAVAILABLE, secs(pause))
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..config() })]

    /// For any policies and outages the report's numbers add up, and a receiver whose responses
    /// arrive gets no duplicates.
    #[test]
    fn reports_balance_for_any_policy(
        delays in prop::collection::vec(0_u64..2_000, 0..6),
        jitter in prop_oneof![Just(Jitter::NONE), Just(Jitter::FULL), Just(Jitter::EQUAL)],
        window in prop::option::of(1_u64..4_000),
        order in prop_oneof![Just(Order::none()), Just(Order::per_key()), Just(Order::strict())],
        has_health in any::<bool>(),
        is_adaptive in any::<bool>(),
        (events, capacity) in (1_u32..20, prop::option::of(1_u32..10)),
        outages in prop::collection::vec((0_u64..900, 1_u64..900, behaviour()), 0..4),
        (seed, points) in (any::<u64>(), 1_usize..64),
    ) {
        let policy = RetryPolicy::new(Schedule::list(delays.into_iter().map(secs)))
            .with_jitter(jitter)
            .with_window(window.map(secs));
        let mut policies = EndpointPolicy::new(policy).with_order(order);
        if !has_health {
            policies = policies.with_health(HealthPolicy::never());
        }
        if !is_adaptive {
            policies = policies.with_flow(FlowPolicy::fixed());
        }
        let mut receiver = Receiver::new();
        if let Some(capacity) = capacity {
            receiver = receiver.with_capacity(count(capacity));
        }
        for (from, lasts, behaviour) in outages {
            receiver = receiver.add_outage(secs(from), secs(from + lasts), behaviour);
        }
        let load = Load::new(count(events), secs(20)).with_keys(count(3));
        let scenario = Scenario::new(load, secs(600))
            .with_seed(seed)
            .with_points(NonZeroUsize::new(points).unwrap())
            .add_endpoint(policies.clone(), receiver);
        let report = run(&scenario);
        prop_assert_eq!(report.duplicates, 0);
        prop_assert_eq!(report.pending, 0);
        prop_assert!(report.series.points().len() <= points);
        prop_assert!(report.retries <= report.attempts);
        if let Some(most) = policies.summary().attempts {
            prop_assert!(report.most_attempts <= most, "{} of {}", report.most_attempts, most);
        }
        prop_assert_eq!(&report, &run(&scenario));
    }
}
