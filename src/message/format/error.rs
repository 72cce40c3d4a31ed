//! The error of a format: [`FormatError`].

use std::error::Error;

use crate::message::NoEventError;

/// An event that a format cannot express.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct FormatError {
    reason: Box<str>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl FormatError {
    /// Creates an error with this reason.
    #[must_use]
    pub fn new(reason: impl Into<Box<str>>) -> Self {
        Self { reason: reason.into(), source: None }
    }

    /// Sets the underlying error.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

/// Lets a [`Format`](super::Format) use `?` after [`Message::event`](crate::Message::event).
impl From<NoEventError> for FormatError {
    fn from(error: NoEventError) -> Self {
        let reason = match error {
            NoEventError::BodyKept => {
                "message was not rendered in this format before its bodies were detached"
            }
            _ => "cannot read the event of the message",
        };
        Self::new(reason).with_source(error)
    }
}
