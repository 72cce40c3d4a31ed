//! Deliveries that are made again: [`ReplayFilter`], [`ReplayPlan`] and [`Outbox::replay`].

use std::collections::BTreeMap;
use std::collections::btree_map::Range;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Outbox;
use super::backlog::Phase;
use super::record::RecordKey;
use super::timers::Timer;
use crate::delivery::{Delivery, Verdict};
use crate::id::{EndpointId, MessageId};
use crate::time::Timestamp;

/// Which deliveries to replay. Each condition narrows it down.
///
/// ```
/// use std::time::Duration;
/// use labhook::{EndpointId, Timestamp};
/// use labhook::outbox::ReplayFilter;
///
/// // What the ELN missed yesterday.
/// let today = Timestamp::from_unix_seconds(1_744_848_000);
/// let yesterday = Timestamp::from_unix_seconds(1_744_761_600);
/// let missed = ReplayFilter::all()
///     .with_endpoint(EndpointId::new("eln")?)
///     .with_accepted_from(yesterday)
///     .with_accepted_before(today)
///     .only_failed();
/// # Ok::<(), labhook::id::IdError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayFilter {
    message: Option<MessageId>,
    endpoint: Option<EndpointId>,
    from: Option<Timestamp>,
    before: Option<Timestamp>,
    failed: bool,
}

impl ReplayFilter {
    /// All deliveries that the outbox knows: those that are pending, and those of settled messages
    /// that it [retains](Outbox::with_retention).
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Only those of this message.
    #[must_use]
    pub fn with_message(mut self, id: MessageId) -> Self {
        self.message = Some(id);
        self
    }

    /// Only those to this endpoint.
    #[must_use]
    pub fn with_endpoint(mut self, id: EndpointId) -> Self {
        self.endpoint = Some(id);
        self
    }

    /// Only those whose message was accepted at this instant or later.
    #[must_use]
    pub const fn with_accepted_from(mut self, at: Timestamp) -> Self {
        self.from = Some(at);
        self
    }

    /// Only those whose message was accepted before this instant.
    #[must_use]
    pub const fn with_accepted_before(mut self, at: Timestamp) -> Self {
        self.before = Some(at);
        self
    }

    /// Only those that have ended, and not as [`Verdict::Delivered`].
    #[must_use]
    pub const fn only_failed(mut self) -> Self {
        self.failed = true;
        self
    }

    /// Whether it is selected, where its message is.
    fn selects(&self, endpoint: &EndpointId, delivery: &Delivery) -> bool {
        self.endpoint.as_ref().is_none_or(|id| id == endpoint)
            && self.from.is_none_or(|from| delivery.accepted_at() >= from)
            && self.before.is_none_or(|before| delivery.accepted_at() < before)
            && (!self.failed || (delivery.verdict().is_some() && !is_delivered(delivery)))
    }
}

/// Which deliveries are to be replayed, and when: made by [`Outbox::plan_replay`], carried out by
/// [`Outbox::replay`].
///
/// It is plain data, so that it can be shown to whoever decides, and saved in between.
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
    /// What was so when it was planned: whatever has moved since is left out.
    attempts: u32,
    replays: u32,
    delivered: bool,
    due: Timestamp,
}

impl ReplayPlan {
    /// Each delivery, and when it is to be due, in the order in which their messages were accepted.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&MessageId, &EndpointId, Timestamp)> {
        self.replays.iter().map(|it| (&it.message, &it.endpoint, it.due))
    }

    /// How many deliveries are to be replayed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.replays.len()
    }

    /// Whether there is none to be replayed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.replays.is_empty()
    }
}

impl Outbox {
    /// Plans to replay what is selected, the deliveries of each endpoint `pace` apart; changes
    /// nothing.
    ///
    /// What cannot be replayed is left out: what has an attempt in flight, what is past its
    /// message's lifetime by its turn, and what goes to an endpoint that is unknown or disabled.
    #[must_use]
    pub fn plan_replay(
        &self,
        selection: &ReplayFilter,
        pace: Duration,
        now: Timestamp,
    ) -> ReplayPlan {
        let mut turns = BTreeMap::new();
        let mut replays = Vec::new();
        let entries = match selection.message.as_ref().map(|id| self.sequences.get(id)) {
            Some(Some(sequence)) => self.messages.range(sequence..=sequence),
            Some(None) => Range::default(),
            None => self.messages.range(..),
        };
        for (sequence, entry) in entries {
            for (endpoint, slot) in entry.slots.iter() {
                let message = entry.message.id();
                let delivery = &slot.delivery;
                if !selection.selects(endpoint, delivery) || !self.can_replay(endpoint) {
                    continue;
                }
                let due = turns.entry(endpoint).or_insert(now);
                // Whether it can be replayed is the delivery's to say.
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
                *due = *due + pace;
            }
        }
        ReplayPlan { planned_at: now, replays }
    }

    /// Carries a plan out, and answers how many deliveries are replayed by it.
    ///
    /// Each of them is due again as long after `now` as the plan has it after the instant at which
    /// it was made: one that had ended is pending once more, and one that waited for a retry waits
    /// for this instead, in one step. Its attempts are retries, held back by health, flow and order
    /// like any other; in order it stands where its message was accepted, ahead of what was
    /// accepted since.
    ///
    /// A delivery that was attempted, replayed or delivered since the plan was made is left as it
    /// is. So a plan can be carried out again, after a crash say, and nothing is replayed twice.
    pub fn replay(&mut self, plan: &ReplayPlan, now: Timestamp) -> usize {
        let later = now.saturating_since(plan.planned_at);
        plan.replays.iter().filter(|planned| self.replay_one(planned, later, now)).count()
    }

    fn replay_one(&mut self, planned: &Planned, later: Duration, now: Timestamp) -> bool {
        let Planned { sequence, message, endpoint, attempts, replays, delivered, due } = planned;
        if !self.can_replay(endpoint) {
            return false;
        }
        let Some(entry) = self.messages.get_mut(sequence) else { return false };
        let Some(slot) = entry.slots.get_mut(endpoint) else { return false };
        let delivery = &slot.delivery;
        let as_planned = (delivery.attempts(), delivery.replays()) == (*attempts, *replays)
            && is_delivered(delivery) == *delivered;
        let ended = slot.delivery.verdict().is_some();
        // Of a plan that is carried out late the window counts from now, and a lifetime that has
        // ended since is over.
        let due = (*due + later).max(now);
        if entry.message.id() != message || !as_planned || !slot.delivery.replay(due) {
            return false;
        }
        if ended {
            self.alarms.change(entry.forget_at.take(), None, Timer::Forget(*sequence));
            entry.open = entry.open.saturating_add(1);
            self.pending = self.pending.saturating_add(1);
            // It is told of, counted and taken up anew, also where it ends at once.
            slot.place = Phase::New;
            slot.note(now);
            self.journal.touch(RecordKey::Delivery(message.clone(), endpoint.clone()));
            if let Some(lane) = self.lanes.get_mut(endpoint) {
                lane.counters.replayed();
            }
        }
        self.settle(*sequence, endpoint, None, now);
        true
    }

    fn can_replay(&self, endpoint: &EndpointId) -> bool {
        let lane = self.lanes.get(endpoint).filter(|_| self.registry.get(endpoint).is_some());
        lane.is_some_and(|lane| lane.kept.health.disabled().is_none())
    }
}

fn is_delivered(delivery: &Delivery) -> bool {
    delivery.verdict() == Some(Verdict::Delivered)
}
