//! Rendering a message in a format: [`Format`].

use std::fmt;

use super::error::FormatError;
use crate::message::{Message, Rendering};

/// A wire format: renders a message as the body and headers of a request.
///
/// Each endpoint has one format. When a message is published, the outbox renders it once for each
/// format that its endpoints use, regardless of the number of endpoints and attempts.
///
/// An implementation starts from [`Message::event`]:
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
///             return Err(FormatError::new("status line supports run events only"));
///         };
///         let line = format!("run {} is {}", event.data.run_id, event.data.state);
///         Ok(Rendering::new(HeaderValue::from_static("text/plain"), line))
///     }
/// }
/// ```
#[doc(alias = "serializer")]
pub trait Format: fmt::Debug + Send + Sync {
    /// Returns the name of the format, which is also used in saved state.
    ///
    /// The name identifies the output: two formats that may render a message differently need
    /// different names, and a format that changes its output must change its name.
    fn name(&self) -> &str;

    /// Renders the message.
    ///
    /// # Errors
    ///
    /// Returns [`FormatError`] if the format cannot express the event. The outbox reports it for
    /// each endpoint with this format, and delivers to the other endpoints.
    fn render(&self, message: &Message) -> Result<Rendering, FormatError>;
}

impl Message {
    /// Adds the rendering in this format, unless the message already has it.
    ///
    /// [`Outbox::publish`](crate::Outbox::publish) does this for every endpoint. If you drive
    /// deliveries without an outbox, call it before you save the message.
    ///
    /// # Errors
    ///
    /// Returns [`FormatError`] if the format cannot express the event, or needs its body after that
    /// was [detached](Self::detach_bodies).
    pub fn render(&mut self, format: &dyn Format) -> Result<(), FormatError> {
        if self.rendering(format.name()).is_none() {
            let rendering = format.render(self)?;
            self.add_rendering(format.name(), rendering);
        }
        Ok(())
    }
}
