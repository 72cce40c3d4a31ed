//! Accepts messages: [`Outbox::publish`].

use std::sync::Arc;

use super::Outbox;
use super::delivery_state::DeliveryState;
use super::input_log::Input;
use super::message_state::MessageState;
use super::published::{PublishError, Published, RenderFailure};
use super::record::RecordKey;
use crate::delivery::Delivery;
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
    /// [retention](Self::with_retention) ends. If the other content of a duplicate is a mistake of
    /// your application, [`Published::differs`] shows it.
    ///
    /// # Errors
    ///
    /// [`PublishError::Conflict`] if the outbox has a different message with the same id, and was
    /// created [with strict ids](Self::with_strict_ids).
    pub fn publish(&mut self, message: Message, now: Timestamp) -> Result<Published, PublishError> {
        let logged = self.log.is_on().then(|| Box::new(message.clone()));
        let published = self.accept(message, now);
        if let Some(message) = logged {
            self.log(now, || Input::Publish { message }, &published);
        }
        published
    }

    fn accept(&mut self, mut message: Message, now: Timestamp) -> Result<Published, PublishError> {
        let key = RecordKey::Message(message.id().clone());
        if let Some(sequence) = self.sequences.get(message.id()) {
            let known = self.messages.get(sequence);
            let differs = !known.is_some_and(|it| it.message.is_republished_by(&message));
            if differs && self.strict_ids {
                return Err(PublishError::Conflict { id: message.id().clone() });
            }
            return Ok(Published {
                duplicate: true,
                differs,
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
        Ok(Published {
            duplicate: false,
            differs: false,
            endpoints,
            shed,
            render_failures,
            revision,
        })
    }
}
