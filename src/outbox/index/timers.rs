//! Timer index: [`Timers`].

use std::collections::BTreeSet;

use crate::id::EndpointId;
use crate::time::Timestamp;

/// What a timer is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::outbox) enum Timer {
    /// The state of a delivery changes.
    Delivery(u64, EndpointId),
    /// The next attempt to an endpoint may become possible, or its probe times out.
    Endpoint(EndpointId),
    /// The retention of a settled message ends.
    Forget(u64),
}

/// The instant for which something's timer is set, if it is. Only [`Timers`] changes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::outbox) struct Scheduled(Option<Timestamp>);

impl Scheduled {
    /// Notes that [`Timers::expire`] has returned this timer.
    pub(in crate::outbox) const fn expired(&mut self) {
        self.0 = None;
    }
}

/// Timers in order of their instants: the next one is found without a scan.
#[derive(Clone, Debug, Default)]
pub(in crate::outbox) struct Timers(BTreeSet<(Timestamp, Timer)>);

impl Timers {
    /// Sets, moves or cancels a timer.
    ///
    /// `timer` is called only if the instant differs from the scheduled one.
    pub(in crate::outbox) fn set(
        &mut self,
        scheduled: &mut Scheduled,
        at: Option<Timestamp>,
        timer: impl FnOnce() -> Timer,
    ) {
        if scheduled.0 == at {
            return;
        }
        let mut entry = (Timestamp::MIN, timer());
        if let Some(before) = std::mem::replace(&mut scheduled.0, at) {
            entry.0 = before;
            self.0.remove(&entry);
        }
        if let Some(at) = at {
            entry.0 = at;
            self.0.insert(entry);
        }
    }

    /// Returns the instant of the next timer.
    pub(in crate::outbox) fn next_at(&self) -> Option<Timestamp> {
        self.0.first().map(|(at, _)| *at)
    }

    /// Removes and returns a timer that is due. Its owner calls [`Scheduled::expired`].
    pub(in crate::outbox) fn expire(&mut self, now: Timestamp) -> Option<Timer> {
        if self.next_at()? > now {
            return None;
        }
        self.0.pop_first().map(|(_, timer)| timer)
    }
}
