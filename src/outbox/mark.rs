//! Whether a record has changed, or is being saved: [`Mark`].

/// Where the latest change of a record is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mark {
    /// Nowhere, or in a part that was closed.
    #[default]
    Unchanged,
    /// In the group of records that have changed.
    Changed,
    /// In a part that is not durable yet. Only messages have this mark.
    Saving,
}

impl Mark {
    /// Adds a record to those that have changed. Returns `false` if it was one of them.
    pub(super) fn touch(&mut self) -> bool {
        std::mem::replace(self, Self::Changed) != Self::Changed
    }

    /// Takes a record out of those that have changed. Returns `false` if it was not one of them:
    /// its number was given out again.
    pub(super) fn close(&mut self, closed: Self) -> bool {
        let was_changed = *self == Self::Changed;
        if was_changed {
            *self = closed;
        }
        was_changed
    }
}
