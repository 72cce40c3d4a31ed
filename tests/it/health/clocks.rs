//! Clocks that leap, and results that come late.

use labhook::health::{Gate, Signal, SignalEffect, State};

use super::fixture::{Endpoint, TICK, at, days, default, restored, secs};

use Signal::{Failed, Neutral, Refused, Success};
use State::{Disabled, Down, Healthy};

#[test]
fn deadline_found_by_poll_is_no_failure() {
    let mut endpoint = Endpoint::down(default(), at(0));
    let permit = endpoint.start(at(11));
    assert!(permit.is_probe());
    assert_eq!(permit.deadline(), Some(at(41)));
    assert_eq!(endpoint.gate(at(41) - TICK), Gate::Probing { deadline: at(41) });
    assert_eq!(endpoint.due(), at(41));
    // The next probe waits as long as this one did, from the deadline on, however late it is found.
    let Gate::Hold { until } = endpoint.gate(at(42)) else { panic!() };
    assert!(until >= at(50) && until <= at(52), "{until}");
    assert_eq!(endpoint.health.failed_probes(), 0);
    for _ in 0..1_000 {
        let due = endpoint.due();
        let _probe = endpoint.start(due);
        endpoint.assert_waits_from_deadline(due + secs(30));
    }
    // Not one of them is known to have failed.
    assert_eq!((endpoint.health.failed_probes(), endpoint.health.state()), (0, Down));
    assert!(endpoint.due() < at(60_000), "the waits do not grow");
}

#[test]
fn timeout_reported_late_is_a_failure() {
    for (signal, forget) in [(Failed, false), (Refused, false), (Failed, true)] {
        let mut endpoint = Endpoint::down(default(), at(0));
        let permit = endpoint.start(at(11));
        assert!(matches!(endpoint.gate(at(43)), Gate::Hold { .. }));
        endpoint.health = restored(&endpoint.health);
        if forget {
            // The application has restarted, so that nobody can tell.
            endpoint.health.forget_in_flight();
            assert_eq!(endpoint.record(permit, signal, at(44)), SignalEffect::Ignored);
            assert_eq!(endpoint.health.failed_probes(), 0);
            continue;
        }
        assert_eq!(endpoint.record(permit, signal, at(44)), SignalEffect::Counted);
        assert_eq!(endpoint.health.failed_probes(), 1);
        endpoint.assert_waits(at(44), 1);
        // Once.
        assert_eq!(endpoint.record(permit, signal, at(45)), SignalEffect::Ignored);
        assert_eq!(endpoint.health.failed_probes(), 1);
    }
    // Of a sender at fault there is nothing to report.
    let mut endpoint = Endpoint::down(default(), at(0));
    let permit = endpoint.start(at(11));
    let _ = endpoint.gate(at(43));
    assert_eq!(endpoint.record(permit, Neutral, at(44)), SignalEffect::Counted);
    assert_eq!(endpoint.health.failed_probes(), 0);
    endpoint.assert_waits(at(44), 0);
}

#[test]
fn timeout_reported_after_the_next_probe_is_ignored() {
    let mut endpoint = Endpoint::down(default(), at(0));
    let old = endpoint.start(at(11));
    let _ = endpoint.gate(at(41));
    let due = endpoint.due();
    let _probe = endpoint.start(due);
    assert_eq!(endpoint.record(old, Failed, due), SignalEffect::Ignored);
    assert_eq!(endpoint.gate(due), Gate::Probing { deadline: due + secs(30) });
}

#[test]
fn late_success_of_a_probe_recovers() {
    // In flight, past its deadline, after a failure of it, beside the next one, after a restart.
    let stages = 5;
    for stage in 0..stages {
        let mut endpoint = Endpoint::down(default(), at(0));
        let late = endpoint.start(at(11));
        let mut now = at(41);
        if stage > 0 {
            assert!(matches!(endpoint.gate(now), Gate::Hold { .. }));
        }
        if stage == 2 {
            assert_eq!(endpoint.record(late, Failed, now), SignalEffect::Counted);
        }
        if stage == 3 {
            now = endpoint.due();
            let _next = endpoint.start(now);
        }
        if stage == 4 {
            endpoint.health.forget_in_flight();
        }
        let recovery = endpoint.record(late, Success, now).transition().unwrap();
        assert_eq!((recovery.from, recovery.to, recovery.at), (Down, Healthy, now), "{stage}");
        assert_eq!(endpoint.gate(now), Gate::Open);
    }
}

#[test]
fn late_result_of_an_earlier_outage_is_ignored() {
    let mut endpoint = Endpoint::down(default(), at(0));
    let late = endpoint.start(at(11));
    let _ = endpoint.gate(at(41));
    assert_eq!(endpoint.transition(Success, at(60)), (Down, Healthy));
    let _ = endpoint.attempt(Failed, at(61));
    for signal in [Failed, Refused, Neutral] {
        assert_eq!(endpoint.record(late, signal, at(62)), SignalEffect::Ignored, "{signal}");
    }
    assert_eq!(endpoint.health.failures(), 1);
    let _ = endpoint.attempt(Success, at(62));
    endpoint.fail(at(63));
    for signal in [Success, Failed, Refused, Neutral] {
        assert_eq!(endpoint.record(late, signal, at(64)), SignalEffect::Ignored, "{signal}");
    }
    assert_eq!(endpoint.health.state(), Down);
}

