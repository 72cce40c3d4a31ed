//! Records that are saved together: [`Group`].

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroUsize;

use super::deliveries::Deliveries;
use super::endpoints::Endpoints;
use super::mark::Mark;
use super::message_state::Messages;
use crate::id::EndpointId;
use crate::outbox::record::RecordKey;
use crate::outbox::slab::{DeliveryNo, EndpointNo, MessageNo};

/// Changed records, each kind in the order in which it changed, or the records of a save. One that
/// was forgotten since may still be in it: only its [`Mark`] shows that it belongs to it.
#[derive(Clone, Default)]
pub(super) struct Group {
    pub(super) endpoints: VecDeque<EndpointNo>,
    pub(super) messages: VecDeque<MessageNo>,
    pub(super) deliveries: VecDeque<DeliveryNo>,
    /// The keys of messages and deliveries that were forgotten.
    pub(super) deleted: VecDeque<RecordKey>,
    /// The endpoints that were removed.
    pub(super) removed: Vec<EndpointId>,
}

// The marks of the records show the rest.
impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.deleted).entries(&self.removed).finish()
    }
}

/// The marks of all records.
#[derive(Debug)]
pub(super) struct Marks<'a> {
    pub(super) endpoints: &'a mut Endpoints,
    pub(super) messages: &'a mut Messages,
    pub(super) deliveries: &'a mut Deliveries,
}

impl Marks<'_> {
    fn endpoint(&mut self, endpoint: EndpointNo) -> Option<&mut Mark> {
        self.endpoints.slot_mut(endpoint).map(|slot| &mut slot.mark)
    }

    fn message(&mut self, message: MessageNo) -> Option<&mut Mark> {
        self.messages.get_mut(message).map(|state| &mut state.mark)
    }

    fn delivery(&mut self, delivery: DeliveryNo) -> Option<&mut Mark> {
        self.deliveries.mark_mut(delivery)
    }

    /// Returns whether a record must still be deleted, or written because it has come back.
    fn must_delete(&mut self, key: &RecordKey) -> bool {
        let RecordKey::Message(id) = key else { return true };
        let message = self.messages.find(id);
        message.and_then(|it| self.message(it)).is_none_or(|mark| mark.is_changed())
    }
}

impl Group {
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn len(&self) -> usize {
        let records = [self.endpoints.len(), self.messages.len(), self.deliveries.len()];
        let deleted = [self.deleted.len(), self.removed.len()];
        records.into_iter().chain(deleted).fold(0, usize::saturating_add)
    }

    /// Returns whether it has more than `limit` records of a kind.
    pub(super) fn exceeds(&self, limit: NonZeroUsize) -> bool {
        let records = [self.endpoints.len(), self.messages.len(), self.deliveries.len()];
        records.into_iter().chain([self.deleted.len()]).any(|len| len > limit.get())
    }

    /// Takes all records of another group that are still in it.
    pub(super) fn take_all(&mut self, mut from: Self, marks: &mut Marks<'_>) {
        self.take(&mut from, NonZeroUsize::MAX, marks);
        self.take_removed(from.removed, marks);
    }

    /// Takes up to `limit` records of each kind, and those without which they must not be saved.
    pub(super) fn take(&mut self, from: &mut Self, limit: NonZeroUsize, marks: &mut Marks<'_>) {
        take(&mut from.endpoints, limit, |it| self.take_endpoint(it, marks));
        take(&mut from.messages, limit, |it| self.take_message(it, marks));
        take(&mut from.deliveries, limit, |it| self.take_delivery(it, marks));
        take(&mut from.deleted, limit, |key| self.take_key(key, marks));
        // What is left at the front may have come ahead of its turn.
        let Self { endpoints, messages, deliveries, deleted, .. } = from;
        skip(endpoints, |it| marks.endpoint(*it).is_some_and(|mark| mark.is_changed()));
        skip(messages, |it| marks.message(*it).is_some_and(|mark| mark.is_changed()));
        skip(deliveries, |it| marks.delivery(*it).is_some_and(|mark| mark.is_changed()));
        skip(deleted, |key| marks.must_delete(key));
    }

    fn take_endpoint(&mut self, endpoint: EndpointNo, marks: &mut Marks<'_>) -> bool {
        let taken = marks.endpoint(endpoint).is_some_and(Mark::hand_out);
        if taken {
            self.endpoints.push_back(endpoint);
        }
        taken
    }

