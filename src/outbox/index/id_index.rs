//! Finds numbers by text: [`IdIndex`].

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hasher};

use crate::outbox::slab::Number;

/// The numbers of messages or endpoints, by a hash of their id.
///
/// A tree of short hashes is smaller than one of texts, and finding a number compares one text. The
/// hash is keyed with the outbox's seed, so that nobody who chooses ids can make many collide. It
/// decides nothing that can be seen.
#[derive(Clone, Debug)]
pub(in crate::outbox) struct IdIndex<N> {
    seed: u64,
    numbers: BTreeSet<(u32, N)>,
}

impl<N: Number> IdIndex<N> {
    pub(in crate::outbox) const fn new(seed: u64) -> Self {
        Self { seed, numbers: BTreeSet::new() }
    }

    fn hash(&self, id: &str) -> u32 {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.seed);
        hasher.write(id.as_bytes());
        u32::try_from(hasher.finish() >> 32).unwrap_or(u32::MAX)
    }

    pub(in crate::outbox) fn insert(&mut self, id: &str, number: N) {
        self.numbers.insert((self.hash(id), number));
    }

    pub(in crate::outbox) fn remove(&mut self, id: &str, number: N) {
        self.numbers.remove(&(self.hash(id), number));
    }

    /// Returns the number of an id. `has_id` says whether it is that of a number.
    pub(in crate::outbox) fn find(&self, id: &str, has_id: impl Fn(N) -> bool) -> Option<N> {
        let hash = self.hash(id);
        let first = N::from_index(0);
        let same = self.numbers.range((hash, first)..).take_while(|(it, _)| *it == hash);
        same.map(|(_, number)| *number).find(|number| has_id(*number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::slab::MessageNo;

    #[test]
    fn removed_number_is_no_longer_found() {
        let mut index = IdIndex::new(7);
        let [first, second] = [1, 2].map(MessageNo::from_index);
        index.insert("m1", first);
        index.insert("m2", second);
        assert_eq!(index.find("m1", |_| true), Some(first));
        assert_eq!(index.find("m1", |number| number == second), None);
        index.remove("m1", first);
        assert_eq!((index.find("m1", |_| true), index.find("m2", |_| true)), (None, Some(second)));
    }
}
