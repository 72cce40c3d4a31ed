//! The deliveries of one endpoint that have not ended: [`Backlog`].

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// Where a delivery stands in its queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// No queue has seen it yet.
    New,
    /// Its first attempt could be made now.
    First,
    /// A further attempt could be made now.
    Retry,
    /// An attempt is under way.
    InFlight,
    /// It waits for an instant, for its endpoint to come back, or for somebody's decision.
    Waiting,
    /// It has ended: no queue knows it any more.
    Ended,
}

impl Phase {
    pub(super) const fn is_due(self) -> bool {
        matches!(self, Self::First | Self::Retry)
    }
}

/// How a delivery stands in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GroupStatus {
    /// It holds up those behind it.
    Holding,
    /// It lets them pass.
    LettingPass,
}

/// The deliveries of one endpoint that have not ended, by the sequence of their messages.
#[derive(Clone, Debug, Default)]
pub(super) struct Backlog {
    open: BTreeSet<u64>,
    firsts: BTreeSet<u64>,
    retries: BTreeSet<u64>,
    lines: BTreeMap<Box<str>, OrderingGroup>,
}

/// Deliveries of which one waits for another.
#[derive(Clone, Debug, Default)]
struct OrderingGroup {
    open: BTreeSet<u64>,
    /// Those that hold up all behind them.
    holding: BTreeSet<u64>,
}

impl OrderingGroup {
    /// The first that holds up others, behind which all wait; `u64::MAX` where none does.
    fn head(&self) -> u64 {
        self.holding.first().copied().unwrap_or(u64::MAX)
    }
}

impl Backlog {
    /// Those that have not ended, oldest first.
    pub(super) fn open(&self) -> impl ExactSizeIterator<Item = u64> {
        self.open.iter().copied()
    }

    /// The oldest of which the first attempt is due.
    pub(super) fn first(&self) -> Option<u64> {
        self.firsts.first().copied()
    }

    /// The oldest of which a further attempt is due.
    pub(super) fn retry(&self) -> Option<u64> {
        self.retries.first().copied()
    }

    /// How many are due.
    pub(super) fn due(&self) -> usize {
        self.firsts.len().saturating_add(self.retries.len())
    }

    /// Moves a delivery from one place to another.
    pub(super) fn shift(&mut self, sequence: u64, from: Phase, to: Phase) {
        if from == to {
            return;
        }
        match from {
            Phase::First => _ = self.firsts.remove(&sequence),
            Phase::Retry => _ = self.retries.remove(&sequence),
            Phase::New | Phase::Ended => _ = self.open.insert(sequence),
            Phase::InFlight | Phase::Waiting => {}
        }
        match to {
            Phase::First => _ = self.firsts.insert(sequence),
            Phase::Retry => _ = self.retries.insert(sequence),
            Phase::Ended => _ = self.open.remove(&sequence),
            Phase::New | Phase::InFlight | Phase::Waiting => {}
        }
    }

    /// Takes up how a delivery stands in a line: whether it is in it, and whether it holds up those
    /// behind it. Answers which of these may go from here on, or may not go any more; they are all
    /// younger than it.
    pub(super) fn line_up(
        &mut self,
        line: &str,
        sequence: u64,
        standing: Option<GroupStatus>,
    ) -> Vec<u64> {
        if standing.is_some() && !self.lines.contains_key(line) {
            self.lines.insert(line.into(), OrderingGroup::default());
        }
        let Some(entry) = self.lines.get_mut(line) else { return Vec::new() };
        match standing {
            Some(_) => entry.open.insert(sequence),
            None => entry.open.remove(&sequence),
        };
        let before = entry.head();
        match standing {
            Some(GroupStatus::Holding) => entry.holding.insert(sequence),
            Some(GroupStatus::LettingPass) | None => entry.holding.remove(&sequence),
        };
        let after = entry.head();
        // What is behind both is held up as it was. Behind one of the two alone are those between
        // them, and the later one itself.
        let between = (Bound::Excluded(before.min(after)), Bound::Included(before.max(after)));
        let moved = entry.open.range(between).copied().collect();
        if entry.open.is_empty() {
            self.lines.remove(line);
        }
        moved
    }

    /// Whether another delivery holds this one up.
    pub(super) fn is_held_up(&self, line: &str, sequence: u64) -> bool {
        self.lines.get(line).is_some_and(|line| line.head() < sequence)
    }
}
