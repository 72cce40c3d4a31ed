//! Restores saved state: [`Outbox::restore`].

use super::Outbox;
use super::changes::Revision;
use super::endpoints::EndpointSlot;
use super::in_flight::InFlight;
use super::input_log::Input;
use super::message_state::{LAST_SEQUENCE, MessageState};
use super::record::{DeliveryRecord, EndpointRecord, MessageRecord, Record, RecordKey};
use super::slab::{DeliveryNo, MessageNo, Number as _};
use crate::id::{EndpointId, MessageId};
use crate::time::Timestamp;

impl Outbox {
    /// Restores what an earlier outbox saved, from its records in any order.
    ///
    /// Call it on a new outbox with the same seed. Any prefix of an earlier outbox's changes can be
    /// restored. An attempt that was in flight may have reached its receiver, so the outbox waits
    /// until its deadline and then counts it as timed out. Deliveries to endpoints that the
    /// registry does not have are held until [`insert_endpoint`](Outbox::insert_endpoint) adds the
    /// endpoint or [`remove_endpoint`](Outbox::remove_endpoint) cancels them.
    ///
    /// # Errors
    ///
    /// [`RestoreError`] if the records are not those of one outbox.
    pub fn restore(
        mut self,
        records: impl IntoIterator<Item = Record>,
        now: Timestamp,
    ) -> Result<Self, RestoreError> {
        self.restore_records(records, now)?;
        Ok(self)
    }

    pub(super) fn restore_records(
        &mut self,
        records: impl IntoIterator<Item = Record>,
        now: Timestamp,
    ) -> Result<(), RestoreError> {
        if !self.log.is_on() {
            return self.load_records(records, now);
        }
        let records: Vec<_> = records.into_iter().collect();
        let loaded = self.load_records(records.clone(), now);
        self.log(now, || Input::Restore { records }, &loaded);
        loaded
    }

    fn load_records(
        &mut self,
        records: impl IntoIterator<Item = Record>,
        now: Timestamp,
    ) -> Result<(), RestoreError> {
        if self.messages.len() > 0 {
            return Err(RestoreError::NotFresh);
        }
        self.latest = now;
        let (mut messages, mut deliveries) = (Vec::new(), Vec::new());
        for record in records {
            match record {
                Record::Message(record) => messages.push(record),
                Record::Delivery(record) => deliveries.push(record),
                Record::Endpoint(EndpointRecord { endpoint, mut persisted }) => {
                    // Attempts in flight are counted from the deliveries below.
                    persisted.flow.set_in_flight(0);
                    let number = self.endpoints.find_or_insert(&endpoint);
                    if let Some(slot) = self.endpoints.slot_mut(number) {
                        if std::mem::replace(&mut slot.has_record, true) {
                            return Err(RestoreError::DuplicateEndpoint { id: endpoint });
                        }
                        if let Some(state) = &mut slot.state {
                            state.persisted = *persisted;
                        }
                    }
                }
            }
        }
        // As if they had been published one after the other.
        messages.sort_unstable_by_key(|record| record.sequence);
        let mut numbers = Vec::with_capacity(messages.len());
        let mut last = None;
        for record in messages {
            if last.replace(record.sequence) == Some(record.sequence) {
                return Err(RestoreError::Duplicate { id: record.message.id().clone() });
            }
            numbers.push(self.restore_message(record)?);
        }
        let mut recorded = vec![false; self.deliveries.end()];
        let mut orphans = Vec::new();
        for record in deliveries {
            orphans.extend(self.restore_delivery(record, &mut recorded)?);
        }
        for (message, endpoint) in orphans {
            let number = self.find(&message, &endpoint).and_then(as_index);
            if number.is_some_and(|it| recorded.get(it) == Some(&true)) {
                return Err(RestoreError::Duplicate { id: message });
            }
            self.journal.delete(RecordKey::Delivery(message, endpoint));
        }
        let endpoints = self.endpoints.numbers();
        for number in &endpoints {
            let Some(slot) = self.endpoints.slot_mut(*number) else { continue };
            let EndpointSlot { endpoint, state: Some(state), .. } = slot else { continue };
            // An attempt from before the restart has no permit, so the outcome of a probe could not
            // reach its health.
            if let Some(probe) = state.persisted.health.probe() {
                state.persisted.health.cancel_start(probe);
            }
            state.note_recorded();
            // The earlier outbox has already notified the host of an outage.
            let condition = state.condition(endpoint.as_ref().is_some_and(|it| it.enabled));
            self.outage.set(&mut state.counted, condition);
        }
        for number in numbers {
            self.open_message(number, now);
        }
        for number in endpoints {
            self.reconcile_endpoint(number, now);
            // Ended deliveries to a removed endpoint have created a state for it that nothing needs.
            if let Some(id) = self.endpoints.drop_unused_state(number) {
                self.journal.delete(RecordKey::Endpoint(id));
            }
        }
        Ok(())
    }

