//! The simulator: small scenarios that were reckoned by hand, and large ones that must be quick.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use http::StatusCode;
use labhook::delivery::{Failure, Jitter, Schedule};
use labhook::flow::ConcurrencyLimitPolicy;
use labhook::health::State;
use labhook::policy::Load;
use labhook::simulate::{Behaviour, Receiver, Recovery, Report, Scenario};
use labhook::{EndpointPolicy, FlowPolicy, HealthPolicy, Order, Outcome, RetryPolicy, Verdict};
use proptest::prelude::*;

use crate::support::{answer, config, secs};

const DAY: u64 = 86_400;

fn count(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// An endpoint that nothing but its delivery policy and a window of attempts holds back.
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

fn run(scenario: &Scenario) -> Report {
    let mut reports = scenario.run();
    assert_eq!(reports.len(), 1);
    let report = reports.pop().unwrap();
    // What holds of every report.
    let ended: u64 = report.verdicts.values().sum();
    assert_eq!(report.accepted, ended + report.pending);
    let points = report.series.points();
    assert_eq!(points.iter().map(|it| it.firsts + it.retries).sum::<u64>(), report.attempts);
    assert_eq!(points.iter().map(|it| it.retries).sum::<u64>(), report.retries);
    let delivered = points.iter().map(|it| it.delivered).sum::<u64>();
    assert_eq!(delivered, report.ended(Verdict::Delivered));
    assert_eq!(points.iter().map(|it| it.busiest).max().unwrap_or(0), report.peak_requests);
    report
}

fn run_one(policy: RetryPolicy, receiver: Receiver) -> Report {
    run(&one().add_endpoint(plain(policy), receiver))
}

#[test]
fn one_message_through_a_minute_of_outage_comes_at_a_known_instant() {
    let policy = || RetryPolicy::new(Schedule::list([secs(5), secs(300)]));
    let report = run_one(policy(), down(60, unavailable()));
    // 20 ms, 5 s, 20 ms, 300 s, 20 ms.
    assert_eq!(report.ended_at, millis(305_060));
    assert_eq!(report.delays.unwrap().max, millis(305_060));
    assert_eq!((report.attempts, report.retries, report.most_attempts), (3, 2, 3));
    assert_eq!(report.ended(Verdict::Delivered), 1);
    assert_eq!(report.duplicates, 0);
    let Recovery { at, peak_requests, peak_retries, drained_after, .. } = report.recovery.unwrap();
    assert_eq!((at, peak_requests, peak_retries), (secs(60), 1, 1));
    assert_eq!(drained_after, Some(millis(245_060)));

    // Hanging costs the attempt's 20 s each time, which end at 20 s, 45 s and 365 s.
    let report = run_one(policy(), down(400, Behaviour::Hangs));
    assert_eq!((report.ended(Verdict::Exhausted), report.ended_at), (1, secs(365)));
    assert_eq!((report.delays, report.duplicates), (None, 0));
    assert_eq!(report.recovery.unwrap().drained_after, Some(Duration::ZERO));
}

#[test]
fn what_the_receiver_takes_without_saying_so_comes_twice() {
    let policy = RetryPolicy::new(Schedule::list([secs(5), secs(300)]));
    let report = run_one(policy, down(10, Behaviour::Swallows));
    // Taken at 0, unanswered at 20 s, sent again at 25 s.
    assert_eq!((report.duplicates, report.attempts), (1, 2));
    assert_eq!(report.delays.unwrap().p50, millis(25_020));
    // An answer that comes with the deadline comes too late.
    let policy = || RetryPolicy::none().with_attempt_timeout(secs(1));
    let report = run_one(policy(), Receiver::new().with_latency(millis(999)));
    assert_eq!((report.ended(Verdict::Delivered), report.ended_at), (1, millis(999)));
    let report = run_one(policy(), Receiver::new().with_latency(secs(1)));
    assert_eq!((report.ended(Verdict::Exhausted), report.ended_at), (1, secs(1)));
}

#[test]
fn a_message_lives_for_its_lifetime() {
    let policy = RetryPolicy::new(Schedule::list([secs(5), secs(300)]));
    let scenario = one().add_endpoint(plain(policy), down(3_600, unavailable()));
    // The second retry would come after it.
    let report = run(&scenario.clone().with_lifetime(secs(305)));
    assert_eq!((report.ended(Verdict::Expired), report.attempts), (1, 2));
    let report = run(&scenario.with_lifetime(secs(306)));
    assert_eq!((report.ended(Verdict::Exhausted), report.attempts), (1, 3));
}

#[test]
fn strikes_nine_days() {
    // The eleventh retry comes after 265 716 s, and the twelfth 531 441 s later.
    let report = run_one(RetryPolicy::strike(), down(10 * DAY, Behaviour::Hangs));
    assert_eq!((report.attempts, report.ended(Verdict::Exhausted)), (13, 1));
    assert_eq!(report.ended_at, secs(797_160 + 13 * 5));
    let report = run_one(RetryPolicy::strike(), down(9 * DAY, Behaviour::refuses()));
    assert_eq!((report.attempts, report.ended(Verdict::Delivered)), (13, 1));
    assert_eq!(report.ended_at, secs(797_160) + 13 * millis(20));
}

#[test]
fn svixs_27_hours() {
    let policy = RetryPolicy::svix().with_jitter(Jitter::NONE);
    let receiver = down(30 * 3_600, unavailable()).with_latency(Duration::ZERO);
    let report = run_one(policy, receiver);
    assert_eq!((report.attempts, report.ended(Verdict::Exhausted)), (8, 1));
    assert_eq!(report.ended_at, secs(27 * 3_600 + 35 * 60 + 5));
}

#[test]
fn a_receiver_takes_no_more_than_its_capacity_in_any_second() {
    // A hundred at once; the fifty that are refused come again a second later.
    let policy = RetryPolicy::new(Schedule::list([secs(1)]));
    let receiver = Receiver::new().with_capacity(count(50)).with_latency(Duration::ZERO);
    let load = Load::new(count(1_000_000), secs(1));
    let at_once = Scenario::new(load, Duration::from_micros(100));
    let report = run(&at_once.clone().add_endpoint(plain(policy.clone()), receiver.clone()));
    assert_eq!((report.accepted, report.attempts, report.refused), (100, 150, 50));
    assert_eq!((report.peak_requests, report.peak_retries), (100, 50));
    assert_eq!(report.ended_at, secs(1) + Duration::from_micros(99));
    assert_eq!(report.delays.unwrap().p50, Duration::ZERO);
    assert_eq!(report.delays.unwrap().max, secs(1));
    // A refusal of the receiver's own kind.
    let gone = receiver.with_refusal(answer(410));
    let report = run(&at_once.add_endpoint(plain(policy), gone));
    assert_eq!((report.ended(Verdict::Delivered), report.ended(Verdict::Gone)), (50, 1));
    assert_eq!((report.accepted, report.shed), (51, 49));
    assert_eq!(report.states, [(Duration::from_micros(50), State::Disabled)]);
}

#[test]
fn a_pause_that_is_asked_for_is_kept() {
    let policy = RetryPolicy::new(Schedule::list([secs(5)]));
    let busy = Behaviour::retry_after(StatusCode::TOO_MANY_REQUESTS, millis(89_001));
    let report = run_one(policy, down(60, busy));
    assert_eq!((report.attempts, report.ended_at), (2, secs(90) + millis(40)));
}

#[test]
fn the_load_is_even_and_goes_round_its_keys() {
    let load = Load::new(count(3), secs(1)).with_keys(count(2));
    let scenario = Scenario::new(load, secs(2));
    // The messages come at 0, 1/3, 2/3 s and so on. Those of a key wait for one another, and each
    // takes a second: three of each key, one after the other.
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
fn what_has_no_end_is_ended() {
    let endless = RetryPolicy::new(Schedule::list([secs(60)]).forever());
    let receiver = down(u64::from(u32::MAX), unavailable()).with_latency(Duration::ZERO);
    let scenario = one().with_limit(secs(3_600)).add_endpoint(plain(endless), receiver);
    let report = run(&scenario);
    assert_eq!((report.attempts, report.pending, report.ended_at), (61, 1, secs(3_600)));
    assert_eq!(report.recovery.unwrap().drained_after, None);
    // Nobody listens, nothing happens.
    assert!(one().run().is_empty());
}

#[test]
fn each_endpoint_has_its_own_report() {
    let policy = || plain(RetryPolicy::new(Schedule::list([secs(5)])));
    let scenario = one()
        .add_endpoint(policy(), Receiver::new())
        .add_endpoint(policy(), down(2, Behaviour::Answers(Outcome::failed(Failure::Tls))));
    let attempts: Vec<_> = scenario.run().iter().map(|report| report.attempts).collect();
    assert_eq!(attempts, [1, 2]);
}

#[test]
fn an_endpoint_can_have_a_load_of_its_own() {
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
    // Its delays are reckoned from its own events.
    assert_eq!(reports[1].delays.unwrap().max, millis(20));
    // The first one does what it does on its own, jitter and all.
    let mut alone = run(&shared.clone().add_endpoint(policies(), receiver()));
    assert!(alone.retries > 40);
    // A series goes on to the end of the simulation.
    assert!(reports[0].series.points().starts_with(alone.series.points()));
    (alone.ended_at, alone.series) = (reports[0].ended_at, reports[0].series.clone());
    assert_eq!(reports[0], alone);

    // Nobody is left for the other load, and a load goes round its own keys.
    let none = EndpointPolicy::new(RetryPolicy::none()).with_order(Order::per_key());
    let slow = Receiver::new().with_latency(secs(1));
    let report = run(&shared.add_endpoint_with_load(none, slow, busy));
    assert_eq!((report.accepted, report.ended_at), (300, secs(300)));
}

// It was said that time could stand still.
#[test]
fn time_goes_on_without_latency_and_without_delays() {
    let zero = Duration::ZERO;
    let resolver = Behaviour::Answers(Outcome::failed(Failure::Sender));
    for behaviour in [unavailable(), Behaviour::refuses(), resolver] {
        // The mean of the delays, in tenths of a millisecond.
        for (jitter, mean) in [
            (Jitter::NONE, 10),
            (Jitter::plus_minus(100), 10),
            (Jitter::FULL, 5),
            (Jitter::EQUAL, 7),
            (Jitter::decorrelated(zero, zero), 10),
        ] {
            let attempts = 5_000 / mean;
            let policy = RetryPolicy::new(Schedule::list([zero]).forever()).with_jitter(jitter);
            let refuses = down(60, behaviour.clone()).with_latency(zero);
            let report = run(&one().with_limit(millis(499)).add_endpoint(plain(policy), refuses));
            let near = attempts * 9 / 10..attempts * 11 / 10;
            assert!(near.contains(&report.attempts), "{mean}: {}", report.attempts);
            assert_eq!(report.pending, 1);
        }
    }
    // What has an end comes to it at once, one after the other.
    let crowd = Scenario::new(Load::new(count(300), zero), Duration::from_micros(1));
    let policies = plain(RetryPolicy::new(Schedule::list([zero; 20]))).with_order(Order::strict());
    let report = run(&crowd.add_endpoint(policies, down(60, unavailable()).with_latency(zero)));
    assert_eq!((report.attempts, report.ended(Verdict::Exhausted)), (300 * 21, 300));
    assert_eq!(report.ended_at, zero);
}

#[test]
fn a_run_is_repeatable_and_its_seed_counts() {
    let scenario = Scenario::new(Load::per_second(count(2)), secs(600))
        .with_points(NonZeroUsize::new(16).unwrap())
        .add_endpoint(EndpointPolicy::new(RetryPolicy::svix()), down(60, unavailable()));
    let report = run(&scenario);
    assert_eq!(report, run(&scenario));
    assert_ne!(report, run(&scenario.clone().with_seed(1)));
    assert!(report.series.points().len() <= 16);
}

#[test]
fn a_week_of_outage_with_a_message_a_minute() {
    let load = Load::new(count(1), secs(60));
    let scenario = Scenario::new(load, secs(8 * DAY))
        .add_endpoint(plain(RetryPolicy::default()), down(7 * DAY, unavailable()));
    let report = run(&scenario);
    assert_eq!(report.accepted, 8 * 1_440);
    assert_eq!(report.pending, 0);
    // What came more than the schedule's 75:35:05 before the end of the outage was given up.
    let given_up = report.ended(Verdict::Exhausted);
    assert_eq!(given_up, (7 * DAY - 272_105).div_ceil(60));
}

#[test]
fn an_endpoint_is_degraded_suspended_and_disabled_when_its_policy_says() {
    let load = Load::new(count(1), secs(60));
    let scenario = Scenario::new(load, secs(8 * DAY)).add_endpoint(
        EndpointPolicy::new(RetryPolicy::default()),
        down(8 * DAY, Behaviour::refuses()),
    );
    let report = run(&scenario);
    // The fifth failure is that of the third message; each message before it has failed twice.
    let degraded = secs(120) + millis(20);
    let suspended = degraded + secs(22_500) + 6 * millis(20);
    let disabled = suspended + secs(7 * DAY) + millis(20);
    let states = [State::Degraded, State::Suspended, State::Disabled];
    let times = [degraded, suspended, disabled].map(Some);
    assert_eq!(states.map(|state| report.time_to(state)), times);
    assert_eq!(report.time_to(State::Healthy), None);
    assert_eq!(report.accepted, disabled.as_secs() / 60 + 1);
    assert_eq!(report.shed, 8 * 1_440 - report.accepted);
    assert_eq!(report.ended(Verdict::Delivered), 0);
    assert_eq!(report.pending, 0);
    // Four probes an hour at first, then one in four hours.
    assert!(report.attempts < 60, "{}", report.attempts);
}

#[test]
fn a_recovery_is_gentle() {
    let sides =
        [plain(RetryPolicy::new(Schedule::list([secs(30)]).forever())), EndpointPolicy::default()];
    let [hard, gentle] = sides.map(|policies| {
        let receiver = Receiver::new().with_capacity(count(20)).add_outage(
            secs(60),
            secs(660),
            Behaviour::refuses(),
        );
        run(&Scenario::new(Load::per_second(count(5)), secs(1_800))
            .add_endpoint(policies, receiver))
    });
    assert_eq!([&hard, &gentle].map(|it| it.ended(Verdict::Delivered)), [9_000; 2]);
    // 3 000 wait, and each comes every half minute.
    assert_eq!(hard.recovery.unwrap().peak_retries, 100);
    // Slow start doubles until it is refused.
    assert!(gentle.recovery.unwrap().peak_requests < 2 * 20, "{:?}", gentle.recovery);
    assert!(gentle.refused * 20 < hard.refused, "{} {}", gentle.refused, hard.refused);
    assert!(gentle.attempts < 9_500, "{}", gentle.attempts);
    // Degraded by the fifth message, and found back by the second probe.
    assert_eq!(gentle.time_to(State::Degraded), Some(millis(820)));
    assert_eq!(gentle.time_to(State::Healthy), Some(millis(820 + 900_040)));
}

fn behaviour() -> impl Strategy<Value = Behaviour> {
    prop_oneof![
        Just(Behaviour::refuses()),
        Just(Behaviour::Hangs),
        prop::sample::select(vec![429_u16, 500, 503, 400])
            .prop_map(|status| Behaviour::Answers(answer(status))),
        (1_u64..600).prop_map(|pause| {
            Behaviour::retry_after(StatusCode::SERVICE_UNAVAILABLE, secs(pause))
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..config() })]

    /// Whatever the policies and outages, the books balance, and a receiver whose answers arrive
    /// gets nothing twice.
    #[test]
    fn the_books_balance(
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

// At the end of time there was always one more event.
#[test]
fn time_has_an_end() {
    let rare = Load::new(count(1), Duration::MAX);
    let endless = RetryPolicy::new(Schedule::list([Duration::MAX]).forever());
    let scenario = Scenario::new(rare, Duration::MAX).with_limit(Duration::MAX);
    let report = run(&scenario.add_endpoint(plain(endless), down(1, unavailable())));
    assert_eq!((report.accepted, report.attempts, report.pending), (1, 1, 1));
}
