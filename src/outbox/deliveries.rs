//! All deliveries of an outbox, packed: [`Deliveries`].

use std::collections::BTreeMap;

use super::delivery_state::DeliveryState;
use super::in_flight::InFlight;
use super::index::backlog::{Phase, Placement};
use super::index::timers::{Scheduled, Term};
use super::mark::Mark;
use super::slab::{DeliveryNo, EndpointNo, GroupNo, MessageNo, Number, Slab};
use crate::delivery::{Delivery, Kind, Packed, Rest, Verdict};
use crate::time::Timestamp;

/// The deliveries of an outbox.
///
/// Each takes 56 bytes here. What few deliveries have is kept apart: an attempt in flight, and what
/// is left by attempts that ended without a response, or by a replay.
#[derive(Clone, Debug, Default)]
pub(super) struct Deliveries {
    slots: Slab<DeliveryNo, Slot>,
    /// The attempts in flight, by the sequence of their message.
    flights: BTreeMap<(u64, EndpointNo), Flight>,
}

#[derive(Clone, Debug)]
struct Slot {
    at: Timestamp,
    timer: Scheduled,
    rare: Option<Box<Rare>>,
    message: MessageNo,
    endpoint: EndpointNo,
    attempts: u32,
    rendering: u32,
    group: Option<GroupNo>,
    before: Option<DeliveryNo>,
    after: Option<DeliveryNo>,
    kind: Kind,
    phase: PhaseKind,
    mark: Mark,
}

/// What few deliveries have.
#[derive(Clone, Debug)]
struct Rare {
    rest: Option<Rest>,
    found_at: Option<Timestamp>,
    unreported: u32,
}

#[derive(Clone, Debug)]
struct Flight {
    delivery: DeliveryNo,
    deadline: Timestamp,
    in_flight: InFlight,
}

/// A [`Phase`] without its instant, which is that of the delivery's state.
#[derive(Clone, Copy, Debug)]
enum PhaseKind {
    New,
    First,
    Retry,
    InFlight,
    Waiting,
    Ended,
}

/// What a delivery is of, and where its state is found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) message: MessageNo,
    pub(super) endpoint: EndpointNo,
    /// The position of the rendering that is sent, among those of the message.
    pub(super) rendering: u32,
}

/// A list of deliveries. Each is on one list at most.
#[derive(Clone, Debug, Default)]
pub(super) struct List {
    first: Option<DeliveryNo>,
    last: Option<DeliveryNo>,
    len: usize,
}

impl Deliveries {
    /// Returns how many deliveries can be added.
    pub(super) fn room(&self) -> usize {
        self.slots.room()
    }

    /// Returns the end of the deliveries' numbers.
    pub(super) fn end(&self) -> usize {
        usize::try_from(self.slots.end()).unwrap_or(usize::MAX)
    }

    /// Adds a delivery that is like all new ones of its message. There must be room for it.
    pub(super) fn add(&mut self, place: Place, new: &Delivery) -> DeliveryNo {
        let Packed { kind, at, attempts, .. } = new.clone().packed(new);
        let Place { message, endpoint, rendering } = place;
        self.slots.insert(Slot {
            at,
            timer: Scheduled::default(),
            rare: None,
            message,
            endpoint,
            attempts,
            rendering,
            group: None,
            before: None,
            after: None,
            kind,
            phase: PhaseKind::New,
            mark: Mark::default(),
        })
    }

    pub(super) fn remove(&mut self, delivery: DeliveryNo) {
        self.slots.remove(delivery);
    }

    pub(super) fn place(&self, delivery: DeliveryNo) -> Option<Place> {
        let Slot { message, endpoint, rendering, .. } = *self.slots.get(delivery)?;
        Some(Place { message, endpoint, rendering })
    }

