//! The circuit breaker: [`Health`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::disabled::Disabled;
use super::gate::{Gate, HealthStatus, Intake};
use super::outage::SenderOutage;
use super::permit::Permit;
use super::phase::{Phase, Probe};
use super::policy::{HealthPolicy, NewMessages};
use super::state::State;
use super::streak::Streak;
use crate::time::Timestamp;

/// Circuit breaker for one endpoint: its state, which can be saved at any moment.
///
/// The [module](crate::health) describes the states and shows a complete loop. Calls may come in
/// any order and be repeated; none panics. The policy, the suspicion of a sender outage and the
/// time are arguments of each call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[doc(alias = "circuit breaker")]
#[doc(alias = "outlier detection")]
pub struct Health {
    /// Grows with each probe, and whenever the permits issued so far become stale. There is a probe
    /// between any two healthy periods, so it tells their permits apart.
    pub(super) serial: u64,
    /// The `serial` at which the endpoint was last enabled; permits older than that are ignored.
    #[serde(default)]
    pub(super) enabled_serial: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) paused_since: Option<Timestamp>,
    #[serde(rename = "state")]
    pub(super) phase: Phase,
}

/// [`Health::new`].
impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

impl Health {
    /// Creates a healthy endpoint without any failures.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            serial: 0,
            enabled_serial: 0,
            paused_since: None,
            phase: Phase::Healthy(Streak::NONE),
        }
    }

    /// Returns the state.
    #[must_use]
    pub const fn state(&self) -> State {
        self.phase.state()
    }

    /// Returns since when the endpoint has been in its [`state`](Self::state); `None` if it is
    /// healthy.
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Healthy(_) => None,
            Phase::Degraded(backoff) | Phase::Suspended { backoff, .. } => Some(backoff.since),
            Phase::Disabled(disabled) => Some(disabled.since),
        }
    }

    /// Returns who disabled the endpoint, why and when; `None` if it is not disabled.
    #[must_use]
    pub const fn disabled(&self) -> Option<&Disabled> {
        match &self.phase {
            Phase::Disabled(disabled) => Some(disabled),
            _ => None,
        }
    }

    /// Returns since when an operator has paused the endpoint; `None` if it is not paused.
    #[must_use]
    pub const fn paused_since(&self) -> Option<Timestamp> {
        self.paused_since
    }

    /// Returns the number of failures counted.
    ///
    /// While healthy these are the faults and overloads since the last success; while degraded or
    /// suspended, the failed probes since the last success of a probe.
    #[must_use]
    pub fn failures(&self) -> u32 {
        match &self.phase {
            Phase::Healthy(streak) => streak.failures(),
            Phase::Degraded(backoff) | Phase::Suspended { backoff, .. } => backoff.failed_probes,
            Phase::Disabled(_) => 0,
        }
    }

    /// Returns the permit of the probe in flight; `None` if there is none.
    #[must_use]
    pub fn probe(&self) -> Option<Permit> {
        match self.phase.backoff()?.probe {
            Probe::InFlight { serial, deadline, .. } => {
                Some(Permit { serial, deadline: Some(deadline) })
            }
            _ => None,
        }
    }

    /// Returns the instant at which the result of [`poll`](Self::poll) next changes by time alone,
    /// if it does: the key for a timer index.
    ///
    /// That is the deadline of a probe in flight, or the end of a wait for a probe. Any other call
    /// that changes the health may change it. A probe that is due stays due, so there is no wake-up
    /// for it.
    #[must_use]
    pub fn wake_at(&self) -> Option<Timestamp> {
        match self.phase.backoff()?.probe {
            Probe::InFlight { deadline, .. } => Some(deadline),
            Probe::Waiting { due } if self.paused_since.is_none() => Some(due),
            Probe::Waiting { .. } | Probe::Due { .. } => None,
        }
    }

    /// Returns the instant from which there is work to do: the key by which a job table with one
    /// row per endpoint is claimed.
    ///
    /// It is the same as [`wake_at`](Self::wake_at), except that a probe which is already due
    /// counts as work, unless the endpoint is paused.
    #[must_use]
    pub fn claim_at(&self) -> Option<Timestamp> {
        match self.phase.backoff()?.probe {
            Probe::Due { since } if self.paused_since.is_none() => Some(since),
            _ => self.wake_at(),
        }
    }

    /// Advances the breaker to `now`, and returns its gate and the transition that this caused.
    ///
    /// A probe at or past its deadline counts as failed at the deadline, and one whose wait is over
    /// becomes due. Nothing else changes. Polling at [`wake_at`](Self::wake_at) is enough; polling
    /// more often does no harm.
    pub fn poll(
        &mut self,
        policy: &HealthPolicy,
        outage: SenderOutage,
        now: Timestamp,
    ) -> HealthStatus {
        let transition = match self.probe().and_then(|permit| permit.deadline) {
            Some(deadline) if now >= deadline => self.fail_probe(policy, outage, deadline),
            _ => None,
        };
        if self.paused_since.is_none()
            && let Some(backoff) = self.phase.backoff_mut()
            && let Probe::Waiting { due } = backoff.probe
            && now >= due
        {
            backoff.probe = Probe::Due { since: due };
        }
        HealthStatus::new(self.gate(), transition)
    }

    fn gate(&self) -> Gate {
        match (&self.phase, self.paused_since) {
            (Phase::Disabled(_), _) => Gate::Disabled,
            (_, Some(_)) => Gate::Paused,
            (Phase::Healthy(_), None) => Gate::Open,
            (Phase::Degraded(backoff) | Phase::Suspended { backoff, .. }, None) => {
                match backoff.probe {
                    Probe::Waiting { due } => Gate::Hold { until: due },
                    Probe::Due { .. } => Gate::Probe,
                    Probe::InFlight { deadline, .. } => Gate::Probing { deadline },
                }
            }
        }
    }

    /// Returns whether a message published at `now` is accepted for the endpoint.
    #[must_use]
    pub fn intake(&self, policy: &HealthPolicy, now: Timestamp) -> Intake {
        match &self.phase {
            Phase::Suspended { backoff, .. } => match policy.new_messages() {
                NewMessages::Hold => Intake::Take,
                NewMessages::Shed if self.paused_since.is_none() && backoff.is_due(now) => {
                    Intake::TakeIfNoneWaits
                }
                NewMessages::Shed => Intake::Shed,
            },
            Phase::Healthy(_) | Phase::Degraded(_) => Intake::Take,
            Phase::Disabled(_) => Intake::Shed,
        }
    }

    /// Starts an attempt that times out at `deadline`; `None` if none may start.
    ///
    /// While healthy every attempt gets a permit. While degraded or suspended only the probe that
    /// is due gets one, and no other attempt does until its result is recorded or its deadline has
    /// passed. The deadline is that of the request itself, and only a probe remembers
    /// it; one that is not after `now` counts as a millisecond after. If you persist the health, save it before sending a probe.
    #[must_use = "the result of an attempt cannot be recorded without its permit"]
    pub fn start(&mut self, deadline: Timestamp, now: Timestamp) -> Option<Permit> {
        if self.paused_since.is_some() {
            return None;
        }
        let serial = self.serial.saturating_add(1);
        match &mut self.phase {
            Phase::Healthy(_) => Some(Permit { serial: self.serial, deadline: None }),
            Phase::Degraded(backoff) | Phase::Suspended { backoff, .. } if backoff.is_due(now) => {
                let deadline = deadline.max(now + Duration::from_millis(1));
                backoff.probe = Probe::InFlight { serial, started: now, deadline };
                self.serial = serial;
                self.probe()
            }
            _ => None,
        }
    }

    /// Cancels the start of an attempt that was never sent: a probe is due again.
    ///
    /// Returns `false`, and changes nothing, if the permit is not that of the probe in flight.
    pub fn cancel_start(&mut self, permit: Permit) -> bool {
        self.phase.backoff_mut().is_some_and(|backoff| backoff.cancel_probe(Some(permit.serial)))
    }

    /// Forgets all attempts in flight, for an application that has restarted and will see no
    /// response to them.
    ///
    /// A probe is due again. Neither it nor any attempt whose permit was issued earlier moves the
    /// probe schedule. Without this call a probe fails at its deadline.
    pub fn forget_in_flight(&mut self) {
        if let Some(backoff) = self.phase.backoff_mut() {
            backoff.cancel_probe(None);
        }
        self.expire_permits();
    }

    /// Makes all permits issued so far stale. Only a record edited by hand can reach the largest
    /// serial.
    pub(super) const fn expire_permits(&mut self) {
        self.serial = self.serial.saturating_add(1);
    }
}
