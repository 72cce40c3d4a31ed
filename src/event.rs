//! Typed events: [`Event`], its [`Payload`], its [`EventType`] and its [`Keys`].

mod keys;
mod one_pass;

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::{DeserializeOwned, Deserializer};
use serde::ser::{SerializeMap, Serializer};

use crate::decode::{Decode, DecodeError, JsonError, JsonErrorAt, TrustedBody, from_json};
use crate::json::{JsonText, UnknownMembers, object};
use crate::time::TimeText;

pub use crate::event_type::{EventType, EventTypeError};
pub use keys::{Keys, Trigger};
pub(crate) use one_pass::{Model, Whole, read as read_in_one_pass};

/// The data of one event type.
///
/// The payloads of common lab events are in [`lab`](crate::lab). To define your own, implement this
/// trait for a type made with [`open_object!`](crate::json::open_object!), which keeps unknown
/// members verbatim, or for any type that implements serde's `Serialize` and `Deserialize`:
///
/// ```
/// use labhook::{Event, EventType, Keys, MessageId, Payload, Timestamp};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Calibrated {
///     instrument: String,
///     run: String,
/// }
///
/// impl Payload for Calibrated {
///     // Checked at compile time.
///     const EVENT_TYPE: EventType = EventType::from_static("instrument.calibrated");
///
///     fn keys(&self) -> Keys {
///         Keys::new().with_run(self.run.as_str()).with_ordering(self.run.as_str())
///     }
/// }
///
/// let calibrated = Calibrated { instrument: "reader-2".into(), run: "run-17".into() };
/// let event = Event::new(calibrated, Timestamp::from_unix_seconds(1_744_882_200));
/// let message = event.into_message(MessageId::new("reader-2-calibrated-1")?)?;
/// assert_eq!(message.keys().run.as_ref().unwrap().as_str(), "run-17");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// To keep an enum in a payload open to values of later versions, make it with
/// [`open_enum!`](crate::json::open_enum!).
pub trait Payload: Serialize + DeserializeOwned {
    /// The event type of this payload.
    const EVENT_TYPE: EventType;

    /// Returns the keys that subscriptions filter by and ordering follows. The default is none.
    fn keys(&self) -> Keys {
        Keys::new()
    }
}

/// An event: a typed [`Payload`] and the time at which it happened.
///
/// To send it, turn it into a [`Message`](crate::Message) with
/// [`into_message`](Self::into_message). To receive one, decode it from a
/// [verified body](crate::Verified::decode).
///
/// ```
/// use labhook::{Event, Timestamp};
/// use labhook::lab::{RunState, RunStateChanged};
///
/// let at = Timestamp::from_unix_seconds(1_744_882_200);
/// let event = Event::new(RunStateChanged::new("run-17", RunState::Paused), at);
/// assert_eq!(
///     serde_json::to_string(&event)?,
///     concat!(
///         r#"{"type":"run.state_changed","timestamp":"2025-04-17T09:30:00.000Z","#,
///         r#""data":{"run_id":"run-17","state":"paused"}}"#,
///     )
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// The wire form is the envelope of the Standard Webhooks specification 1.0.0 ("Payload
/// structure"). There is deliberately no `Deserialize`: an event is read through [`Decode`], which
/// requires a body that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event<P> {
    /// The time at which the event happened, which may be long before it is sent.
    pub timestamp: TimeText,
    /// The payload.
    pub data: P,
    /// The members of the envelope other than `type`, `timestamp` and `data`.
    pub unknown: UnknownMembers,
}

impl<P: Payload> Event<P> {
    /// Creates an event that happened at the given time.
    pub fn new(data: P, at: impl Into<TimeText>) -> Self {
        Self { timestamp: at.into(), data, unknown: UnknownMembers::new() }
    }

    /// Returns the event type of the payload.
    #[must_use]
    pub fn event_type(&self) -> &'static EventType {
        const { &P::EVENT_TYPE }
    }

    /// Returns the keys that subscriptions filter by and ordering follows.
    #[must_use]
    pub fn keys(&self) -> Keys {
        self.data.keys()
    }

    /// Encodes the envelope as compact JSON.
    pub(crate) fn to_json(&self) -> Result<Vec<u8>, EncodeError> {
        to_json(self)
    }

    /// Decodes the data of an event whose type is that of `P`.
    pub(crate) fn read_data(data: &JsonText) -> Result<P, DecodeError> {
        from_json(data.as_str().as_bytes()).map_err(|JsonErrorAt { path, source }| {
            DecodeError::Data {
                event_type: P::EVENT_TYPE,
                path: match path.as_str() {
                    "." => "data".to_owned(),
                    index if index.starts_with('[') => format!("data{index}"),
                    member => format!("data.{member}"),
                },
                source,
            }
        })
    }
}