    /// Returns a delivery as it is. `new` is a new delivery of its message, which has this
    /// `sequence`.
    pub(super) fn load(
        &self,
        delivery: DeliveryNo,
        sequence: u64,
        new: &Delivery,
    ) -> Option<DeliveryState> {
        let slot = self.slots.get(delivery)?;
        let flight = match slot.kind {
            Kind::InFlight => self.flights.get(&(sequence, slot.endpoint)),
            _ => None,
        };
        let rare = slot.rare.as_deref();
        let packed = Packed {
            kind: slot.kind,
            at: slot.at,
            attempts: slot.attempts,
            deadline: flight.map(|flight| flight.deadline),
            rest: rare.and_then(|rare| rare.rest.clone()),
        };
        let phase = match (slot.phase, slot.kind) {
            (PhaseKind::New, _) => Phase::New,
            (PhaseKind::First, _) => Phase::First,
            (PhaseKind::Retry, Kind::Due) => Phase::Retry { since: slot.at },
            (PhaseKind::Retry, _) => Phase::Retry { since: Timestamp::MIN },
            (PhaseKind::InFlight, _) => Phase::InFlight,
            (PhaseKind::Waiting, _) => Phase::Waiting,
            (PhaseKind::Ended, _) => Phase::Ended,
        };
        let unpacked = Delivery::unpacked(packed, new);
        Some(DeliveryState {
            recorded: unpacked.clone(),
            delivery: unpacked,
            placement: Placement::new(phase, slot.group),
            found_at: rare.and_then(|rare| rare.found_at),
            in_flight: flight.map(|flight| flight.in_flight),
            unreported: rare.map_or(0, |rare| rare.unreported),
        })
    }

    /// Replaces the state of a delivery.
    pub(super) fn store(
        &mut self,
        delivery: DeliveryNo,
        sequence: u64,
        new: &Delivery,
        state: DeliveryState,
    ) {
        let Some(slot) = self.slots.get_mut(delivery) else { return };
        let DeliveryState { delivery: it, placement, found_at, in_flight, unreported, .. } = state;
        let Packed { kind, at, attempts, deadline, rest } = it.packed(new);
        let key = (sequence, slot.endpoint);
        if let (Some(deadline), Some(in_flight)) = (deadline, in_flight) {
            self.flights.insert(key, Flight { delivery, deadline, in_flight });
        } else if slot.kind == Kind::InFlight {
            self.flights.remove(&key);
        }
        (slot.kind, slot.at, slot.attempts) = (kind, at, attempts);
        slot.phase = match placement.phase() {
            Phase::New => PhaseKind::New,
            Phase::First => PhaseKind::First,
            Phase::Retry { .. } => PhaseKind::Retry,
            Phase::InFlight => PhaseKind::InFlight,
            Phase::Waiting => PhaseKind::Waiting,
            Phase::Ended => PhaseKind::Ended,
        };
        slot.group = placement.group();
        let is_rare = rest.is_some() || found_at.is_some() || unreported != 0;
        slot.rare = is_rare.then(|| Box::new(Rare { rest, found_at, unreported }));
    }

    /// Returns pending deliveries of an endpoint, or of all, from a position in the table on: at
    /// most so many, and the position to go on from, if there are more.
    pub(super) fn pending_from(
        &self,
        endpoint: Option<EndpointNo>,
        from: u32,
        limit: usize,
    ) -> (Vec<DeliveryNo>, Option<u32>) {
        // The others cost less, and must not make the call long either.
        let scanned = u32::try_from(limit.saturating_mul(16)).unwrap_or(u32::MAX);
        let end = from.saturating_add(scanned);
        let mut pending = Vec::new();
        for index in from..end.min(self.slots.end()) {
            if pending.len() >= limit {
                return (pending, Some(index));
            }
            let number = DeliveryNo::from_index(index);
            let slot = self.slots.get(number).filter(|slot| {
                let is_of_it = endpoint.is_none_or(|endpoint| slot.endpoint == endpoint);
                is_of_it && !matches!(slot.kind, Kind::Ended(_))
            });
            if slot.is_some() {
                pending.push(number);
            }
        }
        (pending, (end < self.slots.end()).then_some(end))
    }

    /// Returns whether an attempt could start now.
    pub(super) fn is_due(&self, delivery: DeliveryNo) -> bool {
        let phase = self.slots.get(delivery).map(|slot| slot.phase);
        matches!(phase, Some(PhaseKind::First | PhaseKind::Retry))
    }

    pub(super) fn verdict(&self, delivery: DeliveryNo) -> Option<Verdict> {
        match self.slots.get(delivery)?.kind {
            Kind::Ended(verdict) => Some(verdict),
            _ => None,
        }
    }

