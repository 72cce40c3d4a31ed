//! Why a vendor's webhook and a lab event have no counterpart in each other: [`MapError`].

use crate::event_type::EventType;

/// A vendor's webhook is no lab event, or a lab event no webhook of the vendor.
///
/// Nobody is at fault: the two models do not cover each other. The webhook, or the event, is
/// whole and can be used as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MapError {
    /// The vendor has no webhook for events of this type.
    #[error("{vendor} has no webhook for a {event_type} event")]
    NoWebhook {
        /// The vendor.
        vendor: &'static str,
        /// The event's type.
        event_type: EventType,
    },
    /// There is nothing to read a member from that what is being written cannot do without.
    #[error("the {vendor} webhook and the event differ: there is no {member}")]
    Missing {
        /// The vendor.
        vendor: &'static str,
        /// The path of the member in the webhook, whichever of the two is being written: the
        /// webhook does not have it, or the event does not say what would stand there.
        member: &'static str,
    },
    /// A member has a value that the other model has no way to write.
    #[error("the {vendor} webhook and the event differ: the {member} has no counterpart")]
    Value {
        /// The vendor.
        vendor: &'static str,
        /// The path of the member that has the value, in what is being read.
        member: &'static str,
    },
}
