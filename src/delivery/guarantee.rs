//! What becomes of a message that may have arrived: [`DeliveryGuarantee`].

use serde::{Deserialize, Serialize};

/// What happens once an attempt has ended without an answer: its deadline passed, its connection
/// broke, or its host crashed. The receiver may have the message then, and nobody can know.
///
/// An attempt of which nothing can have arrived (see
/// [`Failure::is_in_doubt`](super::Failure::is_in_doubt)) is a failed one, and leaves no doubt.
///
/// Exhaustive, because there is no fourth way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::exhaustive_enums, reason = "there is no fourth way")]
pub enum DeliveryGuarantee {
    /// It counts as failed, and the message is sent again: at least once, with copies that the
    /// receiver tells by the message's id.
    #[default]
    AtLeastOnce,
    /// The delivery ends as [`Verdict::Unconfirmed`](super::Verdict::Unconfirmed): at most once.
    AtMostOnce,
    /// The delivery stands in doubt until the host [resends](super::Delivery::resend) or
    /// [ends](super::Delivery::end) it, or an answer comes after all: at most once, unless the
    /// host says otherwise.
    Ask,
}
