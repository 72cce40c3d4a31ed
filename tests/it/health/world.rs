//! An application that makes any call on one endpoint's health, and the invariants of each call.

use std::time::Duration;

use labhook::health::{
    DisabledBy, EnabledBy, Gate, Health, Permit, SenderOutage, Signal, SignalEffect, State,
    Transition,
};
use labhook::{HealthPolicy, Timestamp};

use super::fixture::restored;

use Signal::{EndpointFault, Gone, Overload, PayloadFault, SenderFault, Success};
use State::{Degraded, Disabled, Healthy, Suspended};

pub(crate) const SIGNALS: [Signal; 6] =
    [Success, EndpointFault, Overload, PayloadFault, SenderFault, Gone];

/// The transitions drawn in the module's documentation.
pub(crate) const TRANSITIONS: [(State, State); 8] = [
    (Healthy, Degraded),
    (Degraded, Suspended),
    (Suspended, Disabled),
    (Suspended, Degraded),
    (Degraded, Healthy),
    (Disabled, Healthy),
    (Healthy, Disabled),
    (Degraded, Disabled),
];

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(millis)
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    Time(i64),
    Poll,
    Start,
    Record(u8, Signal),
    CancelStart(u8),
    Forget,
    SenderOutage(bool),
    Pause,
    Resume,
    Disable,
    Enable(EnabledBy),
}

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) policy: HealthPolicy,
    /// The timeout of every attempt.
    pub(crate) timeout: Duration,
    pub(crate) health: Health,
    pub(crate) outage: SenderOutage,
    pub(crate) now: Timestamp,
    /// Attempts in flight.
    pub(crate) permits: Vec<Permit>,
}

impl World {
    pub(crate) fn new(policy: HealthPolicy, timeout: Duration, now: Timestamp) -> Self {
        let (health, outage) = (Health::new(), SenderOutage::Clear);
        Self { policy, timeout, health, outage, now, permits: Vec::new() }
    }

    fn pick(&mut self, index: u8) -> Option<Permit> {
        let count = self.permits.len();
        (count > 0).then(|| self.permits[usize::from(index) % count])
    }

    /// Makes the call, checks the invariants of every call, and returns the reported transition.
    pub(crate) fn call(&mut self, call: Call) -> Option<Transition> {
        let before = self.health.clone();
        let transition = self.act(call, &before);
        let (from, to) = (before.state(), self.health.state());
        // 15: only declared transitions, each of them reported.
        let reported = transition.map(|it| (it.from, it.to));
        assert_eq!(reported, (from != to).then_some((from, to)));
        assert!(from == to || TRANSITIONS.contains(&(from, to)), "{from} to {to}");
        // 21: in a suspected outage or a pause, no failure suspends or disables.
        if self.outage.is_suspected() || self.health.paused_since().is_some() {
            let by = self.health.disabled().map(|disabled| disabled.by);
            assert!(by != Some(DisabledBy::Escalation) || from == Disabled, "disabled");
            assert!(to != Suspended || from == Suspended, "suspended");
        }
        assert_eq!(restored(&self.health), self.health);
        transition
    }

