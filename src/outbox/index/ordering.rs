//! Ordering groups of one endpoint: [`OrderingGroups`].

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// Whether a delivery blocks the later ones in its ordering group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::outbox) enum GroupStatus {
    /// Later deliveries wait for this one: head-of-line blocking.
    Blocking,
    /// Later deliveries may overtake this one.
    Skipped,
}

/// The ordering groups of one endpoint, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct OrderingGroups(BTreeMap<Box<str>, OrderingGroup>);

/// Deliveries to one endpoint that are made in the order of their messages.
#[derive(Clone, Debug, Default)]
struct OrderingGroup {
    open: BTreeSet<u64>,
    /// The deliveries that block all later ones.
    blocking: BTreeSet<u64>,
}

impl OrderingGroup {
    /// Returns the first blocking delivery, for which all later ones wait; `u64::MAX` if there is
    /// none.
    fn head(&self) -> u64 {
        self.blocking.first().copied().unwrap_or(u64::MAX)
    }
}

impl OrderingGroups {
    /// Sets a delivery's status in a group; `None` takes it out of the group. Returns the
    /// deliveries that this blocked or unblocked. They are all later than the delivery itself.
    pub(super) fn set(
        &mut self,
        name: &str,
        sequence: u64,
        status: Option<GroupStatus>,
    ) -> Vec<u64> {
        if status.is_some() && !self.0.contains_key(name) {
            self.0.insert(name.into(), OrderingGroup::default());
        }
        let Some(group) = self.0.get_mut(name) else { return Vec::new() };
        match status {
            Some(_) => group.open.insert(sequence),
            None => group.open.remove(&sequence),
        };
        let before = group.head();
        match status {
            Some(GroupStatus::Blocking) => group.blocking.insert(sequence),
            Some(GroupStatus::Skipped) | None => group.blocking.remove(&sequence),
        };
        let after = group.head();
        // A delivery later than both heads is blocked as before. Only those between the two, and
        // the later head itself, have changed.
        let between = (Bound::Excluded(before.min(after)), Bound::Included(before.max(after)));
        let moved = group.open.range(between).copied().collect();
        if group.open.is_empty() {
            self.0.remove(name);
        }
        moved
    }

    /// Returns the delivery of a group for which all later ones wait, if there is one.
    pub(super) fn head(&self, name: &str) -> Option<u64> {
        self.0.get(name).and_then(|group| group.blocking.first().copied())
    }

    /// Returns whether a delivery waits for an earlier one of its group.
    pub(super) fn is_blocked(&self, name: &str, sequence: u64) -> bool {
        self.0.get(name).is_some_and(|group| group.head() < sequence)
    }
}
