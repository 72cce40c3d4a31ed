//! How a message is written for an endpoint: [`Format`].

mod cloud_events;
mod slack;

pub use cloud_events::{CloudEvent, CloudEventHeaderError, CloudEvents, CloudEventsSourceError};
pub use slack::SlackMessage;

use std::error::Error;
use std::fmt;

use crate::message::{ENVELOPE, Message, NoEventError, Rendering};

/// A way to write a message's event as the body of a request.
///
/// An endpoint names one. The outbox makes one rendering of each message for each format that its
/// endpoints name, when the message is published, however many endpoints and attempts follow. A
/// host's own format starts from [`Message::event`], and looks at [`Message::event_type`] first
/// where it has words for one type only:
///
/// ```
/// use http::HeaderValue;
/// use labhook::{LabEvent, Message};
/// use labhook::message::Rendering;
/// use labhook::message::format::{Format, FormatError};
///
/// /// One line of text for a status display.
/// #[derive(Debug)]
/// struct StatusLine;
///
/// impl Format for StatusLine {
///     fn name(&self) -> &str {
///         "status-line"
///     }
///
///     fn render(&self, message: &Message) -> Result<Rendering, FormatError> {
///         let LabEvent::RunStateChanged(event) = message.event()? else {
///             return Err(FormatError::new("a status line tells of runs only"));
///         };
///         let line = format!("run {} is {}", event.data.run_id, event.data.state);
///         Ok(Rendering::new(HeaderValue::from_static("text/plain"), line))
///     }
/// }
/// ```
pub trait Format: fmt::Debug + Send + Sync {
    /// Names the output, in saved state too: two formats that may write one message differently
    /// have different names, and a format that changes its output changes its name.
    fn name(&self) -> &str;

    /// Writes the message.
    ///
    /// # Errors
    ///
    /// [`FormatError`] where the format has no way to express the event. The outbox reports it
    /// for each endpoint that wanted the format, and delivers to the others.
    fn render(&self, message: &Message) -> Result<Rendering, FormatError>;
}

/// The crate's own format: the Standard Webhooks envelope `{"type", "timestamp", "data"}`
/// (specification 1.0.0, "Payload structure"), as JSON without spaces.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Envelope;

impl Envelope {
    /// The name of this format.
    pub const NAME: &'static str = ENVELOPE;
}

impl Format for Envelope {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn render(&self, message: &Message) -> Result<Rendering, FormatError> {
        // A message made from an event holds its envelope from the start.
        Ok(message.rendering(Self::NAME).cloned().ok_or(NoEventError::MadeFromBytes)?)
    }
}

impl Message {
    /// Adds the rendering in this format, where the message does not have it yet.
    ///
    /// [`Outbox::publish`](crate::Outbox::publish) does so for every endpoint; a host that drives
    /// deliveries by itself does it before it saves the message.
    ///
    /// # Errors
    ///
    /// [`FormatError`] where the format has no way to express the event.
    pub fn render(&mut self, format: &dyn Format) -> Result<(), FormatError> {
        if self.rendering(format.name()).is_none() {
            let rendering = format.render(self)?;
            self.add_rendering(format.name(), rendering);
        }
        Ok(())
    }
}

/// A format cannot express an event.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct FormatError {
    reason: Box<str>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl FormatError {
    /// The event has no counterpart in the format, for this reason.
    #[must_use]
    pub fn new(reason: impl Into<Box<str>>) -> Self {
        Self { reason: reason.into(), source: None }
    }

    /// Adds what went wrong underneath.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

/// For the `?` after [`Message::event`].
impl From<NoEventError> for FormatError {
    fn from(error: NoEventError) -> Self {
        Self::new("the message does not give its event").because(error)
    }
}
