//! Whether an attempt may start: [`FlowDecision`].

use crate::time::Timestamp;

/// Whether an attempt may start: the result of [`Flow::check`](super::Flow::check).
///
/// Exhaustive, because an application must handle every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "an application must handle every case")]
pub enum FlowDecision {
    /// It may: see [`Flow::start`](super::Flow::start).
    Go,
    /// Not before an instant.
    Wait {
        /// The instant; always after the `now` of the call, except at [`Timestamp::MAX`].
        until: Timestamp,
    },
    /// Not before an attempt has ended; at least one is in flight.
    Busy,
}

impl FlowDecision {
    /// Returns the instant at which this decision changes by time alone; only a
    /// [`Wait`](Self::Wait) has one.
    #[must_use]
    pub const fn wake_at(self) -> Option<Timestamp> {
        match self {
            Self::Wait { until } => Some(until),
            Self::Go | Self::Busy => None,
        }
    }
}
