//! Delivery semantics of an ambiguous attempt: [`DeliveryGuarantee`].

use serde::{Deserialize, Serialize};

use crate::named::named;

/// Delivery semantics: at-least-once, at-most-once, or ask.
///
/// It decides what follows an attempt that ends without a response: its deadline passed, its
/// connection broke, or the sending process crashed. The receiver may have the message, and the
/// sender cannot know.
///
/// An attempt that cannot have reached the receiver (see
/// [`Failure::is_in_doubt`](super::Failure::is_in_doubt)) has simply failed, and is retried under
/// every guarantee.
///
/// Exhaustive, because there is no fourth choice.
#[doc(alias("at-least-once", "at-most-once", "exactly-once", "delivery semantics", "in-doubt"))]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::exhaustive_enums, reason = "there is no fourth choice")]
pub enum DeliveryGuarantee {
    /// At-least-once: the attempt counts as failed, and the message is sent again. The receiver may
    /// get duplicates, which it recognises by the message's id (the idempotency key).
    #[default]
    AtLeastOnce,
    /// At-most-once: the delivery ends as
    /// [`Verdict::Unconfirmed`](super::Verdict::Unconfirmed).
    AtMostOnce,
    /// The delivery is in doubt until your application [resends](super::Delivery::resend) or
    /// [ends](super::Delivery::end) it, or a late response arrives. At-most-once, unless your
    /// application resends.
    Ask,
}

named!(DeliveryGuarantee, "delivery guarantee", {
    AtLeastOnce => "at_least_once",
    AtMostOnce => "at_most_once",
    Ask => "ask",
});
