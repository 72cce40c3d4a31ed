//! Manual control: pause, disable and enable.

use labhook::health::{
    DisabledBy, EnableError, EnabledBy, Gate, Health, Signal, SignalEffect, State,
};

use super::fixture::{Endpoint, TICK, at, default, secs};

use Signal::{Failed, Gone, Neutral, Refused, Success};
use State::{Disabled, Down, Healthy};

#[test]
fn pause_stops_attempts_and_excludes_its_time() {
    let policy = default().with_disable_after(secs(2_000)).with_probes(secs(900), secs(900));
    let mut endpoint = Endpoint::down(policy, at(0));
    let due = endpoint.due();
    assert!(endpoint.health.pause(at(100)));
    assert!(!endpoint.health.pause(at(200)));
    assert_eq!(endpoint.health.paused_since(), Some(at(100)));
    assert_eq!(endpoint.gate(at(99_999)), Gate::Paused);
    assert_eq!((endpoint.health.wake_at(), endpoint.health.claim_at()), (None, None));
    assert_eq!(endpoint.try_start(at(99_999)), None);
    let resumed = at(1_000_000);
    assert!(endpoint.health.resume(resumed));
    assert!(!endpoint.health.resume(resumed));
    // The probe has long been due; 100 s of the time are used up.
    assert_eq!(endpoint.gate(resumed), Gate::Probe);
    assert_eq!(endpoint.health.claim_at(), Some(due));
    let _ = endpoint.attempt(Failed, resumed);
    let over = resumed + secs(1_900);
    endpoint.fail_probes(over);
    assert_eq!(endpoint.gate(over - TICK), Gate::Hold { until: over });
    assert_eq!(endpoint.transition(Failed, over), (Down, Disabled));
}

#[test]
fn probe_that_ends_in_a_pause_is_inconclusive() {
    let mut endpoint = Endpoint::down(default().with_disable_after(secs(5)), at(0));
    let probe = endpoint.start(at(11));
    assert!(endpoint.health.pause(at(12)));
    assert_eq!(endpoint.health.wake_at(), Some(at(41)), "attempts in flight continue");
    assert_eq!(endpoint.gate(at(41)), Gate::Paused);
    for signal in [Failed, Refused] {
        let mut health = endpoint.health.clone();
        let policy = endpoint.policy;
        let effect = health.record(&policy, Default::default(), probe, signal, at(41));
        assert_eq!(effect, SignalEffect::Counted);
        assert_eq!((health.state(), health.failed_probes()), (Down, 0));
    }
    assert_eq!(endpoint.record(probe, Failed, at(41)), SignalEffect::Counted);
    assert!(endpoint.health.resume(at(42)));
    endpoint.assert_waits(at(41), 0);
    // The schedule stays where it is.
    let mut tired = Endpoint::down(default(), at(0));
    tired.fail_probes(at(3_000));
    let (due, failed) = (tired.due(), tired.health.failed_probes());
    let probe = tired.start(due);
    assert!(tired.health.pause(due));
    assert_eq!(tired.record(probe, Failed, due), SignalEffect::Counted);
    assert!(tired.health.resume(due));
    tired.assert_waits(due, failed);
    // A success closes the circuit, and the pause stays.
    let due = endpoint.due();
    let probe = endpoint.start(due);
    assert!(endpoint.health.pause(due));
    assert!(endpoint.record(probe, Success, due).transition().unwrap().is_recovery());
    assert_eq!(endpoint.gate(due), Gate::Paused);
}

#[test]
fn automation_cannot_undo_an_operator() {
    let mut health = Health::new();
    assert_eq!(health.enable(EnabledBy::Operator, at(0)), Err(EnableError::NotDisabled));
    let transition = health.disable(Some("moved to plate 7".to_owned()), at(5)).unwrap();
    assert_eq!(
        (transition.from, transition.to, transition.is_disabling()),
        (Healthy, Disabled, true)
    );
    assert_eq!(health.enable(EnabledBy::Automation, at(6)), Err(EnableError::ByOperator));
    assert_eq!(health.disable(None, at(7)), None);
    let disabled = health.disabled().unwrap();
    assert_eq!((disabled.by, disabled.since), (DisabledBy::Operator, at(5)));
    assert_eq!(disabled.reason.as_deref(), Some("moved to plate 7"));
    assert!(health.enable(EnabledBy::Operator, at(8)).is_ok());
    assert_eq!(health.state(), Healthy);
    assert_eq!(EnableError::NotDisabled.to_string(), "the endpoint is not disabled");
    assert_eq!(
        EnableError::ByOperator.to_string(),
        "the endpoint was disabled by an operator and must be enabled by one"
    );
}

#[test]
fn enabled_endpoint_starts_without_failures() {
    let mut endpoint = Endpoint::down(default().with_disable_after(secs(1)), at(0));
    let old = endpoint.start(at(11));
    assert_eq!(endpoint.record(old, Failed, at(11)).transition().unwrap().to, Disabled);
    let transition = endpoint.health.enable(EnabledBy::Automation, at(12)).unwrap();
    assert!(transition.is_recovery());
    for signal in [Failed, Refused, Neutral, Gone, Success] {
        assert_eq!(endpoint.record(old, signal, at(13)), SignalEffect::Ignored, "{signal}");
    }
    // It takes as many failures as ever.
    endpoint.fail(at(13));
}
