//! Mapping from Benchling webhooks to lab events.

use serde::Serialize;

use super::{MessageType, PREFIX, VENDOR, Webhook, WebhookMessage};
use crate::event::{Event, UnknownEvent};
use crate::event_type::EventType;
use crate::id::SampleId;
use crate::json::{JsonText, Member, UnknownMembers, object};
use crate::lab::{LabEvent, ResourceChanged, Sample, SampleCreated, SampleUpdated};
use crate::provider::MapError;
use crate::time::{TimeText, Timestamp};

object! {
    /// The members of a webhook, as they are kept.
    struct Members {
        required message: JsonText,
    }
}

impl Webhook {
    /// Maps the webhook to a lab event, as in the
    /// [table](crate::provider::benchling#events).
    ///
    /// `received_at` is the timestamp of a message without `createdAt`: an app signal. The members
    /// of the webhook, with the whole `message`, are kept among the data's unknown members, with
    /// the prefix `benchling.` if the data has a field of that name.
    ///
    /// # Errors
    ///
    /// [`MapError::Missing`] if a message about an entity has no `resourceId`, and
    /// [`MapError::Value`] if an unlisted type cannot be part of an event type, or if an unknown
    /// member that was added by hand has the name of a known field.
    pub fn to_event(&self, received_at: Timestamp) -> Result<LabEvent, MapError> {
        let message = &self.message;
        let at = message.created_at.clone().unwrap_or_else(|| received_at.into());
        // A value made by hand may be a known one.
        match MessageType::from(message.message_type.as_str()) {
            MessageType::Other(name) => self.to_unknown(&name, at),
            MessageType::CustomEntityCreated
            | MessageType::DnaOligoCreated
            | MessageType::DnaSequenceCreated
            | MessageType::RnaOligoCreated
            | MessageType::RnaSequenceCreated => {
                let mut data = SampleCreated::new(message.sample()?);
                data.unknown = self.kept(SampleCreated::NAMES)?;
                Ok(Event::new(data, at).into())
            }
            MessageType::EntityRegistered
            | MessageType::CustomEntityUpdated
            | MessageType::DnaOligoUpdated
            | MessageType::DnaSequenceUpdated
            | MessageType::RnaOligoUpdated
            | MessageType::RnaSequenceUpdated => {
                let mut data = SampleUpdated::new(message.sample()?);
                data.changes = message.changes();
                data.unknown = self.kept(SampleUpdated::NAMES)?;
                Ok(Event::new(data, at).into())
            }
            known => self.to_change(&known, at),
        }
    }

    fn to_change(&self, known: &MessageType, at: TimeText) -> Result<LabEvent, MapError> {
        let message = &self.message;
        let (_, rest) = known.as_str().split_once('.').unwrap_or_default();
        let (resource_type, operation) = rest.split_once('.').unwrap_or_default();
        let mut data = ResourceChanged::new(resource_type, operation.into());
        data.resource_id = match resource_type {
            "app" => Some(self.app.id.as_str().into()),
            // The `resourceId` of an initialized canvas is that of another resource.
            "canvas" => message.canvas_id.clone(),
            _ => message.resource_id.clone(),
        };
        data.changes = message.changes();
        data.actor.clone_from(&message.user_id);
        data.unknown = self.kept(ResourceChanged::NAMES)?;
        Ok(Event::new(data, at).into())
    }

    fn to_unknown(&self, message_type: &str, at: TimeText) -> Result<LabEvent, MapError> {
        let event_type = EventType::new(format!("{PREFIX}{message_type}"))
            .map_err(|_| VENDOR.value("message.type"))?;
        Ok(UnknownEvent::new(event_type, write("webhook", self)?, at).into())
    }

    /// Returns the members of the webhook, for data with these field names.
    fn kept(&self, names: &[&str]) -> Result<UnknownMembers, MapError> {
        let webhook = write("webhook", self)?;
        let Members { message, unknown, .. } =
            webhook.read().map_err(|_| VENDOR.value("webhook"))?;
        // The renaming is one-to-one and has no `message`, so names stay distinct.
        let rename = |(name, json): (&str, &JsonText)| {
            let collides = names.contains(&name) || name.starts_with(PREFIX);
            let prefix = if collides { PREFIX } else { "" };
            (format!("{prefix}{name}").into(), json.clone())
        };
        let mut kept: Vec<Member> = unknown.texts().map(rename).collect();
        kept.push(("message".into(), message));
        Ok(UnknownMembers::from_distinct(kept))
    }
}

impl WebhookMessage {
    fn sample(&self) -> Result<Sample, MapError> {
        let id = self.resource_id.as_ref().ok_or(VENDOR.missing("message.resourceId"))?;
        Ok(Sample::new(SampleId::from(id.as_str())))
    }

    fn changes(&self) -> Option<Vec<String>> {
        self.updates.as_ref().or(self.properties.as_ref()).cloned()
    }
}

fn write<T: Serialize>(member: &'static str, value: &T) -> Result<JsonText, MapError> {
    JsonText::write(value).map_err(|_| VENDOR.value(member))
}
