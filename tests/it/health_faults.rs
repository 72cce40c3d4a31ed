//! Faults that mature engines have, and what does not move an endpoint's health.

use std::num::NonZeroU32;
use std::time::Duration;

use labhook::health::{EnabledBy, Gate, Health, SenderOutage, Signal, SignalEffect, State};

use crate::health::{Bed, at, default, restored, secs};

use SenderOutage::Clear;
use Signal::{EndpointFault, Gone, Overload, PayloadFault, SenderFault, Success};
use State::{Degraded, Disabled, Healthy, Suspended};

#[test]
fn fault_5_a_success_is_never_the_failure_that_disables() {
    let policy = default().with_suspend_after(NonZeroU32::MIN).with_disable_after(secs(1));
    let mut bed = Bed::degraded(policy, 0);
    assert_eq!(bed.edge(EndpointFault, 300), (Degraded, Suspended));
    // The very probe that would disable: it succeeds, and the endpoint climbs.
    assert_eq!(bed.edge(Success, 86_400), (Suspended, Degraded));
    // Nor is it the one that degrades.
    let mut bed = Bed::new(default());
    for _ in 0..100 {
        for _ in 1..bed.policy.failures().unwrap().get() {
            assert_eq!(bed.attempt(EndpointFault, 0), SignalEffect::Counted);
        }
        assert_eq!(bed.attempt(Success, 0), SignalEffect::Counted);
        assert_eq!(bed.health.failures(), 0);
    }
}

#[test]
fn fault_6_a_wait_is_positive_and_finite() {
    let policy = default().with_probes(Duration::ZERO, [Duration::ZERO]);
    let mut bed = Bed::degraded(policy, 7);
    let until = at(7) + Duration::from_millis(1);
    assert_eq!(bed.admit(7), Gate::Hold { until });
    let standing = bed.health.poll(&bed.policy, Clear, until);
    assert_eq!(standing.admit, Gate::Probe, "and never a wait until now");
    assert_eq!(bed.health.wake_at(), None, "no wake-up in the past");
}

#[test]
fn fault_7_half_open_admits_exactly_one() {
    let mut bed = Bed::degraded(default(), 0);
    assert!(bed.health.start(&bed.policy, at(300)).is_some());
    for now in [300, 301, 329, 330, 5_000] {
        assert_eq!(bed.health.start(&bed.policy, at(now)), None, "one in flight at {now}");
    }
    bed.health = restored(&bed.health);
    assert_eq!(bed.health.start(&bed.policy, at(301)), None);
}

#[test]
fn fault_10_stale_failures_do_not_count() {
    let policy = default().with_failure_window(secs(60));
    let mut bed = Bed::new(policy);
    for now in [0, 0, 0, 0, 61, 62, 63, 64] {
        assert_eq!(bed.attempt(EndpointFault, now), SignalEffect::Counted, "{now}");
    }
    assert_eq!(bed.health.failures(), 4);
    // To the second: those of 61 to 64 are in the window, and this is one too many.
    assert_eq!(bed.edge(EndpointFault, 121), (Healthy, Degraded));
    // An attempt from before the trip, which fails after the recovery, says nothing of it.
    let mut bed = Bed::new(default());
    let old: Vec<_> = (0..20).map(|_| bed.pass(0)).collect();
    for pass in &old[..5] {
        let _ = bed.record(*pass, EndpointFault, 1);
    }
    assert_eq!(bed.edge(Success, 301), (Degraded, Healthy));
    for pass in &old[5..] {
        assert_eq!(bed.record(*pass, EndpointFault, 302), SignalEffect::Ignored);
    }
    assert_eq!(bed.health.failures(), 0);
}

#[test]
fn fault_10_one_failure_does_not_disable_what_was_enabled() {
    let (mut bed, since) = Bed::suspended(default().with_disable_after(secs(1)), 0);
    let old = bed.pass(since + 1);
    assert_eq!(bed.record(old, EndpointFault, since + 1).transition().unwrap().to, Disabled);
    let edge = bed.health.enable(EnabledBy::Automation, at(since + 2)).unwrap();
    assert!(edge.is_recovery());
    for signal in [EndpointFault, Gone, Success] {
        assert_eq!(bed.record(old, signal, since + 3), SignalEffect::Ignored, "{signal}");
    }
    for _ in 1..bed.policy.failures().unwrap().get() {
        assert_eq!(bed.attempt(EndpointFault, since + 3), SignalEffect::Counted);
    }
    assert_eq!(bed.edge(EndpointFault, since + 3), (Healthy, Degraded));
}

#[test]
fn what_was_in_flight_at_the_trip_moves_nothing_but_a_success_asks() {
    let mut bed = Bed::new(default());
    let old: Vec<_> = (0..8).map(|_| bed.pass(0)).collect();
    for pass in &old[..5] {
        let _ = bed.record(*pass, EndpointFault, 0);
    }
    let before = bed.health.clone();
    for signal in [EndpointFault, Overload, PayloadFault, SenderFault] {
        assert_eq!(bed.record(old[5], signal, 1), SignalEffect::Ignored, "{signal}");
    }
    assert_eq!(bed.health, before);
    assert_eq!(bed.record(old[6], Success, 2), SignalEffect::Counted);
    assert_eq!(bed.health.state(), Degraded);
    assert_eq!(bed.admit(2), Gate::Probe);
    assert_eq!(bed.record(old[7], Success, 2), SignalEffect::Ignored, "due is due");
    let probe = bed.pass(2);
    assert_eq!(bed.record(old[7], Success, 2), SignalEffect::Ignored, "one is in flight");
    // The failed probe goes on from its rung, as it would have later.
    assert_eq!(bed.record(probe, EndpointFault, 3), SignalEffect::Counted);
    assert_eq!(bed.admit(3), Gate::Hold { until: at(603) });
}

