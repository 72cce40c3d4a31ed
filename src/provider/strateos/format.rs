//! The message format of Strateos webhooks: [`Format`].

use super::VENDOR;
use super::webhook::{Project, Webhook};
use crate::message::format::FormatError;
use crate::message::{Message, Rendering};
use crate::provider::DedupeKey;

/// Message format of Strateos: the published payload in compact JSON. The content type,
/// `application/json`, is this crate's own.
///
/// An event without a Strateos webhook gives a [`FormatError`] with a
/// [`MapError`](crate::provider::MapError) as its source: see [`Webhook::from_event`].
#[derive(Clone, Debug)]
pub struct Format {
    name: Box<str>,
    project: Option<Project>,
}

impl Format {
    /// The format's name; [`of`](Self::of) appends the project's id and name.
    pub const NAME: &'static str = "strateos";

    /// Creates a format for events that contain their project's name: see
    /// [`Webhook::from_event`].
    #[must_use]
    pub fn new() -> Self {
        Self { name: Self::NAME.into(), project: None }
    }

    /// Creates a format that also accepts events of this project without its name.
    #[must_use]
    pub fn of(project: Project) -> Self {
        let id = Some(project.id.as_str());
        let parts = DedupeKey::of_parts(id.into_iter().chain(project.name.as_deref()));
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
