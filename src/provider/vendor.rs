//! Support code shared by the vendor modules: [`Vendor`].

use http::HeaderValue;
use serde::Serialize;

use super::map_error::MapError;
use crate::decode::TrustedBody;
use crate::event::UnknownEvent;
use crate::event_type::EventType;
use crate::lab::LabEvent;
use crate::message::format::FormatError;
use crate::message::{Message, Rendering};
use crate::time::TimeText;

/// A vendor's name in error texts.
#[derive(Clone, Copy)]
pub(super) struct Vendor(pub(super) &'static str);

impl Vendor {
    pub(super) fn no_webhook(self, event_type: &EventType) -> MapError {
        MapError::NoWebhook { vendor: self.0, event_type: event_type.clone() }
    }

    pub(super) const fn missing(self, member: &'static str) -> MapError {
        MapError::Missing { vendor: self.0, member }
    }

    pub(super) const fn value(self, member: &'static str) -> MapError {
        MapError::Value { vendor: self.0, member }
    }

    /// Returns a genuine body that is not understood as an unknown event of the vendor's type.
    pub(super) fn unread(
        self,
        prefix: &str,
        event_type: &str,
        at: TimeText,
        body: TrustedBody<'_>,
    ) -> Option<UnknownEvent> {
        let event_type = EventType::new(format!("{prefix}{event_type}")).ok()?;
        Some(UnknownEvent::new(event_type, body.json().ok()?, at))
    }

    /// Renders a message's event as the vendor's webhook, in compact JSON.
    pub(super) fn render<W: Serialize>(
        self,
        message: &Message,
        webhook: impl FnOnce(&LabEvent) -> Result<W, MapError>,
    ) -> Result<Rendering, FormatError> {
        let refused =
            || FormatError::new(format!("cannot write the event as a {} webhook", self.0));
        let webhook = webhook(&message.event()?).map_err(|error| refused().with_source(error))?;
        let body = serde_json::to_vec(&webhook).map_err(|error| refused().with_source(error))?;
        Ok(Rendering::new(HeaderValue::from_static("application/json"), body))
    }
}
