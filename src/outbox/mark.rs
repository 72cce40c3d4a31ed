//! Whether a record has changed, or is being saved: [`Mark`].

/// The groups that a record is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mark {
    #[default]
    Durable,
    Changed,
    Saving,
    /// It has changed again since it was handed to the host.
    SavingAndChanged,
}

impl Mark {
    /// Returns whether the record has changes that were not handed to the host, or that it could
    /// not save.
    pub(super) const fn is_changed(self) -> bool {
        matches!(self, Self::Changed | Self::SavingAndChanged)
    }

    pub(super) const fn is_saving(self) -> bool {
        matches!(self, Self::Saving | Self::SavingAndChanged)
    }

    /// Adds a record to those that have changed. Returns `false` if it was one of them.
    pub(super) const fn touch(&mut self) -> bool {
        let is_new = !self.is_changed();
        *self = if self.is_saving() { Self::SavingAndChanged } else { Self::Changed };
        is_new
    }

    /// Moves a record from those that have changed to those that are being saved. Returns `false`
    /// if it is not one of them: its number was given out again, or it was ahead of its turn.
    pub(super) const fn hand_out(&mut self) -> bool {
        let was_changed = self.is_changed();
        if was_changed {
            *self = Self::Saving;
        }
        was_changed
    }

    /// Has a record saved whether or not it has changed. Returns `false` if it is being saved.
    pub(super) const fn hand_out_again(&mut self) -> bool {
        let is_new = !self.is_saving();
        *self = Self::Saving;
        is_new
    }

    /// Notes that a record has been saved.
    pub(super) const fn confirm(&mut self) {
        *self = if self.is_changed() { Self::Changed } else { Self::Durable };
    }

    /// Notes that the changes that led to here are dropped: the record is to be deleted.
    pub(super) const fn drop_changes(&mut self) {
        *self = if self.is_saving() { Self::Saving } else { Self::Durable };
    }

    /// Notes that a record could not be saved. Returns `false` if it was not being saved: its number
    /// was given out again.
    pub(super) const fn fail(&mut self) -> bool {
        let was_saving = self.is_saving();
        if was_saving {
            *self = Self::Changed;
        }
        was_saving
    }
}
