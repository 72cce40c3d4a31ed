//! Half-open probes: when they are due, and which results move their schedule.

use std::collections::BTreeSet;
use std::time::Duration;

use labhook::health::{Gate, Health, SenderOutage, Signal, SignalEffect, State};

use super::fixture::{Endpoint, at, default, restored, secs};

use SenderOutage::Suspected;
use Signal::{Failed, Neutral, Success};
use State::{Disabled, Down, Healthy};

#[test]
fn half_open_lets_exactly_one_probe_through() {
    let mut endpoint = Endpoint::down(default(), at(0));
    let probe = endpoint.start(at(11));
    assert_eq!(endpoint.health.probe(), Some(probe));
    assert!(endpoint.health.awaits(probe));
    for second in [11, 12, 40, 41, 5_000] {
        assert_eq!(endpoint.try_start(at(second)), None, "one in flight at {second}");
    }
    endpoint.health = restored(&endpoint.health);
    assert_eq!(endpoint.try_start(at(12)), None);
    assert!(endpoint.health.awaits(probe));
}

#[test]
fn cancelled_probe_is_not_the_next_one() {
    let mut endpoint = Endpoint::down(default(), at(0));
    let first = endpoint.start(at(11));
    assert!(endpoint.health.cancel_start(first));
    let next = endpoint.start(at(11));
    assert!(!endpoint.health.awaits(first));
    assert!(!endpoint.health.cancel_start(first));
    assert_eq!(endpoint.health.probe(), Some(next));
}

#[test]
fn paused_endpoint_has_no_probe_to_claim() {
    let mut endpoint = Endpoint::down(default(), at(0));
    assert_eq!(endpoint.gate(at(11)), Gate::Probe);
    let claim = endpoint.health.claim_at();
    assert!(claim.is_some());
    assert!(endpoint.health.pause(at(11)));
    assert_eq!(endpoint.health.claim_at(), None);
    assert!(endpoint.health.resume(at(12)));
    assert_eq!(endpoint.health.claim_at(), claim);
}

#[test]
fn opened_circuit_is_no_recovery() {
    let mut endpoint = Endpoint::new(default());
    for _ in 1..endpoint.policy.failures().unwrap().get() {
        assert_eq!(endpoint.attempt(Failed, at(0)), SignalEffect::Counted);
    }
    let opened = endpoint.attempt(Failed, at(0)).transition().unwrap();
    assert_eq!((opened.is_recovery(), opened.is_disabling()), (false, false));
}

#[test]
fn probe_waits_are_jittered_within_a_tenth() {
    let (mut endpoint, mut shares) = (Endpoint::new(default()), BTreeSet::new());
    for outage in 0..20 {
        let mut now = at(10_000 * outage);
        endpoint.fail(now);
        for failed in 0..12 {
            endpoint.assert_waits(now, failed);
            let due = endpoint.due();
            let wait = due.saturating_since(now).as_micros() * 1_000;
            shares.insert(wait / endpoint.policy.probe_wait(failed).as_micros());
            now = due;
            let _ = endpoint.attempt(Failed, now);
        }
        let due = endpoint.due();
        assert_eq!(endpoint.transition(Success, due), (Down, Healthy));
    }
    // In thousandths of the policy's wait: they differ, and reach both ends.
    let (least, most) = (*shares.first().unwrap(), *shares.last().unwrap());
    assert!(least < 910 && most > 1_090 && shares.len() > 100, "{shares:?}");
}

#[test]
fn past_deadline_is_raised_to_a_millisecond() {
    let mut endpoint = Endpoint::down(default(), at(0));
    assert_eq!(endpoint.gate(at(11)), Gate::Probe);
    let permit = endpoint.health.start(1, at(5), at(11)).unwrap();
    let deadline = at(11) + Duration::from_millis(1);
    assert_eq!(permit.deadline(), Some(deadline));
    assert_eq!(endpoint.gate(at(11)), Gate::Probing { deadline }, "it is still awaited");
}

#[test]
fn zero_wait_is_raised_to_a_millisecond() {
    let policy = default().with_probes(Duration::ZERO, Duration::ZERO);
    assert_eq!(policy.longest_wait(), Duration::from_millis(1));
    let mut endpoint = Endpoint::down(policy, at(7));
    endpoint.assert_waits(at(7), 0);
    let until = endpoint.due();
    assert_eq!(endpoint.gate(until), Gate::Probe, "never a wait until now");
    assert_eq!(endpoint.health.wake_at(), None, "no wake-up in the past");
}

