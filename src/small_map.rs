//! A map for a handful of entries: [`SmallMap`].

use std::borrow::Borrow;

use serde::{Serialize, Serializer};

/// A map for a handful of entries: a sorted list.
///
/// A `BTreeMap` with one entry allocates room for eleven, and an outbox with a backlog holds such
/// maps by the hundred thousand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SmallMap<K, V>(Vec<(K, V)>);

impl<K: Ord, V> SmallMap<K, V> {
    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let index = self.0.binary_search_by(|(entry, _)| entry.borrow().cmp(key)).ok()?;
        self.0.get(index).map(|(_, value)| value)
    }

    /// Returns the position of a key, in the order of the keys.
    pub(crate) fn position<Q: Ord + ?Sized>(&self, key: &Q) -> Option<usize>
    where
        K: Borrow<Q>,
    {
        self.0.binary_search_by(|(entry, _)| entry.borrow().cmp(key)).ok()
    }

    /// Returns the entry at a position.
    pub(crate) fn at(&self, position: usize) -> Option<(&K, &V)> {
        self.0.get(position).map(|(key, value)| (key, value))
    }

    /// Inserts the value, replacing one with an equal key.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        match self.0.binary_search_by(|(entry, _)| entry.cmp(&key)) {
            Ok(index) => {
                if let Some(entry) = self.0.get_mut(index) {
                    entry.1 = value;
                }
            }
            Err(index) => {
                self.0.reserve_exact(1);
                self.0.insert(index, (key, value));
            }
        }
    }

    /// Iterates in the order of the keys, like the other iterators.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    pub(crate) fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&K, &mut V)> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for SmallMap<K, V> {
    /// Of several entries with equal keys, the last one is kept.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let entries = entries.into_iter();
        let mut map = Self(Vec::with_capacity(entries.size_hint().0));
        for (key, value) in entries {
            map.insert(key, value);
        }
        map
    }
}

impl<K: Serialize + Ord, V: Serialize> Serialize for SmallMap<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn small_map_behaves_like_a_btree_map(
            entries in proptest::collection::vec((0..8_u8, any::<u8>()), 0..12),
        ) {
            let small: SmallMap<_, _> = entries.iter().copied().collect();
            let map: BTreeMap<_, _> = entries.into_iter().collect();
            prop_assert!(small.iter().eq(&map));
            for key in 0..8 {
                prop_assert_eq!(small.get(&key), map.get(&key));
                let position = map.keys().position(|it| *it == key);
                prop_assert_eq!(small.position(&key), position);
                prop_assert_eq!(small.at(key.into()), map.iter().nth(key.into()));
            }
        }
    }
}
