//! When the circuit of an endpoint opens and closes.

use std::num::{NonZeroU8, NonZeroU32};
use std::time::Duration;

use labhook::health::{
    DisabledBy, Gate, Intake, NewMessages, PendingOnDisable, SenderOutage, Signal, SignalEffect,
    State,
};

use super::fixture::{Endpoint, at, default, secs};

use SenderOutage::Suspected;
use Signal::{EndpointFault, Gone, Overload, PayloadFault, SenderFault, Success};
use State::{Degraded, Disabled, Healthy, Suspended};

#[test]
fn outage_follows_the_schedule_until_disabled() {
    let mut endpoint = Endpoint::degraded(default(), 0);
    let mut now = 0;
    let mut waits = Vec::new();
    let mut transitions = Vec::new();
    while endpoint.health.state() != Disabled {
        let due = endpoint.health.wake_at().unwrap().unix_seconds();
        assert_eq!(endpoint.gate(due - 1), Gate::Hold { until: at(due) });
        assert_eq!(endpoint.try_start(due - 1), None);
        assert_eq!(endpoint.gate(due), Gate::Probe);
        waits.push(due - now);
        now = due;
        transitions.extend(endpoint.attempt(EndpointFault, due).transition());
    }
    let week = 7 * 86_400;
    assert_eq!(waits[..7], [300, 600, 1200, 2400, 3600, 14400, 14400]);
    assert!(waits[7..waits.len() - 1].iter().all(|wait| *wait == 14400), "{waits:?}");
    let transitions: Vec<_> = transitions.iter().map(|it| (it.to, it.at)).collect();
    assert_eq!(transitions, [(Suspended, at(22_500)), (Disabled, at(22_500 + week))]);
    let disabled = endpoint.health.disabled().unwrap();
    assert_eq!((disabled.by, disabled.since), (DisabledBy::Escalation, at(22_500 + week)));
    assert_eq!(endpoint.gate(now), Gate::Disabled);
    assert_eq!((endpoint.health.wake_at(), endpoint.health.claim_at()), (None, None));
    let longest = default().time_to_disable(secs(30)).unwrap();
    assert_eq!(longest, secs(22_500 + 7 * 86_400 + 7 * 30));
}

#[test]
fn probe_success_improves_by_one_state() {
    let (mut endpoint, since) = Endpoint::suspended(default(), 0);
    let due = since + 14_400;
    assert_eq!(endpoint.transition(Success, due), (Suspended, Degraded));
    assert_eq!(endpoint.health.failures(), 0);
    assert_eq!(endpoint.gate(due), Gate::Hold { until: at(due + 300) });
    let recovery = endpoint.attempt(Success, due + 300).transition().unwrap();
    assert_eq!((recovery.from, recovery.to), (Degraded, Healthy));
    assert!(recovery.is_recovery());
    assert_eq!(endpoint.gate(due + 300), Gate::Open);
    assert_eq!(endpoint.health.since(), None);
}

#[test]
fn suspension_after_a_success_restarts_its_time() {
    let policy = default()
        .with_suspend_after(NonZeroU32::MIN)
        .with_disable_after(secs(1_000))
        .with_probes(secs(900), []);
    let mut endpoint = Endpoint::degraded(policy, 0);
    assert_eq!(endpoint.transition(EndpointFault, 900), (Degraded, Suspended));
    assert_eq!(endpoint.transition(Success, 1_800), (Suspended, Degraded));
    assert_eq!(endpoint.transition(EndpointFault, 2_700), (Degraded, Suspended));
    assert_eq!(endpoint.attempt(EndpointFault, 3_600), SignalEffect::Counted);
    // The last probe is due when the time is over, not a whole wait later.
    assert_eq!(endpoint.gate(3_600), Gate::Hold { until: at(3_700) });
    assert_eq!(endpoint.transition(EndpointFault, 3_700), (Suspended, Disabled));
}

