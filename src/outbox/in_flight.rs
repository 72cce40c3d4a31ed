//! An attempt in flight, and its end: [`InFlight`] and [`EndedAttempt`].

use super::attempt_report::Cause;
use super::changes::Revision;
use crate::delivery::{Delivery, Outcome, Started};
use crate::flow::Receipt;
use crate::health::Permit;
use crate::time::Timestamp;

/// Kind of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AttemptKind {
    First,
    Retry,
    /// It finds out whether the endpoint is back.
    Probe,
}

/// What the endpoint's health and flow gave to the attempt in flight, and whether it was handed
/// out.
///
/// The attempt's number, start and deadline are in the [`Delivery`] alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct InFlight {
    /// `None` if it was started before a restart: then it reveals nothing about the endpoint's
    /// health.
    pub(super) clearance: Option<Clearance>,
    /// The save that was to make its start durable, which tells it from an equal one that was
    /// cancelled.
    pub(super) start: Revision,
    /// Whether it was handed out. Until then it was certainly not made.
    pub(super) sent: bool,
    /// Whether its deadline was renewed after the clock had leaped.
    pub(super) renewed: bool,
}

/// What an endpoint's health and flow gave to an attempt as it started.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clearance {
    pub(super) permit: Permit,
    pub(super) kind: AttemptKind,
    pub(super) receipt: Receipt,
}

impl InFlight {
    /// Returns whether its response can still come after its deadline, which may be renewed once.
    pub(super) const fn may_renew(&self) -> bool {
        self.clearance.is_some() && self.sent && !self.renewed
    }

    pub(super) fn permit(&self) -> Option<Permit> {
        self.clearance.map(|clearance| clearance.permit)
    }
}

/// An attempt that is no longer in flight.
#[derive(Clone, Copy, Debug)]
pub(super) struct EndedAttempt<'a> {
    pub(super) started: Started,
    /// What it was given while it was in flight, and whether it was handed out.
    pub(super) in_flight: InFlight,
    /// `None` if the delivery ended before the attempt did, or if its start was cancelled.
    pub(super) outcome: Option<&'a Outcome>,
    /// Whether its deadline was found passed before the host reported an outcome. This says nothing
    /// about the endpoint: the clock may have leaped, or the process slept.
    pub(super) unreported: bool,
    /// When it ended: a timeout at its deadline, even if that is found later.
    pub(super) ended_at: Timestamp,
}

impl EndedAttempt<'_> {
    /// Returns why the attempt was made, judged by the delivery as it is now.
    pub(super) const fn cause(&self, delivery: &Delivery) -> Cause {
        match self.in_flight.clearance {
            Some(Clearance { kind: AttemptKind::Probe, .. }) => Cause::Probe,
            _ if delivery.replays() > 0 => Cause::Replay,
            _ if self.started.number == 1 => Cause::Published,
            _ => Cause::Retry,
        }
    }
}
