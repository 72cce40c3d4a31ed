//! CloudEvents 1.0.2 over HTTP: [`CloudEvents`] to send, [`CloudEvent`] to receive.

mod attribute;
mod cloud_event;
mod header_text;

pub use cloud_event::{CloudEvent, CloudEventHeaderError};

use http::header::{HeaderName, HeaderValue};
use serde::Serialize;

use self::cloud_event::SPECVERSION;
use super::error::FormatError;
use super::render::Format;
use crate::event::{Keys, UnknownEvent};
use crate::json::{Nullable, UnknownMembers};
use crate::message::{Message, Rendering};

/// The media type of the JSON event format (section 3).
const STRUCTURED: &str = "application/cloudevents+json";

/// The media type of the JSON batch format (section 4).
const BATCHED: &str = "application/cloudevents-batch+json";

/// The CloudEvents 1.0.2 format, in the structured, binary or batched mode of its HTTP protocol
/// binding.
///
/// Prefer the structured mode: all SDKs read its attributes alike, and the signature covers them. The
/// npm SDK 10 drops data that is `null`, `false`, `0` or `""` in this mode, and reads a bare number,
/// boolean or `null` as text in binary mode; objects, arrays and other strings are safe.
///
/// | attribute | value |
/// |---|---|
/// | `specversion` | `1.0` |
/// | `id` | the message's id |
/// | `source` | the argument of the constructor |
/// | `type` | the event type (without the reverse domain name that the specification recommends) |
/// | `subject` | see below |
/// | `time` | the time of the event |
/// | `datacontenttype` | `application/json` |
/// | extensions | the unknown members of the envelope, and the message's `traceparent` and `tracestate` |
///
/// The data is that of the event, byte for byte.
///
/// The `subject` is the id named by the first segment of the event type, if the message's
/// [keys](Keys) contain it: the run of a `run.*` event, and likewise a project, a task or labware.
/// Otherwise it is the ordering key, such as the sample of a `sample.*` event and the workcell of a
/// `safety.*` event. There is no subject if that is absent, empty, or not a valid CloudEvents
/// string (specification, "Type System").
///
/// A member of the envelope becomes an extension attribute if its name consists of `a-z` and `0-9`
/// and its value is a string, a boolean or a 32-bit integer. An event with any other member cannot
/// be expressed, and neither can a message created from bytes.
///
/// ```
/// use labhook::{Event, MessageId, Timestamp};
/// use labhook::lab::{RunState, RunStateChanged};
/// use labhook::message::format::{CloudEvents, Format};
///
/// let at = Timestamp::from_unix_seconds(1_744_882_200);
/// let message = Event::new(RunStateChanged::new("r17", RunState::Paused), at)
///     .into_message(MessageId::new("msg_1")?)?;
///
/// let rendering = CloudEvents::binary("https://lab.example/cell-1")?.render(&message)?;
/// let headers: Vec<_> = rendering.headers().map(|(name, _)| name.as_str()).collect();
/// assert_eq!(
///     headers,
///     ["ce-specversion", "ce-id", "ce-source", "ce-type", "ce-subject", "ce-time"]
/// );
/// let body = rendering.body().expect("a new rendering has its body");
/// assert_eq!(&body[..], br#"{"run_id":"r17","state":"paused"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct CloudEvents {
    mode: Mode,
    source: Box<str>,
    name: Box<str>,
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    Structured,
    Binary,
    Batched,
}

impl CloudEvents {
    /// Structured mode: attributes and data in one JSON object, with the content type
    /// `application/cloudevents+json` (JSON event format; HTTP protocol binding, section 3.2).
    ///
    /// The signature of the body covers the attributes too.
    ///
    /// # Errors
    ///
    /// Returns [`CloudEventsSourceError`] if `source` is not a URI reference.
    pub fn structured(source: &str) -> Result<Self, CloudEventsSourceError> {
        Self::new(Mode::Structured, "cloudevents-structured", source)
    }

