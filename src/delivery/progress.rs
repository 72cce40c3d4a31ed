//! Results of a [`Delivery`](super::Delivery)'s methods: [`Progress`] and [`Resolution`].

use serde::{Deserialize, Serialize};

use super::verdict::Verdict;
use crate::time::Timestamp;

/// Current state of a delivery, as returned by [`Delivery::poll`](super::Delivery::poll).
///
/// Exhaustive, because the driving loop must handle every state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "the driving loop must handle every state")]
pub enum Progress {
    /// An attempt may start now: call [`Delivery::start`](super::Delivery::start).
    Due,
    /// An attempt is in flight and awaits its response.
    InFlight {
        /// The attempt's number.
        number: u32,
        /// When the attempt times out; always after the `now` of the call.
        deadline: Timestamp,
    },
    /// Nothing to do before this instant.
    Wait {
        /// The instant; always after the `now` of the call.
        until: Timestamp,
    },
    /// The latest attempt ended without a response, and your application decides whether to resend:
    /// see [`DeliveryGuarantee::Ask`](super::DeliveryGuarantee::Ask). Nothing is sent meanwhile.
    InDoubt {
        /// When that attempt ended.
        since: Timestamp,
    },
    /// The delivery has ended, and stays so unless it is replayed.
    Ended {
        /// The final result.
        verdict: Verdict,
    },
}

/// Attempt started by [`Delivery::start`](super::Delivery::start).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Started {
    /// The attempt's number; the first is 1.
    pub number: u32,
    /// When the attempt started.
    pub at: Timestamp,
    /// When the attempt times out; use it as the timeout of the request.
    pub deadline: Timestamp,
}

/// Effect of an outcome, as returned by [`Delivery::resolve`](super::Delivery::resolve).
///
/// Exhaustive, because the driving loop must handle every effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "the driving loop must handle every effect")]
pub enum Resolution {
    /// The delivery ended with this attempt.
    Ended(Verdict),
    /// The attempt failed and will be retried.
    Retry {
        /// When the next attempt is due.
        at: Timestamp,
    },
    /// The attempt ended without a response, and the delivery is in doubt until your application
    /// decides: see [`DeliveryGuarantee::Ask`](super::DeliveryGuarantee::Ask).
    InDoubt,
    /// An attempt that had counted as unanswered succeeded after all: the delivery ended as
    /// [`Verdict::Delivered`], whatever its state was. If a later attempt is in flight, you may
    /// abandon it.
    LateSuccess,
    /// Nothing changed.
    Ignored(Ignored),
}

/// Reason why an outcome changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ignored {
    /// No attempt with this number was started, or its start was cancelled.
    NeverStarted,
    /// The attempt's response was reported before. Or the attempt ended without one and has been
    /// forgotten since: see [`Delivery::resolve`](super::Delivery::resolve).
    AlreadyResolved,
    /// The delivery has ended.
    Ended,
    /// The endpoint is not registered, so there is no policy to apply. The attempt stays in flight,
    /// and counts as unanswered when the endpoint is back.
    NoPolicy,
    /// The attempt had counted as unanswered, and its late outcome is not a success. An attempt in
    /// doubt stays in doubt.
    LateFailure,
}