    fn restore_message(&mut self, record: MessageRecord) -> Result<MessageNo, RestoreError> {
        let MessageRecord { sequence, accepted_at, fan_out, message } = record;
        let id = message.id().clone();
        if sequence > LAST_SEQUENCE {
            return Err(RestoreError::LastSequence { id });
        }
        if self.messages.find(&id).is_some() {
            return Err(RestoreError::Duplicate { id });
        }
        if self.messages.room() == 0 || self.deliveries.room() < fan_out.len() {
            return Err(RestoreError::Full { id });
        }
        let mut deliveries = Vec::with_capacity(fan_out.len());
        for (endpoint, format) in fan_out {
            let Some(rendering) = message.rendering_position(&format) else {
                return Err(RestoreError::NoRendering { id, format });
            };
            deliveries.push((self.endpoints.find_or_insert(&endpoint), rendering));
        }
        let state = MessageState::new(message, sequence, accepted_at);
        self.next_sequence = self.next_sequence.max(sequence.saturating_add(1));
        Ok(self.add_message(state, deliveries))
    }

    /// `recorded` says of each delivery, by its number, whether it has had a record. Returns the
    /// delivery of an orphan: its message was deleted, or replaced by a later one with the same id,
    /// and the deletion of this record was cut short.
    fn restore_delivery(
        &mut self,
        record: DeliveryRecord,
        recorded: &mut [bool],
    ) -> Result<Option<(MessageId, EndpointId)>, RestoreError> {
        let DeliveryRecord { sequence, message, endpoint, delivery, found_at } = record;
        if sequence <= LAST_SEQUENCE {
            self.next_sequence = self.next_sequence.max(sequence.saturating_add(1));
        }
        let of_message = self.messages.find(&message).and_then(|it| self.messages.get(it));
        let known = of_message.filter(|it| it.sequence == sequence);
        let number = self.endpoints.find(&endpoint).zip(known);
        let number = number.and_then(|(endpoint, known)| known.fan_out.get(endpoint));
        let state = number.and_then(|number| Some((number, self.load(number)?)));
        let Some((number, mut state)) = state else { return Ok(Some((message, endpoint))) };
        let of_delivery = as_index(number).and_then(|it| recorded.get_mut(it));
        if of_delivery.is_some_and(|it| std::mem::replace(it, true)) {
            return Err(RestoreError::Duplicate { id: message });
        }
        state.delivery = delivery;
        state.found_at = found_at;
        if state.delivery.in_flight().is_some() {
            // The crash may have come before or after it was handed out.
            state.in_flight = Some(InFlight {
                clearance: None,
                start: Revision::default(),
                sent: true,
                renewed: false,
            });
            let place = self.deliveries.place(number);
            if let Some(state) = place.and_then(|place| self.endpoints.get_mut(place.endpoint)) {
                let flow = &mut state.persisted.flow;
                flow.set_in_flight(flow.in_flight().saturating_add(1));
            }
        }
        self.store(number, state);
        Ok(None)
    }
}

fn as_index(delivery: DeliveryNo) -> Option<usize> {
    usize::try_from(delivery.index()).ok()
}

/// Error of [`Outbox::restore`]: the records are not those of one outbox.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The outbox already has messages.
    #[error("cannot restore into an outbox that already has messages")]
    NotFresh,
    /// A message lacks the rendering that one of its deliveries sends.
    #[error("message {id} has no rendering in format `{format}`")]
    NoRendering {
        /// The id of the message.
        id: MessageId,
        /// The name of the format.
        format: Box<str>,
    },
    /// A message has a sequence number that no outbox reaches.
    #[error("message {id} has a sequence number that no outbox reaches")]
    LastSequence {
        /// The id of the message.
        id: MessageId,
    },
    /// There are more messages or deliveries than an outbox can have: 2^32 - 1 of each.
    #[error("message {id} is one too many for one outbox")]
    Full {
        /// The id of the message.
        id: MessageId,
    },
    /// Two records are for one message or for one of its deliveries, or two messages have the same
    /// sequence number.
    #[error("record of message {id} conflicts with another record")]
    Duplicate {
        /// The id of the message.
        id: MessageId,
    },
    /// Two records are for one endpoint.
    #[error("endpoint {id} has two records")]
    DuplicateEndpoint {
        /// The id of the endpoint.
        id: EndpointId,
    },
}
