//! Invariants 15 to 21 of one endpoint's health, on a virtual clock and in every small state.

use std::collections::BTreeSet;
use std::time::Duration;

use labhook::health::{EnabledBy, Gate, Health, Intake, Permit, SenderOutage, Signal, State};
use labhook::{HealthPolicy, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::fixture::TICK;
use super::policy_file::policies;
use super::world::{Call, SIGNALS, TRANSITIONS, World, at};
use crate::support::config;

use SenderOutage::Clear;
use Signal::{Failed, Gone, Neutral, Refused, Success};
use State::{Disabled, Down, Healthy};

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Attempt timeouts of up to `longest` milliseconds.
fn timeouts(longest: u64) -> impl Strategy<Value = Duration> {
    (1..=longest).prop_map(ms)
}

fn signals() -> impl Strategy<Value = Signal> {
    prop_oneof![
        8 => Just(Failed),
        3 => Just(Success),
        3 => Just(Refused),
        2 => Just(Neutral),
        1 => Just(Gone),
    ]
}

fn calls(times: impl Strategy<Value = i64> + 'static) -> impl Strategy<Value = Call> {
    prop_oneof![
        6 => times.prop_map(Call::Time),
        6 => Just(Call::Poll),
        8 => (1..3_u32).prop_map(Call::Start),
        12 => (any::<u8>(), signals()).prop_map(|(index, signal)| Call::Record(index, signal)),
        1 => any::<u8>().prop_map(Call::CancelStart),
        1 => Just(Call::Forget),
        1 => any::<bool>().prop_map(Call::SenderOutage),
        1 => Just(Call::Pause),
        2 => Just(Call::Resume),
        1 => Just(Call::Disable),
        2 => prop_oneof![Just(EnabledBy::Operator), Just(EnabledBy::Automation)]
            .prop_map(Call::Enable),
    ]
}

fn starts() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        Just(Timestamp::MIN),
        Just(Timestamp::UNIX_EPOCH),
        any::<i64>().prop_map(Timestamp::from_unix_micros),
    ]
}

fn times() -> impl Strategy<Value = i64> {
    prop_oneof![Just(i64::MIN), Just(i64::MAX), -1_000_000..1_000_000_i64, any::<i64>()]
}

fn counts() -> impl Strategy<Value = u32> {
    prop_oneof![0..3_u32, Just(u32::MAX), any::<u32>()]
}

fn serials() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0..4_u64, 1 => Just(u64::MAX), 1 => any::<u64>()]
}