#[test]
fn suspected_outage_counts_no_failed_probe() {
    let policy = default().with_disable_after(secs(20_000));
    let mut endpoint = Endpoint::down(policy, at(0));
    let last = endpoint.fail_probes(at(10_000));
    let failures = endpoint.health.failed_probes();
    let mut now = last;
    for _ in 0..5_000 {
        now = endpoint.due();
        let permit = endpoint.start(now);
        let recorded = endpoint.health.record(&policy, Suspected, permit, Failed, now);
        assert_eq!(recorded, SignalEffect::Counted);
        // Many endpoints are probed during the outage: each as seldom as before it.
        endpoint.assert_waits(now, failures);
    }
    assert_eq!((endpoint.health.state(), endpoint.health.failed_probes()), (Down, failures));
    // Nothing has counted from the last probe that failed by the endpoint's fault up to the last
    // inconclusive one.
    let over = now + secs(20_000) - last.saturating_since(at(0));
    let due = endpoint.due();
    assert_eq!(endpoint.attempt(Failed, due), SignalEffect::Counted);
    endpoint.assert_waits(due, failures + 1);
    endpoint.fail_probes(over);
    assert_eq!(endpoint.due(), over);
    assert_eq!(endpoint.transition(Failed, over), (Down, Disabled));
}

#[test]
fn unreported_probe_keeps_the_time_to_disable() {
    let over = at(10_000);
    for margin in [800, 400, 100, 40, 5] {
        let mut endpoint = Endpoint::down(default().with_disable_after(secs(10_000)), at(0));
        endpoint.fail_probes(over - secs(margin));
        let started = endpoint.due();
        let probe = endpoint.start(started);
        let deadline = probe.deadline().unwrap();
        let Gate::Hold { until } = endpoint.gate(deadline) else { panic!("{margin}") };
        assert!(until <= over.max(deadline + secs(11)), "{until} is after {over}");
        assert!(until >= deadline + secs(9), "the result may still be reported");
        let mut reported = endpoint.health.clone();
        let policy = endpoint.policy;
        let effect = reported.record(&policy, Default::default(), probe, Failed, deadline);
        assert_ne!(effect, SignalEffect::Ignored);
        endpoint.fail_probes(over);
        let due = endpoint.due();
        assert_eq!(endpoint.transition(Failed, due), (Down, Disabled));
    }
}

#[test]
fn neutral_result_probes_again_after_the_first_wait() {
    let mut endpoint = Endpoint::new(default());
    for _ in 0..100 {
        assert_eq!(endpoint.attempt(Neutral, at(0)), SignalEffect::Ignored);
    }
    assert_eq!(endpoint.health, Health::new());
    let mut endpoint = Endpoint::down(default(), at(0));
    endpoint.fail_probes(at(3_000));
    let failures = endpoint.health.failed_probes();
    for _ in 0..100 {
        let due = endpoint.due();
        assert_eq!(endpoint.attempt(Neutral, due), SignalEffect::Counted);
        endpoint.assert_waits(due, 0);
    }
    assert_eq!(endpoint.health.failed_probes(), failures);
    // A failure continues the schedule.
    let due = endpoint.due();
    let _ = endpoint.attempt(Failed, due);
    endpoint.assert_waits(due, failures + 1);
    let due = endpoint.due();
    assert_eq!(endpoint.transition(Success, due), (Down, Healthy));
}

#[test]
fn crash_does_not_move_the_probe_schedule() {
    let mut endpoint = Endpoint::new(default());
    let old = endpoint.start(at(0));
    endpoint.health.forget_in_flight();
    assert_eq!(endpoint.record(old, Failed, at(1)), SignalEffect::Ignored);
    let mut endpoint = Endpoint::down(default(), at(0));
    let probe = endpoint.start(at(11));
    endpoint.health = restored(&endpoint.health);
    endpoint.health.forget_in_flight();
    assert_eq!((endpoint.health.failed_probes(), endpoint.health.probe()), (0, None));
    assert_eq!(endpoint.health.claim_at(), Some(at(11)));
    assert_eq!(endpoint.gate(at(9_000)), Gate::Probe);
    assert_eq!(endpoint.record(probe, Failed, at(9_000)), SignalEffect::Ignored);
    // The same for a probe that was never sent.
    let probe = endpoint.start(at(9_000));
    assert!(endpoint.health.cancel_start(probe));
    assert!(!endpoint.health.cancel_start(probe));
    assert_eq!(endpoint.gate(at(9_000)), Gate::Probe);
}
