//! The states of an endpoint with their data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::disable_timer::DisableTimer;
use super::disabled::{Disabled, DisabledBy};
use super::policy::HealthPolicy;
use super::probe::{Probe, wait};
use super::state::State;
use super::streak::Streak;
use super::transition::Transition;
use crate::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Phase {
    Healthy(Streak),
    Down(Down),
    Disabled(Disabled),
}

/// An open circuit, and its position in the probe schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Down {
    pub(super) since: Timestamp,
    /// The breaker's serial when the circuit opened: permits with a later one are probes.
    pub(super) serial: u64,
    /// The messages whose failure opened the circuit, and how many of them were refused.
    pub(super) failures: u32,
    pub(super) refusals: u32,
    /// Probes that failed in a row, which select the next wait.
    pub(super) failed_probes: u32,
    pub(super) probe: Probe,
    pub(super) timer: DisableTimer,
}

impl Phase {
    pub(super) const fn state(&self) -> State {
        match self {
            Self::Healthy(_) => State::Healthy,
            Self::Down(_) => State::Down,
            Self::Disabled(_) => State::Disabled,
        }
    }

    pub(super) const fn down(&self) -> Option<&Down> {
        match self {
            Self::Down(down) => Some(down),
            Self::Healthy(_) | Self::Disabled(_) => None,
        }
    }

    pub(super) const fn down_mut(&mut self) -> Option<&mut Down> {
        match self {
            Self::Down(down) => Some(down),
            Self::Healthy(_) | Self::Disabled(_) => None,
        }
    }

    fn change_to(&mut self, next: Self, at: Timestamp) -> Transition {
        let transition = Transition::new(self.state(), next.state(), at);
        *self = next;
        transition
    }

    /// Opens the circuit; the probe schedule begins.
    pub(super) fn open(
        &mut self,
        policy: &HealthPolicy,
        serial: u64,
        now: Timestamp,
    ) -> Transition {
        let Streak { failures, refusals, .. } = match self {
            Self::Healthy(streak) => *streak,
            Self::Down(_) | Self::Disabled(_) => Streak::NONE,
        };
        let timer = DisableTimer::new(now);
        let due = timer.cap(policy, now + wait(policy, serial, 0));
        let down = Down {
            since: now,
            serial,
            failures,
            refusals,
            failed_probes: 0,
            probe: Probe::Waiting { due, overdue: false },
            timer,
        };
        self.change_to(Self::Down(down), now)
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
        let down = self.down_mut()?;
        down.timer.count(at);
        if down.timer.deadline(policy).is_some_and(|deadline| at >= deadline) {
            return Some(self.disable(DisabledBy::Escalation, None, at));
        }
        down.failed_probes = down.failed_probes.saturating_add(1);
        let due = down.timer.cap(policy, at + down.wait(policy));
        down.probe = Probe::Waiting { due, overdue: false };
        None
    }
}

impl Down {
    /// Returns the wait before the next probe.
    pub(super) fn wait(&self, policy: &HealthPolicy) -> Duration {
        wait(policy, self.serial, self.failed_probes)
    }

    /// Returns the first wait.
    fn first_wait(&self, policy: &HealthPolicy) -> Duration {
        wait(policy, self.serial, 0)
    }

    /// Returns when the next probe is due after one that is over at this instant and did not count.
    ///
    /// That is no later than the time to disable ends, but at least the first wait later: the
    /// result may still come, and the time to disable may be over.
    pub(super) fn due_again(&self, policy: &HealthPolicy, over: Timestamp) -> Timestamp {
        let due = self.timer.cap(policy, over + self.wait(policy));
        due.max(over + self.first_wait(policy))
    }

    /// A probe failed, but perhaps not by the endpoint's fault: the schedule stays where it is, and
    /// the time does not count towards disabling.
    pub(super) fn probe_inconclusive(&mut self, policy: &HealthPolicy, at: Timestamp) {
        self.timer.exclude(Timestamp::MIN, at);
        self.probe = Probe::Waiting { due: self.due_again(policy, at), overdue: false };
    }

    /// A probe was not the endpoint's fault for certain: as
    /// [`probe_inconclusive`](Self::probe_inconclusive), but another comes after the first wait.
    pub(super) fn probe_neutral(&mut self, policy: &HealthPolicy, at: Timestamp) {
        self.timer.exclude(Timestamp::MIN, at);
        self.probe = Probe::Waiting { due: at + self.first_wait(policy), overdue: false };
    }

    /// The receiver has accepted a message that was sent before the circuit opened: the probe is
    /// due, and the time towards disabling starts over.
    pub(super) const fn heard(&mut self, now: Timestamp) {
        self.timer = DisableTimer::new(now);
        if let Probe::Waiting { .. } = self.probe {
            self.probe = Probe::Due { since: now };
        }
    }

    /// Returns whether the probe may start.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        match self.probe {
            Probe::Waiting { due, .. } => now >= due,
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

    /// After the clock stepped back, pulls in the instants that lie further ahead than the policy
    /// could have asked for.
    pub(super) fn pull_in(&mut self, policy: &HealthPolicy, now: Timestamp) {
        self.since = self.since.min(now);
        self.timer.pull_in(now);
        let longest = self.wait(policy).max(self.first_wait(policy));
        match &mut self.probe {
            Probe::Waiting { due, .. } => *due = (*due).min(now + longest),
            Probe::InFlight { started, deadline, .. } if now < *started => {
                *deadline = now + deadline.saturating_since(*started);
                *started = now;
            }
            Probe::Due { since } => *since = (*since).min(now),
            Probe::InFlight { .. } => {}
        }
    }
}
