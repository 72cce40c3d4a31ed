//! What an outbox tells its host: [`Notice`].

use crate::delivery::Verdict;
use crate::id::{EndpointId, MessageId};
use crate::outbox::disabled::Disabled;

/// Something happened that the host may want to know.
///
/// A notice is told once, after the change that it tells of is durable. A crash between the two
/// loses the notice and not the change, which is in the saved records.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// A delivery has ended.
    Settled {
        /// The message.
        message: MessageId,
        /// The endpoint.
        endpoint: EndpointId,
        /// How it ended.
        verdict: Verdict,
        /// How many attempts were made.
        attempts: u32,
    },
    /// A receiver wants no more: the endpoint receives no new messages, and those that were
    /// waiting end as [`Verdict::Cancelled`], each with a notice of its own.
    ///
    /// It stays so over restarts: see [`Outbox::disabled`](crate::Outbox::disabled), and
    /// [`Outbox::enable_endpoint`](crate::Outbox::enable_endpoint), which lifts it.
    EndpointDisabled {
        /// The endpoint.
        endpoint: EndpointId,
        /// Since when, and by what.
        disabled: Disabled,
    },
}