    pub(crate) fn act(&mut self, call: Call, before: &Health) -> Option<Transition> {
        let (policy, now) = (&self.policy, self.now);
        let deadline = now + self.timeout;
        match call {
            Call::Time(millis) => {
                let step = Duration::from_millis(millis.unsigned_abs());
                self.now = if millis < 0 { now - step } else { now + step };
                None
            }
            Call::Poll => {
                let status = self.health.poll(policy, self.outage, now);
                let again = self.health.poll(policy, self.outage, now);
                assert_eq!((again.gate, again.transition), (status.gate, None));
                match status.gate {
                    Gate::Hold { until: wake } | Gate::Probing { deadline: wake } => {
                        assert!(wake > now);
                        assert_eq!(self.health.wake_at(), Some(wake));
                    }
                    Gate::Paused => assert!(self.health.wake_at().is_none_or(|at| at > now)),
                    Gate::Open | Gate::Probe | Gate::Disabled => {
                        assert_eq!(self.health.wake_at(), None);
                    }
                }
                let starts = self.health.clone().start(deadline, now).is_some();
                assert_eq!(starts, matches!(status.gate, Gate::Open | Gate::Probe));
                // Only the end of a probe moves the probe schedule.
                if before.probe().is_none() {
                    assert_eq!(self.health.failures(), before.failures());
                    assert_eq!(status.transition, None);
                }
                status.transition
            }
            Call::Start => {
                if let Some(permit) = self.health.start(deadline, now) {
                    // 16: at most one probe, and no other attempt unless healthy.
                    assert_eq!(permit.is_probe(), before.state() != Healthy);
                    assert_eq!(before.probe(), None);
                    assert!(permit.deadline().is_none_or(|it| it > now || now == Timestamp::MAX));
                    self.permits.push(permit);
                } else {
                    assert_eq!(self.health, *before);
                }
                None
            }
            Call::Record(index, signal) => {
                let permit = self.pick(index)?;
                self.record(permit, signal, before)
            }
            Call::CancelStart(index) => {
                let permit = self.pick(index)?;
                let cancelled = self.health.cancel_start(permit);
                assert_eq!(cancelled, before.probe() == Some(permit));
                assert!(cancelled || self.health == *before);
                None
            }
            Call::Forget => {
                self.health.forget_in_flight();
                assert_eq!(self.health.probe(), None);
                assert_eq!(self.health.failures(), before.failures());
                None
            }
            Call::SenderOutage(suspected) => {
                self.outage = if suspected { SenderOutage::Suspected } else { SenderOutage::Clear };
                None
            }
            Call::Pause => {
                assert_eq!(self.health.pause(now), before.paused_since().is_none());
                None
            }
            Call::Resume => {
                assert_eq!(self.health.resume(now), before.paused_since().is_some());
                None
            }
            Call::Disable => {
                let transition = self.health.disable(None, now);
                assert_eq!(self.health.disabled().unwrap().by, DisabledBy::Operator);
                transition
            }
            Call::Enable(by) => {
                let transition = self.health.enable(by, now).ok();
                let operators = before.disabled().is_some_and(|it| it.by == DisabledBy::Operator);
                if operators && by == EnabledBy::Automation {
                    assert_eq!(transition, None, "automation cannot undo an operator");
                }
                if transition.is_some() {
                    // 17: counters are reset, and attempts in flight no longer count.
                    assert_eq!(self.health.failures(), 0);
                    for permit in &self.permits {
                        for signal in SIGNALS {
                            let mut health = self.health.clone();
                            let effect = health.record(policy, self.outage, *permit, signal, now);
                            assert_eq!(effect, SignalEffect::Ignored);
                            assert_eq!(health, self.health);
                        }
                    }
                } else {
                    assert_eq!(self.health, *before);
                }
                transition
            }
        }
    }

    fn record(&mut self, permit: Permit, signal: Signal, before: &Health) -> Option<Transition> {
        let is_probe = before.probe() == Some(permit);
        let effect = self.health.record(&self.policy, self.outage, permit, signal, self.now);
        if effect == SignalEffect::Ignored {
            assert_eq!(self.health, *before);
        }
        let after = &self.health;
        match signal {
            // 17: a success improves the state, or leaves a healthy endpoint without failures.
            Success => {
                assert!(after.state() <= before.state());
                let healthy = before.state() == Healthy && effect != SignalEffect::Ignored;
                assert!(!is_probe || after.state() < before.state());
                assert!(!(is_probe || healthy) || after.failures() == 0);
                assert!(is_probe || after.state() == before.state());
            }
            // 18: it changes nothing, except that a probe is due again.
            PayloadFault => {
                assert_eq!((after.state(), after.failures()), (before.state(), before.failures()));
                let mut same = before.clone();
                assert_eq!(same.cancel_start(permit), is_probe);
                if is_probe {
                    let mut health = after.clone();
                    let gate = health.poll(&self.policy, self.outage, self.now).gate;
                    assert!(before.paused_since().is_some() || gate == Gate::Probe);
                } else {
                    assert_eq!(after, before);
                }
            }
            SenderFault => {
                assert_eq!((after.state(), after.failures()), (before.state(), before.failures()));
            }
            // Only a probe moves the probe schedule.
            EndpointFault | Overload if !is_probe && before.state() != Healthy => {
                assert_eq!(after, before);
            }
            EndpointFault | Overload => assert!(after.state() >= before.state()),
            Gone => assert!(effect == SignalEffect::Ignored || after.state() == Disabled),
            _ => unreachable!(),
        }
        effect.transition()
    }
}
