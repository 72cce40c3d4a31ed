//! The circuit breaker: [`Health`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::disabled::Disabled;
use super::gate::{Gate, Intake};
use super::permit::Permit;
use super::phase::Phase;
use super::policy::HealthPolicy;
use super::probe::Probe;
use super::state::State;
use super::streak::Streak;
use crate::time::Timestamp;

/// Circuit breaker for one endpoint: its state, which can be saved at any moment.
///
/// The [module](crate::health) describes the states and shows a complete loop. Calls may come in
/// any order and be repeated; none panics. The policy and the time are
/// arguments of each call.
///
/// Save it in a serde format that names the fields: tested are JSON, also with the members of each
/// object in another order, CBOR, and MessagePack with named fields. Formats that do not describe
/// themselves, such as postcard and bincode, are not supported.
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
            Phase::Down(down) => Some(down.since),
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

    /// Returns the number of messages in a row whose first attempt failed or was refused: since the
    /// last success while healthy, and those that opened the circuit while down.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        match &self.phase {
            Phase::Healthy(streak) => streak.failures,
            Phase::Down(down) => down.failures,
            Phase::Disabled(_) => 0,
        }
    }

    /// Returns how many of the [`failures`](Self::failures) were refusals.
    #[must_use]
    pub const fn refusals(&self) -> u32 {
        match &self.phase {
            Phase::Healthy(streak) => streak.refusals,
            Phase::Down(down) => down.refusals,
            Phase::Disabled(_) => 0,
        }
    }

    /// Returns the number of probes that failed in a row, which select the next wait.
    #[must_use]
    pub const fn failed_probes(&self) -> u32 {
        match &self.phase {
            Phase::Down(down) => down.failed_probes,
            Phase::Healthy(_) | Phase::Disabled(_) => 0,
        }
    }

    /// Returns the permit of the probe in flight; `None` if there is none.
    #[must_use]
    pub fn probe(&self) -> Option<Permit> {
        match self.phase.down()?.probe {
            Probe::InFlight { serial, deadline, .. } => {
                Some(Permit { serial, first: false, deadline: Some(deadline) })
            }
            _ => None,
        }
    }

    /// Returns whether the attempt with this permit is the probe in flight.
    #[must_use]
    pub fn awaits(&self, permit: Permit) -> bool {
        self.probe().is_some_and(|probe| permit.is_probe() && probe.serial == permit.serial)
    }

    /// Returns the instant at which the result of [`poll`](Self::poll) next changes by time alone,
    /// if it does: the key for a timer index.
    ///
    /// That is the deadline of a probe in flight, or the end of a wait for a probe. Any other call
    /// that changes the health may change it. A probe that is due stays due, so there is no wake-up
    /// for it.
    #[must_use]
    pub fn wake_at(&self) -> Option<Timestamp> {
        match self.phase.down()?.probe {
            Probe::InFlight { deadline, .. } => Some(deadline),
            Probe::Waiting { due, .. } if self.paused_since.is_none() => Some(due),
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
        match self.phase.down()?.probe {
            Probe::Due { since } if self.paused_since.is_none() => Some(since),
            _ => self.wake_at(),
        }
    }

    /// Advances the breaker to `now`, and returns whether attempts may start.
    ///
    /// A probe whose wait is over becomes due. A probe at or past its deadline is no longer
    /// awaited, and the next one waits as long as this one did, but no longer than until the time to
    /// disable ends. That alone is no failure, because the clock may have leaped or the process
    /// slept: only [`record`](Self::record) counts one, also after this call, until the next probe
    /// is due. After the clock stepped back, waits are shortened to what the policy can ask for.
    ///
    /// Polling at [`wake_at`](Self::wake_at) is enough; polling more often does no harm.
    pub fn poll(&mut self, policy: &HealthPolicy, now: Timestamp) -> Gate {
        let paused = self.paused_since.is_some();
        if let Some(down) = self.phase.down_mut() {
            down.pull_in(policy, now);
            if let Probe::InFlight { deadline, .. } = down.probe
                && now >= deadline
            {
                let due = down.due_again(policy, deadline);
                down.probe = Probe::Waiting { due, overdue: true };
            }
            if let Probe::Waiting { due, .. } = down.probe
                && now >= due
                && !paused
            {
                down.probe = Probe::Due { since: due };
            }
        }
        self.gate()
    }

    fn gate(&self) -> Gate {
        match (&self.phase, self.paused_since) {
            (Phase::Disabled(_), _) => Gate::Disabled,
            (_, Some(_)) => Gate::Paused,
            (Phase::Healthy(_), None) => Gate::Open,
            (Phase::Down(down), None) => match down.probe {
                Probe::Waiting { due, .. } => Gate::Hold { until: due },
                Probe::Due { .. } => Gate::Probe,
                Probe::InFlight { deadline, .. } => Gate::Probing { deadline },
            },
        }
    }

    /// Returns whether a message published at `now` is accepted for the endpoint.
    #[must_use]
    pub fn intake(&self, policy: &HealthPolicy, now: Timestamp) -> Intake {
        match &self.phase {
            Phase::Healthy(_) => Intake::Take,
            Phase::Disabled(_) => Intake::Shed,
            Phase::Down(down) => match policy.shed_after() {
                Some(limit) if now.saturating_since(down.since) >= limit => {
                    if self.paused_since.is_none() && down.is_due(now) {
                        Intake::TakeIfNoneWaits
                    } else {
                        Intake::Shed
                    }
                }
                _ => Intake::Take,
            },
        }
    }

    /// Starts an attempt that times out at `deadline`; `None` if none may start.
    ///
    /// `number` is the attempt's number since its message was published or replayed. If the first
    /// attempt of a message fails, this is evidence against the endpoint; if a retry fails again,
    /// that says nothing new.
    ///
    /// While healthy every attempt gets a permit. While down only the probe that is due gets one,
    /// and no other attempt does until its result is recorded or its deadline has passed. The
    /// deadline is that of the request itself, and only a probe remembers it; one that is not
    /// after `now` counts as a millisecond after. If you persist the health, save it before
    /// sending a probe.
    #[must_use = "the result of an attempt cannot be recorded without its permit"]
    pub fn start(&mut self, number: u32, deadline: Timestamp, now: Timestamp) -> Option<Permit> {
        if self.paused_since.is_some() {
            return None;
        }
        let serial = self.serial.saturating_add(1);
        match &mut self.phase {
            Phase::Healthy(_) => {
                Some(Permit { serial: self.serial, first: number <= 1, deadline: None })
            }
            Phase::Down(down) if down.is_due(now) => {
                let deadline = deadline.max(now + Duration::from_millis(1));
                down.probe = Probe::InFlight { serial, started: now, deadline };
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
        self.phase.down_mut().is_some_and(|down| down.cancel_probe(Some(permit.serial)))
    }

    /// Forgets all attempts in flight, for an application that has restarted and will see no
    /// response to them.
    ///
    /// A probe is due again. Neither it nor any attempt whose permit was issued earlier counts as
    /// failed. Without this call a probe is awaited until its deadline.
    pub fn forget_in_flight(&mut self) {
        if let Some(down) = self.phase.down_mut() {
            down.cancel_probe(None);
        }
        self.expire_permits();
    }

    /// Makes all permits issued so far stale. Only a record edited by hand can reach the largest
    /// serial.
    pub(super) const fn expire_permits(&mut self) {
        self.serial = self.serial.saturating_add(1);
    }
}
