//! Saved state: [`Record`]s and their keys.

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
/// Store each record under its [`key`](Self::key) in any storage: a table with two columns, or a
/// key-value store. Records contain no secret and no URL.
///
/// Any serde format can write them: one for people, such as JSON, has the record's fields, and a
/// binary one, such as CBOR or postcard, has one byte string of JSON, because not every binary
/// format could read the fields back. Tested are JSON, also with the members of each object in
/// another order, as `jsonb` columns return them, CBOR, MessagePack, postcard and bincode.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Record {
    /// A message and the endpoints that it goes to.
    Message(MessageRecord),
    /// A delivery of which at least one attempt was started, or that has ended.
    Delivery(DeliveryRecord),
    /// An endpoint whose health or flow differs from that of a new one in what it would matter to
    /// lose; in any way, if the outbox has been [drained](crate::Outbox::drain).
    Endpoint(EndpointRecord),
}

impl Record {
    /// Returns the key to store the record under.
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

    /// Returns the sequence of the message that the record belongs to, if it belongs to one.
    pub(super) const fn sequence(&self) -> Option<u64> {
        match self {
            Self::Message(record) => Some(record.sequence),
            Self::Delivery(record) => Some(record.sequence),
            Self::Endpoint(_) => None,
        }
    }
}

/// An accepted message, its renderings and its fan-out.
///
/// The fan-out is saved with the message. A delivery has no record of its own before its first
/// attempt: one without a record is waiting for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageRecord {
    /// Rises with each message that one outbox accepts. It identifies delivery records and tickets
    /// that belong to an earlier message with the same id.
    pub(crate) sequence: u64,
    pub(crate) accepted_at: Timestamp,
    /// The endpoints, each with the format that it had when the message was accepted.
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
    /// Returns the message.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// Returns when the outbox accepted the message.
    #[must_use]
    pub const fn accepted_at(&self) -> Timestamp {
        self.accepted_at
    }

    /// Returns the endpoints that the message goes to.
    pub fn endpoints(&self) -> impl Iterator<Item = &EndpointId> {
        self.fan_out.keys()
    }
}

/// State of one delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryRecord {
    pub(crate) sequence: u64,
    pub(crate) message: MessageId,
    pub(crate) endpoint: EndpointId,
    pub(crate) delivery: Delivery,
    /// When the delivery was found to have ended, if that was later than its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) found_at: Option<Timestamp>,
}

impl DeliveryRecord {
    /// Returns the id of the message.
    #[must_use]
    pub const fn message(&self) -> &MessageId {
        &self.message
    }

    /// Returns the id of the endpoint.
    #[must_use]
    pub const fn endpoint(&self) -> &EndpointId {
        &self.endpoint
    }

    /// Returns the delivery.
    #[must_use]
    pub const fn delivery(&self) -> &Delivery {
        &self.delivery
    }
}

/// What the outbox has learned about an endpoint: its health and flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EndpointRecord {
    pub(crate) endpoint: EndpointId,
    #[serde(flatten)]
    pub(crate) persisted: Box<Persisted>,
}

/// An [`EndpointRecord`] as it is read: a flattened member would let unknown ones pass.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointForm {
    endpoint: EndpointId,
    #[serde(default)]
    health: Health,
    #[serde(default)]
    flow: Flow,
    #[serde(default)]
    first_streak: u8,
}

impl<'de> Deserialize<'de> for EndpointRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let EndpointForm { endpoint, health, flow, first_streak } =
            EndpointForm::deserialize(deserializer)?;
        Ok(Self { endpoint, persisted: Box::new(Persisted { health, flow, first_streak }) })
    }
}

impl EndpointRecord {
    /// Returns the id of the endpoint.
    #[must_use]
    pub const fn endpoint(&self) -> &EndpointId {
        &self.endpoint
    }

    /// Returns the endpoint's health.
    #[must_use]
    pub const fn health(&self) -> &Health {
        &self.persisted.health
    }

    /// Returns the endpoint's flow, without attempts in flight: those are in the records of the
    /// deliveries.
    #[must_use]
    pub const fn flow(&self) -> &Flow {
        &self.persisted.flow
    }
}

/// Key of a [`Record`] in the host's storage.
///
/// As text it is `message/{id}`, `delivery/{message}/{endpoint}` or `endpoint/{id}`, with `%` and
/// `/` inside an id escaped as `%25` and `%2F`. Distinct keys have distinct texts, and the
/// deliveries of one message share a prefix. The text need not be parsed: [`Record::key`] returns
/// the key of a loaded record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RecordKey {
    /// Key of a [`MessageRecord`].
    Message(MessageId),
    /// Key of a [`DeliveryRecord`].
    Delivery(MessageId, EndpointId),
    /// Key of an [`EndpointRecord`].
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
