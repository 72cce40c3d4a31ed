//! When the circuit of an endpoint opens and closes.

use std::num::NonZeroU32;

use labhook::health::{
    DisabledBy, Gate, Intake, PendingOnDisable, SenderOutage, Signal, SignalEffect, State,
};

use super::fixture::{Endpoint, TICK, TIMEOUT, at, days, default, secs};

use SenderOutage::Suspected;
use Signal::{Failed, Gone, Neutral, Refused, Success};
use State::{Disabled, Down, Healthy};

#[test]
fn outage_follows_the_schedule_until_disabled() {
    let mut endpoint = Endpoint::down(default(), at(0));
    let (mut now, mut failed) = (at(0), 0);
    let mut transitions = Vec::new();
    while endpoint.health.state() != Disabled {
        let due = endpoint.due();
        assert_eq!(endpoint.gate(due - TICK), Gate::Hold { until: due });
        assert_eq!(endpoint.try_start(due - TICK), None);
        if due < at(0) + days(7) {
            endpoint.assert_waits(now, failed);
        }
        assert_eq!(endpoint.gate(due), Gate::Probe);
        (now, failed) = (due, failed + 1);
        transitions.extend(endpoint.attempt(Failed, due).transition());
        if endpoint.health.state() == Down {
            assert_eq!((endpoint.health.failures(), endpoint.health.failed_probes()), (20, failed));
        }
    }
    let waits: Vec<_> = (0..13).map(|failed| default().probe_wait(failed).as_millis()).collect();
    let ladder = [
        10_000, 15_000, 22_500, 33_750, 50_625, 75_937, 113_905, 170_857, 256_285, 384_427, 576_640,
    ];
    assert_eq!(waits[..11], ladder);
    assert_eq!(waits[11..], [600_000, 600_000]);
    assert!((950..1_100).contains(&failed), "{failed} probes");
    let transitions: Vec<_> = transitions.iter().map(|it| (it.from, it.to, it.at)).collect();
    assert_eq!(transitions, [(Down, Disabled, at(0) + days(7))]);
    let disabled = endpoint.health.disabled().unwrap();
    assert_eq!((disabled.by, disabled.since), (DisabledBy::Escalation, at(0) + days(7)));
    assert_eq!(endpoint.gate(now), Gate::Disabled);
    assert_eq!((endpoint.health.wake_at(), endpoint.health.claim_at()), (None, None));
    let longest = default().time_to_disable(secs(TIMEOUT)).unwrap();
    assert_eq!(longest, days(7) + secs(TIMEOUT));
}

#[test]
fn time_to_disable_includes_waits_beyond_a_day() {
    // 3 days, of which one counts, and so on; the last is not cut short by much.
    let policy = default().with_probes(days(3), days(3)).with_disable_after(days(7));
    let mut endpoint = Endpoint::down(policy, at(0));
    let mut now = at(0);
    while endpoint.health.state() == Down {
        now = endpoint.due();
        let _ = endpoint.attempt(Failed, now);
    }
    let took = now.saturating_since(at(0));
    let longest = policy.time_to_disable(secs(TIMEOUT)).unwrap();
    assert!(took > days(12) && took <= longest && longest < days(24), "{took:?}, {longest:?}");
}

#[test]
fn probe_success_closes_the_circuit() {
    let mut endpoint = Endpoint::down(default(), at(0));
    endpoint.fail_probes(at(50_000));
    assert_eq!(endpoint.health.since(), Some(at(0)));
    let due = endpoint.due();
    let recovery = endpoint.attempt(Success, due).transition().unwrap();
    assert_eq!((recovery.from, recovery.to, recovery.at), (Down, Healthy, due));
    assert!(recovery.is_recovery());
    assert_eq!(endpoint.gate(due), Gate::Open);
    assert_eq!((endpoint.health.since(), endpoint.health.failures()), (None, 0));
    // The next outage begins with the first wait again.
    endpoint.fail(due);
    endpoint.assert_waits(due, 0);
}

#[test]
fn recovery_restarts_the_time_to_disable() {
    let policy = default().with_disable_after(secs(1_000)).with_probes(secs(900), secs(900));
    let mut endpoint = Endpoint::down(policy, at(0));
    let due = endpoint.due();
    assert_eq!(endpoint.attempt(Failed, due), SignalEffect::Counted);
    // The last probe is due when the time is over, not a whole wait later.
    assert_eq!(endpoint.gate(due), Gate::Hold { until: at(1_000) });
    assert_eq!(endpoint.transition(Success, at(1_000)), (Down, Healthy));
    endpoint.fail(at(1_001));
    let due = endpoint.due();
    assert_eq!(endpoint.attempt(Failed, due), SignalEffect::Counted);
    assert_eq!(endpoint.gate(due), Gate::Hold { until: at(2_001) });
    assert_eq!(endpoint.transition(Failed, at(2_001)), (Down, Disabled));
}

#[test]
fn success_is_never_counted_as_a_failure() {
    let mut endpoint = Endpoint::down(default().with_disable_after(secs(1)), at(0));
    // The probe whose failure would disable succeeds.
    assert_eq!(endpoint.transition(Success, at(86_400)), (Down, Healthy));
    // Nor does a success open the circuit, however many failures there were before.
    let mut endpoint = Endpoint::new(default());
    for _ in 0..100 {
        for _ in 1..endpoint.policy.failures().unwrap().get() {
            assert_eq!(endpoint.attempt(Failed, at(0)), SignalEffect::Counted);
        }
        assert_eq!(endpoint.attempt(Success, at(0)), SignalEffect::Counted);
        assert_eq!((endpoint.health.failures(), endpoint.health.refusals()), (0, 0));
    }
}

