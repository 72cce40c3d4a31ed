//! Collects the records that a save must write.

use std::sync::Arc;

use super::Outbox;
use super::changes::Change;
use super::group::{Group, Marks};
use super::journal::Journal;
use super::record::{DeliveryRecord, EndpointRecord, MessageRecord, Record, RecordKey};
use super::slab::{DeliveryNo, EndpointNo, MessageNo};

impl Outbox {
    /// Returns the journal, and the marks of the records that it tracks.
    pub(super) const fn journal(&mut self) -> (&mut Journal, Marks<'_>) {
        let Self { journal, endpoints, messages, deliveries, .. } = self;
        (journal, Marks { endpoints, messages, deliveries })
    }

    /// Returns the changes of a group that the journal has closed, in an order of which every
    /// prefix can be restored.
    ///
    /// A message is written and deleted before the rows of its deliveries. A missing row is made
    /// again from the message, so rows must not be deleted while the message remains; a row left
    /// behind is recognised by its sequence. An endpoint is written before the deliveries that were
    /// cancelled because it is disabled, and deleted after those that were cancelled because it was
    /// removed.
    pub(super) fn changes(&self, group: &Group) -> Vec<Change> {
        let mut list = Vec::with_capacity(group.len());
        // The state of a new endpoint has no record.
        let mut without_record = Vec::new();
        for endpoint in &group.endpoints {
            match self.endpoint_record(*endpoint) {
                Some(record) => list.push(Change::Put(record)),
                None => without_record.extend(self.endpoints.slot(*endpoint).map(|it| &it.id)),
            }
        }
        without_record.extend(&group.removed);
        without_record.sort_unstable();
        without_record.dedup();
        let (of_messages, of_deliveries): (Vec<_>, Vec<_>) =
            group.deleted.iter().partition(|key| matches!(key, RecordKey::Message(_)));
        let (messages, deliveries) = (group.messages.iter(), group.deliveries.iter());
        list.extend(of_messages.into_iter().cloned().map(Change::Delete));
        list.extend(messages.filter_map(|it| self.message_record(*it)).map(Change::Put));
        list.extend(of_deliveries.into_iter().cloned().map(Change::Delete));
        list.extend(deliveries.filter_map(|it| self.delivery_record(*it)).map(Change::Put));
        let without_record = without_record.into_iter().cloned();
        list.extend(without_record.map(|id| Change::Delete(RecordKey::Endpoint(id))));
        list
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
