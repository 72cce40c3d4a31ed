//! The events of an inbox, by key and by age: [`Table`].
//!
//! Each event has a numbered slot. A tree leads from the digest of its key to the slot, and two
//! lists through the slots hold them by age. To find an event, one id is compared.

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::sync::Arc;

use super::Entry;
use super::key::{self, Key};
use super::names::Names;
use crate::time::Timestamp;

/// No slot.
const NONE: u32 = u32::MAX;

/// The events in progress and the handled ones. Their number is below [`MAX_EVENTS`].
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    slots: Vec<Slot>,
    /// Slots that no event has.
    free: Vec<u32>,
    sources: Names,
    /// Slots by the digest of their key.
    by_digest: BTreeMap<u64, u32>,
    /// Slots whose digest another event had when they were added, by source and id.
    collided: BTreeMap<(u32, Box<str>), u32>,
    leases: List,
    seen: List,
}

/// The largest number of events that slots have numbers for.
pub(super) const MAX_EVENTS: u32 = NONE;

#[derive(Clone, Debug)]
struct Slot {
    id: Box<str>,
    expires_at: Timestamp,
    number: u64,
    source: u32,
    /// The neighbours in its list.
    before: u32,
    after: u32,
    is_handled: bool,
}

/// Slots in ascending order of expiry, then of number.
#[derive(Clone, Copy, Debug)]
struct List {
    first: u32,
    last: u32,
}

impl Default for List {
    fn default() -> Self {
        Self { first: NONE, last: NONE }
    }
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.slots.len().saturating_sub(self.free.len())
    }

    /// Returns the slot of the event.
    pub(super) fn find(&self, key: &Key<'_>) -> Option<u32> {
        let source = self.sources.find(&key.source)?;
        let found = self.by_digest.get(&key.digest).copied();
        let is_event = |slot: &Slot| slot.source == source && *slot.id == *key.id;
        match found {
            Some(number) if self.slot(number).is_some_and(is_event) => found,
            _ if self.collided.is_empty() => None,
            _ => self.collided.get(&(source, Box::from(&*key.id))).copied(),
        }
    }

    pub(super) fn entry(&self, number: u32) -> Option<Entry> {
        self.slot(number).map(Slot::entry)
    }

    /// Returns the source and id of the event in a slot.
    pub(super) fn names(&self, number: u32) -> Option<(&Arc<str>, &str)> {
        let slot = self.slot(number)?;
        Some((self.sources.name(slot.source)?, &slot.id))
    }

    /// Adds an event that is not in the table, and returns its slot.
    pub(super) fn add(&mut self, key: &Key<'_>, entry: Entry) -> u32 {
        let slot = Slot {
            id: Box::from(&*key.id),
            expires_at: entry.expires_at,
            number: entry.number,
            source: self.sources.take(&key.source),
            before: NONE,
            after: NONE,
            is_handled: entry.is_handled,
        };
        let source = slot.source;
        let number = match self.free.pop() {
            Some(number) => {
                if let Some(place) = self.slot_mut(number) {
                    *place = slot;
                }
                number
            }
            None => {
                let number = u32::try_from(self.slots.len()).unwrap_or(NONE);
                self.slots.push(slot);
                number
            }
        };
        match self.by_digest.entry(key.digest) {
            btree_map::Entry::Vacant(place) => _ = place.insert(number),
            btree_map::Entry::Occupied(_) => {
                self.collided.insert((source, Box::from(&*key.id)), number);
            }
        }
        self.link(number);
        number
    }

    /// Changes the entry of an event in the table.
    pub(super) fn set(&mut self, number: u32, entry: Entry) {
        self.unlink(number);
        if let Some(slot) = self.slot_mut(number) {
            slot.expires_at = entry.expires_at;
            slot.number = entry.number;
            slot.is_handled = entry.is_handled;
        }
        self.link(number);
    }

    pub(super) fn remove(&mut self, number: u32) {
        let Some((source, id)) = self.names(number) else { return };
        let digest = key::digest(source, id);
        self.remove_with(number, digest);
    }

    fn remove_with(&mut self, number: u32, digest: u64) {
        self.unlink(number);
        let Some(slot) = self.slot_mut(number) else { return };
        let (id, source) = (std::mem::take(&mut slot.id), slot.source);
        if self.by_digest.get(&digest) == Some(&number) {
            self.by_digest.remove(&digest);
        } else {
            self.collided.remove(&(source, id));
        }
        self.sources.give_back(source);
        self.free.push(number);
    }

    /// Returns the event that expires first, of those in progress or of those handled.
    pub(super) fn first(&self, is_handled: bool) -> Option<(u32, Timestamp)> {
        let number = if is_handled { self.seen.first } else { self.leases.first };
        self.slot(number).map(|slot| (number, slot.expires_at))
    }

    /// Pulls in the events that expire after `latest`, and passes the slot of each.
    pub(super) fn pull_in(
        &mut self,
        is_handled: bool,
        latest: Timestamp,
        mut changed: impl FnMut(&Self, u32),
    ) {
        let mut late = Vec::new();
        let list = if is_handled { self.seen } else { self.leases };
        let mut number = list.last;
        while let Some(slot) = self.slot(number).filter(|slot| slot.expires_at > latest) {
            late.push((slot.number, number));
            number = slot.before;
        }
        late.sort_unstable();
        for (_, number) in &late {
            self.unlink(*number);
        }
        for (_, number) in late {
            if let Some(slot) = self.slot_mut(number) {
                slot.expires_at = latest;
            }
            self.link(number);
            changed(self, number);
        }
    }

    /// Iterates over the slots: the handled events, then those in progress, each by age.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        self.iter_from(self.seen.first).chain(self.iter_from(self.leases.first))
    }

    fn iter_from(&self, first: u32) -> impl Iterator<Item = u32> {
        let follow = |number: &u32| self.slot(*number).map(|slot| slot.after);
        std::iter::successors(Some(first), follow).take_while(|number| *number != NONE)
    }

    fn slot(&self, number: u32) -> Option<&Slot> {
        self.slots.get(usize::try_from(number).ok()?)
    }

    fn slot_mut(&mut self, number: u32) -> Option<&mut Slot> {
        self.slots.get_mut(usize::try_from(number).ok()?)
    }

    /// Adds a slot to its list, nearly always at the end.
    fn link(&mut self, number: u32) {
        let Some(slot) = self.slot(number) else { return };
        let (place, is_handled) = (slot.place(), slot.is_handled);
        let mut before = if is_handled { self.seen.last } else { self.leases.last };
        let mut after = NONE;
        while let Some(other) = self.slot(before).filter(|other| other.place() > place) {
            (before, after) = (other.before, before);
        }
        if let Some(slot) = self.slot_mut(number) {
            (slot.before, slot.after) = (before, after);
        }
        self.join(is_handled, before, number);
        self.join(is_handled, number, after);
    }

    fn unlink(&mut self, number: u32) {
        let Some(slot) = self.slot(number) else { return };
        let (before, after, is_handled) = (slot.before, slot.after, slot.is_handled);
        self.join(is_handled, before, after);
    }

    /// Makes two slots neighbours; either may be none, at the ends of the list.
    fn join(&mut self, is_handled: bool, before: u32, after: u32) {
        match self.slot_mut(before) {
            Some(slot) => slot.after = after,
            None => self.list(is_handled).first = after,
        }
        match self.slot_mut(after) {
            Some(slot) => slot.before = before,
            None => self.list(is_handled).last = before,
        }
    }

    const fn list(&mut self, is_handled: bool) -> &mut List {
        if is_handled { &mut self.seen } else { &mut self.leases }
    }
}