#[test]
fn success_is_never_counted_as_a_failure() {
    let policy = default().with_suspend_after(NonZeroU32::MIN).with_disable_after(secs(1));
    let mut endpoint = Endpoint::degraded(policy, 0);
    assert_eq!(endpoint.transition(EndpointFault, 300), (Degraded, Suspended));
    // The probe whose failure would disable succeeds, and the endpoint improves.
    assert_eq!(endpoint.transition(Success, 86_400), (Suspended, Degraded));
    // Nor does a success degrade.
    let mut endpoint = Endpoint::new(default());
    for _ in 0..100 {
        for _ in 1..endpoint.policy.failures().unwrap().get() {
            assert_eq!(endpoint.attempt(EndpointFault, 0), SignalEffect::Counted);
        }
        assert_eq!(endpoint.attempt(Success, 0), SignalEffect::Counted);
        assert_eq!(endpoint.health.failures(), 0);
    }
}

#[test]
fn stale_failures_do_not_count() {
    let policy = default().with_failure_window(secs(60));
    let mut endpoint = Endpoint::new(policy);
    for now in [0, 0, 0, 0, 61, 62, 63, 64] {
        assert_eq!(endpoint.attempt(EndpointFault, now), SignalEffect::Counted, "{now}");
    }
    assert_eq!(endpoint.health.failures(), 4);
    // Those of 61 to 64 are exactly in the window, and this is one too many.
    assert_eq!(endpoint.transition(EndpointFault, 121), (Healthy, Degraded));
    // An attempt from before the circuit opened that fails after the recovery is ignored.
    let mut endpoint = Endpoint::new(default());
    let old: Vec<_> = (0..20).map(|_| endpoint.start(0)).collect();
    for permit in &old[..5] {
        let _ = endpoint.record(*permit, EndpointFault, 1);
    }
    assert_eq!(endpoint.transition(Success, 301), (Degraded, Healthy));
    for permit in &old[5..] {
        assert_eq!(endpoint.record(*permit, EndpointFault, 302), SignalEffect::Ignored);
    }
    assert_eq!(endpoint.health.failures(), 0);
}

#[test]
fn overloads_degrade_only_if_they_last() {
    let mut endpoint = Endpoint::new(default());
    for now in 0..300 {
        assert_eq!(endpoint.attempt(Overload, now), SignalEffect::Counted);
    }
    assert_eq!(endpoint.transition(Overload, 300), (Healthy, Degraded));
    // A success in between starts over, and so does a gap longer than the window.
    let mut endpoint = Endpoint::new(default().with_failure_window(secs(60)));
    for now in [0, 60, 120, 180, 240] {
        assert_eq!(endpoint.attempt(Overload, now), SignalEffect::Counted);
    }
    let _ = endpoint.attempt(Success, 299);
    for now in [300, 301, 302, 303, 304, 365, 366, 367, 368, 369] {
        assert_eq!(endpoint.attempt(Overload, now), SignalEffect::Counted, "{now}");
    }
    assert_eq!(endpoint.health.failures(), 5);
    // Two are not enough, however far apart.
    let mut endpoint = Endpoint::new(default());
    let _ = endpoint.attempt(Overload, 0);
    assert_eq!(endpoint.attempt(Overload, 3_000), SignalEffect::Counted);
    // A policy can never let them degrade, or count them like faults.
    let mut endpoint = Endpoint::new(default().with_overload_limit(None));
    for now in 0..2_000 {
        assert_eq!(endpoint.attempt(Overload, now), SignalEffect::Counted);
    }
    let mut endpoint = Endpoint::new(default().with_overload_limit(Duration::ZERO));
    for _ in 0..4 {
        let _ = endpoint.attempt(Overload, 0);
    }
    assert_eq!(endpoint.transition(Overload, 0), (Healthy, Degraded));
    // An overload fails a probe.
    assert_eq!(endpoint.attempt(Overload, 300), SignalEffect::Counted);
    assert_eq!(endpoint.health.failures(), 1);
}

