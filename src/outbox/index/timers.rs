//! Timer index: [`Timers`].

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::time::Duration;

use crate::outbox::slab::{DeliveryNo, EndpointNo, MessageNo};
use crate::time::Timestamp;

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::outbox) enum Timer {
    /// The state of a delivery changes.
    Delivery(DeliveryNo),
    /// The next attempt to an endpoint may become possible, or its probe times out.
    Endpoint(EndpointNo),
    /// The retention of a settled message ends.
    Forget(MessageNo),
}

/// The instant for which something's timer is set, if it is. Only [`Timers`] changes it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::outbox) struct Scheduled(Timestamp);

/// Stands for no timer. One that would be set for this instant is set for the next one.
const UNSET: Timestamp = Timestamp::MIN;

impl Default for Scheduled {
    fn default() -> Self {
        Self(UNSET)
    }
}

impl fmt::Debug for Scheduled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.at().fmt(f)
    }
}

impl Scheduled {
    pub(in crate::outbox) fn at(self) -> Option<Timestamp> {
        (self.0 != UNSET).then_some(self.0)
    }

    /// Notes that [`Timers::expire`] has returned this timer.
    pub(in crate::outbox) const fn expired(&mut self) {
        self.0 = UNSET;
    }
}

/// Timers in order of their instants: the next one is found without a scan.
///
/// A timer that is moved or cancelled stays behind, and is dropped when its old instant comes, or
/// when more than half of all are like it. So a timer that is set again and again costs as little
/// as one that is set once.
#[derive(Clone, Debug, Default)]
pub(in crate::outbox) struct Timers {
    soon: Queue,
    later: Queue,
}

/// Whether a timer is set for soon and as a rule moved before it is due, as deadlines and the timers
/// of endpoints are. Kept apart, their cost depends on their own number and not on the backlog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::outbox) enum Term {
    Soon,
    Later,
}

#[derive(Clone, Debug, Default)]
struct Queue {
    heap: BinaryHeap<Reverse<(Timestamp, Timer)>>,
    /// The number of timers that were moved or cancelled, as far as known.
    stale: usize,
}

impl Timers {
    /// Sets, moves or cancels a timer. `from` and `to` tell where it belongs, before and now.
    pub(in crate::outbox) fn set(
        &mut self,
        scheduled: &mut Scheduled,
        at: Option<Timestamp>,
        timer: Timer,
        (from, to): (Term, Term),
    ) {
        let at = at.map_or(UNSET, |at| at.max(UNSET + Duration::from_micros(1)));
        if scheduled.0 == at {
            return;
        }
        if scheduled.0 != UNSET {
            let queue = self.queue(from);
            queue.stale = queue.stale.saturating_add(1);
        }
        scheduled.0 = at;
        if at != UNSET {
            let queue = self.queue(to);
            // Room for an eighth more, and not for twice as many.
            if queue.heap.len() == queue.heap.capacity() {
                queue.heap.reserve_exact((queue.heap.len() / 8).saturating_add(16));
            }
            queue.heap.push(Reverse((at, timer)));
        }
    }

    const fn queue(&mut self, term: Term) -> &mut Queue {
        match term {
            Term::Soon => &mut self.soon,
            Term::Later => &mut self.later,
        }
    }

    /// Returns the instant of the next timer, or an earlier one if very many were moved or
    /// cancelled. `scheduled` returns that for which a timer is set.
    pub(in crate::outbox) fn next_at(
        &mut self,
        scheduled: impl Fn(Timer) -> Scheduled,
    ) -> Option<Timestamp> {
        let soon = self.soon.next(&scheduled).map(|(at, _)| at);
        let later = self.later.next(&scheduled).map(|(at, _)| at);
        soon.into_iter().chain(later).min()
    }

    /// Removes and returns a timer that is due. Its owner calls [`Scheduled::expired`]. Returns
    /// `None` too if very many were moved or cancelled: then [`next_at`](Self::next_at) is due.
    pub(in crate::outbox) fn expire(
        &mut self,
        now: Timestamp,
        scheduled: impl Fn(Timer) -> Scheduled,
    ) -> Option<Timer> {
        let soon = self.soon.next(&scheduled).filter(|(at, _)| *at <= now);
        let later = self.later.next(&scheduled).filter(|(at, _)| *at <= now);
        let is_soon = match (soon, later) {
            (Some(soon), Some(later)) => soon <= later,
            (soon, _) => soon.is_some(),
        };
        let (next, queue) =
            if is_soon { (soon?, &mut self.soon) } else { (later?, &mut self.later) };
        if scheduled(next.1).0 != next.0 {
            return None;
        }
        queue.heap.pop().map(|Reverse((_, timer))| timer)
    }

    /// Returns the timers that are set, in order.
    pub(in crate::outbox) fn list(
        &self,
        scheduled: impl Fn(Timer) -> Scheduled,
    ) -> Vec<(Timestamp, Timer)> {
        let all = self.soon.heap.iter().chain(&self.later.heap).map(|Reverse(entry)| *entry);
        let mut list: Vec<_> = all.filter(|(at, timer)| scheduled(*timer).0 == *at).collect();
        list.sort_unstable();
        list.dedup();
        list
    }
}

/// The most stale timers that one call drops.
const DROPPED: usize = 1_024;

impl Queue {
    /// Drops stale timers, up to [`DROPPED`], and returns the next one, which may be stale then.
    fn next(&mut self, scheduled: &impl Fn(Timer) -> Scheduled) -> Option<(Timestamp, Timer)> {
        let is_set = |(at, timer): (Timestamp, Timer)| scheduled(timer).0 == at;
        if self.stale > self.heap.len() / 2 {
            self.heap.retain(|Reverse(entry)| is_set(*entry));
            self.stale = 0;
        }
        for _ in 0..DROPPED {
            let Reverse(entry) = *self.heap.peek()?;
            if is_set(entry) {
                return Some(entry);
            }
            self.heap.pop();
            self.stale = self.stale.saturating_sub(1);
        }
        self.heap.peek().map(|Reverse(entry)| *entry)
    }
}
