//! An attempt under way, and its end: [`Flight`] and [`Landing`].

use super::attempted::Cause;
use crate::delivery::{Delivery, Outcome, Started};
use crate::flow::{Class, Spent};
use crate::health::Pass;
use crate::timestamp::Timestamp;

/// An attempt under way, as far as its endpoint is concerned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    pub(super) started: Started,
    /// `None` where it was started before a restart: it says nothing of the endpoint's health.
    pub(super) clearance: Option<Clearance>,
}

/// What an endpoint's health and flow let an attempt start with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clearance {
    pub(super) pass: Pass,
    pub(super) class: Class,
    pub(super) spent: Spent,
}

impl Flight {
    pub(super) fn pass(&self) -> Option<Pass> {
        self.clearance.map(|clearance| clearance.pass)
    }

    /// Why it was made, as far as the delivery as it is now tells.
    pub(super) const fn cause(&self, delivery: &Delivery) -> Cause {
        match self.clearance {
            Some(Clearance { class: Class::Probe, .. }) => Cause::Probe,
            _ if delivery.replays() > 0 => Cause::Replay,
            _ if self.started.number == 1 => Cause::Published,
            _ => Cause::Retry,
        }
    }
}

/// The end of a flight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Landing<'a> {
    pub(super) flight: Flight,
    /// Whether it was handed out; otherwise it was taken back.
    pub(super) sent: bool,
    /// `None` where the delivery ended before it, or it was taken back.
    pub(super) outcome: Option<&'a Outcome>,
    /// When it ended: a timeout at its deadline, however late that is found.
    pub(super) ended_at: Timestamp,
}
