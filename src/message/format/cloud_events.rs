//! CloudEvents 1.0.2, over HTTP and in JSON: [`CloudEvents`] writes, [`CloudEvent`] is read.

mod attribute;
mod cloud_event;
mod header_text;

pub use cloud_event::{CloudEvent, CloudEventHeaderError};

use http::header::{HeaderName, HeaderValue};

use super::{Format, FormatError};
use crate::event::{Keys, UnknownEvent};
use crate::json::{Nullable, UnknownMembers};
use crate::message::{Message, Rendering};

/// The version of the specification, as events carry it.
const SPECVERSION: &str = "1.0";

/// The media type of the JSON event format (section 3).
const STRUCTURED: &str = "application/cloudevents+json";

/// Writes messages as CloudEvents 1.0.2, in either mode of its HTTP protocol binding.
///
/// | attribute | value |
/// |---|---|
/// | `specversion` | `1.0` |
/// | `id` | the message's id |
/// | `source` | what the host gives |
/// | `type` | the event's type: no reverse domain name, which the specification recommends |
/// | `subject` | see below |
/// | `time` | when it happened |
/// | `datacontenttype` | `application/json` |
/// | extensions | the members of the envelope that the crate does not know |
///
/// The data is that of the event, byte for byte. The `subject` is what the first segment of the
/// event's type names, where the message's [keys](Keys) have it: the run of a `run.*` event, and
/// likewise a project, a task or a piece of labware. Elsewhere it is the key that the event's
/// order follows, which is the sample of a `sample.*` event and the workcell of a `safety.*` one.
/// Where that is not there, or is not text as CloudEvents has it (specification, "Type System"),
/// there is no subject.
///
/// A member of the envelope becomes an extension attribute where its name is made of `a-z` and
/// `0-9` and its value is text, a boolean or an integer of 32 bits; with any other member the
/// event cannot be expressed. Nor can a message that the host made from bytes.
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
/// assert_eq!(&rendering.body()[..], br#"{"run_id":"r17","state":"paused"}"#);
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
}

impl CloudEvents {
    /// Writes the attributes and the data as one JSON object (JSON event format; HTTP protocol
    /// binding, section 3.2), of content type `application/cloudevents+json`.
    ///
    /// A signature of the body covers all of it.
    ///
    /// # Errors
    ///
    /// [`CloudEventsSourceError`] where `source` cannot be a URI reference.
    pub fn structured(source: &str) -> Result<Self, CloudEventsSourceError> {
        Self::new(Mode::Structured, "cloudevents-structured", source)
    }

    /// Writes the data as the body and the attributes as `ce-` headers (HTTP protocol binding,
    /// section 3.1), percent-encoded as section 3.1.3.2 says.
    ///
    /// The signatures of this crate cover the body and at most the message's id and the time of
    /// sending: they do not cover these headers. A receiver that has to be sure of the event's
    /// type or source is better served by [`structured`](Self::structured).
    ///
    /// # Errors
    ///
    /// [`CloudEventsSourceError`] where `source` cannot be a URI reference.
    pub fn binary(source: &str) -> Result<Self, CloudEventsSourceError> {
        Self::new(Mode::Binary, "cloudevents-binary", source)
    }

    fn new(mode: Mode, name: &str, source: &str) -> Result<Self, CloudEventsSourceError> {
        check_source(source)?;
        Ok(Self { mode, name: format!("{name} {source}").into(), source: source.into() })
    }

    /// The event with its attributes, whichever mode it is written in.
    fn event(&self, message: &Message) -> Result<CloudEvent, FormatError> {
        let event: UnknownEvent = message.event()?;
        let event_type = event.event_type.as_str();
        let mut written =
            CloudEvent::new(SPECVERSION, message.id().as_str(), &*self.source, event_type);
        written.subject = subject(event_type, message.keys());
        written.time = Some(event.timestamp);
        written.datacontenttype = Some("application/json".to_owned());
        written.data = Nullable::Value(event.data);
        written.unknown = extensions(event.unknown)?;
        Ok(written)
    }
}

impl Format for CloudEvents {
    /// The mode and the source.
    fn name(&self) -> &str {
        &self.name
    }

    fn render(&self, message: &Message) -> Result<Rendering, FormatError> {
        let event = self.event(message)?;
        match self.mode {
            Mode::Structured => structured(&event),
            Mode::Binary => binary(&event),
        }
    }
}

fn structured(event: &CloudEvent) -> Result<Rendering, FormatError> {
    let body = serde_json::to_vec(event).map_err(|error| {
        FormatError::new("the CloudEvent cannot be written as JSON").because(error)
    })?;
    Ok(Rendering::new(HeaderValue::from_static(STRUCTURED), body))
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
        let text = attribute::text(json).ok_or_else(|| inexpressible(name))?;
        rendering = with_attribute(rendering, name, &text)?;
    }
    Ok(rendering)
}

fn with_attribute(to: Rendering, name: &str, text: &str) -> Result<Rendering, FormatError> {
    // A name that is too long for a header is the only fault that is left.
    let header = HeaderName::try_from(format!("ce-{name}"));
    let value = HeaderValue::try_from(header_text::encode(text));
    match (header, value) {
        (Ok(header), Ok(value)) => Ok(to.add_header(header, value)),
        (Err(error), _) => Err(inexpressible(name).because(error)),
        (_, Err(error)) => Err(inexpressible(name).because(error)),
    }
}

fn extensions(members: UnknownMembers) -> Result<UnknownMembers, FormatError> {
    for (name, json) in members.iter() {
        if !attribute::is_extension(name) || attribute::text(json).is_none() {
            return Err(inexpressible(name));
        }
    }
    Ok(members)
}

fn inexpressible(name: &str) -> FormatError {
    FormatError::new(format!("the member {name:?} of the envelope is no CloudEvents attribute"))
}

fn subject(event_type: &str, keys: &Keys) -> Option<String> {
    let family = event_type.split('.').next().unwrap_or_default();
    let named = match family {
        "run" => keys.run.as_ref().map(AsRef::as_ref),
        "project" => keys.project.as_ref().map(AsRef::as_ref),
        "task" => keys.task.as_ref().map(AsRef::as_ref),
        "labware" => keys.labware.as_ref().map(AsRef::as_ref),
        _ => None,
    };
    named
        .or(keys.ordering.as_deref())
        .filter(|text| !text.is_empty() && attribute::is_string(text))
        .map(str::to_owned)
}

/// Checks the characters of a URI reference (RFC 3986, section 2), not its grammar.
fn check_source(source: &str) -> Result<(), CloudEventsSourceError> {
    if source.is_empty() {
        return Err(CloudEventsSourceError::Empty);
    }
    let mut rest = source.bytes();
    while let Some(byte) = rest.next() {
        let is_fine = match byte {
            b'%' => {
                let is_hex = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
                is_hex(rest.next()) && is_hex(rest.next())
            }
            other => other.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(&other),
        };
        if !is_fine {
            return Err(CloudEventsSourceError::Character);
        }
    }
    Ok(())
}

/// The text cannot be the source of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloudEventsSourceError {
    /// It is empty.
    #[error("the source of CloudEvents is empty")]
    Empty,
    /// It holds a character, or a bare percent sign, that a URI reference cannot (RFC 3986,
    /// section 2).
    #[error("the source of CloudEvents holds a character that a URI reference cannot")]
    Character,
}