#[test]
fn a_payload_fault_neither_counts_nor_uses_up_the_probe() {
    let mut bed = Bed::new(default());
    for _ in 0..100 {
        assert_eq!(bed.attempt(PayloadFault, 0), SignalEffect::Ignored);
        assert_eq!(bed.attempt(SenderFault, 0), SignalEffect::Ignored);
    }
    assert_eq!(bed.health, Health::new());
    let mut bed = Bed::degraded(default(), 0);
    for _ in 0..100 {
        assert_eq!(bed.attempt(PayloadFault, 300), SignalEffect::Counted);
        assert_eq!(bed.admit(300), Gate::Probe);
    }
    assert_eq!(bed.health.failures(), 0);
    assert_eq!(bed.edge(Success, 300), (Degraded, Healthy));
}

#[test]
fn a_fault_of_the_sender_repeats_the_rung_after_the_first_wait() {
    let mut bed = Bed::degraded(default(), 0);
    let _ = bed.attempt(EndpointFault, 300);
    assert_eq!(bed.attempt(SenderFault, 900), SignalEffect::Counted);
    assert_eq!(bed.health.failures(), 1);
    assert_eq!(bed.admit(900), Gate::Hold { until: at(1_200) });
    let _ = bed.attempt(EndpointFault, 1_200);
    assert_eq!(bed.admit(1_200), Gate::Hold { until: at(2_400) });
}

#[test]
fn overloads_degrade_only_where_they_last() {
    let mut bed = Bed::new(default());
    for now in 0..300 {
        assert_eq!(bed.attempt(Overload, now), SignalEffect::Counted);
    }
    assert_eq!(bed.edge(Overload, 300), (Healthy, Degraded));
    // A success in between begins anew, and so does a pause longer than the window.
    let mut bed = Bed::new(default().with_failure_window(secs(60)));
    for now in [0, 60, 120, 180, 240] {
        assert_eq!(bed.attempt(Overload, now), SignalEffect::Counted);
    }
    let _ = bed.attempt(Success, 299);
    for now in [300, 301, 302, 303, 304, 365, 366, 367, 368, 369] {
        assert_eq!(bed.attempt(Overload, now), SignalEffect::Counted, "{now}");
    }
    assert_eq!(bed.health.failures(), 5);
    // Two are not enough, however far apart.
    let mut bed = Bed::new(default());
    let _ = bed.attempt(Overload, 0);
    assert_eq!(bed.attempt(Overload, 3_000), SignalEffect::Counted);
    // By policy never, or as faults do.
    let mut bed = Bed::new(default().with_overload_limit(None));
    for now in 0..2_000 {
        assert_eq!(bed.attempt(Overload, now), SignalEffect::Counted);
    }
    let mut bed = Bed::new(default().with_overload_limit(Duration::ZERO));
    for _ in 0..4 {
        let _ = bed.attempt(Overload, 0);
    }
    assert_eq!(bed.edge(Overload, 0), (Healthy, Degraded));
    // A probe that is refused is a failed probe.
    assert_eq!(bed.attempt(Overload, 300), SignalEffect::Counted);
    assert_eq!(bed.health.failures(), 1);
}

#[test]
fn a_crash_does_not_move_the_ladder() {
    let mut bed = Bed::new(default());
    let old = bed.pass(0);
    bed.health.forget_in_flight();
    assert_eq!(bed.record(old, EndpointFault, 1), SignalEffect::Ignored);
    let mut bed = Bed::degraded(default(), 0);
    let probe = bed.pass(300);
    bed.health = restored(&bed.health);
    bed.health.forget_in_flight();
    assert_eq!(bed.health.failures(), 0);
    assert_eq!(bed.health.claim_at(), Some(at(300)));
    assert_eq!(bed.admit(9_000), Gate::Probe);
    assert_eq!(bed.record(probe, EndpointFault, 9_000), SignalEffect::Ignored);
    // The same for a probe that never left.
    let probe = bed.pass(9_000);
    assert!(bed.health.cancel_start(probe));
    assert!(!bed.health.cancel_start(probe));
    assert_eq!(bed.admit(9_000), Gate::Probe);
}

#[test]
fn a_late_answer_of_a_probe_says_nothing_of_what_came_after() {
    let mut bed = Bed::degraded(default(), 0);
    let late = bed.pass(300);
    assert_eq!(bed.admit(330), Gate::Hold { until: at(930) });
    assert_eq!(bed.edge(Success, 930), (Degraded, Healthy));
    let _ = bed.attempt(EndpointFault, 931);
    for signal in [Success, EndpointFault, Overload] {
        assert_eq!(bed.record(late, signal, 932), SignalEffect::Ignored, "{signal}");
    }
    assert_eq!(bed.health.failures(), 1);
}
