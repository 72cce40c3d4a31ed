//! The Standard Webhooks envelope: [`Envelope`].

use super::error::FormatError;
use super::render::Format;
use crate::message::{ENVELOPE, Message, NoEventError, Rendering};

/// The default format: the Standard Webhooks envelope `{"type", "timestamp", "data"}`
/// (specification 1.0.0, "Payload structure"), as compact JSON.
#[doc(alias = "Standard Webhooks")]
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
        // A message created from an event has its envelope from the start.
        Ok(message.rendering(Self::NAME).cloned().ok_or(NoEventError::CreatedFromBytes)?)
    }
}
