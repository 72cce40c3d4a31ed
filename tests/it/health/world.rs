//! An application that makes any call on one endpoint's health, and the invariants of each call.

use std::time::Duration;

use labhook::health::{
    DisabledBy, EnabledBy, Gate, Health, Permit, SenderOutage, Signal, SignalEffect, State,
    Transition,
};
use labhook::{HealthPolicy, Timestamp};

use super::fixture::restored;

use Signal::{Failed, Gone, Neutral, Refused, Success};
use State::{Disabled, Down, Healthy};

pub(crate) const SIGNALS: [Signal; 5] = [Success, Refused, Failed, Neutral, Gone];

/// The transitions drawn in the module's documentation.
pub(crate) const TRANSITIONS: [(State, State); 5] =
    [(Healthy, Down), (Down, Disabled), (Down, Healthy), (Disabled, Healthy), (Healthy, Disabled)];

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(millis)
}

/// The state, and everything that is counted in it.
fn counts_of(health: &Health) -> (State, u32, u32, u32) {
    (health.state(), health.failures(), health.refusals(), health.failed_probes())
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    Time(i64),
    Poll,
    /// Starts the attempt with this number.
    Start(u32),
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
    /// Attempts in flight, each with its number.
    pub(crate) permits: Vec<(Permit, u32)>,
}

impl World {
    pub(crate) fn new(policy: HealthPolicy, timeout: Duration, now: Timestamp) -> Self {
        let (health, outage) = (Health::new(), SenderOutage::Clear);
        Self { policy, timeout, health, outage, now, permits: Vec::new() }
    }

    fn pick(&mut self, index: u8) -> Option<(Permit, u32)> {
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
        // 21: in a suspected outage or a pause, no failure disables.
        if self.outage.is_suspected() || self.health.paused_since().is_some() {
            let by = self.health.disabled().map(|disabled| disabled.by);
            assert!(by != Some(DisabledBy::Escalation) || from == Disabled, "disabled");
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
                let gate = self.health.poll(policy, now);
                assert_eq!(self.health.poll(policy, now), gate);
                match gate {
                    Gate::Hold { until: wake } | Gate::Probing { deadline: wake } => {
                        assert!(wake > now);
                        assert_eq!(self.health.wake_at(), Some(wake));
                    }
                    Gate::Paused => {
                        assert!(self.health.wake_at().is_none_or(|at| at > now));
                    }
                    Gate::Open | Gate::Probe | Gate::Disabled => {
                        assert_eq!(self.health.wake_at(), None);
                    }
                }
                let starts = self.health.clone().start(1, deadline, now).is_some();
                assert_eq!(starts, matches!(gate, Gate::Open | Gate::Probe));
                // Only the result of a probe moves the schedule.
                assert_eq!(counts_of(&self.health), counts_of(before));
                None
            }
            Call::Start(number) => {
                if let Some(permit) = self.health.start(number, deadline, now) {
                    // 16: at most one probe, and no other attempt unless healthy.
                    assert_eq!(permit.is_probe(), before.state() != Healthy);
                    assert_eq!(before.probe(), None);
                    assert!(permit.deadline().is_none_or(|it| it > now || now == Timestamp::MAX));
                    self.permits.push((permit, number));
                } else {
                    assert_eq!(self.health, *before);
                }
                None
            }
            Call::Record(index, signal) => {
                let (permit, number) = self.pick(index)?;
                self.record(permit, number, signal, before)
            }
            Call::CancelStart(index) => {
                let (permit, _) = self.pick(index)?;
                let cancelled = self.health.cancel_start(permit);
                assert_eq!(cancelled, before.awaits(permit));
                assert!(cancelled || self.health == *before);
                None
            }
            Call::Forget => {
                self.health.forget_in_flight();
                assert_eq!(self.health.probe(), None);
                assert_eq!(counts_of(&self.health), counts_of(before));
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
                    for (permit, _) in &self.permits {
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

    fn record(
        &mut self,
        permit: Permit,
        number: u32,
        signal: Signal,
        before: &Health,
    ) -> Option<Transition> {
        let is_probe = before.awaits(permit);
        let effect = self.health.record(&self.policy, self.outage, permit, signal, self.now);
        let after = &self.health;
        if effect == SignalEffect::Ignored {
            assert_eq!(after, before);
        }
        match signal {
            // 17: a success improves the state, or leaves a healthy endpoint without failures.
            Success => {
                let counts = effect != SignalEffect::Ignored;
                assert!(after.state() <= before.state());
                assert!(!is_probe || after.state() == Healthy);
                assert!(
                    !(is_probe || before.state() == Healthy && counts) || after.failures() == 0
                );
                // One from before the circuit opened only makes the probe due.
                if before.state() == Down && after.state() == Down && counts {
                    assert!(!permit.is_probe() && counts_of(after) == counts_of(before));
                    assert!(after.probe() == before.probe());
                    assert!(after.probe().is_some() || after.wake_at().is_none());
                }
            }
            // 18: it changes nothing, except that the next probe waits as long as the first.
            Neutral => {
                assert_eq!(counts_of(after), counts_of(before));
                if !permit.is_probe() {
                    assert_eq!(after, before);
                }
                if is_probe {
                    let wait = self.policy.probe_wait(0) * 11 / 10;
                    let mut health = after.clone();
                    match health.poll(&self.policy, self.now) {
                        Gate::Hold { until } => assert!(until <= self.now + wait),
                        Gate::Paused => {}
                        gate => assert_eq!(self.now, Timestamp::MAX, "{gate:?}"),
                    }
                }
            }
            // Only a probe moves the probe schedule, and only a first attempt is evidence.
            Failed | Refused if before.state() == Healthy => {
                assert!(after.state() == Down || after.failures() <= before.failures() + 1);
                assert!(number == 1 || after == before);
            }
            Failed | Refused => {
                assert!(permit.is_probe() || after == before);
                assert!(after.failed_probes() <= before.failed_probes() + 1);
                assert!(after.state() == Disabled || after.failures() == before.failures());
                assert!(after.state() >= before.state());
            }
            Gone => assert!(effect == SignalEffect::Ignored || after.state() == Disabled),
            _ => unreachable!(),
        }
        effect.transition()
    }
}
