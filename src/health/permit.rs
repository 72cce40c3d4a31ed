//! Permission to send one attempt: [`Permit`].

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Permission to send one attempt, issued by [`Health::start`](super::Health::start).
///
/// Hand it back with the attempt's result, to [`Health::record`](super::Health::record). It can be
/// saved until then, in any serde format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permit {
    /// The breaker's serial when the permit was issued.
    pub(super) serial: u64,
    /// Whether it is a message's first attempt.
    #[serde(default)]
    pub(super) first: bool,
    #[serde(default)]
    pub(super) deadline: Option<Timestamp>,
}

impl Permit {
    /// Returns whether the attempt is the half-open probe.
    #[must_use]
    pub const fn is_probe(&self) -> bool {
        self.deadline.is_some()
    }

    /// Returns when the probe is no longer awaited; `None` for other attempts.
    #[must_use]
    pub const fn deadline(&self) -> Option<Timestamp> {
        self.deadline
    }
}
