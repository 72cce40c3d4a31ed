//! Why an endpoint gets nothing more: [`Disabled`].

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Since when an endpoint is disabled, by whom and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Disabled {
    /// Since when.
    pub since: Timestamp,
    /// By whom.
    pub by: DisabledBy,
    /// What the operator gave as the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Who disabled an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DisabledBy {
    /// A person. Nothing but a person undoes it.
    Operator,
    /// The receiver: 410, or the response header `webhook-delivery: disable`.
    Receiver,
    /// The machine itself, since no probe had succeeded for too long.
    Escalation,
}

/// Who enables an endpoint: an argument of [`Health::enable`](super::Health::enable).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a person or not a person")]
pub enum EnabledBy {
    /// A person.
    Operator,
    /// A program: the receiver registered anew, or its software was updated, say.
    Automation,
}

/// An endpoint was not enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnableError {
    /// It is not disabled.
    #[error("the endpoint is not disabled")]
    NotDisabled,
    /// A person disabled it, and no program undoes that.
    #[error("an operator disabled the endpoint, and only an operator enables it")]
    ByOperator,
}