/// Tables with the same events are equal, in whatever slots the events are.
impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        let event = |table: &Self, number| {
            let (source, id) = table.names(number)?;
            Some((source.clone(), Box::<str>::from(id), table.entry(number)?))
        };
        let ours = self.iter().map(|number| event(self, number));
        ours.eq(other.iter().map(|number| event(other, number)))
    }
}

impl Eq for Table {}

impl Slot {
    const fn entry(&self) -> Entry {
        let Self { expires_at, number, is_handled, .. } = *self;
        Entry { expires_at, number, is_handled }
    }

    const fn place(&self) -> (Timestamp, u64) {
        (self.expires_at, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str) -> Key<'_> {
        Key { source: "s".into(), id: id.into(), digest: 7 }
    }

    fn entry(seconds: i64, number: u64) -> Entry {
        let expires_at = Timestamp::from_unix_seconds(seconds);
        Entry { expires_at, number, is_handled: true }
    }

    fn ids(table: &Table) -> Vec<&str> {
        table.iter().filter_map(|number| Some(table.names(number)?.1)).collect()
    }

    #[test]
    fn events_with_one_digest_are_distinct() {
        let mut table = Table::default();
        for (number, id) in ["a", "b", "c"].into_iter().enumerate() {
            assert_eq!(table.find(&key(id)), None);
            table.add(&key(id), entry(0, number.try_into().unwrap()));
        }
        let slots = ["a", "b", "c"].map(|id| table.find(&key(id)).unwrap());
        assert_eq!(slots, [0, 1, 2]);
        // In either order: those beside the digest's slot stay known without it.
        table.remove_with(0, 7);
        assert_eq!(["a", "b", "c"].map(|id| table.find(&key(id))), [None, Some(1), Some(2)]);
        table.add(&key("d"), entry(0, 9));
        table.remove_with(1, 7);
        assert_eq!(
            ["a", "b", "c", "d"].map(|id| table.find(&key(id))),
            [None, None, Some(2), Some(0)]
        );
        table.remove_with(2, 7);
        table.remove_with(0, 7);
        assert_eq!(table.len(), 0);
        assert!(table.by_digest.is_empty() && table.collided.is_empty());
        assert_eq!(table.sources.find("s"), None);
    }

    #[test]
    fn events_are_listed_by_age_in_any_order() {
        let mut table = Table::default();
        for (id, seconds, number) in [("c", 3, 2), ("a", 1, 5), ("d", 3, 4), ("b", 3, 1)] {
            table.add(&Key::new("s", id), entry(seconds, number));
        }
        assert_eq!(ids(&table), ["a", "b", "c", "d"]);
        table.set(table.find(&Key::new("s", "b")).unwrap(), entry(4, 0));
        assert_eq!(ids(&table), ["a", "c", "d", "b"]);
        let mut changed = 0;
        table.pull_in(true, Timestamp::from_unix_seconds(2), |_, _| changed += 1);
        assert_eq!((ids(&table), changed), (vec!["a", "b", "c", "d"], 3));
        table.remove(table.find(&Key::new("s", "c")).unwrap());
        assert_eq!(ids(&table), ["a", "b", "d"]);
        assert_eq!(table.first(true).map(|(number, _)| number), table.find(&Key::new("s", "a")));
    }
}
