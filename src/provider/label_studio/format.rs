//! The message format of Label Studio webhooks: [`Format`].

use super::{VENDOR, Webhook};
use crate::message::format::FormatError;
use crate::message::{Message, Rendering};

/// Message format of Label Studio: a [`Webhook`] in compact JSON, see [`Webhook::from_event`].
///
/// Put a token in a header with [`Signer::token`](crate::Signer::token); Label Studio does not sign.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Format;

impl Format {
    /// The format's name.
    pub const NAME: &'static str = "label_studio";
}

impl crate::message::format::Format for Format {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn render(&self, message: &Message) -> Result<Rendering, FormatError> {
        VENDOR.render(message, Webhook::from_event)
    }
}
