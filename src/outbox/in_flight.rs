//! An attempt under way, and its end: [`InFlight`] and [`EndedAttempt`].

use super::attempt_report::Cause;
use crate::delivery::{Delivery, Outcome, Started};
use crate::flow::{AttemptKind, Receipt};
use crate::health::Permit;
use crate::time::Timestamp;

/// An attempt under way, as far as its endpoint is concerned.
#[derive(Clone, Copy, Debug)]
pub(super) struct InFlight {
    pub(super) started: Started,
    /// `None` where it was started before a restart: it says nothing of the endpoint's health.
    pub(super) clearance: Option<Clearance>,
}

/// What an endpoint's health and flow let an attempt start with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clearance {
    pub(super) pass: Permit,
    pub(super) class: AttemptKind,
    pub(super) spent: Receipt,
}

impl InFlight {
    pub(super) fn pass(&self) -> Option<Permit> {
        self.clearance.map(|clearance| clearance.pass)
    }

    /// Why it was made, as far as the delivery as it is now tells.
    pub(super) const fn cause(&self, delivery: &Delivery) -> Cause {
        match self.clearance {
            Some(Clearance { class: AttemptKind::Probe, .. }) => Cause::Probe,
            _ if delivery.replays() > 0 => Cause::Replay,
            _ if self.started.number == 1 => Cause::Published,
            _ => Cause::Retry,
        }
    }
}

/// The end of a flight.
#[derive(Clone, Copy, Debug)]
pub(super) struct EndedAttempt<'a> {
    pub(super) flight: InFlight,
    /// Whether it was handed out; otherwise it was taken back.
    pub(super) sent: bool,
    /// `None` where the delivery ended before it, or it was taken back.
    pub(super) outcome: Option<&'a Outcome>,
    /// When it ended: a timeout at its deadline, however late that is found.
    pub(super) ended_at: Timestamp,
}
