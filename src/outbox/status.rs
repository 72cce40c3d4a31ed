//! State of an outbox and its endpoints: [`Status`].

use std::num::NonZeroU32;
use std::time::Duration;

use super::Outbox;
use super::counters::Counters;
use super::endpoints::EndpointSlot;
use crate::delivery::Delivery;
use crate::endpoint::{Registry, UnknownEndpointError};
use crate::flow::Flow;
use crate::health::{Health, SenderOutage};
use crate::id::{EndpointId, MessageId};
use crate::message::Message;
use crate::time::Timestamp;

/// Status of an endpoint, for operators and monitoring.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Status<'a> {
    /// Circuit breaker state, including the [evidence](Health::failures) so far.
    pub health: &'a Health,
    /// Rate and concurrency state, including the number of attempts in flight.
    pub flow: &'a Flow,
    /// Counters since the outbox was created or restored.
    pub counters: Counters,
    /// The number of deliveries that have not ended.
    pub pending: usize,
    /// The number of deliveries that are due now, ignoring health and flow limits.
    pub due: usize,
    /// When the oldest pending message was accepted.
    pub oldest_pending: Option<Timestamp>,
    /// The time between two attempts at the learned rate; `None` if the rate is not limited, or if
    /// the registry does not have the endpoint. The [flow](Self::flow) knows
    /// [why](Flow::refused_percent).
    pub spacing: Option<Duration>,
    /// The number of attempts that may be in flight; `None` if the registry does not have the
    /// endpoint.
    pub concurrency_limit: Option<NonZeroU32>,
}

impl Outbox {
    /// Returns the number of deliveries that have not ended.
    #[must_use]
    pub const fn pending(&self) -> usize {
        self.pending
    }

    /// Returns a message and its delivery to an endpoint: pending, or settled and within its
    /// [retention](Self::with_retention).
    ///
    /// [`explain`](Self::explain) says why it has not been sent yet.
    #[must_use]
    pub fn delivery(
        &self,
        message: &MessageId,
        endpoint: &EndpointId,
    ) -> Option<(&Message, Delivery)> {
        let number = self.find(message, endpoint)?;
        let message = self.messages.get(self.deliveries.place(number)?.message)?;
        Some((&*message.message, self.load(number)?.delivery))
    }

    /// Returns all deliveries: the pending ones, and those of settled messages within their
    /// [retention](Self::with_retention).
    ///
    /// They come in the order in which their messages were accepted, and each call sorts all
    /// messages first: it is meant for tools, and not for the loop.
    pub fn deliveries(&self) -> impl Iterator<Item = (&Message, &EndpointId, Delivery)> {
        let messages = self.messages.in_order().into_iter();
        messages.flat_map(move |message| {
            self.fan_out(message).into_iter().filter_map(move |(id, number)| {
                let message = &*self.messages.get(message)?.message;
                Some((message, id, self.load(number)?.delivery))
            })
        })
    }

    /// Returns the endpoints.
    #[must_use]
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Returns the status of an endpoint.
    ///
    /// # Errors
    ///
    /// [`UnknownEndpointError`] if the outbox has neither an endpoint with this id nor anything
    /// left of one.
    pub fn status(&self, endpoint: &EndpointId) -> Result<Status<'_>, UnknownEndpointError> {
        let unknown = || UnknownEndpointError { id: endpoint.clone() };
        let slot = self.endpoints.slot(self.find_endpoint(endpoint)?).ok_or_else(unknown)?;
        let EndpointSlot { endpoint: registered, state, roster, .. } = slot;
        let state = state.as_ref().ok_or_else(unknown)?;
        let flow = &state.persisted.flow;
        let policy = registered.as_ref().map(|endpoint| &endpoint.policy.flow);
        let oldest = roster.oldest().filter_map(|number| {
            let message = self.deliveries.place(number)?.message;
            self.messages.get(message)
        });
        let oldest = oldest.min_by_key(|message| message.sequence);
        Ok(Status {
            health: &state.persisted.health,
            flow,
            counters: state.counters,
            pending: roster.pending(),
            due: state.backlog.due(),
            oldest_pending: oldest.map(|message| message.accepted_at),
            spacing: policy.and_then(|policy| flow.spacing(policy)),
            concurrency_limit: policy.map(|policy| flow.concurrency_limit(policy)),
        })
    }

    /// Returns whether the current failures suggest an outage on the sender's side:
    /// [`with_outage_policy`](Self::with_outage_policy).
    #[must_use]
    pub const fn sender_outage(&self) -> SenderOutage {
        self.outage.outage()
    }
}
