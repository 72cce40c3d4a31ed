//! Sending as Segments.ai does: [`Format`].

use http::header::HeaderValue;

use super::Webhook;
use crate::format::FormatError;
use crate::lab::LabEvent;
use crate::message::Message;
use crate::rendering::Rendering;

/// Writes a message's event as a [`Webhook`], in compact JSON: see [`Webhook::from_event`].
///
/// Segments.ai sends the message's id as `svix-id`:
/// [`Signer::svix`](crate::Signer::svix) does so.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Format;

impl Format {
    /// The name of this format.
    pub const NAME: &'static str = "segments";
}

impl crate::format::Format for Format {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn render(&self, message: &Message) -> Result<Rendering, FormatError> {
        const REASON: &str = "the event cannot be written as a Segments.ai webhook";
        let event: LabEvent = message.event()?;
        let webhook = Webhook::from_event(&event)
            .map_err(|unmapped| FormatError::new(REASON).because(unmapped))?;
        let json = serde_json::to_vec(&webhook)
            .map_err(|error| FormatError::new(REASON).because(error))?;
        Ok(Rendering::new(HeaderValue::from_static("application/json"), json))
    }
}
