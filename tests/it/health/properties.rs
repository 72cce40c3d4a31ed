//! Invariants 15 to 21 of one endpoint's health, on a virtual clock and in every small state.

use std::collections::BTreeSet;
use std::time::Duration;

use labhook::health::{
    EnabledBy, Gate, Health, Intake, NewMessages, Permit, SenderOutage, Signal, SignalEffect, State,
};
use labhook::{HealthPolicy, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;

use super::policy_file::policies;
use super::world::{Call, SIGNALS, TRANSITIONS, World, at};

use SenderOutage::Clear;
use Signal::{EndpointFault, Gone, Overload, PayloadFault, SenderFault, Success};
use State::{Disabled, Healthy, Suspended};

/// Attempt timeouts of up to `longest` milliseconds.
fn timeouts(longest: u64) -> impl Strategy<Value = Duration> {
    (1..=longest).prop_map(Duration::from_millis)
}

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

proptest! {
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
        start in prop_oneof![Just(Timestamp::MIN), Just(Timestamp::UNIX_EPOCH), any::<i64>()
            .prop_map(Timestamp::from_unix_micros)],
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
                let _ = world.health.poll(&world.policy, world.outage, world.now);
            }
        }
    }

    /// 11, for one endpoint: polling at the wake-ups has the same result as polling at every tick.
    #[test]
    fn wake_ups_are_exact(
        policy in policies(6),
        timeout in timeouts(6),
        results in vec((1..9_u64, signals()), 1..60),
    ) {
        let drive = |every_tick: bool| {
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
                let status = health.poll(&policy, Clear, now);
                if let Some(transition) = status.transition {
                    log.push((now, Some(transition)));
                }
                // One attempt at a time, which goes on even if its probe has failed by then.
                if pending.is_none() && matches!(status.gate, Gate::Open | Gate::Probe) {
                    let Some((takes, signal)) = results.next() else { break };
                    let permit = health.start(now + timeout, now).unwrap();
                    log.push((now, None));
                    pending = Some((now + Duration::from_millis(*takes), permit, *signal));
                }
                let wakes = [health.wake_at(), pending.map(|(due, ..)| due)];
                let Some(wake) = wakes.into_iter().flatten().min() else { break };
                now = if every_tick { now + Duration::from_millis(1) } else { wake.max(now) };
            }
            (log, health)
        };
        prop_assert_eq!(drive(true), drive(false));
    }

    /// 19: an endpoint is disabled neither early nor late if each probe starts when it is due.
    #[test]
    fn disabling_is_on_time(
        policy in policies(50),
        timeout in timeouts(50),
        results in vec((0..80_u64, any::<bool>(), any::<bool>()), 1..50),
    ) {
        let mut health = Health::new();
        let (mut now, mut suspended, mut last_wait) = (at(0), None, Duration::ZERO);
        let mut results = results.iter().cycle();
        for _ in 0..400 {
            let mut transitions = Vec::new();
            let status = health.poll(&policy, Clear, now);
            transitions.extend(status.transition);
            match status.gate {
                Gate::Open | Gate::Probe => {
                    let permit = health.start(now + timeout, now).unwrap();
                    let (takes, payload, responds) = results.next().unwrap();
                    if *responds || !permit.is_probe() {
                        let takes = Duration::from_millis(*takes).min(timeout);
                        now += takes;
                        let permit = if *payload && takes.is_zero() && permit.is_probe() {
                            // One payload fault; then the probe gets a result.
                            let again = health.record(&policy, Clear, permit, PayloadFault, now);
                            prop_assert_eq!(again, SignalEffect::Counted);
                            health.start(now + timeout, now).unwrap()
                        } else {
                            permit
                        };
                        let effect = health.record(&policy, Clear, permit, EndpointFault, now);
                        transitions.extend(effect.transition());
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
            for transition in transitions {
                match (transition.to, policy.disable_after()) {
                    (Suspended, _) => suspended = Some(transition.at),
                    (Disabled, Some(after)) => {
                        let over = suspended.unwrap() + after;
                        prop_assert!(transition.at >= over, "early");
                        prop_assert!(transition.at <= over + timeout, "late");
                        prop_assert!(last_wait <= policy.probes().max().unwrap());
                    }
                    (Disabled, None) => prop_assert!(false, "never to be disabled"),
                    _ => {}
                }
            }
        }
        // Disabled only if the policy allows it; 400 steps are more than it takes.
        let may = policy.suspend_after().is_some() && policy.disable_after().is_some();
        prop_assert!(may || health.state() != Disabled);
    }

    /// A clock that steps back by d lengthens a wait by at most d, and never shortens one.
    #[test]
    fn backward_clock_lengthens_waits_by_its_step(
        policy in policies(50),
        back in 0..500_u64,
    ) {
        let mut health = Health::new();
        let opened = at(1_000);
        while health.state() == Healthy {
            let permit = health.start(opened, opened).unwrap();
            let _ = health.record(&policy, Clear, permit, EndpointFault, opened);
        }
        let due = opened + policy.probe_wait(0);
        let now = opened - Duration::from_millis(back);
        for now in [now, now, opened] {
            let gate = health.poll(&policy, Clear, now).gate;
            prop_assert_eq!(gate, Gate::Hold { until: due });
        }
        prop_assert_eq!(health.poll(&policy, Clear, due).gate, Gate::Probe);
        // A probe that was found due stays due.
        prop_assert_eq!(health.poll(&policy, Clear, now).gate, Gate::Probe);
    }

    /// 18: without the payload faults of a healthy endpoint, the state is the same.
    #[test]
    fn payload_faults_leave_no_trace(
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
                let permit = health.start(now, now).unwrap();
                let _ = health.record(&policy, Clear, permit, signal, now);
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

    /// Even if all messages are shed, a due probe still gets one.
    #[test]
    fn shedding_never_locks_an_endpoint_out(policy in policies(20), steps in 1..200_usize) {
        let policy = policy.with_new_messages(NewMessages::Shed).with_disable_after(None);
        let (mut health, mut now) = (Health::new(), at(0));
        for _ in 0..steps {
            if let Some(permit) = health.start(now + Duration::from_millis(1), now) {
                let _ = health.record(&policy, Clear, permit, EndpointFault, now);
            }
            match health.poll(&policy, Clear, now).gate {
                Gate::Hold { until } => {
                    now = until;
                    prop_assert_ne!(health.intake(&policy, now), Intake::Shed);
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
        r#"{"failures": 2, "failure_window_ms": 3, "overload_limit_ms": 1, "probes_ms": [1, 2],
            "suspend_after_probes": 1, "disable_after_ms": 3}"#,
    )
    .unwrap();
    let mut calls = vec![
        Call::Time(1),
        Call::Poll,
        Call::Start,
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
    let mut layer = vec![World::new(policy, Duration::from_millis(1), at(0))];
    for _ in 0..9 {
        let mut next = Vec::new();
        for world in layer {
            for call in &calls {
                let mut world = world.clone();
                if matches!(call, Call::Start) && world.permits.len() == 2 {
                    world.permits.remove(0);
                }
                transitions.extend(world.call(*call).map(|it| (it.from, it.to)));
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
    println!("{} states, {} transitions", seen.len(), transitions.len());
    assert!(seen.len() > 10_000, "only {} states", seen.len());
    assert_eq!(transitions, TRANSITIONS.into_iter().collect(), "every transition occurs");
}

fn key(world: &World) -> String {
    let health = serde_json::to_string(&world.health).unwrap();
    let permits = serde_json::to_string(&world.permits).unwrap();
    format!("{health} {permits} {} {:?}", world.now, world.outage)
}
