//! To and from the lab's events.

use super::members::Members;
use super::models::Model;
use super::{API_VERSION, EventKind, VENDOR, Webhook};
use crate::event::{Event, Payload, UnknownEvent};
use crate::event_type::EventType;
use crate::json::{JsonText, Nullable, UnknownMembers};
use crate::lab::{
    Dataset, DatasetCreated, DatasetDeleted, DatasetUpdated, Issue, IssueCreated, IssueUpdated,
    LabEvent, Label, LabelDeleted, LabelUpdated, Release, ReleaseCreated, Sample, SampleCreated,
    SampleDeleted, SampleUpdated,
};
use crate::provider::MapError;

/// What precedes the name of an event that is none of the lab's.
pub(super) const PREFIX: &str = "segments.";

/// A payload that holds one model, and may say what of it has changed.
trait Carrier: Payload {
    type Model: Model;
    const NAMES: &'static [&'static str];

    fn of(model: Self::Model, changes: Option<Vec<String>>, unknown: UnknownMembers) -> Self;
    fn model(&self) -> &Self::Model;
    fn changes(&self) -> Option<&Vec<String>>;
    fn unknown(&self) -> &UnknownMembers;
}

macro_rules! carriers {
    ($($payload:ident: $field:ident $model:ident $(, $changes:ident)?;)+) => {
        $(
            impl Carrier for $payload {
                type Model = $model;
                const NAMES: &'static [&'static str] = Self::NAMES;

                #[allow(unused_variables, reason = "not every payload says what has changed")]
                fn of(
                    model: $model,
                    changes: Option<Vec<String>>,
                    unknown: UnknownMembers,
                ) -> Self {
                    let mut payload = Self::new(model);
                    $(payload.$changes = changes;)?
                    payload.unknown = unknown;
                    payload
                }

                fn model(&self) -> &$model {
                    &self.$field
                }

                fn changes(&self) -> Option<&Vec<String>> {
                    None$(.or(self.$changes.as_ref()))?
                }

                fn unknown(&self) -> &UnknownMembers {
                    &self.unknown
                }
            }
        )+

        impl Webhook {
            /// The event of the lab's that this webhook tells of.
            ///
            /// `created_at` is its time and `dataset` its dataset. Of `object` it reads the
            /// members that the lab's model has a field for and whose values fit it. All the rest
            /// is kept among the payload's unknown members, under the names that it has here:
            /// `api_version`, `text`, as `object` what is left of the object, and the members
            /// that this version does not know. [`from_event`](Self::from_event) puts them back.
            /// `labware_id`, `run_id` and `project_id` in the object and, beside it, `changes` of
            /// what was updated are this crate's own additions: nothing published has them.
            ///
            /// An event type that is none of the eleven becomes
            /// [`LabEvent::Unknown`] of type `segments.` and its name, with the whole webhook as
            /// its data.
            ///
            /// # Errors
            ///
            /// [`MapError`] where `object` does not hold the id (see the
            /// [table](crate::provider::segments#events)), where the name of an event makes no
            /// event type, and where a member that this version does not know is called as one of
            /// the payload's own. It names the member of the webhook, which is whole all the same.
            pub fn to_event(&self) -> Result<LabEvent, MapError> {
                // Text that is listed may have been put into the open arm by hand.
                match EventKind::from(self.event_type.as_str()) {
                    $(EventKind::$payload => Ok(read::<$payload>(self)?.into()),)+
                    EventKind::Other(_) => read_unknown(self).map(LabEvent::Unknown),
                }
            }

            /// The webhook that tells of this event.
            ///
            /// For an event that [`to_event`](Self::to_event) made it is the webhook that the
            /// event was made of, save that the members of `object` stand in the order of the
            /// package's models, with the others after them. A field of the model that was set
            /// since takes the place of what was kept under its name.
            ///
            /// For any other event the envelope is as published: `api_version` is
            /// [`API_VERSION`], and `text` a sentence in the style of the published one, without
            /// escapes for any chat tool. What is in `object` is this crate's choice: members
            /// under the names of the package's models, `labware_id`, `run_id` and `project_id`
            /// under those of the lab's, and then what the event's model does not know. `changes`
            /// and the unknown members of payload and event stand after the published members of
            /// the envelope.
            ///
            /// # Errors
            ///
            /// [`MapError`] where Segments.ai has no such event, where the event names no
            /// dataset, and where two of its members would come to stand under one name.
            pub fn from_event(event: &LabEvent) -> Result<Self, MapError> {
                match event {
                    $(LabEvent::$payload(event) => write(EventKind::$payload, event),)+
                    LabEvent::Unknown(event) => write_unknown(event),
                    other => Err(VENDOR.no_webhook(other.event_type())),
                }
            }
        }
    };
}

carriers! {
    DatasetCreated: dataset Dataset;
    DatasetUpdated: dataset Dataset, changes;
    DatasetDeleted: dataset Dataset;
    SampleCreated: sample Sample;
    SampleUpdated: sample Sample, changes;
    SampleDeleted: sample Sample;
    LabelUpdated: label Label, changes;
    LabelDeleted: label Label;
    IssueCreated: issue Issue;
    IssueUpdated: issue Issue, changes;
    ReleaseCreated: release Release;
}