/// The state of an endpoint as a record edited by hand may have it.
fn states() -> impl Strategy<Value = Value> {
    let probe = prop_oneof![
        (times(), any::<bool>())
            .prop_map(|(due, overdue)| json!({"waiting": {"due": due, "overdue": overdue}})),
        times().prop_map(|since| json!({"due": {"since": since}})),
        (serials(), times(), times()).prop_map(|(serial, started, deadline)| json!({
            "in_flight": {"serial": serial, "started": started, "deadline": deadline},
        })),
    ];
    prop_oneof![
        (counts(), counts(), times()).prop_map(|(failures, refusals, since)| json!({
            "healthy": {"failures": failures, "refusals": refusals, "since": since},
        })),
        (times(), serials(), counts(), probe, times(), times()).prop_map(
            |(since, serial, failed, probe, start, decided)| json!({"down": {
                "since": since, "serial": serial, "failures": failed, "refusals": failed,
                "failed_probes": failed, "probe": probe,
                "timer": {"start": start, "decided_until": decided},
            }})
        ),
        times().prop_map(|since| json!({"disabled": {"since": since, "by": "escalation"}})),
    ]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_call_keeps_the_invariants(
        policy in policies(6),
        timeout in timeouts(6),
        calls in vec(calls(-3..9_i64), 0..120),
    ) {
        let mut world = World::new(policy, timeout, at(0));
        for call in calls {
            world.call(call);
        }
    }

    #[test]
    fn extreme_times_do_not_overflow(
        policy in policies(u64::MAX),
        timeout in timeouts(u64::MAX),
        start in starts(),
        calls in vec(calls(any::<i64>()), 0..60),
    ) {
        let mut world = World::new(policy, timeout, start);
        for call in calls {
            // Nothing comes after the end of time, so nothing is asserted about waits there.
            if world.now < Timestamp::MAX {
                world.call(call);
            } else {
                let before = world.health.clone();
                if !matches!(call, Call::Poll) {
                    world.act(call, &before);
                }
                let _ = world.health.poll(&world.policy, world.now);
            }
        }
    }

    /// A saved state edited by hand neither panics nor locks the endpoint out.
    #[test]
    fn any_saved_state_works(
        policy in policies(u64::MAX),
        timeout in timeouts(u64::MAX),
        state in states(),
        serials in (serials(), serials()),
        start in starts(),
        calls in vec(calls(any::<i64>()), 0..60),
    ) {
        let saved = json!({"serial": serials.0, "enabled_serial": serials.1, "state": state});
        let mut world = World::new(policy, timeout, start);
        world.health = serde_json::from_value(saved).unwrap();
        for call in calls {
            if let Call::Time(_) | Call::Start(_) = call {
                let before = world.health.clone();
                world.act(call, &before);
            } else if let Call::Record(index, signal) = call
                && !world.permits.is_empty()
            {
                let (permit, _) = world.permits[usize::from(index) % world.permits.len()];
                let (outage, now) = (world.outage, world.now);
                let _ = world.health.record(&policy, outage, permit, signal, now);
            }
            let gate = world.health.poll(&policy, world.now);
            if let Gate::Hold { until: wake } | Gate::Probing { deadline: wake } = gate
                && wake < Timestamp::MAX
            {
                prop_assert!(wake > world.now);
                let mut later = world.health.clone();
                prop_assert_ne!(later.poll(&policy, wake), gate, "a wait ends");
            }
        }
    }

    /// 11, for one endpoint: polling at the wake-ups has the same result as polling all the time.
    #[test]
    fn wake_ups_are_exact(
        policy in policies(6),
        timeout in timeouts(6),
        results in vec((1..9_u64, signals(), 1..3_u32), 1..60),
    ) {
        let drive = |often: bool| {
            let mut health = Health::new();
            let mut results = results.iter();
            let mut pending: Option<(Timestamp, Permit, Signal)> = None;
            let mut log = Vec::new();
            let mut now = at(0);
            while now < at(2_000) {
                if let Some((due, permit, signal)) = pending && due <= now {
                    pending = None;
                    let effect = health.record(&policy, Clear, permit, signal, now);
                    log.push((now, effect.transition()));
                }
                let gate = health.poll(&policy, now);
                // One attempt at a time, which goes on even if its deadline has passed.
                if pending.is_none() && matches!(gate, Gate::Open | Gate::Probe) {
                    let Some((takes, signal, number)) = results.next() else { break };
                    let permit = health.start(*number, now + timeout, now).unwrap();
                    log.push((now, None));
                    pending = Some((now + ms(*takes), permit, *signal));
                }
                if let Some(wake) = health.wake_at() {
                    let mut early = health.clone();
                    let (gate, before) = (early.poll(&policy, now), early.clone());
                    assert_eq!(early.poll(&policy, wake - TICK), gate, "nothing happens before");
                    assert_eq!(early, before);
                    assert_ne!(early.poll(&policy, wake), gate, "something happens then");
                }
                let wakes = [health.wake_at(), pending.map(|(due, ..)| due)];
                let Some(wake) = wakes.into_iter().flatten().min() else { break };
                let soon = now + Duration::from_micros(333);
                now = if often { wake.min(soon).max(now) } else { wake.max(now) };
            }
            (log, health)
        };
        prop_assert_eq!(drive(true), drive(false));
    }

    /// 19: an endpoint is disabled neither early nor late if each probe starts when it is due and
    /// every timeout is reported.
    #[test]
    fn disabling_is_on_time(
        policy in policies(50),
        timeout in timeouts(50),
        results in vec((0..80_u64, 0..3_u64, prop::bool::weighted(0.2)), 1..50),
    ) {
        let mut health = Health::new();
        let (mut now, mut opened) = (at(0), None);
        // The time that does not count, and the result up to which that is decided.
        let (mut excluded, mut decided) = (Duration::ZERO, at(0));
        let some_neutral = results.iter().any(|(.., neutral)| *neutral);
        let mut results = results.iter().cycle();
        for _ in 0..1_000 {
            match health.poll(&policy, now) {
                Gate::Open | Gate::Probe => {
                    let permit = health.start(1, now + timeout, now).unwrap();
                    let (takes, late, neutral) = results.next().unwrap();
                    now += ms(*takes).min(timeout);
                    if ms(*takes) >= timeout && permit.is_probe() {
                        // The deadline is found first, and the timeout is reported a little later.
                        let gate = health.poll(&policy, now);
                        let Gate::Hold { until } = gate else { panic!("{gate:?}") };
                        now = (now + ms(*late)).min(until - TICK);
                    }
                    let neutral = *neutral && permit.is_probe();
                    let signal = if neutral { Neutral } else { Failed };
                    let effect = health.record(&policy, Clear, permit, signal, now);
                    if neutral {
                        excluded += now.saturating_since(decided);
                    }
                    decided = now;
                    let Some(transition) = effect.transition() else { continue };
                    if transition.to == Down {
                        (opened, excluded) = (Some(now), Duration::ZERO);
                        continue;
                    }
                    prop_assert_eq!(transition.to, Disabled);
                    let over = opened.unwrap() + policy.disable_after().unwrap() + excluded;
                    let wait = policy.probe_wait(0) * 11 / 10;
                    prop_assert!(transition.at >= over, "early");
                    prop_assert!(transition.at <= over + wait + timeout + ms(3), "late");
                }
                Gate::Hold { until } => {
                    prop_assert!(until <= now + policy.longest_wait() * 11 / 10);
                    now = until;
                }
                Gate::Disabled => break,
                gate => prop_assert!(false, "{:?}", gate),
            }
        }
        // Disabled only if the policy allows it; 1 000 steps are more than it takes.
        let disabled = health.state() == Disabled;
        prop_assert!(some_neutral || disabled == policy.disable_after().is_some());
    }

    /// A clock that steps back by d lengthens a wait by at most d, never beyond what the policy can
    /// ask for, and never shortens one.
    #[test]
    fn backward_clock_lengthens_waits_by_its_step(
        policy in policies(50),
        timeout in timeouts(50),
        failed in 0..6_u32,
        elapsed in 0..100_u32,
        back in 0..500_u64,
    ) {
        let policy = policy.with_disable_after(None);
        let (mut health, mut from) = (Health::new(), at(1_000));
        while health.state() == Healthy {
            let permit = health.start(1, from, from).unwrap();
            let _ = health.record(&policy, Clear, permit, Failed, from);
        }
        for _ in 0..failed {
            from = health.wake_at().unwrap();
            let permit = health.start(1, from + timeout, from).unwrap();
            let _ = health.record(&policy, Clear, permit, Failed, from);
        }
        let due = health.wake_at().unwrap();
        let longest = policy.probe_wait(failed) * 11 / 10;
        let now = from + due.saturating_since(from) * elapsed / 100;
        let back = ms(back);
        for _ in 0..2 {
            let gate = health.poll(&policy, now - back);
            let Gate::Hold { until } = gate else { panic!("{gate:?}") };
            let wait = until.saturating_since(now - back);
            prop_assert!(wait >= due.saturating_since(now), "never shorter");
            prop_assert!(wait <= due.saturating_since(now) + back, "by its step");
            prop_assert!(wait <= longest, "never beyond the policy's");
        }
        // A probe that was found due stays due.
        let due = health.wake_at().unwrap();
        prop_assert_eq!(health.poll(&policy, due), Gate::Probe);
        prop_assert_eq!(health.poll(&policy, now - back), Gate::Probe);
        // The deadline of one in flight.
        let started = due;
        let _probe = health.start(1, started + timeout, started).unwrap();
        let gate = health.poll(&policy, started - back);
        prop_assert_eq!(gate, Gate::Probing { deadline: started - back + timeout });
    }

    /// 18: without the neutral results of a healthy endpoint, the state is the same.
    #[test]
    fn neutral_results_leave_no_trace(
        policy in policies(50),
        story in vec((0..20_u64, signals()), 0..80),
    ) {
        let drive = |story: &mut dyn Iterator<Item = (u64, Signal)>| {
            let (mut health, mut now) = (Health::new(), at(0));
            for (wait, signal) in story {
                now += ms(wait);
                if health.state() != Healthy {
                    break;
                }
                let permit = health.start(1, now, now).unwrap();
                let _ = health.record(&policy, Clear, permit, signal, now);
            }
            health
        };
        let mut carried = 0;
        let all = drive(&mut story.iter().copied());
        let fewer = drive(&mut story.iter().filter_map(|(wait, signal)| {
            carried += wait;
            (*signal != Neutral).then(|| (std::mem::take(&mut carried), *signal))
        }));
        prop_assert_eq!(all, fewer);
    }

    /// Even if all messages are shed, a due probe still gets one.
    #[test]
    fn shedding_never_locks_an_endpoint_out(policy in policies(20), steps in 1..200_usize) {
        let policy = policy.with_shed_after(Duration::ZERO).with_disable_after(None);
        let (mut health, mut now) = (Health::new(), at(0));
        for _ in 0..steps {
            if let Some(permit) = health.start(1, now + ms(1), now) {
                let _ = health.record(&policy, Clear, permit, Failed, now);
            }
            match health.poll(&policy, now) {
                Gate::Hold { until } => {
                    prop_assert_eq!(health.intake(&policy, now), Intake::Shed);
                    now = until;
                    prop_assert_eq!(health.intake(&policy, now), Intake::TakeIfNoneWaits);
                }
                gate => prop_assert_eq!(gate, Gate::Open),
            }
        }
    }
}

