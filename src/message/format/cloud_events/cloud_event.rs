//! A received CloudEvent: [`CloudEvent`].

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{self, HeaderName, HeaderValue};
use serde::de::Error as _;

use super::header_text;
use crate::decode::{Decode, DecodeError, JsonErrorAt, TrustedBody};
use crate::event::ReadEnvelope;
use crate::event_type::EventType;
use crate::json::{JsonText, Nullable, UnknownMembers, object};
use crate::lab::LabEvent;
use crate::time::{TimeText, Timestamp};

/// The value of the attribute `specversion`.
pub(super) const SPECVERSION: &str = "1.0";

const PREFIX: &str = "ce-";

object! {
    /// A CloudEvents 1.0.2 event (specification, "Context Attributes") from any sender.
    ///
    /// In structured mode, decode it from the body; in binary mode, read it with
    /// [`from_binary`](Self::from_binary); in batched mode, decode a `Vec` of them. Then convert it
    /// with [`to_event`](Self::to_event).
    /// Extension attributes are in `unknown`.
    ///
    /// ```
    /// use labhook::{danger, Timestamp};
    /// use labhook::message::format::CloudEvent;
    ///
    /// let body = br#"{"specversion":"1.0","id":"1","source":"/cell-1","type":"run.state_changed","time":"2025-04-17T09:30:00Z","data":{"run_id":"r17","state":"paused"}}"#;
    /// let cloud_event: CloudEvent = danger::unsigned(body).decode()?;
    /// assert_eq!((&*cloud_event.source, &*cloud_event.id), ("/cell-1", "1"));
    ///
    /// let received_at = Timestamp::from_unix_seconds(1_744_882_201);
    /// let event = cloud_event.to_event(received_at)?;
    /// assert_eq!(event.event_type().as_str(), "run.state_changed");
    /// # Ok::<(), labhook::decode::DecodeError>(())
    /// ```
    pub struct CloudEvent {
        /// The version of the specification: `1.0`.
        required specversion: String,
        /// The id of the event, unique per source. Deduplicate by source and id.
        required id: String,
        /// The source of the event: a URI reference.
        required source: String,
        /// The event type.
        required event_type: String as "type",
        /// The subject of the event, in the context of its source.
        optional subject: String,
        /// The time of the event.
        optional time: TimeText,
        /// The media type of the data. If absent, the data in `data` is JSON.
        optional datacontenttype: String,
        /// The URI of the data's schema.
        optional dataschema: String,
        /// The data: JSON, or a string with text that is not JSON.
        nullable data: JsonText,
        /// The data as bytes, in base64.
        optional data_base64: String,
    }
}

/// Structured mode: reads the JSON event format.
impl Decode for CloudEvent {
    fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError> {
        body.json()
    }
}

/// Batched mode: reads the JSON batch format (JSON event format, section 4), an array of events
/// with the content type `application/cloudevents-batch+json`. A batch may be empty.
///
/// The signature covers the batch, and so does its message id. Deduplicate the events by their own
/// source and id.
///
/// ```
/// use labhook::danger;
/// use labhook::message::format::CloudEvent;
///
/// let body = br#"[{"specversion":"1.0","id":"1","source":"/a","type":"t","data":1}]"#;
/// let batch: Vec<CloudEvent> = danger::unsigned(body).decode()?;
/// assert_eq!(batch[0].id, "1");
/// # Ok::<(), labhook::decode::DecodeError>(())
/// ```
impl Decode for Vec<CloudEvent> {
    fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError> {
        body.json()
    }
}

