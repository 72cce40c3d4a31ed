//! Mapping between Tiled webhooks and lab events.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{EventKind, PREFIX, VENDOR, Webhook};
use crate::event::{Event, UnknownEvent};
use crate::event_type::EventType;
use crate::json::{JsonText, UnknownMembers, object};
use crate::lab::{Dataset, DatasetCreated, DatasetUpdated, LabEvent};
use crate::provider::MapError;
use crate::time::TimeText;

object! {
    /// The members of a webhook, of which only the time is a field of the lab event.
    struct Members {
        required timestamp: TimeText,
    }
}

impl Webhook {
    /// Maps the webhook to a lab event, as in the [table](crate::provider::tiled#events).
    ///
    /// The dataset has the id [`dataset_id`](Self::dataset_id) and the key as its name. All members
    /// of the webhook except the time are kept among the data's unknown members, with the prefix
    /// `tiled.` if the data has a field of that name; `type` distinguishes the two kinds of update.
    ///
    /// A type that is not one of the three becomes an unknown event of type `tiled.<type>`, with
    /// the whole webhook as its data.
    ///
    /// # Errors
    ///
    /// [`MapError::Value`] if the `type` cannot be part of an event type, or if an unknown member
    /// that was added by hand has the name of a known field.
    pub fn to_event(&self) -> Result<LabEvent, MapError> {
        let at = self.timestamp.clone();
        // A value made by hand may be a known one.
        match EventKind::from(self.kind.as_str()) {
            EventKind::ContainerChildCreated => {
                let mut data = DatasetCreated::new(self.dataset());
                data.unknown = self.kept(DatasetCreated::NAMES)?;
                Ok(Event::new(data, at).into())
            }
            EventKind::ContainerChildMetadataUpdated | EventKind::StreamClosed => {
                let mut data = DatasetUpdated::new(self.dataset());
                data.unknown = self.kept(DatasetUpdated::NAMES)?;
                Ok(Event::new(data, at).into())
            }
            EventKind::Other(name) => {
                let event_type =
                    EventType::new(format!("{PREFIX}{name}")).map_err(|_| VENDOR.value("type"))?;
                Ok(UnknownEvent::new(event_type, write("webhook", self)?, at).into())
            }
        }
    }

    fn dataset(&self) -> Dataset {
        let mut dataset = Dataset::new(self.dataset_id());
        dataset.name = Some(self.key.clone());
        dataset
    }

    /// Returns the members of the webhook except the time, for data with these field names.
    fn kept(&self, names: &[&str]) -> Result<UnknownMembers, MapError> {
        let webhook = write("webhook", self)?;
        let Members { unknown, .. } = webhook.read().map_err(|_| VENDOR.value("webhook"))?;
        // The renaming is one-to-one, so names stay distinct.
        let rename = |(name, json): (&str, &JsonText)| {
            let collides = names.contains(&name) || name.starts_with(PREFIX);
            let prefix = if collides { PREFIX } else { "" };
            (format!("{prefix}{name}").into(), json.clone())
        };
        Ok(UnknownMembers::from_distinct(unknown.texts().map(rename).collect()))
    }

    /// Maps a lab event to the webhook.
    ///
    /// An event from Tiled gives the original webhook. Of any other event, the dataset's id is the
    /// path, and the last part of it the key. `structure_family`, `specs` and `metadata` have no
    /// field in the lab event: they must be among the data's unknown members. The unknown members
    /// of the event's envelope are written next to the others.
    ///
    /// # Errors
    ///
    /// [`MapError::NoWebhook`] unless the event is a [`DatasetCreated`] or [`DatasetUpdated`], or
    /// an unknown event of a type that starts with `tiled.`; [`MapError::Missing`] if the event is
    /// not from Tiled and has no value for a member that the type has; [`MapError::Value`] if the
    /// webhook cannot express the event, for example a dataset with an owner.
    pub fn from_event(event: &LabEvent) -> Result<Self, MapError> {
        match event {
            LabEvent::DatasetCreated(event) => {
                let DatasetCreated { dataset, unknown, .. } = &event.data;
                let members = members(unknown, event)?;
                of_dataset(dataset, EventKind::ContainerChildCreated, members)
            }
            LabEvent::DatasetUpdated(event) => {
                let DatasetUpdated { dataset, changes, unknown, .. } = &event.data;
                if changes.is_some() {
                    return Err(VENDOR.value("data.changes"));
                }
                let members = members(unknown, event)?;
                of_dataset(dataset, EventKind::ContainerChildMetadataUpdated, members)
            }
            other => match other.as_text() {
                Some(event) => of_unknown(event),
                None => Err(VENDOR.no_webhook(other.event_type())),
            },
        }
    }
}

