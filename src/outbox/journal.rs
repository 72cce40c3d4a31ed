//! Write-ahead journal: [`Journal`].

use std::collections::{BTreeSet, VecDeque};

use crate::id::{EndpointId, MessageId};
use crate::outbox::attempt::Ticket;
use crate::outbox::changes::Revision;
use crate::outbox::notice::Notice;
use crate::outbox::record::RecordKey;

/// Tracks which records have changed, and holds back what depends on them until they are durable.
///
/// Changed records form groups. A group is *changed* until it is handed to the host, *saving* until
/// the host confirms it, and durable afterwards. The attempts and notices that a group guards move
/// along with it, and are released once it is durable.
///
/// At most one group is saving. Changes made in the meantime gather in the next one, so a slow
/// storage leads to group commit.
#[derive(Clone, Debug)]
pub(super) struct Journal {
    durable: bool,
    changed: BTreeSet<RecordKey>,
    guarded: Guarded,
    saving: Option<Saving>,
    handed_out: Revision,
    confirmed: Revision,
    released: Guarded,
}

#[derive(Clone, Debug, Default)]
struct Guarded {
    attempts: VecDeque<Ticket>,
    notices: VecDeque<Notice>,
}

impl Guarded {
    fn is_empty(&self) -> bool {
        self.attempts.is_empty() && self.notices.is_empty()
    }

    fn append(&mut self, mut other: Self) {
        self.attempts.append(&mut other.attempts);
        self.notices.append(&mut other.notices);
    }
}

#[derive(Clone, Debug)]
struct Saving {
    revision: Revision,
    keys: BTreeSet<RecordKey>,
    guarded: Guarded,
}

impl Journal {
    pub(super) fn new() -> Self {
        Self {
            durable: true,
            changed: BTreeSet::new(),
            guarded: Guarded::default(),
            saving: None,
            handed_out: Revision::default(),
            confirmed: Revision::default(),
            released: Guarded::default(),
        }
    }

    /// Makes every group count as durable as soon as it is closed.
    pub(super) fn without_storage(&mut self) {
        self.durable = false;
    }

    /// Notes that a record has changed.
    pub(super) fn touch(&mut self, key: RecordKey) {
        self.changed.insert(key);
    }

    /// Returns whether the record has changes that were not handed to the host, or that it could
    /// not save.
    pub(super) fn has_changed(&self, key: &RecordKey) -> bool {
        self.changed.contains(key)
    }

    /// Drops what is guarded about a message that no save has made durable: its attempts, and the
    /// notice that each of its deliveries has ended. Earlier notices may be about an earlier
    /// message with its id.
    pub(super) fn retract(&mut self, sequence: u64, id: &MessageId, endpoints: &[EndpointId]) {
        let Guarded { attempts, notices } = &mut self.guarded;
        attempts.retain(|ticket| ticket.sequence != sequence);
        for ended in endpoints {
            let last = notices.iter().rposition(|notice| {
                matches!(notice, Notice::Settled { message, endpoint, .. }
                    if message == id && endpoint == ended)
            });
            if let Some(last) = last {
                notices.remove(last);
            }
        }
    }

    pub(super) fn guard_attempt(&mut self, ticket: Ticket) {
        self.guarded.attempts.push_back(ticket);
    }

    pub(super) fn guard_notice(&mut self, notice: Notice) {
        self.guarded.notices.push_back(notice);
    }

    /// Returns the number of attempts that the next group guards so far.
    pub(super) fn guarded_attempts(&self) -> usize {
        self.guarded.attempts.len()
    }

    pub(super) const fn is_saving(&self) -> bool {
        self.saving.is_some()
    }

    /// Returns whether there is nothing to save, to send or to notify.
    pub(super) fn is_empty(&self) -> bool {
        let open = self.changed.is_empty() && self.guarded.is_empty();
        open && self.saving.is_none() && self.released.is_empty()
    }

    /// Closes the group of changed records. Returns `None` if it is empty, or if another group is
    /// saving.
    pub(super) fn close(&mut self) -> Option<Closed> {
        if self.saving.is_some() || (self.changed.is_empty() && self.guarded.is_empty()) {
            return None;
        }
        let keys = std::mem::take(&mut self.changed);
        let guarded = std::mem::take(&mut self.guarded);
        // Without a changed record there is nothing to wait for.
        if !self.durable || keys.is_empty() {
            self.released.append(guarded);
            return Some(Closed::Released);
        }
        self.handed_out = self.handed_out.next();
        let revision = self.handed_out;
        self.saving = Some(Saving { revision, keys: keys.clone(), guarded });
        Some(Closed::Save(revision, keys))
    }

    /// Confirms that the saving group is durable, and releases what it guards. Returns `false` for
    /// any other revision.
    pub(super) fn saved(&mut self, revision: Revision) -> bool {
        let Some(saving) = self.saving.take_if(|saving| saving.revision == revision) else {
            return false;
        };
        self.confirmed = revision;
        self.released.append(saving.guarded);
        true
    }

    /// Merges the saving group into the next one, because it could not be saved. Returns `false`
    /// for any other revision.
    pub(super) fn unsaved(&mut self, revision: Revision) -> bool {
        let Some(mut saving) = self.saving.take_if(|saving| saving.revision == revision) else {
            return false;
        };
        self.changed.append(&mut saving.keys);
        let later = std::mem::replace(&mut self.guarded, saving.guarded);
        self.guarded.append(later);
        true
    }

    /// Returns the revision with which the record, as it is now, becomes or became durable.
    pub(super) fn revision_of(&self, key: &RecordKey) -> Revision {
        match &self.saving {
            _ if self.changed.contains(key) => self.handed_out.next(),
            Some(saving) if saving.keys.contains(key) => saving.revision,
            _ => self.confirmed,
        }
    }

    pub(super) fn next_attempt(&mut self) -> Option<Ticket> {
        self.released.attempts.pop_front()
    }

    pub(super) fn next_notice(&mut self) -> Option<Notice> {
        self.released.notices.pop_front()
    }
}

/// Result of closing a group.
#[derive(Clone, Debug)]
pub(super) enum Closed {
    /// Nothing to save: what the group guards is released.
    Released,
    /// The host must save these records.
    Save(Revision, BTreeSet<RecordKey>),
}
