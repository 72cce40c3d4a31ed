//! Messages: an event with an id, frozen to the bytes that are sent.

mod body;
mod body_digest;
mod detach;
pub mod format;
pub(crate) mod header;
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

use self::header::Headers;

pub use body_digest::BodyDigest;
pub use detach::DetachedBody;
pub use header::MessageHeaderError;
pub use rendering::Rendering;

/// The name of the crate's own format, in which every event is rendered first.
pub(crate) const ENVELOPE: &str = "labhook";

/// An outgoing event: its id, type, time and [`Keys`], and the bytes to send in each format.
///
/// The id is the same for all endpoints and attempts, and receivers deduplicate by it. Choose an id
/// that you can derive again, for instance from the database row behind the event: publishing a
/// known id is a no-op until the message's [retention](crate::Outbox::with_retention) ends, which
/// makes it safe to publish again after a crash.
///
/// The bytes are rendered once per format, when the message is published. A retry sends the same
/// bytes, even after a restart or an upgrade. If memory is short, your application can keep the
/// bodies: see [`detach_bodies`](Self::detach_bodies).
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
#[doc(alias = "idempotency key")]
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
    /// The headers that every endpoint gets; the renderings contain them too.
    #[serde(default, skip_serializing_if = "Headers::is_empty")]
    headers: Headers,
    #[serde(deserialize_with = "at_least_one")]
    renderings: SmallMap<Box<str>, Rendering>,
}

fn at_least_one<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<SmallMap<Box<str>, Rendering>, D::Error> {
    let renderings = BTreeMap::deserialize(deserializer)?;
    if renderings.is_empty() {
        return Err(serde::de::Error::custom("`renderings` must not be empty"));
    }
    Ok(renderings.into_iter().collect())
}

