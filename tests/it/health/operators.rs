//! Manual control: pause, disable and enable.

use std::num::NonZeroU32;

use labhook::health::{
    DisabledBy, EnableError, EnabledBy, Gate, Health, Signal, SignalEffect, State,
};

use super::fixture::{Endpoint, at, default, secs};

use Signal::{EndpointFault, Gone, Success};
use State::{Degraded, Disabled, Healthy};

#[test]
fn pause_stops_attempts_and_excludes_its_time() {
    let (mut endpoint, since) = Endpoint::suspended(default().with_disable_after(secs(20_000)), 0);
    assert!(endpoint.health.pause(at(since + 100)));
    assert!(!endpoint.health.pause(at(since + 200)));
    assert_eq!(endpoint.health.paused_since(), Some(at(since + 100)));
    assert_eq!(endpoint.gate(since + 99_999), Gate::Paused);
    assert_eq!((endpoint.health.wake_at(), endpoint.health.claim_at()), (None, None));
    assert_eq!(endpoint.try_start(since + 99_999), None);
    let resumed = since + 1_000_000;
    assert!(endpoint.health.resume(at(resumed)));
    assert!(!endpoint.health.resume(at(resumed)));
    // The probe has long been due; 100 s of the time are used up.
    assert_eq!(endpoint.gate(resumed), Gate::Probe);
    assert_eq!(endpoint.health.claim_at(), Some(at(since + 14_400)));
    let _ = endpoint.attempt(EndpointFault, resumed);
    let _ = endpoint.attempt(EndpointFault, resumed + 14_400);
    assert_eq!(endpoint.gate(resumed + 14_400), Gate::Hold { until: at(resumed + 19_900) });
}

#[test]
fn probe_that_ends_in_a_pause_is_inconclusive() {
    let mut endpoint = Endpoint::degraded(default().with_suspend_after(NonZeroU32::MIN), 0);
    let _probe = endpoint.start(300);
    assert!(endpoint.health.pause(at(301)));
    assert_eq!(endpoint.health.wake_at(), Some(at(330)), "attempts in flight continue");
    assert_eq!(endpoint.gate(330), Gate::Paused);
    assert!(endpoint.health.resume(at(331)));
    assert_eq!(endpoint.health.state(), Degraded);
    assert_eq!(endpoint.gate(331), Gate::Hold { until: at(630) });
    // A success improves the state, and the pause stays.
    let probe = endpoint.start(630);
    assert!(endpoint.health.pause(at(631)));
    assert!(endpoint.record(probe, Success, 632).transition().unwrap().is_recovery());
    assert_eq!(endpoint.gate(633), Gate::Paused);
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
    let (mut endpoint, since) = Endpoint::suspended(default().with_disable_after(secs(1)), 0);
    let old = endpoint.start(since + 1);
    assert_eq!(endpoint.record(old, EndpointFault, since + 1).transition().unwrap().to, Disabled);
    let transition = endpoint.health.enable(EnabledBy::Automation, at(since + 2)).unwrap();
    assert!(transition.is_recovery());
    for signal in [EndpointFault, Gone, Success] {
        assert_eq!(endpoint.record(old, signal, since + 3), SignalEffect::Ignored, "{signal}");
    }
    for _ in 1..endpoint.policy.failures().unwrap().get() {
        assert_eq!(endpoint.attempt(EndpointFault, since + 3), SignalEffect::Counted);
    }
    assert_eq!(endpoint.transition(EndpointFault, since + 3), (Healthy, Degraded));
}
