//! Redelivery: [`Outbox::plan_replay`] and [`Outbox::replay`].

use std::collections::BTreeMap;
use std::collections::btree_map::Range;
use std::time::Duration;

use super::Outbox;
use super::index::timers::Timer;
use super::input_log::Input;
use super::record::RecordKey;
use super::replay_plan::{Planned, ReplayFilter, ReplayPlan, is_delivered, is_withdrawn};
use crate::id::EndpointId;
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
        let mut replays = Vec::new();
        let messages = match filter.message.as_ref().map(|id| self.sequences.get(id)) {
            Some(Some(sequence)) => self.messages.range(sequence..=sequence),
            Some(None) => Range::default(),
            None => self.messages.range(..),
        };
        for (sequence, message_state) in messages {
            for (endpoint, state) in message_state.deliveries.iter() {
                let message = message_state.message.id();
                let delivery = &state.delivery;
                if !filter.selects(endpoint, delivery)
                    || is_withdrawn(delivery)
                    || !self.can_replay(endpoint)
                {
                    continue;
                }
                let due = next_due.entry(endpoint).or_insert(now);
                // Only the delivery knows whether it can be replayed.
                if !delivery.clone().replay(*due) {
                    continue;
                }
                replays.push(Planned {
                    sequence: *sequence,
                    message: message.clone(),
                    endpoint: endpoint.clone(),
                    attempts: delivery.attempts(),
                    replays: delivery.replays(),
                    delivered: is_delivered(delivery),
                    due: *due,
                });
                *due += pace;
            }
        }
        ReplayPlan { planned_at: now, replays }
    }

    /// Carries out a plan, and returns the number of deliveries that it replays.
    ///
    /// The plan's schedule is relative to the instant at which it was made, and starts at `now`. A
    /// delivery that had ended is pending again, and one that waited for a retry waits for this
    /// instant instead. Attempts count as retries and are subject to health, flow and order like
    /// any other. In its ordering group a replayed delivery keeps the position of its message,
    /// ahead of those that were accepted later.
    ///
    /// Deliveries that were attempted, replayed, delivered or withdrawn since the plan was made are left as
    /// they are. A plan can therefore be carried out again, for example after a crash, and nothing
    /// is replayed twice.
    pub fn replay(&mut self, plan: &ReplayPlan, now: Timestamp) -> usize {
        let later = now.saturating_since(plan.planned_at);
        let count =
            plan.replays.iter().filter(|planned| self.replay_one(planned, later, now)).count();
        self.log(now, || Input::Replay { plan: plan.clone() }, &count);
        count
    }

    fn replay_one(&mut self, planned: &Planned, later: Duration, now: Timestamp) -> bool {
        let Planned { sequence, message, endpoint, attempts, replays, delivered, due } = planned;
        if !self.can_replay(endpoint) {
            return false;
        }
        let Some(message_state) = self.messages.get_mut(sequence) else { return false };
        let Some(state) = message_state.deliveries.get_mut(endpoint) else { return false };
        let delivery = &state.delivery;
        let as_planned = (delivery.attempts(), delivery.replays()) == (*attempts, *replays)
            && is_delivered(delivery) == *delivered
            && !is_withdrawn(delivery);
        let had_ended = delivery.verdict().is_some();
        // If the plan is carried out late, the delivery's window counts from now, and a lifetime
        // that has ended since is over.
        let due = (*due + later).max(now);
        let same_message = message_state.message.id() == message;
        if !same_message || !as_planned || !state.delivery.replay(due) {
            return false;
        }
        if had_ended {
            let scheduled = &mut message_state.forget_timer;
            self.timers.set(scheduled, None, || Timer::Forget(*sequence));
            message_state.open = message_state.open.saturating_add(1);
            self.pending = self.pending.saturating_add(1);
            // It is reported and counted again when it ends, even if that is at once.
            state.placement.reopen();
            state.update_record(now);
            self.journal.touch(RecordKey::Delivery(message.clone(), endpoint.clone()));
            if let Some(endpoint_state) = self.endpoints.get_mut(endpoint) {
                endpoint_state.counters.replayed();
            }
        }
        self.reconcile_delivery(*sequence, endpoint, None, now);
        true
    }

    fn can_replay(&self, endpoint: &EndpointId) -> bool {
        let state = self.endpoints.get(endpoint).filter(|_| self.registry.get(endpoint).is_some());
        state.is_some_and(|state| state.persisted.health.disabled().is_none())
    }
}
