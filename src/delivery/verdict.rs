//! How a delivery ended: [`Verdict`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a delivery ended. A delivery gets exactly one, and keeps it unless the host
/// [replays](super::Delivery::replay) it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// The receiver answered that it has the message.
    Delivered,
    /// The receiver refused this message for good
    /// ([`ResponseAction::Fail`](super::ResponseAction::Fail)).
    Rejected,
    /// The receiver wants nothing more at all
    /// ([`ResponseAction::Disable`](super::ResponseAction::Disable), or the response header
    /// `webhook-delivery: disable`): besides this delivery, its endpoint should be disabled.
    Gone,
    /// The receiver asked for no more attempts at this message: the response header
    /// `webhook-delivery: abort-message`, or a negative `Retry-After`.
    Stopped,
    /// The last attempt that the schedule or the attempt limit permits failed.
    Exhausted,
    /// The window closed or the message's lifetime ended, or the next attempt would not have come
    /// before that.
    Expired,
    /// An attempt ended without an answer and no other is made, so that there is at most one: the
    /// receiver may or may not have the message. By
    /// [`DeliveryGuarantee::AtMostOnce`](super::DeliveryGuarantee::AtMostOnce), or by the host's
    /// decision.
    Unconfirmed,
    /// The host ended the delivery: its endpoint was removed or disabled, say.
    Cancelled,
}

impl Verdict {
    /// Whether the receiver is known to have the message.
    #[must_use]
    pub const fn is_delivered(self) -> bool {
        matches!(self, Self::Delivered)
    }

    /// The verdict as it is saved, such as `delivered`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Rejected => "rejected",
            Self::Gone => "gone",
            Self::Stopped => "stopped",
            Self::Exhausted => "exhausted",
            Self::Expired => "expired",
            Self::Unconfirmed => "unconfirmed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_saved_form_is_the_displayed_one() {
        for verdict in [
            Verdict::Delivered,
            Verdict::Rejected,
            Verdict::Gone,
            Verdict::Stopped,
            Verdict::Exhausted,
            Verdict::Expired,
            Verdict::Unconfirmed,
            Verdict::Cancelled,
        ] {
            let json = serde_json::to_string(&verdict).unwrap();
            assert_eq!(json, format!("\"{verdict}\""));
            assert_eq!(serde_json::from_str::<Verdict>(&json).unwrap(), verdict);
            assert_eq!(verdict.is_delivered(), verdict == Verdict::Delivered);
        }
    }
}
