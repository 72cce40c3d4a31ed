//! What a flow is asked, decides and learns: [`AttemptKind`], [`FlowDecision`] and [`Feedback`].

use serde::{Deserialize, Serialize};

use crate::named::named;
use crate::time::Timestamp;

/// Kind of an attempt, which decides whether the retry budget applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AttemptKind {
    /// The first attempt at a message. It never waits for the retry budget, and adds to it.
    First,
    /// A later attempt at a message.
    Retry,
    /// An attempt that finds out whether a receiver is back. It neither uses the retry budget nor
    /// adds to it.
    Probe,
}

named!(AttemptKind, "attempt kind", {
    First => "first",
    Retry => "retry",
    Probe => "probe",
});

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

/// What an attempt revealed about the receiver's capacity, whether or not the message was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Feedback {
    /// It has capacity: a 2xx, or any other response that blames the message rather than the rate.
    Success,
    /// It refused the attempt because of the rate: a 429.
    TooFast,
    /// It is overloaded, by the rate or by concurrency: a 502, 503 or 504, or a timeout.
    Overloaded,
    /// Nothing: the attempt failed for another reason.
    Other,
}

named!(Feedback, "feedback", {
    Success => "success",
    TooFast => "too_fast",
    Overloaded => "overloaded",
    Other => "other",
});
