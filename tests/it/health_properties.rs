//! One endpoint's health on a virtual clock: invariants 15 to 21, and every small state.

use std::collections::BTreeSet;
use std::time::Duration;

use labhook::health::{
    EnabledBy, Gate, Health, Intake, NewMessages, Permit, SenderOutage, Signal, SignalEffect, State,
};
use labhook::{HealthPolicy, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::health_policy::policies;
use crate::health_world::{Call, EDGES, SIGNALS, World, at};

use Signal::{EndpointFault, Gone, Overload, PayloadFault, SenderFault, Success};
use State::{Disabled, Healthy, Suspended};

fn signals() -> impl Strategy<Value = Signal> {
    prop_oneof![
        8 => Just(EndpointFault),
        3 => Just(Success),
        2 => Just(Overload),
        1 => Just(PayloadFault),
        1 => Just(SenderFault),
        1 => Just(Gone),
    ]
}

fn calls(times: impl Strategy<Value = i64> + 'static) -> impl Strategy<Value = Call> {
    prop_oneof![
        6 => times.prop_map(Call::Time),
        6 => Just(Call::Poll),
        8 => Just(Call::Start),
        12 => (any::<u8>(), signals()).prop_map(|(index, signal)| Call::Record(index, signal)),
        1 => any::<u8>().prop_map(Call::Unstart),
        1 => Just(Call::Forget),
        1 => any::<bool>().prop_map(Call::SenderOutage),
        1 => Just(Call::Pause),
        2 => Just(Call::Resume),
        1 => Just(Call::Disable),
        2 => prop_oneof![Just(EnabledBy::Operator), Just(EnabledBy::Automation)]
            .prop_map(Call::Enable),
    ]
}

proptest! {
    #[test]
    fn every_call_keeps_the_invariants(
        policy in policies(6),
        calls in vec(calls(-3..9_i64), 0..120),
    ) {
        let mut world = World::new(policy, at(0));
        for call in calls {
            world.call(call);
        }
    }

    #[test]
    fn no_extreme_overflows(
        policy in policies(u64::MAX),
        start in prop_oneof![Just(Timestamp::MIN), Just(Timestamp::UNIX_EPOCH), any::<i64>()
            .prop_map(Timestamp::from_unix_micros)],
        calls in vec(calls(any::<i64>()), 0..60),
    ) {
        let mut world = World::new(policy, start);
        for call in calls {
            // Nothing comes after the end of time, so that nothing is asserted of waits there.
            if world.now < Timestamp::MAX {
                world.call(call);
            } else {
                let before = world.health.clone();
                if !matches!(call, Call::Poll) {
                    world.act(call, &before);
                }
                let _ = world.health.poll(&world.policy, world.guard, world.now);
            }
        }
    }

    /// 11, for an endpoint: driving at the wake-ups alone is driving at every tick.
    #[test]
    fn wake_ups_are_exact(policy in policies(6), answers in vec((1..9_u64, signals()), 1..60)) {
        let drive = |every_tick: bool| {
            let mut health = Health::new();
            let mut answers = answers.iter();
            let mut pending: Option<(Timestamp, Permit, Signal)> = None;
            let mut log = Vec::new();
            let mut now = at(0);
            while now < at(2_000) {
                if let Some((due, pass, signal)) = pending && due <= now {
                    pending = None;
                    let recorded = health.record(&policy, SenderOutage::Clear, pass, signal, now);
                    log.push((now, recorded.transition()));
                }
                let standing = health.poll(&policy, SenderOutage::Clear, now);
                if let Some(edge) = standing.edge {
                    log.push((now, Some(edge)));
                }
                // One attempt at a time; the host remembers it when its probe is given up.
                if pending.is_none() && matches!(standing.admit, Gate::Open | Gate::Probe) {
                    let Some((takes, signal)) = answers.next() else { break };
                    let pass = health.start(&policy, now).unwrap();
                    log.push((now, None));
                    pending = Some((now + Duration::from_millis(*takes), pass, *signal));
                }
                let wakes = [health.wake_at(), pending.map(|(due, ..)| due)];
                let Some(wake) = wakes.into_iter().flatten().min() else { break };
                now = if every_tick { now + Duration::from_millis(1) } else { wake.max(now) };
            }
            (log, health)
        };
        prop_assert_eq!(drive(true), drive(false));
    }

    /// 19: neither early nor late, for a host that starts each probe when it is due.
    #[test]
    fn disabling_is_on_time(
        policy in policies(50),
        answers in vec((0..80_u64, any::<bool>(), any::<bool>()), 1..50),
    ) {
        let mut health = Health::new();
        let (mut now, mut suspended, mut last_wait) = (at(0), None, Duration::ZERO);
        let mut answers = answers.iter().cycle();
        for _ in 0..400 {
            let mut edges = Vec::new();
            let standing = health.poll(&policy, SenderOutage::Clear, now);
            edges.extend(standing.edge);
            match standing.admit {
                Gate::Open | Gate::Probe => {
                    let pass = health.start(&policy, now).unwrap();
                    let (takes, payload, answered) = answers.next().unwrap();
                    if *answered || !pass.is_probe() {
                        let takes = Duration::from_millis(*takes).min(policy.probe_timeout());
                        now += takes;
                        let signal = if *payload && takes.is_zero() && pass.is_probe() {
                            // Once; then the probe is to be answered.
                            let again = health.record(&policy, SenderOutage::Clear, pass, PayloadFault, now);
                            prop_assert_eq!(again, SignalEffect::Counted);
                            health.start(&policy, now)
                        } else {
                            Some(pass)
                        };
                        let recorded =
                            health.record(&policy, SenderOutage::Clear, signal.unwrap(), EndpointFault, now);
                        edges.extend(recorded.transition());
                    }
                }
                Gate::Hold { until } => {
                    last_wait = until.saturating_since(now);
                    now = until;
                }
                Gate::Probing { deadline } => now = deadline,
                Gate::Disabled => break,
                Gate::Paused => unreachable!(),
            }
            for edge in edges {
                match (edge.to, policy.disable_after()) {
                    (Suspended, _) => suspended = Some(edge.at),
                    (Disabled, Some(after)) => {
                        let over = suspended.unwrap() + after;
                        prop_assert!(edge.at >= over, "early");
                        prop_assert!(edge.at <= over + policy.probe_timeout(), "late");
                        prop_assert!(last_wait <= policy.probes().max().unwrap());
                    }
                    (Disabled, None) => prop_assert!(false, "never to be disabled"),
                    _ => {}
                }
            }
        }
        // The suspension ends where there is one to be: 400 steps are more than it takes.
        let may = policy.suspend_after().is_some() && policy.disable_after().is_some();
        prop_assert!(may || health.state() != Disabled);
    }

    /// A step back of d lengthens a wait by at most d, and never shortens one.
    #[test]
    fn a_clock_that_goes_back_lengthens_waits_by_as_much(
        policy in policies(50),
        back in 0..500_u64,
    ) {
        let mut health = Health::new();
        let tripped = at(1_000);
        while health.state() == Healthy {
            let pass = health.start(&policy, tripped).unwrap();
            let _ = health.record(&policy, SenderOutage::Clear, pass, EndpointFault, tripped);
        }
        let due = tripped + policy.probe_wait(0);
        let now = tripped - Duration::from_millis(back);
        for now in [now, now, tripped] {
            let admit = health.poll(&policy, SenderOutage::Clear, now).admit;
            prop_assert_eq!(admit, Gate::Hold { until: due });
        }
        prop_assert_eq!(health.poll(&policy, SenderOutage::Clear, due).admit, Gate::Probe);
        // What was found due stays due.
        prop_assert_eq!(health.poll(&policy, SenderOutage::Clear, now).admit, Gate::Probe);
    }

    /// 18: with payload faults of healthy attempts or without them, it is the same story.
    #[test]
    fn payload_faults_are_as_if_they_had_not_been(
        policy in policies(50),
        story in vec((0..20_u64, signals()), 0..80),
    ) {
        let drive = |story: &mut dyn Iterator<Item = (u64, Signal)>| {
            let (mut health, mut now) = (Health::new(), at(0));
            for (wait, signal) in story {
                now += Duration::from_millis(wait);
                if health.state() != Healthy {
                    break;
                }
                let pass = health.start(&policy, now).unwrap();
                let _ = health.record(&policy, SenderOutage::Clear, pass, signal, now);
            }
            health
        };
        let mut carried = 0;
        let all = drive(&mut story.iter().copied());
        let fewer = drive(&mut story.iter().filter_map(|(wait, signal)| {
            carried += wait;
            (*signal != PayloadFault).then(|| (std::mem::take(&mut carried), *signal))
        }));
        prop_assert_eq!(all, fewer);
    }

    /// With messages shed and none left to wait, a due probe still gets one.
    #[test]
    fn shedding_never_locks_an_endpoint_out(policy in policies(20), steps in 1..200_usize) {
        let policy = policy.with_new_messages(NewMessages::Shed).with_disable_after(None);
        let (mut health, mut now) = (Health::new(), at(0));
        for _ in 0..steps {
            if let Some(pass) = health.start(&policy, now) {
                let _ = health.record(&policy, SenderOutage::Clear, pass, EndpointFault, now);
            }
            match health.poll(&policy, SenderOutage::Clear, now).admit {
                Gate::Hold { until } => {
                    now = until;
                    prop_assert_ne!(health.intake(&policy, now), Intake::Shed);
                }
                admit => prop_assert_eq!(admit, Gate::Open),
            }
        }
    }
}

/// Every state that one endpoint can reach in a small world, and every call in each of them.
#[test]
fn every_small_state_keeps_the_invariants() {
    let policy: HealthPolicy = serde_json::from_str(
        r#"{"failures": 2, "failure_window_ms": 3, "overload_limit_ms": 1, "probes_ms": [1, 2],
            "probe_timeout_ms": 1, "suspend_after_probes": 1, "disable_after_ms": 3}"#,
    )
    .unwrap();
    let mut calls = vec![
        Call::Time(1),
        Call::Poll,
        Call::Start,
        Call::Unstart(0),
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
    let mut edges = BTreeSet::new();
    let mut layer = vec![World::new(policy, at(0))];
    for _ in 0..9 {
        let mut next = Vec::new();
        for world in layer {
            for call in &calls {
                let mut world = world.clone();
                if matches!(call, Call::Start) && world.passes.len() == 2 {
                    world.passes.remove(0);
                }
                edges.extend(world.call(*call).map(|edge| (edge.from, edge.to)));
                if seen.insert(key(&world)) {
                    next.push(world);
                }
            }
        }
        layer = next;
        if seen.len() > 25_000 {
            break;
        }
    }
    println!("{} states, {} edges", seen.len(), edges.len());
    assert!(seen.len() > 10_000, "only {} states", seen.len());
    assert_eq!(edges, EDGES.into_iter().collect(), "each declared edge is walked");
}

fn key(world: &World) -> String {
    let health = serde_json::to_string(&world.health).unwrap();
    let passes = serde_json::to_string(&world.passes).unwrap();
    format!("{health} {passes} {} {:?}", world.now, world.guard)
}
