//! Accepts messages: [`Outbox::publish`].

use std::sync::Arc;

use super::Outbox;
use super::input_log::Input;
use super::message_state::{LAST_SEQUENCE, MessageState};
use super::published::{PublishError, Published, RenderFailure};
use crate::message::Message;
use crate::message::format::FormatError;
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
        self.close_large_part();
        if let Some(message) = logged {
            self.log(now, || Input::Publish { message }, &published);
        }
        published
    }

    fn accept(&mut self, mut message: Message, now: Timestamp) -> Result<Published, PublishError> {
        let known = self.messages.find(message.id()).and_then(|number| self.messages.get(number));
        if let Some(known) = known {
            let differs = !known.message.is_republished_by(&message);
            if differs && self.strict_ids {
                return Err(PublishError::Conflict { id: message.id().clone() });
            }
            let mark = known.mark;
            let slots = known.fan_out.iter().filter_map(|(it, _)| self.endpoints.slot(it));
            let mut endpoints: Vec<_> = slots.map(|slot| slot.id.clone()).collect();
            endpoints.sort_unstable();
            return Ok(Published {
                duplicate: true,
                differs,
                endpoints,
                shed: Vec::new(),
                render_failures: Vec::new(),
                revision: self.journal.revision_of_message(mark),
            });
        }

        let mut endpoints = Vec::new();
        let mut shed = Vec::new();
        let mut render_failures = Vec::new();
        for (number, endpoint) in self.endpoints.subscribed(&message) {
            let group = endpoint.policy.order.group(message.keys());
            if let Some(state) = self.endpoints.get_mut(number)
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
            endpoints.push((number, endpoint));
        }
        // Based on the clock, so that it keeps rising after a restart that finds no records.
        let micros = u64::try_from(now.unix_micros()).unwrap_or(0);
        let sequence = self.next_sequence.max(micros);
        let has_room = self.messages.room() > 0 && self.deliveries.room() >= endpoints.len();
        if !has_room || sequence > LAST_SEQUENCE {
            return Err(PublishError::Full { id: message.id().clone() });
        }

        self.next_sequence = sequence.saturating_add(1);
        // The positions of the renderings are known once all are made.
        let fan_out = endpoints.iter().filter_map(|(number, endpoint)| {
            Some((*number, message.rendering_position(endpoint.format().name())?))
        });
        let fan_out: Vec<_> = fan_out.collect();
        let number = self.add_message(MessageState::new(Arc::new(message), sequence, now), fan_out);
        self.touch_message(number);
        self.open_message(number, now);
        for (number, _) in &endpoints {
            if let Some(state) = self.endpoints.get_mut(*number) {
                state.counters.accepted();
            }
        }
        let mark = self.messages.get(number).map(|state| state.mark).unwrap_or_default();
        let revision = self.journal.revision_of_message(mark);
        let endpoints = endpoints.iter().map(|(_, endpoint)| endpoint.id().clone()).collect();
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
