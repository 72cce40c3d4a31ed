//! Invariants 22 to 25 and those of every machine, for any calls on a virtual clock.

use std::num::NonZeroU32;
use std::time::Duration;

use labhook::Timestamp;
use labhook::flow::{
    AdaptiveRatePolicy, ConcurrencyLimitPolicy, Flow, FlowDecision, FlowPolicy, RateLimitPolicy,
    Receipt, Signal,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::TICK;
use super::receiver::{Reply, Sim};
use crate::support::{at, config};

fn nz_in(range: std::ops::RangeInclusive<u32>) -> impl Strategy<Value = NonZeroU32> {
    range.prop_map(|count| NonZeroU32::new(count).unwrap())
}

fn time() -> impl Strategy<Value = Duration> {
    prop_oneof![0_u64..2_000, 0_u64..100_000_000].prop_map(Duration::from_millis)
}

fn rates() -> impl Strategy<Value = RateLimitPolicy> {
    let counts = prop_oneof![nz_in(1..=20), nz_in(1..=u32::MAX)];
    let bursts = prop_oneof![nz_in(1..=10), nz_in(1..=u32::MAX)];
    (counts, time(), bursts)
        .prop_map(|(n, per, burst)| RateLimitPolicy::new(n, per).with_burst(burst))
}

fn concurrency_limits() -> impl Strategy<Value = ConcurrencyLimitPolicy> {
    let sizes = (prop::option::of(nz_in(1..=40)), nz_in(1..=40));
    sizes.prop_map(|(min, max)| match min {
        None => ConcurrencyLimitPolicy::fixed(max),
        Some(min) => ConcurrencyLimitPolicy::adaptive(min, max),
    })
}

fn policies() -> impl Strategy<Value = FlowPolicy> {
    let adaptive_rates = time().prop_map(AdaptiveRatePolicy::new);
    let parts = (concurrency_limits(), prop::option::of(rates()), prop::option::of(adaptive_rates));
    parts.prop_map(|(concurrency, rate, adaptive_rate)| {
        FlowPolicy::fixed()
            .with_concurrency(concurrency)
            .with_rate_limit(rate)
            .with_adaptive_rate(adaptive_rate)
    })
}

#[derive(Clone, Debug)]
enum Op {
    /// Moves the clock, mostly forward.
    Move(i64),
    /// Moves the clock to an end of time.
    Jump(i64),
    /// Starts an attempt, if it is allowed or if the flag is set.
    Start(bool),
    /// Cancels the start of one of those in flight.
    Cancel(usize),
    End(usize, Signal, Option<Duration>),
    Recovered,
    /// Changes the policy.
    Policy(FlowPolicy),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    use Signal::{Failed, Gone, Neutral, Refused, Success};

    let signals = vec![Success, Success, Refused, Refused, Failed, Neutral, Gone];
    let pause = prop::option::weighted(
        0.1,
        prop_oneof![
            (0_u64..9_000_000).prop_map(Duration::from_micros),
            any::<u64>().prop_map(Duration::from_micros),
            Just(Duration::MAX),
        ],
    );
    let end = (any::<usize>(), prop::sample::select(signals), pause);
    let op = prop_oneof![
        6 => prop_oneof![0_i64..50_000, 0_i64..20_000_000].prop_map(Op::Move),
        1 => (-5_000_000_i64..0).prop_map(Op::Move),
        1 => prop::sample::select(vec![i64::MIN, -1, 0, i64::MAX - 9, i64::MAX]).prop_map(Op::Jump),
        8 => prop::bool::weighted(0.1).prop_map(Op::Start),
        1 => any::<usize>().prop_map(Op::Cancel),
        8 => end.prop_map(|(index, signal, pause)| Op::End(index, signal, pause)),
        1 => Just(Op::Recovered),
        1 => policies().prop_map(Op::Policy),
    ];
    prop::collection::vec(op, 0..200)
}

fn moved(now: Timestamp, by: i64) -> Timestamp {
    Timestamp::from_unix_micros(now.unix_micros().saturating_add(by))
}

/// The invariants of decisions at any moment.
fn check(flow: &Flow, policy: &FlowPolicy, now: Timestamp) {
    let limit = flow.concurrency_limit(policy);
    assert!(limit <= policy.concurrency().max());
    assert!(policy.concurrency().min().is_none_or(|min| limit >= min));
    assert!(flow.excused_percent() <= 100 && flow.refused_percent() <= 100);
    let slowest = policy.adaptive_rate().map(AdaptiveRatePolicy::slowest);
    assert!(flow.spacing(policy) <= slowest);
    let mut at_once = flow.clone();
    let decision = at_once.check(policy, now);
    let seen = at_once.clone();
    assert_eq!(at_once.check(policy, now), decision, "it may be asked again");
    assert_eq!(at_once, seen);
    match decision {
        FlowDecision::Go => assert!(flow.in_flight() < limit.get()),
        FlowDecision::Busy => assert!(flow.in_flight() >= limit.get()),
        FlowDecision::Wait { until } => {
            assert!(until > now || now == Timestamp::MAX, "{until} at {now}");
            if now < Timestamp::MAX && until < Timestamp::MAX {
                let mut later = at_once.clone();
                let before = later.check(policy, (until - TICK).max(now));
                assert_eq!(before, decision, "a wait is absolute");
                assert_eq!(later.check(policy, until), FlowDecision::Go, "and ends then");
                assert_eq!(later, at_once, "time alone changes nothing");
                // A clock that steps back by `d` lengthens the wait by at most `d`, and shortens
                // none.
                let back = Duration::from_secs(7);
                let earlier = now - back;
                let FlowDecision::Wait { until: then } = later.check(policy, earlier) else {
                    panic!("no wait at {earlier}")
                };
                assert!(then <= until, "lengthened by more than the step");
                let (wait, other) = (until.saturating_since(now), then.saturating_since(earlier));
                assert!(other >= wait, "{other:?} is shorter than {wait:?}");
            }
        }
    }
    // 25: with nothing in flight, time alone lets something start.
    let mut idle = flow.clone();
    idle.set_in_flight(0);
    assert_ne!(idle.check(policy, now), FlowDecision::Busy);
}

/// Makes the calls; `restart` saves and restores before each of them.
fn play(policy: &FlowPolicy, ops: &[Op], restart: bool) -> Flow {
    let (mut flow, mut policy, mut now) = (Flow::new(), *policy, at(0));
    let mut live: Vec<(Timestamp, Receipt)> = Vec::new();
    for op in ops {
        if restart {
            flow = serde_json::from_str(&serde_json::to_string(&flow).unwrap()).unwrap();
        }
        let before = flow.concurrency_limit(&policy).get();
        match op {
            Op::Move(by) => now = moved(now, *by),
            Op::Jump(to) => now = Timestamp::from_unix_micros(*to),
            Op::Start(anyway) => {
                let may = flow.check(&policy, now) == FlowDecision::Go;
                if *anyway || may {
                    live.push((now, flow.start(&policy, now)));
                }
            }
            Op::Cancel(index) => {
                if !live.is_empty() {
                    let (_, receipt) = live.swap_remove(index % live.len());
                    flow.cancel_start(&policy, receipt, now);
                }
            }
            Op::End(index, signal, pause) => {
                let (failing, paused) = (flow.clone(), flow.paused_until());
                if !live.is_empty() {
                    let (started_at, _) = live.swap_remove(index % live.len());
                    flow.end(&policy, started_at, *signal, *pause, now);
                }
                // 23: only a success moves the limit, and lowers it by at most an eighth.
                let after = flow.concurrency_limit(&policy).get();
                match signal {
                    Signal::Success => assert!(after >= before - before.div_ceil(8)),
                    _ => assert_eq!(after, before),
                }
                // Only a request for a pause makes one, and none is shortened.
                if paused.is_some_and(|until| until > now) || pause.is_none() {
                    assert!(flow.paused_until() >= paused, "{failing:?}");
                    assert!(pause.is_some() || flow.paused_until() == paused);
                }
            }
            Op::Recovered => {
                flow.recovered(now);
                assert_eq!(flow.paused_until(), None);
            }
            Op::Policy(other) => policy = *other,
        }
        assert_eq!(usize::try_from(flow.in_flight()).unwrap(), live.len());
        check(&flow, &policy, now);
    }
    flow
}

proptest! {
    #![proptest_config(config())]

    /// 23 and 25, exact wake-ups and arbitrary clocks, with and without restarts.
    #[test]
    fn decisions_keep_the_invariants(policy in policies(), ops in ops()) {
        prop_assert_eq!(play(&policy, &ops, false), play(&policy, &ops, true));
    }

    /// 22: any period between two releases contains at most `burst + rate × time`, both included.
    #[test]
    fn releases_keep_to_the_rate(
        rate in rates(),
        pauses in prop::collection::vec(
            prop_oneof![3 => Just(None), 1 => (0_u64..9_000_000).prop_map(Some)], 0..200,
        ),
    ) {
        let policy = FlowPolicy::fixed().with_rate_limit(rate);
        let (mut flow, mut now) = (Flow::new(), at(0));
        let mut released = Vec::new();
        for pause in pauses {
            match (flow.check(&policy, now).wake_at(), pause) {
                (None, None) => {
                    flow.start(&policy, now);
                    flow.end(&policy, now, Signal::Success, None, now);
                    released.push(now);
                }
                (Some(until), None) => now = until,
                (_, Some(pause)) => now += Duration::from_micros(pause),
            }
        }
        keep_to(&rate, &released)?;
    }

    /// 22, with cancelled starts: those not cancelled keep to the rate, and cancelling at once
    /// leaves no trace.
    #[test]
    fn cancelled_starts_are_refunded_exactly(
        rate in rates(),
        learned in any::<bool>(),
        calls in prop::collection::vec(
            (prop::option::of(0_u64..4_000), 0_u64..3_000), 0..200,
        ),
    ) {
        let unlimited = ConcurrencyLimitPolicy::fixed(NonZeroU32::MAX);
        let policy = FlowPolicy::adaptive().with_concurrency(unlimited).with_rate_limit(rate);
        let (mut flow, mut now) = (Flow::new(), at(0));
        if learned {
            flow.recovered(now);
        }
        let mut made = Vec::new();
        let mut unsent: Vec<(Timestamp, Receipt)> = Vec::new();
        for (cancelled, pause) in calls {
            if flow.check(&policy, now) == FlowDecision::Go {
                let receipt = flow.start(&policy, now);
                match cancelled {
                    Some(0) => {
                        flow.cancel_start(&policy, receipt, now);
                        prop_assert_eq!(flow.check(&policy, now), FlowDecision::Go);
                    }
                    Some(after) => unsent.push((now + Duration::from_millis(after), receipt)),
                    None => made.push(now),
                }
            }
            now += Duration::from_millis(pause);
            for (_, receipt) in unsent.extract_if(.., |(until, _)| *until <= now) {
                flow.cancel_start(&policy, receipt, now);
            }
        }
        prop_assert_eq!(usize::try_from(flow.in_flight()).unwrap(), made.len() + unsent.len());
        keep_to(&rate, &made)?;
    }

    /// Whatever a record says, a receiver that accepts everything gets everything in the end.
    #[test]
    fn any_saved_state_gets_up_to_speed(state in states()) {
        let mut state = state;
        if state["pause"]["until"].as_i64() > Some(at(3_600).unix_micros()) {
            // A pause is an instant, and kept if it is far off.
            state["pause"] = Value::Null;
        }
        let mut sim = Sim::new(FlowPolicy::adaptive());
        sim.flow = serde_json::from_value(state).unwrap();
        sim.run(Duration::from_secs(6 * 3_600), 4, |_, _| Reply::new(false));
        sim.clear();
        let figures = sim.run(Duration::from_secs(60), 4, |_, _| Reply::new(false));
        prop_assert!(figures.delivered >= 230, "{:?}, {:?}", figures, sim.flow);
        prop_assert!(sim.waiting <= 1, "{} wait", sim.waiting);
    }

    /// A saved state edited by hand causes neither a panic nor a deadlock.
    #[test]
    fn any_saved_state_works(policy in policies(), state in states(), ops in ops()) {
        let mut flow: Flow = serde_json::from_value(state).unwrap();
        let (mut now, mut started_at, mut receipt) = (at(0), at(0), None);
        for op in ops {
            match op {
                Op::Move(by) => now = moved(now, by),
                Op::Jump(to) => now = Timestamp::from_unix_micros(to),
                Op::Start(_) => (started_at, receipt) = (now, Some(flow.start(&policy, now))),
                Op::Cancel(_) => {
                    if let Some(receipt) = receipt.take() {
                        flow.cancel_start(&policy, receipt, now);
                    }
                }
                Op::End(_, signal, pause) => {
                    // Often enough for a sample to be judged.
                    for tick in 0..32 {
                        let later = now + Duration::from_millis(60 * tick);
                        flow.start(&policy, later);
                        flow.end(&policy, started_at.max(later), signal, pause, later);
                    }
                    flow.end(&policy, started_at, signal, pause, now);
                }
                Op::Recovered => flow.recovered(now),
                Op::Policy(_) => {}
            }
            check(&flow, &policy, now);
        }
    }
}

/// Any period between two releases contains at most `burst + rate × time`, both included.
fn keep_to(rate: &RateLimitPolicy, released: &[Timestamp]) -> Result<(), TestCaseError> {
    let (n, per) = (u128::from(rate.releases().get()), rate.per().as_micros());
    for (i, first) in released.iter().enumerate() {
        for (j, last) in released.iter().enumerate().skip(i) {
            let time = last.saturating_since(*first).as_micros();
            let most = u128::from(rate.burst().get()) + n * time / per;
            prop_assert!((j - i + 1) as u128 <= most);
        }
    }
    Ok(())
}

/// A flow as a record edited by hand may have it.
fn states() -> impl Strategy<Value = Value> {
    let number = || prop_oneof![Just(0), Just(u64::MAX), 0..1_000_000_u64, any::<u64>()];
    let small = || prop_oneof![Just(0), Just(u32::MAX), 0..300_u32, any::<u32>()];
    let time = || {
        let near = at(0).unix_micros();
        prop_oneof![Just(i64::MIN), Just(i64::MAX), near - 9_000_000..near, any::<i64>()]
    };
    (
        prop::collection::vec(number(), 13),
        prop::collection::vec(small(), 16),
        prop::collection::vec(time(), 8),
        prop::collection::vec(any::<u16>(), 6),
        (any::<u8>(), any::<bool>(), any::<bool>(), any::<bool>()),
    )
        .prop_map(|(numbers, small, times, few, (step, known, trial, again))| {
            let if_so = |so: bool, value: Value| if so { value } else { Value::Null };
            let bucket = |i: usize| {
                json!({
                    "level": numbers[i], "cost": numbers[i + 1], "at": times[i],
                })
            };
            json!({
                "in_flight": 0,
                "failing": small[0],
                "pause": if_so(known, json!({"since": times[2], "until": times[3]})),
                "pauses": {
                    "refused_with": if_so(trial, json!(small[1])),
                    "answers": small[2], "refused": small[3],
                    "granted": few[0], "patience": few[1], "useless": again,
                },
                "concurrency": {
                    "limit": if_so(known, json!(small[4].max(1))),
                    "cut": again,
                    "base": if_so(known, json!(numbers[4])),
                    "trial": if_so(trial, json!({
                        "limit": small[5].max(1), "quickest": numbers[5],
                    })),
                    "since": times[4], "answers": small[6], "quickest": numbers[6],
                    "peak": small[7],
                },
                "rate_limit": bucket(0),
                "adaptive_rate": {
                    "rate": if_so(known, json!(numbers[7])),
                    "ceiling": numbers[8], "refused": small[1], "step": step,
                    "stable": numbers[9], "clean": numbers[3],
                    "hold": few[2], "held": small[8],
                    "excused": small[9], "proved": small[10],
                    "rest": few[3], "left": few[4],
                    "trial": if_so(trial, json!({
                        "rate": if_so(again, json!(numbers[10])),
                        "loss": small[11], "seen": numbers[11], "again": again,
                    })),
                    "sample": {
                        "since": times[5], "last_start": times[6], "starts": small[12],
                        "active": numbers[12], "answers": small[13], "refused": small[14],
                        "first_refused": small[15], "last_refused": small[0],
                    },
                    "spacing": bucket(1),
                },
            })
        })
}
