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

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "small numbers")]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::outbox::slab::Number;

    fn timer(index: u32) -> Timer {
        Timer::Delivery(DeliveryNo::from_index(index))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    /// Timers and their owners.
    #[derive(Default)]
    struct Model {
        timers: Timers,
        owners: BTreeMap<Timer, (Scheduled, Option<Term>)>,
    }

    impl Model {
        fn set(&mut self, timer: Timer, instant: Option<Timestamp>, to: Term) {
            let (scheduled, from) = self.owners.entry(timer).or_default();
            let from = from.replace(to).unwrap_or(to);
            self.timers.set(scheduled, instant, timer, (from, to));
        }

        fn next_at(&mut self) -> Option<Timestamp> {
            let Self { timers, owners } = self;
            timers.next_at(|timer| owners.get(&timer).map_or_else(Scheduled::default, |it| it.0))
        }

        fn expire(&mut self, now: Timestamp) -> Option<Timer> {
            let Self { timers, owners } = self;
            let scheduled =
                |timer| owners.get(&timer).map_or_else(Scheduled::default, |it: &(_, _)| it.0);
            let expired = timers.expire(now, scheduled)?;
            if let Some((scheduled, _)) = owners.get_mut(&expired) {
                scheduled.expired();
            }
            Some(expired)
        }

        fn list(&self) -> Vec<(Timestamp, Timer)> {
            let scheduled =
                |timer| self.owners.get(&timer).map_or_else(Scheduled::default, |it| it.0);
            self.timers.list(scheduled)
        }
    }

    proptest! {
        #[test]
        fn timers_behave_like_a_sorted_list(
            calls in proptest::collection::vec((0_u8..6, 0_u32..6, 0_i64..20), 0..100),
        ) {
            let (mut model, mut set) = (Model::default(), BTreeMap::new());
            for (call, index, seconds) in calls {
                let timer = timer(index);
                match call {
                    0 => {
                        model.set(timer, None, Term::Later);
                        set.remove(&timer);
                    }
                    1..=4 => {
                        let term = if call % 2 == 0 { Term::Soon } else { Term::Later };
                        model.set(timer, Some(at(seconds)), term);
                        set.insert(timer, at(seconds));
                    }
                    _ => {
                        let first = set.iter().map(|(timer, at)| (*at, *timer)).min();
                        let due = first.filter(|(due, _)| *due <= at(seconds));
                        prop_assert_eq!(model.expire(at(seconds)), due.map(|(_, timer)| timer));
                        if let Some((_, timer)) = due {
                            set.remove(&timer);
                        }
                    }
                }
                let mut list: Vec<_> = set.iter().map(|(timer, at)| (*at, *timer)).collect();
                list.sort();
                prop_assert_eq!(model.next_at(), list.first().map(|(at, _)| *at));
                prop_assert_eq!(model.list(), list);
                for queue in [&model.timers.soon, &model.timers.later] {
                    prop_assert!(queue.stale <= queue.heap.len() / 2);
                }
            }
        }
    }

    #[test]
    fn expired_timer_is_unset_and_can_be_set_again() {
        let mut model = Model::default();
        model.set(timer(1), Some(at(5)), Term::Later);
        assert_eq!(model.expire(at(5)), Some(timer(1)));
        assert_eq!(model.owners.get(&timer(1)).and_then(|it| it.0.at()), None);
        assert_eq!((model.next_at(), model.expire(at(5))), (None, None));
        model.set(timer(1), Some(at(5)), Term::Later);
        assert_eq!(model.expire(at(5)), Some(timer(1)));
    }

    #[test]
    fn timer_at_the_first_instant_is_set_for_the_next() {
        let mut model = Model::default();
        model.set(timer(1), Some(Timestamp::MIN), Term::Soon);
        let next = Timestamp::MIN + Duration::from_micros(1);
        assert_eq!(model.next_at(), Some(next));
        assert_eq!(model.expire(next), Some(timer(1)));
    }

    #[test]
    fn moved_timers_are_dropped_once_they_are_most() {
        let mut model = Model::default();
        model.set(timer(1), Some(at(9)), Term::Soon);
        model.set(timer(1), Some(at(8)), Term::Soon);
        assert_eq!(model.next_at(), Some(at(8)));
        assert_eq!(model.timers.soon.heap.len(), 2, "a half is not yet too many");
        for seconds in (0..8).rev() {
            model.set(timer(1), Some(at(seconds)), Term::Soon);
        }
        assert_eq!(model.next_at(), Some(at(0)));
        assert_eq!(model.timers.soon.heap.len(), 1);
    }

    #[test]
    fn room_for_timers_grows_by_an_eighth() {
        let (mut model, mut growths, mut room) = (Model::default(), 0, 0);
        for index in 0..2_000 {
            model.set(timer(index), Some(at(i64::from(index))), Term::Later);
            let heap = &model.timers.later.heap;
            assert!(heap.capacity() <= heap.len() + heap.len() / 8 + 16);
            growths += u32::from(heap.capacity() != room);
            room = heap.capacity();
        }
        assert!(growths < 40, "{growths}");
    }
}
