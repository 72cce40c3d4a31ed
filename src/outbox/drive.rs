//! The wheels inside: what moves a delivery, and the indexes that follow it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::alarm::Alarm;
use super::attempt::{Attempt, Ticket};
use super::attempted::Attempted;
use super::lane::{Flight, Next};
use super::notice::Notice;
use super::queue::Place;
use super::record::RecordKey;
use super::slot::Slot;
use super::{Entry, Outbox};
use crate::delivery::{Dice, Failure, Outcome, Progress};
use crate::flow::Class;
use crate::health::Waiting;
use crate::id::EndpointId;
use crate::outbox::heard::Heard;
use crate::timestamp::Timestamp;

impl Outbox {
    /// Takes a message and its deliveries in, new or restored.
    pub(super) fn admit(&mut self, sequence: u64, mut entry: Entry, now: Timestamp) {
        let endpoints: Vec<_> = entry.slots.keys().cloned().collect();
        entry.open = endpoints.len();
        self.pending = self.pending.saturating_add(entry.open);
        if endpoints.is_empty() {
            let forget_at = entry.settled_at() + self.retain;
            self.alarms.change(None, Some(forget_at), Alarm::Forget(sequence));
        }
        self.messages.insert(sequence, entry);
        for endpoint in &endpoints {
            self.lanes.entry(endpoint.clone()).or_default();
            self.settle(sequence, endpoint, None, now);
        }
    }

    /// Moves what is due by time alone.
    pub(super) fn advance(&mut self, now: Timestamp) {
        while let Some(alarm) = self.alarms.ring(now) {
            match alarm {
                Alarm::Delivery(sequence, endpoint) => {
                    if let Some(slot) = self.slot(sequence, &endpoint) {
                        slot.alarm = None;
                    }
                    self.settle(sequence, &endpoint, None, now);
                }
                Alarm::Endpoint(endpoint) => {
                    if let Some(lane) = self.lanes.get_mut(&endpoint) {
                        lane.alarm = None;
                    }
                    self.tend(&endpoint, now);
                }
                Alarm::Forget(sequence) => self.forget(sequence),
            }
        }
    }

