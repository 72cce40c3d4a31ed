//! The message format of Tiled webhooks: [`Format`].

use super::{VENDOR, Webhook};
use crate::message::format::FormatError;
use crate::message::{Message, Rendering};

/// Message format of Tiled: a [`Webhook`] in compact JSON, see [`Webhook::from_event`].
///
/// Sign with [`CustomScheme::TILED`](crate::signature::CustomScheme::TILED), as Tiled does. Its
/// unsigned `X-Tiled-Event-ID` is not written.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Format;

impl Format {
    /// The format's name.
    pub const NAME: &'static str = "tiled";
}

impl crate::message::format::Format for Format {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn render(&self, message: &Message) -> Result<Rendering, FormatError> {
        VENDOR.render(message, Webhook::from_event)
    }
}
