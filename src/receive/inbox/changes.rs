//! What to save after each call: [`InboxChange`].

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::age::AgeClock;
use super::key::Key;
use super::{Entry, Inbox};
use crate::time::Timestamp;

/// One change of an inbox: the content of [`Inbox::take_changes`].
///
/// Exhaustive: a host must carry out every kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a host must carry out every kind")]
pub enum InboxChange {
    /// Write the row of this event, replacing the row with its source and id.
    Put(InboxEvent),
    /// Delete the row of this event, if there is one.
    Delete {
        /// The source, as in the row.
        source: Arc<str>,
        /// The id, as in the row.
        id: Arc<str>,
    },
    /// Write the row of the inbox itself.
    State(InboxState),
}

/// Row of one event in saved state. Its key is its source and id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InboxEvent {
    #[serde(with = "text")]
    source: Arc<str>,
    #[serde(with = "text")]
    id: Arc<str>,
    expires_at: Timestamp,
    number: u64,
    handled: bool,
}

impl InboxEvent {
    pub(super) const fn new(source: Arc<str>, id: Arc<str>, entry: Entry) -> Self {
        let Entry { expires_at, number, is_handled: handled } = entry;
        Self { source, id, expires_at, number, handled }
    }

    /// Returns the event's source, or its digest if it is longer than 256 bytes.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns the event's id, or its digest if it is longer than 256 bytes.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns whether the event is handled. Otherwise it is in progress.
    #[must_use]
    pub const fn is_handled(&self) -> bool {
        self.handled
    }
}

/// Text without serde's feature for shared pointers.
mod text {
    use super::{Arc, Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(text: &str, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<str>, D::Error> {
        Ok(String::deserialize(from)?.into())
    }
}

/// Row of the inbox itself in saved state: the clock by which events age, and counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InboxState {
    /// The next number of a lease or of a handled event.
    pub(super) next_number: u64,
    pub(super) evictions: u64,
    /// `None` before the first call with a time.
    pub(super) clock: Option<AgeClock>,
}

/// What has changed since the last [`Inbox::take_changes`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Recorder {
    /// Source and id.
    pub(super) changed: BTreeSet<(Arc<str>, Arc<str>)>,
    state: InboxState,
}

impl Inbox {
    /// Records changes, to be taken with [`take_changes`](Self::take_changes) after each call.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use std::num::NonZeroUsize;
    /// use labhook::receive::{Admission, InboxChange, InboxEvent, InboxState};
    /// use labhook::{Inbox, Timestamp};
    ///
    /// // Two tables: the events by source and id, and one row for the inbox.
    /// let mut events: BTreeMap<(String, String), InboxEvent> = BTreeMap::new();
    /// let mut state = InboxState::default();
    ///
    /// let capacity = NonZeroUsize::new(10_000).unwrap();
    /// let mut inbox = Inbox::new(capacity).with_changes();
    /// let now = Timestamp::from_unix_seconds(1_744_882_200);
    /// let Admission::New(claim) = inbox.begin("scheduler", "msg_1", now) else { panic!() };
    /// inbox.done(&claim, now);
    /// // In the transaction that also stores the effects of the event:
    /// for change in inbox.take_changes() {
    ///     match change {
    ///         InboxChange::Put(event) => {
    ///             events.insert((event.source().to_owned(), event.id().to_owned()), event);
    ///         }
    ///         InboxChange::Delete { source, id } => {
    ///             events.remove(&(source.to_string(), id.to_string()));
    ///         }
    ///         InboxChange::State(row) => state = row,
    ///     }
    /// }
    ///
    /// // After a restart:
    /// let mut inbox = Inbox::new(capacity).restore(state, events.into_values()).with_changes();
    /// assert_eq!(inbox.begin("scheduler", "msg_1", now), Admission::Seen);
    /// ```
    #[doc(alias = "persist")]
    #[must_use]
    pub fn with_changes(mut self) -> Self {
        self.recorder = Some(Recorder { changed: BTreeSet::new(), state: self.state });
        self
    }

    /// Returns the rows that have changed since the last call, each once, in its present state.
    ///
    /// The list is empty without [`with_changes`](Self::with_changes). With it, take the changes
    /// after each call: the inbox keeps the keys of changed events until then. If saving fails,
    /// write [`rows`](Self::rows) later.
    ///
    /// If only a part of the list is saved, each event in it is known or unknown after a restart,
    /// as its own row says.
    #[must_use = "changes that are taken and not saved are lost"]
    pub fn take_changes(&mut self) -> Vec<InboxChange> {
        let Some(recorder) = &mut self.recorder else { return Vec::new() };
        let mut changes = Vec::new();
        for (source, id) in std::mem::take(&mut recorder.changed) {
            let slot = self.table.find(&Key::of_row(&*source, &*id));
            changes.push(match slot.and_then(|slot| self.table.entry(slot)) {
                Some(entry) => InboxChange::Put(InboxEvent::new(source, id, entry)),
                None => InboxChange::Delete { source, id },
            });
        }
        if recorder.state != self.state {
            recorder.state = self.state;
            changes.push(InboxChange::State(self.state));
        }
        changes
    }

    /// Returns all rows: one per event, and that of the inbox itself. The handled events come
    /// first, then those in progress, each in the order in which they expire.
    pub fn rows(&self) -> (InboxState, impl Iterator<Item = InboxEvent>) {
        let events = self.table.iter().filter_map(|slot| {
            let (source, id) = self.table.names(slot)?;
            Some(InboxEvent::new(source.clone(), id.into(), self.table.entry(slot)?))
        });
        (self.state, events)
    }

    /// Adds saved rows, in any order. The capacity, horizon and lease are those of this inbox: what
    /// exceeds them is removed or shortened by the next call.
    #[must_use]
    pub fn restore(
        mut self,
        state: InboxState,
        events: impl IntoIterator<Item = InboxEvent>,
    ) -> Self {
        self.state = state;
        let mut events: Vec<InboxEvent> = events.into_iter().collect();
        // Each is added at the end of a list then.
        events.sort_by_key(|event| (event.expires_at, event.number));
        for event in events {
            let InboxEvent { source, id, expires_at, number, handled } = event;
            // The row of the inbox may be older than that of an event.
            self.state.next_number = self.state.next_number.max(number.saturating_add(1));
            let key = Key::of_row(&*source, &*id);
            self.put(&key, Entry { expires_at, number, is_handled: handled });
        }
        if self.recorder.is_some() {
            self = self.with_changes();
        }
        self
    }
}
