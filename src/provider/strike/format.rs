//! Messages as Strike writes them: [`Format`].

use std::fmt;

use super::{VENDOR, Webhook, WebhookVersion};
use crate::message::format::FormatError;
use crate::message::{Message, Rendering};

/// Writes messages as Strike's webhooks, as JSON without spaces.
///
/// It expresses what [`Webhook::from_event`] does. The webhook's id is the message's, and its
/// version the format's, unless the event came from Strike and so has both already.
#[derive(Clone)]
pub struct Format {
    version: WebhookVersion,
    name: Box<str>,
}

impl Format {
    /// The name of this format in version `v1`; the others' is followed by `-` and the version.
    pub const NAME: &'static str = "strike";

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
