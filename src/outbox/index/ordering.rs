//! Ordering groups of one endpoint: [`OrderingGroups`].

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;

use crate::outbox::slab::{DeliveryNo, GroupNo, Slab};

/// Whether a delivery blocks the later ones in its ordering group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::outbox) enum GroupStatus {
    /// Later deliveries wait for this one: head-of-line blocking.
    Blocking,
    /// Later deliveries may overtake this one.
    Skipped,
}

/// The ordering groups of one endpoint, by name.
#[derive(Clone, Default)]
pub(super) struct OrderingGroups {
    groups: Slab<GroupNo, OrderingGroup>,
    names: BTreeMap<Box<str>, GroupNo>,
}

/// Deliveries to one endpoint that are made in the order of their messages.
#[derive(Clone, Debug)]
struct OrderingGroup {
    name: Box<str>,
    open: BTreeMap<u64, DeliveryNo>,
    /// The deliveries that block all later ones.
    blocking: BTreeMap<u64, DeliveryNo>,
}

impl OrderingGroup {
    /// Returns the first blocking delivery, for which all later ones wait; `u64::MAX` if there is
    /// none.
    fn head(&self) -> u64 {
        self.blocking.keys().next().copied().unwrap_or(u64::MAX)
    }
}

impl fmt::Debug for OrderingGroups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names.values().map(|it| self.groups.get(*it))).finish()
    }
}

impl OrderingGroups {
    /// Returns whether a group has this name.
    pub(super) fn is_named(&self, group: GroupNo, name: &str) -> bool {
        self.groups.get(group).is_some_and(|group| *group.name == *name)
    }

    /// Returns the group with this name, which it makes if there is none.
    pub(super) fn find_or_insert(&mut self, name: &str) -> GroupNo {
        if let Some(group) = self.names.get(name) {
            return *group;
        }
        let group = self.groups.insert(OrderingGroup {
            name: name.into(),
            open: BTreeMap::new(),
            blocking: BTreeMap::new(),
        });
        self.names.insert(name.into(), group);
        group
    }

    /// Sets a delivery's status in a group; `None` takes it out of the group. Returns the
    /// deliveries that this blocked or unblocked. They are all later than the delivery itself.
    pub(super) fn set(
        &mut self,
        group: GroupNo,
        sequence: u64,
        delivery: DeliveryNo,
        status: Option<GroupStatus>,
    ) -> Vec<(u64, DeliveryNo)> {
        let number = group;
        let Some(group) = self.groups.get_mut(group) else { return Vec::new() };
        match status {
            Some(_) => group.open.insert(sequence, delivery),
            None => group.open.remove(&sequence),
        };
        let before = group.head();
        match status {
            Some(GroupStatus::Blocking) => group.blocking.insert(sequence, delivery),
            Some(GroupStatus::Skipped) | None => group.blocking.remove(&sequence),
        };
        let after = group.head();
        // A delivery later than both heads is blocked as before. Only those between the two, and
        // the later head itself, have changed.
        let between = (Bound::Excluded(before.min(after)), Bound::Included(before.max(after)));
        let moved = group.open.range(between).map(|(sequence, it)| (*sequence, *it)).collect();
        if group.open.is_empty()
            && let Some(group) = self.groups.remove(number)
        {
            self.names.remove(&group.name);
        }
        moved
    }

    /// Returns the delivery of a group for which all later ones wait, if there is one.
    pub(super) fn head(&self, name: &str) -> Option<(u64, DeliveryNo)> {
        let group = self.groups.get(*self.names.get(name)?)?;
        group.blocking.first_key_value().map(|(sequence, delivery)| (*sequence, *delivery))
    }

    /// Returns whether a delivery waits for an earlier one of its group.
    pub(super) fn is_blocked(&self, name: &str, sequence: u64) -> bool {
        self.head(name).is_some_and(|(head, _)| head < sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::slab::Number;

    #[test]
    fn group_is_found_by_its_name_until_it_is_empty() {
        let mut groups = OrderingGroups::default();
        let [first, second] = ["r1", "r2"].map(|name| groups.find_or_insert(name));
        assert_eq!(groups.find_or_insert("r1"), first);
        assert!(groups.is_named(first, "r1") && !groups.is_named(first, "r2"));
        assert!(groups.is_named(second, "r2"));
        let delivery = DeliveryNo::from_index(1);
        groups.set(first, 5, delivery, Some(GroupStatus::Blocking));
        assert_eq!(groups.head("r1"), Some((5, delivery)));
        assert!(groups.is_blocked("r1", 6) && !groups.is_blocked("r1", 5));
        groups.set(first, 5, delivery, None);
        assert!(!groups.is_named(first, "r1"));
        assert_eq!(groups.head("r1"), None);
    }

    #[test]
    fn groups_as_text_are_those_with_deliveries() {
        let mut groups = OrderingGroups::default();
        let group = groups.find_or_insert("r1");
        groups.set(group, 5, DeliveryNo::from_index(1), Some(GroupStatus::Blocking));
        let text = format!("{groups:?}");
        assert!(text.contains("\"r1\"") && text.contains("blocking: {5: _}"), "{text}");
        groups.set(group, 5, DeliveryNo::from_index(1), None);
        assert_eq!(format!("{groups:?}"), "[]");
    }
}