#[test]
fn day_ahead_for_3_s_does_not_open() {
    let mut endpoint = Endpoint::new(default());
    for _ in 0..19 {
        let _ = endpoint.attempt(Failed, at(0));
    }
    let in_flight: Vec<_> = (0..8).map(|_| endpoint.start(at(1))).collect();
    let before = endpoint.health.clone();
    for second in 0..3 {
        let ahead = at(86_401 + second);
        assert_eq!(endpoint.gate(ahead), Gate::Open);
        assert_eq!(endpoint.health, before);
    }
    for permit in in_flight {
        let _ = endpoint.record(permit, Success, at(4));
    }
    assert_eq!((endpoint.health.state(), endpoint.health.failures()), (Healthy, 0));
}

#[test]
fn day_ahead_for_3_s_does_not_disable() {
    for report in [true, false] {
        let mut endpoint = Endpoint::down(default(), at(0));
        let last = endpoint.fail_probes(at(86_400 * 5));
        let failures = endpoint.health.failed_probes();
        // The probe is in flight, or it is sent while the clock is wrong, and it succeeds later.
        let ahead = last + days(1);
        let probe = if report { endpoint.start(endpoint.due()) } else { endpoint.start(ahead) };
        for second in 0..3 {
            let _ = endpoint.gate(ahead + secs(second));
        }
        assert_eq!((endpoint.health.state(), endpoint.health.failed_probes()), (Down, failures));
        let back = last + secs(700);
        if report {
            // The next probe was found due, and it stays due.
            assert_eq!(endpoint.gate(back), Gate::Probe);
            assert_eq!(endpoint.record(probe, Failed, back), SignalEffect::Ignored);
            assert_eq!(endpoint.attempt(Failed, back), SignalEffect::Counted);
            endpoint.assert_waits(back, failures + 1);
        } else {
            assert!(endpoint.record(probe, Success, back).transition().unwrap().is_recovery());
            assert_eq!(endpoint.gate(back), Gate::Open);
        }
    }
}

#[test]
fn gap_counts_at_most_a_day_towards_disabling() {
    let mut endpoint = Endpoint::down(default(), at(0));
    let first = endpoint.due();
    assert_eq!(endpoint.attempt(Failed, first), SignalEffect::Counted);
    // The application was not running for three days, or the clock leaped: one of them counts.
    assert_eq!(endpoint.attempt(Failed, first + days(3)), SignalEffect::Counted);
    endpoint.fail_probes(at(0) + days(9));
    assert_eq!(endpoint.due(), at(0) + days(9));
    assert_eq!(endpoint.transition(Failed, at(0) + days(9)), (Down, Disabled));
    // However long the gap: one failed probe never disables after less than the time.
    let mut endpoint = Endpoint::down(default(), at(0));
    for year in 1..7 {
        let later = at(0) + days(365 * year);
        assert_eq!(endpoint.attempt(Failed, later), SignalEffect::Counted);
    }
    assert_eq!(endpoint.transition(Failed, at(0) + days(365 * 7)), (Down, Disabled));
}

#[test]
fn two_weeks_back_pulls_the_waits_in() {
    let back = |now| now - days(14);
    let mut endpoint = Endpoint::down(default().with_shed_after(secs(3_600)), at(0));
    let last = endpoint.fail_probes(at(0) + days(3));
    let failures = endpoint.health.failed_probes();
    let now = back(last);
    // The wait is at most the policy's, and the same as it was.
    endpoint.assert_waits(now, failures);
    // A probe that was in flight is awaited no longer than it was.
    let due = endpoint.due();
    let _probe = endpoint.start(due);
    assert_eq!(endpoint.gate(back(due)), Gate::Probing { deadline: back(due) + secs(30) });
    // About three of seven days have counted, so about four are left.
    assert!(matches!(endpoint.gate(back(due) + secs(30)), Gate::Hold { .. }));
    let over = back(due) + days(7) - last.saturating_since(at(0));
    endpoint.fail_probes(over);
    assert_eq!(endpoint.transition(Failed, over), (Down, Disabled));
    // Refusals: the 30 s are those of the present clock.
    let mut endpoint = Endpoint::new(default());
    for second in 0..29 {
        let _ = endpoint.attempt(Refused, at(second));
    }
    for second in 29..59 {
        assert_eq!(endpoint.attempt(Refused, back(at(second))), SignalEffect::Counted, "{second}");
    }
    assert_eq!(endpoint.transition(Refused, back(at(59))), (Healthy, Down));
}

#[test]
fn clock_back_pulls_in_the_time_down() {
    use labhook::health::Intake;

    let policy = default().with_shed_after(secs(3_600));
    let mut endpoint = Endpoint::down(policy, at(0));
    let now = at(0) - days(14);
    let _ = endpoint.gate(now);
    assert_eq!(endpoint.health.since(), Some(now), "never in the future");
    assert_eq!(endpoint.health.intake(&policy, now + secs(3_600) - TICK), Intake::Take);
    assert_ne!(endpoint.health.intake(&policy, now + secs(3_600)), Intake::Take);
}

#[test]
fn clock_back_pulls_a_due_probe_in() {
    let mut endpoint = Endpoint::down(default(), at(1_000));
    assert_eq!(endpoint.gate(at(1_011)), Gate::Probe);
    let since = endpoint.health.claim_at();
    assert!(since > Some(at(1_000)));
    assert_eq!(endpoint.gate(at(20)), Gate::Probe);
    assert_eq!(endpoint.health.claim_at(), Some(at(20)), "a job table finds it");
}
