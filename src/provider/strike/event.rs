//! Mapping between Strike webhooks and lab events.

use serde::de::DeserializeOwned;

use super::leftovers::{DATA, ENVELOPE};
use super::{PREFIX, VENDOR, Webhook, WebhookData, WebhookVersion};
use crate::event::{Event, UnknownEvent};
use crate::event_type::EventType;
use crate::id::{MessageId, ResourceId};
use crate::json::{JsonText, Nullable, UnknownMembers};
use crate::lab::{LabEvent, ResourceChanged};
use crate::provider::MapError;

impl Webhook {
    /// Maps the webhook to a lab event.
    ///
    /// The event is a [`ResourceChanged`]. If `eventType` does not have two parts, it is an unknown
    /// event of type `strike.<eventType>`, with the whole webhook as its data.
    ///
    /// Members without a typed field are kept: `id`, `webhookVersion`, `deliverySuccess` and
    /// unknown members of the webhook among the event's unknown members, and those of `data` among
    /// the data's. A name that collides with a field there gets the prefix `strike.`.
    ///
    /// # Errors
    ///
    /// [`MapError::Value`] if `eventType` does not have two parts and cannot be part of an event
    /// type, or if an unknown member that was added by hand has the name of a known field.
    pub fn to_event(&self) -> Result<LabEvent, MapError> {
        match parts(&self.event_type) {
            Some((resource_type, operation)) => self.to_change(resource_type, operation),
            None => self.to_unknown(),
        }
    }

    fn to_change(&self, resource_type: &str, operation: &str) -> Result<LabEvent, MapError> {
        let mut data = ResourceChanged::new(resource_type, operation.into());
        let mut unknown = Vec::new();
        match &self.data.entity_id {
            Nullable::Absent => {}
            Nullable::Null => unknown.push((DATA.to_model("entityId"), null()?)),
            Nullable::Value(id) => data.resource_id = Some(id.clone()),
        }
        match &self.data.changes {
            Nullable::Absent => {}
            Nullable::Null => unknown.push((DATA.to_model("changes"), null()?)),
            Nullable::Value(changes) => data.changes = Some(changes.clone()),
        }
        let typed = |name: &str| match name {
            "entityId" => !self.data.entity_id.is_absent(),
            _ => name == "changes" && !self.data.changes.is_absent(),
        };
        for member in self.data.unknown.texts() {
            unknown.push(DATA.unknown_to_model(member, typed)?);
        }
        data.unknown = UnknownMembers::from_distinct(unknown);

        let mut event = Event::new(data, self.created.clone());
        let mut unknown = vec![
            ("id".into(), write("id", &self.id)?),
            ("webhookVersion".into(), write("webhookVersion", &self.webhook_version)?),
        ];
        if !self.delivery_success.is_absent() {
            let success = write("deliverySuccess", &self.delivery_success)?;
            unknown.push(("deliverySuccess".into(), success));
        }
        let typed = |name: &str| name != "deliverySuccess" || !self.delivery_success.is_absent();
        for member in self.unknown.texts() {
            unknown.push(ENVELOPE.unknown_to_model(member, typed)?);
        }
        event.unknown = UnknownMembers::from_distinct(unknown);
        Ok(event.into())
    }

    fn to_unknown(&self) -> Result<LabEvent, MapError> {
        let event_type = EventType::new(format!("{PREFIX}{}", self.event_type))
            .map_err(|_| VENDOR.value("eventType"))?;
        let data = JsonText::write(self).map_err(|_| ENVELOPE.no_counterpart())?;
        Ok(UnknownEvent::new(event_type, data, self.created.clone()).into())
    }

    /// Maps a lab event to the webhook.
    ///
    /// An event from Strike gives the original webhook. Any other event gets this `id`, version
    /// `v1` and no `deliverySuccess`.
    ///
    /// # Errors
    ///
    /// [`MapError::NoWebhook`] unless the event is a [`ResourceChanged`], or an unknown event of a
    /// type that starts with `strike.`; [`MapError::Value`] if the webhook cannot express the
    /// event, for example an operation that contains a `.`.
    pub fn from_event(event: &LabEvent, id: &MessageId) -> Result<Self, MapError> {
        Self::of_version(event, id, &WebhookVersion::V1)
    }

    /// Like [`from_event`](Self::from_event), with this version if the event has none.
    pub(super) fn of_version(
        event: &LabEvent,
        id: &MessageId,
        version: &WebhookVersion,
    ) -> Result<Self, MapError> {
        match event {
            LabEvent::ResourceChanged(event) => Self::of_change(event, id, version),
            other => match other.as_text() {
                Some(event) if event.event_type.as_str().starts_with(PREFIX) => {
                    Self::of_unknown(event)
                }
                _ => Err(VENDOR.no_webhook(other.event_type())),
            },
        }
    }