/// Every state that one endpoint can reach in a small world, and every call in each of them.
#[test]
fn every_small_state_keeps_the_invariants() {
    let policy: HealthPolicy = serde_json::from_str(
        r#"{"failures": 2, "refused_for_ms": 1, "first_probe_ms": 1, "longest_wait_ms": 2,
            "shed_after_ms": 1, "disable_after_ms": 3}"#,
    )
    .unwrap();
    let mut calls = vec![
        Call::Time(1),
        Call::Poll,
        Call::Start(1),
        Call::Start(2),
        Call::CancelStart(0),
        Call::Forget,
        Call::Pause,
        Call::Resume,
        Call::Disable,
        Call::Enable(EnabledBy::Automation),
        Call::SenderOutage(true),
        Call::SenderOutage(false),
    ];
    for index in 0..2 {
        calls.extend(SIGNALS.map(|signal| Call::Record(index, signal)));
    }
    let mut seen = BTreeSet::new();
    let mut transitions = BTreeSet::new();
    let mut layer = vec![World::new(policy, ms(1), at(0))];
    for _ in 0..12 {
        let mut next = Vec::new();
        for world in layer {
            for call in &calls {
                let mut world = world.clone();
                if matches!(call, Call::Start(_)) && world.permits.len() == 2 {
                    world.permits.remove(0);
                }
                transitions.extend(world.call(*call).map(|it| (it.from, it.to)));
                if seen.insert(key(&world)) {
                    next.push(world);
                }
            }
        }
        layer = next;
        if seen.len() > 60_000 {
            break;
        }
    }
    println!("{} states, {} transitions", seen.len(), transitions.len());
    assert!(seen.len() > 10_000, "only {} states", seen.len());
    assert_eq!(transitions, TRANSITIONS.into_iter().collect(), "every transition occurs");
}

fn key(world: &World) -> String {
    let health = serde_json::to_string(&world.health).unwrap();
    let permits = serde_json::to_string(&world.permits).unwrap();
    format!("{health} {permits} {} {:?}", world.now, world.outage)
}
