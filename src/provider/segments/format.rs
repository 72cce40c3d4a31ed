//! The message format of Segments.ai webhooks: [`Format`].

use super::{VENDOR, Webhook};
use crate::message::format::FormatError;
use crate::message::{Message, Rendering};

/// Message format of Segments.ai: a [`Webhook`] in compact JSON, see [`Webhook::from_event`].
///
/// Sign with [`Signer::svix`](crate::Signer::svix), which sends the message id as `svix-id`, as
/// Segments.ai does.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Format;

impl Format {
    /// The format's name.
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
