//! A host that does with one endpoint's health whatever it is told to, and what holds then.

use std::time::Duration;

use labhook::health::{
    DisabledBy, EnabledBy, Gate, Health, Permit, SenderOutage, Signal, SignalEffect, State,
    Transition,
};
use labhook::{HealthPolicy, Timestamp};

use crate::health::restored;

use Signal::{EndpointFault, Gone, Overload, PayloadFault, SenderFault, Success};
use State::{Degraded, Disabled, Healthy, Suspended};

pub(crate) const SIGNALS: [Signal; 6] =
    [Success, EndpointFault, Overload, PayloadFault, SenderFault, Gone];

/// What the drawing in the module's documentation declares, save for what disables by decision.
pub(crate) const EDGES: [(State, State); 8] = [
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
    Unstart(u8),
    Forget,
    SenderOutage(bool),
    Pause,
    Resume,
    Disable,
    Enable(EnabledBy),
}

/// A host that does whatever it is told to.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) policy: HealthPolicy,
    pub(crate) health: Health,
    pub(crate) guard: SenderOutage,
    pub(crate) now: Timestamp,
    /// What is on its way.
    pub(crate) passes: Vec<Permit>,
}

impl World {
    pub(crate) fn new(policy: HealthPolicy, now: Timestamp) -> Self {
        let guard = SenderOutage::Clear;
        Self { policy, health: Health::new(), guard, now, passes: Vec::new() }
    }

    fn pick(&mut self, index: u8) -> Option<Permit> {
        let count = self.passes.len();
        (count > 0).then(|| self.passes[usize::from(index) % count])
    }

    /// Does it, checks what holds for every call, and gives the edge that it reported.
    pub(crate) fn call(&mut self, call: Call) -> Option<Transition> {
        let before = self.health.clone();
        let edge = self.act(call, &before);
        let (from, to) = (before.state(), self.health.state());
        // 15: only declared edges, each of them told.
        assert_eq!(edge.map(|edge| (edge.from, edge.to)), (from != to).then_some((from, to)));
        assert!(from == to || EDGES.contains(&(from, to)), "{from} to {to}");
        // 21: while the guard holds, or a person pauses, nothing sinks by itself.
        if self.guard.is_suspected() || self.health.paused_since().is_some() {
            let by = self.health.disabled().map(|disabled| disabled.by);
            assert!(by != Some(DisabledBy::Escalation) || from == Disabled, "disabled in a guard");
            assert!(to != Suspended || from == Suspended, "suspended in a guard");
        }
        // What was saved is what there is.
        assert_eq!(restored(&self.health), self.health);
        edge
    }

