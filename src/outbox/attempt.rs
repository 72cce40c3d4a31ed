//! One request to send: [`Attempt`], and the [`Ticket`] that names it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use serde::{Deserialize, Serialize};

use crate::endpoint::{Endpoint, RequestError};
use crate::health::Permit;
use crate::id::{EndpointId, MessageId};
use crate::message::{Message, Rendering};
use crate::time::Timestamp;

/// Names an attempt to [`Outbox::resolve`](crate::Outbox::resolve).
///
/// It is plain data, so a host that sends from another process can pass it along with the
/// request and get it back with the answer. Any ticket may be handed in at any time: one that is
/// stale, repeated or foreign is reported as such and changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ticket {
    pub(crate) sequence: u64,
    pub(crate) message: MessageId,
    pub(crate) endpoint: EndpointId,
    pub(crate) attempt: u32,
    /// Tells an attempt from before the endpoint was last enabled, over restarts as well.
    pub(crate) pass: Permit,
}

impl Ticket {
    /// The message.
    #[must_use]
    pub const fn message(&self) -> &MessageId {
        &self.message
    }

    /// The endpoint.
    #[must_use]
    pub const fn endpoint(&self) -> &EndpointId {
        &self.endpoint
    }

    /// Which attempt of the delivery it is, from 1.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }
}

/// One request to send now.
///
/// It borrows nothing, so it can go to whatever thread or task sends. Signing happens there too:
/// [`request`](Self::request) needs no outbox.
pub struct Attempt {
    pub(crate) ticket: Ticket,
    pub(crate) deadline: Timestamp,
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) message: Arc<Message>,
    pub(crate) rendering: Rendering,
}

impl Attempt {
    /// What names this attempt when its outcome is handed in.
    #[must_use]
    pub const fn ticket(&self) -> &Ticket {
        &self.ticket
    }

    /// When the outbox gives the attempt up. The host gives the request up no later.
    #[must_use]
    pub const fn deadline(&self) -> Timestamp {
        self.deadline
    }

    /// How long the request may take from `now` on: the timeout for the host's client.
    #[must_use]
    pub fn timeout(&self, now: Timestamp) -> Duration {
        self.deadline.saturating_since(now)
    }

    /// The endpoint, as it is at this moment.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The message.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// Makes the signed request. `now` is the clock's time at the moment of sending, and becomes
    /// the signature's timestamp.
    ///
    /// # Errors
    ///
    /// [`RequestError`] where this end cannot make the request; resolve the attempt as
    /// [`Failure::Sender`](crate::delivery::Failure::Sender) then.
    pub fn request(&self, now: Timestamp) -> Result<Request<Bytes>, RequestError> {
        self.endpoint.request(self.message.id(), &self.rendering, now)
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("ticket", &self.ticket)
            .field("deadline", &self.deadline)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}
