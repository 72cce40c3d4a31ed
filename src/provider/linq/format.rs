//! The message format of LINQ webhooks: [`Format`].

use super::{VENDOR, Webhook};
use crate::message::format::FormatError;
use crate::message::{Message, Rendering};

/// Message format of LINQ webhooks: the body for the event's kind, in compact JSON.
///
/// Run state changes have the published body, the other four kinds this crate's own: see
/// [`Webhook::from_event`]. The body does not contain the kind. A receiver that must distinguish
/// kinds needs one URL or static header per kind, as [`Hook`](super::Hook)s have.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Format;

impl Format {
    /// The format's name.
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
