//! Deliveries in the order of their messages: [`Line`].

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use crate::outbox::slab::DeliveryNo;

/// A map from sequence numbers to deliveries, to which most are added in order: a queue with gaps,
/// and a tree for those that come out of order.
///
/// A tree that is filled in order has room for twice what it holds, and is slower at its ends.
#[derive(Clone, Default)]
pub(in crate::outbox) struct Line {
    queue: VecDeque<(u64, Option<DeliveryNo>)>,
    /// The number of entries in the queue whose delivery has left. None is at an end of the queue.
    gaps: usize,
    late: BTreeMap<u64, DeliveryNo>,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queued = self.queue.iter().filter_map(|(it, delivery)| delivery.map(|_| *it));
        let mut sequences: Vec<_> = queued.chain(self.late.keys().copied()).collect();
        sequences.sort_unstable();
        sequences.fmt(f)
    }
}

impl Line {
    pub(in crate::outbox) fn len(&self) -> usize {
        self.queue.len().saturating_sub(self.gaps).saturating_add(self.late.len())
    }

    /// Returns the delivery with the lowest sequence number.
    pub(in crate::outbox) fn first(&self) -> Option<DeliveryNo> {
        let (queued, late) = (self.queue.front(), self.late.first_key_value());
        match (queued, late) {
            (Some((queued, _)), Some((late, delivery))) if late < queued => Some(*delivery),
            (None, Some((_, delivery))) => Some(*delivery),
            (queued, _) => queued?.1,
        }
    }

    /// Returns the delivery with the highest sequence number.
    pub(in crate::outbox) fn last(&self) -> Option<DeliveryNo> {
        let (queued, late) = (self.queue.back(), self.late.last_key_value());
        match (queued, late) {
            (Some((queued, _)), Some((late, delivery))) if late > queued => Some(*delivery),
            (None, Some((_, delivery))) => Some(*delivery),
            (queued, _) => queued?.1,
        }
    }

    /// Counts the deliveries with a lower sequence number.
    pub(in crate::outbox) fn count_before(&self, sequence: u64) -> usize {
        let end = self.queue.partition_point(|(it, _)| *it < sequence);
        let queued = self.queue.range(..end).filter(|(_, delivery)| delivery.is_some()).count();
        queued.saturating_add(self.late.range(..sequence).count())
    }

    pub(in crate::outbox) fn insert(&mut self, sequence: u64, delivery: DeliveryNo) {
        if let Some(late) = self.late.get_mut(&sequence) {
            *late = delivery;
        } else if self.queue.back().is_none_or(|(last, _)| *last < sequence) {
            self.queue.push_back((sequence, Some(delivery)));
        } else if let Some(place) = self.queued_mut(sequence) {
            // It comes back to its place.
            if place.replace(delivery).is_none() {
                self.gaps = self.gaps.saturating_sub(1);
            }
        } else {
            self.late.insert(sequence, delivery);
        }
    }

    pub(in crate::outbox) fn remove(&mut self, sequence: u64) {
        let Some(place) = self.queued_mut(sequence) else {
            self.late.remove(&sequence);
            return;
        };
        if place.take().is_none() {
            return;
        }
        self.gaps = self.gaps.saturating_add(1);
        while self.queue.front().is_some_and(|(_, delivery)| delivery.is_none()) {
            self.queue.pop_front();
            self.gaps = self.gaps.saturating_sub(1);
        }
        while self.queue.back().is_some_and(|(_, delivery)| delivery.is_none()) {
            self.queue.pop_back();
            self.gaps = self.gaps.saturating_sub(1);
        }
        if self.gaps > self.queue.len() / 2 {
            self.queue.retain(|(_, delivery)| delivery.is_some());
            self.gaps = 0;
        }
    }

    /// Returns the place of a sequence number in the queue, if it has one. Most are at an end.
    fn queued_mut(&mut self, sequence: u64) -> Option<&mut Option<DeliveryNo>> {
        let last = self.queue.len().checked_sub(1)?;
        let is_at = |at: usize| self.queue.get(at).is_some_and(|(it, _)| *it == sequence);
        let at = if is_at(0) {
            0
        } else if is_at(last) {
            last
        } else {
            self.queue.binary_search_by_key(&sequence, |(it, _)| *it).ok()?
        };
        self.queue.get_mut(at).map(|(_, delivery)| delivery)
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "small numbers")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::outbox::slab::Number;

    #[test]
    fn line_as_text_is_its_sequences_in_order() {
        let mut line = Line::default();
        for sequence in [5, 7, 9, 6] {
            line.insert(sequence, DeliveryNo::from_index(1));
        }
        line.remove(7);
        assert_eq!(format!("{line:?}"), "[5, 6, 9]");
    }

    #[test]
    fn gaps_are_closed_once_they_are_most() {
        let mut line = Line::default();
        for sequence in 0..10 {
            line.insert(sequence, DeliveryNo::from_index(1));
        }
        for sequence in 1..=5 {
            line.remove(sequence);
        }
        assert_eq!((line.queue.len(), line.gaps), (10, 5), "a half is not yet too many");
        line.remove(6);
        assert_eq!((line.queue.len(), line.gaps), (4, 0));
    }

    proptest! {
        #[test]
        fn line_behaves_like_a_map(
            calls in proptest::collection::vec((0_u8..5, 0_u64..40), 0..300),
        ) {
            let (mut line, mut map, mut next) = (Line::default(), BTreeMap::new(), 20);
            for (call, sequence) in calls {
                match call {
                    0 | 1 => {
                        line.insert(next, DeliveryNo::from_index(1));
                        map.insert(next, DeliveryNo::from_index(1));
                        next += 1;
                    }
                    2 => {
                        line.insert(sequence, DeliveryNo::from_index(2));
                        map.insert(sequence, DeliveryNo::from_index(2));
                        next = next.max(sequence + 1);
                    }
                    3 => {
                        line.remove(sequence);
                        map.remove(&sequence);
                    }
                    _ => {
                        let end = if sequence % 2 == 0 {
                            map.pop_first()
                        } else {
                            map.pop_last()
                        };
                        if let Some((sequence, _)) = end {
                            line.remove(sequence);
                        }
                    }
                }
                prop_assert_eq!(line.len(), map.len());
                prop_assert_eq!(line.first(), map.values().next().copied());
                prop_assert_eq!(line.last(), map.values().next_back().copied());
                prop_assert_eq!(line.count_before(sequence), map.range(..sequence).count());
                prop_assert!(line.gaps <= line.queue.len() / 2);
            }
        }
    }
}