    fn take_message(&mut self, message: MessageNo, marks: &mut Marks<'_>) -> bool {
        let taken = marks.message(message).is_some_and(Mark::hand_out);
        if taken {
            self.messages.push_back(message);
        }
        taken
    }

    /// Takes a delivery. Its message goes with it, without which it means nothing, and its
    /// endpoint, which may be the reason why it was cancelled.
    fn take_delivery(&mut self, delivery: DeliveryNo, marks: &mut Marks<'_>) -> bool {
        let taken = marks.delivery(delivery).is_some_and(Mark::hand_out);
        if taken {
            if let Some(place) = marks.deliveries.place(delivery) {
                self.take_message(place.message, marks);
                self.take_endpoint(place.endpoint, marks);
            }
            self.deliveries.push_back(delivery);
        }
        taken
    }

    /// Takes the key of a record to delete. If it has come back, it is written instead, unless that
    /// has been done.
    fn take_key(&mut self, key: RecordKey, marks: &mut Marks<'_>) -> bool {
        let (RecordKey::Message(id) | RecordKey::Delivery(id, _)) = &key else { return false };
        let Some(message) = marks.messages.find(id) else {
            self.deleted.push_back(key);
            return true;
        };
        let taken = self.take_message(message, marks);
        let RecordKey::Delivery(_, id) = &key else { return taken };
        let fan_out = marks.messages.get(message).map(|state| &state.fan_out);
        let endpoint = marks.endpoints.find(id);
        match fan_out.zip(endpoint).and_then(|(fan_out, endpoint)| fan_out.get(endpoint)) {
            Some(delivery) => {
                if marks.delivery(delivery).is_some_and(Mark::hand_out_again) {
                    self.deliveries.push_back(delivery);
                }
            }
            None => self.deleted.push_back(key),
        }
        true
    }

    /// Takes endpoints whose records are deleted. If one has come back, it is written instead.
    pub(super) fn take_removed(&mut self, removed: Vec<EndpointId>, marks: &mut Marks<'_>) {
        for id in removed {
            let endpoint = marks.endpoints.find(&id);
            let known = endpoint.filter(|it| marks.endpoints.get(*it).is_some());
            match known {
                Some(endpoint) => {
                    if marks.endpoint(endpoint).is_some_and(Mark::hand_out_again) {
                        self.endpoints.push_back(endpoint);
                    }
                }
                None => self.removed.push(id),
            }
        }
    }

    pub(super) fn sort(&mut self) {
        self.endpoints.make_contiguous().sort_unstable();
        self.messages.make_contiguous().sort_unstable();
        self.deliveries.make_contiguous().sort_unstable();
        let mut deleted = Vec::from(std::mem::take(&mut self.deleted));
        deleted.sort_unstable();
        deleted.dedup();
        self.deleted = deleted.into();
        self.removed.sort_unstable();
        self.removed.dedup();
    }

    /// Marks the records of a save as durable.
    pub(super) fn confirm(self, marks: &mut Marks<'_>) {
        let Self { endpoints, messages, deliveries, .. } = self;
        endpoints.into_iter().for_each(|it| _ = marks.endpoint(it).map(Mark::confirm));
        messages.into_iter().for_each(|it| _ = marks.message(it).map(Mark::confirm));
        deliveries.into_iter().for_each(|it| _ = marks.delivery(it).map(Mark::confirm));
    }

    /// Marks the records of a save that failed as changed.
    pub(super) fn fail(&mut self, marks: &mut Marks<'_>) {
        self.endpoints.retain(|it| marks.endpoint(*it).is_some_and(Mark::fail));
        self.messages.retain(|it| marks.message(*it).is_some_and(Mark::fail));
        self.deliveries.retain(|it| marks.delivery(*it).is_some_and(Mark::fail));
    }
}

/// Takes records off the front of a queue until `limit` of them were accepted.
fn take<T>(queue: &mut VecDeque<T>, limit: NonZeroUsize, mut accept: impl FnMut(T) -> bool) {
    let mut left = limit.get();
    while left > 0
        && let Some(record) = queue.pop_front()
    {
        left = left.saturating_sub(usize::from(accept(record)));
    }
}

/// Takes records off the front of a queue up to the first that must be saved.
fn skip<T>(queue: &mut VecDeque<T>, mut must_be_saved: impl FnMut(&T) -> bool) {
    while queue.front().is_some_and(|it| !must_be_saved(it)) {
        queue.pop_front();
    }
}
