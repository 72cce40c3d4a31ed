//! Starts attempts, hands them out, and moves what is due by time.

use std::sync::Arc;

use super::Outbox;
use super::attempt::{Attempt, Ticket};
use super::deliveries::{Deliveries, Place};
use super::endpoint_state::Next;
use super::endpoints::{EndpointSlot, Endpoints};
use super::group::Start;
use super::in_flight::{AttemptKind, Clearance, InFlight};
use super::index::timers::{Scheduled, Timer};
use super::message_state::{MessageState, Messages};
use super::record::RecordKey;
use super::slab::{DeliveryNo, EndpointNo, MessageNo};
use super::sweep::PER_CALL;
use crate::time::Timestamp;

impl Outbox {
    /// Adds a message and its deliveries, new or restored. There must be room for it.
    pub(super) fn add_message(
        &mut self,
        message: MessageState,
        fan_out: impl IntoIterator<Item = (EndpointNo, u32)>,
    ) -> MessageNo {
        let new = message.new_delivery();
        let number = self.messages.insert(message);
        let deliveries = fan_out.into_iter().map(|(endpoint, rendering)| {
            let place = Place { message: number, endpoint, rendering };
            (endpoint, self.deliveries.add(place, &new))
        });
        let fan_out = deliveries.collect();
        if let Some(state) = self.messages.get_mut(number) {
            state.fan_out = fan_out;
        }
        number
    }

    /// Takes the deliveries of an added message into use.
    pub(super) fn open_message(&mut self, number: MessageNo, now: Timestamp) {
        let deliveries: Vec<_> = self.fan_out(number).into_iter().map(|(_, it)| it).collect();
        let Some(state) = self.messages.get_mut(number) else { return };
        state.open = u32::try_from(deliveries.len()).unwrap_or(u32::MAX);
        self.pending = self.pending.saturating_add(deliveries.len());
        if deliveries.is_empty() {
            self.schedule_forgetting(number);
        }
        for delivery in deliveries {
            self.refresh_delivery(delivery, now);
        }
    }

    /// Moves what has a timer that is due, up to [`PER_CALL`]: the rest is due at once.
    pub(super) fn expire_timers(&mut self, now: Timestamp) {
        for _ in 0..PER_CALL {
            let Some(timer) = self.expire_timer(now) else { return };
            match timer {
                Timer::Delivery(delivery) => {
                    if let Some(timer) = self.deliveries.timer_mut(delivery) {
                        timer.expired();
                    }
                    self.refresh_delivery(delivery, now);
                }
                Timer::Endpoint(endpoint) => {
                    if let Some(state) = self.endpoints.get_mut(endpoint) {
                        state.timer.expired();
                    }
                    self.reconcile_endpoint(endpoint, now);
                }
                Timer::Forget(message) => self.forget(message),
            }
            self.close_large_part();
        }
    }

    fn expire_timer(&mut self, now: Timestamp) -> Option<Timer> {
        let Self { timers, deliveries, endpoints, messages, .. } = self;
        timers.expire(now, |timer| scheduled(deliveries, endpoints, messages, timer))
    }

    /// Returns the instant of the next timer.
    pub(super) fn next_timer_at(&mut self) -> Option<Timestamp> {
        let Self { timers, deliveries, endpoints, messages, .. } = self;
        timers.next_at(|timer| scheduled(deliveries, endpoints, messages, timer))
    }

    /// Starts the attempts that may go, in the order of the fair queue, up to one batch.
    pub(super) fn start_due(&mut self, now: Timestamp) {
        // At the end of time no deadline is after `now`: an attempt would time out as it starts.
        if now == Timestamp::MAX || self.draining {
            return;
        }
        while self.journal.guarded_attempts() < self.batch.get() {
            let Some(endpoint) = self.fair_queue.next() else { return };
            // If the clock went back, what could go before may have to wait now. Reconciling then
            // takes the endpoint out of the fair queue.
            if let Next::Go { delivery, kind } = self.reconcile_endpoint(endpoint, now)
                && !self.start(delivery, kind, now)
            {
                return;
            }
        }
    }

