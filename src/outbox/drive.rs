//! The wheels inside: what moves a delivery, and the indexes that follow it.

use std::sync::Arc;

use super::alarm::Alarm;
use super::attempt::{Attempt, Ticket};
use super::lane::{Place, Standing};
use super::notice::Notice;
use super::record::RecordKey;
use super::{Entry, Outbox, Slot};
use crate::delivery::{Dice, Progress, Verdict};
use crate::id::EndpointId;
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
            self.settle(sequence, endpoint, now);
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
                    self.settle(sequence, &endpoint, now);
                }
                Alarm::Forget(sequence) => self.forget(sequence),
            }
        }
    }

    /// Starts attempts on what is due, endpoint by endpoint in turn, up to one batch.
    pub(super) fn start_due(&mut self, now: Timestamp) {
        while self.journal.guarded_attempts() < self.batch.get() {
            let Some((endpoint, sequence)) = self.lanes.next() else { return };
            if !self.start(sequence, &endpoint, now) {
                return;
            }
        }
    }

    /// Starts one attempt. `false` where the lane's word that it was due was wrong, and still is.
    pub(super) fn start(&mut self, sequence: u64, id: &EndpointId, now: Timestamp) -> bool {
        let Some(endpoint) = self.registry.get(id) else { return false };
        let Some(entry) = self.messages.get_mut(&sequence) else { return false };
        let Some(slot) = entry.slots.get_mut(id) else { return false };
        if let Some(started) = slot.delivery.start(&endpoint.policy, now) {
            slot.sent = false;
            let (message, endpoint) = (entry.message.id().clone(), id.clone());
            let attempt = started.number;
            self.settle(sequence, id, now);
            // At the end of time no deadline is after `now`, and the start is taken back.
            if self.slot(sequence, id).is_some_and(|slot| slot.place == Place::InFlight) {
                self.journal.guard_attempt(Ticket { sequence, message, endpoint, attempt });
            }
        } else {
            // The window has ended since; that is found out here.
            self.settle(sequence, id, now);
        }
        self.slot(sequence, id).is_some_and(|slot| slot.place != Place::Due)
    }

    /// Hands an attempt out, unless it was overtaken while it was being saved.
    pub(super) fn send(&mut self, ticket: Ticket, now: Timestamp) -> Option<Attempt> {
        self.settle(ticket.sequence, &ticket.endpoint, now);
        let endpoint = Arc::clone(self.registry.get(&ticket.endpoint)?);
        let message = Arc::clone(&self.messages.get(&ticket.sequence)?.message);
        let slot = self.slot(ticket.sequence, &ticket.endpoint)?;
        let started = slot.delivery.in_flight()?;
        if slot.sent || started.number != ticket.attempt {
            return None;
        }
        slot.sent = true;
        let rendering = message.rendering(&slot.format)?.clone();
        Some(Attempt { ticket, deadline: started.deadline, endpoint, message, rendering })
    }

    /// Brings every index up to a delivery's state: whatever moves a delivery ends here. Those that
    /// it held up and holds up no more are brought up to theirs as well.
    pub(super) fn settle(&mut self, sequence: u64, id: &EndpointId, now: Timestamp) {
        let mut moved = self.settle_one(sequence, id, now);
        while let Some(sequence) = moved.pop() {
            moved.append(&mut self.settle_one(sequence, id, now));
        }
    }

    /// Settles one delivery, and answers which others it let go.
    fn settle_one(&mut self, sequence: u64, id: &EndpointId, now: Timestamp) -> Vec<u64> {
        let endpoint = self.registry.get(id);
        let policy = endpoint.map(|endpoint| &endpoint.policy);
        let disabled = self.lanes.disabled(id).is_some();
        let in_use = endpoint.is_some_and(|endpoint| endpoint.enabled) && !disabled;
        let Some(entry) = self.messages.get_mut(&sequence) else { return Vec::new() };
        let Some(slot) = entry.slots.get_mut(id) else { return Vec::new() };
        let message = entry.message.id();
        let dice = Dice::new(self.seed, message, id);
        // What was not handed out was not made: where it is too late for it, or its endpoint is
        // out of use by now, no attempt is used up.
        if let Some(started) = slot.delivery.in_flight().filter(|_| !slot.sent) {
            let close = policy.and_then(|policy| slot.delivery.window_end(policy));
            let too_late = now >= started.deadline || close.is_some_and(|close| now >= close);
            if too_late || !in_use {
                slot.delivery.unstart(started.number);
            }
        }
        let progress = policy.map(|policy| slot.delivery.poll(policy, dice, now));
        let in_flight = slot.delivery.in_flight().is_some();
        if disabled && !in_flight {
            slot.delivery.end(Verdict::Cancelled, now);
        }

        if slot.has_news() {
            self.journal.touch(RecordKey::Delivery(message.clone(), id.clone()));
            if let Some(verdict) =
                slot.delivery.verdict().filter(|_| slot.recorded.verdict().is_none())
            {
                self.journal.guard_notice(Notice::Settled {
                    message: message.clone(),
                    endpoint: id.clone(),
                    verdict,
                    attempts: slot.delivery.attempts(),
                });
            }
            slot.recorded = slot.delivery.clone();
        }
        let ended = slot.delivery.verdict().is_some();
        let order = endpoint.map(|endpoint| endpoint.order).unwrap_or_default();
        let line = order.line(entry.message.keys()).filter(|_| !ended);
        let failed = slot.delivery.attempts().saturating_sub(u32::from(in_flight));
        let skip_at = order.skip_at(entry.accepted_at);
        let standing = if order.skips(failed) || skip_at.is_some_and(|skip_at| now >= skip_at) {
            Standing::LettingPass
        } else {
            Standing::Holding
        };

        let wake_at = policy.and_then(|policy| slot.delivery.wake_at(policy));
        let skip_at = skip_at.filter(|_| line.is_some() && standing == Standing::Holding);
        let alarm = wake_at.into_iter().chain(skip_at).min();
        if slot.alarm != alarm {
            let name = Alarm::Delivery(sequence, id.clone());
            self.alarms.change(slot.alarm, alarm, name);
            slot.alarm = alarm;
        }

        let held_up = line.is_some_and(|line| self.lanes.is_held_up(id, line, sequence));
        let place = if ended {
            Place::Ended
        } else if in_flight {
            Place::InFlight
        } else if progress == Some(Progress::Due) && !held_up {
            Place::Due
        } else {
            Place::Waiting
        };
        let from = std::mem::replace(&mut slot.place, place);
        self.lanes.shift(id, sequence, from, place);

        let mut free = Vec::new();
        if let Some(left) = slot.line.take_if(|left| line != Some(&**left)) {
            free = self.lanes.line_up(id, &left, sequence, None);
        }
        if let Some(line) = line {
            free.append(&mut self.lanes.line_up(id, line, sequence, Some(standing)));
            if slot.line.is_none() {
                slot.line = Some(line.into());
            }
        }

        if place == Place::Ended && from != Place::Ended {
            self.pending = self.pending.saturating_sub(1);
            entry.open = entry.open.saturating_sub(1);
            if entry.open == 0 {
                let forget_at = entry.settled_at() + self.retain;
                self.alarms.change(None, Some(forget_at), Alarm::Forget(sequence));
            }
        }
        free
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
