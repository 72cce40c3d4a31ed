//! The states of an endpoint with their data, and how the end of a probe changes them.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::disabled::{Disabled, DisabledBy};
use super::policy::HealthPolicy;
use super::state::State;
use super::streak::Streak;
use super::transition::Transition;
use crate::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Phase {
    Healthy(Streak),
    Degraded(Backoff),
    Suspended { backoff: Backoff, timer: DisableTimer },
    Disabled(Disabled),
}

/// The position in the probe schedule of a degraded or suspended endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Backoff {
    /// Since when the endpoint has been degraded or suspended.
    pub(super) since: Timestamp,
    /// Probes that failed in a row, which select the next wait.
    pub(super) failed_probes: u32,
    pub(super) probe: Probe,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Probe {
    Waiting { due: Timestamp },
    Due { since: Timestamp },
    InFlight { serial: u64, started: Timestamp, deadline: Timestamp },
}

/// The time that counts towards disabling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DisableTimer {
    /// When the suspension would have begun if all of its time had counted.
    start: Timestamp,
    /// Up to when it is decided whether the time counts.
    decided_until: Timestamp,
}

impl DisableTimer {
    const fn new(now: Timestamp) -> Self {
        Self { start: now, decided_until: now }
    }

    /// Counts the time up to `now`.
    const fn count(&mut self, now: Timestamp) {
        self.decided_until = now;
    }

    /// Excludes the time from `since` up to `now`, unless it was decided before.
    pub(super) fn exclude(&mut self, since: Timestamp, now: Timestamp) {
        self.start += now.saturating_since(self.decided_until.max(since));
        self.decided_until = now;
    }

    fn deadline(&self, policy: &HealthPolicy) -> Option<Timestamp> {
        policy.disable_after().map(|time| self.start + time)
    }
}

impl Phase {
    pub(super) const fn state(&self) -> State {
        match self {
            Self::Healthy(_) => State::Healthy,
            Self::Degraded(_) => State::Degraded,
            Self::Suspended { .. } => State::Suspended,
            Self::Disabled(_) => State::Disabled,
        }
    }

    pub(super) const fn backoff(&self) -> Option<&Backoff> {
        match self {
            Self::Degraded(backoff) | Self::Suspended { backoff, .. } => Some(backoff),
            Self::Healthy(_) | Self::Disabled(_) => None,
        }
    }

    pub(super) const fn backoff_mut(&mut self) -> Option<&mut Backoff> {
        match self {
            Self::Degraded(backoff) | Self::Suspended { backoff, .. } => Some(backoff),
            Self::Healthy(_) | Self::Disabled(_) => None,
        }
    }

    fn change_to(&mut self, next: Self, at: Timestamp) -> Transition {
        let transition = Transition::new(self.state(), next.state(), at);
        *self = next;
        transition
    }

    /// Opens the circuit; the probe schedule begins.
    pub(super) fn degrade(&mut self, policy: &HealthPolicy, now: Timestamp) -> Transition {
        self.change_to(Self::Degraded(Backoff::new(policy, now)), now)
    }

    pub(super) fn probe_succeeded(
        &mut self,
        policy: &HealthPolicy,
        now: Timestamp,
    ) -> Option<Transition> {
        match self {
            Self::Suspended { .. } => Some(self.degrade(policy, now)),
            Self::Degraded(_) => Some(self.recover(now)),
            Self::Healthy(_) | Self::Disabled(_) => None,
        }
    }

    /// Closes the circuit and resets all counters.
    pub(super) fn recover(&mut self, now: Timestamp) -> Transition {
        self.change_to(Self::Healthy(Streak::NONE), now)
    }

    pub(super) fn disable(
        &mut self,
        by: DisabledBy,
        reason: Option<String>,
        at: Timestamp,
    ) -> Transition {
        self.change_to(Self::Disabled(Disabled { since: at, by, reason }), at)
    }

    /// A probe failed, and it was the endpoint's fault.
    pub(super) fn probe_failed(
        &mut self,
        policy: &HealthPolicy,
        at: Timestamp,
    ) -> Option<Transition> {
        match self {
            Self::Degraded(backoff) => {
                backoff.count_failure(policy, at);
                let failed = backoff.failed_probes;
                if policy.suspend_after().map(NonZeroU32::get).is_none_or(|limit| failed < limit) {
                    return None;
                }
                let mut backoff = Backoff { since: at, ..*backoff };
                let timer = DisableTimer::new(at);
                backoff.probe_no_later_than(timer.deadline(policy), at);
                Some(self.change_to(Self::Suspended { backoff, timer }, at))
            }
            Self::Suspended { backoff, timer } => {
                timer.count(at);
                let deadline = timer.deadline(policy);
                if deadline.is_some_and(|deadline| at >= deadline) {
                    return Some(self.disable(DisabledBy::Escalation, None, at));
                }
                backoff.count_failure(policy, at);
                backoff.probe_no_later_than(deadline, at);
                None
            }
            Self::Healthy(_) | Self::Disabled(_) => None,
        }
    }

    /// A probe failed, but perhaps not by the endpoint's fault: probes again after the first wait.
    pub(super) fn probe_inconclusive(&mut self, policy: &HealthPolicy, at: Timestamp) {
        if let Self::Suspended { timer, .. } = self {
            timer.exclude(Timestamp::MIN, at);
        }
        if let Some(backoff) = self.backoff_mut() {
            backoff.probe = Probe::Waiting { due: at + policy.probe_wait(0) };
        }
    }
}

impl Backoff {
    fn new(policy: &HealthPolicy, now: Timestamp) -> Self {
        let due = now + policy.probe_wait(0);
        Self { since: now, failed_probes: 0, probe: Probe::Waiting { due } }
    }

    /// Moves to the next wait of the schedule.
    fn count_failure(&mut self, policy: &HealthPolicy, at: Timestamp) {
        self.failed_probes = self.failed_probes.saturating_add(1);
        self.probe = Probe::Waiting { due: at + policy.probe_wait(self.failed_probes) };
    }

    /// Moves the last probe before the endpoint is disabled forward to that deadline, because only
    /// a failed probe disables.
    fn probe_no_later_than(&mut self, deadline: Option<Timestamp>, at: Timestamp) {
        if let (Probe::Waiting { due }, Some(deadline)) = (self.probe, deadline)
            && at < deadline
        {
            self.probe = Probe::Waiting { due: due.min(deadline) };
        }
    }

    /// Returns whether the probe may start.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        match self.probe {
            Probe::Waiting { due } => now >= due,
            Probe::Due { .. } => true,
            Probe::InFlight { .. } => false,
        }
    }

    /// Makes the probe in flight due again, if it has this serial; `None` matches any.
    pub(super) fn cancel_probe(&mut self, wanted: Option<u64>) -> bool {
        match self.probe {
            Probe::InFlight { serial, started, .. } if wanted.is_none_or(|it| it == serial) => {
                self.probe = Probe::Due { since: started };
                true
            }
            _ => false,
        }
    }
}
