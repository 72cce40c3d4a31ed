//! Mapping between CVAT webhooks and lab events.

use serde::de::DeserializeOwned;

use super::models::{COMMENT, EXPORT, ISSUE, PROJECT};
use super::webhook::{RESOURCES, type_of};
use super::{PREFIX, VENDOR, Webhook};
use crate::event::{Event, UnknownEvent};
use crate::json::{JsonText, UnknownMembers};
use crate::lab::{
    DatasetCreated, DatasetDeleted, DatasetUpdated, IssueCreated, IssueUpdated, LabEvent,
    ReleaseCreated, ResourceChanged, ResourceOperation,
};
use crate::provider::MapError;
use crate::provider::carrier::Carrier;
use crate::provider::mapping::Mapping;
use crate::provider::members::Members;
use crate::time::{TimeText, Timestamp};

macro_rules! webhooks {
    ($($payload:ident: $($mapping:ident from $($text:literal)|+),+;)+) => {
        impl Webhook {
            /// Maps the webhook to a lab event.
            ///
            /// The envelope has no time. The event's is `created_date`, `updated_date` or
            /// `finished_date` of a created, updated or completed resource, and otherwise that of
            /// receipt.
            ///
            /// | lab | project | issue | completed export | other resource |
            /// |---|---|---|---|---|
            /// | id | `id` | `id` | `id` | `id` |
            /// | `name` | `name` | | | |
            /// | `owner` | `owner.username` | | | |
            /// | `status` | | `resolved` | `status` | |
            /// | `comments` | | `comments` | | |
            /// | `created_at` | `created_date` | `created_date` | `created_date` | |
            /// | `created_by` | | `owner.username` | | |
            /// | `updated_at` | | `updated_date` | | |
            /// | `release_type` | | | `operation.format` | |
            /// | `dataset_id` | | | `operation.project_id` | |
            /// | `actor` | | | | `sender.username` |
            /// | `changes` | the names in `before_update` | the same | | the same |
            ///
            /// A comment is a change of the `comments` of its issue. An export that failed is a
            /// release with that status.
            ///
            /// The rest is kept among the payload's unknown members under the webhook's names:
            /// `event`, the other members of the resource as `resource`, `before_update`,
            /// `webhook_id`, `sender`, and members that this version does not know.
            /// [`from_event`](Self::from_event) writes them back.
            ///
            /// # Errors
            ///
            /// [`MapError`], with the member's name in the webhook, if there is no resource, if a
            /// project, issue, comment or export does not contain the id, if the event cannot be part of a lab event type,
            /// or if an unknown member has the name of one of the payload's fields. The webhook
            /// itself is valid.
            pub fn to_event(&self, received_at: Timestamp) -> Result<LabEvent, MapError> {
                let at = || self.time().unwrap_or_else(|| received_at.into());
                match &*self.event {
                    $($($($text)|+ => Ok(read::<$payload>(self, &$mapping, at())?.into()),)+)+
                    event => match parts(event) {
                        Some((resource, operation)) => {
                            Ok(self.to_change(resource, operation, at())?.into())
                        }
                        None => Ok(self.to_unknown(received_at)?.into()),
                    },
                }
            }

            /// Maps a lab event that was received from CVAT to the webhook.
            ///
            /// It is the original webhook, with the published members of a project, issue or
            /// request in the order of their types, such as
            /// [`ProjectObject`](super::ProjectObject), followed by the others. The event's
            /// timestamp is not written, because the webhook has no member for it. Unknown members
            /// of the model and of the event are written after the others in the resource and in
            /// the webhook.
            ///
            /// # Errors
            ///
            /// [`MapError::Missing`] if the event is not from CVAT: without a `webhook_id` and the
            /// whole resource it is no webhook. [`MapError::NoWebhook`] if CVAT has no such event,
            /// and [`MapError::Value`] if the webhook cannot express a change that was made to the
            /// event, such as another owner, or a member has the name of another.
            pub fn from_event(event: &LabEvent) -> Result<Self, MapError> {
                match event {
                    $(LabEvent::$payload(event) => match &*kept_event(&event.data.unknown)? {
                        $($($text)|+ => write(event, &$mapping),)+
                        _ => Err(VENDOR.value("data.event")),
                    },)+
                    LabEvent::ResourceChanged(event) => Self::of_change(event),
                    other => match other.as_text() {
                        Some(event) => Self::of_unknown(event),
                        None => Err(VENDOR.no_webhook(other.event_type())),
                    },
                }
            }
        }
    };
}

