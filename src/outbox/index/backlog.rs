//! Pending deliveries of one endpoint: [`Backlog`].

use std::collections::BTreeSet;

use super::ordering::{GroupStatus, OrderingGroups};
use crate::time::Timestamp;

/// Phase of a delivery in its endpoint's backlog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::outbox) enum Phase {
    /// Not yet in the backlog.
    #[default]
    New,
    /// Its first attempt could start now.
    First,
    /// A further attempt could start now.
    Retry {
        /// Since when it is due.
        since: Timestamp,
    },
    /// An attempt is in flight.
    InFlight,
    /// It waits for an instant, an earlier delivery, its endpoint or someone's decision.
    Waiting,
    /// It has ended and left the backlog.
    Ended,
}

impl Phase {
    pub(in crate::outbox) const fn is_due(self) -> bool {
        matches!(self, Self::First | Self::Retry { .. })
    }
}

/// A delivery's position in the [`Backlog`], which alone changes it.
#[derive(Clone, Debug, Default)]
pub(in crate::outbox) struct Placement {
    phase: Phase,
    group: Option<Box<str>>,
}

impl Placement {
    pub(in crate::outbox) const fn phase(&self) -> Phase {
        self.phase
    }

    /// Notes that a delivery that had ended is pending again. The next [`Backlog::place`] puts it
    /// back, or ends it a second time.
    pub(in crate::outbox) const fn reopen(&mut self) {
        self.phase = Phase::New;
    }
}

/// The pending deliveries of one endpoint, by the sequence numbers of their messages.
#[derive(Clone, Debug, Default)]
pub(in crate::outbox) struct Backlog {
    open: BTreeSet<u64>,
    firsts: BTreeSet<u64>,
    /// By the time since when they are due.
    retries: BTreeSet<(Timestamp, u64)>,
    groups: OrderingGroups,
}

impl Backlog {
    /// Returns the pending deliveries, oldest first.
    pub(in crate::outbox) fn open(&self) -> impl ExactSizeIterator<Item = u64> {
        self.open.iter().copied()
    }

    /// Returns the oldest delivery whose first attempt is due.
    pub(in crate::outbox) fn first(&self) -> Option<u64> {
        self.firsts.first().copied()
    }

    /// Returns the delivery whose retry has been due longest.
    pub(in crate::outbox) fn retry(&self) -> Option<u64> {
        self.retries.first().map(|(_, sequence)| *sequence)
    }

    /// Returns the delivery to probe the endpoint with: the newest that has never been tried, or
    /// else the retry that has been due longest.
    ///
    /// A probe that fails is a retry from then on, and due later than all that are due now. So a
    /// message that the receiver can never accept is not probed twice in a row while another
    /// is due.
    pub(in crate::outbox) fn probe(&self) -> Option<u64> {
        self.firsts.last().copied().or_else(|| self.retry())
    }

    /// Returns the number of deliveries that are due.
    pub(in crate::outbox) fn due(&self) -> usize {
        self.firsts.len().saturating_add(self.retries.len())
    }

    /// Returns whether a delivery waits for an earlier one of its ordering group.
    pub(in crate::outbox) fn is_blocked(&self, group: &str, sequence: u64) -> bool {
        self.groups.is_blocked(group, sequence)
    }

    /// Returns the delivery of an ordering group for which all later ones wait, if there is one.
    pub(in crate::outbox) fn head(&self, group: &str) -> Option<u64> {
        self.groups.head(group)
    }

    /// Returns the number of first attempts that are due, all or those before this delivery's.
    pub(in crate::outbox) fn firsts(&self, before: Option<u64>) -> usize {
        before.map_or(self.firsts.len(), |sequence| self.firsts.range(..sequence).count())
    }

    /// Returns the number of retries that are due, all or those before this delivery's.
    pub(in crate::outbox) fn retries(&self, before: Option<(Timestamp, u64)>) -> usize {
        before.map_or(self.retries.len(), |place| self.retries.range(..place).count())
    }

    /// Sets a delivery's phase and its status in its ordering group, if it has one. Returns the
    /// later deliveries that this blocked or unblocked.
    pub(in crate::outbox) fn place(
        &mut self,
        sequence: u64,
        placement: &mut Placement,
        phase: Phase,
        group: Option<(&str, GroupStatus)>,
    ) -> Vec<u64> {
        let from = std::mem::replace(&mut placement.phase, phase);
        self.shift(sequence, from, phase);
        let name = group.map(|(name, _)| name);
        let mut moved = Vec::new();
        if let Some(left) = placement.group.take_if(|left| name != Some(&**left)) {
            moved = self.groups.set(&left, sequence, None);
        }
        if let Some((name, status)) = group {
            moved.append(&mut self.groups.set(name, sequence, Some(status)));
            if placement.group.is_none() {
                placement.group = Some(name.into());
            }
        }
        moved
    }

    fn shift(&mut self, sequence: u64, from: Phase, to: Phase) {
        if from == to {
            return;
        }
        match from {
            Phase::First => _ = self.firsts.remove(&sequence),
            Phase::Retry { since } => _ = self.retries.remove(&(since, sequence)),
            Phase::New | Phase::Ended => _ = self.open.insert(sequence),
            Phase::InFlight | Phase::Waiting => {}
        }
        match to {
            Phase::First => _ = self.firsts.insert(sequence),
            Phase::Retry { since } => _ = self.retries.insert((since, sequence)),
            Phase::Ended => _ = self.open.remove(&sequence),
            Phase::New | Phase::InFlight | Phase::Waiting => {}
        }
    }
}
