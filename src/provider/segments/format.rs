//! Sending as Segments.ai does: [`Format`].

use super::{VENDOR, Webhook};
use crate::message::format::FormatError;
use crate::message::{Message, Rendering};

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

impl crate::message::format::Format for Format {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn render(&self, message: &Message) -> Result<Rendering, FormatError> {
        VENDOR.render(message, Webhook::from_event)
    }
}