/// Refuses unknown members under names that the type which is to hold them knows.
fn check_names(names: &[&'static str], unknown: &UnknownMembers) -> Result<(), MapError> {
    match names.iter().find(|name| unknown.get(name).is_some()) {
        Some(&member) => Err(VENDOR.value(member)),
        None => Ok(()),
    }
}

fn keep(unknown: &mut UnknownMembers, name: &'static str, text: &str) -> Result<(), MapError> {
    unknown.insert(name, text).map_err(|_| VENDOR.value(name))
}

fn json(text: &str, member: &'static str) -> Result<JsonText, MapError> {
    JsonText::write(text).map_err(|_| VENDOR.value(member))
}

fn read<P: Carrier>(webhook: &Webhook) -> Result<Event<P>, MapError> {
    let object = webhook.object.read::<Members>();
    let is_object = object.is_ok();
    let mut object = object.unwrap_or_default();
    let model = P::Model::read(&webhook.dataset, &mut object)?;

    let mut unknown = webhook.unknown.clone();
    let changes = if P::NAMES.contains(&"changes") {
        let text = unknown.remove("changes");
        text.map(|text| text.read().map_err(|_| VENDOR.value("changes"))).transpose()?
    } else {
        None
    };
    check_names(P::NAMES, &unknown)?;
    let api_version = json(&webhook.api_version, "api_version")?;
    keep(&mut unknown, "api_version", api_version.as_str())?;
    match &webhook.text {
        Nullable::Absent => {}
        Nullable::Null => keep(&mut unknown, "text", "null")?,
        Nullable::Value(text) => keep(&mut unknown, "text", json(text, "text")?.as_str())?,
    }
    if !is_object {
        keep(&mut unknown, "object", webhook.object.as_str())?;
    } else if !object.is_empty() {
        let rest = JsonText::write(&object).map_err(|_| VENDOR.value("object"))?;
        keep(&mut unknown, "object", rest.as_str())?;
    }
    Ok(Event::new(P::of(model, changes, unknown), webhook.created_at.clone()))
}

fn write<P: Carrier>(kind: EventKind, event: &Event<P>) -> Result<Webhook, MapError> {
    let model = event.data.model();
    let dataset = model.dataset().ok_or(VENDOR.missing("dataset"))?;
    let mut unknown = event.data.unknown().clone();
    let object = write_object(model, unknown.remove("object"))?;
    // Only what came as a webhook has a version.
    let (api_version, text) = match (unknown.remove("api_version"), unknown.remove("text")) {
        (None, None) => (API_VERSION.to_owned(), summary(&kind, model, dataset.as_str()).into()),
        (None, Some(text)) => (API_VERSION.to_owned(), read_text(&text)?),
        (Some(version), text) => (
            version.read().map_err(|_| VENDOR.value("api_version"))?,
            text.as_ref().map_or(Ok(Nullable::Absent), read_text)?,
        ),
    };
    check_names(Webhook::NAMES, &unknown)?;

    let mut webhook =
        Webhook::new(kind, event.timestamp.clone(), api_version, dataset.clone(), object);
    webhook.text = text;
    webhook.unknown = unknown;
    if let Some(changes) = event.data.changes() {
        check_names(&["changes"], &webhook.unknown)?;
        let changes = JsonText::write(changes).map_err(|_| VENDOR.value("changes"))?;
        keep(&mut webhook.unknown, "changes", changes.as_str())?;
    }
    add_envelope(&mut webhook, &event.unknown)?;
    Ok(webhook)
}

fn write_object<M: Model>(model: &M, rest: Option<JsonText>) -> Result<JsonText, MapError> {
    let refuse = |_| VENDOR.value("object");
    let kept = rest.as_ref().map(JsonText::read::<Members>).transpose();
    let mut left = kept.as_ref().ok().cloned().flatten().unwrap_or_default();
    let mut object = model.write(&mut left).map_err(refuse)?;
    object.append_absent(left);
    object.append(model.unknown()).map_err(refuse)?;
    match (kept, rest) {
        // It was no object, so no member of the model can have come from it.
        (Err(_), Some(rest)) if object.is_empty() => Ok(rest),
        (Ok(_), _) if object.are_distinct() => JsonText::write(&object).map_err(refuse),
        _ => Err(VENDOR.value("object")),
    }
}

fn read_text(text: &JsonText) -> Result<Nullable<String>, MapError> {
    text.read().map_err(|_| VENDOR.value("text"))
}

/// After the published "Sample rose.png created in dataset jane/flowers."
fn summary<M: Model>(kind: &EventKind, model: &M, dataset: &str) -> String {
    let (family, verb) = kind.as_str().split_once('.').unwrap_or_default();
    let title = model.title();
    match family {
        "dataset" => format!("{title} {verb}."),
        _ => format!("{title} {verb} in dataset {dataset}."),
    }
}

/// Adds the unknown members of an event's own envelope.
fn add_envelope(webhook: &mut Webhook, unknown: &UnknownMembers) -> Result<(), MapError> {
    check_names(Webhook::NAMES, unknown)?;
    if !webhook.unknown.append(unknown) {
        return Err(VENDOR.value("unknown"));
    }
    Ok(())
}

fn read_unknown(webhook: &Webhook) -> Result<UnknownEvent, MapError> {
    let event_type = EventType::new(format!("{PREFIX}{}", webhook.event_type))
        .map_err(|_| VENDOR.value("event_type"))?;
    check_names(Webhook::NAMES, &webhook.unknown)?;
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
    add_envelope(&mut webhook, &event.unknown)?;
    Ok(webhook)
}
