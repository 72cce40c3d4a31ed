//! Mapping between Segments.ai webhooks and lab events.

use super::models::Model;
use super::{API_VERSION, EventKind, PREFIX, VENDOR, Webhook};
use crate::event::{Event, UnknownEvent};
use crate::event_type::EventType;
use crate::json::{JsonText, Nullable, UnknownMembers};
use crate::lab::{
    DatasetCreated, DatasetDeleted, DatasetUpdated, IssueCreated, IssueUpdated, LabEvent,
    LabelDeleted, LabelUpdated, ReleaseCreated, SampleCreated, SampleDeleted, SampleUpdated,
};
use crate::provider::MapError;
use crate::provider::carrier::Carrier;
use crate::provider::members::Members;

macro_rules! webhooks {
    ($($payload:ident,)+) => {
        impl Webhook {
            /// Maps the webhook to a lab event.
            ///
            /// `created_at` becomes the timestamp and `dataset` the dataset. Members of `object`
            /// are read if the lab's model has a field for them and the value has its type. The
            /// rest is kept among the payload's unknown members under the webhook's names:
            /// `api_version`, `text`, the remaining members of `object` as `object`, and members
            /// that this version does not know. [`from_event`](Self::from_event) writes them back.
            /// `labware_id`, `run_id` and `project_id` in the object, and `changes` next to it, are
            /// this crate's own additions; the vendor publishes none of them.
            ///
            /// An event type that is not one of the eleven becomes a [`LabEvent::Unknown`] of type
            /// `segments.<event_type>`, with the whole webhook as its data.
            ///
            /// # Errors
            ///
            /// [`MapError`], with the member's name in the webhook, if `object` does not contain
            /// the id (see the [table](crate::provider::segments#events)), if the `event_type`
            /// cannot be part of a lab event type, or if an unknown member has the name of one of
            /// the payload's fields. The webhook itself is valid.
            pub fn to_event(&self) -> Result<LabEvent, MapError> {
                // `EventKind::Other` may have been constructed with the text of a known kind.
                match EventKind::from(self.event_type.as_str()) {
                    $(EventKind::$payload => Ok(read::<$payload>(self)?.into()),)+
                    EventKind::Other(_) => read_unknown(self).map(LabEvent::Unknown),
                }
            }

            /// Maps a lab event to the webhook.
            ///
            /// An event from [`to_event`](Self::to_event) gives the original webhook, except that
            /// the members of `object` are in the order of the package's models, followed by the
            /// others. A model field that was set later replaces the kept member of that name.
            ///
            /// For any other event, the envelope is as published: `api_version` is
            /// [`API_VERSION`], and `text` is a sentence in the published style, not escaped for
            /// any chat tool. The contents of `object` are this crate's choice: members named
            /// after the package's models, `labware_id`, `run_id` and `project_id` named after the
            /// lab's, and then the model's unknown members. `changes` and the unknown members of
            /// the payload and of the event follow the published members of the envelope.
            ///
            /// # Errors
            ///
            /// [`MapError`] if Segments.ai has no such event, if the event has no dataset, or if
            /// two members would have the same name.
            pub fn from_event(event: &LabEvent) -> Result<Self, MapError> {
                match event {
                    $(LabEvent::$payload(event) => write(EventKind::$payload, event),)+
                    other => match other.as_text() {
                        Some(event) => write_unknown(event),
                        None => Err(VENDOR.no_webhook(other.event_type())),
                    },
                }
            }
        }
    };
}

webhooks! {
    DatasetCreated,
    DatasetUpdated,
    DatasetDeleted,
    SampleCreated,
    SampleUpdated,
    SampleDeleted,
    LabelUpdated,
    LabelDeleted,
    IssueCreated,
    IssueUpdated,
    ReleaseCreated,
}

