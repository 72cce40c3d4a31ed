//! All deliveries of one endpoint: [`Roster`].

use std::collections::BTreeMap;

use super::deliveries::{Deliveries, List};
use super::index::backlog::Phase;
use super::slab::DeliveryNo;

/// The deliveries of one endpoint, pending and ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Roster {
    /// The pending ones that came in the order of their messages, as new ones do.
    open: List,
    /// The sequence number of the last of them.
    newest: u64,
    /// The pending ones that came out of order, as replayed ones do, by sequence number.
    late: BTreeMap<u64, DeliveryNo>,
    ended: List,
}

impl Roster {
    /// Returns the number of pending deliveries.
    pub(super) fn pending(&self) -> usize {
        self.open.len().saturating_add(self.late.len())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pending() == 0 && self.ended.len() == 0
    }

    /// Iterates over the pending deliveries, first those that came in order.
    pub(super) fn open(&self, deliveries: &Deliveries) -> impl Iterator<Item = DeliveryNo> {
        deliveries.iter(&self.open).chain(self.late.values().copied())
    }

    /// Iterates over all deliveries.
    pub(super) fn all(&self, deliveries: &Deliveries) -> impl Iterator<Item = DeliveryNo> {
        self.open(deliveries).chain(deliveries.iter(&self.ended))
    }

    /// Returns two pending deliveries of which one is the oldest, or the only one.
    pub(super) fn oldest(&self) -> impl Iterator<Item = DeliveryNo> {
        self.open.first().into_iter().chain(self.late.values().next().copied())
    }

    /// Follows a delivery from one phase to another.
    pub(super) fn shift(
        &mut self,
        deliveries: &mut Deliveries,
        (sequence, delivery): (u64, DeliveryNo),
        from: Phase,
        to: Phase,
    ) {
        match (from.is_open(), to.is_open()) {
            (true, false) => {
                if self.late.remove(&sequence).is_none() {
                    deliveries.unlink(&mut self.open, delivery);
                }
                deliveries.link(&mut self.ended, delivery);
            }
            (false, true) => {
                if from == Phase::Ended {
                    deliveries.unlink(&mut self.ended, delivery);
                }
                if self.open.len() == 0 || sequence > self.newest {
                    self.newest = sequence;
                    deliveries.link(&mut self.open, delivery);
                } else {
                    self.late.insert(sequence, delivery);
                }
            }
            (false, false) if from == Phase::New => deliveries.link(&mut self.ended, delivery),
            _ => {}
        }
    }

    /// Takes out a delivery that has ended: it is forgotten, or pending again.
    pub(super) fn take_ended(&mut self, deliveries: &mut Deliveries, delivery: DeliveryNo) {
        deliveries.unlink(&mut self.ended, delivery);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::Delivery;
    use crate::outbox::deliveries::Place;
    use crate::outbox::slab::{EndpointNo, MessageNo, Number};
    use crate::time::Timestamp;

    /// Deliveries with these sequence numbers become pending, one after the other.
    fn opened(sequences: &[u64]) -> (Roster, Deliveries, Vec<DeliveryNo>) {
        let (mut roster, mut deliveries) = (Roster::default(), Deliveries::default());
        let new = Delivery::new(Timestamp::from_unix_seconds(0));
        let mut numbers = Vec::new();
        for sequence in sequences {
            let (message, endpoint) = (MessageNo::from_index(0), EndpointNo::from_index(0));
            let number = deliveries.add(Place { message, endpoint, rendering: 0 }, &new);
            roster.shift(&mut deliveries, (*sequence, number), Phase::New, Phase::Waiting);
            numbers.push(number);
        }
        (roster, deliveries, numbers)
    }

    #[test]
    fn delivery_out_of_order_is_iterated_last() {
        let (roster, deliveries, numbers) = opened(&[5, 7, 6, 4, 9]);
        let [five, seven, six, four, nine] = numbers[..] else { panic!("five") };
        let open: Vec<_> = roster.open(&deliveries).collect();
        assert_eq!(open, [five, seven, nine, four, six]);
        assert_eq!(roster.oldest().collect::<Vec<_>>(), [five, four]);
        assert_eq!(roster.pending(), 5);
    }

    #[test]
    fn delivery_that_comes_back_to_an_empty_roster_is_in_order() {
        let (mut roster, mut deliveries, numbers) = opened(&[5]);
        let five = (5, numbers[0]);
        assert_eq!(roster.oldest().collect::<Vec<_>>(), numbers);
        roster.shift(&mut deliveries, five, Phase::Waiting, Phase::Ended);
        assert_eq!((roster.pending(), roster.is_empty()), (0, false));
        assert_eq!(roster.oldest().next(), None);
        roster.shift(&mut deliveries, five, Phase::Ended, Phase::Waiting);
        assert!(roster.late.is_empty() && roster.open.len() == 1);
        assert_eq!(roster.all(&deliveries).collect::<Vec<_>>(), numbers);
    }
}
