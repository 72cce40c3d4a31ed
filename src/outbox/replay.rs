//! Redelivery: [`Outbox::plan_replay`] and [`Outbox::replay`].

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::Outbox;
use super::delivery_state::DeliveryState;
use super::endpoints::EndpointSlot;
use super::index::timers::{Term, Timer};
use super::input_log::Input;
use super::replay_plan::{Planned, ReplayFilter, ReplayPlan, is_delivered, is_withdrawn};
use super::slab::{DeliveryNo, MessageNo};
use super::sweep::PER_CALL;
use crate::time::Timestamp;

impl Outbox {
    /// Plans to replay the selected deliveries, those of each endpoint `pace` apart. Changes
    /// nothing.
    ///
    /// The plan leaves out deliveries that have an attempt in flight or were
    /// [withdrawn](Self::withdraw), deliveries whose message will have expired by then, and
    /// deliveries to an unknown or disabled endpoint.
    #[must_use]
    pub fn plan_replay(&self, filter: &ReplayFilter, pace: Duration, now: Timestamp) -> ReplayPlan {
        let mut next_due = BTreeMap::new();
        let mut replays = VecDeque::new();
        for number in self.candidates(filter) {
            let Some(place) = self.deliveries.place(number) else { continue };
            let Some(slot) = self.endpoints.slot(place.endpoint) else { continue };
            let Some(DeliveryState { delivery, .. }) = self.load(number) else { continue };
            if !filter.selects(&slot.id, &delivery)
                || is_withdrawn(&delivery)
                || !Self::can_replay(slot)
            {
                continue;
            }
            let due = next_due.entry(place.endpoint).or_insert(now);
            // Only the delivery knows whether it can be replayed.
            if !delivery.clone().replay(*due) {
                continue;
            }
            let Some(message) = self.messages.get(place.message) else { continue };
            replays.push_back(Planned {
                sequence: message.sequence,
                message: message.message.id().clone(),
                endpoint: slot.id.clone(),
                attempts: delivery.attempts(),
                replays: delivery.replays(),
                delivered: is_delivered(&delivery),
                due: *due,
            });
            *due += pace;
        }
        ReplayPlan { planned_at: now, replays }
    }

    /// Returns the deliveries among which a filter selects, in the order of their messages.
    fn candidates(&self, filter: &ReplayFilter) -> Vec<DeliveryNo> {
        let of_message = |message: MessageNo| self.fan_out(message).into_iter().map(|(_, it)| it);
        match (&filter.message, &filter.endpoint) {
            (Some(message), _) => {
                self.messages.find(message).into_iter().flat_map(of_message).collect()
            }
            (None, Some(endpoint)) => {
                let number = self.endpoints.find(endpoint);
                let roster = number.and_then(|it| self.endpoints.slot(it)).map(|it| &it.roster);
                let all = roster.into_iter().flat_map(|roster| roster.all(&self.deliveries));
                self.in_order(all)
            }
            (None, None) => self.messages.in_order().into_iter().flat_map(of_message).collect(),
        }
    }

    /// Replays up to the first 1,024 deliveries of a plan, removes them from it, and returns how
    /// many were replayed. Call it until the plan is empty; a host that must not stall goes on with
    /// its loop between two calls.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use labhook::{Outbox, Registry, Timestamp};
    /// # use labhook::outbox::ReplayFilter;
    /// # let mut outbox = Outbox::new(Registry::new(), 7);
    /// # let now = Timestamp::from_unix_seconds(1_744_882_200);
    /// let dead_letters = ReplayFilter::all().only_failed();
    /// let mut plan = outbox.plan_replay(&dead_letters, Duration::from_millis(100), now);
    /// while !plan.is_empty() {
    ///     outbox.replay(&mut plan, now);
    /// }
    /// ```
    ///
    /// The plan's schedule is relative to the instant at which it was made, and starts at `now`: pass
    /// the same `now` to each call, or the later parts are delayed by the difference. A
    /// delivery that had ended is pending again, and one that waited for a retry waits for this
    /// instant instead. Attempts count as retries and are subject to health, flow and order like
    /// any other. In its ordering group a replayed delivery keeps the position of its message,
    /// ahead of those that were accepted later.
    ///
    /// Deliveries that were attempted, replayed, delivered or withdrawn since the plan was made are
    /// left as they are. A copy of the plan can therefore be carried out again, for example after a
    /// crash, and nothing is replayed twice.
    pub fn replay(&mut self, plan: &mut ReplayPlan, now: Timestamp) -> usize {
        let planned_at = plan.planned_at;
        let later = now.saturating_since(planned_at);
        let part = plan.replays.len().min(PER_CALL);
        let replays: VecDeque<_> = plan.replays.drain(..part).collect();
        let mut count: usize = 0;
        for planned in &replays {
            count = count.saturating_add(usize::from(self.replay_one(planned, later, now)));
            self.close_large_part();
        }
        self.log(now, || Input::Replay { plan: ReplayPlan { planned_at, replays } }, &count);
        count
    }

    fn replay_one(&mut self, planned: &Planned, later: Duration, now: Timestamp) -> bool {
        let Planned { sequence, message, endpoint, attempts, replays, delivered, due } = planned;
        let Some(number) = self.find(message, endpoint) else { return false };
        let Some(place) = self.deliveries.place(number) else { return false };
        let Some(slot) = self.endpoints.slot_mut(place.endpoint) else { return false };
        if !Self::can_replay(slot) {
            return false;
        }
        let Some(mut state) = self.load(number) else { return false };
        let Some(message_state) = self.messages.get_mut(place.message) else { return false };
        let delivery = &state.delivery;
        let as_planned = (delivery.attempts(), delivery.replays()) == (*attempts, *replays)
            && is_delivered(delivery) == *delivered
            && !is_withdrawn(delivery);
        let had_ended = delivery.verdict().is_some();
        // If the plan is carried out late, the delivery's window counts from now, and a lifetime
        // that has ended since is over.
        let due = (*due + later).max(now);
        let same_message = message_state.sequence == *sequence;
        if !same_message || !as_planned || !state.delivery.replay(due) {
            return false;
        }
        if had_ended {
            let scheduled = &mut message_state.forget_timer;
            let terms = (Term::Later, Term::Later);
            self.timers.set(scheduled, None, Timer::Forget(place.message), terms);
            message_state.open = message_state.open.saturating_add(1);
            self.pending = self.pending.saturating_add(1);
            // It is reported and counted again when it ends, even if that is at once.
            state.placement.reopen();
            state.update_record(now);
            self.touch_delivery(number);
            if let Some(slot) = self.endpoints.slot_mut(place.endpoint) {
                slot.roster.take_ended(&mut self.deliveries, number);
                if let Some(state) = &mut slot.state {
                    state.counters.replayed();
                }
            }
        }
        self.reconcile_delivery(number, state, None, now);
        true
    }

    fn can_replay(slot: &EndpointSlot) -> bool {
        let state = slot.state.as_ref().filter(|_| slot.endpoint.is_some());
        state.is_some_and(|state| state.persisted.health.disabled().is_none())
    }
}