/// Rejects unknown members whose names collide with known fields. The caller guarantees that the
/// field `except` has no value if there is a member of that name: one of another type.
fn check_names(
    names: &[&'static str],
    except: &str,
    unknown: &UnknownMembers,
) -> Result<(), MapError> {
    match names.iter().find(|name| **name != except && unknown.get(name).is_some()) {
        Some(&member) => Err(VENDOR.value(member)),
        None => Ok(()),
    }
}

fn read<P: Carrier<Model: Model>>(webhook: &Webhook) -> Result<Event<P>, MapError> {
    let at_once = P::Model::read_at_once(&webhook.dataset, &webhook.object);
    let (model, object, is_object) = match at_once {
        Some((model, rest)) => (model, rest, true),
        None => {
            let object = webhook.object.read::<Members>();
            let is_object = object.is_ok();
            let mut object = object.unwrap_or_default();
            (P::Model::read(&webhook.dataset, &mut object)?, object, is_object)
        }
    };

    let mut unknown = webhook.unknown.clone();
    let changes = if P::NAMES.contains(&"changes") { unknown.get("changes") } else { None };
    let changes = changes.and_then(|text| serde_json::from_str(text).ok());
    if changes.is_some() {
        unknown.remove("changes");
    }
    check_names(P::NAMES, "changes", &unknown)?;
    unknown.put("api_version", VENDOR.json(&webhook.api_version, "api_version")?);
    if !webhook.text.is_absent() {
        unknown.put("text", VENDOR.json(&webhook.text, "text")?);
    }
    if !is_object {
        unknown.put("object", webhook.object.clone());
    } else if !object.is_empty() {
        unknown.put("object", VENDOR.json(&object, "object")?);
    }
    Ok(Event::new(P::of(model, changes, unknown), webhook.created_at.clone()))
}

fn write<P: Carrier<Model: Model>>(kind: EventKind, event: &Event<P>) -> Result<Webhook, MapError> {
    let model = event.data.model();
    let dataset = model.dataset().ok_or(VENDOR.missing("dataset"))?;
    let mut unknown = event.data.unknown().clone();
    let object = write_object(model, unknown.remove("object"))?;
    // Only an event that was received as a webhook has an `api_version`.
    let version = unknown.remove("api_version");
    let text = match unknown.get("text").map(serde_json::from_str::<Nullable<String>>) {
        None => None,
        Some(Ok(text)) => unknown.remove("text").map(|_| text),
        // The webhook had a value of another type.
        Some(Err(_)) if version.is_some() => None,
        Some(Err(_)) => return Err(VENDOR.value("text")),
    };
    let (api_version, text) = match (version, text) {
        (None, None) => (API_VERSION.to_owned(), summary(&kind, model, dataset.as_str()).into()),
        (None, Some(text)) => (API_VERSION.to_owned(), text),
        (Some(version), text) => {
            let version = version.read().map_err(|_| VENDOR.value("api_version"))?;
            (version, text.unwrap_or_default())
        }
    };
    check_names(Webhook::NAMES, "text", &unknown)?;

    let mut webhook =
        Webhook::new(kind, event.timestamp.clone(), api_version, dataset.clone(), object);
    webhook.text = text;
    webhook.unknown = unknown;
    if let Some(changes) = event.data.changes() {
        check_names(&["changes"], "", &webhook.unknown)?;
        webhook.unknown.put("changes", VENDOR.json(changes, "changes")?);
    }
    VENDOR.append_unknown(&mut webhook.unknown, Webhook::NAMES, &event.unknown)?;
    Ok(webhook)
}

fn write_object<M: Model>(model: &M, rest: Option<JsonText>) -> Result<JsonText, MapError> {
    let mismatch = |_| VENDOR.value("object");
    let kept = rest.as_ref().map(JsonText::read::<Members>).transpose();
    let mut left = kept.as_ref().ok().cloned().flatten().unwrap_or_default();
    let mut object = model.write(&mut left).map_err(mismatch)?;
    object.append_absent(left);
    object.append(model.unknown()).map_err(mismatch)?;
    match (kept, rest) {
        // The kept value is not a JSON object, so no model field can have come from it.
        (Err(_), Some(rest)) if object.is_empty() => Ok(rest),
        (Ok(_), _) if object.are_distinct() => JsonText::write(&object).map_err(mismatch),
        _ => Err(VENDOR.value("object")),
    }
}

/// Returns a sentence in the published style: "Sample rose.png created in dataset jane/flowers."
fn summary<M: Model>(kind: &EventKind, model: &M, dataset: &str) -> String {
    let (family, verb) = kind.as_str().split_once('.').unwrap_or_default();
    let title = model.title();
    match family {
        "dataset" => format!("{title} {verb}."),
        _ => format!("{title} {verb} in dataset {dataset}."),
    }
}

fn read_unknown(webhook: &Webhook) -> Result<UnknownEvent, MapError> {
    let event_type = EventType::new(format!("{PREFIX}{}", webhook.event_type))
        .map_err(|_| VENDOR.value("event_type"))?;
    let odd_text = if webhook.text.is_absent() { "text" } else { "" };
    check_names(Webhook::NAMES, odd_text, &webhook.unknown)?;
    let data = JsonText::write(webhook).map_err(|_| VENDOR.value("object"))?;
    Ok(UnknownEvent::new(event_type, data, webhook.created_at.clone()))
}

fn write_unknown(event: &UnknownEvent) -> Result<Webhook, MapError> {
    let Some(name) = event.event_type.as_str().strip_prefix(PREFIX) else {
        return Err(VENDOR.no_webhook(&event.event_type));
    };
    let mut webhook: Webhook = event.data.read().map_err(|_| VENDOR.value("data"))?;
    if webhook.event_type.as_str() != name {
        return Err(VENDOR.value("event_type"));
    }
    if webhook.created_at != event.timestamp {
        return Err(VENDOR.value("created_at"));
    }
    VENDOR.append_unknown(&mut webhook.unknown, Webhook::NAMES, &event.unknown)?;
    Ok(webhook)
}
