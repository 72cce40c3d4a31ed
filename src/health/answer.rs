//! What a [`Health`](super::Health) answers: [`HealthStatus`], [`Gate`], [`Intake`], [`Permit`],
//! [`SignalEffect`] and [`Transition`].

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// The four states of an endpoint, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::exhaustive_enums, reason = "the states are what the module is about")]
pub enum State {
    /// Every attempt may go.
    Healthy,
    /// Messages wait, and a probe goes at a time.
    Degraded,
    /// As degraded; new messages may be shed, and time counts towards disabling.
    Suspended,
    /// Nothing goes until somebody enables it.
    Disabled,
}

impl State {
    /// Whether every attempt may go.
    #[must_use]
    pub const fn is_healthy(&self) -> bool {
        matches!(self, Self::Healthy)
    }

    /// The state as it is saved, such as `healthy`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Suspended => "suspended",
            Self::Disabled => "disabled",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The answer of [`Health::poll`](super::Health::poll).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a change of state is told once"]
#[non_exhaustive]
pub struct HealthStatus {
    /// Whether an attempt may start.
    pub admit: Gate,
    /// The change of state that this call found, by a probe that was never answered.
    pub edge: Option<Transition>,
}

impl HealthStatus {
    pub(super) const fn new(admit: Gate, edge: Option<Transition>) -> Self {
        Self { admit, edge }
    }
}

/// Whether an attempt may start now.
///
/// Exhaustive, because a host has to meet every arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a host has to meet every arm")]
pub enum Gate {
    /// Every attempt may.
    Open,
    /// One may, and is the probe: see [`Health::start`](super::Health::start).
    Probe,
    /// None may: the probe is in flight.
    Probing {
        /// When the probe counts as failed, always after the `now` of the call.
        deadline: Timestamp,
    },
    /// None may before this instant, at which a probe is due.
    Hold {
        /// The instant, always after the `now` of the call.
        until: Timestamp,
    },
    /// None may until an operator resumes.
    Paused,
    /// None may until somebody enables the endpoint.
    Disabled,
}

/// What becomes of a new message for the endpoint.
///
/// Exhaustive, because a host has to meet every arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a host has to meet every arm")]
pub enum Intake {
    /// It is taken, and goes or waits.
    Take,
    /// It is taken where nothing else waits for this endpoint: a probe is due and needs a message.
    /// Otherwise it is not for this endpoint.
    TakeIfNoneWaits,
    /// It is not for this endpoint.
    Shed,
}

/// What a message has to have to be sent: one for each attempt, from
/// [`Health::start`](super::Health::start).
///
/// It is handed back with what became of the attempt, and can be saved until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permit {
    /// The serial of the time in which it was given out.
    pub(super) serial: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) deadline: Option<Timestamp>,
}

impl Permit {
    /// Whether the attempt is the probe.
    #[must_use]
    pub const fn is_probe(&self) -> bool {
        self.deadline.is_some()
    }

    /// When a probe counts as failed; `None` for other attempts.
    #[must_use]
    pub const fn deadline(&self) -> Option<Timestamp> {
        self.deadline
    }
}

/// What [`Health::record`](super::Health::record) made of a signal.
///
/// Exhaustive, because a host has to meet every arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a change of state is told once"]
#[allow(clippy::exhaustive_enums, reason = "a host has to meet every arm")]
pub enum SignalEffect {
    /// The state changed.
    Changed(Transition),
    /// Something was counted, forgotten or put off: save the record.
    Counted,
    /// Nothing changed.
    Ignored,
}

impl SignalEffect {
    /// The change of state, if there was one.
    #[must_use]
    pub const fn transition(self) -> Option<Transition> {
        match self {
            Self::Changed(edge) => Some(edge),
            _ => None,
        }
    }
}

/// A change of an endpoint's state, which is told once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Transition {
    /// The state before.
    pub from: State,
    /// The state since.
    pub to: State,
    /// Since when: for a probe that was never answered, its deadline.
    pub at: Timestamp,
}

impl Transition {
    pub(super) const fn new(from: State, to: State, at: Timestamp) -> Self {
        Self { from, to, at }
    }

    /// Whether the endpoint is healthy again, by a probe or because it was enabled.
    ///
    /// All that waited may go from here, so that a host should start small and let more go with
    /// each success.
    #[must_use]
    pub const fn is_recovery(&self) -> bool {
        matches!(self.to, State::Healthy)
    }

    /// Whether the endpoint is disabled from here on. What waits for it is then
    /// [cancelled or kept](super::HealthPolicy::pending_on_disable).
    #[must_use]
    pub const fn is_disabling(&self) -> bool {
        matches!(self.to, State::Disabled)
    }
}
