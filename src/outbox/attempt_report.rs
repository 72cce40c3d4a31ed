//! Report of an attempt that has ended: [`AttemptReport`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::delivery::{Outcome, Verdict};
use crate::id::{EndpointId, MessageId};
use crate::time::Timestamp;

/// Report of an attempt that has ended, for a host that keeps a delivery log.
///
/// It is the content of [`Notice::AttemptEnded`](super::Notice::AttemptEnded), which
/// [`Outbox::with_attempt_reports`](crate::Outbox::with_attempt_reports) turns on. It can be stored
/// as it is: it names the endpoint by its id, and contains neither URL nor body.
#[doc(alias = "delivery log")]
#[doc(alias = "attempt history")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AttemptReport {
    /// The id of the message.
    pub message: MessageId,
    /// The id of the endpoint.
    pub endpoint: EndpointId,
    /// The attempt's number within its delivery, starting at 1.
    pub number: u32,
    /// Why the attempt was made.
    pub cause: Cause,
    /// When the attempt started.
    pub started_at: Timestamp,
    /// When the attempt ended: when its outcome was reported, at its deadline if it timed out, or
    /// when its delivery ended, if that was before.
    pub ended_at: Timestamp,
    /// Status or failure, and what the response asked for.
    ///
    /// A timeout is [`Failure::Timeout`](crate::delivery::Failure::Timeout). `None` if the delivery
    /// ended before the attempt did, so that no response is awaited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// When the next attempt is due, if there will be one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    /// How the delivery ended, if it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
}

impl AttemptReport {
    /// Returns the time from the attempt's start to its end.
    ///
    /// This includes the time until the start was saved and the attempt handed out. For the
    /// receiver's latency, measure in the HTTP client.
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
    /// The message was published. This is the first attempt.
    Published,
    /// The previous attempt failed, or ended without a response.
    Retry,
    /// The delivery was due, and served as the half-open probe of its endpoint.
    Probe,
    /// The delivery was [replayed](crate::Outbox::replay).
    Replay,
}
