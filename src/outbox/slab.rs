//! Dense numbers for what an outbox holds: [`Slab`].

use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU32;

/// Values per chunk. A table grows by a chunk at a time, so it never moves what it holds.
const CHUNK: usize = 512;

/// Number of an entry in a [`Slab`]: given out as the entry comes in, and never shown.
pub(super) trait Number: Copy + Ord {
    fn from_index(index: u32) -> Self;
    fn index(self) -> u32;
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) struct $name(NonZeroU32);

        // Equal states look equal, although their numbers differ.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("_")
            }
        }

        impl Number for $name {
            fn from_index(index: u32) -> Self {
                Self(NonZeroU32::MIN.saturating_add(index))
            }

            fn index(self) -> u32 {
                self.0.get().saturating_sub(1)
            }
        }
    };
}

number! {
    /// Number of an endpoint.
    EndpointNo
}
number! {
    /// Number of a message.
    MessageNo
}
number! {
    /// Number of a delivery.
    DeliveryNo
}
number! {
    /// Number of an ordering group within its endpoint.
    GroupNo
}

/// A table of values by number. The number of a removed value is given out again.
#[derive(Clone, Debug)]
pub(super) struct Slab<N, T> {
    chunks: Vec<Vec<Option<T>>>,
    free: Vec<u32>,
    len: usize,
    numbers: PhantomData<N>,
}

impl<N, T> Default for Slab<N, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<N, T> Slab<N, T> {
    pub(super) const fn new() -> Self {
        Self { chunks: Vec::new(), free: Vec::new(), len: 0, numbers: PhantomData }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }
}

impl<N: Number, T> Slab<N, T> {
    /// Returns how many values can be added. There are 2^32 - 1 numbers.
    pub(super) fn room(&self) -> usize {
        usize::try_from(u32::MAX).unwrap_or(usize::MAX).saturating_sub(self.len)
    }

    /// Returns the end of the numbers in use, as an index.
    pub(super) fn end(&self) -> u32 {
        let end = self.len.saturating_add(self.free.len());
        u32::try_from(end).unwrap_or(u32::MAX)
    }

    /// Adds a value. There must be [room](Self::room) for it.
    pub(super) fn insert(&mut self, value: T) -> N {
        self.len = self.len.saturating_add(1);
        if let Some(index) = self.free.pop() {
            if let Some(slot) = self.slot_mut(index) {
                *slot = Some(value);
            }
            return N::from_index(index);
        }
        let full = self.chunks.last().is_none_or(|chunk| chunk.len() >= CHUNK);
        if full {
            self.chunks.push(Vec::new());
        }
        if let Some(chunk) = self.chunks.last_mut() {
            // The first chunk grows as it fills: most outboxes are small.
            chunk.push(Some(value));
        }
        N::from_index(u32::try_from(self.len.saturating_sub(1)).unwrap_or(u32::MAX))
    }

    pub(super) fn remove(&mut self, number: N) -> Option<T> {
        let removed = self.slot_mut(number.index())?.take()?;
        self.len = self.len.saturating_sub(1);
        if self.len == 0 {
            *self = Self::default();
        } else {
            self.free.push(number.index());
        }
        Some(removed)
    }

    pub(super) fn get(&self, number: N) -> Option<&T> {
        let (chunk, at) = place(number.index());
        self.chunks.get(chunk)?.get(at)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, number: N) -> Option<&mut T> {
        self.slot_mut(number.index())?.as_mut()
    }

    /// Iterates in the order of the numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (N, &T)> {
        self.chunks.iter().flatten().zip(0..).filter_map(|(slot, index)| {
            let value = slot.as_ref()?;
            Some((N::from_index(index), value))
        })
    }

    fn slot_mut(&mut self, index: u32) -> Option<&mut Option<T>> {
        let (chunk, at) = place(index);
        self.chunks.get_mut(chunk)?.get_mut(at)
    }
}

fn place(index: u32) -> (usize, usize) {
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    (index / CHUNK, index % CHUNK)
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "small numbers")]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn slab_behaves_like_a_map(calls in proptest::collection::vec(any::<(bool, u16)>(), 0..3_000)) {
            let (mut slab, mut map) = (Slab::<MessageNo, u16>::default(), BTreeMap::new());
            for (remove, value) in calls {
                if remove && !map.is_empty() {
                    let at = usize::from(value) % map.len();
                    let number = *map.keys().nth(at).unwrap();
                    prop_assert_eq!(slab.remove(number), map.remove(&number));
                    prop_assert_eq!(slab.remove(number), None);
                } else {
                    let number = slab.insert(value);
                    prop_assert_eq!(map.insert(number, value), None);
                    *slab.get_mut(number).unwrap() += 0;
                }
                prop_assert_eq!(slab.len(), map.len());
            }
            prop_assert!(slab.iter().eq(map.iter().map(|(number, value)| (*number, value))));
            for number in map.keys() {
                prop_assert_eq!(slab.get(*number), map.get(number));
            }
        }
    }
}
