//! Invariants 22 to 25 and those of every machine, for any calls on a virtual clock.

use std::num::NonZeroU32;
use std::time::Duration;

use labhook::Timestamp;
use labhook::flow::{
    AdaptiveRatePolicy, AttemptKind, ConcurrencyLimitPolicy, Feedback, Flow, FlowDecision,
    FlowPolicy, RateLimit, RateLimitPolicy, Receipt, RetryBudget, RetryBudgetPolicy,
};
use proptest::prelude::*;

use super::TICK;
use crate::support::{at, config};

const KINDS: [AttemptKind; 3] = [AttemptKind::First, AttemptKind::Retry, AttemptKind::Probe];

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
    sizes.prop_map(|(initial, max)| match initial {
        None => ConcurrencyLimitPolicy::fixed(max),
        Some(initial) => ConcurrencyLimitPolicy::adaptive(initial, max),
    })
}

fn budgets() -> impl Strategy<Value = RetryBudgetPolicy> {
    (0_u16..300, time(), nz_in(1..=20))
        .prop_map(|(p, t, s)| RetryBudgetPolicy::new(p, t).with_max_saved(s))
}

fn policies() -> impl Strategy<Value = FlowPolicy> {
    let adaptive_rates = time().prop_map(AdaptiveRatePolicy::new);
    let parts = (
        concurrency_limits(),
        prop::option::of(rates()),
        prop::option::of(adaptive_rates),
        prop::option::of(budgets()),
    );
    parts.prop_map(|(concurrency, rate, adaptive_rate, budget)| {
        FlowPolicy::fixed()
            .with_concurrency(concurrency)
            .with_rate_limit(rate)
            .with_adaptive_rate(adaptive_rate)
            .with_retry_budget(budget)
    })
}

#[derive(Clone, Debug)]
enum Op {
    /// Moves the clock, mostly forward.
    Move(i64),
    /// Moves the clock to an end of time.
    Jump(i64),
    /// Starts an attempt, if it is allowed or if the flag is set.
    Start(AttemptKind, bool),
    End(usize, Feedback),
    Pause(i64),
    Recovered,
    /// Changes the policy.
    Policy(FlowPolicy),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let feedback = prop::sample::select(vec![
        Feedback::Success,
        Feedback::TooFast,
        Feedback::Overloaded,
        Feedback::Other,
    ]);
    let kind = prop::sample::select(KINDS.to_vec());
    let op = prop_oneof![
        6 => prop_oneof![0_i64..50_000, 0_i64..20_000_000].prop_map(Op::Move),
        1 => (-5_000_000_i64..0).prop_map(Op::Move),
        1 => prop::sample::select(vec![i64::MIN, -1, 0, i64::MAX - 9, i64::MAX]).prop_map(Op::Jump),
        8 => (kind, prop::bool::weighted(0.1)).prop_map(|(kind, any)| Op::Start(kind, any)),
        8 => (any::<usize>(), feedback).prop_map(|(index, feedback)| Op::End(index, feedback)),
        1 => any::<i64>().prop_map(Op::Pause),
        1 => (0_i64..9_000_000).prop_map(Op::Pause),
        1 => Just(Op::Recovered),
        1 => policies().prop_map(Op::Policy),
    ];
    prop::collection::vec(op, 0..120)
}

fn moved(now: Timestamp, by: i64) -> Timestamp {
    Timestamp::from_unix_micros(now.unix_micros().saturating_add(by))
}

/// The invariants of decisions at any moment.
fn check(flow: &Flow, policy: &FlowPolicy, now: Timestamp) {
    let limit = flow.concurrency().limit(policy.concurrency());
    assert!(limit <= policy.concurrency().max());
    for kind in KINDS {
        let decision = flow.check(policy, kind, now);
        assert_eq!(flow.wake_at(policy, kind, now), decision.wake_at());
        match decision {
            FlowDecision::Go => assert!(flow.in_flight() < limit.get()),
            FlowDecision::Busy => assert!(flow.in_flight() >= limit.get()),
            FlowDecision::Wait { until } => {
                assert!(until > now || now == Timestamp::MAX, "{until} at {now}");
                if now < Timestamp::MAX && until < Timestamp::MAX {
                    let before = flow.check(policy, kind, (until - TICK).max(now));
                    assert_eq!(before, decision, "a wait is absolute");
                    assert_eq!(flow.check(policy, kind, until), FlowDecision::Go, "and ends then");
                }
                // A clock that steps back by `d` lengthens the wait by `d`.
                assert_eq!(flow.check(policy, kind, now - Duration::from_secs(7)), decision);
            }
        }
        // Neither a probe nor a first attempt waits for the budget.
        let without = policy.with_retry_budget(None);
        if kind != AttemptKind::Retry {
            assert_eq!(flow.check(&without, kind, now), decision);
        }
    }
    // 25: with nothing in flight, time alone lets something start.
    let mut idle = flow.clone();
    idle.set_in_flight(0);
    for kind in KINDS {
        assert_ne!(idle.check(policy, kind, now), FlowDecision::Busy);
    }
}