webhooks! {
    DatasetCreated: PROJECT from "create:project";
    DatasetUpdated: PROJECT from "update:project";
    DatasetDeleted: PROJECT from "delete:project";
    IssueCreated: ISSUE from "create:issue";
    IssueUpdated: ISSUE from "update:issue",
        COMMENT from "create:comment" | "update:comment" | "delete:comment";
    ReleaseCreated: EXPORT from "completed:request[export:dataset]"
        | "completed:request[export:annotations]";
}

impl Webhook {
    fn to_change(
        &self,
        resource: &str,
        operation: ResourceOperation,
        at: TimeText,
    ) -> Result<Event<ResourceChanged>, MapError> {
        let member = resource.split('[').next().unwrap_or_default();
        if self.resource().is_none() && self.unknown.get(member).is_none() {
            return Err(VENDOR.missing("<resource>"));
        }
        let mut data = ResourceChanged::new(resource, operation);
        data.resource_id = self.resource_id().map(Into::into);
        data.changes = self.changes();
        data.actor = self.sender_name().cloned();
        data.unknown = self.kept(ResourceChanged::NAMES, self.resource().map(|(_, it)| it))?;
        Ok(Event::new(data, at))
    }

    fn of_change(event: &Event<ResourceChanged>) -> Result<Self, MapError> {
        let data = &event.data;
        let (mut webhook, resource) = Self::restore(&data.unknown)?;
        webhook.put_resource(resource)?;
        match parts(&webhook.event) {
            Some((resource, _)) if resource != data.resource_type => {
                return Err(VENDOR.value("data.resource_type"));
            }
            Some((_, operation)) if operation == data.operation => {}
            _ => return Err(VENDOR.value("data.operation")),
        }
        VENDOR.check_copy(
            webhook.resource_id(),
            data.resource_id.as_ref().map(AsRef::as_ref),
            "resource.id",
            "data.resource_id",
        )?;
        VENDOR.check_copy(
            webhook.sender_name().cloned(),
            data.actor.as_deref(),
            "sender.username",
            "data.actor",
        )?;
        let written = webhook.changes();
        webhook.finish(data.changes.as_ref(), written, &event.unknown)
    }

    fn resource_id(&self) -> Option<String> {
        self.resource()?.1.read::<Members>().ok()?.text_at(&["id"])
    }

    fn to_unknown(&self, received_at: Timestamp) -> Result<UnknownEvent, MapError> {
        VENDOR.whole(PREFIX, (&type_of(&self.event), "event"), self, received_at.into())
    }

    fn of_unknown(event: &UnknownEvent) -> Result<Self, MapError> {
        let (event_type, webhook): (_, Self) = VENDOR.read_whole(PREFIX, event)?;
        if type_of(&webhook.event) != *event_type {
            return Err(VENDOR.value("data.event"));
        }
        webhook.finish(None, None, &event.unknown)
    }

