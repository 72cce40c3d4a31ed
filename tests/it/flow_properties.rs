//! Invariants 22 to 25, and what holds of every machine, over any calls on a virtual clock.

use std::num::NonZeroU32;
use std::time::Duration;

use labhook::Timestamp;
use labhook::flow::{
    AdaptiveRatePolicy, AttemptKind, ConcurrencyLimitPolicy, Feedback, Flow, FlowDecision,
    FlowPolicy, RateLimit, RateLimitPolicy, Receipt, RetryBudget, RetryBudgetPolicy,
};
use proptest::prelude::*;

use crate::support::{at, config};

const TICK: Duration = Duration::from_micros(1);
const CLASSES: [AttemptKind; 3] = [AttemptKind::First, AttemptKind::Retry, AttemptKind::Probe];

fn nz(range: std::ops::RangeInclusive<u32>) -> impl Strategy<Value = NonZeroU32> {
    range.prop_map(|count| NonZeroU32::new(count).unwrap())
}

fn time() -> impl Strategy<Value = Duration> {
    prop_oneof![0_u64..2_000, 0_u64..100_000_000].prop_map(Duration::from_millis)
}

fn rates() -> impl Strategy<Value = RateLimitPolicy> {
    let counts = prop_oneof![nz(1..=20), nz(1..=u32::MAX)];
    let bursts = prop_oneof![nz(1..=10), nz(1..=u32::MAX)];
    (counts, time(), bursts)
        .prop_map(|(n, per, burst)| RateLimitPolicy::new(n, per).with_burst(burst))
}

fn windows() -> impl Strategy<Value = ConcurrencyLimitPolicy> {
    let sizes = (prop::option::of(nz(1..=40)), nz(1..=40));
    sizes.prop_map(|(initial, max)| match initial {
        None => ConcurrencyLimitPolicy::fixed(max),
        Some(initial) => ConcurrencyLimitPolicy::adaptive(initial, max),
    })
}

fn budgets() -> impl Strategy<Value = RetryBudgetPolicy> {
    (0_u16..300, time(), nz(1..=20))
        .prop_map(|(p, t, s)| RetryBudgetPolicy::new(p, t).with_max_saved(s))
}

fn policies() -> impl Strategy<Value = FlowPolicy> {
    let paces = time().prop_map(AdaptiveRatePolicy::new);
    let parts = (
        windows(),
        prop::option::of(rates()),
        prop::option::of(paces),
        prop::option::of(budgets()),
        time(),
    );
    parts.prop_map(|(window, rate, pace, budget, cap)| {
        FlowPolicy::fixed()
            .with_concurrency(window)
            .with_rate_limit(rate)
            .with_adaptive_rate(pace)
            .with_retry_budget(budget)
            .with_hold_cap(cap)
    })
}

#[derive(Clone, Debug)]
enum Op {
    /// Forward, mostly.
    Move(i64),
    /// To a far end of time.
    Jump(i64),
    /// A start, where it is allowed or even where it is not.
    Start(AttemptKind, bool),
    End(usize, Feedback),
    Hold(i64),
    Recovered,
    /// Another policy from here on.
    RetryPolicy(FlowPolicy),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let feedback = prop::sample::select(vec![
        Feedback::Success,
        Feedback::TooFast,
        Feedback::Overloaded,
        Feedback::Other,
    ]);
    let class = prop::sample::select(CLASSES.to_vec());
    let op = prop_oneof![
        6 => prop_oneof![0_i64..50_000, 0_i64..20_000_000].prop_map(Op::Move),
        1 => (-5_000_000_i64..0).prop_map(Op::Move),
        1 => prop::sample::select(vec![i64::MIN, -1, 0, i64::MAX - 9, i64::MAX]).prop_map(Op::Jump),
        8 => (class, prop::bool::weighted(0.1)).prop_map(|(class, any)| Op::Start(class, any)),
        8 => (any::<usize>(), feedback).prop_map(|(index, feedback)| Op::End(index, feedback)),
        1 => any::<i64>().prop_map(Op::Hold),
        1 => (0_i64..9_000_000).prop_map(Op::Hold),
        1 => Just(Op::Recovered),
        1 => policies().prop_map(Op::RetryPolicy),
    ];
    prop::collection::vec(op, 0..120)
}

fn moved(now: Timestamp, by: i64) -> Timestamp {
    Timestamp::from_unix_micros(now.unix_micros().saturating_add(by))
}

/// What has to hold of the answers at any moment.
fn check(flow: &Flow, policy: &FlowPolicy, now: Timestamp) {
    let limit = flow.concurrency().limit(policy.concurrency());
    assert!(limit <= policy.concurrency().max());
    for class in CLASSES {
        let answer = flow.check(policy, class, now);
        assert_eq!(flow.wake_at(policy, class, now), answer.wake_at());
        match answer {
            FlowDecision::Go => assert!(flow.in_flight() < limit.get()),
            FlowDecision::Busy => assert!(flow.in_flight() >= limit.get()),
            FlowDecision::Wait { until } => {
                assert!(until > now || now == Timestamp::MAX, "{until} at {now}");
                if now < Timestamp::MAX && until < Timestamp::MAX {
                    let before = flow.check(policy, class, (until - TICK).max(now));
                    assert_eq!(before, answer, "it waits up to there, whenever it is asked");
                    assert_eq!(flow.check(policy, class, until), FlowDecision::Go, "and goes then");
                }
                // A clock that goes back by `d` lengthens the wait by `d`.
                assert_eq!(flow.check(policy, class, now - Duration::from_secs(7)), answer);
            }
        }
        // A probe waits for no budget, and a first attempt neither.
        let without = policy.with_retry_budget(None);
        if class != AttemptKind::Retry {
            assert_eq!(flow.check(&without, class, now), answer);
        }
    }
    // 25: with nothing in flight, something may go by time alone.
    let mut idle = flow.clone();
    idle.set_in_flight(0);
    for class in CLASSES {
        assert_ne!(idle.check(policy, class, now), FlowDecision::Busy);
    }
}

