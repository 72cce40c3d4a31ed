//! The way back in: [`Outbox::restore`].

use super::delivery_state::DeliveryState;
use super::in_flight::InFlight;
use super::record::{DeliveryRecord, EndpointRecord, MessageRecord, Record, RecordKey};
use super::{Entry, Outbox};
use crate::delivery::Delivery;
use crate::id::MessageId;
use crate::small_map::SmallMap;
use crate::time::Timestamp;

impl Outbox {
    /// Takes up from saved records, in any order, what an earlier outbox left.
    ///
    /// Call it on a fresh outbox with the same seed. What any prefix of an earlier outbox's
    /// changes leaves in storage can be restored from. An attempt that was in flight may have
    /// reached its receiver, so it is waited for until its deadline and then counts as timed out.
    /// Deliveries whose endpoint the registry does not know are held until
    /// [`insert_endpoint`](Outbox::insert_endpoint) brings it back or
    /// [`remove_endpoint`](Outbox::remove_endpoint) gives it up.
    ///
    /// # Errors
    ///
    /// [`RestoreError`] where the records are not those of one outbox.
    pub fn restore(
        mut self,
        records: impl IntoIterator<Item = Record>,
        now: Timestamp,
    ) -> Result<Self, RestoreError> {
        if !self.messages.is_empty() {
            return Err(RestoreError::NotFresh);
        }
        let mut rows = Vec::new();
        for record in records {
            match record {
                Record::Message(record) => self.restore_message(record)?,
                Record::Delivery(record) => rows.push(record),
                Record::Endpoint(EndpointRecord { endpoint, mut kept }) => {
                    // That is the deliveries' rows to tell.
                    kept.flow.set_in_flight(0);
                    self.lanes.entry(endpoint).or_default().kept = *kept;
                }
            }
        }
        for row in rows {
            self.restore_delivery(row);
        }
        for (id, lane) in &mut self.lanes {
            // Of a probe that was in flight the health will hear no more: a flight of before has no
            // pass.
            if let Some(probe) = lane.kept.health.probe() {
                lane.kept.health.cancel_start(probe);
            }
            lane.recorded = lane.kept.clone();
            // Of an outage of its own the host was told before.
            let census = lane.census(self.registry.get(id).is_some_and(|it| it.enabled));
            self.watch.count(lane.census, census);
            lane.census = census;
        }
        for (sequence, entry) in std::mem::take(&mut self.messages) {
            self.admit(sequence, entry, now);
        }
        let ids: Vec<_> = self.lanes.keys().cloned().collect();
        for id in &ids {
            self.tend(id, now);
        }
        // A removed endpoint has a lane again by its deliveries that have ended, and nothing asks
        // for it.
        let registry = &self.registry;
        self.lanes.retain(|id, lane| lane.is_worth_keeping() || registry.get(id).is_some());
        Ok(self)
    }

    fn restore_message(&mut self, record: MessageRecord) -> Result<(), RestoreError> {
        let MessageRecord { sequence, accepted_at, fan_out, message } = record;
        let id = message.id().clone();
        if let Some(format) = fan_out.values().find(|it| message.rendering(it).is_none()) {
            return Err(RestoreError::NoRendering { id, format: format.clone() });
        }
        let delivery = Delivery::new(accepted_at).with_expires_at(message.expires_at());
        let fresh = |format| DeliveryState::new(format, delivery.clone());
        let slots: SmallMap<_, _> = fan_out.into_iter().map(|(id, it)| (id, fresh(it))).collect();
        let entry = Entry::new(message, accepted_at, slots);
        if self.messages.insert(sequence, entry).is_some()
            || self.sequences.insert(id.clone(), sequence).is_some()
        {
            return Err(RestoreError::Repeated { id });
        }
        let Some(next) = sequence.checked_add(1) else {
            return Err(RestoreError::LastSequence { id });
        };
        self.next_sequence = self.next_sequence.max(next);
        Ok(())
    }

    fn restore_delivery(&mut self, row: DeliveryRecord) {
        let DeliveryRecord { sequence, message, endpoint, delivery, found_at } = row;
        self.next_sequence = self.next_sequence.max(sequence.checked_add(1).unwrap_or(0));
        let known = self.sequences.get(&message) == Some(&sequence);
        match self.slot(sequence, &endpoint).filter(|_| known) {
            Some(slot) => {
                slot.recorded = delivery.clone();
                slot.delivery = delivery;
                slot.found_at = found_at;
                // It may have been: a crash hides whether it was.
                slot.sent = true;
                if let Some(started) = slot.delivery.in_flight() {
                    slot.flight = Some(InFlight { started, clearance: None });
                    let flow = &mut self.lanes.entry(endpoint).or_default().kept.flow;
                    flow.set_in_flight(flow.in_flight().saturating_add(1));
                }
            }
            // Its message is gone, or is a later one of the same id: a removal that was cut short.
            None => self.journal.touch(RecordKey::Delivery(message, endpoint)),
        }
    }
}

/// Records cannot be restored from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The outbox has messages already.
    #[error("only an outbox without messages can be restored into")]
    NotFresh,
    /// A message lacks the rendering that one of its deliveries is to send.
    #[error("the message {id} has no rendering in the format {format}")]
    NoRendering {
        /// The id.
        id: MessageId,
        /// The name of the format.
        format: Box<str>,
    },
    /// A message was given the last sequence that there is: no outbox comes so far.
    #[error("the message {id} leaves no sequence for another")]
    LastSequence {
        /// The id.
        id: MessageId,
    },
    /// Two records are of one message, or of two messages of one sequence: the records are not
    /// those of one outbox.
    #[error("the message {id} clashes with another record")]
    Repeated {
        /// The id.
        id: MessageId,
    },
}