/// Makes the calls; `restart` saves and restores before each of them.
fn play(policy: &FlowPolicy, ops: &[Op], restart: bool) -> Flow {
    let (mut flow, mut policy, mut now) = (Flow::new(), *policy, at(0));
    let mut live: Vec<Timestamp> = Vec::new();
    for op in ops {
        if restart {
            flow = serde_json::from_str(&serde_json::to_string(&flow).unwrap()).unwrap();
        }
        match op {
            Op::Move(by) => now = moved(now, *by),
            Op::Jump(to) => now = Timestamp::from_unix_micros(*to),
            Op::Start(kind, anyway) => {
                if *anyway || flow.check(&policy, *kind, now) == FlowDecision::Go {
                    flow.start(&policy, *kind, now);
                    live.push(now);
                }
            }
            Op::End(index, feedback) => {
                let before = flow.concurrency().limit(policy.concurrency());
                if !live.is_empty() {
                    let started_at = live.swap_remove(index % live.len());
                    flow.end(&policy, started_at, *feedback, now);
                }
                let after = flow.concurrency().limit(policy.concurrency());
                // 23: only a success increases it, and only a refusal or an overload decreases it.
                match feedback {
                    Feedback::Success => {
                        assert!(after >= before && after.get() <= before.get() + 1);
                    }
                    Feedback::Other => assert_eq!(after, before),
                    _ => assert!(after <= before && after.get() >= before.get() / 2),
                }
            }
            Op::Pause(by) => flow.pause_until(moved(now, *by)),
            Op::Recovered => flow.recovered(),
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
        policy in rates(),
        pauses in prop::collection::vec(prop_oneof![3 => Just(None), 1 => (0_u64..9_000_000).prop_map(Some)], 0..200),
        through_flow in any::<bool>(),
    ) {
        let flow_policy = FlowPolicy::fixed().with_rate_limit(policy);
        let (mut rate, mut flow, mut now) = (RateLimit::new(), Flow::new(), at(0));
        let mut released = Vec::new();
        for pause in pauses {
            let until = if through_flow {
                flow.wake_at(&flow_policy, AttemptKind::Probe, now)
            } else {
                rate.wait(&policy, now)
            };
            match (until, pause) {
                (None, None) => {
                    rate.released(&policy, now);
                    flow.start(&flow_policy, AttemptKind::Probe, now);
                    flow.end(&flow_policy, now, Feedback::Success, now);
                    released.push(now);
                }
                (Some(until), None) => now = until,
                (_, Some(pause)) => now += Duration::from_micros(pause),
            }
        }
        let (n, per) = (u128::from(policy.releases().get()), policy.per().as_micros());
        for (i, first) in released.iter().enumerate() {
            for (j, last) in released.iter().enumerate().skip(i) {
                let time = last.saturating_since(*first).as_micros();
                let most = u128::from(policy.burst().get()) + n * time / per;
                prop_assert!((j - i + 1) as u128 <= most);
            }
        }
    }

    /// 24: retries are limited to the share of first attempts plus one per interval; none is delayed
    /// longer than that, and none forever.
    #[test]
    fn retries_keep_to_the_budget(
        policy in budgets(),
        calls in prop::collection::vec((any::<bool>(), 0_u64..30_000), 0..300),
    ) {
        let (mut budget, mut now) = (RetryBudget::new(), at(0));
        let (mut firsts, mut retries) = (0_u128, 0_u128);
        for (first, pause) in calls {
            now += Duration::from_millis(pause / 10);
            if first {
                budget.first(&policy);
                firsts += 1;
            } else {
                if let Some(until) = budget.wait(&policy, now) {
                    prop_assert!(until > now && until <= now + policy.min_interval());
                    prop_assert_eq!(budget.wait(&policy, until - TICK), Some(until));
                    prop_assert_eq!(budget.wait(&policy, until), None);
                    now = until;
                }
                budget.retried(&policy, now);
                retries += 1;
            }
            let time = now.saturating_since(at(0)).as_micros();
            let share = u128::from(policy.percent()) * firsts / 100;
            prop_assert!(retries <= share + 1 + time / policy.min_interval().as_micros());
        }
    }

    /// 22 and 24, with cancelled starts: those not cancelled keep to rate and budget, and cancelling
    /// at once leaves no trace.
    #[test]
    fn cancelled_starts_are_refunded_exactly(
        rate in rates(),
        budget in budgets(),
        calls in prop::collection::vec(
            (any::<bool>(), prop::option::of(0_u64..4_000), 0_u64..3_000), 0..200,
        ),
    ) {
        let unlimited = ConcurrencyLimitPolicy::fixed(NonZeroU32::MAX);
        let flow_policy = FlowPolicy::fixed().with_concurrency(unlimited);
        let flow_policy = flow_policy.with_rate_limit(rate).with_retry_budget(budget);
        let (mut flow, mut now) = (Flow::new(), at(0));
        let (mut made, mut firsts, mut retries, mut most) = (Vec::new(), 0_u128, 0_u128, 0_usize);
        let mut unsent: Vec<(Timestamp, AttemptKind, Receipt)> = Vec::new();
        for (first, cancelled, pause) in calls {
            let kind = if first { AttemptKind::First } else { AttemptKind::Retry };
            if flow.check(&flow_policy, kind, now) == FlowDecision::Go {
                let decisions = KINDS.map(|kind| flow.check(&flow_policy, kind, now));
                let receipt = flow.start(&flow_policy, kind, now);
                match cancelled {
                    Some(0) => {
                        flow.cancel_start(&flow_policy, receipt, now);
                        let again = KINDS.map(|kind| flow.check(&flow_policy, kind, now));
                        prop_assert_eq!(again, decisions);
                    }
                    Some(after) => {
                        unsent.push((now + Duration::from_millis(after), kind, receipt));
                        let firsts = unsent.iter().filter(|(_, kind, _)| *kind == AttemptKind::First);
                        most = most.max(firsts.count());
                    }
                    None => {
                        made.push(now);
                        firsts += u128::from(first);
                        retries += u128::from(!first);
                    }
                }
            }
            // A retry may use what is cancelled after it, which the budget then owes.
            let share = u128::from(budget.percent()) * (firsts + most as u128) / 100;
            let time = now.saturating_since(at(0)).as_micros();
            prop_assert!(retries <= share + 1 + time / budget.min_interval().as_micros());
            now += Duration::from_millis(pause);
            for (.., receipt) in unsent.extract_if(.., |(until, ..)| *until <= now) {
                flow.cancel_start(&flow_policy, receipt, now);
            }
        }
        let (n, per) = (u128::from(rate.releases().get()), rate.per().as_micros());
        for (i, first) in made.iter().enumerate() {
            for (j, last) in made.iter().enumerate().skip(i) {
                let time = last.saturating_since(*first).as_micros();
                let most = u128::from(rate.burst().get()) + n * time / per;
                prop_assert!((j - i + 1) as u128 <= most);
            }
        }
    }

    /// A saved state edited by hand causes neither a panic nor a deadlock.
    #[test]
    fn any_saved_state_works(
        policy in policies(),
        numbers in prop::collection::vec(prop_oneof![Just(0), Just(u64::MAX), any::<u64>()], 8),
        small in prop::collection::vec(prop_oneof![Just(0), Just(u32::MAX), any::<u32>()], 5),
        times in prop::collection::vec(prop_oneof![Just(i64::MIN), Just(i64::MAX), any::<i64>()], 7),
        known in any::<bool>(),
        ops in ops(),
    ) {
        let bucket = |i: usize| serde_json::json!({
            "level": numbers[i], "cost": numbers[i + 1], "at": times[i],
        });
        let state = serde_json::json!({
            "in_flight": 0,
            "paused_until": times[3],
            "concurrency": {
                "limit": if known { Some(small[0].max(1)) } else { None },
                "threshold": small[1], "credit": small[2], "peak": small[3], "left": small[4],
                "decreased_at": times[4],
            },
            "rate_limit": bucket(0),
            "adaptive_rate": {
                "rate": if known { Some(numbers[4]) } else { None },
                "ceiling": numbers[5], "step": numbers[6], "decreased_at": times[5], "period_start": times[6],
                "successes": small[3], "refusals": small[4], "previous_successes": small[0],
                "spacing": bucket(1),
            },
            "retry_budget": { "credit": numbers[7].cast_signed(), "interval": bucket(2) },
        });
        let mut flow: Flow = serde_json::from_value(state).unwrap();
        let (mut now, mut started_at) = (at(0), at(0));
        for op in ops {
            match op {
                Op::Move(by) => now = moved(now, by),
                Op::Jump(to) => now = Timestamp::from_unix_micros(to),
                Op::Start(kind, _) => {
                    flow.start(&policy, kind, now);
                    started_at = now;
                }
                Op::End(_, feedback) => flow.end(&policy, started_at, feedback, now),
                Op::Pause(by) => flow.pause_until(moved(now, by)),
                Op::Recovered => flow.recovered(),
                Op::Policy(_) => {}
            }
            check(&flow, &policy, now);
        }
    }
}
