//! Reconciles a delivery's indexes, records and notices after a change.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use super::Outbox;
use super::deliveries::{Deliveries, Place};
use super::delivery_state::DeliveryState;
use super::endpoint_state::EndpointState;
use super::endpoints::EndpointSlot;
use super::in_flight::EndedAttempt;
use super::index::backlog::Phase;
use super::index::ordering::GroupStatus;
use super::index::timers::{Term, Timer, Timers};
use super::journal::Journal;
use super::notice::Notice;
use super::roster::Roster;
use super::slab::{DeliveryNo, MessageNo};
use crate::delivery::{JitterSeed, Outcome, Progress, Verdict};
use crate::endpoint::Endpoint;
use crate::health::{SenderOutage, Transition};
use crate::id::EndpointId;
use crate::message::Message;
use crate::time::Timestamp;

impl Outbox {
    /// Reconciles a delivery that may have changed by time alone.
    pub(super) fn refresh_delivery(&mut self, number: DeliveryNo, now: Timestamp) {
        if let Some(state) = self.load(number) {
            self.reconcile_delivery(number, state, None, now);
        }
    }

    /// Reconciles a delivery, the later ones that it blocked or unblocked, and its endpoint.
    ///
    /// Every change of a delivery ends here, together with the outcome that caused it, if one did.
    pub(super) fn reconcile_delivery(
        &mut self,
        number: DeliveryNo,
        state: DeliveryState,
        outcome: Option<&Outcome>,
        now: Timestamp,
    ) {
        let Some(Place { endpoint, .. }) = self.deliveries.place(number) else { return };
        let (moved, mut is_disabled) = self.reconcile_one(number, state, outcome, now);
        // A delivery moves only later ones of its ordering group, so each comes up once if the
        // oldest comes first.
        let mut moved = BTreeSet::from_iter(moved);
        while let Some((_, number)) = moved.pop_first() {
            if let Some(state) = self.load(number) {
                let (more, disabled) = self.reconcile_one(number, state, None, now);
                moved.extend(more);
                is_disabled |= disabled;
            }
        }
        self.reconcile_endpoint(endpoint, now);
        if is_disabled {
            self.sweep(Some(endpoint), now);
        }
    }

    /// Reconciles one delivery, and puts it back into the table. Returns the later deliveries of its
    /// ordering group that this blocked or unblocked, and whether it disabled the endpoint.
    fn reconcile_one(
        &mut self,
        number: DeliveryNo,
        mut state: DeliveryState,
        outcome: Option<&Outcome>,
        now: Timestamp,
    ) -> (Vec<(u64, DeliveryNo)>, bool) {
        let nothing = (Vec::new(), false);
        let Some(place) = self.deliveries.place(number) else { return nothing };
        let age_from = self.messages.age_from(place.message, now);
        let Some(message_state) = self.messages.get_mut(place.message) else { return nothing };
        let (sequence, new) = (message_state.sequence, message_state.new_delivery());
        let Some(slot) = self.endpoints.slot_mut(place.endpoint) else { return nothing };
        let EndpointSlot { id, endpoint, state: Some(endpoint_state), roster, .. } = slot else {
            // Its endpoint was removed, and a late response has changed how it ended.
            if let Some(mark) = self.deliveries.mark_mut(number).filter(|_| state.has_changed()) {
                self.journal.touch_delivery(number, mark);
                state.update_record(now);
            }
            self.deliveries.store(number, sequence, &new, state);
            return nothing;
        };
        let mut delivery = Reconciled {
            number,
            sequence,
            message: &message_state.message,
            age_from,
            id,
            endpoint: endpoint.as_deref(),
            endpoint_state,
            state: &mut state,
            deliveries: &mut self.deliveries,
            now,
        };

        let seed = JitterSeed::new(self.seed, message_state.message.id(), id);
        let (progress, ended) = delivery.advance(seed, outcome);
        let transition = delivery.apply_to_endpoint(self.outage.outage(), ended.as_ref());
        let reported = ended.filter(|ended| self.report_attempts && ended.in_flight.sent);
        delivery.record_and_notify(&mut self.journal, reported.as_ref(), self.failing_after);
        let group = delivery.group();
        delivery.set_timer(&mut self.timers, group);
        let (moved, has_ended) = delivery.place(roster, progress, group);
        self.deliveries.store(number, sequence, &new, state);

        if has_ended {
            self.pending = self.pending.saturating_sub(1);
            message_state.open = message_state.open.saturating_sub(1);
            if message_state.open == 0 {
                self.schedule_forgetting(place.message);
            }
        }
        if let Some(transition) = transition {
            self.apply_transition(place.endpoint, transition);
        }
        (moved, transition.is_some_and(|it| it.is_disabling()))
    }

    /// Sets when to forget a message of which no delivery is pending: its retention counts from the
    /// end of the last one.
    pub(super) fn schedule_forgetting(&mut self, number: MessageNo) {
        let Some(state) = self.messages.get_mut(number) else { return };
        let ended = state.fan_out.iter().filter_map(|(_, it)| self.deliveries.retained_from(it));
        let settled_at = ended.fold(state.accepted_at, Timestamp::max);
        let forget_at = settled_at + self.retention;
        let terms = (Term::Later, Term::Later);
        self.timers.set(&mut state.forget_timer, Some(forget_at), Timer::Forget(number), terms);
    }
}

/// A delivery that is being reconciled, and all that this depends on.
struct Reconciled<'a> {
    number: DeliveryNo,
    sequence: u64,
    message: &'a Message,
    age_from: Timestamp,
    id: &'a EndpointId,
    /// `None` if the registry does not have the endpoint.
    endpoint: Option<&'a Endpoint>,
    endpoint_state: &'a mut EndpointState,
    state: &'a mut DeliveryState,
    deliveries: &'a mut Deliveries,
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
            if let Some(mark) = self.deliveries.mark_mut(self.number) {
                journal.touch_delivery(self.number, mark);
            }
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
        let to = if delivery.in_flight().is_some() { Term::Soon } else { Term::Later };
        let from = self.deliveries.term(self.number);
        if let Some(scheduled) = self.deliveries.timer_mut(self.number) {
            timers.set(scheduled, at, Timer::Delivery(self.number), (from, to));
        }
    }

    /// Places the delivery in its endpoint's backlog and roster. Returns the later ones that this
    /// blocked or unblocked, and whether the delivery has ended with this.
    fn place(
        &mut self,
        roster: &mut Roster,
        progress: Option<Progress>,
        group: Option<InGroup<'_>>,
    ) -> (Vec<(u64, DeliveryNo)>, bool) {
        let (backlog, sequence) = (&mut self.endpoint_state.backlog, self.sequence);
        let blocked = group.is_some_and(|group| backlog.is_blocked(group.name, sequence));
        let before = self.state.placement.phase();
        let phase = self.state.phase(progress, blocked);
        let status = group.map(|group| (group.name, group.status));
        let at = (sequence, self.number);
        let moved = backlog.place(at, &mut self.state.placement, phase, status);
        roster.shift(self.deliveries, at, before, phase);
        (moved, phase == Phase::Ended && before != Phase::Ended)
    }
}
