//! From what changed to what the host is to write.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Outbox;
use super::record::{Change, DeliveryRecord, EndpointRecord, MessageRecord, Record, RecordKey};

impl Outbox {
    /// What these records have become, in an order of which every prefix can be restored from.
    pub(super) fn changes(&self, keys: BTreeSet<RecordKey>) -> Vec<Change> {
        let change = |key| match self.record(&key) {
            Some(record) => Change::Put(record),
            None => Change::Delete(key),
        };
        let mut list: Vec<_> = keys.into_iter().map(change).collect();
        // A message goes and comes before its deliveries' rows. A row that is not there is made
        // again from its message, so it must not go while that stays; one that is left over is told
        // by its sequence. What was cancelled for a disabled endpoint is so for a reason on record,
        // and what a removed one held back is cancelled before that is forgotten.
        list.sort_by_key(|change| match change {
            Change::Put(Record::Endpoint(_)) => 0,
            Change::Delete(RecordKey::Message(_)) => 1,
            Change::Put(Record::Message(_)) => 2,
            Change::Put(Record::Delivery(_)) | Change::Delete(RecordKey::Delivery(..)) => 3,
            Change::Delete(RecordKey::Endpoint(_)) => 4,
        });
        list
    }

    pub(super) fn record(&self, key: &RecordKey) -> Option<Record> {
        let entry = |message| {
            let sequence = *self.sequences.get(message)?;
            Some((sequence, self.messages.get(&sequence)?))
        };
        match key {
            RecordKey::Message(message) => {
                let (sequence, entry) = entry(message)?;
                let fan_out = entry.slots.iter();
                Some(Record::Message(MessageRecord {
                    sequence,
                    accepted_at: entry.accepted_at,
                    fan_out: fan_out.map(|(id, slot)| (id.clone(), slot.format.clone())).collect(),
                    message: Arc::clone(&entry.message),
                }))
            }
            RecordKey::Delivery(message, endpoint) => {
                let (sequence, entry) = entry(message)?;
                let slot = entry.slots.get(endpoint)?;
                Some(Record::Delivery(DeliveryRecord {
                    sequence,
                    message: message.clone(),
                    endpoint: endpoint.clone(),
                    delivery: slot.delivery.clone(),
                    found_at: slot.found_at,
                }))
            }
            RecordKey::Endpoint(endpoint) => Some(Record::Endpoint(EndpointRecord {
                endpoint: endpoint.clone(),
                kept: Box::new(self.lanes.get(endpoint)?.to_record()?),
            })),
        }
    }
}
