//! Pending deliveries of one endpoint: [`Backlog`].

use std::collections::BTreeSet;

use super::line::Line;
use super::ordering::{GroupStatus, OrderingGroups};
use crate::outbox::slab::{DeliveryNo, GroupNo};
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
    /// Returns whether a delivery in this phase is in the backlog.
    pub(in crate::outbox) const fn is_open(self) -> bool {
        !matches!(self, Self::New | Self::Ended)
    }
}

/// A delivery's position in the [`Backlog`], which alone changes it.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::outbox) struct Placement {
    phase: Phase,
    group: Option<GroupNo>,
}

impl Placement {
    pub(in crate::outbox) const fn new(phase: Phase, group: Option<GroupNo>) -> Self {
        Self { phase, group }
    }

    pub(in crate::outbox) const fn phase(&self) -> Phase {
        self.phase
    }

    pub(in crate::outbox) const fn group(&self) -> Option<GroupNo> {
        self.group
    }

    /// Notes that a delivery that had ended is pending again. The next [`Backlog::place`] puts it
    /// back, or ends it a second time.
    pub(in crate::outbox) const fn reopen(&mut self) {
        self.phase = Phase::New;
    }
}

/// The deliveries of one endpoint that are due, and its ordering groups.
#[derive(Clone, Debug, Default)]
pub(in crate::outbox) struct Backlog {
    firsts: Line,
    /// By the time since when they are due.
    retries: BTreeSet<(Timestamp, u64, DeliveryNo)>,
    groups: OrderingGroups,
}

impl Backlog {
    /// Returns the oldest delivery whose first attempt is due.
    pub(in crate::outbox) fn first(&self) -> Option<DeliveryNo> {
        self.firsts.first()
    }

    /// Returns the delivery whose retry has been due longest.
    pub(in crate::outbox) fn retry(&self) -> Option<DeliveryNo> {
        self.retries.first().map(|(.., delivery)| *delivery)
    }

    /// Returns the delivery to probe the endpoint with: the newest that has never been tried, or
    /// else the retry that has been due longest.
    ///
    /// A probe that fails is a retry from then on, and due later than all that are due now. So a
    /// message that the receiver can never accept is not probed twice in a row while another
    /// is due.
    pub(in crate::outbox) fn probe(&self) -> Option<DeliveryNo> {
        self.firsts.last().or_else(|| self.retry())
    }

    /// Returns the number of deliveries that are due.
    pub(in crate::outbox) fn due(&self) -> usize {
        self.firsts.len().saturating_add(self.retries.len())
    }

    /// Returns whether a delivery waits for an earlier one of its ordering group.
    pub(in crate::outbox) fn is_blocked(&self, group: &str, sequence: u64) -> bool {
        self.groups.is_blocked(group, sequence)
    }

    /// Returns the delivery of an ordering group for which all later ones wait, and its sequence
    /// number, if there is one.
    pub(in crate::outbox) fn head(&self, group: &str) -> Option<(u64, DeliveryNo)> {
        self.groups.head(group)
    }

    /// Returns the number of first attempts that are due, all or those before this delivery's.
    pub(in crate::outbox) fn firsts(&self, before: Option<u64>) -> usize {
        before.map_or(self.firsts.len(), |sequence| self.firsts.count_before(sequence))
    }

    /// Returns the number of retries that are due, all or those before this delivery's.
    pub(in crate::outbox) fn retries(&self, before: Option<(Timestamp, u64)>) -> usize {
        let Some(before) = before else { return self.retries.len() };
        let places = self.retries.iter().map(|(since, sequence, _)| (*since, *sequence));
        places.take_while(|place| *place < before).count()
    }

    /// Sets a delivery's phase and its status in its ordering group, if it has one. Returns the
    /// later deliveries that this blocked or unblocked.
    pub(in crate::outbox) fn place(
        &mut self,
        (sequence, delivery): (u64, DeliveryNo),
        placement: &mut Placement,
        phase: Phase,
        group: Option<(&str, GroupStatus)>,
    ) -> Vec<(u64, DeliveryNo)> {
        let from = std::mem::replace(&mut placement.phase, phase);
        self.shift((sequence, delivery), from, phase);
        let mut moved = Vec::new();
        let is_left =
            |left: &mut GroupNo| group.is_none_or(|(name, _)| !self.groups.is_named(*left, name));
        if let Some(left) = placement.group.take_if(is_left) {
            moved = self.groups.set(left, sequence, delivery, None);
        }
        if let Some((name, status)) = group {
            let number = match placement.group {
                Some(number) => number,
                None => self.groups.find_or_insert(name),
            };
            placement.group = Some(number);
            moved.append(&mut self.groups.set(number, sequence, delivery, Some(status)));
        }
        moved
    }

    fn shift(&mut self, (sequence, delivery): (u64, DeliveryNo), from: Phase, to: Phase) {
        if from == to {
            return;
        }
        match from {
            Phase::First => self.firsts.remove(sequence),
            Phase::Retry { since } => _ = self.retries.remove(&(since, sequence, delivery)),
            Phase::New | Phase::Ended | Phase::InFlight | Phase::Waiting => {}
        }
        match to {
            Phase::First => self.firsts.insert(sequence, delivery),
            Phase::Retry { since } => _ = self.retries.insert((since, sequence, delivery)),
            Phase::New | Phase::Ended | Phase::InFlight | Phase::Waiting => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::slab::Number;

    #[test]
    fn delivery_stays_in_its_group_until_another_is_named() {
        let (mut backlog, mut placement) = (Backlog::default(), Placement::default());
        let [first, second] = [1, 2].map(DeliveryNo::from_index);
        let blocking = |name| Some((name, GroupStatus::Blocking));
        backlog.place((5, first), &mut placement, Phase::First, blocking("r1"));
        backlog.place((6, second), &mut Placement::default(), Phase::Waiting, blocking("r1"));
        assert_eq!(backlog.head("r1"), Some((5, first)));
        // It unblocks none if nothing about it has changed.
        let moved = backlog.place((5, first), &mut placement, Phase::InFlight, blocking("r1"));
        assert_eq!(moved, []);
        let moved = backlog.place((5, first), &mut placement, Phase::InFlight, blocking("r2"));
        assert_eq!(moved, [(6, second)]);
        assert_eq!(backlog.head("r1"), Some((6, second)));
        assert_eq!(backlog.head("r2"), Some((5, first)));
    }
}
