//! Result of publishing: [`Published`] and [`PublishError`].

#[cfg(doc)]
use super::Outbox;
use super::changes::Revision;
use crate::id::{EndpointId, MessageId};
use crate::message::format::FormatError;

/// Result of [`Outbox::publish`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Published {
    /// Whether the outbox already had the message. Nothing changed then.
    #[doc(alias = "idempotency key")]
    pub duplicate: bool,
    /// Whether this is a duplicate of another type or with other bytes than the message that the
    /// outbox has, which stands. An event that takes its time from the clock differs each time that
    /// it is made. Keys, headers and expiry are
    /// not compared.
    pub differs: bool,
    /// The endpoints that the message goes to.
    pub endpoints: Vec<EndpointId>,
    /// The endpoints that match but take no new messages: they are disabled, or have been
    /// down for [too long](crate::HealthPolicy::with_shed_after). The message does not go to them.
    /// Always empty for a duplicate.
    pub shed: Vec<EndpointId>,
    /// The endpoints that match but whose format cannot express the message, or whose signer cannot
    /// sign it. The message does not go to them. Always empty for a duplicate.
    pub render_failures: Vec<RenderFailure>,
    /// The message is durable once this revision, or a later one, is saved. Without storage there
    /// is nothing to wait for.
    pub revision: Revision,
}

/// An endpoint that a message does not go to, because its format cannot express the message or its
/// signer cannot sign it.
#[derive(Debug)]
#[non_exhaustive]
pub struct RenderFailure {
    /// The id of the endpoint.
    pub endpoint: EndpointId,
    /// The error of the format or the signer.
    pub error: FormatError,
}

/// Error of [`Outbox::publish`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The outbox has a different message with the same id: see [`Published::differs`].
    #[error("message id {id} was already published with different content")]
    Conflict {
        /// The id of the message.
        id: MessageId,
    },
    /// The outbox has as many messages or deliveries as it can number, 2^32 - 1 of each, or a
    /// restored record has the last sequence number that there is: that record is damaged.
    #[error("message {id} is one too many for one outbox")]
    Full {
        /// The id of the message.
        id: MessageId,
    },
}
