//! What [`Inbox::begin`](super::Inbox::begin) returns: [`Admission`] and [`Claim`].

use std::sync::Arc;

use super::key::Key;
use crate::receive::Reply;
use crate::time::Timestamp;

/// Whether an event is new: the result of [`Inbox::begin`](super::Inbox::begin).
///
/// Exhaustive: a receiver must handle every case.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a new event is in progress until its claim is done, abandoned or expired"]
#[allow(clippy::exhaustive_enums, reason = "a receiver must handle every case")]
pub enum Admission {
    /// New. Handle it, then call [`Inbox::done`](super::Inbox::done) or
    /// [`Inbox::abandon`](super::Inbox::abandon). Respond with 2xx only after
    /// its effects are stored.
    New(Claim),
    /// Another handler holds the lease. Ask for a retry, since that handler may still fail.
    InProgress {
        /// When the lease expires.
        until: Timestamp,
    },
    /// A duplicate of a handled event. Respond with 2xx.
    Seen,
    /// The inbox is full of events in progress. Ask for a retry.
    Full {
        /// When the first lease expires.
        until: Timestamp,
    },
}

impl Admission {
    /// Returns the claim on a new event, or the response to send instead.
    ///
    /// # Errors
    ///
    /// [`Reply::Accepted`] for a duplicate, [`Reply::InProgress`] if another handler has the event,
    /// and a short [`Reply::RetryAfter`] if the inbox is full.
    pub fn claim(self, now: Timestamp) -> Result<Claim, Reply> {
        match self {
            Self::New(claim) => Ok(claim),
            Self::Seen => Err(Reply::Accepted),
            Self::InProgress { until } => Err(Reply::InProgress(until.saturating_since(now))),
            Self::Full { until } => {
                let wait = until.saturating_since(now).min(Reply::LONGEST_HINT);
                Err(Reply::RetryAfter(wait))
            }
        }
    }
}

/// A lease on one event; pass it to [`Inbox::done`](super::Inbox::done) or
/// [`Inbox::abandon`](super::Inbox::abandon).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "lease")]
pub struct Claim {
    pub(super) source: Arc<str>,
    pub(super) id: Box<str>,
    /// That of the key.
    pub(super) digest: u64,
    pub(super) number: u64,
}

impl Claim {
    pub(super) fn key(&self) -> Key<'_> {
        let (source, id) = ((&*self.source).into(), (&*self.id).into());
        Key { source, id, digest: self.digest }
    }

    /// Returns the event's source, or its digest if it is longer than 256 bytes.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns the event's id, or its digest if it is longer than 256 bytes.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}
