//! Starts attempts, hands them out, and moves what is due by time.

use std::sync::Arc;

use super::Outbox;
use super::attempt::{Attempt, Ticket};
use super::delivery_state::DeliveryState;
use super::endpoint_state::Next;
use super::in_flight::{AttemptKind, Clearance, InFlight};
use super::index::timers::Timer;
use super::message_state::MessageState;
use super::record::RecordKey;
use crate::id::EndpointId;
use crate::time::Timestamp;

impl Outbox {
    /// Adds a message and its deliveries, new or restored.
    pub(super) fn add_message(&mut self, sequence: u64, mut message: MessageState, now: Timestamp) {
        let endpoints: Vec<_> = message.deliveries.keys().cloned().collect();
        message.open = endpoints.len();
        self.pending = self.pending.saturating_add(message.open);
        if endpoints.is_empty() {
            let forget_at = message.settled_at + self.retention;
            let scheduled = &mut message.forget_timer;
            self.timers.set(scheduled, Some(forget_at), || Timer::Forget(sequence));
        }
        self.messages.insert(sequence, message);
        for endpoint in &endpoints {
            self.endpoints.entry(endpoint.clone()).or_default();
            self.reconcile_delivery(sequence, endpoint, None, now);
        }
    }

    /// Moves everything whose timer is due.
    pub(super) fn expire_timers(&mut self, now: Timestamp) {
        while let Some(timer) = self.timers.expire(now) {
            match timer {
                Timer::Delivery(sequence, endpoint) => {
                    if let Some(state) = self.delivery_mut(sequence, &endpoint) {
                        state.timer.expired();
                    }
                    self.reconcile_delivery(sequence, &endpoint, None, now);
                }
                Timer::Endpoint(endpoint) => {
                    if let Some(state) = self.endpoints.get_mut(&endpoint) {
                        state.timer.expired();
                    }
                    self.reconcile_endpoint(&endpoint, now);
                }
                Timer::Forget(sequence) => self.forget(sequence),
            }
        }
    }

    /// Starts the attempts that may go, in the order of the fair queue, up to one batch.
    pub(super) fn start_due(&mut self, now: Timestamp) {
        // At the end of time no deadline is after `now`: an attempt would time out as it starts.
        if now == Timestamp::MAX || self.draining {
            return;
        }
        while self.journal.guarded_attempts() < self.batch.get() {
            let Some(id) = self.fair_queue.next().cloned() else { return };
            // If the clock went back, what could go before may have to wait now. Reconciling then
            // takes the endpoint out of the fair queue.
            if let Next::Go { sequence, kind } = self.reconcile_endpoint(&id, now)
                && !self.start(sequence, &id, kind, now)
            {
                return;
            }
        }
    }

    /// Starts one attempt. Returns `false` if the delivery was not due after all, and the backlog
    /// still has it as due: trying again would change nothing.
    fn start(&mut self, sequence: u64, id: &EndpointId, kind: AttemptKind, now: Timestamp) -> bool {
        let Some(endpoint) = self.registry.get(id) else { return false };
        let Some(endpoint_state) = self.endpoints.get_mut(id) else { return false };
        let Some(message_state) = self.messages.get_mut(&sequence) else { return false };
        let Some(state) = message_state.deliveries.get_mut(id) else { return false };
        let health = &mut endpoint_state.persisted.health;
        let deadline = now + endpoint.policy.retry.attempt_timeout();
        let number = state.delivery.attempts().saturating_sub(state.delivery.before_replay());
        let number = number.saturating_add(1);
        let Some(permit) = health.start(number, deadline, now) else { return false };
        if let Some(started) = state.delivery.start(&endpoint.policy.retry, now) {
            endpoint_state.probe_unsent = permit.is_probe();
            let receipt = endpoint_state.start(&endpoint.policy.flow, kind, now);
            let message = &message_state.message;
            let body = message.rendering(&state.format).map_or(0, |it| it.body().len());
            self.fair_queue.served(id, &mut endpoint_state.share, body);
            let clearance = Some(Clearance { permit, kind, receipt });
            state.in_flight = Some(InFlight { clearance, sent: false, renewed: false });
            let (message, endpoint) = (message.id().clone(), id.clone());
            let attempt = started.number;
            self.reconcile_delivery(sequence, id, None, now);
            self.journal.guard_attempt(Ticket { sequence, message, endpoint, attempt, permit });
        } else {
            // The delivery's window has ended since it was last looked at.
            health.cancel_start(permit);
            self.reconcile_delivery(sequence, id, None, now);
        }
        let state = self.delivery_mut(sequence, id);
        state.is_some_and(|state| !state.placement.phase().is_due())
    }

    /// Hands an attempt out, unless it became obsolete while it was being saved.
    pub(super) fn send(&mut self, ticket: Ticket, now: Timestamp) -> Option<Attempt> {
        self.reconcile_delivery(ticket.sequence, &ticket.endpoint, None, now);
        let endpoint = Arc::clone(self.registry.get(&ticket.endpoint)?);
        let message_state = self.messages.get_mut(&ticket.sequence)?;
        let message = Arc::clone(&message_state.message);
        let endpoint_state = self.endpoints.get_mut(&ticket.endpoint)?;
        let state = message_state.deliveries.get_mut(&ticket.endpoint)?;
        let started = state.delivery.in_flight()?;
        let in_flight = state.in_flight.as_mut()?;
        // An attempt that was cancelled and started again has the same number. Its permit differs
        // if the endpoint was enabled in between.
        let is_current =
            started.number == ticket.attempt && in_flight.permit() == Some(ticket.permit);
        if in_flight.sent || !is_current {
            return None;
        }
        // A replay may have put an earlier delivery of its ordering group ahead of it.
        let group = endpoint.policy.order.group(message.keys());
        let blocked =
            group.is_some_and(|group| endpoint_state.backlog.is_blocked(group, ticket.sequence));
        if blocked || self.draining || endpoint_state.is_overtaken(in_flight) {
            state.delivery.cancel_start(started.number);
            self.reconcile_delivery(ticket.sequence, &ticket.endpoint, None, now);
            return None;
        }
        in_flight.sent = true;
        let rendering = message.rendering(&state.format)?.clone();
        if ticket.permit.is_probe() {
            endpoint_state.probe_unsent = false;
        }
        endpoint_state.counters.sent(started.number);
        Some(Attempt { ticket, deadline: started.deadline, endpoint, message, rendering })
    }

    /// Forgets a message whose retention has ended.
    pub(super) fn forget(&mut self, sequence: u64) {
        let Some(state) = self.messages.remove(&sequence) else { return };
        let message = state.message.id();
        self.sequences.remove(message);
        self.journal.touch(RecordKey::Message(message.clone()));
        for endpoint in state.deliveries.into_keys() {
            self.journal.touch(RecordKey::Delivery(message.clone(), endpoint));
        }
    }

    pub(super) fn delivery_mut(
        &mut self,
        sequence: u64,
        endpoint: &EndpointId,
    ) -> Option<&mut DeliveryState> {
        self.messages.get_mut(&sequence)?.deliveries.get_mut(endpoint)
    }
}
