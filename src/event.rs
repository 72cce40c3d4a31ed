//! What happened, typed: [`Event`] and the [`Payload`] that it carries.

mod keys;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde::ser::{SerializeMap, Serializer};

use crate::decode::{Decode, DecodeError, JsonErrorAt, TrustedBody, from_json};
use crate::json::{JsonText, UnknownMembers, object};
use crate::time::TimeText;

pub use crate::event_type::{EventType, EventTypeError};
pub use keys::{Keys, Trigger};

/// The data of one type of event.
///
/// Any type that serde can write and read will do: the crate's own are in [`lab`](crate::lab),
/// and another crate brings its own as below. An enumeration of it stays open to the values of
/// later versions by a last variant `#[serde(untagged)] Other(String)`.
///
/// ```
/// use labhook::{Event, EventType, Keys, Payload, Timestamp};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Calibrated {
///     instrument: String,
///     run: String,
/// }
///
/// impl Payload for Calibrated {
///     const EVENT_TYPE: EventType = EventType::from_static("instrument.calibrated");
///
///     fn keys(&self) -> Keys {
///         Keys::new().with_run(self.run.as_str()).with_ordering(self.run.as_str())
///     }
/// }
///
/// let calibrated = Calibrated { instrument: "reader-2".into(), run: "r1".into() };
/// let event = Event::new(calibrated, Timestamp::from_unix_seconds(1_744_882_200));
/// assert_eq!(event.keys().run.unwrap().as_str(), "r1");
/// ```
pub trait Payload: Serialize + DeserializeOwned {
    /// The type of event whose data this is.
    const EVENT_TYPE: EventType;

    /// What subscriptions and ordering may look at; nothing, unless the type says otherwise.
    fn keys(&self) -> Keys {
        Keys::new()
    }
}

/// Something that happened, and when.
///
/// On the wire it is the envelope of the Standard Webhooks specification 1.0.0 ("Payload
/// structure"): `{"type":"run.state_changed","timestamp":"2025-04-17T09:30:00.000Z","data":{}}`.
///
/// It has neither `Serialize` nor `Deserialize`. An event leaves as a message, whose bytes are
/// made once, and comes in through [`Decode`], which asks for a body that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event<P> {
    /// When it happened, which may be long before it is sent.
    pub timestamp: TimeText,
    /// What happened.
    pub data: P,
    /// The members of the envelope besides `type`, `timestamp` and `data`.
    pub unknown: UnknownMembers,
}

impl<P: Payload> Event<P> {
    /// Makes the event of what happened at that time.
    pub fn new(data: P, at: impl Into<TimeText>) -> Self {
        Self { timestamp: at.into(), data, unknown: UnknownMembers::new() }
    }

    /// Its type, which is that of its payload.
    #[must_use]
    pub fn event_type(&self) -> &'static EventType {
        const { &P::EVENT_TYPE }
    }

    /// What subscriptions and ordering may look at.
    #[must_use]
    pub fn keys(&self) -> Keys {
        self.data.keys()
    }

    /// Writes the envelope as compact JSON.
    pub(crate) fn to_json(&self) -> Result<Vec<u8>, EncodeError> {
        to_json(self.event_type(), &self.timestamp, &self.data, &self.unknown)
    }

    /// Reads the data of an event that is of this payload's type.
    pub(crate) fn from_parts(
        timestamp: TimeText,
        data: &JsonText,
        unknown: UnknownMembers,
    ) -> Result<Self, DecodeError> {
        match from_json(data.as_str().as_bytes()) {
            Ok(data) => Ok(Self { timestamp, data, unknown }),
            Err(JsonErrorAt { path, source }) => Err(DecodeError::Data {
                event_type: P::EVENT_TYPE,
                path: match path.as_str() {
                    "." => "data".to_owned(),
                    index if index.starts_with('[') => format!("data{index}"),
                    member => format!("data.{member}"),
                },
                source,
            }),
        }
    }
}

