//! Half-open probes: when they are due, and which results move their schedule.

use std::num::NonZeroU32;
use std::time::Duration;

use labhook::health::{Gate, Health, SenderOutage, Signal, SignalEffect, State};

use super::fixture::{Endpoint, at, default, restored, secs};

use SenderOutage::{Clear, Suspected};
use Signal::{EndpointFault, Overload, PayloadFault, SenderFault, Success};
use State::{Degraded, Disabled, Healthy, Suspended};

#[test]
fn unanswered_probe_fails_at_its_deadline() {
    let mut endpoint = Endpoint::degraded(default(), 0);
    let permit = endpoint.start(300);
    assert!(permit.is_probe());
    assert_eq!(permit.deadline(), Some(at(330)));
    assert_eq!(endpoint.gate(329), Gate::Probing { deadline: at(330) });
    assert_eq!(endpoint.health.wake_at(), Some(at(330)));
    // The wait begins at the deadline, however late poll finds it.
    assert_eq!(endpoint.gate(400), Gate::Hold { until: at(930) });
    assert_eq!(endpoint.health.failures(), 1);
    assert_eq!(endpoint.record(permit, Success, 401), SignalEffect::Ignored);
    // If no poll found the deadline passed, a late response counts.
    let permit = endpoint.start(930);
    assert!(endpoint.record(permit, Success, 2_000).transition().unwrap().is_recovery());
}

#[test]
fn transition_found_by_poll_is_reported_once() {
    let policy = default().with_suspend_after(NonZeroU32::MIN);
    let mut endpoint = Endpoint::degraded(policy, 0);
    let _probe = endpoint.start(300);
    let transition = endpoint.health.poll(&endpoint.policy, Clear, at(9_999)).transition.unwrap();
    assert_eq!((transition.from, transition.to, transition.at), (Degraded, Suspended, at(330)));
    assert_eq!(endpoint.health.poll(&endpoint.policy, Clear, at(9_999)).transition, None);
}

#[test]
fn half_open_lets_exactly_one_probe_through() {
    let mut endpoint = Endpoint::degraded(default(), 0);
    assert!(endpoint.try_start(300).is_some());
    for now in [300, 301, 329, 330, 5_000] {
        assert_eq!(endpoint.try_start(now), None, "one in flight at {now}");
    }
    endpoint.health = restored(&endpoint.health);
    assert_eq!(endpoint.try_start(301), None);
}

#[test]
fn past_deadline_is_raised_to_a_millisecond() {
    let mut endpoint = Endpoint::degraded(default(), 0);
    assert_eq!(endpoint.gate(300), Gate::Probe);
    let permit = endpoint.health.start(at(200), at(300)).unwrap();
    let deadline = at(300) + Duration::from_millis(1);
    assert_eq!(permit.deadline(), Some(deadline));
    assert_eq!(endpoint.gate(300), Gate::Probing { deadline }, "it has not failed yet");
}

#[test]
fn zero_wait_is_raised_to_a_millisecond() {
    let policy = default().with_probes(Duration::ZERO, [Duration::ZERO]);
    let mut endpoint = Endpoint::degraded(policy, 7);
    let until = at(7) + Duration::from_millis(1);
    assert_eq!(endpoint.gate(7), Gate::Hold { until });
    let status = endpoint.health.poll(&endpoint.policy, Clear, until);
    assert_eq!(status.gate, Gate::Probe, "never a wait until now");
    assert_eq!(endpoint.health.wake_at(), None, "no wake-up in the past");
}