    /// Starts attempts on what may go, endpoint by endpoint in turn, up to one batch.
    pub(super) fn start_due(&mut self, now: Timestamp) {
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
    fn start(&mut self, sequence: u64, id: &EndpointId, class: Class, now: Timestamp) -> bool {
        let Some(endpoint) = self.registry.get(id) else { return false };
        let Some(lane) = self.lanes.get_mut(id) else { return false };
        let Some(entry) = self.messages.get_mut(&sequence) else { return false };
        let Some(slot) = entry.slots.get_mut(id) else { return false };
        if let Some(started) = slot.delivery.start(&endpoint.policy, now) {
            let pass = lane.kept.health.start(&endpoint.health, now);
            lane.started(&endpoint.flow, class, now);
            let body = entry.message.rendering(&slot.format).map_or(0, |it| it.body().len());
            self.turns.served(id, &mut lane.turn, body);
            slot.sent = false;
            slot.flight = Some(Flight { started, pass, class: Some(class) });
            let (message, endpoint) = (entry.message.id().clone(), id.clone());
            let attempt = started.number;
            self.settle(sequence, id, None, now);
            // At the end of time no deadline is after `now`, and the start is taken back.
            if self.slot(sequence, id).is_some_and(|slot| slot.place == Place::InFlight) {
                self.journal.guard_attempt(Ticket { sequence, message, endpoint, attempt });
            }
        } else {
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
        let slot = self.slot(ticket.sequence, &ticket.endpoint)?;
        let started = slot.delivery.in_flight()?;
        if slot.sent || started.number != ticket.attempt {
            return None;
        }
        slot.sent = true;
        let rendering = message.rendering(&slot.format)?.clone();
        if let Some(lane) = self.lanes.get_mut(&ticket.endpoint) {
            lane.counters.sent(started.number);
        }
        Some(Attempt { ticket, deadline: started.deadline, endpoint, message, rendering })
    }

    /// Brings every index up to a delivery's state: whatever moves a delivery ends here, with the
    /// outcome that moved it, if one did. The deliveries that it held up and holds up no more are
    /// brought up to theirs as well, and so is the endpoint.
    pub(super) fn settle(
        &mut self,
        sequence: u64,
        id: &EndpointId,
        outcome: Option<&Outcome>,
        now: Timestamp,
    ) {
        let moved = self.settle_one(sequence, id, outcome, now);
        self.settle_all(moved, id, now);
        self.tend(id, now);
    }

    /// Settles these deliveries, oldest first, since the older hold up the younger, and whatever
    /// they move.
    pub(super) fn settle_all(&mut self, moved: Vec<u64>, id: &EndpointId, now: Timestamp) {
        let mut moved = VecDeque::from(moved);
        while let Some(sequence) = moved.pop_front() {
            moved.extend(self.settle_one(sequence, id, None, now));
        }
    }

    /// Settles one delivery, and answers which others it moved.
    fn settle_one(
        &mut self,
        sequence: u64,
        id: &EndpointId,
        outcome: Option<&Outcome>,
        now: Timestamp,
    ) -> Vec<u64> {
        let endpoint = self.registry.get(id).map(Arc::as_ref);
        let Some(lane) = self.lanes.get_mut(id) else { return Vec::new() };
        let Some(entry) = self.messages.get_mut(&sequence) else { return Vec::new() };
        let Some(slot) = entry.slots.get_mut(id) else { return Vec::new() };
        let message = entry.message.id();
        let dice = Dice::new(self.seed, message, id);

        // The delivery itself, and what became of its attempt.
        let unanswered = slot.delivery.unanswered();
        let progress =
            endpoint.map(|endpoint| slot.advance(endpoint, lane.is_in_use(endpoint), dice, now));
        let timed_out = slot.delivery.unanswered() > unanswered;
        let is_due = progress == Some(Progress::Due);
        let landed = slot.landed();
        let edge = landed.and_then(|flight| {
            let heard = match (outcome, endpoint) {
                (Some(outcome), Some(endpoint)) => {
                    Some(Heard::of(outcome, endpoint.policy.responses()))
                }
                _ => timed_out.then_some(Heard::TIMEOUT),
            };
            lane.landed(endpoint, self.watch.guard(), flight, heard, now)
        });
        let cancels = endpoint.is_some_and(|it| it.health.waiting() == Waiting::Cancel);
        let disabled = lane.kept.health.disabled().is_some();
        if disabled && cancels && slot.delivery.in_flight().is_none() {
            slot.cancel(now);
        }

        // Its record, and what is to be told of it.
        let ended = slot.delivery.verdict();
        if let Some(flight) = landed.filter(|_| self.report_attempts && slot.sent) {
            let timeout = timed_out.then_some(Outcome::Failed(Failure::Timeout));
            self.journal.guard_notice(Notice::Attempted(Attempted {
                message: message.clone(),
                endpoint: id.clone(),
                number: flight.started.number,
                cause: flight.cause(&slot.delivery),
                started_at: flight.started.at,
                ended_at: if timed_out { flight.started.deadline } else { now },
                outcome: outcome.cloned().or(timeout),
                next_at: slot.delivery.next_at().or(is_due.then_some(now)),
                verdict: ended,
            }));
        }
        if slot.has_news() {
            self.journal.touch(RecordKey::Delivery(message.clone(), id.clone()));
            if let Some(verdict) = ended.filter(|_| slot.recorded.verdict().is_none()) {
                lane.counters.ended(verdict);
                self.journal.guard_notice(Notice::Settled {
                    message: message.clone(),
                    endpoint: id.clone(),
                    verdict,
                    attempts: slot.delivery.attempts(),
                });
            }
            lane.counters.unanswered(&slot.recorded, &slot.delivery);
            let failed = Slot::failed(&slot.delivery);
            let limit = self.failing_after.get();
            if ended.is_none() && failed >= limit && Slot::failed(&slot.recorded) < limit {
                self.journal.guard_notice(Notice::Failing {
                    message: message.clone(),
                    endpoint: id.clone(),
                    attempts: failed,
                });
            }
            if let Some(since) =
                slot.delivery.in_doubt().filter(|_| slot.recorded.in_doubt().is_none())
            {
                self.journal.guard_notice(Notice::InDoubt {
                    message: message.clone(),
                    endpoint: id.clone(),
                    attempt: slot.delivery.attempts(),
                    since,
                });
            }
            slot.recorded = slot.delivery.clone();
        }

        // When to look at it again.
        let (standing, skip_at) = slot.standing(endpoint, entry.accepted_at, now);
        let order = endpoint.map(|endpoint| endpoint.order).unwrap_or_default();
        let line = order.line(entry.message.keys()).filter(|_| ended.is_none());
        let wake_at = endpoint.and_then(|endpoint| slot.delivery.wake_at(&endpoint.policy));
        let alarm = wake_at.into_iter().chain(skip_at.filter(|_| line.is_some())).min();
        if slot.alarm != alarm {
            let name = Alarm::Delivery(sequence, id.clone());
            self.alarms.change(slot.alarm, alarm, name);
            slot.alarm = alarm;
        }

        // Where it stands among the others.
        let held_up = line.is_some_and(|line| lane.queue.is_held_up(line, sequence));
        let to = slot.place(progress, held_up);
        let from = std::mem::replace(&mut slot.place, to);
        lane.queue.shift(sequence, from, to);
        let mut moved = Vec::new();
        if let Some(left) = slot.line.take_if(|left| line != Some(&**left)) {
            moved = lane.queue.line_up(&left, sequence, None);
        }
        if let Some(line) = line {
            moved.append(&mut lane.queue.line_up(line, sequence, Some(standing)));
            if slot.line.is_none() {
                slot.line = Some(line.into());
            }
        }

        // Its message.
        if to == Place::Ended && from != Place::Ended {
            self.pending = self.pending.saturating_sub(1);
            entry.open = entry.open.saturating_sub(1);
            if entry.open == 0 {
                let forget_at = entry.settled_at() + self.retain;
                self.alarms.change(None, Some(forget_at), Alarm::Forget(sequence));
            }
        }
        if let Some(edge) = edge {
            moved.append(&mut self.turned(id, edge));
        }
        moved
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

    pub(super) fn slot(&mut self, sequence: u64, endpoint: &EndpointId) -> Option<&mut Slot> {
        self.messages.get_mut(&sequence)?.slots.get_mut(endpoint)
    }
}
