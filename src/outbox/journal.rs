//! Write-ahead journal: [`Journal`].

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use super::group::{Group, Guarded, Part, Start};
use super::mark::Mark;
use crate::id::{EndpointId, MessageId};
use crate::outbox::changes::{Change, Revision};
use crate::outbox::notice::Notice;
use crate::outbox::record::RecordKey;
use crate::outbox::slab::{DeliveryNo, EndpointNo, MessageNo};

/// Default of [`Outbox::with_save_limit`](crate::Outbox::with_save_limit).
const LIMIT: NonZeroUsize = NonZeroUsize::new(1_024).expect("1,024 is not zero");

/// Tracks which records have changed, and holds back what depends on them until they are durable.
///
/// Changed records form groups. A group is closed when it is large, or when the host can save: it
/// then becomes a part, with the records as they are. Parts are saved one after the other, and the
/// attempts and notices that a part guards are released once it is durable. So the parts are a log:
/// every prefix of it is a state that the outbox was in, or a prefix of the way to the next one.
///
/// At most one part is saving. Changes made in the meantime gather in the next ones, so a slow
/// storage leads to group commit.
#[derive(Clone, Debug)]
pub(super) struct Journal {
    durable: bool,
    limit: NonZeroUsize,
    changed: Group,
    guarded: Guarded,
    /// Room for the changes of the next part, kept from the last one.
    room: Vec<Change>,
    /// Closed parts, oldest first.
    closed: VecDeque<Part>,
    /// A part that could not be saved. It is saved together with the next one, so that the
    /// revisions of those behind it stay as they are.
    failed: Option<Part>,
    saving: Option<Part>,
    /// The number of attempts that are guarded by parts that are not saving.
    starts: usize,
    /// The revision of the latest part that was closed.
    latest: Revision,
    confirmed: Revision,
    released: Guarded,
}

impl Journal {
    pub(super) fn new() -> Self {
        Self {
            durable: true,
            limit: LIMIT,
            changed: Group::default(),
            guarded: Guarded::default(),
            room: Vec::new(),
            closed: VecDeque::new(),
            failed: None,
            saving: None,
            starts: 0,
            latest: Revision::default(),
            confirmed: Revision::default(),
            released: Guarded::default(),
        }
    }

    /// Makes every change count as durable at once. Returns the messages that are so now.
    pub(super) fn without_storage(&mut self) -> Vec<(MessageNo, u64)> {
        self.durable = false;
        let mut messages = Vec::new();
        for part in self.failed.take().into_iter().chain(std::mem::take(&mut self.closed)) {
            self.released.append(part.guarded);
            messages.extend(part.messages);
        }
        self.starts = self.guarded.attempts.len();
        messages
    }

    pub(super) const fn set_limit(&mut self, limit: NonZeroUsize) {
        self.limit = limit;
    }

    /// Returns whether enough records have changed to form a part.
    pub(super) fn is_full(&self) -> bool {
        self.changed.len() >= self.limit.get()
    }

    /// Notes that an endpoint's record has changed.
    pub(super) fn touch_endpoint(&mut self, endpoint: EndpointNo, mark: &mut Mark) {
        if self.durable && mark.touch() {
            self.changed.endpoints.push(endpoint);
        }
    }

    /// Notes that a message's record has changed.
    pub(super) fn touch_message(&mut self, message: MessageNo, mark: &mut Mark) {
        if self.durable && mark.touch() {
            self.changed.messages.push(message);
        }
    }

    /// Notes that a delivery's record has changed.
    pub(super) fn touch_delivery(&mut self, delivery: DeliveryNo, mark: &mut Mark) {
        if self.durable && mark.touch() {
            self.changed.deliveries.push(delivery);
        }
    }

    /// Notes that a record must be deleted.
    pub(super) fn delete(&mut self, key: RecordKey) {
        if self.durable {
            self.changed.deleted.push(key);
        }
    }

    /// Returns the revision with which what changes now becomes durable, unless the save before
    /// fails: then it is a later one.
    pub(super) fn next_revision(&self) -> Revision {
        self.latest.next()
    }

    pub(super) fn guard_attempt(&mut self, start: Start) {
        self.guarded.attempts.push_back(start);
        self.starts = self.starts.saturating_add(1);
    }

    pub(super) fn guard_notice(&mut self, notice: Notice) {
        self.guarded.notices.push_back(notice);
    }

    /// Returns the number of attempts that are guarded by what is not being saved yet.
    pub(super) const fn guarded_attempts(&self) -> usize {
        self.starts
    }

    pub(super) const fn is_saving(&self) -> bool {
        self.saving.is_some()
    }

    /// Returns whether there is nothing to save, to send or to notify.
    pub(super) fn is_empty(&self) -> bool {
        let parts = self.saving.is_some() || self.failed.is_some() || !self.closed.is_empty();
        let open = self.changed.len() > 0 || !self.guarded.is_empty();
        !parts && !open && self.released.is_empty()
    }

    /// Takes the group of changed records, and room for what they come to: the caller
    /// [closes](Self::close) a part with both.
    pub(super) fn take_group(&mut self) -> (Group, Vec<Change>) {
        (std::mem::take(&mut self.changed), std::mem::take(&mut self.room))
    }

    /// Closes a part with the changes that a group comes to, if there are any.
    pub(super) fn close(
        &mut self,
        mut group: Group,
        mut changes: Vec<Change>,
        messages: Vec<(MessageNo, u64)>,
    ) {
        if !changes.is_empty() {
            self.latest = self.latest.next();
            let guarded = std::mem::take(&mut self.guarded);
            let (revision, changes) = (self.latest, changes.drain(..).collect());
            self.closed.push_back(Part { revision, changes, messages, guarded });
        }
        // Only what a usual part needs is kept.
        if changes.capacity() <= self.limit.get() {
            group.clear();
            (self.changed, self.room) = (group, changes);
        }
    }

