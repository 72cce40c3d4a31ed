//! Write-ahead journal: [`Journal`].

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use super::group::{Group, Marks};
use super::mark::Mark;
use crate::id::{EndpointId, MessageId};
use crate::outbox::attempt::Ticket;
use crate::outbox::changes::Revision;
use crate::outbox::notice::Notice;
use crate::outbox::record::RecordKey;
use crate::outbox::slab::{DeliveryNo, EndpointNo, MessageNo};

/// Default of [`Outbox::with_save_limit`](crate::Outbox::with_save_limit).
const LIMIT: NonZeroUsize = NonZeroUsize::new(1_024).expect("1,024 is not zero");

/// Tracks which records have changed, and holds back what depends on them until they are durable.
///
/// A changed record waits in a queue until a group takes it. The group is *saving* until the host
/// confirms it, and durable afterwards. Attempts and notices are guarded by the records that have
/// changed before them, and released once all of these are durable.
///
/// At most one group is saving. Changes made in the meantime gather in the queues, so a slow storage
/// leads to group commit. A group takes up to a number of records of each kind, so it is known from
/// a record's place in its queue which group it will be in at the latest.
#[derive(Clone, Debug)]
pub(super) struct Journal {
    durable: bool,
    limit: NonZeroUsize,
    changed: Group,
    /// What a save that failed contained. The next one contains all of it, beside its own share, so
    /// that no later record is delayed.
    failed: Group,
    /// What the changes since the last group was closed guard.
    open: Guarded,
    /// What is guarded by groups up to a revision, in the order of the revisions.
    waiting: VecDeque<(Revision, Guarded)>,
    saving: Option<(Revision, Group)>,
    handed_out: Revision,
    /// The latest revision that something waits for.
    promised: Revision,
    confirmed: Revision,
    released: Guarded,
}

/// What must come after the changes that led to it.
#[derive(Clone, Debug, Default)]
struct Guarded {
    attempts: VecDeque<Start>,
    notices: VecDeque<Notice>,
    /// Endpoints that were removed: their records are deleted after their deliveries were
    /// cancelled.
    removed: Vec<EndpointId>,
}

/// An attempt that waits to be handed out.
#[derive(Clone, Debug)]
pub(super) struct Start {
    pub(super) delivery: DeliveryNo,
    pub(super) ticket: Ticket,
}

impl Guarded {
    fn is_empty(&self) -> bool {
        self.attempts.is_empty() && self.notices.is_empty() && self.removed.is_empty()
    }

    fn append(&mut self, mut other: Self) {
        if self.is_empty() {
            *self = other;
            return;
        }
        self.attempts.append(&mut other.attempts);
        self.notices.append(&mut other.notices);
        self.removed.append(&mut other.removed);
    }

    fn retract(&mut self, sequence: u64, id: &MessageId, endpoints: &mut Vec<EndpointId>) {
        self.attempts.retain(|start| start.ticket.sequence != sequence);
        endpoints.retain(|ended| {
            let last = self.notices.iter().rposition(|notice| {
                matches!(notice, Notice::Settled { message, endpoint, .. }
                    if message == id && endpoint == ended)
            });
            last.and_then(|last| self.notices.remove(last)).is_none()
        });
    }
}

/// Result of closing a group.
#[derive(Clone, Debug)]
pub(super) enum Closed {
    /// There is nothing to save: what the group guards is released.
    Released,
    /// The host must save these records.
    Save(Revision, Group),
}

impl Journal {
    pub(super) fn new() -> Self {
        Self {
            durable: true,
            limit: LIMIT,
            changed: Group::default(),
            failed: Group::default(),
            open: Guarded::default(),
            waiting: VecDeque::new(),
            saving: None,
            handed_out: Revision::default(),
            promised: Revision::default(),
            confirmed: Revision::default(),
            released: Guarded::default(),
        }
    }