    /// Binary mode: the data as the body, and the attributes as `ce-` headers (HTTP protocol
    /// binding, section 3.1), percent-encoded (section 3.1.3.2).
    ///
    /// **Signatures do not cover these headers**: they cover the body, and at most the message id
    /// and the time of sending. If receivers must be able to trust the event's type or source, use
    /// [`structured`](Self::structured).
    ///
    /// **Some SDKs do not decode the percent-encoding**: among them the npm SDK up to version 10
    /// and the older API of the Python SDK. They read a subject `plate 1` as `plate%201`. Use the
    /// structured mode for them, unless all attributes are visible ASCII without `"` and `%`.
    ///
    /// # Errors
    ///
    /// Returns [`CloudEventsSourceError`] if `source` is not a URI reference.
    pub fn binary(source: &str) -> Result<Self, CloudEventsSourceError> {
        Self::new(Mode::Binary, "cloudevents-binary", source)
    }

    /// Batched mode: a JSON array with the event as in the structured mode, with the content type
    /// `application/cloudevents-batch+json` (JSON event format, section 4; HTTP protocol binding,
    /// section 3.3).
    ///
    /// A message is one event, so each batch has one, for receivers that accept nothing else. To
    /// send several events in one request, see [`render_batch`](Self::render_batch).
    ///
    /// # Errors
    ///
    /// Returns [`CloudEventsSourceError`] if `source` is not a URI reference.
    pub fn batched(source: &str) -> Result<Self, CloudEventsSourceError> {
        Self::new(Mode::Batched, "cloudevents-batched", source)
    }

    /// Renders several messages as one batch, in any mode. Publish it as one message, created with
    /// [`Message::new`] under a format name of your own.
    ///
    /// ```
    /// use labhook::{Event, Message, MessageId, Timestamp};
    /// use labhook::event::Keys;
    /// use labhook::lab::{RunState, RunStateChanged};
    /// use labhook::message::format::CloudEvents;
    ///
    /// let at = Timestamp::from_unix_seconds(1_744_882_200);
    /// let event = |id: &str| {
    ///     let id = MessageId::derive([id]);
    ///     Event::new(RunStateChanged::new("r17", RunState::Paused), at).into_message(id)
    /// };
    /// let events = [event("msg_1")?, event("msg_2")?];
    /// let batch = CloudEvents::batched("https://lab.example/cell-1")?.render_batch(&events)?;
    /// let message = Message::new(
    ///     MessageId::derive(["batch", "1"]),
    ///     "batch".parse()?,
    ///     at,
    ///     Keys::default(),
    ///     "hourly-batch",
    ///     batch,
    /// );
    /// # let _ = message;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`FormatError`] if one of the events cannot be expressed.
    pub fn render_batch<'a>(
        &self,
        messages: impl IntoIterator<Item = &'a Message>,
    ) -> Result<Rendering, FormatError> {
        let events: Result<Vec<_>, _> =
            messages.into_iter().map(|message| self.event(message)).collect();
        json(BATCHED, &events?)
    }

    fn new(mode: Mode, name: &str, source: &str) -> Result<Self, CloudEventsSourceError> {
        check_source(source)?;
        Ok(Self { mode, name: format!("{name} {source}").into(), source: source.into() })
    }

    /// Builds the CloudEvent, independent of the mode.
    fn event(&self, message: &Message) -> Result<CloudEvent, FormatError> {
        let event: UnknownEvent = message.event()?;
        let event_type = event.event_type.as_str();
        let mut cloud_event =
            CloudEvent::new(SPECVERSION, message.id().as_str(), &*self.source, event_type);
        cloud_event.subject = subject(event_type, message.keys());
        cloud_event.time = Some(event.timestamp);
        cloud_event.datacontenttype = Some("application/json".to_owned());
        cloud_event.data = Nullable::Value(event.data);
        cloud_event.unknown = extensions(traced(event.unknown, message)?)?;
        Ok(cloud_event)
    }
}

impl Format for CloudEvents {
    /// The mode and the source, such as `cloudevents-binary /cell-1`.
    fn name(&self) -> &str {
        &self.name
    }

    fn render(&self, message: &Message) -> Result<Rendering, FormatError> {
        let event = self.event(message)?;
        match self.mode {
            Mode::Structured => json(STRUCTURED, &event),
            Mode::Binary => binary(&event),
            Mode::Batched => json(BATCHED, &[event]),
        }
    }
}

fn json(
    content_type: &'static str,
    content: &(impl Serialize + ?Sized),
) -> Result<Rendering, FormatError> {
    let body = serde_json::to_vec(content).map_err(|error| {
        FormatError::new("CloudEvent cannot be serialized as JSON").with_source(error)
    })?;
    Ok(Rendering::new(HeaderValue::from_static(content_type), body))
}

