//! Reconciles a delivery's indexes, records and notices after a change.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use super::Outbox;
use super::delivery_state::DeliveryState;
use super::endpoint_state::EndpointState;
use super::in_flight::EndedAttempt;
use super::index::backlog::Phase;
use super::index::ordering::GroupStatus;
use super::index::timers::{Timer, Timers};
use super::journal::Journal;
use super::notice::Notice;
use super::record::RecordKey;
use crate::delivery::{JitterSeed, Outcome, Progress, Verdict};
use crate::endpoint::Endpoint;
use crate::health::{SenderOutage, Transition};
use crate::id::EndpointId;
use crate::message::Message;
use crate::time::Timestamp;

impl Outbox {
    /// Reconciles a delivery, the later ones that it blocked or unblocked, and its endpoint.
    ///
    /// Every change of a delivery ends here, together with the outcome that caused it, if one did.
    pub(super) fn reconcile_delivery(
        &mut self,
        sequence: u64,
        id: &EndpointId,
        outcome: Option<&Outcome>,
        now: Timestamp,
    ) {
        let moved = self.reconcile_one(sequence, id, outcome, now);
        self.reconcile_deliveries(moved, id, now);
        self.reconcile_endpoint(id, now);
    }

    /// Reconciles these deliveries and all that they move, oldest first.
    ///
    /// A delivery moves only later ones of its ordering group, so each comes up once, unless the
    /// endpoint is disabled in between.
    pub(super) fn reconcile_deliveries(
        &mut self,
        moved: Vec<u64>,
        id: &EndpointId,
        now: Timestamp,
    ) {
        let mut moved = BTreeSet::from_iter(moved);
        while let Some(sequence) = moved.pop_first() {
            moved.extend(self.reconcile_one(sequence, id, None, now));
        }
    }

    /// Reconciles one delivery. Returns the deliveries that this moved.
    fn reconcile_one(
        &mut self,
        sequence: u64,
        id: &EndpointId,
        outcome: Option<&Outcome>,
        now: Timestamp,
    ) -> Vec<u64> {
        let Some(endpoint_state) = self.endpoints.get_mut(id) else { return Vec::new() };
        let Some(message_state) = self.messages.get_mut(&sequence) else { return Vec::new() };
        let age_from = message_state.age_from(now);
        let Some(state) = message_state.deliveries.get_mut(id) else { return Vec::new() };
        let mut delivery = Reconciled {
            sequence,
            message: &message_state.message,
            age_from,
            id,
            endpoint: self.registry.get(id).map(Arc::as_ref),
            endpoint_state,
            state,
            now,
        };

        let seed = JitterSeed::new(self.seed, message_state.message.id(), id);
        let (progress, ended) = delivery.advance(seed, outcome);
        let transition = delivery.apply_to_endpoint(self.outage.outage(), ended.as_ref());
        let reported = ended.filter(|ended| self.report_attempts && ended.in_flight.sent);
        delivery.record_and_notify(&mut self.journal, reported.as_ref(), self.failing_after);
        let group = delivery.group();
        delivery.set_timer(&mut self.timers, group);
        let (mut moved, has_ended) = delivery.place(progress, group);

        if has_ended {
            let retained_from = state.retained_from().unwrap_or(now);
            self.pending = self.pending.saturating_sub(1);
            message_state.open = message_state.open.saturating_sub(1);
            message_state.settled_at = message_state.settled_at.max(retained_from);
            if message_state.open == 0 {
                let forget_at = message_state.settled_at + self.retention;
                let scheduled = &mut message_state.forget_timer;
                self.timers.set(scheduled, Some(forget_at), || Timer::Forget(sequence));
            }
        }
        if let Some(transition) = transition {
            moved.append(&mut self.apply_transition(id, transition));
        }
        moved
    }
}

/// A delivery that is being reconciled, and all that this depends on.
struct Reconciled<'a> {
    sequence: u64,
    message: &'a Message,
    age_from: Timestamp,
    id: &'a EndpointId,
    /// `None` if the registry does not have the endpoint.
    endpoint: Option<&'a Endpoint>,
    endpoint_state: &'a mut EndpointState,
    state: &'a mut DeliveryState,
    now: Timestamp,
}

/// The place of a pending delivery in its ordering group.
#[derive(Clone, Copy)]
struct InGroup<'a> {
    name: &'a str,
    status: GroupStatus,
    /// When the delivery stops blocking later ones by time alone.
    skip_at: Option<Timestamp>,
}