impl CloudEvent {
    /// Reads an event in binary mode: the data from the body, the attributes from the `ce-` headers
    /// (HTTP protocol binding, section 3.1).
    ///
    /// The body comes from [`Verified::trusted_body`](crate::Verified::trusted_body) or
    /// [`Unsigned::trusted_body`](crate::danger::Unsigned::trusted_body).
    ///
    /// **Signatures do not cover these headers**: even if the body is verified, a man in the middle
    /// can have changed them. Deduplicate by [`Verified::id`](crate::Verified::id), and check that
    /// it equals `id`.
    ///
    /// Data with a JSON content type is stored in `data`, and so is JSON without a content type,
    /// which the Python SDK sends by default. All other data is stored in `data_base64`; an empty
    /// body means no data. Extension attributes are in the order of their names, and are all strings,
    /// because a header does not carry a type.
    ///
    /// # Errors
    ///
    /// Returns [`CloudEventHeaderError`] if the request is not a CloudEvent in binary mode.
    pub fn from_binary(
        headers: &HeaderMap,
        body: TrustedBody<'_>,
    ) -> Result<Self, CloudEventHeaderError> {
        let mut attributes = Attributes::read(headers)?;
        let mut event = Self::new(
            attributes.required("ce-specversion")?,
            attributes.required("ce-id")?,
            attributes.required("ce-source")?,
            attributes.required("ce-type")?,
        );
        event.subject = attributes.take("ce-subject");
        event.dataschema = attributes.take("ce-dataschema");
        event.time = attributes.take("ce-time").map(TimeText::verbatim);
        event.unknown = attributes.finish();
        event.datacontenttype = content_type(headers)?;
        if body.bytes().is_empty() {
            // An empty body means no data.
        } else if event.datacontenttype.as_deref().is_some_and(is_json) {
            event.data = Nullable::Value(body.json().map_err(CloudEventHeaderError::Body)?);
        } else if event.datacontenttype.is_none()
            && let Ok(json) = body.json()
        {
            event.data = Nullable::Value(json);
        } else {
            event.data_base64 = Some(STANDARD.encode(body.bytes()));
        }
        Ok(event)
    }

    /// Converts to a lab event of any type.
    ///
    /// `received_at` is the timestamp if the event has no `time`. Extension attributes become
    /// unknown members of the envelope, except one named `timestamp`, which collides with a known
    /// field. Source, id, subject and schema are dropped.
    ///
    /// # Errors
    ///
    /// Returns [`DecodeError`], with the path of the attribute, if this is not a CloudEvents 1.0
    /// event, its type is not an [`EventType`], or it has no JSON data.
    pub fn to_event(&self, received_at: Timestamp) -> Result<LabEvent, DecodeError> {
        if self.specversion != SPECVERSION {
            return Err(malformed("specversion", "must be `1.0`"));
        }
        // Without ids, all events of a source would count as duplicates of one another.
        for (name, value) in [("id", &self.id), ("source", &self.source)] {
            if value.is_empty() {
                return Err(malformed(name, "must not be empty"));
            }
        }
        let event_type =
            EventType::new(&*self.event_type).map_err(|error| malformed("type", error))?;
        let time = self.time.clone().unwrap_or_else(|| received_at.into());
        Ok(LabEvent::from_parts(event_type, time, self.json()?, self.extensions()))
    }

    /// The extension attributes that have a value, except those with a name of the envelope.
    fn extensions(&self) -> UnknownMembers {
        // `null` means absent (JSON event format, section 2.2).
        let is_kept = |(name, json): &(&str, &JsonText)| {
            json.as_str() != "null" && !ReadEnvelope::NAMES.contains(name)
        };
        let kept = self.unknown.texts().filter(is_kept);
        UnknownMembers::from_distinct(
            kept.map(|(name, json)| (name.to_owned().into(), json.clone())).collect(),
        )
    }

    /// The data as JSON (JSON event format, section 3.1.2).
    fn json(&self) -> Result<JsonText, DecodeError> {
        let content_type = self.datacontenttype.as_deref();
        let not_json = || malformed("datacontenttype", "data is not JSON");
        match (&self.data, &self.data_base64) {
            (Nullable::Absent, None) => Err(malformed("data", "missing field `data`")),
            (Nullable::Absent, Some(_)) if !content_type.is_some_and(is_json) => Err(not_json()),
            (Nullable::Absent, Some(text)) => {
                let bytes = STANDARD
                    .decode(text)
                    .map_err(|_| malformed("data_base64", "invalid base64"))?;
                serde_json::from_slice(&bytes).map_err(|error| malformed("data_base64", error))
            }
            (Nullable::Null | Nullable::Value(_), Some(_)) => {
                Err(malformed("data_base64", "must not be combined with `data`"))
            }
            (Nullable::Null | Nullable::Value(_), None) if !content_type.is_none_or(is_json) => {
                Err(not_json())
            }
            (data, None) => JsonText::write(data).map_err(|error| malformed("data", error)),
        }
    }
}

