//! A short list of bounded length, without an allocation: [`UpTo`].

/// Up to `N` items.
pub(super) struct UpTo<T, const N: usize> {
    /// The first `len` are in the list.
    items: [T; N],
    len: usize,
}

impl<T: Copy, const N: usize> UpTo<T, N> {
    /// Creates an empty list; `unused` fills the places that no item has taken.
    pub(super) const fn new(unused: T) -> Self {
        Self { items: [unused; N], len: 0 }
    }

    /// Adds an item. Returns `false` if the list is full.
    pub(super) fn push(&mut self, item: T) -> bool {
        let Some(place) = self.items.get_mut(self.len) else { return false };
        *place = item;
        self.len = self.len.saturating_add(1);
        true
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.iter().take(self.len)
    }
}