#[test]
fn failure_threshold_of_1_and_of_255_degrade() {
    for failures in [1, 255] {
        let policy = default().with_failures(NonZeroU8::new(failures));
        assert_eq!(Endpoint::degraded(policy, 0).health.state(), Degraded);
    }
}

#[test]
fn old_success_only_makes_the_probe_due() {
    let mut endpoint = Endpoint::new(default());
    let old: Vec<_> = (0..8).map(|_| endpoint.start(0)).collect();
    for permit in &old[..5] {
        let _ = endpoint.record(*permit, EndpointFault, 0);
    }
    let before = endpoint.health.clone();
    for signal in [EndpointFault, Overload, PayloadFault, SenderFault] {
        assert_eq!(endpoint.record(old[5], signal, 1), SignalEffect::Ignored, "{signal}");
    }
    assert_eq!(endpoint.health, before);
    assert_eq!(endpoint.record(old[6], Success, 2), SignalEffect::Counted);
    assert_eq!(endpoint.health.state(), Degraded);
    assert_eq!(endpoint.gate(2), Gate::Probe);
    assert_eq!(endpoint.record(old[7], Success, 2), SignalEffect::Ignored, "due is due");
    let probe = endpoint.start(2);
    assert_eq!(endpoint.record(old[7], Success, 2), SignalEffect::Ignored, "one is in flight");
    // The failed probe continues the schedule, as it would have later.
    assert_eq!(endpoint.record(probe, EndpointFault, 3), SignalEffect::Counted);
    assert_eq!(endpoint.gate(3), Gate::Hold { until: at(603) });
}

#[test]
fn gone_disables_in_any_state() {
    let mut endpoint = Endpoint::new(default());
    let (first, late) = (endpoint.start(0), endpoint.start(0));
    assert_eq!(endpoint.record(first, Gone, 1).transition().unwrap().from, Healthy);
    assert_eq!(endpoint.health.disabled().unwrap().by, DisabledBy::Receiver);
    assert_eq!(endpoint.record(late, Gone, 2), SignalEffect::Ignored);
    // The decision becomes the operator's, and the time stays.
    assert_eq!(endpoint.health.disable(None, at(3)), None);
    let disabled = endpoint.health.disabled().unwrap();
    assert_eq!((disabled.by, disabled.since), (DisabledBy::Operator, at(1)));
    // During a suspected sender outage too, because it is no failure.
    let (mut endpoint, since) = Endpoint::suspended(default(), 0);
    let probe = endpoint.start(since + 14_400);
    let recorded =
        endpoint.health.record(&endpoint.policy, Suspected, probe, Gone, at(since + 14_401));
    assert_eq!(recorded.transition().unwrap().from, Suspended);
}

#[test]
fn new_messages_are_held_or_shed() {
    let policy = default()
        .with_new_messages(NewMessages::Shed)
        .with_pending_on_disable(PendingOnDisable::Keep);
    let mut endpoint = Endpoint::degraded(policy, 0);
    let intake = |endpoint: &Endpoint, now| endpoint.health.intake(&endpoint.policy, at(now));
    assert_eq!(intake(&Endpoint::new(default()), 0), Intake::Take);
    assert_eq!(intake(&endpoint, 1), Intake::Take, "degraded always accepts");
    let since = loop {
        let due = endpoint.health.wake_at().unwrap().unix_seconds();
        if endpoint.attempt(EndpointFault, due).transition().is_some() {
            break due;
        }
    };
    assert_eq!(intake(&endpoint, since), Intake::Shed);
    // Without a message for the due probe the endpoint would never recover.
    assert_eq!(intake(&endpoint, since + 14_400), Intake::TakeIfNoneWaits);
    let _probe = endpoint.start(since + 14_400);
    assert_eq!(intake(&endpoint, since + 14_400), Intake::Shed);
    let held = default();
    assert_eq!(endpoint.health.intake(&held, at(since)), Intake::Take);
    endpoint.health.disable(None, at(since + 14_401));
    assert_eq!(intake(&endpoint, since + 14_402), Intake::Shed);
}
