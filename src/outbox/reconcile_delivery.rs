//! The wheels inside: the indexes that follow a delivery.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Outbox;
use super::backlog::Phase;
use super::notice::Notice;
use super::record::RecordKey;
use super::timers::Timer;
use crate::delivery::{JitterSeed, Outcome};
use crate::health::PendingOnDisable;
use crate::id::EndpointId;
use crate::time::Timestamp;

impl Outbox {
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

    /// Settles these deliveries, and whatever they move, oldest first: a delivery moves only
    /// younger ones in its line, so that none comes up again unless the endpoint is disabled.
    pub(super) fn settle_all(&mut self, moved: Vec<u64>, id: &EndpointId, now: Timestamp) {
        let mut moved = BTreeSet::from_iter(moved);
        while let Some(sequence) = moved.pop_first() {
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

        // The delivery itself, and what its attempt says of the endpoint.
        let dice = JitterSeed::new(self.seed, message, id);
        let in_use = endpoint.is_some_and(|endpoint| lane.is_in_use(endpoint));
        let advanced = endpoint.map(|endpoint| slot.advance(endpoint, in_use, dice, now));
        let progress = advanced.map(|(progress, _)| progress);
        let timed_out = advanced.is_some_and(|(_, timed_out)| timed_out);
        let landing = slot.landing(outcome, timed_out, now);
        let edge = landing
            .as_ref()
            .and_then(|landing| lane.attempt_ended(endpoint, self.watch.guard(), landing));
        let cancels = endpoint
            .is_some_and(|it| it.policy.health.pending_on_disable() == PendingOnDisable::Cancel);
        let disabled = lane.kept.health.disabled().is_some();
        if disabled && cancels && slot.delivery.in_flight().is_none() {
            slot.cancel(now);
        }

        // Its record, and what is to be told of it.
        if let Some(landing) = landing.filter(|it| self.report_attempts && it.sent) {
            let report = slot.report(message, id, &landing, now);
            self.journal.guard_notice(Notice::AttemptEnded(report));
        }
        if slot.has_news() {
            self.journal.touch(RecordKey::Delivery(message.clone(), id.clone()));
            for notice in slot.notices(message, id, self.failing_after) {
                self.journal.guard_notice(notice);
            }
            lane.counters.moved(&slot.recorded, &slot.delivery);
            slot.note(now);
        }

        // When to look at it again.
        let ended = slot.delivery.verdict().is_some();
        let order = endpoint.map(|endpoint| endpoint.policy.order).unwrap_or_default();
        let line = order.group(entry.message.keys()).filter(|_| !ended);
        let (standing, skip_at) = slot.standing(order, entry.accepted_at, now);
        let wake_at = endpoint.and_then(|endpoint| slot.delivery.wake_at(&endpoint.policy.retry));
        let alarm = wake_at.into_iter().chain(skip_at.filter(|_| line.is_some())).min();
        if slot.alarm != alarm {
            let name = Timer::Delivery(sequence, id.clone());
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

        // Its message, and its endpoint.
        if to == Phase::Ended && from != Phase::Ended {
            self.pending = self.pending.saturating_sub(1);
            entry.open = entry.open.saturating_sub(1);
            entry.settled_at = entry.settled_at.max(slot.kept_from().unwrap_or(now));
            if entry.open == 0 {
                entry.forget_at = Some(entry.settled_at + self.retain);
                self.alarms.change(None, entry.forget_at, Timer::Forget(sequence));
            }
        }
        if let Some(edge) = edge {
            moved.append(&mut self.turned(id, edge));
        }
        moved
    }
}
