//! Records that have changed, and what they come to: [`Group`] and [`Part`].

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use super::attempt::Ticket;
use super::changes::{Change, Revision};
use super::notice::Notice;
use super::record::{Record, RecordKey};
use super::slab::{DeliveryNo, EndpointNo, MessageNo};
use crate::id::{EndpointId, MessageId};

/// The records that have changed since the last part was closed. One that was forgotten since may
/// still be in it: only its [`Mark`](super::mark::Mark) shows that it belongs to it.
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
    pub(super) fn clear(&mut self) {
        let Self { endpoints, messages, deliveries, deleted } = self;
        endpoints.clear();
        messages.clear();
        deliveries.clear();
        deleted.clear();
    }

    pub(super) fn len(&self) -> usize {
        let records = [self.endpoints.len(), self.messages.len(), self.deliveries.len()];
        records.into_iter().chain([self.deleted.len()]).fold(0, usize::saturating_add)
    }
}

/// Changes that are saved together, and what they guard.
///
/// They are as the records were when the part was closed: what changed later is in a later part,
/// together with all that led to it.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) revision: Revision,
    pub(super) changes: Arc<[Change]>,
    /// The messages that it makes durable, with their sequences.
    pub(super) messages: Vec<(MessageNo, u64)>,
    pub(super) guarded: Guarded,
}

impl Part {
    /// Merges the next part into this one. Only the latest change of a record remains: some changes
    /// may have been written already, and one that is older must not be written over them.
    pub(super) fn append(&mut self, next: Self) {
        let Self { revision, changes, mut messages, guarded } = next;
        self.revision = revision;
        let all = self.changes.iter().chain(changes.iter()).map(|change| (change.key(), change));
        let latest: BTreeMap<_, _> = all.collect();
        let mut latest: Vec<_> = latest.into_values().cloned().collect();
        sort(&mut latest);
        self.changes = latest.into();
        self.messages.append(&mut messages);
        self.guarded.append(guarded);
    }

    pub(super) fn has_message(&self, sequence: u64) -> bool {
        self.messages.iter().any(|(_, it)| *it == sequence)
    }

    /// Deletes a message and its deliveries instead of writing them: what they replace was to be
    /// deleted.
    pub(super) fn retract(&mut self, sequence: u64) {
        let changes = self.changes.iter().map(|change| match change {
            Change::Put(record) if record.sequence() == Some(sequence) => {
                Change::Delete(record.key())
            }
            other => other.clone(),
        });
        let mut changes: Vec<_> = changes.collect();
        sort(&mut changes);
        self.changes = changes.into();
        self.messages.retain(|(_, it)| *it != sequence);
    }
}

/// Sorts changes so that every prefix can be restored.
///
/// A message is written and deleted before the rows of its deliveries. A missing row is made again
/// from the message, so rows must not be deleted while the message remains; a row left behind is
/// recognised by its sequence. An endpoint is written before the deliveries that were cancelled
/// because it is disabled, and deleted after those that were cancelled because it was removed.
pub(super) fn sort(changes: &mut [Change]) {
    changes.sort_by_key(|change| match change {
        Change::Put(Record::Endpoint(_)) => 0,
        Change::Delete(RecordKey::Message(_)) => 1,
        Change::Put(Record::Message(_)) => 2,
        Change::Delete(RecordKey::Delivery(..)) => 3,
        Change::Put(Record::Delivery(_)) => 4,
        Change::Delete(RecordKey::Endpoint(_)) => 5,
    });
}

/// Attempts and notices that are held back until the changes before them are durable.
#[derive(Clone, Debug, Default)]
pub(super) struct Guarded {
    pub(super) attempts: VecDeque<Start>,
    pub(super) notices: VecDeque<Notice>,
}

/// An attempt that waits to be handed out.
#[derive(Clone, Debug)]
pub(super) struct Start {
    pub(super) delivery: DeliveryNo,
    pub(super) ticket: Ticket,
    /// As [`InFlight::start`](super::in_flight::InFlight::start).
    pub(super) start: Revision,
}

impl Guarded {
    pub(super) fn is_empty(&self) -> bool {
        self.attempts.is_empty() && self.notices.is_empty()
    }

    pub(super) fn append(&mut self, mut other: Self) {
        if self.is_empty() {
            *self = other;
            return;
        }
        self.attempts.append(&mut other.attempts);
        self.notices.append(&mut other.notices);
    }

    /// Drops the attempts of a message, and the notice that each of its deliveries to `endpoints`
    /// has ended; those whose notice was found are taken off the list.
    pub(super) fn retract(
        &mut self,
        sequence: u64,
        id: &MessageId,
        endpoints: &mut Vec<EndpointId>,
    ) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::slab::Number;

    fn key(name: &str) -> RecordKey {
        let (message, endpoint) = (MessageId::new("m1").unwrap(), EndpointId::new("a").unwrap());
        match name {
            "message" => RecordKey::Message(message),
            "delivery" => RecordKey::Delivery(message, endpoint),
            _ => RecordKey::Endpoint(endpoint),
        }
    }

    #[test]
    fn group_as_text_is_what_was_forgotten() {
        let messages = vec![MessageNo::from_index(0)];
        let group = Group { messages, deleted: vec![key("message")], ..Group::default() };
        assert_eq!(format!("{group:?}"), format!("{:?}", [key("message")]));
        assert_eq!(group.len(), 2);
    }

    #[test]
    fn message_is_deleted_before_its_deliveries() {
        let mut changes = ["endpoint", "delivery", "message"].map(|it| Change::Delete(key(it)));
        sort(&mut changes);
        assert_eq!(changes, ["message", "delivery", "endpoint"].map(|it| Change::Delete(key(it))));
    }

    #[test]
    fn retracted_message_leaves_its_part_and_no_other_does() {
        let messages = [(0, 7), (1, 8)].map(|(it, sequence)| (MessageNo::from_index(it), sequence));
        let mut part = Part {
            revision: Revision::default(),
            changes: Arc::new([]),
            messages: messages.to_vec(),
            guarded: Guarded::default(),
        };
        assert!(part.has_message(7) && part.has_message(8) && !part.has_message(9));
        part.retract(7);
        assert!(!part.has_message(7) && part.has_message(8));
    }
}