    /// Returns when the retention of a delivery starts, if it has ended. If it ended while the host
    /// was down, that is when the end was found, so that there is time to report it.
    pub(super) fn retained_from(&self, delivery: DeliveryNo) -> Option<Timestamp> {
        let slot = self.slots.get(delivery)?;
        let found_at = slot.rare.as_ref().and_then(|rare| rare.found_at);
        let ended_at = matches!(slot.kind, Kind::Ended(_)).then_some(slot.at);
        found_at.or(ended_at)
    }

    /// Returns the delivery of an attempt that is in flight.
    pub(super) fn in_flight(&self, sequence: u64, endpoint: EndpointNo) -> Option<DeliveryNo> {
        self.flights.get(&(sequence, endpoint)).map(|flight| flight.delivery)
    }

    /// Notes that the attempt in flight was handed out.
    pub(super) fn hand_out(&mut self, sequence: u64, endpoint: EndpointNo) {
        if let Some(flight) = self.flights.get_mut(&(sequence, endpoint)) {
            flight.in_flight.sent = true;
        }
    }

    pub(super) fn timer(&self, delivery: DeliveryNo) -> Scheduled {
        self.slots.get(delivery).map_or_else(Scheduled::default, |slot| slot.timer)
    }

    /// Returns where the timer of a delivery belongs, as it was stored.
    pub(super) fn term(&self, delivery: DeliveryNo) -> Term {
        match self.slots.get(delivery).map(|slot| slot.kind) {
            Some(Kind::InFlight) => Term::Soon,
            _ => Term::Later,
        }
    }

    pub(super) fn timer_mut(&mut self, delivery: DeliveryNo) -> Option<&mut Scheduled> {
        self.slots.get_mut(delivery).map(|slot| &mut slot.timer)
    }

    pub(super) fn mark(&self, delivery: DeliveryNo) -> Mark {
        self.slots.get(delivery).map_or_else(Mark::default, |slot| slot.mark)
    }

    pub(super) fn mark_mut(&mut self, delivery: DeliveryNo) -> Option<&mut Mark> {
        self.slots.get_mut(delivery).map(|slot| &mut slot.mark)
    }

    /// Adds a delivery at the end of a list. It must not be on any.
    pub(super) fn link(&mut self, list: &mut List, delivery: DeliveryNo) {
        if let Some(slot) = self.slots.get_mut(delivery) {
            (slot.before, slot.after) = (list.last, None);
        }
        match list.last.replace(delivery).and_then(|last| self.slots.get_mut(last)) {
            Some(last) => last.after = Some(delivery),
            None => list.first = Some(delivery),
        }
        list.len = list.len.saturating_add(1);
    }

    /// Takes a delivery off the list that it is on.
    pub(super) fn unlink(&mut self, list: &mut List, delivery: DeliveryNo) {
        let Some(slot) = self.slots.get_mut(delivery) else { return };
        let (before, after) = (slot.before.take(), slot.after.take());
        match before.and_then(|before| self.slots.get_mut(before)) {
            Some(before) => before.after = after,
            None => list.first = after,
        }
        match after.and_then(|after| self.slots.get_mut(after)) {
            Some(after) => after.before = before,
            None => list.last = before,
        }
        list.len = list.len.saturating_sub(1);
    }

    /// Iterates over a list, in the order in which its deliveries were added.
    pub(super) fn iter(&self, list: &List) -> impl Iterator<Item = DeliveryNo> {
        let after = |delivery: &DeliveryNo| self.slots.get(*delivery).and_then(|slot| slot.after);
        std::iter::successors(list.first, after)
    }
}