/// [`DecodeError::OtherType`] where the event is of another type than `P`'s.
impl<P: Payload> Decode for Event<P> {
    fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError> {
        let event = UnknownEvent::decode(body)?;
        if event.event_type == P::EVENT_TYPE {
            Self::from_parts(event.timestamp, &event.data, event.unknown)
        } else {
            Err(DecodeError::OtherType { expected: P::EVENT_TYPE, found: event.event_type })
        }
    }
}

/// An event whose data stays the text that it is: of a type that nobody here knows, or passed on
/// by one who does not need to.
///
/// The envelope is that of [`Event`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownEvent {
    /// The type that the event says it is of.
    pub event_type: EventType,
    /// When it happened.
    pub timestamp: TimeText,
    /// What happened, verbatim. A receiver that has a payload for the type decodes the verified
    /// body again, as an [`Event`] of it, which checks the type.
    pub data: JsonText,
    /// The members of the envelope besides `type`, `timestamp` and `data`.
    pub unknown: UnknownMembers,
}

impl UnknownEvent {
    /// Makes the event of what happened at that time.
    #[must_use]
    pub fn new(event_type: EventType, data: JsonText, at: impl Into<TimeText>) -> Self {
        Self { event_type, timestamp: at.into(), data, unknown: UnknownMembers::new() }
    }

    /// Writes the envelope as compact JSON.
    pub(crate) fn to_json(&self) -> Result<Vec<u8>, EncodeError> {
        to_json(&self.event_type, &self.timestamp, &self.data, &self.unknown)
    }
}

/// Reads an event of any type.
impl Decode for UnknownEvent {
    fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError> {
        let Envelope { event_type, timestamp, data, unknown } = body.json()?;
        Ok(Self { event_type, timestamp, data, unknown })
    }
}

object! {
    /// The envelope as it is read; [`Written`] is how it is written.
    pub(crate) struct Envelope {
        required event_type: EventType as "type",
        required timestamp: TimeText,
        required data: JsonText,
    }
}

/// The envelope of data that may be typed or not.
struct Written<'a, T> {
    event_type: &'a EventType,
    timestamp: &'a TimeText,
    data: &'a T,
    unknown: &'a UnknownMembers,
}

impl<T: Serialize> Serialize for Written<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", self.event_type)?;
        map.serialize_entry("timestamp", self.timestamp)?;
        map.serialize_entry("data", self.data)?;
        self.unknown.write(Envelope::NAMES, &mut map)?;
        map.end()
    }
}

fn to_json<T: Serialize>(
    event_type: &EventType,
    timestamp: &TimeText,
    data: &T,
    unknown: &UnknownMembers,
) -> Result<Vec<u8>, EncodeError> {
    serde_json::to_vec(&Written { event_type, timestamp, data, unknown })
        .map_err(|source| EncodeError { source })
}

/// The event has no form in JSON.
///
/// The sender's own code is at fault: a payload with map keys that are not text, or an unknown
/// member that the type knows.
#[derive(Debug, thiserror::Error)]
#[error("the event cannot be written as JSON")]
pub struct EncodeError {
    source: serde_json::Error,
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
    fn an_event_survives_decode_then_encode() {
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
    fn each_decode_error_has_its_text() {
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
                r#"{"type":"balance.weighed","timestamp":"yesterday","data":[]}"#,
                "the body is malformed at `timestamp`",
                Some("not an RFC 3339 date-time"),
            ),
            (
                r#"{"type":"a b","timestamp":"2009-01-03T18:15:00+01:00","data":[]}"#,
                "the body is malformed at `type`",
                Some("an event type holds a character other than A-Z a-z 0-9 _ - ."),
            ),
            (
                r#"{"type":"a","type":"a"}"#,
                "the body is malformed at `type`",
                Some("`type` stands twice"),
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
    fn an_unknown_member_cannot_be_one_of_the_envelope() {
        for name in ["type", "timestamp", "data"] {
            let mut event = Event::new(Weights(Vec::new()), Timestamp::UNIX_EPOCH);
            event.unknown.insert(name, "1").unwrap();
            let error = event.to_json().unwrap_err();
            assert_eq!(error.to_string(), "the event cannot be written as JSON");
            assert_eq!(
                error.source().unwrap().to_string(),
                format!("`{name}` is among the unknown members, and the type knows it")
            );
        }
    }
}