fn malformed(path: &str, why: impl fmt::Display) -> DecodeError {
    let JsonErrorAt { source, .. } = serde_json::Error::custom(why).into();
    DecodeError::Body { path: path.to_owned(), source }
}

/// Returns whether the media type declares JSON: `*/json` or `*/*+json`, ignoring case and
/// parameters (JSON event format, section 3.1.1).
fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence
        .split_once('/')
        .is_some_and(|(_, subtype)| subtype == "json" || subtype.ends_with("+json"))
}

fn content_type(headers: &HeaderMap) -> Result<Option<String>, CloudEventHeaderError> {
    let name = header::CONTENT_TYPE;
    let Some(value) = single(headers, &name)? else {
        return Ok(None);
    };
    let Ok(text) = value.to_str() else {
        return Err(CloudEventHeaderError::Malformed { name });
    };
    if text.to_ascii_lowercase().starts_with("application/cloudevents") {
        return Err(CloudEventHeaderError::NotBinary);
    }
    Ok(Some(text.to_owned()))
}

fn single<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a HeaderValue>, CloudEventHeaderError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(CloudEventHeaderError::Duplicate { name: name.clone() }),
    }
}

/// The attributes in the headers, by header name.
struct Attributes<'a>(BTreeMap<&'a str, String>);

impl<'a> Attributes<'a> {
    fn read(headers: &'a HeaderMap) -> Result<Self, CloudEventHeaderError> {
        let mut attributes = BTreeMap::new();
        for header in headers.keys() {
            let name = header.as_str();
            if !name.starts_with(PREFIX) {
                continue;
            }
            if matches!(name, "ce-datacontenttype" | "ce-data" | "ce-data_base64") {
                return Err(CloudEventHeaderError::Forbidden { name: header.clone() });
            }
            if let Some(value) = single(headers, header)? {
                let malformed = || CloudEventHeaderError::Malformed { name: header.clone() };
                let text = header_text::decode(value.as_bytes()).ok_or_else(malformed)?;
                attributes.insert(name, text);
            }
        }
        Ok(Self(attributes))
    }

    fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    fn required(&mut self, name: &'static str) -> Result<String, CloudEventHeaderError> {
        let missing = || CloudEventHeaderError::Missing { name: HeaderName::from_static(name) };
        self.take(name).ok_or_else(missing)
    }

    fn finish(self) -> UnknownMembers {
        let mut unknown = UnknownMembers::new();
        for (header, text) in self.0 {
            let name = header.strip_prefix(PREFIX).unwrap_or(header);
            let json = serde_json::Value::String(text).to_string();
            unknown.insert(name, json).expect("a string is JSON");
        }
        unknown
    }
}

/// A request that is not a CloudEvent in binary mode.
///
/// The sender is at fault, or sends something else. No variant contains a header value or a part of
/// the body.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CloudEventHeaderError {
    /// The content type is one of CloudEvents' own: the event, or a batch of events, is in the
    /// body.
    #[error("content type must not be `application/cloudevents*` in binary mode")]
    NotBinary,
    /// The header of a required attribute is missing.
    #[error("missing header `{name}`")]
    Missing {
        /// The header name.
        name: HeaderName,
    },
    /// The header appears more than once.
    #[error("duplicate header `{name}`")]
    Duplicate {
        /// The header name.
        name: HeaderName,
    },
    /// The header is reserved: `content-type` or the body takes its place (section 3.1.1).
    #[error("header `{name}` is not allowed in binary mode")]
    Forbidden {
        /// The header name.
        name: HeaderName,
    },
    /// The header is not encoded as section 3.1.3.2 requires, or its value does not match its type.
    #[error("header `{name}` is malformed")]
    Malformed {
        /// The header name.
        name: HeaderName,
    },
    /// The body is not valid JSON, although its content type says so.
    #[error("body is not the JSON that `content-type` declares")]
    Body(#[source] DecodeError),
}
