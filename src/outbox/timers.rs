//! When something becomes due by time alone: the wake-up index.

use std::collections::BTreeSet;

use crate::id::EndpointId;
use crate::time::Timestamp;

/// What an instant is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// A delivery's state changes.
    Delivery(u64, EndpointId),
    /// What may go to an endpoint changes.
    Endpoint(EndpointId),
    /// A settled message has been kept for long enough.
    Forget(u64),
}

/// Timers by instant: the next one is found without a scan.
#[derive(Clone, Debug, Default)]
pub(super) struct Timers(BTreeSet<(Timestamp, Timer)>);

impl Timers {
    /// Moves an alarm from one instant to another, sets it, or takes it back.
    pub(super) fn change(&mut self, from: Option<Timestamp>, to: Option<Timestamp>, alarm: Timer) {
        if let Some(from) = from {
            self.0.remove(&(from, alarm.clone()));
        }
        if let Some(to) = to {
            self.0.insert((to, alarm));
        }
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.0.first().map(|(at, _)| *at)
    }

    /// Takes an alarm that has gone off.
    pub(super) fn expire(&mut self, now: Timestamp) -> Option<Timer> {
        if self.next()? > now {
            return None;
        }
        self.0.pop_first().map(|(_, alarm)| alarm)
    }
}