#[test]
fn failure_threshold_of_1_and_of_1000_opens() {
    for failures in [1, 1_000] {
        let policy = default().with_failures(NonZeroU32::new(failures));
        assert_eq!(Endpoint::down(policy, at(0)).health.state(), Down);
    }
}

#[test]
fn old_failures_do_not_count_after_a_recovery() {
    let mut endpoint = Endpoint::new(default());
    let old: Vec<_> = (0..60).map(|_| endpoint.start(at(0))).collect();
    for permit in &old[..20] {
        let _ = endpoint.record(*permit, Failed, at(1));
    }
    assert_eq!(endpoint.transition(Success, at(60)), (Down, Healthy));
    for (permit, signal) in old[20..].iter().zip([Failed, Refused].into_iter().cycle()) {
        assert_eq!(endpoint.record(*permit, signal, at(61)), SignalEffect::Ignored);
    }
    assert_eq!(endpoint.health.failures(), 0);
}

#[test]
fn old_success_only_makes_the_probe_due() {
    let mut endpoint = Endpoint::new(default());
    let old: Vec<_> = (0..24).map(|_| endpoint.start(at(0))).collect();
    for permit in &old[..20] {
        let _ = endpoint.record(*permit, Failed, at(0));
    }
    let before = endpoint.health.clone();
    for signal in [Failed, Refused, Neutral] {
        assert_eq!(endpoint.record(old[20], signal, at(1)), SignalEffect::Ignored, "{signal}");
    }
    assert_eq!(endpoint.health, before);
    assert_eq!(endpoint.record(old[21], Success, at(2)), SignalEffect::Counted);
    assert_eq!(endpoint.health.state(), Down);
    assert_eq!(endpoint.gate(at(2)), Gate::Probe);
    assert_eq!(endpoint.health.claim_at(), Some(at(2)));
    let probe = endpoint.start(at(2));
    let _ = endpoint.record(old[22], Success, at(2));
    assert_eq!(endpoint.gate(at(2)), Gate::Probing { deadline: at(32) }, "one is in flight");
    // The failed probe continues the schedule, as it would have later.
    assert_eq!(endpoint.record(probe, Failed, at(3)), SignalEffect::Counted);
    endpoint.assert_waits(at(3), 1);
}

#[test]
fn old_success_restarts_the_time_to_disable() {
    let policy = default().with_disable_after(secs(1_000)).with_probes(secs(900), secs(900));
    let mut endpoint = Endpoint::new(policy);
    let old = endpoint.start(at(0));
    endpoint.fail(at(0));
    assert_eq!(endpoint.record(old, Success, at(500)), SignalEffect::Counted);
    assert_eq!(endpoint.attempt(Failed, at(500)), SignalEffect::Counted);
    let due = endpoint.due();
    assert_eq!(endpoint.attempt(Failed, due), SignalEffect::Counted);
    assert_eq!(endpoint.gate(due), Gate::Hold { until: at(1_500) });
    assert_eq!(endpoint.transition(Failed, at(1_500)), (Down, Disabled));
}

#[test]
fn gone_disables_in_any_state() {
    let mut endpoint = Endpoint::new(default());
    let (first, late) = (endpoint.start(at(0)), endpoint.start(at(0)));
    assert_eq!(endpoint.record(first, Gone, at(1)).transition().unwrap().from, Healthy);
    assert_eq!(endpoint.health.disabled().unwrap().by, DisabledBy::Receiver);
    assert_eq!(endpoint.record(late, Gone, at(2)), SignalEffect::Ignored);
    // The decision becomes the operator's, and the time stays.
    assert_eq!(endpoint.health.disable(None, at(3)), None);
    let disabled = endpoint.health.disabled().unwrap();
    assert_eq!((disabled.by, disabled.since), (DisabledBy::Operator, at(1)));
    // During a suspected sender outage too, because it is no failure.
    let mut endpoint = Endpoint::down(default(), at(0));
    let probe = endpoint.start(at(11));
    let recorded = endpoint.health.record(&endpoint.policy, Suspected, probe, Gone, at(12));
    assert_eq!(recorded.transition().unwrap().from, Down);
}

#[test]
fn new_messages_are_shed_after_the_limit() {
    let policy =
        default().with_shed_after(secs(3_600)).with_pending_on_disable(PendingOnDisable::Keep);
    let mut endpoint = Endpoint::down(policy, at(0));
    let intake = |endpoint: &Endpoint, now| endpoint.health.intake(&endpoint.policy, now);
    assert_eq!(intake(&Endpoint::new(policy), at(0)), Intake::Take);
    endpoint.fail_probes(at(3_600));
    let due = endpoint.due();
    assert_eq!(intake(&endpoint, at(3_600) - TICK), Intake::Take);
    assert_eq!(intake(&endpoint, at(3_600)), Intake::Shed);
    // Without a message for the due probe the endpoint would never recover.
    assert_eq!(intake(&endpoint, due - TICK), Intake::Shed);
    assert_eq!(intake(&endpoint, due), Intake::TakeIfNoneWaits);
    let mut paused = endpoint.health.clone();
    paused.pause(due);
    assert_eq!(paused.intake(&policy, due), Intake::Shed);
    let _probe = endpoint.start(due);
    assert_eq!(intake(&endpoint, due), Intake::Shed);
    // By default they are held as long as the endpoint is down.
    assert_eq!(endpoint.health.intake(&default(), at(600_000)), Intake::Take);
    endpoint.health.disable(None, due);
    assert_eq!(endpoint.health.intake(&default(), due), Intake::Shed);
}
