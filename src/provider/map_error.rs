//! Errors of mapping between vendor webhooks and lab events: [`MapError`].

use crate::decode::Mismatch;
use crate::event_type::EventType;

/// An error in mapping a vendor's webhook to a lab event, or a lab event to a vendor's webhook.
///
/// The two models do not fully overlap. The webhook or event itself is valid and can still be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MapError {
    /// The vendor has no webhook for events of this type.
    #[error("{vendor} has no webhook for `{event_type}` events")]
    NoWebhook {
        /// The vendor.
        vendor: &'static str,
        /// The event's type.
        event_type: EventType,
    },
    /// A required field has no value.
    #[error("{vendor} webhook has no value for `{member}`")]
    Missing {
        /// The vendor.
        vendor: &'static str,
        /// The field's path in the webhook, for both directions: either the webhook does not
        /// contain it, or the event has no value for it.
        member: &'static str,
    },
    /// A field has a value that the other model cannot express.
    #[error(
        "`{member}` cannot be mapped between {} {vendor} webhook and a lab event",
        article(vendor)
    )]
    Value {
        /// The vendor.
        vendor: &'static str,
        /// The field's path in the input of the mapping.
        member: &'static str,
    },
}

/// Returns the indefinite article for a vendor's name.
pub(super) const fn article(vendor: &str) -> &'static str {
    match vendor.as_bytes() {
        [b'A' | b'E' | b'I' | b'O' | b'U', ..] => "an",
        _ => "a",
    }
}

impl From<&MapError> for Mismatch {
    fn from(error: &MapError) -> Self {
        match error {
            MapError::NoWebhook { .. } => Self::new(".", error),
            MapError::Missing { member, .. } | MapError::Value { member, .. } => {
                Self::new(*member, error)
            }
        }
    }
}
