//! Collects the records that a save must write.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Outbox;
use super::changes::Change;
use super::record::{DeliveryRecord, EndpointRecord, MessageRecord, Record, RecordKey};

impl Outbox {
    /// Returns the changes of these records, in an order of which every prefix can be restored.
    pub(super) fn changes(&self, keys: BTreeSet<RecordKey>) -> Vec<Change> {
        let change = |key| match self.record(&key) {
            Some(record) => Change::Put(record),
            None => Change::Delete(key),
        };
        let mut list: Vec<_> = keys.into_iter().map(change).collect();
        // A message is written and deleted before the rows of its deliveries. A missing row is made
        // again from the message, so rows must not be deleted while the message remains; a row left
        // behind is recognised by its sequence. An endpoint is written before the deliveries that
        // were cancelled because it is disabled, and deleted after those that were cancelled
        // because it was removed.
        list.sort_by_key(|change| match change {
            Change::Put(Record::Endpoint(_)) => 0,
            Change::Delete(RecordKey::Message(_)) => 1,
            Change::Put(Record::Message(_)) => 2,
            Change::Put(Record::Delivery(_)) | Change::Delete(RecordKey::Delivery(..)) => 3,
            Change::Delete(RecordKey::Endpoint(_)) => 4,
        });
        list
    }

    /// Returns the record as it is now; `None` if it must be deleted.
    fn record(&self, key: &RecordKey) -> Option<Record> {
        let message_state = |message| {
            let sequence = *self.sequences.get(message)?;
            Some((sequence, self.messages.get(&sequence)?))
        };
        match key {
            RecordKey::Message(message) => {
                let (sequence, state) = message_state(message)?;
                let fan_out = state.deliveries.iter();
                Some(Record::Message(MessageRecord {
                    sequence,
                    accepted_at: state.accepted_at,
                    fan_out: fan_out.map(|(id, it)| (id.clone(), it.format.clone())).collect(),
                    message: Arc::clone(&state.message),
                }))
            }
            RecordKey::Delivery(message, endpoint) => {
                let (sequence, state) = message_state(message)?;
                let state = state.deliveries.get(endpoint)?;
                Some(Record::Delivery(DeliveryRecord {
                    sequence,
                    message: message.clone(),
                    endpoint: endpoint.clone(),
                    delivery: state.delivery.clone(),
                    found_at: state.found_at,
                }))
            }
            RecordKey::Endpoint(endpoint) => Some(Record::Endpoint(EndpointRecord {
                endpoint: endpoint.clone(),
                persisted: Box::new(self.endpoints.get(endpoint)?.to_record()?),
            })),
        }
    }
}
