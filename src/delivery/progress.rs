//! What a [`Delivery`](super::Delivery) answers: [`Progress`] and [`Resolution`].

use serde::{Deserialize, Serialize};

use super::verdict::Verdict;
use crate::time::Timestamp;

/// Where a delivery stands: the answer of [`Delivery::poll`](super::Delivery::poll).
///
/// Exhaustive, because a host has to meet every arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a host has to meet every arm")]
pub enum Progress {
    /// An attempt may start now: see [`Delivery::start`](super::Delivery::start).
    Due,
    /// An attempt is live, and its outcome is awaited.
    InFlight {
        /// The attempt's number.
        number: u32,
        /// When it counts as timed out, always after the `now` of the call.
        deadline: Timestamp,
    },
    /// Nothing is to be done before this instant.
    Wait {
        /// The instant, always after the `now` of the call.
        until: Timestamp,
    },
    /// The last attempt ended without an answer, and the host is to decide: see
    /// [`DeliveryGuarantee::Ask`](super::DeliveryGuarantee::Ask). Nothing is sent meanwhile.
    InDoubt {
        /// When that attempt ended.
        since: Timestamp,
    },
    /// It is over, and stays so unless the host replays it.
    Ended {
        /// How it ended.
        verdict: Verdict,
    },
}

/// An attempt that [`Delivery::start`](super::Delivery::start) started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Started {
    /// The attempt's number; the first is 1.
    pub number: u32,
    /// When the attempt started.
    pub at: Timestamp,
    /// When the attempt counts as timed out; the host's request should give up then.
    pub deadline: Timestamp,
}

/// What [`Delivery::resolve`](super::Delivery::resolve) made of an outcome.
///
/// Exhaustive, because a host has to meet every arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a host has to meet every arm")]
pub enum Resolution {
    /// The delivery ended with this attempt.
    Ended(Verdict),
    /// The attempt failed, and there will be another.
    Retry {
        /// When it is due.
        at: Timestamp,
    },
    /// The attempt ended without an answer, and the delivery stands in doubt until the host
    /// decides: see [`DeliveryGuarantee::Ask`](super::DeliveryGuarantee::Ask).
    InDoubt,
    /// An attempt that had counted as unanswered succeeded after all: the delivery ended as
    /// [`Verdict::Delivered`], whatever it was doing. Should a later attempt be in flight, the
    /// host may abandon it.
    LateSuccess,
    /// Nothing changed.
    Ignored(Ignored),
}

/// Why an outcome changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ignored {
    /// No attempt of this number was started, or its start was taken back.
    NeverStarted,
    /// The attempt's answer had come before. Or it ended without one so many attempts ago that this
    /// was forgotten: see [`Delivery::resolve`](super::Delivery::resolve).
    AlreadyResolved,
    /// The delivery has ended.
    Ended,
    /// No policy is at hand to judge by, for the endpoint is away. The attempt stays in flight, and
    /// counts as unanswered when the endpoint is back.
    NoPolicy,
    /// The attempt had counted as unanswered, and what came now is not a success. Where the
    /// attempt stands in doubt, what came leaves it there.
    LateFailure,
}