impl<'a> Reconciled<'a> {
    /// Advances the delivery to the present. Returns its progress, unless it has no endpoint, and
    /// the attempt that is no longer in flight.
    fn advance<'o>(
        &mut self,
        seed: JitterSeed<'_>,
        outcome: Option<&'o Outcome>,
    ) -> (Option<Progress>, Option<EndedAttempt<'o>>) {
        let advanced = self.endpoint.map(|endpoint| {
            let in_use = self.endpoint_state.is_in_use(endpoint);
            self.state.advance(endpoint, in_use, seed, self.now)
        });
        let timed_out = advanced.is_some_and(|(_, timed_out)| timed_out);
        let ended = self.state.take_ended(outcome, timed_out, self.now);
        (advanced.map(|(progress, _)| progress), ended)
    }

    /// Applies the attempt that has ended to its endpoint. If the endpoint is disabled, by this or
    /// before, and its policy cancels what is pending, the delivery ends.
    fn apply_to_endpoint(
        &mut self,
        outage: SenderOutage,
        ended: Option<&EndedAttempt<'_>>,
    ) -> Option<Transition> {
        let transition =
            ended.and_then(|ended| self.endpoint_state.apply_ended(self.endpoint, outage, ended));
        let cancels = self.endpoint.is_some_and(|it| self.endpoint_state.cancels_pending(it));
        if cancels && self.state.delivery.in_flight().is_none() {
            self.state.cancel(Verdict::Cancelled, self.now);
        }
        transition
    }

    /// Reports the attempt that has ended. Records and counts the change of the delivery, if there
    /// is one, and notifies the host of it.
    fn record_and_notify(
        &mut self,
        journal: &mut Journal,
        ended: Option<&EndedAttempt<'_>>,
        failing_after: NonZeroU32,
    ) {
        let message = self.message.id();
        if let Some(ended) = ended {
            let report = self.state.report(message, self.id, ended, self.now);
            journal.guard_notice(Notice::AttemptEnded(report));
        }
        if self.state.has_changed() {
            journal.touch(RecordKey::Delivery(message.clone(), self.id.clone()));
            for notice in self.state.notices(message, self.id, failing_after) {
                journal.guard_notice(notice);
            }
            self.endpoint_state.counters.changed(&self.state.recorded, &self.state.delivery);
            self.state.update_record(self.now);
        }
    }

    /// Returns the delivery's place in its ordering group, if it is pending and has one.
    fn group(&self) -> Option<InGroup<'a>> {
        let order = self.endpoint.map(|endpoint| endpoint.policy.order).unwrap_or_default();
        let pending = self.state.delivery.verdict().is_none();
        let name = order.group(self.message.keys()).filter(|_| pending)?;
        let (status, skip_at) = self.state.group_status(order, self.age_from, self.now);
        Some(InGroup { name, status, skip_at })
    }

    /// Sets the delivery's timer to the instant at which its state changes by time alone.
    fn set_timer(&mut self, timers: &mut Timers, group: Option<InGroup<'_>>) {
        let delivery = &self.state.delivery;
        let wake_at = self.endpoint.and_then(|it| delivery.wake_at(&it.policy.retry));
        let skip_at = group.and_then(|group| group.skip_at);
        let at = wake_at.into_iter().chain(skip_at).min();
        let (sequence, id) = (self.sequence, self.id);
        timers.set(&mut self.state.timer, at, || Timer::Delivery(sequence, id.clone()));
    }

    /// Places the delivery in its endpoint's backlog. Returns the later ones that this blocked or
    /// unblocked, and whether the delivery has ended with this.
    fn place(
        &mut self,
        progress: Option<Progress>,
        group: Option<InGroup<'_>>,
    ) -> (Vec<u64>, bool) {
        let (backlog, sequence) = (&mut self.endpoint_state.backlog, self.sequence);
        let blocked = group.is_some_and(|group| backlog.is_blocked(group.name, sequence));
        let phase = self.state.phase(progress, blocked);
        let had_ended = self.state.placement.phase() == Phase::Ended;
        let status = group.map(|group| (group.name, group.status));
        let moved = backlog.place(sequence, &mut self.state.placement, phase, status);
        (moved, phase == Phase::Ended && !had_ended)
    }
}