    /// Makes every record count as durable as soon as it has changed.
    pub(super) fn without_storage(&mut self, marks: &mut Marks<'_>) {
        self.durable = false;
        for group in [std::mem::take(&mut self.changed), std::mem::take(&mut self.failed)] {
            let mut all = Group::default();
            all.take_all(group, marks);
            all.confirm(marks);
        }
        self.release(self.promised);
    }

    pub(super) const fn set_limit(&mut self, limit: NonZeroUsize) {
        self.limit = limit;
    }

    /// Notes that an endpoint's record has changed.
    pub(super) fn touch_endpoint(&mut self, endpoint: EndpointNo, mark: &mut Mark) {
        if self.durable && mark.touch() {
            self.changed.endpoints.push_back(endpoint);
        }
    }

    /// Notes that a message's record has changed.
    pub(super) fn touch_message(&mut self, message: MessageNo, mark: &mut Mark) {
        if self.durable && mark.touch() {
            self.changed.messages.push_back(message);
        }
    }

    /// Notes that a delivery's record has changed.
    pub(super) fn touch_delivery(&mut self, delivery: DeliveryNo, mark: &mut Mark) {
        if self.durable && mark.touch() {
            self.changed.deliveries.push_back(delivery);
        }
    }

    /// Notes that a message's or a delivery's record must be deleted, that of a message ahead of
    /// those of its deliveries.
    pub(super) fn delete(&mut self, key: RecordKey) {
        match key {
            RecordKey::Endpoint(id) => self.delete_endpoint(id),
            key if self.durable => self.changed.deleted.push_back(key),
            _ => {}
        }
    }

    /// Notes that an endpoint's record must be deleted, after all that has changed so far.
    pub(super) fn delete_endpoint(&mut self, endpoint: EndpointId) {
        if self.durable {
            self.open.removed.push(endpoint);
        }
    }

    /// Drops what is guarded about a message that no save has made durable: its attempts, and the
    /// notice that each of its deliveries has ended. Earlier notices may be about an earlier
    /// message with its id.
    pub(super) fn retract(
        &mut self,
        sequence: u64,
        id: &MessageId,
        mut endpoints: Vec<EndpointId>,
    ) {
        let waiting = self.waiting.iter_mut().rev().map(|(_, guarded)| guarded);
        for guarded in std::iter::once(&mut self.open).chain(waiting) {
            guarded.retract(sequence, id, &mut endpoints);
        }
    }

    pub(super) fn guard_attempt(&mut self, start: Start) {
        self.open.attempts.push_back(start);
    }

    pub(super) fn guard_notice(&mut self, notice: Notice) {
        self.open.notices.push_back(notice);
    }

    /// Returns the number of attempts that are guarded so far.
    pub(super) fn guarded_attempts(&self) -> usize {
        let waiting = self.waiting.iter().map(|(_, guarded)| guarded.attempts.len());
        waiting.fold(self.open.attempts.len(), usize::saturating_add)
    }

    pub(super) const fn is_saving(&self) -> bool {
        self.saving.is_some()
    }

    /// Returns whether there is nothing to save, to send or to notify.
    pub(super) fn is_empty(&self) -> bool {
        let changed = !self.changed.is_empty() || !self.failed.is_empty() || self.is_saving();
        let guarded = !self.open.is_empty() || !self.waiting.is_empty();
        !changed && !guarded && self.released.is_empty()
    }