    fn of_change(
        event: &Event<ResourceChanged>,
        id: &MessageId,
        version: &WebhookVersion,
    ) -> Result<Self, MapError> {
        let mut webhook = Self::new(
            id.as_str(),
            event_type(&event.data)?,
            version.clone(),
            data(&event.data, is_received(event))?,
            event.timestamp.clone(),
        );
        let mut unknown = Vec::new();
        for (name, text) in event.unknown.texts() {
            match ENVELOPE.to_wire(name)? {
                "id" => webhook.id = read("id", text)?,
                "webhookVersion" => webhook.webhook_version = read("webhookVersion", text)?,
                // The webhook had a value of another type.
                "deliverySuccess"
                    if is_received(event) && text.read::<Nullable<bool>>().is_err() =>
                {
                    unknown.push(("deliverySuccess".into(), text.clone()));
                }
                "deliverySuccess" => webhook.delivery_success = read("deliverySuccess", text)?,
                name if ENVELOPE.is_known(name) => return Err(ENVELOPE.no_counterpart()),
                name => unknown.push((name.to_owned().into(), text.clone())),
            }
        }
        webhook.unknown = UnknownMembers::from_distinct(unknown);
        Ok(webhook)
    }

    fn of_unknown(event: &UnknownEvent) -> Result<Self, MapError> {
        let webhook: Self = read("data", &event.data)?;
        if event.event_type.as_str().strip_prefix(PREFIX) != Some(&*webhook.event_type) {
            return Err(VENDOR.value("data.eventType"));
        }
        if event.timestamp != webhook.created {
            return Err(VENDOR.value("timestamp"));
        }
        if !event.unknown.is_empty() {
            return Err(ENVELOPE.no_counterpart());
        }
        Ok(webhook)
    }
}

/// Splits an event type into resource type and operation.
pub(super) fn parts(event_type: &str) -> Option<(&str, &str)> {
    event_type
        .rsplit_once('.')
        .filter(|(resource_type, operation)| !resource_type.is_empty() && !operation.is_empty())
}

fn event_type(data: &ResourceChanged) -> Result<String, MapError> {
    let operation = data.operation.as_str();
    if data.resource_type.is_empty() {
        Err(VENDOR.value("data.resource_type"))
    } else if operation.is_empty() || operation.contains('.') {
        Err(VENDOR.value("data.operation"))
    } else {
        Ok(format!("{}.{operation}", data.resource_type))
    }
}

/// Returns whether the event was received from Strike: only then has it a version.
fn is_received(event: &Event<ResourceChanged>) -> bool {
    event.unknown.get("webhookVersion").is_some()
}

/// Writes the `data`. Members of another type are those of a webhook that was received so.
fn data(event: &ResourceChanged, is_received: bool) -> Result<WebhookData, MapError> {
    if event.actor.is_some() {
        return Err(VENDOR.value("data.actor"));
    }
    let mut data = WebhookData::new();
    data.entity_id = event.resource_id.clone().map_or(Nullable::Absent, Nullable::Value);
    data.changes = event.changes.clone().map_or(Nullable::Absent, Nullable::Value);
    let mut unknown = Vec::new();
    for (name, text) in event.unknown.texts() {
        let null = text.as_str() == "null";
        match DATA.to_wire(name)? {
            "entityId" if null && data.entity_id.is_absent() => data.entity_id = Nullable::Null,
            "changes" if null && data.changes.is_absent() => data.changes = Nullable::Null,
            "entityId"
                if is_received
                    && data.entity_id.is_absent()
                    && text.read::<ResourceId>().is_err() =>
            {
                unknown.push(("entityId".into(), text.clone()));
            }
            "changes"
                if is_received
                    && data.changes.is_absent()
                    && text.read::<Vec<String>>().is_err() =>
            {
                unknown.push(("changes".into(), text.clone()));
            }
            name if DATA.is_known(name) => return Err(DATA.no_counterpart()),
            name => unknown.push((name.to_owned().into(), text.clone())),
        }
    }
    data.unknown = UnknownMembers::from_distinct(unknown);
    Ok(data)
}

fn null() -> Result<JsonText, MapError> {
    write("data", &())
}

fn write<T: serde::Serialize>(member: &'static str, value: &T) -> Result<JsonText, MapError> {
    JsonText::write(value).map_err(|_| VENDOR.value(member))
}

fn read<T: DeserializeOwned>(member: &'static str, text: &JsonText) -> Result<T, MapError> {
    text.read().map_err(|_| VENDOR.value(member))
}
