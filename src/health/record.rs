//! How the result of an attempt changes a [`Health`].

use super::breaker::Health;
use super::disabled::DisabledBy;
use super::outage::SenderOutage;
use super::permit::Permit;
use super::phase::{Phase, Probe};
use super::policy::HealthPolicy;
use super::signal::Signal;
use super::state::State;
use super::streak::Streak;
use super::transition::{SignalEffect, Transition};
use crate::time::Timestamp;

impl Health {
    /// Records the result of the attempt with this permit. Record each permit once.
    ///
    /// The [module](crate::health) has a table of the effects. The result of a probe that already
    /// counted as failed at its deadline is ignored, and so is that of any attempt that started
    /// before the endpoint was last enabled. While a sender outage is suspected or the endpoint is
    /// paused, a failed probe counts as the sender's fault.
    pub fn record(
        &mut self,
        policy: &HealthPolicy,
        outage: SenderOutage,
        permit: Permit,
        signal: Signal,
        now: Timestamp,
    ) -> SignalEffect {
        if signal == Signal::Gone {
            return self.gone(permit, now).map_or(SignalEffect::Ignored, SignalEffect::Changed);
        }
        if self.is_stale(permit) {
            return SignalEffect::Ignored;
        }
        if permit.is_probe() {
            return if self.probe().is_some_and(|probe| probe.serial == permit.serial) {
                self.record_probe(policy, outage, signal, now)
            } else {
                SignalEffect::Ignored
            };
        }
        let is_current = permit.serial == self.serial;
        match (&mut self.phase, signal) {
            (Phase::Healthy(streak), Signal::Success) if !streak.is_empty() => {
                *streak = Streak::NONE;
                SignalEffect::Counted
            }
            (Phase::Healthy(streak), Signal::EndpointFault | Signal::Overload) if is_current => {
                let opens = match signal {
                    Signal::Overload => streak.overload(policy, now),
                    _ => streak.fault(policy, now),
                };
                if !opens {
                    return SignalEffect::Counted;
                }
                SignalEffect::Changed(self.phase.degrade(policy, now))
            }
            // The receiver responds, but perhaps only did so before it failed: probe it now.
            (Phase::Degraded(backoff) | Phase::Suspended { backoff, .. }, Signal::Success) if matches!(backoff.probe, Probe::Waiting { due } if now < due) =>
            {
                backoff.probe = Probe::Due { since: now };
                SignalEffect::Counted
            }
            _ => SignalEffect::Ignored,
        }
    }

    /// Disables the endpoint because its receiver wants no further messages, as stated by a
    /// response that came too late for [`record`](Self::record): its permit was already recorded,
    /// or was forgotten in a restart. If the permit is still to be recorded, record
    /// [`Signal::Gone`] instead.
    ///
    /// Returns `None` if the endpoint is already disabled, or was enabled after the attempt
    /// started.
    pub fn gone(&mut self, permit: Permit, now: Timestamp) -> Option<Transition> {
        (!self.is_stale(permit)).then(|| self.phase.disable(DisabledBy::Receiver, None, now))
    }

    /// Returns whether the result of this attempt no longer counts.
    fn is_stale(&self, permit: Permit) -> bool {
        permit.serial < self.enabled_serial || self.state() == State::Disabled
    }

    fn record_probe(
        &mut self,
        policy: &HealthPolicy,
        outage: SenderOutage,
        signal: Signal,
        now: Timestamp,
    ) -> SignalEffect {
        let transition = match signal {
            Signal::Success => self.phase.probe_succeeded(policy, now),
            Signal::EndpointFault | Signal::Overload => self.fail_probe(policy, outage, now),
            Signal::SenderFault | Signal::Gone => {
                self.phase.probe_inconclusive(policy, now);
                None
            }
            Signal::PayloadFault => None,
        };
        // The probe is not used up: the next message may be fine.
        if let (Signal::PayloadFault, Some(backoff)) = (signal, self.phase.backoff_mut()) {
            backoff.probe = Probe::Due { since: now };
        }
        transition.map_or(SignalEffect::Counted, SignalEffect::Changed)
    }

    pub(super) fn fail_probe(
        &mut self,
        policy: &HealthPolicy,
        outage: SenderOutage,
        at: Timestamp,
    ) -> Option<Transition> {
        if outage.is_suspected() || self.paused_since.is_some() {
            self.phase.probe_inconclusive(policy, at);
            return None;
        }
        self.phase.probe_failed(policy, at)
    }
}
