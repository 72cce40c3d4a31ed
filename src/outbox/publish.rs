//! Accepts messages: [`Outbox::publish`].

use std::sync::Arc;

use super::Outbox;
use super::changes::Revision;
use super::delivery_state::DeliveryState;
use super::message_state::MessageState;
use super::record::RecordKey;
use crate::delivery::Delivery;
use crate::id::{EndpointId, MessageId};
use crate::message::Message;
use crate::message::format::FormatError;
use crate::small_map::SmallMap;
use crate::time::Timestamp;

impl Outbox {
    /// Accepts a message for every enabled endpoint whose subscription matches it, and renders it
    /// in each of their formats.
    ///
    /// An accepted message is durable once [`Published::revision`] is saved. After a crash before
    /// that, publish it again. A message that the outbox still has is reported as a
    /// [duplicate](Published::duplicate) and changes nothing; the outbox forgets a message when its
    /// [retention](Self::with_retention) ends.
    ///
    /// # Errors
    ///
    /// [`PublishError::Conflict`] if the outbox has a different message with the same id.
    pub fn publish(
        &mut self,
        mut message: Message,
        now: Timestamp,
    ) -> Result<Published, PublishError> {
        let key = RecordKey::Message(message.id().clone());
        if let Some(sequence) = self.sequences.get(message.id()) {
            let known = self.messages.get(sequence);
            if !known.is_some_and(|state| state.message.is_republished_by(&message)) {
                return Err(PublishError::Conflict { id: message.id().clone() });
            }
            return Ok(Published {
                duplicate: true,
                endpoints: known
                    .map(|state| state.deliveries.keys().cloned().collect())
                    .unwrap_or_default(),
                shed: Vec::new(),
                render_failures: Vec::new(),
                revision: self.journal.revision_of(&key),
            });
        }

        let delivery = Delivery::new(now).with_expires_at(message.expires_at());
        let mut deliveries = Vec::new();
        let mut shed = Vec::new();
        let mut render_failures = Vec::new();
        for endpoint in self.registry.iter() {
            if !endpoint.enabled || !endpoint.subscription.matches(&message) {
                continue;
            }
            let group = endpoint.policy.order.group(message.keys());
            if let Some(state) = self.endpoints.get_mut(endpoint.id())
                && !state.takes(&endpoint.policy.health, group, now)
            {
                state.counters.shed();
                shed.push(endpoint.id().clone());
                continue;
            }
            let signable = endpoint.check_signer(message.id()).map_err(|error| {
                FormatError::new("the endpoint's signer cannot sign the message").with_source(error)
            });
            if let Err(error) = signable.and_then(|()| message.render(endpoint.format())) {
                render_failures.push(RenderFailure { endpoint: endpoint.id().clone(), error });
                continue;
            }
            let format = endpoint.format().name().into();
            deliveries.push((endpoint.id().clone(), DeliveryState::new(format, delivery.clone())));
        }

        // Based on the clock, so that it keeps rising after a restart that finds no records.
        let micros = u64::try_from(now.unix_micros()).unwrap_or(0);
        let sequence = self.next_sequence.max(micros);
        self.next_sequence = sequence.saturating_add(1);
        self.sequences.insert(message.id().clone(), sequence);
        self.journal.touch(key.clone());
        let deliveries: SmallMap<_, _> = deliveries.into_iter().collect();
        let endpoints: Vec<_> = deliveries.keys().cloned().collect();
        let message = Arc::new(message);
        self.add_message(sequence, MessageState::new(message, now, deliveries), now);
        for id in &endpoints {
            if let Some(state) = self.endpoints.get_mut(id) {
                state.counters.accepted();
            }
        }
        let revision = self.journal.revision_of(&key);
        Ok(Published { duplicate: false, endpoints, shed, render_failures, revision })
    }
}

/// Result of [`Outbox::publish`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Published {
    /// Whether the outbox already had the message. Nothing changed then.
    #[doc(alias = "idempotency key")]
    pub duplicate: bool,
    /// The endpoints that the message goes to.
    pub endpoints: Vec<EndpointId>,
    /// The endpoints that match but take no new messages: they are disabled, or have been
    /// down for [too long](crate::HealthPolicy::with_shed_after). The message does not go to them.
    /// Always empty for a duplicate.
    pub shed: Vec<EndpointId>,
    /// The endpoints that match but whose format cannot express the message, or whose signer cannot
    /// sign it. The message does not go to them. Always empty for a duplicate.
    pub render_failures: Vec<RenderFailure>,
    /// The message is durable once this revision, or a later one, is saved. Without storage there
    /// is nothing to wait for.
    pub revision: Revision,
}

/// An endpoint that a message does not go to, because its format cannot express the message or its
/// signer cannot sign it.
#[derive(Debug)]
#[non_exhaustive]
pub struct RenderFailure {
    /// The id of the endpoint.
    pub endpoint: EndpointId,
    /// The error of the format or the signer.
    pub error: FormatError,
}

/// Error of [`Outbox::publish`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The outbox has a different message with the same id.
    #[error("message id {id} was already published with different content")]
    Conflict {
        /// The id of the message.
        id: MessageId,
    },
}
