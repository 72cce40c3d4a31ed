//! The way in: [`Outbox::publish`].

use std::sync::Arc;

use super::delivery_state::DeliveryState;
use super::record::{RecordKey, Revision};
use super::{Entry, Outbox};
use crate::delivery::Delivery;
use crate::id::{EndpointId, MessageId};
use crate::message::Message;
use crate::message::format::FormatError;
use crate::small_map::SmallMap;
use crate::time::Timestamp;

impl Outbox {
    /// Accepts a message for every endpoint in use whose subscription it matches, and renders it
    /// in each format that these name.
    ///
    /// Accepted is not yet durable: the message is when [`Published::revision`] is saved. After a
    /// crash before that, publish it again. Publishing again is always safe: a message that the
    /// outbox knows is reported as a [duplicate](Published::duplicate), and nothing changes.
    ///
    /// # Errors
    ///
    /// [`PublishError::Conflict`] where the outbox knows another message of the same id.
    pub fn publish(
        &mut self,
        mut message: Message,
        now: Timestamp,
    ) -> Result<Published, PublishError> {
        let key = RecordKey::Message(message.id().clone());
        if let Some(sequence) = self.sequences.get(message.id()) {
            let known = self.messages.get(sequence);
            if !known.is_some_and(|entry| entry.message.is_republished_by(&message)) {
                return Err(PublishError::Conflict { id: message.id().clone() });
            }
            return Ok(Published {
                duplicate: true,
                endpoints: known.map(|it| it.slots.keys().cloned().collect()).unwrap_or_default(),
                shed: Vec::new(),
                inexpressible: Vec::new(),
                revision: self.journal.revision_of(&key),
            });
        }

        let delivery = Delivery::new(now).with_expires_at(message.expires_at());
        let mut slots = Vec::new();
        let mut shed = Vec::new();
        let mut inexpressible = Vec::new();
        for endpoint in self.registry.iter() {
            if !endpoint.enabled || !endpoint.subscription.matches(&message) {
                continue;
            }
            let line = endpoint.policy.order.line(message.keys());
            if let Some(lane) = self.lanes.get_mut(endpoint.id())
                && !lane.takes(&endpoint.policy.health, line, now)
            {
                lane.counters.shed();
                shed.push(endpoint.id().clone());
                continue;
            }
            let signable = endpoint.check_signer(message.id()).map_err(|error| {
                FormatError::new("the endpoint's signer cannot sign the message").with_source(error)
            });
            if let Err(error) = signable.and_then(|()| message.render(endpoint.format())) {
                inexpressible.push(RenderFailure { endpoint: endpoint.id().clone(), error });
                continue;
            }
            let format = endpoint.format().name().into();
            slots.push((endpoint.id().clone(), DeliveryState::new(format, delivery.clone())));
        }

        // It goes on rising when a restart finds no record to count on from.
        let micros = u64::try_from(now.unix_micros()).unwrap_or(0);
        let sequence = self.next_sequence.max(micros);
        self.next_sequence = sequence.saturating_add(1);
        self.sequences.insert(message.id().clone(), sequence);
        self.journal.touch(key.clone());
        let slots: SmallMap<_, _> = slots.into_iter().collect();
        let endpoints: Vec<_> = slots.keys().cloned().collect();
        let message = Arc::new(message);
        self.admit(sequence, Entry::new(message, now, slots), now);
        for id in &endpoints {
            if let Some(lane) = self.lanes.get_mut(id) {
                lane.counters.accepted();
            }
        }
        let revision = self.journal.revision_of(&key);
        Ok(Published { duplicate: false, endpoints, shed, inexpressible, revision })
    }
}

/// What became of a published message.
#[derive(Debug)]
#[non_exhaustive]
pub struct Published {
    /// Whether the outbox knew the message already; nothing changed then.
    pub duplicate: bool,
    /// The endpoints that it is delivered to.
    pub endpoints: Vec<EndpointId>,
    /// The endpoints that wanted it and take nothing new at present: they are disabled, or
    /// suspended under [`NewMessages::Shed`](crate::health::NewMessages::Shed). They do not get
    /// it. Of a duplicate this is empty, whatever it was the first time.
    pub shed: Vec<EndpointId>,
    /// The endpoints that wanted it and whose format cannot express it, or whose signer cannot
    /// sign it: they do not get it. Of a
    /// duplicate this is empty, whatever it was the first time.
    pub inexpressible: Vec<RenderFailure>,
    /// With which revision the message is durable: this one or any later. An outbox without
    /// storage has none to wait for.
    pub revision: Revision,
}

/// An endpoint whose format cannot express a message, or whose signer cannot sign it.
#[derive(Debug)]
#[non_exhaustive]
pub struct RenderFailure {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// Why not.
    pub error: FormatError,
}

/// A message cannot be accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The outbox knows another message of the same id.
    #[error("another message of the id {id} was published before")]
    Conflict {
        /// The id.
        id: MessageId,
    },
}