    /// Returns the members for which an event with these field names has no field.
    fn kept<R: serde::Serialize>(
        &self,
        names: &[&'static str],
        resource: Option<R>,
    ) -> Result<UnknownMembers, MapError> {
        let mut unknown = self.unknown.clone();
        VENDOR.keep(&mut unknown, "event", &self.event)?;
        if let Some(rest) = resource {
            VENDOR.keep(&mut unknown, "resource", &rest)?;
        }
        let named = self.resource().map(|(name, _)| name);
        for &name in RESOURCES.iter().filter(|name| Some(**name) != named) {
            if let Some(other) = self.resource_of(name) {
                VENDOR.keep(&mut unknown, name, other)?;
            }
        }
        if let Some(before) = &self.before_update {
            VENDOR.keep(&mut unknown, "before_update", before)?;
        }
        if let Some(id) = &self.webhook_id {
            VENDOR.keep(&mut unknown, "webhook_id", id)?;
        }
        if !self.sender.is_absent() {
            VENDOR.keep(&mut unknown, "sender", &self.sender)?;
        }
        VENDOR.check_names(names, &unknown)?;
        Ok(unknown)
    }

    /// Returns a webhook with the members that were kept, except the resource itself.
    fn restore(kept: &UnknownMembers) -> Result<(Self, Option<JsonText>), MapError> {
        let mut unknown = kept.clone();
        let mut webhook = Self::new(kept_event(kept)?);
        unknown.remove("event");
        let resource = unknown.remove("resource");
        for name in RESOURCES {
            if let Some(member) = webhook.resource_mut(name) {
                *member = unknown.remove(name);
            }
        }
        webhook.before_update = unknown.remove("before_update");
        webhook.webhook_id = restore(&mut unknown, "webhook_id");
        webhook.sender = restore(&mut unknown, "sender").unwrap_or_default();
        webhook.unknown = unknown;
        Ok((webhook, resource))
    }

    fn put_resource(&mut self, resource: Option<JsonText>) -> Result<(), MapError> {
        let Some(resource) = resource else { return Ok(()) };
        let event = self.event.clone();
        let (_, name) = event.split_once(':').unwrap_or_default();
        let member = self.resource_mut(name.split('[').next().unwrap_or_default());
        match member {
            Some(member @ None) => *member = Some(resource),
            _ => return Err(VENDOR.value("data.resource")),
        }
        Ok(())
    }

    /// Checks the names of the changed members, and adds the unknown members of the event.
    fn finish(
        mut self,
        changes: Option<&Vec<String>>,
        written: Option<Vec<String>>,
        unknown: &UnknownMembers,
    ) -> Result<Self, MapError> {
        VENDOR.refuse("data.changes", changes.is_some() && changes != written.as_ref())?;
        VENDOR.append_unknown(&mut self.unknown, Self::NAMES, unknown)?;
        Ok(self)
    }
}

fn read<P: Carrier>(
    webhook: &Webhook,
    mapping: &Mapping<P::Model>,
    at: TimeText,
) -> Result<Event<P>, MapError> {
    let (model, rest) = mapping.read(webhook.resource().map(|(_, resource)| resource))?;
    let unknown = webhook.kept(P::NAMES, Some(rest).filter(|rest| !rest.is_empty()))?;
    Ok(Event::new(P::of(model, changes(webhook, mapping), unknown), at))
}

fn write<P: Carrier>(event: &Event<P>, mapping: &Mapping<P::Model>) -> Result<Webhook, MapError> {
    let (mut webhook, rest) = Webhook::restore(event.data.unknown())?;
    let rest: Option<Members> =
        rest.map(|rest| rest.read()).transpose().map_err(|_| VENDOR.value("data.resource"))?;
    let object = mapping.write(event.data.model(), rest.unwrap_or_default(), true)?;
    webhook.put_resource(Some(VENDOR.json(&object, "data.resource")?))?;
    let written = changes(&webhook, mapping);
    webhook.finish(event.data.changes(), written, &event.unknown)
}

/// Returns the names of the changed fields of a resource, or of a comment's issue.
fn changes<M>(webhook: &Webhook, mapping: &Mapping<M>) -> Option<Vec<String>> {
    if mapping.object == COMMENT.object {
        Some(vec!["comments".to_owned()])
    } else {
        webhook.changes()
    }
}

/// Returns the `event` of an event that was received from CVAT.
fn kept_event(unknown: &UnknownMembers) -> Result<String, MapError> {
    let event = unknown.get("event").ok_or(VENDOR.missing("webhook_id"))?;
    serde_json::from_str(event).map_err(|_| VENDOR.value("data.event"))
}

/// Removes and returns a kept member, unless the webhook had a value of another type.
fn restore<T: DeserializeOwned>(unknown: &mut UnknownMembers, name: &str) -> Option<T> {
    let value = serde_json::from_str(unknown.get(name)?).ok()?;
    unknown.remove(name);
    Some(value)
}

/// Splits an event into the resource and the operation on it.
fn parts(event: &str) -> Option<(&str, ResourceOperation)> {
    let (verb, resource) = event.split_once(':')?;
    let operation = match verb {
        "create" => ResourceOperation::Created,
        "update" => ResourceOperation::Updated,
        "delete" => ResourceOperation::Deleted,
        other => ResourceOperation::from(other),
    };
    // A word of the lab's would be written as the vendor's.
    let is_lab_word = ResourceOperation::KNOWN.iter().any(|known| known.as_str() == verb);
    (!verb.is_empty() && !resource.is_empty() && !is_lab_word).then_some((resource, operation))
}