/// Returns the members of the webhook that the event contains.
fn members<P>(kept: &UnknownMembers, event: &Event<P>) -> Result<Members, MapError> {
    let mut members = Members::new(event.timestamp.clone());
    let mut names = BTreeSet::new();
    let mut own = Vec::new();
    for (name, json) in kept.texts() {
        let name = name.strip_prefix(PREFIX).unwrap_or(name);
        if !names.insert(name) {
            return Err(VENDOR.value("data.unknown"));
        }
        own.push((name.to_owned().into(), json.clone()));
    }
    members.unknown = UnknownMembers::from_distinct(own);
    if !members.unknown.append(&event.unknown) {
        return Err(VENDOR.value("unknown"));
    }
    Ok(members)
}

fn of_dataset(
    dataset: &Dataset,
    kind: EventKind,
    mut members: Members,
) -> Result<Webhook, MapError> {
    // Only an event that was received as a webhook has a `type`.
    let is_received = members.unknown.get("type").is_some();
    if !is_received {
        let path: Vec<&str> = dataset.id.as_str().split('/').collect();
        members.unknown.put("key", write("data.dataset.id", &path.last())?);
        members.unknown.put("path", write("data.dataset.id", &path)?);
        members.unknown.put("type", write("type", &kind)?);
    }
    let webhook: Webhook =
        write("data.unknown", &members)?.read().map_err(|_| VENDOR.value("data.unknown"))?;

    let is_update = |kind: &EventKind| {
        [EventKind::ContainerChildMetadataUpdated, EventKind::StreamClosed].contains(kind)
    };
    if webhook.kind != kind && !(is_update(&kind) && is_update(&webhook.kind)) {
        return Err(VENDOR.value("data.type"));
    }
    let mut expressed = Dataset::new(webhook.dataset_id());
    expressed.name = dataset.name.is_some().then(|| webhook.key.clone());
    if *dataset != expressed {
        return Err(VENDOR.value("data.dataset"));
    }
    if is_received {
        return Ok(webhook);
    }
    if webhook.structure_family.is_none() && kind == EventKind::ContainerChildCreated {
        return Err(VENDOR.missing("structure_family"));
    }
    if webhook.specs.is_none() {
        return Err(VENDOR.missing("specs"));
    }
    if webhook.metadata.is_none() {
        return Err(VENDOR.missing("metadata"));
    }
    Ok(webhook)
}

fn of_unknown(event: &UnknownEvent) -> Result<Webhook, MapError> {
    let Some(name) = event.event_type.as_str().strip_prefix(PREFIX) else {
        return Err(VENDOR.no_webhook(&event.event_type));
    };
    let mut webhook: Webhook = event.data.read().map_err(|_| VENDOR.value("data"))?;
    if webhook.kind.as_str() != name {
        return Err(VENDOR.value("data.type"));
    }
    if webhook.timestamp != event.timestamp {
        return Err(VENDOR.value("timestamp"));
    }
    let is_known = |name: &&str| Webhook::NAMES.contains(name);
    if event.unknown.iter().any(|(name, _)| is_known(&name))
        || !webhook.unknown.append(&event.unknown)
    {
        return Err(VENDOR.value("unknown"));
    }
    Ok(webhook)
}

fn write<T: Serialize>(member: &'static str, value: &T) -> Result<JsonText, MapError> {
    JsonText::write(value).map_err(|_| VENDOR.value(member))
}
