//! Redelivery: [`ReplayFilter`], [`ReplayPlan`] and [`Outbox::replay`].

use std::collections::BTreeMap;
use std::collections::btree_map::Range;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Outbox;
use super::index::timers::Timer;
use super::record::RecordKey;
use crate::delivery::{Delivery, Verdict};
use crate::id::{EndpointId, MessageId};
use crate::time::Timestamp;

/// Selects the deliveries to replay, such as the dead letters of one endpoint. Deliveries must meet
/// all conditions.
///
/// ```
/// use std::time::Duration;
/// use labhook::{EndpointId, Timestamp};
/// use labhook::outbox::ReplayFilter;
///
/// // Yesterday's failed deliveries to the ELN.
/// let today = Timestamp::from_unix_seconds(1_744_848_000);
/// let yesterday = Timestamp::from_unix_seconds(1_744_761_600);
/// let missed = ReplayFilter::all()
///     .with_endpoint(EndpointId::new("eln")?)
///     .with_accepted_from(yesterday)
///     .with_accepted_before(today)
///     .only_failed();
/// # Ok::<(), labhook::id::IdError>(())
/// ```
#[doc(alias = "redelivery")]
#[doc(alias = "resend")]
#[doc(alias = "dead letter")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayFilter {
    message: Option<MessageId>,
    endpoint: Option<EndpointId>,
    from: Option<Timestamp>,
    before: Option<Timestamp>,
    only_failed: bool,
}

impl ReplayFilter {
    /// Selects all deliveries that the outbox has: the pending ones, and those of settled messages
    /// within their [retention](Outbox::with_retention).
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Selects only deliveries of this message.
    #[must_use]
    pub fn with_message(mut self, id: MessageId) -> Self {
        self.message = Some(id);
        self
    }

    /// Selects only deliveries to this endpoint.
    #[must_use]
    pub fn with_endpoint(mut self, id: EndpointId) -> Self {
        self.endpoint = Some(id);
        self
    }

    /// Selects only deliveries of messages that were accepted at or after this instant.
    #[must_use]
    pub const fn with_accepted_from(mut self, at: Timestamp) -> Self {
        self.from = Some(at);
        self
    }

    /// Selects only deliveries of messages that were accepted before this instant.
    #[must_use]
    pub const fn with_accepted_before(mut self, at: Timestamp) -> Self {
        self.before = Some(at);
        self
    }

    /// Selects only deliveries that ended with a verdict other than [`Verdict::Delivered`].
    #[must_use]
    pub const fn only_failed(mut self) -> Self {
        self.only_failed = true;
        self
    }

    /// Returns whether a delivery of a selected message is selected.
    fn selects(&self, endpoint: &EndpointId, delivery: &Delivery) -> bool {
        self.endpoint.as_ref().is_none_or(|id| id == endpoint)
            && self.from.is_none_or(|from| delivery.accepted_at() >= from)
            && self.before.is_none_or(|before| delivery.accepted_at() < before)
            && (!self.only_failed || (delivery.verdict().is_some() && !is_delivered(delivery)))
    }
}

/// A list of deliveries to replay, each with the instant at which it becomes due.
///
/// [`Outbox::plan_replay`] makes it, and [`Outbox::replay`] carries it out. It is plain data with
/// serde: show it to an operator for approval, or save it.
#[doc(alias = "redelivery")]
#[doc(alias = "resend")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayPlan {
    planned_at: Timestamp,
    replays: Vec<Planned>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Planned {
    sequence: u64,
    message: MessageId,
    endpoint: EndpointId,
    /// The delivery's state as it was planned. A delivery that has changed since is left out.
    attempts: u32,
    replays: u32,
    delivered: bool,
    due: Timestamp,
}

impl ReplayPlan {
    /// Returns each delivery and when it becomes due, in the order in which the messages were
    /// accepted.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&MessageId, &EndpointId, Timestamp)> {
        self.replays.iter().map(|it| (&it.message, &it.endpoint, it.due))
    }

    /// Returns the number of deliveries in the plan.
    #[must_use]
    pub fn len(&self) -> usize {
        self.replays.len()
    }

    /// Returns whether the plan is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.replays.is_empty()
    }
}

impl Outbox {
    /// Plans to replay the selected deliveries, those of each endpoint `pace` apart. Changes
    /// nothing.
    ///
    /// The plan leaves out deliveries that have an attempt in flight, deliveries whose message will
    /// have expired by then, and deliveries to an unknown or disabled endpoint.
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
                if !filter.selects(endpoint, delivery) || !self.can_replay(endpoint) {
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
    /// Deliveries that were attempted, replayed or delivered since the plan was made are left as
    /// they are. A plan can therefore be carried out again, for example after a crash, and nothing
    /// is replayed twice.
    pub fn replay(&mut self, plan: &ReplayPlan, now: Timestamp) -> usize {
        let later = now.saturating_since(plan.planned_at);
        plan.replays.iter().filter(|planned| self.replay_one(planned, later, now)).count()
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
            && is_delivered(delivery) == *delivered;
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

fn is_delivered(delivery: &Delivery) -> bool {
    delivery.verdict() == Some(Verdict::Delivered)
}
