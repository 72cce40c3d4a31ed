//! Final result of a delivery: [`Verdict`].

use serde::{Deserialize, Serialize};

use crate::named::named;

/// Final result of a delivery.
///
/// A delivery gets exactly one, and keeps it unless it is
/// [replayed](super::Delivery::replay). [`Exhausted`](Self::Exhausted) and
/// [`Expired`](Self::Expired) deliveries are the dead letters: the receiver did not accept them in
/// time, and a replay redelivers them.
///
/// ```
/// use labhook::Verdict;
///
/// // In the column of a table, and back.
/// let column = Verdict::Exhausted.to_string();
/// let verdict: Verdict = column.parse()?;
/// let is_dead_letter = matches!(verdict, Verdict::Exhausted | Verdict::Expired);
/// assert!(is_dead_letter);
/// # Ok::<(), labhook::delivery::ParseNameError>(())
/// ```
#[doc(alias("dead letter", "DLQ", "dead-letter queue"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// The receiver accepted the message.
    Delivered,
    /// The receiver rejected this message permanently
    /// ([`ResponseAction::Fail`](super::ResponseAction::Fail)).
    Rejected,
    /// The receiver wants no more messages at all: a response that means
    /// [`ResponseAction::Disable`](super::ResponseAction::Disable), or the response header
    /// `webhook-delivery: disable`. The endpoint should be disabled too.
    Gone,
    /// The receiver asked not to retry this message: the response header
    /// `webhook-delivery: abort-message`, or a negative `Retry-After`.
    Stopped,
    /// Dead letter: the last attempt that the schedule or the attempt limit permits failed.
    #[doc(alias("dead letter", "DLQ"))]
    Exhausted,
    /// Dead letter: the retry window or the message's lifetime ended, or will end before the next
    /// attempt is due.
    #[doc(alias("dead letter", "DLQ", "TTL"))]
    Expired,
    /// In-doubt attempt, given up: an attempt ended without a response, and the message is not sent
    /// again, so the receiver has at most one copy. Caused by
    /// [`DeliveryGuarantee::AtMostOnce`](super::DeliveryGuarantee::AtMostOnce) or by your
    /// application's decision.
    Unconfirmed,
    /// The delivery was ended because its endpoint was removed or disabled.
    Cancelled,
    /// Your application took the message back before it was delivered.
    Withdrawn,
}

named!(Verdict, "verdict", {
    Delivered => "delivered",
    Rejected => "rejected",
    Gone => "gone",
    Stopped => "stopped",
    Exhausted => "exhausted",
    Expired => "expired",
    Unconfirmed => "unconfirmed",
    Cancelled => "cancelled",
    Withdrawn => "withdrawn",
});

impl Verdict {
    /// Returns whether the receiver is known to have accepted the message.
    #[must_use]
    pub const fn is_delivered(self) -> bool {
        matches!(self, Self::Delivered)
    }
}
