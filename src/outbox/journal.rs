//! Write-ahead journal: [`Journal`].

use std::collections::VecDeque;
use std::fmt;

use crate::id::{EndpointId, MessageId};
use crate::outbox::attempt::Ticket;
use crate::outbox::changes::Revision;
use crate::outbox::notice::Notice;
use crate::outbox::record::RecordKey;
use crate::outbox::slab::{DeliveryNo, EndpointNo, MessageNo};

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
    changed: Group,
    guarded: Guarded,
    saving: Option<Saving>,
    handed_out: Revision,
    confirmed: Revision,
    released: Guarded,
}

/// The records of a group: each was changed at least once, and may have been forgotten since.
#[derive(Clone, Default)]
pub(super) struct Group {
    pub(super) endpoints: Vec<EndpointNo>,
    pub(super) messages: Vec<MessageNo>,
    pub(super) deliveries: Vec<DeliveryNo>,
    /// The keys of what was forgotten.
    pub(super) deleted: Vec<RecordKey>,
}

// The marks of the records show the rest.
impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.deleted.fmt(f)
    }
}

impl Group {
    fn is_empty(&self) -> bool {
        self.endpoints.is_empty()
            && self.messages.is_empty()
            && self.deliveries.is_empty()
            && self.deleted.is_empty()
    }
}

/// The groups that a record is in. Only the [`Journal`] changes it.
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
    const fn is_changed(self) -> bool {
        matches!(self, Self::Changed | Self::SavingAndChanged)
    }

    const fn is_saving(self) -> bool {
        matches!(self, Self::Saving | Self::SavingAndChanged)
    }

    const fn of(saving: bool, changed: bool) -> Self {
        match (saving, changed) {
            (false, false) => Self::Durable,
            (false, true) => Self::Changed,
            (true, false) => Self::Saving,
            (true, true) => Self::SavingAndChanged,
        }
    }

    /// Moves a record along with its group, from changed to saving. Returns `false` if the group
    /// does not have it any more: it was forgotten, and its number given out again.
    pub(super) const fn hand_out(&mut self) -> bool {
        let was_changed = self.is_changed();
        if was_changed {
            *self = Self::Saving;
        }
        was_changed
    }

    /// Takes a record out of the group that is saving. Returns whether it was in it.
    pub(super) const fn take_saving(&mut self) -> bool {
        let was_saving = self.is_saving();
        *self = Self::of(false, self.is_changed());
        was_saving
    }
}

#[derive(Clone, Debug, Default)]
struct Guarded {
    attempts: VecDeque<Start>,
    notices: VecDeque<Notice>,
}

/// An attempt that waits to be handed out.
#[derive(Clone, Debug)]
pub(super) struct Start {
    pub(super) delivery: DeliveryNo,
    pub(super) ticket: Ticket,
}

impl Guarded {
    fn is_empty(&self) -> bool {
        self.attempts.is_empty() && self.notices.is_empty()
    }

    fn append(&mut self, mut other: Self) {
        if self.is_empty() {
            *self = other;
            return;
        }
        self.attempts.append(&mut other.attempts);
        self.notices.append(&mut other.notices);
    }
}

#[derive(Clone, Debug)]
struct Saving {
    revision: Revision,
    group: Group,
    guarded: Guarded,
}

