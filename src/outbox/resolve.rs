//! Applies the outcomes of attempts: [`Outbox::resolve`].

use super::Outbox;
use super::attempt::Ticket;
use super::input_log::Input;
use super::message_state::MessageState;
use super::slab::{DeliveryNo, EndpointNo};
use crate::delivery::{Control, Ignored, JitterSeed, Outcome, Resolution, RetryPolicy, Verdict};
use crate::health::SignalEffect;
use crate::policy::EndpointPolicy;
use crate::time::Timestamp;

impl Outbox {
    /// Applies the outcome of an attempt.
    ///
    /// Report every outcome once, late ones too: a late success still ends its delivery, within the
    /// limits of [`Delivery::resolve`](crate::delivery::Delivery::resolve). A ticket that is stale,
    /// repeated or from another outbox changes nothing, and returns [`Resolution::Ignored`].
    pub fn resolve(&mut self, ticket: &Ticket, outcome: &Outcome, now: Timestamp) -> Resolution {
        let resolution = self.end_attempt(ticket, outcome, now);
        let input = || Input::Resolve { ticket: ticket.clone(), outcome: outcome.clone() };
        self.log(now, input, &resolution);
        resolution
    }

    fn end_attempt(&mut self, ticket: &Ticket, outcome: &Outcome, now: Timestamp) -> Resolution {
        const UNKNOWN: Resolution = Resolution::Ignored(Ignored::NeverStarted);
        let Ticket { message, endpoint: id, attempt, .. } = ticket;
        let Some(endpoint_number) = self.endpoints.find(id) else { return UNKNOWN };
        let Some(number) = self.find_ticket(ticket, endpoint_number) else { return UNKNOWN };
        let Some(mut state) = self.load(number) else { return UNKNOWN };
        let live = state.delivery.in_flight().is_some_and(|started| started.number == *attempt);
        if live && !state.is_sent() {
            return UNKNOWN;
        }
        let seed = JitterSeed::new(self.seed, message, id);
        let endpoint = self.endpoints.slot(endpoint_number).and_then(|it| it.endpoint.as_deref());
        let resolution = match endpoint {
            Some(endpoint) => state.resolve(&endpoint.policy.retry, seed, *attempt, outcome, now),
            // Without its endpoint there is no policy to judge by. A 2xx is a success under any.
            None if outcome.status().is_some_and(|status| status.is_success()) => {
                state.resolve(&RetryPolicy::default(), seed, *attempt, outcome, now)
            }
            None => return Resolution::Ignored(Ignored::NoPolicy),
        };
        let before_replay = *attempt <= state.delivery.before_replay();
        // The deadline was found passed before, which was no evidence. This report is, also if the
        // delivery ended with the deadline.
        let unheard = state.unreported == *attempt && !before_replay;
        if unheard {
            state.unreported = 0;
        }
        if matches!(resolution, Resolution::Ignored(_)) {
            self.store(number, state);
            if unheard {
                self.record_late(ticket, endpoint_number, outcome, now);
            }
            return resolution;
        }
        let has_permit = state.in_flight.is_some_and(|it| it.permit().is_some());
        self.reconcile_delivery(number, state, Some(outcome).filter(|_| live), now);
        // If the attempt was live and has a permit, its health has heard of it just now. Of a late
        // attempt, or one from before a restart, it hears a success, and that the receiver wants
        // nothing more, which it can say even in a success. One from before a replay says nothing:
        // its endpoint may have been removed and added again since.
        let success = resolution == Resolution::LateSuccess
            || resolution == Resolution::Ended(Verdict::Delivered);
        let gone = resolution == Resolution::Ended(Verdict::Gone)
            || outcome.control() == Some(Control::Disable);
        if unheard || ((gone || success) && !before_replay && !(live && has_permit)) {
            self.record_late(ticket, endpoint_number, outcome, now);
        }
        // If that disabled the endpoint, the delivery may have ended instead.
        let verdict = self.deliveries.verdict(number);
        match (resolution, verdict) {
            (Resolution::Retry { .. } | Resolution::InDoubt, Some(verdict)) => {
                Resolution::Ended(verdict)
            }
            _ => resolution,
        }
    }

    /// Records an outcome in its endpoint's health that did not end an attempt in flight.
    fn record_late(
        &mut self,
        ticket: &Ticket,
        number: EndpointNo,
        outcome: &Outcome,
        now: Timestamp,
    ) {
        let (permit, outage) = (ticket.permit, self.outage.outage());
        let endpoint = self.endpoints.slot(number).and_then(|slot| slot.endpoint.as_deref());
        let (signal, policy) = match endpoint {
            Some(endpoint) => (endpoint.policy.observe(outcome).signal, endpoint.policy.health),
            // It was removed, or is absent until the host adds it again.
            None => {
                let policy = EndpointPolicy::default();
                (policy.observe(outcome).signal, policy.health)
            }
        };
        let transition = self
            .operate(number, now, |health| health.record(&policy, outage, permit, signal, now))
            .and_then(SignalEffect::transition);
        self.follow_transition(number, transition, now);
    }

    /// Returns the delivery of a ticket, unless the ticket is foreign or from an earlier message
    /// with the same id.
    fn find_ticket(&self, ticket: &Ticket, endpoint: EndpointNo) -> Option<DeliveryNo> {
        let is_of_message = |message: &MessageState| {
            message.sequence == ticket.sequence && *message.message.id() == ticket.message
        };
        if let Some(number) = self.deliveries.in_flight(ticket.sequence, endpoint) {
            let message = self.messages.get(self.deliveries.place(number)?.message)?;
            return is_of_message(message).then_some(number);
        }
        let message = self.messages.get(self.messages.find(&ticket.message)?)?;
        is_of_message(message).then(|| message.fan_out.get(endpoint))?
    }
}
