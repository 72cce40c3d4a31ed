//! Restores saved state: [`Outbox::restore`].

use super::Outbox;
use super::delivery_state::DeliveryState;
use super::in_flight::InFlight;
use super::input_log::Input;
use super::message_state::MessageState;
use super::record::{DeliveryRecord, EndpointRecord, MessageRecord, Record, RecordKey};
use crate::delivery::Delivery;
use crate::id::MessageId;
use crate::small_map::SmallMap;
use crate::time::Timestamp;

/// The last sequence number that is accepted. One that follows the clock is far below, and there
/// is room for the messages to come.
const LAST_SEQUENCE: u64 = u64::MAX << 32;

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
            return self.load(records, now);
        }
        let records: Vec<_> = records.into_iter().collect();
        let loaded = self.load(records.clone(), now);
        self.log(now, || Input::Restore { records }, &loaded);
        loaded
    }

    fn load(
        &mut self,
        records: impl IntoIterator<Item = Record>,
        now: Timestamp,
    ) -> Result<(), RestoreError> {
        if !self.messages.is_empty() {
            return Err(RestoreError::NotFresh);
        }
        self.latest = now;
        let mut deliveries = Vec::new();
        for record in records {
            match record {
                Record::Message(record) => self.restore_message(record)?,
                Record::Delivery(record) => deliveries.push(record),
                Record::Endpoint(EndpointRecord { endpoint, mut persisted }) => {
                    // Attempts in flight are counted from the deliveries below.
                    persisted.flow.set_in_flight(0);
                    self.endpoints.entry(endpoint).or_default().persisted = *persisted;
                }
            }
        }
        for record in deliveries {
            self.restore_delivery(record)?;
        }
        for (id, state) in &mut self.endpoints {
            // An attempt from before the restart has no permit, so the outcome of a probe could not
            // reach its health.
            if let Some(probe) = state.persisted.health.probe() {
                state.persisted.health.cancel_start(probe);
            }
            state.recorded = state.persisted.clone();
            // The earlier outbox has already notified the host of an outage.
            let condition = state.condition(self.registry.get(id).is_some_and(|it| it.enabled));
            self.outage.set(&mut state.counted, condition);
        }
        for (sequence, message) in std::mem::take(&mut self.messages) {
            self.add_message(sequence, message, now);
        }
        let ids: Vec<_> = self.endpoints.keys().cloned().collect();
        for id in &ids {
            self.reconcile_endpoint(id, now);
        }
        // Ended deliveries to a removed endpoint have created a state for it that nothing needs.
        let registry = &self.registry;
        self.endpoints.retain(|id, state| state.is_worth_keeping() || registry.get(id).is_some());
        Ok(())
    }

    fn restore_message(&mut self, record: MessageRecord) -> Result<(), RestoreError> {
        let MessageRecord { sequence, accepted_at, fan_out, message } = record;
        let id = message.id().clone();
        if let Some(format) = fan_out.values().find(|it| message.rendering(it).is_none()) {
            return Err(RestoreError::NoRendering { id, format: format.clone() });
        }
        let delivery = Delivery::new(accepted_at).with_expires_at(message.expires_at());
        let new = |format| DeliveryState::new(format, delivery.clone());
        let deliveries: SmallMap<_, _> =
            fan_out.into_iter().map(|(id, format)| (id, new(format))).collect();
        let state = MessageState::new(message, accepted_at, deliveries);
        if self.messages.insert(sequence, state).is_some()
            || self.sequences.insert(id.clone(), sequence).is_some()
        {
            return Err(RestoreError::Duplicate { id });
        }
        if sequence > LAST_SEQUENCE {
            return Err(RestoreError::LastSequence { id });
        }
        self.next_sequence = self.next_sequence.max(sequence.saturating_add(1));
        Ok(())
    }

    fn restore_delivery(&mut self, record: DeliveryRecord) -> Result<(), RestoreError> {
        let DeliveryRecord { sequence, message, endpoint, delivery, found_at } = record;
        if sequence <= LAST_SEQUENCE {
            self.next_sequence = self.next_sequence.max(sequence.saturating_add(1));
        }
        let known = self.sequences.get(&message) == Some(&sequence);
        match self.delivery_mut(sequence, &endpoint).filter(|_| known) {
            Some(state) if state.in_flight.is_some() => {
                return Err(RestoreError::Duplicate { id: message });
            }
            Some(state) => {
                state.recorded = delivery.clone();
                state.delivery = delivery;
                state.found_at = found_at;
                if state.delivery.in_flight().is_some() {
                    // The crash may have come before or after it was handed out.
                    state.in_flight =
                        Some(InFlight { clearance: None, sent: true, renewed: false });
                    let flow = &mut self.endpoints.entry(endpoint).or_default().persisted.flow;
                    flow.set_in_flight(flow.in_flight().saturating_add(1));
                }
            }
            // Its message was deleted, or replaced by a later one with the same id, and the
            // deletion of this record was cut short.
            None => self.journal.touch(RecordKey::Delivery(message, endpoint)),
        }
        Ok(())
    }
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
    /// Two records are for one message, or two messages have the same sequence number.
    #[error("record of message {id} conflicts with another record")]
    Duplicate {
        /// The id of the message.
        id: MessageId,
    },
}
