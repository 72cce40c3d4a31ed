//! The messages of an outbox: [`Messages`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::index::id_index::IdIndex;
use super::index::timers::Scheduled;
use super::mark::Mark;
use super::slab::{DeliveryNo, EndpointNo, MessageNo, Slab};
use crate::delivery::Delivery;
use crate::id::MessageId;
use crate::message::Message;
use crate::time::Timestamp;

/// The last sequence number that is given to a message and accepted from a record. One that follows
/// the clock is far below.
pub(super) const LAST_SEQUENCE: u64 = u64::MAX << 32;

/// A message, and which deliveries it has.
#[derive(Clone, Debug)]
pub(super) struct MessageState {
    pub(super) message: Arc<Message>,
    pub(super) sequence: u64,
    pub(super) accepted_at: Timestamp,
    /// When to forget the message, if no delivery is pending.
    pub(super) forget_timer: Scheduled,
    pub(super) fan_out: FanOut,
    /// The number of deliveries that are pending.
    pub(super) open: u32,
    pub(super) mark: Mark,
}

/// The deliveries of a message, by endpoint. Most messages have one.
#[derive(Clone, Debug)]
pub(super) enum FanOut {
    One((EndpointNo, DeliveryNo)),
    /// In the order of the endpoints' numbers.
    Many(Box<[(EndpointNo, DeliveryNo)]>),
}

impl FromIterator<(EndpointNo, DeliveryNo)> for FanOut {
    fn from_iter<I: IntoIterator<Item = (EndpointNo, DeliveryNo)>>(deliveries: I) -> Self {
        let mut deliveries: Vec<_> = deliveries.into_iter().collect();
        if let [one] = *deliveries {
            return Self::One(one);
        }
        deliveries.sort_unstable();
        Self::Many(deliveries.into_boxed_slice())
    }
}

impl FanOut {
    fn as_slice(&self) -> &[(EndpointNo, DeliveryNo)] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }

    pub(super) fn get(&self, endpoint: EndpointNo) -> Option<DeliveryNo> {
        let deliveries = self.as_slice();
        let at = deliveries.binary_search_by_key(&endpoint, |(it, _)| *it).ok()?;
        deliveries.get(at).map(|(_, delivery)| *delivery)
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (EndpointNo, DeliveryNo)> {
        self.as_slice().iter().copied()
    }
}

impl MessageState {
    /// Creates a message without deliveries.
    pub(super) fn new(message: Arc<Message>, sequence: u64, accepted_at: Timestamp) -> Self {
        Self {
            message,
            sequence,
            accepted_at,
            forget_timer: Scheduled::default(),
            fan_out: FanOut::Many(Box::default()),
            open: 0,
            mark: Mark::default(),
        }
    }

    /// Returns a delivery of the message that was never tried.
    pub(super) fn new_delivery(&self) -> Delivery {
        Delivery::new(self.accepted_at).with_expires_at(self.message.expires_at())
    }
}

/// The messages of an outbox.
#[derive(Clone, Debug)]
pub(super) struct Messages {
    slots: Slab<MessageNo, MessageState>,
    ids: IdIndex<MessageNo>,
    /// From when on the age of a message counts if it was accepted while the clock was ahead.
    ages: BTreeMap<MessageNo, Timestamp>,
}

impl Messages {
    pub(super) const fn new(seed: u64) -> Self {
        Self { slots: Slab::new(), ids: IdIndex::new(seed), ages: BTreeMap::new() }
    }

    pub(super) const fn len(&self) -> usize {
        self.slots.len()
    }

    /// Returns how many messages can be added.
    pub(super) fn room(&self) -> usize {
        self.slots.room()
    }

    /// Adds a message whose id no other has. There must be room for it.
    pub(super) fn insert(&mut self, state: MessageState) -> MessageNo {
        let message = Arc::clone(&state.message);
        let number = self.slots.insert(state);
        self.ids.insert(message.id().as_str(), number);
        number
    }

    pub(super) fn remove(&mut self, number: MessageNo) -> Option<MessageState> {
        let state = self.slots.remove(number)?;
        self.ids.remove(state.message.id().as_str(), number);
        self.ages.remove(&number);
        Some(state)
    }

    pub(super) fn find(&self, id: &MessageId) -> Option<MessageNo> {
        self.ids.find(id.as_str(), |number| {
            self.slots.get(number).is_some_and(|state| state.message.id() == id)
        })
    }

    pub(super) fn get(&self, number: MessageNo) -> Option<&MessageState> {
        self.slots.get(number)
    }

    pub(super) fn get_mut(&mut self, number: MessageNo) -> Option<&mut MessageState> {
        self.slots.get_mut(number)
    }

    /// Returns the messages in the order in which they were accepted.
    pub(super) fn in_order(&self) -> Vec<MessageNo> {
        let mut all: Vec<_> =
            self.slots.iter().map(|(number, state)| (state.sequence, number)).collect();
        all.sort_unstable();
        all.into_iter().map(|(_, number)| number).collect()
    }

    /// Returns from when on the age of a message counts, if not from when it was accepted.
    pub(super) fn later_age(&self, number: MessageNo) -> Option<Timestamp> {
        self.ages.get(&number).copied()
    }

    /// Returns from when on a message's age counts: when it was accepted, or, if the clock was
    /// ahead then and has stepped back, when that was noticed.
    pub(super) fn age_from(&mut self, number: MessageNo, now: Timestamp) -> Timestamp {
        let accepted_at = self.slots.get(number).map_or(now, |state| state.accepted_at);
        if now >= accepted_at {
            if !self.ages.is_empty() {
                self.ages.remove(&number);
            }
            return accepted_at;
        }
        let age_from = self.ages.entry(number).or_insert(now);
        *age_from = now.min(*age_from);
        *age_from
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_state_stays_small() {
        assert_eq!(size_of::<Option<MessageState>>(), 56);
    }
}