    /// Closes a group of changed records. Returns `None` if there is nothing to save or to release,
    /// or if another group is saving.
    pub(super) fn close(&mut self, marks: &mut Marks<'_>) -> Option<Closed> {
        if self.is_saving() {
            return None;
        }
        let mut group = Group::default();
        group.take_all(std::mem::take(&mut self.failed), marks);
        group.take(&mut self.changed, self.limit, marks);
        let mut revision = self.handed_out.next();
        if !self.open.is_empty() {
            // Messages are not counted: those that matter go with their deliveries.
            let rest = self.changed.endpoints.len().max(self.changed.deliveries.len());
            let last = self.revision_of(revision, rest);
            let open = std::mem::take(&mut self.open);
            match self.waiting.back_mut() {
                Some((at, guarded)) if *at >= last => guarded.append(open),
                _ => self.waiting.push_back((last, open)),
            }
        }
        if self.changed.is_empty() {
            // Fewer groups than promised if something was forgotten, or taken ahead of its turn.
            revision = revision.max(self.promised);
        }
        for (at, guarded) in &mut self.waiting {
            if *at <= revision {
                group.take_removed(std::mem::take(&mut guarded.removed), marks);
            }
        }
        if group.is_empty() {
            // Without a changed record there is nothing to wait for.
            let is_released = !self.waiting.is_empty();
            self.release(revision);
            return is_released.then_some(Closed::Released);
        }
        group.sort();
        self.handed_out = revision;
        self.saving = Some((revision, Group::default()));
        Some(Closed::Save(revision, group))
    }

    /// Keeps the records of the group that is saving until it is confirmed.
    pub(super) fn keep_saving(&mut self, group: Group) {
        if let Some((_, saving)) = &mut self.saving {
            *saving = group;
        }
    }

    /// Confirms that the saving group is durable, and releases what it guards. Returns `false` for
    /// any other revision.
    pub(super) fn saved(&mut self, revision: Revision, marks: &mut Marks<'_>) -> bool {
        let Some((_, group)) = self.saving.take_if(|(saving, _)| *saving == revision) else {
            return false;
        };
        group.confirm(marks);
        self.confirmed = revision;
        self.release(revision);
        true
    }

    /// Makes the saving group part of the next one, because it could not be saved. Returns `false`
    /// for any other revision.
    pub(super) fn unsaved(&mut self, revision: Revision, marks: &mut Marks<'_>) -> bool {
        let Some((_, mut group)) = self.saving.take_if(|(saving, _)| *saving == revision) else {
            return false;
        };
        group.fail(marks);
        self.failed = group;
        true
    }

    fn release(&mut self, revision: Revision) {
        while self.waiting.front().is_some_and(|(at, _)| *at <= revision) {
            if let Some((_, guarded)) = self.waiting.pop_front() {
                self.released.append(guarded);
            }
        }
    }

    /// Returns the revision with which a message's record becomes or became durable, at the latest.
    pub(super) fn revision_of_message(&mut self, mark: Mark) -> Revision {
        match &self.saving {
            _ if mark.is_changed() => {
                let ahead = self.changed.messages.len().max(1);
                self.revision_of(self.handed_out, ahead)
            }
            Some((revision, _)) if mark.is_saving() => *revision,
            _ => self.confirmed,
        }
    }

    /// Returns the revision of the group by which a number of records, the first of them in the
    /// group after `revision`, will have been handed out, and promises that there will be one.
    fn revision_of(&mut self, revision: Revision, records: usize) -> Revision {
        let groups = u64::try_from(records.div_ceil(self.limit.get())).unwrap_or(u64::MAX);
        let last = Revision(revision.0.saturating_add(groups));
        self.promised = self.promised.max(last);
        last
    }

    /// Returns what will be saved in several groups, in order, and by how many groups each thing
    /// that waits for them follows the last one; `None` if all fits into one group.
    pub(super) fn queues(&self) -> Option<([&Group; 2], Vec<u64>)> {
        let groups = [&self.failed, &self.changed];
        let waiting = self.waiting.iter().map(|(at, _)| at).chain([&self.promised]);
        let ahead = waiting.map(|at| at.0.saturating_sub(self.handed_out.0)).collect();
        self.changed.exceeds(self.limit).then_some((groups, ahead))
    }

    pub(super) fn next_attempt(&mut self) -> Option<Start> {
        self.released.attempts.pop_front()
    }

    pub(super) fn next_notice(&mut self) -> Option<Notice> {
        self.released.notices.pop_front()
    }
}
