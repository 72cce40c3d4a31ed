//! How a message is written for a receiver of Strateos's webhooks: [`Format`].

use super::VENDOR;
use super::webhook::{Project, Webhook};
use crate::message::format::FormatError;
use crate::message::{Message, Rendering};
use crate::provider::DedupeKey;

/// Writes messages as the payload that Strateos publishes, compact, as `application/json`: the
/// content type is this crate's own.
///
/// An event that Strateos has no webhook for is a [`FormatError`] whose source is an
/// [`MapError`](crate::provider::MapError): see [`Webhook::from_event`].
#[derive(Clone, Debug)]
pub struct Format {
    name: Box<str>,
    project: Option<Project>,
}

impl Format {
    /// The name of this format; [`of`](Self::of) adds the project's id and name.
    pub const NAME: &'static str = "strateos";

    /// Writes events that say what their project is called: see [`Webhook::from_event`].
    #[must_use]
    pub fn new() -> Self {
        Self { name: Self::NAME.into(), project: None }
    }

    /// Writes events of this project that do not say what it is called, too.
    #[must_use]
    pub fn of(project: Project) -> Self {
        let parts = DedupeKey::of_parts([project.id.as_str(), project.name.as_str()]);
        Self { name: format!("{} {parts}", Self::NAME).into(), project: Some(project) }
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
        VENDOR.render(message, |event| Webhook::from_event_in(event, self.project.as_ref()))
    }
}
