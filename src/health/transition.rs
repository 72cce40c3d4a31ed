//! Changes of an endpoint's state: [`Transition`] and [`SignalEffect`].

use serde::{Deserialize, Serialize};

use super::state::State;
use crate::time::Timestamp;

/// A change of an endpoint's state, reported once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Transition {
    /// The state before.
    pub from: State,
    /// The state after.
    pub to: State,
    /// When it changed.
    pub at: Timestamp,
}

impl Transition {
    pub(super) const fn new(from: State, to: State, at: Timestamp) -> Self {
        Self { from, to, at }
    }

    /// Returns whether the endpoint is healthy again, because of a probe or because it was enabled.
    ///
    /// The whole backlog may be sent from here on, so start slowly and send more with each success.
    #[must_use]
    pub const fn is_recovery(&self) -> bool {
        matches!(self.to, State::Healthy)
    }

    /// Returns whether the endpoint is now disabled. Its pending deliveries are then
    /// [cancelled or kept](super::HealthPolicy::pending_on_disable).
    #[must_use]
    pub const fn is_disabling(&self) -> bool {
        matches!(self.to, State::Disabled)
    }
}

/// The effect of a signal, returned by [`Health::record`](super::Health::record).
///
/// Exhaustive, because an application must handle every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "a transition is reported only once"]
#[allow(clippy::exhaustive_enums, reason = "an application must handle every case")]
pub enum SignalEffect {
    /// The state changed.
    Changed(Transition),
    /// Counters or the probe changed, but not the state: save the health.
    Counted,
    /// Nothing changed.
    Ignored,
}

impl SignalEffect {
    /// Returns the transition, if there was one.
    #[must_use]
    pub const fn transition(self) -> Option<Transition> {
        match self {
            Self::Changed(transition) => Some(transition),
            _ => None,
        }
    }
}