/// Plays the calls, saving and restoring before those that `restarts` names.
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
            Op::Start(class, anyway) => {
                if *anyway || flow.check(&policy, *class, now) == FlowDecision::Go {
                    flow.start(&policy, *class, now);
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
                // 23: it grows by a success alone, and falls by a refusal or an overload alone.
                match feedback {
                    Feedback::Success => {
                        assert!(after >= before && after.get() <= before.get() + 1);
                    }
                    Feedback::Other => assert_eq!(after, before),
                    _ => assert!(after <= before && after.get() >= before.get() / 2),
                }
            }
            Op::Hold(by) => flow.pause_until(&policy, moved(now, *by), now),
            Op::Recovered => flow.recovered(),
            Op::RetryPolicy(other) => policy = *other,
        }
        assert_eq!(usize::try_from(flow.in_flight()).unwrap(), live.len());
        check(&flow, &policy, now);
    }
    flow
}

proptest! {
    #![proptest_config(config())]

    /// 23 and 25, exact wake-ups, clocks of all kinds, and the same again from saved states.
    #[test]
    fn answers_hold_at_any_moment(policy in policies(), ops in ops()) {
        prop_assert_eq!(play(&policy, &ops, false), play(&policy, &ops, true));
    }

    /// 22: between any two releases, the two included, there are at most `burst + rate × time`.
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

    /// 24: retries are at most the share of first attempts and the trickle; none is refused for
    /// good, and none is held back that both leave room for.
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

    /// 22 and 24, with starts that are taken back: those that were made keep to rate and budget,
    /// and what was taken back at once is as if it had not been.
    #[test]
    fn what_was_taken_back_neither_uses_up_nor_gives(
        rate in rates(),
        budget in budgets(),
        calls in prop::collection::vec(
            (any::<bool>(), prop::option::of(0_u64..4_000), 0_u64..3_000), 0..200,
        ),
    ) {
        let window = ConcurrencyLimitPolicy::fixed(NonZeroU32::MAX);
        let flow_policy = FlowPolicy::fixed().with_concurrency(window);
        let flow_policy = flow_policy.with_rate_limit(rate).with_retry_budget(budget);
        let (mut flow, mut now) = (Flow::new(), at(0));
        let (mut made, mut firsts, mut retries, mut most) = (Vec::new(), 0_u128, 0_u128, 0_usize);
        let mut unsent: Vec<(Timestamp, AttemptKind, Receipt)> = Vec::new();
        for (first, taken_back, pause) in calls {
            let class = if first { AttemptKind::First } else { AttemptKind::Retry };
            if flow.check(&flow_policy, class, now) == FlowDecision::Go {
                let answers = CLASSES.map(|class| flow.check(&flow_policy, class, now));
                let spent = flow.start(&flow_policy, class, now);
                match taken_back {
                    Some(0) => {
                        flow.cancel_start(&flow_policy, spent, now);
                        let again = CLASSES.map(|class| flow.check(&flow_policy, class, now));
                        prop_assert_eq!(again, answers);
                    }
                    Some(after) => {
                        unsent.push((now + Duration::from_millis(after), class, spent));
                        let firsts = unsent.iter().filter(|(_, class, _)| *class == AttemptKind::First);
                        most = most.max(firsts.count());
                    }
                    None => {
                        made.push(now);
                        firsts += u128::from(first);
                        retries += u128::from(!first);
                    }
                }
            }
            // A retry may go for what is taken back after it, which is owed from then on.
            let share = u128::from(budget.percent()) * (firsts + most as u128) / 100;
            let time = now.saturating_since(at(0)).as_micros();
            prop_assert!(retries <= share + 1 + time / budget.min_interval().as_micros());
            now += Duration::from_millis(pause);
            for (.., spent) in unsent.extract_if(.., |(until, ..)| *until <= now) {
                flow.cancel_start(&flow_policy, spent, now);
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

    /// A record that was edited by hand is no cause for a panic, and no flow stands still.
    #[test]
    fn any_saved_state_will_do(
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
            "held_until": times[3],
            "window": {
                "limit": if known { Some(small[0].max(1)) } else { None },
                "threshold": small[1], "credit": small[2], "peak": small[3], "left": small[4],
                "fell_at": times[4],
            },
            "rate": bucket(0),
            "pace": {
                "rate": if known { Some(numbers[4]) } else { None },
                "ceiling": numbers[5], "step": numbers[6], "fell_at": times[5], "since": times[6],
                "successes": small[3], "refusals": small[4], "before": small[0],
                "spacing": bucket(1),
            },
            "budget": { "credit": numbers[7].cast_signed(), "trickle": bucket(2) },
        });
        let mut flow: Flow = serde_json::from_value(state).unwrap();
        let (mut now, mut started_at) = (at(0), at(0));
        for op in ops {
            match op {
                Op::Move(by) => now = moved(now, by),
                Op::Jump(to) => now = Timestamp::from_unix_micros(to),
                Op::Start(class, _) => {
                    flow.start(&policy, class, now);
                    started_at = now;
                }
                Op::End(_, feedback) => flow.end(&policy, started_at, feedback, now),
                Op::Hold(by) => flow.pause_until(&policy, moved(now, by), now),
                Op::Recovered => flow.recovered(),
                Op::RetryPolicy(_) => {}
            }
            check(&flow, &policy, now);
        }
    }
}
