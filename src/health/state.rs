//! The four states of an endpoint: [`State`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::error::UnknownNameError;

/// State of an endpoint's circuit breaker, ordered from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::exhaustive_enums, reason = "the states are what the module is about")]
pub enum State {
    /// Closed: every attempt may start.
    Healthy,
    /// Open: messages wait, and one probe at a time is sent.
    Degraded,
    /// Open for longer: as degraded, but new messages may be shed, and time counts towards
    /// disabling.
    Suspended,
    /// Nothing is sent until the endpoint is enabled.
    Disabled,
}

impl State {
    const ALL: [Self; 4] = [Self::Healthy, Self::Degraded, Self::Suspended, Self::Disabled];

    /// Returns whether every attempt may start.
    #[must_use]
    pub const fn is_healthy(&self) -> bool {
        matches!(self, Self::Healthy)
    }

    /// Returns the name used in saved state, such as `healthy`.
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

/// Parses the name returned by [`State::as_str`].
impl FromStr for State {
    type Err = UnknownNameError;

    fn from_str(name: &str) -> Result<Self, UnknownNameError> {
        UnknownNameError::find("state", name, &Self::ALL, Self::as_str)
    }
}
