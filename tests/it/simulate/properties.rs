//! Properties of every report.

use std::num::NonZeroUsize;

use http::StatusCode;
use labhook::delivery::{Jitter, Schedule};
use labhook::policy::Load;
use labhook::simulate::{
    Behaviour, Chance, ClockShift, Limiter, Poison, Processing, Queue, Receiver, Scenario,
};
use labhook::{EndpointPolicy, FlowPolicy, HealthPolicy, Order, RetryPolicy};
use proptest::prelude::*;

use super::{count, down, millis, plain, run, unavailable};
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

fn limiter() -> impl Strategy<Value = Limiter> {
    let kind = prop_oneof![
        (1_u32..20, 1_u64..30_000)
            .prop_map(|(limit, window)| Limiter::fixed_window(count(limit), millis(window))),
        (1_u32..20, 1_u64..30_000)
            .prop_map(|(limit, window)| Limiter::sliding_window(count(limit), millis(window))),
        (1_u32..20, 1_u64..30_000, 1_u32..20).prop_map(|(limit, per, burst)| {
            Limiter::token_bucket(count(limit), millis(per), count(burst))
        }),
    ];
    let steps = prop::collection::vec((0_u64..600, 1_u32..20), 0..3);
    let settings = (any::<bool>(), any::<bool>(), prop::option::of((1_u32..20, 0_u64..300)));
    (kind, steps, settings).prop_map(|(mut limiter, steps, (counts, tells, slow))| {
        for (at, limit) in steps {
            limiter = limiter.add_step(secs(at), count(limit));
        }
        if counts {
            limiter = limiter.counting_refused();
        }
        if tells {
            limiter = limiter.with_retry_after();
        }
        match slow {
            Some((from, over)) => limiter.with_slow_start(count(from), secs(over)),
            None => limiter,
        }
    })
}

/// Receivers of all kinds, except that nothing happens by chance to a request.
fn receiver() -> impl Strategy<Value = Receiver> {
    let limiters = prop::collection::vec(limiter(), 0..3);
    let queue = prop::option::of((1_u32..20, prop::option::of(0_u32..40), 1_u32..40));
    let poison = prop::collection::vec((0_u32..400_000, behaviour()), 0..2);
    let processing = prop::option::of((0_u64..90, 0_u32..1_000_000, behaviour()));
    let flapping = prop::option::of((0_u64..300, 0_u64..600, 0_u64..60, 0_u64..60, behaviour()));
    let models = (limiters, queue, poison, processing, flapping);
    models.prop_map(|(limiters, queue, poison, processing, flapping)| {
        let mut receiver = limiters.into_iter().fold(Receiver::new(), Receiver::add_limiter);
        if let Some((rate, max, threshold)) = queue {
            let queue = Queue::new(count(rate)).with_thrashing(count(threshold));
            receiver = receiver.with_queue(match max {
                Some(max) => queue.with_max_waiting(max),
                None => queue,
            });
        }
        for (share, behaviour) in poison {
            receiver = receiver.add_poison(Poison::share(share, behaviour));
        }
        if let Some((time, share, behaviour)) = processing {
            let processing = Processing::new(secs(time), behaviour);
            receiver = receiver.with_processing(processing.with_share(share));
        }
        match flapping {
            Some((from, to, period, down, behaviour)) => {
                receiver.add_flapping(secs(from), secs(to), secs(period), secs(down), behaviour)
            }
            None => receiver,
        }
    })
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
    /// The oracle foresees what a receiver does, and changes nothing.
    #[test]
    fn oracle_foresees_every_reaction(
        receiver in receiver(),
        requests in prop::collection::vec((0_u64..30, 0_u64..5_000), 0..200),
        seed in any::<u64>(),
    ) {
        let mut running = receiver.start(seed);
        let mut alone = receiver.start(seed);
        let mut at = 0;
        for (message, pause) in requests {
            at += pause;
            let now = millis(at);
            let would_accept = running.would_accept(message, now);
            let reaction = running.handle(message, now);
            prop_assert_eq!(reaction.accepted, would_accept);
            prop_assert!(!(would_accept && running.is_poisoned(message)));
            prop_assert_eq!(reaction, alone.handle(message, now));
        }
    }

    /// For any receiver and clock the report's numbers add up.
    #[test]
    fn reports_balance_for_any_receiver(
        receiver in receiver(),
        share in 0_u32..500_000,
        failure in behaviour(),
        jumps in prop::collection::vec((0_u64..600, 0_u64..600, 0_u64..1_000, any::<bool>()), 0..3),
        (events, burst, seed) in (1_u32..40, 1_u32..20, any::<u64>()),
    ) {
        let policy = RetryPolicy::new(Schedule::list([secs(1), secs(30)]));
        let load = Load::new(count(events), secs(20)).in_bursts(count(burst));
        let receiver = receiver.add_chance(Chance::share(share, failure));
        let mut scenario = Scenario::new(load, secs(300))
            .with_seed(seed)
            .add_endpoint(plain(policy), receiver);
        for (at, lasts, shift, is_ahead) in jumps {
            let shift = if is_ahead { ClockShift::Ahead } else { ClockShift::Behind }(secs(shift));
            scenario = scenario.add_clock_jump(secs(at), secs(lasts), shift);
        }
        let report = run(&scenario);
        prop_assert_eq!(report.pending, 0);
        prop_assert!(report.good.delivered <= report.good.published);
        prop_assert!(report.good.published <= report.accepted + report.shed);
        prop_assert!(report.overloaded <= report.failed && report.failed <= report.attempts);
        prop_assert!(report.while_down <= report.attempts);
        prop_assert!(report.held_back <= report.ended_at);
        prop_assert_eq!(&report, &run(&scenario));
    }
}
