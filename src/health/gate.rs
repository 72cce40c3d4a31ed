//! Whether attempts may start: [`Gate`] and [`Intake`].

use crate::time::Timestamp;

/// Whether an attempt may start now: the result of [`Health::poll`](super::Health::poll).
///
/// Exhaustive, because an application must handle every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "an application must handle every case")]
pub enum Gate {
    /// Every attempt may start: the circuit is closed.
    Open,
    /// One attempt may start, as the half-open probe: see [`Health::start`](super::Health::start).
    #[doc(alias = "half-open")]
    Probe,
    /// No attempt may start: the probe is in flight.
    Probing {
        /// When the probe is no longer awaited; after the `now` of the call.
        deadline: Timestamp,
    },
    /// No attempt may start until the next probe is due.
    Hold {
        /// When the probe is due; after the `now` of the call.
        until: Timestamp,
    },
    /// No attempt may start until an operator resumes the endpoint.
    Paused,
    /// No attempt may start until the endpoint is enabled.
    Disabled,
}

/// Whether a new message is accepted for the endpoint.
///
/// Exhaustive, because an application must handle every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "an application must handle every case")]
pub enum Intake {
    /// Accept the message; it is sent or waits.
    Take,
    /// Accept the message only if no other is pending for this endpoint, because a probe is due and
    /// needs one. Otherwise shed it.
    TakeIfNoneWaits,
    /// Do not deliver the message to this endpoint.
    Shed,
}
