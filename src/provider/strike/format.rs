//! The message format of Strike webhooks: [`Format`].

use std::fmt;

use super::{VENDOR, Webhook, WebhookVersion};
use crate::message::format::FormatError;
use crate::message::{Message, Rendering};

/// Message format of Strike: a [`Webhook`] in compact JSON, see [`Webhook::from_event`].
///
/// The webhook has the message's id and the format's version, unless the event is from Strike and
/// contains its own.
#[derive(Clone)]
pub struct Format {
    version: WebhookVersion,
    name: Box<str>,
}

impl Format {
    /// The format's name for version `v1`; for other versions, `-` and the version are appended.
    pub const NAME: &'static str = "strike";

    /// Creates the format for version `v1`.
    #[must_use]
    pub fn new() -> Self {
        Self::of_version(WebhookVersion::V1)
    }

    /// Creates the format for a version.
    ///
    /// The differences between the versions are not published; here, only the version name differs.
    #[must_use]
    pub fn of_version(version: WebhookVersion) -> Self {
        let name = if version == WebhookVersion::V1 {
            Self::NAME.into()
        } else {
            format!("{}-{version}", Self::NAME).into()
        };
        Self { version, name }
    }
}

impl Default for Format {
    fn default() -> Self {
        Self::new()
    }
}

impl crate::message::format::Format for Format {
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
