//! Why an endpoint receives nothing more: [`Disabled`].

use serde::{Deserialize, Serialize};

use crate::timestamp::Timestamp;

/// Since when an endpoint is disabled, and by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Disabled {
    /// Since when.
    pub since: Timestamp,
    /// By what.
    pub by: DisabledBy,
}

impl Disabled {
    pub(crate) const fn new(since: Timestamp, by: DisabledBy) -> Self {
        Self { since, by }
    }
}

/// What disabled an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DisabledBy {
    /// The receiver answered that it wants no more: 410, or `webhook-delivery: disable`, as far
    /// as the endpoint's policy heeds them.
    Receiver,
}