/// Fails with [`DecodeError::OtherType`] if the event has another type than `P`.
impl<P: Payload> Decode for Event<P> {
    fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError> {
        if let Some(whole) = read_in_one_pass::<OneModel<P>>(body.bytes()) {
            let Whole { timestamp, data, unknown } = whole;
            return Ok(Self { timestamp, data, unknown });
        }
        let event = UnknownEvent::decode(body)?;
        if event.event_type == P::EVENT_TYPE {
            let data = Self::read_data(&event.data)?;
            Ok(Self { timestamp: event.timestamp, data, unknown: event.unknown })
        } else {
            Err(DecodeError::OtherType { expected: P::EVENT_TYPE, found: event.event_type })
        }
    }
}

/// A payload's own event type.
struct OneModel<P>(PhantomData<P>);

impl<P: Payload> Model for OneModel<P> {
    type Data = P;

    fn of(event_type: &str) -> Option<Self> {
        let expected = const { &P::EVENT_TYPE };
        (event_type == expected.as_str()).then_some(Self(PhantomData))
    }

    fn read<'de, D: Deserializer<'de>>(self, deserializer: D) -> Result<P, D::Error> {
        P::deserialize(deserializer)
    }
}

/// Writes the envelope `{"type", "timestamp", "data"}`.
impl<P: Payload> Serialize for Event<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { timestamp, data, unknown } = self;
        WriteEnvelope { event_type: self.event_type(), timestamp, data, unknown }
            .serialize(serializer)
    }
}

/// An event of any type, with its data as raw JSON: for event types without a payload struct, and
/// for forwarding events unread.
///
/// The wire form is that of [`Event`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownEvent {
    /// The event type that the sender stated.
    pub event_type: EventType,
    /// The time at which the event happened.
    pub timestamp: TimeText,
    /// The data, verbatim. To read it as a payload, decode the verified body again as an [`Event`],
    /// which checks the type.
    pub data: JsonText,
    /// The members of the envelope other than `type`, `timestamp` and `data`.
    pub unknown: UnknownMembers,
}

impl UnknownEvent {
    /// Creates an event that happened at the given time.
    #[must_use]
    pub fn new(event_type: EventType, data: JsonText, at: impl Into<TimeText>) -> Self {
        Self { event_type, timestamp: at.into(), data, unknown: UnknownMembers::new() }
    }

    /// Encodes the envelope as compact JSON.
    pub(crate) fn to_json(&self) -> Result<Vec<u8>, EncodeError> {
        to_json(self)
    }
}

/// Accepts every event type.
impl Decode for UnknownEvent {
    fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError> {
        let ReadEnvelope { event_type, timestamp, data, unknown } = body.json()?;
        Ok(Self { event_type, timestamp, data, unknown })
    }
}

/// Writes the envelope `{"type", "timestamp", "data"}`.
impl Serialize for UnknownEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { event_type, timestamp, data, unknown } = self;
        WriteEnvelope { event_type, timestamp, data, unknown }.serialize(serializer)
    }
}

object! {
    /// The envelope, as read. [`WriteEnvelope`] writes it.
    pub(crate) struct ReadEnvelope {
        exact event_type: EventType as "type",
        exact timestamp: TimeText,
        exact data: JsonText,
    }
}

/// The envelope, with typed or raw data, as written.
struct WriteEnvelope<'a, T> {
    event_type: &'a EventType,
    timestamp: &'a TimeText,
    data: &'a T,
    unknown: &'a UnknownMembers,
}

impl<T: Serialize> Serialize for WriteEnvelope<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", self.event_type)?;
        map.serialize_entry("timestamp", self.timestamp)?;
        map.serialize_entry("data", self.data)?;
        self.unknown.write(|name| ReadEnvelope::NAMES.contains(&name), &mut map)?;
        map.end()
    }
}

fn to_json<T: Serialize>(event: &T) -> Result<Vec<u8>, EncodeError> {
    serde_json::to_vec(event).map_err(|error| EncodeError::Json(JsonErrorAt::from(error).source))
}

