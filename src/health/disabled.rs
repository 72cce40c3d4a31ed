//! Why an endpoint is disabled: [`Disabled`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::error::UnknownNameError;
use crate::time::Timestamp;

/// When an endpoint was disabled, by whom and why.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Disabled {
    /// When it was disabled.
    pub since: Timestamp,
    /// Who disabled it.
    pub by: DisabledBy,
    /// The reason given by the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Who disabled an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DisabledBy {
    /// An operator. Only an operator can undo it.
    Operator,
    /// The receiver: 410, or the response header `webhook-delivery: disable`.
    Receiver,
    /// The circuit breaker, because no probe had succeeded for too long.
    Escalation,
}

impl DisabledBy {
    const ALL: [Self; 3] = [Self::Operator, Self::Receiver, Self::Escalation];

    /// Returns the name used in saved state, such as `operator`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Receiver => "receiver",
            Self::Escalation => "escalation",
        }
    }
}

impl fmt::Display for DisabledBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Parses the name returned by [`DisabledBy::as_str`].
impl FromStr for DisabledBy {
    type Err = UnknownNameError;

    fn from_str(name: &str) -> Result<Self, UnknownNameError> {
        UnknownNameError::find("disable origin", name, &Self::ALL, Self::as_str)
    }
}

/// Who enables an endpoint: an argument of [`Health::enable`](super::Health::enable).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "a person or not a person")]
pub enum EnabledBy {
    /// A person.
    Operator,
    /// A program, for example because the receiver registered again or its software was updated.
    Automation,
}
