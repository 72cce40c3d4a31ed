//! How what became of an attempt moves a [`Health`].

use super::Health;
use super::answer::{Permit, SignalEffect, State, Transition};
use super::disabled::DisabledBy;
use super::outage::SenderOutage;
use super::policy::HealthPolicy;
use super::signal::Signal;
use super::state::{Inner, Probe};
use super::streak::Streak;
use crate::time::Timestamp;

impl Health {
    /// Takes in what became of the attempt with this pass, at `now`. Each pass is handed in once.
    ///
    /// The [module](crate::health) has the table. The answer of a probe that counted as failed at
    /// its deadline, and of anything that started before the endpoint was last enabled, is ignored.
    /// While the guard holds or the endpoint is paused, a failed probe is taken for the sender's
    /// fault.
    pub fn record(
        &mut self,
        policy: &HealthPolicy,
        guard: SenderOutage,
        pass: Permit,
        signal: Signal,
        now: Timestamp,
    ) -> SignalEffect {
        if signal == Signal::Gone {
            return self.gone(pass, now).map_or(SignalEffect::Ignored, SignalEffect::Changed);
        }
        if self.is_stale(pass) {
            return SignalEffect::Ignored;
        }
        if pass.is_probe() {
            return if self.probe().is_some_and(|probe| probe.serial == pass.serial) {
                self.probed(policy, guard, signal, now)
            } else {
                SignalEffect::Ignored
            };
        }
        let current = pass.serial == self.serial;
        match (&mut self.state, signal) {
            (Inner::Healthy(streak), Signal::Success) if !streak.is_empty() => {
                *streak = Streak::NONE;
                SignalEffect::Counted
            }
            (Inner::Healthy(streak), Signal::EndpointFault | Signal::Overload) if current => {
                let too_many = match signal {
                    Signal::Overload => streak.overload(policy, now),
                    _ => streak.fault(policy, now),
                };
                if !too_many {
                    return SignalEffect::Counted;
                }
                SignalEffect::Changed(self.state.degrade(policy, now))
            }
            // The receiver lives: ask it now, and let the probe decide.
            (Inner::Degraded(trouble) | Inner::Suspended { trouble, .. }, Signal::Success) if matches!(trouble.probe, Probe::Waiting { due } if now < due) =>
            {
                trouble.probe = Probe::Due { since: now };
                SignalEffect::Counted
            }
            _ => SignalEffect::Ignored,
        }
    }

    /// The receiver wants nothing more at all, as an answer says that came too late for
    /// [`record`](Self::record): its pass was handed in already, or forgotten in a restart.
    ///
    /// `None` where the endpoint is disabled already, or was enabled since the attempt started.
    /// Where the pass is still to be handed in, do so with [`Signal::Gone`] instead.
    pub fn gone(&mut self, pass: Permit, now: Timestamp) -> Option<Transition> {
        (!self.is_stale(pass)).then(|| self.state.disable(DisabledBy::Receiver, None, now))
    }

    /// Whether what comes of this attempt counts no more.
    fn is_stale(&self, pass: Permit) -> bool {
        pass.serial < self.enabled || self.state() == State::Disabled
    }

    /// The probe in flight was answered.
    fn probed(
        &mut self,
        policy: &HealthPolicy,
        guard: SenderOutage,
        signal: Signal,
        now: Timestamp,
    ) -> SignalEffect {
        let edge = match signal {
            Signal::Success => self.state.climb(policy, now),
            Signal::EndpointFault | Signal::Overload => self.probe_failed(policy, guard, now),
            Signal::SenderFault | Signal::Gone => {
                self.state.shrug(policy, now);
                None
            }
            Signal::PayloadFault => None,
        };
        // The probe is not used up: the next message may be fine.
        if let (Signal::PayloadFault, Some(trouble)) = (signal, self.state.trouble_mut()) {
            trouble.probe = Probe::Due { since: now };
        }
        edge.map_or(SignalEffect::Counted, SignalEffect::Changed)
    }

    pub(super) fn probe_failed(
        &mut self,
        policy: &HealthPolicy,
        guard: SenderOutage,
        at: Timestamp,
    ) -> Option<Transition> {
        if guard.is_suspected() || self.paused_since.is_some() {
            self.state.shrug(policy, at);
            return None;
        }
        self.state.sink(policy, at)
    }
}
