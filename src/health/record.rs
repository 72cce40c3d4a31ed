//! How the result of an attempt changes a [`Health`].

use super::breaker::Health;
use super::disabled::DisabledBy;
use super::outage::SenderOutage;
use super::permit::Permit;
use super::phase::{Down, Phase};
use super::policy::HealthPolicy;
use super::probe::Probe;
use super::state::State;
use super::streak::Streak;
use super::transition::{SignalEffect, Transition};
use crate::signal::Signal;
use crate::time::Timestamp;

impl Health {
    /// Records the result of the attempt with this permit. Record each permit once.
    ///
    /// The [module](crate::health) has a table of the effects. Report a timeout too, even if
    /// [`poll`](Self::poll) has already found the probe's deadline passed: without that report the
    /// probe has not failed. The result of any attempt that started before the endpoint was last
    /// enabled is ignored. While a sender outage is suspected or the endpoint is paused, a failed
    /// probe says nothing, and the next one waits as long as this one did.
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
        let is_latest = permit.serial == self.serial;
        match &mut self.phase {
            Phase::Healthy(streak) => match signal {
                Signal::Success if !streak.is_empty() => {
                    *streak = Streak::NONE;
                    SignalEffect::Counted
                }
                Signal::Failed | Signal::Refused if permit.first && is_latest => {
                    if streak.count(policy, signal, now) {
                        SignalEffect::Changed(self.phase.open(policy, self.serial, now))
                    } else {
                        SignalEffect::Counted
                    }
                }
                _ => SignalEffect::Ignored,
            },
            Phase::Down(down) => match signal {
                // It was sent after the circuit opened, so the receiver is back. The probe was,
                // whatever the serials of a record edited by hand.
                Signal::Success
                    if permit.serial > down.serial || is_latest && down.awaits(permit) =>
                {
                    SignalEffect::Changed(self.phase.recover(now))
                }
                // The receiver responds, but perhaps only did so before it failed: probe it now.
                Signal::Success if !permit.is_probe() => {
                    down.heard(now);
                    SignalEffect::Counted
                }
                Signal::Failed | Signal::Refused if is_latest && down.awaits(permit) => {
                    if outage.is_suspected() || self.paused_since.is_some() {
                        down.probe_inconclusive(policy, now);
                        return SignalEffect::Counted;
                    }
                    let disabled = self.phase.probe_failed(policy, now);
                    disabled.map_or(SignalEffect::Counted, SignalEffect::Changed)
                }
                Signal::Neutral if is_latest && down.awaits(permit) => {
                    down.probe_neutral(policy, now);
                    SignalEffect::Counted
                }
                _ => SignalEffect::Ignored,
            },
            Phase::Disabled(_) => SignalEffect::Ignored,
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
        // Only a record edited by hand can have been enabled at a later serial.
        permit.serial < self.enabled_serial.min(self.serial) || self.state() == State::Disabled
    }
}

impl Down {
    /// Returns whether this probe is in flight, or its result is awaited past its deadline. The
    /// permit must be the latest one.
    const fn awaits(&self, permit: Permit) -> bool {
        permit.is_probe()
            && matches!(self.probe, Probe::InFlight { .. } | Probe::Waiting { overdue: true, .. })
    }
}
