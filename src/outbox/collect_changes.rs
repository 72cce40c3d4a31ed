//! Collects the records that a save must write.

use std::sync::Arc;

use super::Outbox;
use super::changes::Change;
use super::group::sort;
use super::mark::Mark;
use super::record::{DeliveryRecord, EndpointRecord, MessageRecord, Record, RecordKey};
use super::slab::{DeliveryNo, MessageNo};

impl Outbox {
    /// Closes the group of changed records if it is large. Every input ends with this.
    pub(super) fn close_large_part(&mut self) {
        if self.journal.is_full() {
            self.close_part();
        }
    }

    /// Makes a part of the records that have changed.
    pub(super) fn close_part(&mut self) {
        let (mut group, mut list) = self.journal.take_group();
        list.reserve(group.len());
        group.endpoints.sort_unstable();
        for endpoint in group.endpoints.iter().copied() {
            let Some(slot) = self.endpoints.slot_mut(endpoint) else { continue };
            if !slot.mark.close(Mark::Unchanged) {
                continue;
            }
            let state = slot.state.as_mut();
            let record = state.and_then(|it| it.record(self.draining)).map(|persisted| {
                let (endpoint, persisted) = (slot.id.clone(), Box::new(persisted));
                Record::Endpoint(EndpointRecord { endpoint, persisted })
            });
            let had_record = std::mem::replace(&mut slot.has_record, record.is_some());
            match record {
                Some(record) => list.push(Change::Put(record)),
                None if had_record => group.deleted.push(RecordKey::Endpoint(slot.id.clone())),
                None => {}
            }
        }
        let (messages, deliveries) = (&mut group.messages, &mut group.deliveries);
        messages.sort_unstable();
        messages.retain(|it| {
            self.messages.get_mut(*it).is_some_and(|state| state.mark.close(Mark::Saving))
        });
        deliveries.sort_unstable();
        deliveries.retain(|it| {
            self.deliveries.mark_mut(*it).is_some_and(|mark| mark.close(Mark::Unchanged))
        });
        list.extend(messages.iter().filter_map(|it| self.message_record(*it)).map(Change::Put));
        list.extend(deliveries.iter().filter_map(|it| self.delivery_record(*it)).map(Change::Put));

        group.deleted.sort_unstable();
        group.deleted.dedup();
        group.deleted.retain(|key| {
            // What has come back is written instead.
            let is_written = match key {
                RecordKey::Endpoint(id) => {
                    let slot = self.endpoints.find(id).and_then(|it| self.endpoints.slot(it));
                    slot.is_some_and(|slot| slot.has_record)
                }
                RecordKey::Message(id) => {
                    self.messages.find(id).is_some_and(|it| messages.binary_search(&it).is_ok())
                }
                RecordKey::Delivery(message, endpoint) => {
                    let number = self.find(message, endpoint);
                    number.is_some_and(|it| deliveries.binary_search(&it).is_ok())
                }
            };
            !is_written
        });
        list.extend(group.deleted.drain(..).map(Change::Delete));
        sort(&mut list);

        let sequence = |it: &MessageNo| Some((*it, self.messages.get(*it)?.sequence));
        let messages = messages.iter().filter_map(sequence).collect();
        self.journal.close(group, list, messages);
    }

    /// Notes that messages are durable.
    pub(super) fn note_saved(&mut self, messages: Vec<(MessageNo, u64)>) {
        for (number, sequence) in messages {
            // It may have been forgotten, and its number given out again.
            if let Some(state) = self.messages.get_mut(number)
                && state.sequence == sequence
            {
                state.mark = Mark::Unchanged;
            }
        }
    }

    pub(super) fn touch_message(&mut self, message: MessageNo) {
        if let Some(state) = self.messages.get_mut(message) {
            self.journal.touch_message(message, &mut state.mark);
        }
    }

    pub(super) fn touch_delivery(&mut self, delivery: DeliveryNo) {
        if let Some(mark) = self.deliveries.mark_mut(delivery) {
            self.journal.touch_delivery(delivery, mark);
        }
    }

    fn message_record(&self, message: MessageNo) -> Option<Record> {
        let state = self.messages.get(message)?;
        let fan_out = state.fan_out.iter().filter_map(|(endpoint, delivery)| {
            let rendering = self.deliveries.place(delivery)?.rendering;
            let format = state.message.rendering_at(rendering)?.0;
            Some((self.endpoints.slot(endpoint)?.id.clone(), format.into()))
        });
        Some(Record::Message(MessageRecord {
            sequence: state.sequence,
            accepted_at: state.accepted_at,
            fan_out: fan_out.collect(),
            message: Arc::clone(&state.message),
        }))
    }

    fn delivery_record(&self, delivery: DeliveryNo) -> Option<Record> {
        let place = self.deliveries.place(delivery)?;
        let message = self.messages.get(place.message)?;
        let state = self.deliveries.load(delivery, message.sequence, &message.new_delivery())?;
        Some(Record::Delivery(DeliveryRecord {
            sequence: message.sequence,
            message: message.message.id().clone(),
            endpoint: self.endpoints.slot(place.endpoint)?.id.clone(),
            delivery: state.delivery,
            found_at: state.found_at,
        }))
    }
}