    pub(crate) fn act(&mut self, call: Call, before: &Health) -> Option<Transition> {
        let (policy, now) = (&self.policy, self.now);
        match call {
            Call::Time(millis) => {
                let step = Duration::from_millis(millis.unsigned_abs());
                self.now = if millis < 0 { now - step } else { now + step };
                None
            }
            Call::Poll => {
                let standing = self.health.poll(policy, self.guard, now);
                let again = self.health.poll(policy, self.guard, now);
                assert_eq!((again.admit, again.edge), (standing.admit, None));
                match standing.admit {
                    Gate::Hold { until: wake } | Gate::Probing { deadline: wake } => {
                        assert!(wake > now);
                        assert_eq!(self.health.wake_at(), Some(wake));
                    }
                    Gate::Paused => assert!(self.health.wake_at().is_none_or(|at| at > now)),
                    Gate::Open | Gate::Probe | Gate::Disabled => {
                        assert_eq!(self.health.wake_at(), None);
                    }
                }
                let can = self.health.clone().start(policy, now).is_some();
                assert_eq!(can, matches!(standing.admit, Gate::Open | Gate::Probe));
                // Only a probe's end moves the ladder.
                if before.probe().is_none() {
                    assert_eq!(self.health.failures(), before.failures());
                    assert_eq!(standing.edge, None);
                }
                standing.edge
            }
            Call::Start => {
                if let Some(pass) = self.health.start(policy, now) {
                    // 16: at most one probe, and nothing else beside the ladder.
                    assert_eq!(pass.is_probe(), before.state() != Healthy);
                    assert_eq!(before.probe(), None);
                    assert!(pass.deadline().is_none_or(|it| it > now || now == Timestamp::MAX));
                    self.passes.push(pass);
                } else {
                    assert_eq!(self.health, *before);
                }
                None
            }
            Call::Record(index, signal) => {
                let pass = self.pick(index)?;
                self.record(pass, signal, before)
            }
            Call::Unstart(index) => {
                let pass = self.pick(index)?;
                let done = self.health.cancel_start(pass);
                assert_eq!(done, before.probe() == Some(pass));
                assert!(done || self.health == *before);
                None
            }
            Call::Forget => {
                self.health.forget_in_flight();
                assert_eq!(self.health.probe(), None);
                assert_eq!(self.health.failures(), before.failures());
                None
            }
            Call::SenderOutage(holds) => {
                self.guard = if holds { SenderOutage::Suspected } else { SenderOutage::Clear };
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
                let edge = self.health.disable(None, now);
                assert_eq!(self.health.disabled().unwrap().by, DisabledBy::Operator);
                edge
            }
            Call::Enable(by) => {
                let edge = self.health.enable(by, now).ok();
                let person = before.disabled().is_some_and(|it| it.by == DisabledBy::Operator);
                if person && by == EnabledBy::Automation {
                    assert_eq!(edge, None, "automation never undoes a person");
                }
                if edge.is_some() {
                    // 17: counters are reset, and what was in flight means nothing.
                    assert_eq!(self.health.failures(), 0);
                    for pass in &self.passes {
                        for signal in SIGNALS {
                            let mut health = self.health.clone();
                            let ignored = health.record(policy, self.guard, *pass, signal, now);
                            assert_eq!((ignored, &health), (SignalEffect::Ignored, &self.health));
                        }
                    }
                } else {
                    assert_eq!(self.health, *before);
                }
                edge
            }
        }
    }

    fn record(&mut self, pass: Permit, signal: Signal, before: &Health) -> Option<Transition> {
        let probe = before.probe() == Some(pass);
        let recorded = self.health.record(&self.policy, self.guard, pass, signal, self.now);
        if recorded == SignalEffect::Ignored {
            assert_eq!(self.health, *before);
        }
        let after = &self.health;
        match signal {
            // 17: a success improves health, or leaves a healthy endpoint without failures.
            Success => {
                assert!(after.state() <= before.state());
                let healthy = before.state() == Healthy && recorded != SignalEffect::Ignored;
                assert!(!probe || after.state() < before.state());
                assert!(!(probe || healthy) || after.failures() == 0);
                assert!(probe || after.state() == before.state());
            }
            // 18: these leave it alone; a probe is due again.
            PayloadFault => {
                assert_eq!((after.state(), after.failures()), (before.state(), before.failures()));
                let mut same = before.clone();
                assert_eq!(same.cancel_start(pass), probe);
                if probe {
                    let mut health = after.clone();
                    assert!(
                        before.paused_since().is_some() || {
                            matches!(
                                health.poll(&self.policy, self.guard, self.now).admit,
                                Gate::Probe
                            )
                        }
                    );
                } else {
                    assert_eq!(after, before);
                }
            }
            SenderFault => {
                assert_eq!((after.state(), after.failures()), (before.state(), before.failures()));
            }
            // Only the probe moves the ladder.
            EndpointFault | Overload if !probe && before.state() != Healthy => {
                assert_eq!(after, before);
            }
            EndpointFault | Overload => assert!(after.state() >= before.state()),
            Gone => assert!(recorded == SignalEffect::Ignored || after.state() == Disabled),
            _ => unreachable!(),
        }
        recorded.transition()
    }
}