#[test]
fn suspected_outage_counts_no_failed_probe() {
    let (mut endpoint, since) = Endpoint::suspended(default().with_disable_after(secs(20_000)), 0);
    let mut now = since + 14_400;
    for _ in 0..500 {
        let permit = endpoint.start(now);
        let recorded =
            endpoint.health.record(&endpoint.policy, Suspected, permit, EndpointFault, at(now));
        assert_eq!(recorded, SignalEffect::Counted);
        assert_eq!(endpoint.gate(now), Gate::Hold { until: at(now + 300) });
        now += 300;
    }
    // The first 14 400 s ended in an excluded failure, so all 20 000 s are still to come.
    let from = now - 300;
    let _ = endpoint.attempt(EndpointFault, now);
    assert_eq!(endpoint.gate(now), Gate::Hold { until: at(now + 14_400) });
    assert_eq!(endpoint.attempt(EndpointFault, now + 14_400), SignalEffect::Counted);
    assert_eq!(endpoint.gate(now + 14_400), Gate::Hold { until: at(from + 20_000) });
    assert_eq!(endpoint.transition(EndpointFault, from + 20_000), (Suspended, Disabled));
    // After a probe that failed by the endpoint's fault, only the time since then is excluded.
    let (mut endpoint, since) = Endpoint::suspended(default().with_disable_after(secs(20_000)), 0);
    let _ = endpoint.attempt(EndpointFault, since + 14_400);
    let permit = endpoint.start(since + 20_000);
    let _ = endpoint.health.record(
        &endpoint.policy,
        Suspected,
        permit,
        EndpointFault,
        at(since + 20_000),
    );
    let _ = endpoint.attempt(EndpointFault, since + 20_300);
    assert_eq!(endpoint.gate(since + 20_300), Gate::Hold { until: at(since + 25_600) });
    // The same applies to a probe without a response.
    let mut endpoint = Endpoint::degraded(default().with_suspend_after(NonZeroU32::MIN), 0);
    let _probe = endpoint.start(300);
    let status = endpoint.health.poll(&endpoint.policy, Suspected, at(330));
    assert_eq!((status.transition, status.gate), (None, Gate::Hold { until: at(630) }));
    assert_eq!(endpoint.health.state(), Degraded);
}

#[test]
fn payload_fault_keeps_the_probe_due() {
    let mut endpoint = Endpoint::new(default());
    for _ in 0..100 {
        assert_eq!(endpoint.attempt(PayloadFault, 0), SignalEffect::Ignored);
        assert_eq!(endpoint.attempt(SenderFault, 0), SignalEffect::Ignored);
    }
    assert_eq!(endpoint.health, Health::new());
    let mut endpoint = Endpoint::degraded(default(), 0);
    for _ in 0..100 {
        assert_eq!(endpoint.attempt(PayloadFault, 300), SignalEffect::Counted);
        assert_eq!(endpoint.gate(300), Gate::Probe);
    }
    assert_eq!(endpoint.health.failures(), 0);
    assert_eq!(endpoint.transition(Success, 300), (Degraded, Healthy));
}

#[test]
fn sender_fault_probes_again_after_first_wait() {
    let mut endpoint = Endpoint::degraded(default(), 0);
    let _ = endpoint.attempt(EndpointFault, 300);
    assert_eq!(endpoint.attempt(SenderFault, 900), SignalEffect::Counted);
    assert_eq!(endpoint.health.failures(), 1);
    assert_eq!(endpoint.gate(900), Gate::Hold { until: at(1_200) });
    let _ = endpoint.attempt(EndpointFault, 1_200);
    assert_eq!(endpoint.gate(1_200), Gate::Hold { until: at(2_400) });
}

#[test]
fn crash_does_not_move_the_probe_schedule() {
    let mut endpoint = Endpoint::new(default());
    let old = endpoint.start(0);
    endpoint.health.forget_in_flight();
    assert_eq!(endpoint.record(old, EndpointFault, 1), SignalEffect::Ignored);
    let mut endpoint = Endpoint::degraded(default(), 0);
    let probe = endpoint.start(300);
    endpoint.health = restored(&endpoint.health);
    endpoint.health.forget_in_flight();
    assert_eq!(endpoint.health.failures(), 0);
    assert_eq!(endpoint.health.claim_at(), Some(at(300)));
    assert_eq!(endpoint.gate(9_000), Gate::Probe);
    assert_eq!(endpoint.record(probe, EndpointFault, 9_000), SignalEffect::Ignored);
    // The same for a probe that was never sent.
    let probe = endpoint.start(9_000);
    assert!(endpoint.health.cancel_start(probe));
    assert!(!endpoint.health.cancel_start(probe));
    assert_eq!(endpoint.gate(9_000), Gate::Probe);
}

#[test]
fn late_probe_response_is_ignored() {
    let mut endpoint = Endpoint::degraded(default(), 0);
    let late = endpoint.start(300);
    assert_eq!(endpoint.gate(330), Gate::Hold { until: at(930) });
    assert_eq!(endpoint.transition(Success, 930), (Degraded, Healthy));
    let _ = endpoint.attempt(EndpointFault, 931);
    for signal in [Success, EndpointFault, Overload] {
        assert_eq!(endpoint.record(late, signal, 932), SignalEffect::Ignored, "{signal}");
    }
    assert_eq!(endpoint.health.failures(), 1);
}
