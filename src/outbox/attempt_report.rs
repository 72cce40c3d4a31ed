//! One attempt that is over, for the host's history: [`AttemptReport`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::delivery::{Outcome, Verdict};
use crate::id::{EndpointId, MessageId};
use crate::time::Timestamp;

/// One attempt that is over, as a host keeps it in its history: told by
/// [`Notice::AttemptEnded`](super::Notice::AttemptEnded) where the outbox was asked to
/// [report attempts](crate::Outbox::with_attempt_reports).
///
/// It can be stored as it is. It names the endpoint by its id, and holds neither URL nor body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AttemptReport {
    /// The message.
    pub message: MessageId,
    /// The endpoint.
    pub endpoint: EndpointId,
    /// Which attempt of the delivery it was, from 1.
    pub number: u32,
    /// Why it was made.
    pub cause: Cause,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it ended: when its outcome was handed in; at its deadline, however late that was found
    /// to have passed; or when the delivery ended, where it did so before the attempt.
    pub ended_at: Timestamp,
    /// What came of it: status or failure, and what the answer asked for. A deadline that passed
    /// is [`Failure::Timeout`](crate::delivery::Failure::Timeout); `None` where the delivery ended
    /// before the attempt did, so that nobody waits for its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// When the next attempt is due, if there is to be one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    /// How the delivery ended, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
}

impl AttemptReport {
    /// How long the attempt took, from its start to its outcome. Its save, and its wait to be
    /// handed out, are part of that: the receiver's latency is the client's to measure.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.ended_at.saturating_since(self.started_at)
    }
}

/// Why an attempt was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// The message was published: it was the first.
    Published,
    /// The one before it failed, or ended without an answer.
    Retry,
    /// It was due, and went as the one that asks whether the endpoint is back.
    Probe,
    /// Somebody had the delivery [replayed](crate::Outbox::replay).
    Replay,
}