/// An event that cannot be turned into a message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The event cannot be represented in JSON. The sender's own code is at fault: a payload with
    /// map keys that are not strings, or an unknown member that collides with a known field.
    #[error("event cannot be serialized as JSON")]
    Json(#[source] JsonError),
    /// The event was received with a time that is not an RFC 3339 date-time. To forward it, set a
    /// time that your application knows, such as the time of receipt.
    #[error("the event's `timestamp` is not an RFC 3339 date-time")]
    Timestamp,
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use serde::Deserialize;

    use super::*;
    use crate::time::Timestamp;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Weights(Vec<u32>);

    impl Payload for Weights {
        const EVENT_TYPE: EventType = EventType::from_static("balance.weighed");
    }

    fn decode(body: &str) -> Result<Event<Weights>, DecodeError> {
        Event::decode(TrustedBody::new(body.as_bytes()))
    }

    #[test]
    fn event_round_trips_byte_for_byte() {
        let body = r#"{"type":"balance.weighed","timestamp":"2009-01-03T18:15:00+01:00","data":[1,2],"b":1.10,"a":{}}"#;
        let event = decode(body).unwrap();
        assert_eq!(event.data, Weights(vec![1, 2]));
        assert_eq!(event.keys(), Keys::new());
        assert_eq!(event.event_type().as_str(), "balance.weighed");
        assert_eq!(event.to_json().unwrap(), body.as_bytes());
        let raw = UnknownEvent::decode(TrustedBody::new(body.as_bytes())).unwrap();
        assert_eq!(raw.data.as_str(), "[1,2]");
        assert_eq!(raw.to_json().unwrap(), body.as_bytes());
    }

    #[test]
    fn decode_error_texts_are_documented() {
        for (body, text, source) in [
            (
                r#"{"type":"run.state_changed","timestamp":"2009-01-03T18:15:00+01:00","data":[]}"#,
                "expected event type `balance.weighed`, found `run.state_changed`",
                None,
            ),
            (
                r#"{"type":"balance.weighed","timestamp":"2009-01-03T18:15:00+01:00","data":[1,"x"]}"#,
                "the balance.weighed event is malformed at `data[1]`",
                Some("invalid type: string \"x\", expected u32"),
            ),
            (
                r#"{"type":"balance.weighed","timestamp":"2009-01-03T18:15:00+01:00","data":{}}"#,
                "the balance.weighed event is malformed at `data`",
                Some("invalid type: map, expected a sequence"),
            ),
            (
                r#"{"type":"balance.weighed","timestamp":1744882200,"data":[]}"#,
                "the body is malformed at `timestamp`",
                Some("invalid type: integer `1744882200`, expected a string"),
            ),
            (
                r#"{"type":"a b","timestamp":"2009-01-03T18:15:00+01:00","data":[]}"#,
                "the body is malformed at `type`",
                Some("event type must contain only `A-Z a-z 0-9 _ - .`"),
            ),
            (
                r#"{"type":"a","type":"a"}"#,
                "the body is malformed at `type`",
                Some("duplicate field `type`"),
            ),
            (r#"{"type":"a"}"#, "the body is malformed", Some("missing field `timestamp`")),
        ] {
            let error = decode(body).unwrap_err();
            assert_eq!(error.to_string(), text);
            let found = error.source().map(ToString::to_string);
            // The parser adds the position.
            let why = found.as_deref().and_then(|text| text.split(" at line ").next());
            assert_eq!(why, source, "{body}");
        }
    }

    #[test]
    fn unreadable_time_is_kept_but_not_sent() {
        let body = r#"{"type":"balance.weighed","timestamp":"2025-04-17T09:30:00.123","data":[]}"#;
        let mut event = decode(body).unwrap();
        assert_eq!(event.timestamp.timestamp(), None);
        assert_eq!(event.to_json().unwrap(), body.as_bytes());
        event.timestamp = Timestamp::UNIX_EPOCH.into();
        assert_eq!(event.timestamp.timestamp(), Some(Timestamp::UNIX_EPOCH));
    }

    #[test]
    fn unknown_envelope_member_must_not_collide() {
        for name in ["type", "timestamp", "data"] {
            let mut event = Event::new(Weights(Vec::new()), Timestamp::UNIX_EPOCH);
            event.unknown.insert(name, "1").unwrap();
            let error = event.to_json().unwrap_err();
            assert_eq!(error.to_string(), "event cannot be serialized as JSON");
            assert_eq!(
                error.source().unwrap().to_string(),
                format!("unknown member `{name}` collides with a known field")
            );
        }
    }
}