    /// Starts one attempt. Returns `false` if the delivery was not due after all, and the backlog
    /// still has it as due: trying again would change nothing.
    fn start(&mut self, number: DeliveryNo, kind: AttemptKind, now: Timestamp) -> bool {
        let Some(mut state) = self.load(number) else { return false };
        let Some(place) = self.deliveries.place(number) else { return false };
        let Some(message_state) = self.messages.get(place.message) else { return false };
        let Some(slot) = self.endpoints.slot_mut(place.endpoint) else { return false };
        let EndpointSlot { id, endpoint: Some(endpoint), state: Some(endpoint_state), .. } = slot
        else {
            return false;
        };
        let health = &mut endpoint_state.persisted.health;
        let deadline = now + endpoint.policy.retry.attempt_timeout();
        let attempt = state.delivery.attempts().saturating_sub(state.delivery.before_replay());
        let attempt = attempt.saturating_add(1);
        let Some(permit) = health.start(attempt, deadline, now) else { return false };
        if let Some(started) = state.delivery.start(&endpoint.policy.retry, now) {
            endpoint_state.probe_unsent = permit.is_probe();
            let receipt = endpoint_state.start(&endpoint.policy.flow, kind, now);
            let message = &message_state.message;
            let body = message.rendering_at(place.rendering).map_or(0, |(_, it)| it.body_len());
            self.fair_queue.served(place.endpoint, &mut endpoint_state.share, body);
            let clearance = Some(Clearance { permit, kind, receipt });
            let start = self.journal.next_revision();
            state.in_flight = Some(InFlight { clearance, start, sent: false, renewed: false });
            let ticket = Ticket {
                sequence: message_state.sequence,
                message: message.id().clone(),
                endpoint: id.clone(),
                attempt: started.number,
                permit,
            };
            self.reconcile_delivery(number, state, None, now);
            self.journal.guard_attempt(Start { delivery: number, ticket, start });
        } else {
            // The delivery's window has ended since it was last looked at.
            health.cancel_start(permit);
            self.reconcile_delivery(number, state, None, now);
        }
        !self.deliveries.is_due(number)
    }

    /// Hands an attempt out, unless it became obsolete while it was being saved.
    pub(super) fn send(&mut self, start: Start, now: Timestamp) -> Option<Attempt> {
        let Start { delivery: number, ticket, start } = start;
        let is_same = |outbox: &Self, place: Place| {
            let state = outbox.messages.get(place.message);
            state.is_some_and(|state| state.sequence == ticket.sequence)
        };
        // Its message may have been forgotten, and its number given out again.
        let place = self.deliveries.place(number).filter(|place| is_same(self, *place))?;
        let mut state = self.load(number)?;
        let slot = self.endpoints.slot(place.endpoint)?;
        let is_ready = slot.endpoint.as_ref().zip(slot.state.as_ref()).is_some_and(
            |(endpoint, endpoint_state)| {
                state.is_ready(endpoint, endpoint_state.is_in_use(endpoint), now)
            },
        );
        if !is_ready {
            self.reconcile_delivery(number, state, None, now);
            state = self.load(number)?;
        }
        let message = Arc::clone(&self.messages.get(place.message)?.message);
        let slot = self.endpoints.slot_mut(place.endpoint)?;
        let EndpointSlot {
            id,
            endpoint: Some(endpoint),
            state: Some(endpoint_state),
            is_swept,
            ..
        } = slot
        else {
            return None;
        };
        if *id != ticket.endpoint {
            return None;
        }
        let endpoint = Arc::clone(endpoint);
        let started = state.delivery.in_flight()?;
        let in_flight = state.in_flight.as_mut()?;
        // An attempt that was cancelled and started again has the same number, and its start may
        // not be durable yet.
        let is_current = in_flight.start == start
            && started.number == ticket.attempt
            && in_flight.permit() == Some(ticket.permit);
        if in_flight.sent || !is_current {
            return None;
        }
        // A replay may have put an earlier delivery of its ordering group ahead of it.
        let group = endpoint.policy.order.group(message.keys());
        let blocked =
            group.is_some_and(|group| endpoint_state.backlog.is_blocked(group, ticket.sequence));
        // Until a sweep is done, its group is not complete.
        if *is_swept || blocked || self.draining || endpoint_state.is_overtaken(in_flight) {
            state.delivery.cancel_start(started.number);
            self.reconcile_delivery(number, state, None, now);
            return None;
        }
        // The attempt counts on it.
        message.rendering_at(place.rendering)?;
        if ticket.permit.is_probe() {
            endpoint_state.probe_unsent = false;
        }
        endpoint_state.counters.sent(started.number);
        self.deliveries.hand_out(ticket.sequence, place.endpoint);
        let (deadline, rendering) = (started.deadline, place.rendering);
        Some(Attempt { ticket, deadline, endpoint, message, rendering })
    }

    /// Forgets a message whose retention has ended.
    pub(super) fn forget(&mut self, number: MessageNo) {
        let Some(state) = self.messages.remove(number) else { return };
        let message = state.message.id();
        self.journal.delete(RecordKey::Message(message.clone()));
        for (endpoint, delivery) in state.fan_out.iter() {
            if let Some(slot) = self.endpoints.slot_mut(endpoint) {
                self.journal.delete(RecordKey::Delivery(message.clone(), slot.id.clone()));
                slot.roster.take_ended(&mut self.deliveries, delivery);
            }
            self.deliveries.remove(delivery);
            self.endpoints.drop_unused(endpoint);
        }
    }
}

pub(super) fn scheduled(
    deliveries: &Deliveries,
    endpoints: &Endpoints,
    messages: &Messages,
    timer: Timer,
) -> Scheduled {
    let scheduled = match timer {
        Timer::Delivery(delivery) => Some(deliveries.timer(delivery)),
        Timer::Endpoint(endpoint) => endpoints.get(endpoint).map(|state| state.timer),
        Timer::Forget(message) => messages.get(message).map(|state| state.forget_timer),
    };
    scheduled.unwrap_or_default()
}
