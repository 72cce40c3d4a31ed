//! An event frozen to bytes under one id: [`Message`].

pub mod format;
mod rendering;

use std::collections::BTreeMap;

use http::header::HeaderValue;
use serde::{Deserialize, Deserializer, Serialize};

use crate::decode::{Decode, DecodeError, TrustedBody};
use crate::event::{EncodeError, Event, Keys, Payload};
use crate::event_type::EventType;
use crate::id::MessageId;
use crate::lab::LabEvent;
use crate::small_map::SmallMap;
use crate::time::Timestamp;

pub use rendering::Rendering;

/// The name of the rendering that a message is made with: the crate's own envelope.
pub(crate) const ENVELOPE: &str = "labhook";

/// An event on its way out: what it is about, and the bytes that will be sent.
///
/// The id stays the same over all endpoints and attempts; a receiver deduplicates by it. Choose
/// one that you can make again, for instance from the row that the event came from: publishing a
/// known id twice is a no-op, which is what makes a publish after a crash safe.
///
/// ```
/// use labhook::{Event, Message, MessageId, Timestamp};
/// use labhook::lab::{RunState, RunStateChanged};
///
/// let at: Timestamp = "2025-04-17T09:30:00Z".parse()?;
/// let message: Message = Event::new(RunStateChanged::new("run-17", RunState::Paused), at)
///     .into_message(MessageId::new("run-17-paused-1")?)?;
///
/// assert_eq!(message.event_type().as_str(), "run.state_changed");
/// assert_eq!(message.keys().run.as_ref().map(|run| run.as_str()), Some("run-17"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    id: MessageId,
    #[serde(rename = "type")]
    event_type: EventType,
    timestamp: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(default)]
    keys: Keys,
    #[serde(deserialize_with = "at_least_one")]
    renderings: SmallMap<Box<str>, Rendering>,
}

fn at_least_one<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<SmallMap<Box<str>, Rendering>, D::Error> {
    let renderings = BTreeMap::deserialize(deserializer)?;
    if renderings.is_empty() {
        return Err(serde::de::Error::custom("a message has at least one rendering"));
    }
    Ok(renderings.into_iter().collect())
}

impl Message {
    /// A message whose bytes the host made itself, in the format of this name.
    ///
    /// It goes to endpoints of that format. Other formats start from an event, so they cannot
    /// express it; for an event, use [`Event::into_message`] or [`LabEvent::into_message`].
    #[must_use]
    pub fn new(
        id: MessageId,
        event_type: EventType,
        timestamp: Timestamp,
        keys: Keys,
        format: &str,
        rendering: Rendering,
    ) -> Self {
        let renderings = SmallMap::from_iter([(format.into(), rendering)]);
        Self { id, event_type, timestamp, expires_at: None, keys, renderings }
    }

    /// With this end of its lifetime, at and after which no attempt to deliver it is to leave the
    /// host, however much longer the policies of its endpoints would try; `None` for no such end.
    ///
    /// It is the sender's own affair: no rendering tells of it. A message that is published again
    /// is the same one whatever its lifetime, and keeps the end that it was first published with.
    #[must_use]
    pub fn with_expires_at(mut self, at: impl Into<Option<Timestamp>>) -> Self {
        self.expires_at = at.into();
        self
    }

    /// The id.
    #[must_use]
    pub const fn id(&self) -> &MessageId {
        &self.id
    }

    /// The type of the event.
    #[must_use]
    pub const fn event_type(&self) -> &EventType {
        &self.event_type
    }

    /// When the event happened.
    #[must_use]
    pub const fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// When its lifetime ends, if it does.
    #[must_use]
    pub const fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// What subscriptions and ordering look at.
    #[must_use]
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The renderings, each with the name of its format, in the order of the names.
    pub fn renderings(&self) -> impl Iterator<Item = (&str, &Rendering)> {
        self.renderings.iter().map(|(format, rendering)| (&**format, rendering))
    }

    /// The rendering in the format of this name.
    #[must_use]
    pub fn rendering(&self, format: &str) -> Option<&Rendering> {
        self.renderings.get(format)
    }

    /// The event itself, read from the crate's own envelope: what a
    /// [`Format`](crate::message::format::Format) starts from.
    ///
    /// This is the sender's side, where a message is what this program made or stored itself. What
    /// a receiver was sent goes through a [`Verifier`](crate::Verifier).
    ///
    /// # Errors
    ///
    /// [`NoEventError`] where the message was made from bytes, or holds no such event: ask
    /// [`event_type`](Self::event_type) first, or for a [`LabEvent`], which is any event.
    pub fn event<T: Decode>(&self) -> Result<T, NoEventError> {
        let rendering = self.rendering(ENVELOPE).ok_or(NoEventError::MadeFromBytes)?;
        T::decode(TrustedBody::new(rendering.body())).map_err(NoEventError::Unreadable)
    }

    /// Adds a rendering in the format of this name; one that is there already stays as it was.
    pub(crate) fn add_rendering(&mut self, format: &str, rendering: Rendering) {
        if self.renderings.get(format).is_none() {
            self.renderings.insert(format.into(), rendering);
        }
    }

    /// Whether `other` is this message published again: the same event, to the byte.
    pub(crate) fn is_republished_by(&self, other: &Self) -> bool {
        self.event_type == other.event_type
            && other.renderings().all(|(format, theirs)| self.rendering(format) == Some(theirs))
    }

    fn from_envelope(
        id: MessageId,
        event_type: EventType,
        timestamp: Timestamp,
        keys: Keys,
        json: Vec<u8>,
    ) -> Self {
        let json_type = HeaderValue::from_static("application/json");
        let rendering = Rendering::new(json_type, json);
        Self::new(id, event_type, timestamp, keys, ENVELOPE, rendering)
    }
}

impl<P: Payload> Event<P> {
    /// Freezes the event to bytes under this id.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] where the payload's own `Serialize` fails.
    pub fn into_message(self, id: MessageId) -> Result<Message, EncodeError> {
        let json = self.to_json()?;
        let at = self.timestamp.timestamp();
        Ok(Message::from_envelope(id, P::EVENT_TYPE, at, self.data.keys(), json))
    }
}

impl LabEvent {
    /// Freezes the event to bytes under this id.
    ///
    /// # Errors
    ///
    /// [`EncodeError`], never for an event that was decoded.
    pub fn into_message(self, id: MessageId) -> Result<Message, EncodeError> {
        let json = self.to_json()?;
        let at = self.timestamp().timestamp();
        Ok(Message::from_envelope(id, self.event_type().clone(), at, self.keys(), json))
    }
}

/// A message does not give its event.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoEventError {
    /// The host made the message's bytes itself, in a form other than the crate's own envelope: see
    /// [`Message::new`].
    #[error("the message was made from bytes, not from an event")]
    MadeFromBytes,
    /// The event is of another type, or is not of its type's form.
    #[error("the message's event cannot be read as what was asked for")]
    Unreadable(#[source] DecodeError),
}