    /// Returns the next part to save; `None` if there is none, or if another one is saving. What
    /// depends on no change that is not durable is released.
    pub(super) fn next_part(&mut self) -> Option<&Part> {
        if self.is_saving() {
            return None;
        }
        if !self.guarded.is_empty() && self.changed.len() == 0 {
            // It waits for what has changed before it, if anything.
            let guarded = std::mem::take(&mut self.guarded);
            match self.closed.back_mut().or(self.failed.as_mut()) {
                Some(part) => part.guarded.append(guarded),
                None => self.release(guarded),
            }
        }
        let (failed, next) = (self.failed.take(), self.closed.pop_front());
        let is_late = next.is_none();
        let mut part = match (failed, next) {
            (Some(mut failed), Some(next)) => {
                failed.append(next);
                failed
            }
            (failed, next) => failed.or(next)?,
        };
        if is_late {
            // An answer about the save that failed must not be taken for one about this save.
            self.latest = self.latest.next();
            part.revision = self.latest;
        }
        self.starts = self.starts.saturating_sub(part.guarded.attempts.len());
        Some(self.saving.insert(part))
    }

    /// Confirms that the saving part is durable, and releases what it guards. Returns its messages;
    /// `None` for any other revision.
    pub(super) fn saved(&mut self, revision: Revision) -> Option<Vec<(MessageNo, u64)>> {
        let part = self.saving.take_if(|part| part.revision == revision)?;
        self.confirmed = revision;
        self.released.append(part.guarded);
        Some(part.messages)
    }

    /// Makes the saving part part of the next save, because it could not be saved. Returns `false`
    /// for any other revision.
    pub(super) fn unsaved(&mut self, revision: Revision) -> bool {
        let part = self.saving.take_if(|part| part.revision == revision);
        let is_saving = part.is_some();
        if let Some(part) = part {
            if !self.durable {
                // Storage was turned off meanwhile.
                self.released.append(part.guarded);
                return true;
            }
            self.starts = self.starts.saturating_add(part.guarded.attempts.len());
            self.failed = Some(part);
        }
        is_saving
    }

    /// Returns the revision with which a message's record becomes or became durable, at the latest.
    pub(super) fn revision_of_message(&self, mark: Mark) -> Revision {
        let of = |part: &Part| part.revision;
        match mark {
            Mark::Unchanged => self.confirmed,
            Mark::Changed => self.next_revision(),
            Mark::Saving => match (self.closed.back(), &self.failed) {
                (Some(last), _) => last.revision,
                (None, Some(_)) => self.next_revision(),
                (None, None) => self.saving.as_ref().map_or(self.confirmed, of),
            },
        }
    }

    /// Returns whether a message can be taken back: it is in no save that is outstanding or
    /// confirmed.
    pub(super) fn can_retract(&self, sequence: u64, mark: Mark) -> bool {
        let mut parts = self.failed.iter().chain(&self.closed);
        match mark {
            Mark::Unchanged => false,
            Mark::Changed => true,
            Mark::Saving => parts.any(|part| part.has_message(sequence)),
        }
    }

    /// Drops all about a message that [can be retracted](Self::can_retract): its records, its
    /// attempts, and the notice that each of its deliveries has ended. Earlier notices may be about
    /// an earlier message with its id.
    pub(super) fn retract(
        &mut self,
        sequence: u64,
        id: &MessageId,
        mut endpoints: Vec<EndpointId>,
    ) {
        self.guarded.retract(sequence, id, &mut endpoints);
        self.starts = self.guarded.attempts.len();
        for part in self.failed.iter_mut().chain(&mut self.closed).rev() {
            part.guarded.retract(sequence, id, &mut endpoints);
            part.retract(sequence);
            self.starts = self.starts.saturating_add(part.guarded.attempts.len());
        }
    }

    pub(super) fn next_attempt(&mut self) -> Option<Start> {
        self.released.attempts.pop_front()
    }

    pub(super) fn next_notice(&mut self) -> Option<Notice> {
        self.released.notices.pop_front()
    }

    pub(super) fn has_released(&self) -> bool {
        !self.released.is_empty()
    }

    /// Returns whether parts wait to be saved, in the order in which they were closed.
    pub(super) fn has_closed(&self) -> bool {
        !self.closed.is_empty()
    }

    fn release(&mut self, guarded: Guarded) {
        self.starts = self.starts.saturating_sub(guarded.attempts.len());
        self.released.append(guarded);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A journal with one closed part.
    fn closed() -> Journal {
        let mut journal = Journal::new();
        assert!(journal.is_empty());
        let key = RecordKey::Endpoint(EndpointId::new("a").unwrap());
        journal.delete(key.clone());
        assert!(!journal.is_empty());
        let (group, _) = journal.take_group();
        journal.close(group, vec![Change::Delete(key)], Vec::new());
        journal
    }

    #[test]
    fn journal_is_empty_once_its_part_is_saved() {
        let mut journal = closed();
        assert!(!journal.is_empty(), "closed");
        let revision = journal.next_part().unwrap().revision;
        assert!(!journal.is_empty(), "saving");
        assert!(journal.unsaved(revision));
        assert!(!journal.is_empty(), "failed");
        let revision = journal.next_part().unwrap().revision;
        assert!(journal.saved(revision).is_some());
        assert!(journal.is_empty());
    }
}
