//! What an outbox keeps in the host's storage: [`Record`]s, changed by [`Changes`].

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::delivery::Delivery;
use crate::flow::Flow;
use crate::health::Health;
use crate::id::{EndpointId, MessageId};
use crate::message::Message;
use crate::outbox::endpoint_state::Persisted;
use crate::time::Timestamp;

/// One row of saved state.
///
/// A host stores each record under its [`key`](Self::key), in whatever it has: a table of two
/// columns, or a key-value store. Records hold no secret and no URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Record {
    /// A message and its whole fan-out.
    Message(MessageRecord),
    /// A delivery that has moved since its message was accepted.
    Delivery(DeliveryRecord),
    /// An endpoint of which something was learned.
    Endpoint(EndpointRecord),
}

impl Record {
    /// The key to store the record under.
    #[must_use]
    pub fn key(&self) -> RecordKey {
        match self {
            Self::Message(record) => RecordKey::Message(record.message.id().clone()),
            Self::Delivery(record) => {
                RecordKey::Delivery(record.message.clone(), record.endpoint.clone())
            }
            Self::Endpoint(record) => RecordKey::Endpoint(record.endpoint.clone()),
        }
    }
}

/// An accepted message, its renderings and its fan-out.
///
/// The fan-out is written with the message, so a delivery needs no row of its own until its first
/// attempt: one that has none is waiting for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageRecord {
    /// Rises with each accepted message of one outbox. Told apart by it: a delivery's row that was
    /// left behind by an earlier message of the same id, and an old ticket for one.
    pub(crate) sequence: u64,
    pub(crate) accepted_at: Timestamp,
    /// Each endpoint, and the format that it had when the message was accepted.
    pub(crate) fan_out: BTreeMap<EndpointId, Box<str>>,
    #[serde(serialize_with = "inner", deserialize_with = "arc")]
    pub(crate) message: Arc<Message>,
}

fn inner<S: Serializer>(message: &Arc<Message>, serializer: S) -> Result<S::Ok, S::Error> {
    message.as_ref().serialize(serializer)
}

fn arc<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Message>, D::Error> {
    Message::deserialize(deserializer).map(Arc::new)
}

impl MessageRecord {
    /// The message.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// When the outbox accepted the message.
    #[must_use]
    pub const fn accepted_at(&self) -> Timestamp {
        self.accepted_at
    }

    /// The endpoints that the message is delivered to.
    pub fn endpoints(&self) -> impl Iterator<Item = &EndpointId> {
        self.fan_out.keys()
    }
}

/// The state of one delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryRecord {
    pub(crate) sequence: u64,
    pub(crate) message: MessageId,
    pub(crate) endpoint: EndpointId,
    pub(crate) delivery: Delivery,
    /// When it was found to have ended, where that was later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) found_at: Option<Timestamp>,
}

impl DeliveryRecord {
    /// The message.
    #[must_use]
    pub const fn message(&self) -> &MessageId {
        &self.message
    }

    /// The endpoint.
    #[must_use]
    pub const fn endpoint(&self) -> &EndpointId {
        &self.endpoint
    }

    /// The state.
    #[must_use]
    pub const fn delivery(&self) -> &Delivery {
        &self.delivery
    }
}

/// What was learned about an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointRecord {
    pub(crate) endpoint: EndpointId,
    #[serde(flatten)]
    pub(crate) kept: Box<Persisted>,
}

impl EndpointRecord {
    /// The endpoint.
    #[must_use]
    pub const fn endpoint(&self) -> &EndpointId {
        &self.endpoint
    }

    /// Its health.
    #[must_use]
    pub const fn health(&self) -> &Health {
        &self.kept.health
    }

    /// How fast it may be sent to. Of the attempts in flight the deliveries' records tell.
    #[must_use]
    pub const fn flow(&self) -> &Flow {
        &self.kept.flow
    }
}

/// Where a record is stored. Its text is the key in the host's storage, and need not be read back:
/// [`Record::key`] gives the key of a record that was loaded.
///
/// As text it is `message/{id}`, `delivery/{message}/{endpoint}` or `endpoint/{id}`, with `%` and
/// `/` inside an id written as `%25` and `%2F`: distinct keys are distinct texts, and the
/// deliveries of one message share a prefix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RecordKey {
    /// Of a [`MessageRecord`].
    Message(MessageId),
    /// Of a [`DeliveryRecord`].
    Delivery(MessageId, EndpointId),
    /// Of an [`EndpointRecord`].
    Endpoint(EndpointId),
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(id) => write!(f, "message/{}", Escaped(id.as_str())),
            Self::Delivery(message, endpoint) => {
                let (message, endpoint) = (Escaped(message.as_str()), Escaped(endpoint.as_str()));
                write!(f, "delivery/{message}/{endpoint}")
            }
            Self::Endpoint(id) => write!(f, "endpoint/{}", Escaped(id.as_str())),
        }
    }
}

struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.0.split_inclusive(['%', '/']) {
            match part.strip_suffix(['%', '/']) {
                Some(plain) if part.ends_with('%') => write!(f, "{plain}%25")?,
                Some(plain) => write!(f, "{plain}%2F")?,
                None => f.write_str(part)?,
            }
        }
        Ok(())
    }
}

/// One change of saved state.
///
/// Exhaustive: storage knows no third way to change a record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a host must carry out every kind")]
pub enum Change {
    /// Write the record under its key, over what is there.
    Put(Record),
    /// Remove what is under the key; nothing being there is fine.
    Delete(RecordKey),
}

/// Counts the [`Changes`] of one outbox since it was made or restored.
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

/// An ordered list of changes for the host to write.
///
/// Write them in order. One transaction is best; without one, every prefix of the list leaves
/// storage in a state that [`Outbox::restore`](crate::Outbox::restore) understands. When all are
/// durable, say so with [`Outbox::saved`](crate::Outbox::saved); when that failed, with
/// [`Outbox::unsaved`](crate::Outbox::unsaved).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "what these changes guard is held back until they are confirmed as saved"]
pub struct Changes {
    pub(crate) revision: Revision,
    pub(crate) list: Vec<Change>,
}

impl Changes {
    /// What to confirm.
    #[must_use]
    pub const fn revision(&self) -> Revision {
        self.revision
    }

    /// The changes, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Change> {
        self.list.iter()
    }

    /// How many changes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is no change; the outbox never asks to save none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl IntoIterator for Changes {
    type Item = Change;
    type IntoIter = std::vec::IntoIter<Change>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}
