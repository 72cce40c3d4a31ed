//! A map of few entries: [`SmallMap`].

use std::borrow::Borrow;

use serde::{Serialize, Serializer};

/// A map that is a sorted list, for what mostly has one entry and seldom ten.
///
/// A `BTreeMap` of one entry takes room for eleven. An outbox with a backlog keeps such maps by the
/// hundred thousand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SmallMap<K, V>(Vec<(K, V)>);

impl<K: Ord, V> SmallMap<K, V> {
    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let place = self.0.binary_search_by(|(it, _)| it.borrow().cmp(key)).ok()?;
        self.0.get(place).map(|(_, value)| value)
    }

    pub(crate) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let place = self.0.binary_search_by(|(it, _)| it.borrow().cmp(key)).ok()?;
        self.0.get_mut(place).map(|(_, value)| value)
    }

    /// Sets what is under the key, over what is there.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        match self.0.binary_search_by(|(it, _)| it.cmp(&key)) {
            Ok(place) => {
                if let Some(entry) = self.0.get_mut(place) {
                    entry.1 = value;
                }
            }
            Err(place) => {
                self.0.reserve_exact(1);
                self.0.insert(place, (key, value));
            }
        }
    }

    /// In the order of the keys, as all that follows.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    pub(crate) fn keys(&self) -> impl ExactSizeIterator<Item = &K> {
        self.0.iter().map(|(key, _)| key)
    }

    pub(crate) fn into_keys(self) -> impl ExactSizeIterator<Item = K> {
        self.0.into_iter().map(|(key, _)| key)
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for SmallMap<K, V> {
    /// Of several entries under one key the last counts.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let entries = entries.into_iter();
        let mut few = Self(Vec::with_capacity(entries.size_hint().0));
        for (key, value) in entries {
            few.insert(key, value);
        }
        few
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
        fn it_is_a_map(entries in proptest::collection::vec((0..8_u8, any::<u8>()), 0..12)) {
            let mut few: SmallMap<_, _> = entries.iter().copied().collect();
            let map: BTreeMap<_, _> = entries.into_iter().collect();
            prop_assert!(few.iter().eq(&map));
            prop_assert!(few.keys().eq(map.keys()));
            for key in 0..8 {
                prop_assert_eq!(few.get(&key), map.get(&key));
                prop_assert_eq!(few.get_mut(&key).map(|it| *it), map.get(&key).copied());
            }
            prop_assert!(few.into_keys().eq(map.into_keys()));
        }
    }
}
