//! How a message is written for a receiver of LINQ's webhooks: [`Format`].

use super::{VENDOR, Webhook};
use crate::message::format::FormatError;
use crate::message::{Message, Rendering};

/// Writes a message's event as the body of LINQ's webhook of its kind, as JSON without spaces.
///
/// Run states have the published form, the other four kinds this crate's own: see
/// [`Webhook::from_event`]. The kind is not in the body, so endpoints that are to tell the kinds
/// apart need a URL or a static header each, as [`Hook`](super::Hook)s have.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Format;

impl Format {
    /// The name of this format.
    pub const NAME: &'static str = "linq";
}

impl crate::message::format::Format for Format {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn render(&self, message: &Message) -> Result<Rendering, FormatError> {
        VENDOR.render(message, Webhook::from_event)
    }
}
