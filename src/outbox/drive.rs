//! The wheels inside: what moves deliveries.

use std::sync::Arc;

use super::attempt::{Attempt, Ticket};
use super::delivery_state::DeliveryState;
use super::endpoint_state::Next;
use super::in_flight::{Clearance, InFlight};
use super::record::RecordKey;
use super::timers::Timer;
use super::{Entry, Outbox};
use crate::flow::AttemptKind;
use crate::health::Permit;
use crate::id::EndpointId;
use crate::time::Timestamp;

impl Outbox {
    /// Takes a message and its deliveries in, new or restored.
    pub(super) fn admit(&mut self, sequence: u64, mut entry: Entry, now: Timestamp) {
        let endpoints: Vec<_> = entry.slots.keys().cloned().collect();
        entry.open = endpoints.len();
        self.pending = self.pending.saturating_add(entry.open);
        if endpoints.is_empty() {
            entry.forget_at = Some(entry.settled_at + self.retain);
            self.alarms.change(None, entry.forget_at, Timer::Forget(sequence));
        }
        self.messages.insert(sequence, entry);
        for endpoint in &endpoints {
            self.lanes.entry(endpoint.clone()).or_default();
            self.settle(sequence, endpoint, None, now);
        }
    }

    /// Moves what is due by time alone.
    pub(super) fn advance(&mut self, now: Timestamp) {
        while let Some(alarm) = self.alarms.expire(now) {
            match alarm {
                Timer::Delivery(sequence, endpoint) => {
                    if let Some(slot) = self.slot(sequence, &endpoint) {
                        slot.alarm = None;
                    }
                    self.settle(sequence, &endpoint, None, now);
                }
                Timer::Endpoint(endpoint) => {
                    if let Some(lane) = self.lanes.get_mut(&endpoint) {
                        lane.alarm = None;
                    }
                    self.tend(&endpoint, now);
                }
                Timer::Forget(sequence) => self.forget(sequence),
            }
        }
    }

    /// Starts attempts on what may go, endpoint by endpoint in turn, up to one batch.
    pub(super) fn start_due(&mut self, now: Timestamp) {
        // At the end of time no deadline is after `now`: an attempt would be over as it starts.
        if now == Timestamp::MAX {
            return;
        }
        while self.journal.guarded_attempts() < self.batch.get() {
            let Some(id) = self.turns.next().cloned() else { return };
            // What could go when it was last looked at may have to wait where the clock went back:
            // then the endpoint is not ready any more.
            if let Next::Go { sequence, class } = self.tend(&id, now)
                && !self.start(sequence, &id, class, now)
            {
                return;
            }
        }
    }

    /// Starts one attempt. `false` where the queue's word that it was due was wrong, and still is.
    fn start(
        &mut self,
        sequence: u64,
        id: &EndpointId,
        class: AttemptKind,
        now: Timestamp,
    ) -> bool {
        let Some(endpoint) = self.registry.get(id) else { return false };
        let Some(lane) = self.lanes.get_mut(id) else { return false };
        let Some(entry) = self.messages.get_mut(&sequence) else { return false };
        let Some(slot) = entry.slots.get_mut(id) else { return false };
        // Where the delivery refuses after the health has not, the pass goes back.
        let deadline = now + endpoint.policy.retry.attempt_timeout();
        let Some(pass) = lane.kept.health.start(deadline, now) else { return false };
        if let Some(started) = slot.delivery.start(&endpoint.policy.retry, now) {
            lane.unsent_probe = Some(pass).filter(Permit::is_probe);
            let spent = lane.start(&endpoint.policy.flow, class, now);
            let body = entry.message.rendering(&slot.format).map_or(0, |it| it.body().len());
            self.turns.served(id, &mut lane.turn, body);
            slot.sent = false;
            let clearance = Some(Clearance { pass, class, spent });
            slot.flight = Some(InFlight { started, clearance });
            let (message, endpoint) = (entry.message.id().clone(), id.clone());
            let attempt = started.number;
            self.settle(sequence, id, None, now);
            self.journal.guard_attempt(Ticket { sequence, message, endpoint, attempt, pass });
        } else {
            lane.kept.health.cancel_start(pass);
            // The window has ended since; that is found out here.
            self.settle(sequence, id, None, now);
        }
        self.slot(sequence, id).is_some_and(|slot| !slot.place.is_due())
    }

    /// Hands an attempt out, unless it was overtaken while it was being saved.
    pub(super) fn send(&mut self, ticket: Ticket, now: Timestamp) -> Option<Attempt> {
        self.settle(ticket.sequence, &ticket.endpoint, None, now);
        let endpoint = Arc::clone(self.registry.get(&ticket.endpoint)?);
        let message = Arc::clone(&self.messages.get(&ticket.sequence)?.message);
        let lane = self.lanes.get_mut(&ticket.endpoint)?;
        let slot = self.messages.get_mut(&ticket.sequence)?.slots.get_mut(&ticket.endpoint)?;
        let started = slot.delivery.in_flight()?;
        // Started anew it has the same number, and another pass where the endpoint was enabled in
        // between.
        let is_its_flight = slot.flight.is_some_and(|flight| flight.pass() == Some(ticket.pass));
        if slot.sent || started.number != ticket.attempt || !is_its_flight {
            return None;
        }
        let line = endpoint.policy.order.line(message.keys());
        let held_up = line.is_some_and(|line| lane.queue.is_held_up(line, ticket.sequence));
        // The deliveries before it in its line have ended, unless one was replayed since.
        if held_up || slot.flight.is_some_and(|flight| lane.is_overtaken(&flight)) {
            slot.delivery.cancel_start(started.number);
            self.settle(ticket.sequence, &ticket.endpoint, None, now);
            return None;
        }
        slot.sent = true;
        let rendering = message.rendering(&slot.format)?.clone();
        lane.unsent_probe.take_if(|pass| slot.flight.is_some_and(|it| it.pass() == Some(*pass)));
        lane.counters.sent(started.number);
        Some(Attempt { ticket, deadline: started.deadline, endpoint, message, rendering })
    }

    /// Lets go of a message that was settled long enough ago.
    pub(super) fn forget(&mut self, sequence: u64) {
        let Some(entry) = self.messages.remove(&sequence) else { return };
        let message = entry.message.id();
        self.sequences.remove(message);
        self.journal.touch(RecordKey::Message(message.clone()));
        for endpoint in entry.slots.into_keys() {
            self.journal.touch(RecordKey::Delivery(message.clone(), endpoint));
        }
    }

    pub(super) fn slot(
        &mut self,
        sequence: u64,
        endpoint: &EndpointId,
    ) -> Option<&mut DeliveryState> {
        self.messages.get_mut(&sequence)?.slots.get_mut(endpoint)
    }
}
