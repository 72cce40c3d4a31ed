//! Messages as Strike writes them: [`Format`].

use std::fmt;

use super::{VENDOR, Webhook, WebhookVersion};
use crate::format::FormatError;
use crate::message::Message;
use crate::rendering::Rendering;

/// Writes messages as Strike's webhooks, as JSON without spaces.
///
/// It expresses what [`Webhook::from_event`] does. The webhook's id is the message's, and its
/// version the format's, unless the event came from Strike and so has both already.
///
/// Its name is `strike`, and `strike-v2` for the version `v2`.
#[derive(Clone)]
pub struct Format {
    version: WebhookVersion,
    name: Box<str>,
}

impl Format {
    /// Writes version `v1`.
    #[must_use]
    pub fn new() -> Self {
        Self::of_version(WebhookVersion::V1)
    }

    /// Writes this version.
    ///
    /// What sets the versions apart is not published: they differ here in their name only.
    #[must_use]
    pub fn of_version(version: WebhookVersion) -> Self {
        let name = if version == WebhookVersion::V1 {
            "strike".into()
        } else {
            format!("strike-{version}").into()
        };
        Self { version, name }
    }
}

impl Default for Format {
    fn default() -> Self {
        Self::new()
    }
}

impl crate::format::Format for Format {
    fn name(&self) -> &str {
        &self.name
    }

    fn render(&self, message: &Message) -> Result<Rendering, FormatError> {
        VENDOR.render(message, |event| Webhook::of_version(event, message.id(), &self.version))
    }
}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Format({})", self.name)
    }
}