fn binary(event: &CloudEvent) -> Result<Rendering, FormatError> {
    let body = event.data.value().map(|data| data.as_str().to_owned()).unwrap_or_default();
    let mut rendering = Rendering::new(HeaderValue::from_static("application/json"), body);
    let known = [
        ("specversion", Some(event.specversion.as_str())),
        ("id", Some(event.id.as_str())),
        ("source", Some(event.source.as_str())),
        ("type", Some(event.event_type.as_str())),
        ("subject", event.subject.as_deref()),
        ("time", event.time.as_ref().map(|time| time.as_str())),
    ];
    for (name, text) in known {
        if let Some(text) = text {
            rendering = with_attribute(rendering, name, text)?;
        }
    }
    for (name, json) in event.unknown.iter() {
        let text = attribute::text(json).ok_or_else(|| not_an_attribute(name))?;
        rendering = with_attribute(rendering, name, &text)?;
    }
    Ok(rendering)
}

fn with_attribute(to: Rendering, name: &str, text: &str) -> Result<Rendering, FormatError> {
    // The only failure left is a name that is too long for a header.
    let header = HeaderName::try_from(format!("ce-{name}"));
    let value = HeaderValue::try_from(header_text::encode(text));
    match (header, value) {
        (Ok(header), Ok(value)) => Ok(to.add_header(header, value)),
        (Err(error), _) => Err(not_an_attribute(name).with_source(error)),
        (_, Err(error)) => Err(not_an_attribute(name).with_source(error)),
    }
}

/// Adds the message's trace, unless the event has its own (extension "Distributed Tracing").
fn traced(mut members: UnknownMembers, message: &Message) -> Result<UnknownMembers, FormatError> {
    for name in ["traceparent", "tracestate"] {
        let header = message.header(&HeaderName::from_static(name));
        if let Some(text) = header.and_then(|value| value.to_str().ok())
            && members.iter().all(|(member, _)| member != name)
        {
            let json = serde_json::Value::from(text).to_string();
            members
                .insert(name, json)
                .map_err(|error| not_an_attribute(name).with_source(error))?;
        }
    }
    Ok(members)
}

fn extensions(members: UnknownMembers) -> Result<UnknownMembers, FormatError> {
    for (name, json) in members.iter() {
        if !attribute::is_extension(name) || attribute::text(json).is_none() {
            return Err(not_an_attribute(name));
        }
    }
    Ok(members)
}

fn not_an_attribute(name: &str) -> FormatError {
    FormatError::new(format!("envelope member {name:?} is not a valid CloudEvents attribute"))
}

fn subject(event_type: &str, keys: &Keys) -> Option<String> {
    let family = event_type.split('.').next().unwrap_or_default();
    let id = match family {
        "run" => keys.run.as_ref().map(AsRef::as_ref),
        "project" => keys.project.as_ref().map(AsRef::as_ref),
        "task" => keys.task.as_ref().map(AsRef::as_ref),
        "labware" => keys.labware.as_ref().map(AsRef::as_ref),
        _ => None,
    };
    id.or(keys.ordering.as_deref())
        .filter(|text| !text.is_empty() && attribute::is_string(text))
        .map(str::to_owned)
}

/// Checks the characters of a URI reference (RFC 3986, section 2), but not its grammar.
fn check_source(source: &str) -> Result<(), CloudEventsSourceError> {
    if source.is_empty() {
        return Err(CloudEventsSourceError::Empty);
    }
    let mut rest = source.bytes();
    while let Some(byte) = rest.next() {
        let is_allowed = match byte {
            b'%' => {
                let is_hex = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
                is_hex(rest.next()) && is_hex(rest.next())
            }
            other => other.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(&other),
        };
        if !is_allowed {
            return Err(CloudEventsSourceError::Character);
        }
    }
    Ok(())
}

/// A text that cannot be the CloudEvents attribute `source`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloudEventsSourceError {
    /// The text is empty.
    #[error("CloudEvents `source` must not be empty")]
    Empty,
    /// The text contains a character, or a bare percent sign, that is not allowed in a URI
    /// reference (RFC 3986, section 2).
    #[error("CloudEvents `source` must contain only characters allowed in a URI reference")]
    Character,
}
