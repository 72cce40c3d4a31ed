//! The states of an endpoint with what each of them keeps, and how a probe's end moves them.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::answer::{State, Transition};
use super::disabled::{Disabled, DisabledBy};
use super::policy::HealthPolicy;
use super::streak::Streak;
use crate::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Inner {
    Healthy(Streak),
    Degraded(Trouble),
    Suspended { trouble: Trouble, clock: Clock },
    Disabled(Disabled),
}

/// What a degraded and a suspended endpoint have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Trouble {
    pub(super) since: Timestamp,
    /// How many probes failed in a row: the rung of the ladder.
    pub(super) failed: u32,
    pub(super) probe: Probe,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Probe {
    Waiting { due: Timestamp },
    Due { since: Timestamp },
    InFlight { serial: u64, started: Timestamp, deadline: Timestamp },
}

/// The time that counts towards disabling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Clock {
    /// When a suspension without an interruption would have begun.
    from: Timestamp,
    /// Up to when it is known whether the time counts.
    known: Timestamp,
}

impl Clock {
    const fn new(now: Timestamp) -> Self {
        Self { from: now, known: now }
    }

    /// The time up to `now` counts.
    const fn count(&mut self, now: Timestamp) {
        self.known = now;
    }

    /// The time up to `now` does not count, as far as it is not known to, and not before `since`.
    pub(super) fn skip(&mut self, since: Timestamp, now: Timestamp) {
        self.from += now.saturating_since(self.known.max(since));
        self.known = now;
    }

    /// When it has run out.
    fn end(&self, policy: &HealthPolicy) -> Option<Timestamp> {
        policy.disable_after().map(|time| self.from + time)
    }
}

impl Inner {
    pub(super) const fn state(&self) -> State {
        match self {
            Self::Healthy(_) => State::Healthy,
            Self::Degraded(_) => State::Degraded,
            Self::Suspended { .. } => State::Suspended,
            Self::Disabled(_) => State::Disabled,
        }
    }

    pub(super) const fn trouble(&self) -> Option<&Trouble> {
        match self {
            Self::Degraded(trouble) | Self::Suspended { trouble, .. } => Some(trouble),
            Self::Healthy(_) | Self::Disabled(_) => None,
        }
    }

    pub(super) const fn trouble_mut(&mut self) -> Option<&mut Trouble> {
        match self {
            Self::Degraded(trouble) | Self::Suspended { trouble, .. } => Some(trouble),
            Self::Healthy(_) | Self::Disabled(_) => None,
        }
    }

    fn go(&mut self, next: Self, at: Timestamp) -> Transition {
        let edge = Transition::new(self.state(), next.state(), at);
        *self = next;
        edge
    }

    /// Too many failures: the ladder begins.
    pub(super) fn degrade(&mut self, policy: &HealthPolicy, now: Timestamp) -> Transition {
        self.go(Self::Degraded(Trouble::new(policy, now)), now)
    }

    /// A probe succeeded.
    pub(super) fn climb(&mut self, policy: &HealthPolicy, now: Timestamp) -> Option<Transition> {
        match self {
            Self::Suspended { .. } => Some(self.degrade(policy, now)),
            Self::Degraded(_) => Some(self.recover(now)),
            Self::Healthy(_) | Self::Disabled(_) => None,
        }
    }

    /// Nothing of what was counted stays.
    pub(super) fn recover(&mut self, now: Timestamp) -> Transition {
        self.go(Self::Healthy(Streak::NONE), now)
    }

    pub(super) fn disable(
        &mut self,
        by: DisabledBy,
        reason: Option<String>,
        at: Timestamp,
    ) -> Transition {
        self.go(Self::Disabled(Disabled { since: at, by, reason }), at)
    }

    /// A probe failed, and it was the endpoint's fault.
    pub(super) fn sink(&mut self, policy: &HealthPolicy, at: Timestamp) -> Option<Transition> {
        match self {
            Self::Degraded(trouble) => {
                trouble.fall(policy, at);
                let Trouble { failed, .. } = *trouble;
                if policy.suspend_after().map(NonZeroU32::get).is_none_or(|most| failed < most) {
                    return None;
                }
                let mut trouble = Trouble { since: at, ..*trouble };
                let clock = Clock::new(at);
                trouble.hasten(clock.end(policy), at);
                Some(self.go(Self::Suspended { trouble, clock }, at))
            }
            Self::Suspended { trouble, clock } => {
                clock.count(at);
                let end = clock.end(policy);
                if end.is_some_and(|end| at >= end) {
                    return Some(self.disable(DisabledBy::Escalation, None, at));
                }
                trouble.fall(policy, at);
                trouble.hasten(end, at);
                None
            }
            Self::Healthy(_) | Self::Disabled(_) => None,
        }
    }

    /// A probe failed, and nobody knows whose fault it was: one more after the first wait.
    pub(super) fn shrug(&mut self, policy: &HealthPolicy, at: Timestamp) {
        if let Self::Suspended { clock, .. } = self {
            clock.skip(Timestamp::MIN, at);
        }
        if let Some(trouble) = self.trouble_mut() {
            trouble.probe = Probe::Waiting { due: at + policy.probe_wait(0) };
        }
    }
}

impl Trouble {
    fn new(policy: &HealthPolicy, now: Timestamp) -> Self {
        let due = now + policy.probe_wait(0);
        Self { since: now, failed: 0, probe: Probe::Waiting { due } }
    }

    /// One rung down the ladder.
    fn fall(&mut self, policy: &HealthPolicy, at: Timestamp) {
        self.failed = self.failed.saturating_add(1);
        self.probe = Probe::Waiting { due: at + policy.probe_wait(self.failed) };
    }

    /// The last probe before the endpoint is disabled comes when that is due, and not later.
    fn hasten(&mut self, end: Option<Timestamp>, at: Timestamp) {
        if let (Probe::Waiting { due }, Some(end)) = (self.probe, end)
            && at < end
        {
            self.probe = Probe::Waiting { due: due.min(end) };
        }
    }

    /// Whether the probe may start.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        match self.probe {
            Probe::Waiting { due } => now >= due,
            Probe::Due { .. } => true,
            Probe::InFlight { .. } => false,
        }
    }

    /// The probe in flight, if it is of this serial or that is not asked, gives no answer.
    pub(super) fn give_back(&mut self, wanted: Option<u64>) -> bool {
        match self.probe {
            Probe::InFlight { serial, started, .. } if wanted.is_none_or(|it| it == serial) => {
                self.probe = Probe::Due { since: started };
                true
            }
            _ => false,
        }
    }
}
