//! Why an endpoint is disabled: [`Disabled`].

use serde::{Deserialize, Serialize};

use crate::named::named;
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

named!(DisabledBy, "disable origin", {
    Operator => "operator",
    Receiver => "receiver",
    Escalation => "escalation",
});

/// Who enables an endpoint: an argument of [`Health::enable`](super::Health::enable).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::exhaustive_enums, reason = "a person or not a person")]
pub enum EnabledBy {
    /// An operator: a person.
    Operator,
    /// A program, for example because the receiver registered again or its software was updated.
    Automation,
}