impl Message {
    /// Creates a message from bytes that your application rendered itself, in the format with this
    /// name.
    ///
    /// It can be sent only to endpoints with that format, because all other formats start from an
    /// event. To send an event, use [`Event::into_message`] or [`LabEvent::into_message`].
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
        Self {
            id,
            event_type,
            timestamp,
            expires_at: None,
            keys,
            headers: Headers::default(),
            renderings,
        }
    }

    /// Sets the time from which on no attempt is sent any more, even if an endpoint's retry policy
    /// would try for longer; `None` for no expiry.
    ///
    /// The expiry is not part of any rendering. Publishing the message again with another expiry is
    /// still a duplicate; the first expiry stays in effect.
    #[must_use]
    pub fn with_expires_at(mut self, at: impl Into<Option<Timestamp>>) -> Self {
        self.expires_at = at.into();
        self
    }

    /// Sets a [custom key](Keys::with_custom) that is not part of the event, such as the instrument
    /// that your application ran it on. Set it before the message is published.
    ///
    /// ```
    /// use labhook::{Event, MessageId, Subscription, Timestamp};
    /// use labhook::lab::{RunState, RunStateChanged};
    ///
    /// let started = RunStateChanged::new("run-17", RunState::Started);
    /// let message = Event::new(started, Timestamp::UNIX_EPOCH)
    ///     .into_message(MessageId::new("run-17-started")?)?
    ///     .with_custom_key("instrument", "reader-2");
    /// assert!(Subscription::all().custom("instrument", ["reader-2"]).matches(&message));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_custom_key(
        mut self,
        name: impl Into<Box<str>>,
        value: impl Into<Box<str>>,
    ) -> Self {
        self.keys = self.keys.with_custom(name, value);
        self
    }

    /// Returns the id.
    #[must_use]
    pub const fn id(&self) -> &MessageId {
        &self.id
    }

    /// Returns the type of the event.
    #[must_use]
    pub const fn event_type(&self) -> &EventType {
        &self.event_type
    }

    /// Returns the time at which the event happened.
    #[must_use]
    pub const fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// Returns the time at which the message expires, if it does.
    #[must_use]
    pub const fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// Returns the keys that subscriptions filter by and ordering follows.
    #[must_use]
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Iterates over the format names and renderings, in the order of the names.
    pub fn renderings(&self) -> impl Iterator<Item = (&str, &Rendering)> {
        self.renderings.iter().map(|(format, rendering)| (&**format, rendering))
    }

    /// Returns the rendering in the format with this name.
    #[must_use]
    pub fn rendering(&self, format: &str) -> Option<&Rendering> {
        self.renderings.get(format)
    }

    /// Returns the position of a format's rendering, which stands for its name.
    pub(crate) fn rendering_position(&self, format: &str) -> Option<u32> {
        self.renderings.position(format).and_then(|position| u32::try_from(position).ok())
    }

    /// Returns the format name and rendering at a position.
    pub(crate) fn rendering_at(&self, position: u32) -> Option<(&str, &Rendering)> {
        let position = usize::try_from(position).ok()?;
        self.renderings.at(position).map(|(format, rendering)| (&**format, rendering))
    }

    /// Decodes the event from the crate's own envelope. This is the input of a
    /// [`Format`](crate::message::format::Format).
    ///
    /// Only the sender has a `Message`, so there is nothing to verify. A receiver decodes a request
    /// through a [`Verifier`](crate::Verifier).
    ///
    /// # Errors
    ///
    /// Returns [`NoEventError`] if the message was created from bytes, if its bodies were
    /// [detached](Self::detach_bodies), or if its event has another type. Check
    /// [`event_type`](Self::event_type) first, or decode a [`LabEvent`], which accepts any type.
    pub fn event<T: Decode>(&self) -> Result<T, NoEventError> {
        let rendering = self.rendering(ENVELOPE).ok_or(NoEventError::CreatedFromBytes)?;
        let body = rendering.body().ok_or(NoEventError::BodyKept)?;
        T::decode(TrustedBody::new(body)).map_err(NoEventError::Decode)
    }

    /// Adds a rendering in the format with this name. An existing one is kept.
    pub(crate) fn add_rendering(&mut self, format: &str, mut rendering: Rendering) {
        if self.renderings.get(format).is_none() {
            for header in self.headers.iter() {
                rendering.push_header(header.clone());
            }
            self.renderings.insert(format.into(), rendering);
        }
    }

    /// Returns whether `other` is this message published again: the same type, and the same bytes
    /// in each format. Headers are not compared: a trace is new each time.
    pub(crate) fn is_republished_by(&self, other: &Self) -> bool {
        self.event_type == other.event_type
            && other.renderings().all(|(format, theirs)| {
                self.rendering(format).is_some_and(|ours| ours.has_body_of(theirs))
            })
    }

    fn from_envelope(
        id: MessageId,
        event_type: EventType,
        timestamp: Timestamp,
        keys: Keys,
        json: Vec<u8>,
    ) -> Self {
        let json_type = HeaderValue::from_static("application/json");
        // There can be many pending messages: spare capacity would cost more than a copy.
        let rendering = Rendering::new(json_type, json.into_boxed_slice());
        Self::new(id, event_type, timestamp, keys, ENVELOPE, rendering)
    }
}

impl<P: Payload> Event<P> {
    /// Turns the event into a message with this id, which freezes its bytes.
    ///
    /// # Errors
    ///
    /// Returns [`EncodeError`] if the payload's `Serialize` fails, or if the event was received with
    /// a time that cannot be read.
    pub fn into_message(self, id: MessageId) -> Result<Message, EncodeError> {
        let json = self.to_json()?;
        let at = self.timestamp.timestamp().ok_or(EncodeError::Timestamp)?;
        Ok(Message::from_envelope(id, P::EVENT_TYPE, at, self.data.keys(), json))
    }
}

impl LabEvent {
    /// Turns the event into a message with this id, which freezes its bytes.
    ///
    /// # Errors
    ///
    /// Returns [`EncodeError`] if an unknown member collides with a known field, or if the event was
    /// received with a time that cannot be read.
    pub fn into_message(self, id: MessageId) -> Result<Message, EncodeError> {
        let json = self.to_json()?;
        let at = self.timestamp().timestamp().ok_or(EncodeError::Timestamp)?;
        Ok(Message::from_envelope(id, self.event_type().clone(), at, self.keys(), json))
    }
}

/// The error of [`Message::event`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoEventError {
    /// The message was created from bytes that are not the crate's own envelope: see
    /// [`Message::new`].
    #[error("message was created from bytes, not from an event")]
    CreatedFromBytes,
    /// The event's body was [detached](Message::detach_bodies): your application keeps it.
    #[error("body of the event is kept by your application")]
    BodyKept,
    /// The event has another type, or does not match its type.
    #[error("event of the message does not decode as the requested type")]
    Decode(#[source] DecodeError),
}
