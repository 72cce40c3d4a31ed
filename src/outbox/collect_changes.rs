//! Collects the records that a save must write.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Outbox;
use super::changes::Change;
use super::journal::{Group, Mark};
use super::record::{DeliveryRecord, EndpointRecord, MessageRecord, Record, RecordKey};
use super::slab::{DeliveryNo, EndpointNo, MessageNo};

impl Outbox {
    /// Returns the changes of a group that the journal has closed, in an order of which every
    /// prefix can be restored, and leaves in the group what must be saved again if this save fails.
    ///
    /// A message is written and deleted before the rows of its deliveries. A missing row is made
    /// again from the message, so rows must not be deleted while the message remains; a row left
    /// behind is recognised by its sequence. An endpoint is written before the deliveries that were
    /// cancelled because it is disabled, and deleted after those that were cancelled because it was
    /// removed.
    pub(super) fn changes(&mut self, group: &mut Group) -> Vec<Change> {
        self.hand_out(group);
        let Group { endpoints, messages, deliveries, deleted } = &*group;
        let len = [endpoints.len(), messages.len(), deliveries.len(), deleted.len()];
        let mut list = Vec::with_capacity(len.into_iter().fold(0, usize::saturating_add));
        // The state of a new endpoint has no record.
        let mut without_record = BTreeSet::new();
        for endpoint in endpoints {
            match self.endpoint_record(*endpoint) {
                Some(record) => list.push(Change::Put(record)),
                None => without_record.extend(self.endpoints.slot(*endpoint).map(|it| &it.id)),
            }
        }
        let (mut of_messages, mut of_deliveries) = (Vec::new(), Vec::new());
        for key in deleted {
            match key {
                // It may have come back, and is then written instead.
                RecordKey::Endpoint(id) => {
                    let number = self.endpoints.find(id);
                    if number.and_then(|it| self.endpoint_record(it)).is_none() {
                        without_record.insert(id);
                    }
                }
                RecordKey::Message(id) if self.messages.find(id).is_some() => {}
                RecordKey::Message(_) => of_messages.push(Change::Delete(key.clone())),
                RecordKey::Delivery(message, endpoint) => {
                    let number = self.find(message, endpoint);
                    if number.is_none_or(|it| deliveries.binary_search(&it).is_err()) {
                        of_deliveries.push(Change::Delete(key.clone()));
                    }
                }
            }
        }
        list.append(&mut of_messages);
        list.extend(messages.iter().filter_map(|it| self.message_record(*it)).map(Change::Put));
        list.append(&mut of_deliveries);
        list.extend(deliveries.iter().filter_map(|it| self.delivery_record(*it)).map(Change::Put));
        let without_record = without_record.into_iter().cloned();
        list.extend(without_record.map(|id| Change::Delete(RecordKey::Endpoint(id))));
        list
    }

    /// Moves the records of a group from changed to saving, and drops from it what was forgotten.
    pub(super) fn hand_out(&mut self, group: &mut Group) {
        group.endpoints.retain(|it| self.endpoint_mark(*it).is_some_and(Mark::hand_out));
        group.messages.retain(|it| self.message_mark(*it).is_some_and(Mark::hand_out));
        group.deliveries.retain(|it| self.deliveries.mark_mut(*it).is_some_and(Mark::hand_out));
        group.endpoints.sort_unstable();
        group.messages.sort_unstable();
        group.deliveries.sort_unstable();
        group.deleted.sort_unstable();
        group.deleted.dedup();
    }

    /// Takes the records of a group that was saving out of it.
    pub(super) fn take_saving(&mut self, group: &mut Group) {
        group.endpoints.retain(|it| self.endpoint_mark(*it).is_some_and(Mark::take_saving));
        group.messages.retain(|it| self.message_mark(*it).is_some_and(Mark::take_saving));
        group.deliveries.retain(|it| self.deliveries.mark_mut(*it).is_some_and(Mark::take_saving));
    }

    /// Adds the records of a group to the next one.
    pub(super) fn touch_again(&mut self, group: Group) {
        for it in group.endpoints {
            self.touch_endpoint(it);
        }
        for it in group.messages {
            self.touch_message(it);
        }
        for it in group.deliveries {
            self.touch_delivery(it);
        }
        for key in group.deleted {
            self.journal.delete(key);
        }
    }

    pub(super) fn touch_endpoint(&mut self, endpoint: EndpointNo) {
        if let Some(slot) = self.endpoints.slot_mut(endpoint) {
            self.journal.touch_endpoint(endpoint, &mut slot.mark);
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

    fn endpoint_mark(&mut self, endpoint: EndpointNo) -> Option<&mut Mark> {
        self.endpoints.slot_mut(endpoint).map(|slot| &mut slot.mark)
    }

    fn message_mark(&mut self, message: MessageNo) -> Option<&mut Mark> {
        self.messages.get_mut(message).map(|state| &mut state.mark)
    }

    fn endpoint_record(&self, endpoint: EndpointNo) -> Option<Record> {
        let slot = self.endpoints.slot(endpoint)?;
        let persisted = Box::new(slot.state.as_ref()?.to_record()?);
        Some(Record::Endpoint(EndpointRecord { endpoint: slot.id.clone(), persisted }))
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