impl List {
    pub(super) const fn first(&self) -> Option<DeliveryNo> {
        self.first
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::RetryPolicy;
    use crate::outbox::changes::Revision;

    #[test]
    fn slot_is_as_small_as_it_says() {
        assert_eq!(size_of::<Option<Slot>>(), 56);
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    fn new() -> Delivery {
        Delivery::new(at(0))
    }

    /// A table of this many deliveries of one message, each to an endpoint with its number.
    fn table(count: u32) -> (Deliveries, Vec<DeliveryNo>) {
        let mut deliveries = Deliveries::default();
        let place = |endpoint| Place {
            message: MessageNo::from_index(0),
            endpoint: EndpointNo::from_index(endpoint),
            rendering: 0,
        };
        let numbers = (0..count).map(|it| deliveries.add(place(it), &new())).collect();
        (deliveries, numbers)
    }

    fn change(
        deliveries: &mut Deliveries,
        number: DeliveryNo,
        change: impl FnOnce(&mut DeliveryState),
    ) {
        let mut state = deliveries.load(number, 7, &new()).unwrap();
        change(&mut state);
        deliveries.store(number, 7, &new(), state);
    }

    #[test]
    fn attempt_in_flight_is_kept_until_it_ends() {
        let (mut deliveries, numbers) = table(1);
        let (number, endpoint) = (numbers[0], EndpointNo::from_index(0));
        assert_eq!(deliveries.term(number), Term::Later);
        change(&mut deliveries, number, |state| {
            state.delivery.start(&RetryPolicy::default(), at(1)).unwrap();
            let (start, sent, renewed) = (Revision::default(), true, false);
            state.in_flight = Some(InFlight { clearance: None, start, sent, renewed });
        });
        assert_eq!(deliveries.in_flight(7, endpoint), Some(number));
        assert_eq!(deliveries.in_flight(8, endpoint), None);
        assert_eq!(deliveries.term(number), Term::Soon);
        assert!(deliveries.load(number, 7, &new()).unwrap().is_sent());
        change(&mut deliveries, number, |state| {
            state.delivery.end(Verdict::Cancelled, at(2));
            state.in_flight = None;
        });
        assert_eq!(deliveries.in_flight(7, endpoint), None);
        assert!(deliveries.flights.is_empty());
        assert_eq!(deliveries.term(number), Term::Later);
    }

    #[test]
    fn rare_parts_take_room_only_where_they_are() {
        let (mut deliveries, numbers) = table(1);
        let rare =
            |deliveries: &Deliveries| deliveries.slots.get(numbers[0]).unwrap().rare.is_some();
        change(&mut deliveries, numbers[0], |_| {});
        assert!(!rare(&deliveries));
        change(&mut deliveries, numbers[0], |state| state.unreported = 3);
        assert!(rare(&deliveries));
        assert_eq!(deliveries.load(numbers[0], 7, &new()).unwrap().unreported, 3);
        change(&mut deliveries, numbers[0], |state| state.unreported = 0);
        assert!(!rare(&deliveries));
    }

    #[test]
    fn due_delivery_is_one_that_could_start() {
        let (mut deliveries, numbers) = table(1);
        let is_due = |deliveries: &mut Deliveries, phase| {
            change(deliveries, numbers[0], |state| state.placement = Placement::new(phase, None));
            deliveries.is_due(numbers[0])
        };
        assert!(is_due(&mut deliveries, Phase::First));
        assert!(is_due(&mut deliveries, Phase::Retry { since: at(0) }));
        assert!(!is_due(&mut deliveries, Phase::Waiting));
        assert!(!is_due(&mut deliveries, Phase::InFlight));
    }

    #[test]
    fn pending_deliveries_come_in_parts_from_a_position() {
        let (mut deliveries, numbers) = table(32);
        for number in [0, 3] {
            change(&mut deliveries, numbers[number], |state| {
                state.delivery.end(Verdict::Cancelled, at(1));
            });
        }
        let pending = |endpoint: Option<u32>, from, limit| {
            deliveries.pending_from(endpoint.map(EndpointNo::from_index), from, limit)
        };
        assert_eq!(pending(None, 0, 2), (vec![numbers[1], numbers[2]], Some(3)));
        assert_eq!(pending(None, 29, 9), (numbers[29..].to_vec(), None));
        // Sixteen for each of the limit are looked at.
        assert_eq!(pending(Some(1), 0, 1), (vec![numbers[1]], Some(2)));
        assert_eq!(pending(Some(20), 0, 1), (vec![], Some(16)));
        assert_eq!(pending(Some(20), 16, 1), (vec![numbers[20]], Some(21)));
        assert_eq!(pending(Some(3), 0, 2), (vec![], None));
        assert_eq!(pending(Some(3), 16, 1), (vec![], None));
    }
}
