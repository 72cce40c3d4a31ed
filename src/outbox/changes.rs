//! Changes of saved state: [`Changes`].

use std::fmt;
use std::sync::Arc;

use super::record::{Record, RecordKey};
use crate::id::MessageId;

/// One change of saved state.
///
/// Exhaustive: a host must carry out every kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a host must carry out every kind")]
pub enum Change {
    /// Write the record under its key, replacing what is there.
    Put(Record),
    /// Delete what is stored under the key, if anything.
    Delete(RecordKey),
}

impl Change {
    pub(super) fn key(&self) -> RecordKey {
        match self {
            Self::Put(record) => record.key(),
            Self::Delete(key) => key.clone(),
        }
    }
}

/// Sequence number of the [`Changes`] of one outbox, since it was created or restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub(crate) u64);

impl Revision {
    pub(crate) const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// An ordered list of changes for the host to save: the content of
/// [`Step::Save`](crate::Step::Save).
///
/// Apply the changes in order, preferably in one transaction. Without one, any prefix of the list
/// still leaves a state that [`Outbox::restore`](crate::Outbox::restore) accepts. Call
/// [`Outbox::saved`](crate::Outbox::saved) once all changes are durable, or
/// [`Outbox::unsaved`](crate::Outbox::unsaved) if that failed.
#[doc(alias = "write-ahead log")]
#[doc(alias = "transaction")]
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "what depends on these changes is held back until they are confirmed as saved"]
pub struct Changes {
    pub(crate) revision: Revision,
    pub(crate) list: Arc<[Change]>,
}

impl Changes {
    /// Returns the revision to confirm.
    #[must_use]
    pub const fn revision(&self) -> Revision {
        self.revision
    }

    /// Returns the changes, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Change> {
        self.list.iter()
    }

    /// Returns the ids of the messages that these changes make durable.
    ///
    /// A host whose other processes hand it messages through a table deletes their rows in the
    /// transaction that saves these changes.
    pub fn accepted(&self) -> impl Iterator<Item = &MessageId> {
        self.iter().filter_map(|change| match change {
            Change::Put(Record::Message(record)) => Some(record.message.id()),
            _ => None,
        })
    }

    /// Returns the number of changes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Returns whether there is no change. An outbox never asks to save an empty list.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl IntoIterator for Changes {
    type Item = Change;
    type IntoIter = std::vec::IntoIter<Change>;

    fn into_iter(self) -> Self::IntoIter {
        // The outbox keeps the list in case it cannot be saved.
        let list = self.list.to_vec();
        list.into_iter()
    }
}
