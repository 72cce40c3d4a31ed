//! The message format of Argilla webhooks: [`Format`].

use super::{VENDOR, Webhook};
use crate::message::format::FormatError;
use crate::message::{Message, Rendering};

/// Message format of Argilla: a [`Webhook`] in compact JSON, see [`Webhook::from_event`].
///
/// Sign with [`Signer::standard_webhooks`](crate::Signer::standard_webhooks).
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Format;

impl Format {
    /// The format's name.
    pub const NAME: &'static str = "argilla";
}

impl crate::message::format::Format for Format {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn render(&self, message: &Message) -> Result<Rendering, FormatError> {
        VENDOR.render(message, Webhook::from_event)
    }
}
