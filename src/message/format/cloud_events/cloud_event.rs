//! A CloudEvent as it is read: [`CloudEvent`].

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{self, HeaderName, HeaderValue};
use serde::de::Error as _;

use super::{SPECVERSION, header_text};
use crate::decode::{Decode, DecodeError, JsonErrorAt, TrustedBody};
use crate::event::Envelope;
use crate::event_type::EventType;
use crate::json::{JsonText, Nullable, UnknownMembers, object};
use crate::lab::LabEvent;
use crate::time::{TimeText, Timestamp};

const PREFIX: &str = "ce-";
const TIME: &str = "ce-time";

object! {
    /// An event of CloudEvents 1.0.2 (specification, "Context Attributes"), as anybody may have
    /// written it.
    ///
    /// Decode it where the whole event is in the body (structured mode), and read it
    /// [from the headers](Self::from_binary) where it is not; then
    /// [`to_event`](Self::to_event). Its extension attributes are its unknown members.
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
        /// Names the event among those of its source: what to deduplicate by, together with the
        /// source.
        required id: String,
        /// Where it happened: a URI reference.
        required source: String,
        /// The type of the event.
        required event_type: String as "type",
        /// What it is about, in the words of its source.
        optional subject: String,
        /// When it happened.
        optional time: TimeText,
        /// The media type of the data; JSON where it is absent and the data stands in `data`.
        optional datacontenttype: String,
        /// A URI of the form of the data.
        optional dataschema: String,
        /// What happened, where it is JSON, or text that is no JSON.
        nullable data: JsonText,
        /// What happened, as bytes in base64.
        optional data_base64: String,
    }
}

/// Reads the JSON event format: structured mode.
impl Decode for CloudEvent {
    fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError> {
        body.json()
    }
}

impl CloudEvent {
    /// Reads an event in binary mode: its data from the body, its attributes from the `ce-`
    /// headers (HTTP protocol binding, section 3.1).
    ///
    /// The body comes from [`Verified::trusted_body`](crate::Verified::trusted_body) or
    /// [`Unsigned::trusted_body`](crate::danger::Unsigned::trusted_body). No signature that this
    /// crate checks covers the headers: with a genuine body, whoever stands between sender and
    /// receiver can have written them. Deduplicate by [`Verified::id`](crate::Verified::id), and
    /// see that `id` is the same.
    ///
    /// Data that is not JSON by its content type, or has none, becomes `data_base64`; there is no
    /// data where the body is empty. The extension attributes are in the order of their names,
    /// and all of them text, for a header does not say what else they were.
    ///
    /// # Errors
    ///
    /// [`CloudEventHeaderError`] where the request is no such event.
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
        event.time = match attributes.take(TIME).map(|text| text.parse()) {
            None => None,
            Some(Ok(time)) => Some(time),
            Some(Err(_)) => {
                let name = HeaderName::from_static(TIME);
                return Err(CloudEventHeaderError::Malformed { name });
            }
        };
        event.unknown = attributes.finish();
        event.datacontenttype = content_type(headers)?;
        if body.bytes().is_empty() {
            // No data.
        } else if event.datacontenttype.as_deref().is_some_and(is_json) {
            event.data = Nullable::Value(body.json().map_err(CloudEventHeaderError::Body)?);
        } else {
            event.data_base64 = Some(STANDARD.encode(body.bytes()));
        }
        Ok(event)
    }

    /// The lab event that this one carries, of whichever type.
    ///
    /// `received_at` is its time where it does not say its own. The extension attributes become
    /// unknown members of the envelope, save `timestamp`, which the envelope knows. Source, id,
    /// subject and schema have no place there.
    ///
    /// # Errors
    ///
    /// [`DecodeError`], with the path of the attribute, where this is not CloudEvents 1.0, its
    /// type is not an [`EventType`], or there is no data in JSON; or where the data is not of a
    /// known type's form.
    pub fn to_event(&self, received_at: Timestamp) -> Result<LabEvent, DecodeError> {
        if self.specversion != SPECVERSION {
            return Err(malformed("specversion", "not CloudEvents 1.0"));
        }
        // All events of a source without ids would pass for one.
        for (name, value) in [("id", &self.id), ("source", &self.source)] {
            if value.is_empty() {
                return Err(malformed(name, "empty"));
            }
        }
        let event_type =
            EventType::new(&*self.event_type).map_err(|error| malformed("type", error))?;
        let time = self.time.clone().unwrap_or_else(|| received_at.into());
        LabEvent::from_parts(event_type, time, self.json()?, self.extensions())
    }

    /// The extension attributes that have a value, save those that the envelope knows.
    fn extensions(&self) -> UnknownMembers {
        // Null is the same as absent (JSON event format, section 2.2).
        let stays = |(name, json): &(&str, &JsonText)| {
            json.as_str() != "null" && !Envelope::NAMES.contains(name)
        };
        let stay = self.unknown.texts().filter(stays);
        UnknownMembers::from_distinct(
            stay.map(|(name, json)| (name.into(), json.clone())).collect(),
        )
    }

    /// The data as JSON (JSON event format, section 3.1.2).
    fn json(&self) -> Result<JsonText, DecodeError> {
        let content_type = self.datacontenttype.as_deref();
        let not_json = || malformed("datacontenttype", "the data is not JSON");
        match (&self.data, &self.data_base64) {
            (Nullable::Absent, None) => Err(malformed("data", "there is no data")),
            (Nullable::Absent, Some(_)) if !content_type.is_some_and(is_json) => Err(not_json()),
            (Nullable::Absent, Some(text)) => {
                let bytes =
                    STANDARD.decode(text).map_err(|_| malformed("data_base64", "not base64"))?;
                serde_json::from_slice(&bytes).map_err(|error| malformed("data_base64", error))
            }
            (Nullable::Null | Nullable::Value(_), Some(_)) => {
                Err(malformed("data_base64", "`data` is there too"))
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

/// Whether the media type declares JSON: `*/json` or `*/*+json`, in any case of letters, with any
/// parameters (JSON event format, section 3.1.1).
fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.split_once('/').is_some_and(|(_, it)| it == "json" || it.ends_with("+json"))
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

/// The attributes in the headers, by the headers' names.
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

/// A request is no CloudEvent in binary mode: the sender is at fault, or sends something else.
///
/// No variant holds a header's value or a part of the body.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CloudEventHeaderError {
    /// The content type is one of CloudEvents' own: the event, or a batch of them, is in the
    /// body.
    #[error("the content type says that the CloudEvent is in the body")]
    NotBinary,
    /// The header of a required attribute is not there.
    #[error("the {name} header is missing")]
    Missing {
        /// The header.
        name: HeaderName,
    },
    /// The header stands twice.
    #[error("the {name} header is repeated")]
    Duplicate {
        /// The header.
        name: HeaderName,
    },
    /// The header's place is taken by `content-type` or by the body (section 3.1.1).
    #[error("the {name} header has no place in a CloudEvent")]
    Forbidden {
        /// The header.
        name: HeaderName,
    },
    /// The header is not encoded as section 3.1.3.2 says, or its value is not of its type.
    #[error("the {name} header is malformed")]
    Malformed {
        /// The header.
        name: HeaderName,
    },
    /// The body is not the JSON that the content type says.
    #[error("the body is not the JSON that its content type says")]
    Body(#[source] DecodeError),
}