impl Journal {
    pub(super) fn new() -> Self {
        Self {
            durable: true,
            changed: Group::default(),
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

    /// Notes that an endpoint's record has changed.
    pub(super) fn touch_endpoint(&mut self, endpoint: EndpointNo, mark: &mut Mark) {
        if touch(mark) {
            self.changed.endpoints.push(endpoint);
        }
    }

    /// Notes that a message's record has changed.
    pub(super) fn touch_message(&mut self, message: MessageNo, mark: &mut Mark) {
        if touch(mark) {
            self.changed.messages.push(message);
        }
    }

    /// Notes that a delivery's record has changed.
    pub(super) fn touch_delivery(&mut self, delivery: DeliveryNo, mark: &mut Mark) {
        if touch(mark) {
            self.changed.deliveries.push(delivery);
        }
    }

    /// Notes that a record must be deleted.
    pub(super) fn delete(&mut self, key: RecordKey) {
        self.changed.deleted.push(key);
    }

    /// Returns whether the record has changes that were not handed to the host, or that it could
    /// not save.
    pub(super) const fn has_changed(mark: Mark) -> bool {
        mark.is_changed()
    }

    /// Drops what is guarded about a message that no save has made durable: its attempts, and the
    /// notice that each of its deliveries has ended. Earlier notices may be about an earlier
    /// message with its id.
    pub(super) fn retract(&mut self, sequence: u64, id: &MessageId, endpoints: &[EndpointId]) {
        let Guarded { attempts, notices } = &mut self.guarded;
        attempts.retain(|start| start.ticket.sequence != sequence);
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

    pub(super) fn guard_attempt(&mut self, start: Start) {
        self.guarded.attempts.push_back(start);
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

    /// Closes the group of changed records, whose marks the caller [hands out](Mark::hand_out).
    /// Returns `None` if it is empty, or if another group is saving.
    pub(super) fn close(&mut self) -> Option<Closed> {
        if self.saving.is_some() || (self.changed.is_empty() && self.guarded.is_empty()) {
            return None;
        }
        let group = std::mem::take(&mut self.changed);
        let guarded = std::mem::take(&mut self.guarded);
        // Without a changed record there is nothing to wait for.
        if !self.durable || group.is_empty() {
            self.released.append(guarded);
            return Some(Closed::Released(group));
        }
        self.handed_out = self.handed_out.next();
        let revision = self.handed_out;
        self.saving = Some(Saving { revision, group: Group::default(), guarded });
        Some(Closed::Save(revision, group))
    }

    /// Keeps the records of the group that is saving until it is confirmed.
    pub(super) fn keep_saving(&mut self, group: Group) {
        if let Some(saving) = &mut self.saving {
            saving.group = group;
        }
    }

    /// Confirms that the saving group is durable, and releases what it guards. Returns its records,
    /// whose marks the caller [takes](Mark::take_saving); `None` for any other revision.
    pub(super) fn saved(&mut self, revision: Revision) -> Option<Group> {
        let saving = self.saving.take_if(|saving| saving.revision == revision)?;
        self.confirmed = revision;
        self.released.append(saving.guarded);
        Some(saving.group)
    }

    /// Merges what the saving group guards into the next one, because it could not be saved.
    /// Returns its records, which the caller touches again; `None` for any other revision.
    pub(super) fn unsaved(&mut self, revision: Revision) -> Option<Group> {
        let saving = self.saving.take_if(|saving| saving.revision == revision)?;
        let later = std::mem::replace(&mut self.guarded, saving.guarded);
        self.guarded.append(later);
        Some(saving.group)
    }

    /// Returns the revision with which the record, as it is now, becomes or became durable.
    pub(super) fn revision_of(&self, mark: Mark) -> Revision {
        match &self.saving {
            _ if mark.is_changed() => self.handed_out.next(),
            Some(saving) if mark.is_saving() => saving.revision,
            _ => self.confirmed,
        }
    }

    pub(super) fn next_attempt(&mut self) -> Option<Start> {
        self.released.attempts.pop_front()
    }

    pub(super) fn next_notice(&mut self) -> Option<Notice> {
        self.released.notices.pop_front()
    }
}

/// Adds a record to the group of changed ones. Returns `false` if it was in it.
const fn touch(mark: &mut Mark) -> bool {
    let is_new = !mark.is_changed();
    *mark = Mark::of(mark.is_saving(), true);
    is_new
}

/// Result of closing a group.
#[derive(Clone, Debug)]
pub(super) enum Closed {
    /// Nothing to save: what the group guards is released.
    Released(Group),
    /// The host must save these records.
    Save(Revision, Group),
}
