//! The three states of an endpoint: [`State`].

use serde::{Deserialize, Serialize};

use crate::named::named;

/// State of an endpoint's circuit breaker, ordered from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::exhaustive_enums, reason = "the states are what the module is about")]
pub enum State {
    /// Closed: every attempt may start.
    Healthy,
    /// Open: messages wait, and one probe at a time is sent.
    Down,
    /// Nothing is sent until the endpoint is enabled.
    Disabled,
}

impl State {
    /// Returns whether every attempt may start.
    #[must_use]
    pub const fn is_healthy(&self) -> bool {
        matches!(self, Self::Healthy)
    }
}

named!(State, "state", {
    Healthy => "healthy",
    Down => "down",
    Disabled => "disabled",
});
