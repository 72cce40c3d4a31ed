//! Mapping between Argilla webhooks and lab events.

use super::models::{DATASET, RECORD, RELEASE, RESPONSE};
use super::{EventKind, PREFIX, VENDOR, VERSION, Webhook};
use crate::event::{Event, UnknownEvent};
use crate::lab::{
    DatasetCreated, DatasetDeleted, DatasetUpdated, LabEvent, LabelDeleted, LabelUpdated,
    ReleaseCreated, SampleCreated, SampleDeleted, SampleUpdated,
};
use crate::provider::MapError;
use crate::provider::carrier::Carrier;
use crate::provider::mapping::Mapping;
use crate::provider::members::Members;

macro_rules! webhooks {
    ($($payload:ident: $mapping:ident from $kind:ident $(or $other:ident)?;)+) => {
        impl Webhook {
            /// Maps the webhook to a lab event.
            ///
            /// | lab | dataset, release | record | response |
            /// |---|---|---|---|
            /// | id | `id` | `id` | `record.id` |
            /// | `name` | `name` | | |
            /// | `attributes` | | `fields` | `values` |
            /// | `metadata` | | `metadata` | |
            /// | `status` | | | `status`, in Argilla's words |
            /// | `created_at` | `inserted_at`, not of a release | `inserted_at` | `inserted_at` |
            /// | `updated_at` | | | `updated_at` |
            /// | `created_by` | | | `user.username` |
            /// | `dataset_id` | `id` of a release | `dataset.id` | `record.dataset.id` |
            ///
            /// The rest is kept among the payload's unknown members under the webhook's names:
            /// `version`, the other members of `data` as `data`, members that this version does not
            /// know, and the `type` of `record.completed` and `response.created`, which have their
            /// lab event in common with another type. [`from_event`](Self::from_event) writes them
            /// back.
            ///
            /// A type that is not one of the eleven becomes a [`LabEvent::Unknown`] of type
            /// `argilla.<type>`, with the whole webhook as its data.
            ///
            /// # Errors
            ///
            /// [`MapError`], with the member's name in the webhook, if `data` does not contain the
            /// id, if the type cannot be part of a lab event type, or if an unknown member has the
            /// name of one of the payload's fields. The webhook itself is valid.
            pub fn to_event(&self) -> Result<LabEvent, MapError> {
                // `EventKind::Other` may have been constructed with the text of a known kind.
                match EventKind::from(self.event_type.as_str()) {
                    $(
                        EventKind::$kind $(| EventKind::$other)? => {
                            Ok(read::<$payload>(self, &$mapping, EventKind::$kind)?.into())
                        }
                    )+
                    EventKind::Other(_) => self.to_unknown().map(LabEvent::Unknown),
                }
            }

            /// Maps a lab event to the webhook.
            ///
            /// An event from [`to_event`](Self::to_event) gives the original webhook, with the
            /// published members of `data` in the published order, followed by the others.
            ///
            /// Any other event must have what Argilla always sends and the lab's model has no field
            /// for among the payload's unknown members: an object `data` with, for example, the
            /// `workspace` of a dataset. Unknown members of the model and of the event are written
            /// after the others in `data` and in the webhook.
            ///
            /// # Errors
            ///
            /// [`MapError::NoWebhook`] if Argilla has no such event, [`MapError::Missing`] if a
            /// member that it always sends has no value, and [`MapError::Value`] if the webhook
            /// cannot express the event: a field without a member, such as a sample's `run_id` or
            /// the `changes` of an update, a release with another id than its dataset, or two
            /// members with the same name.
            pub fn from_event(event: &LabEvent) -> Result<Self, MapError> {
                match event {
                    $(
                        LabEvent::$payload(event) => {
                            let kinds = [EventKind::$kind, $(EventKind::$other)?];
                            write(event, &$mapping, &kinds)
                        }
                    )+
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
    DatasetCreated: DATASET from DatasetCreated;
    DatasetUpdated: DATASET from DatasetUpdated;
    DatasetDeleted: DATASET from DatasetDeleted;
    ReleaseCreated: RELEASE from DatasetPublished;
    SampleCreated: RECORD from RecordCreated;
    SampleUpdated: RECORD from RecordUpdated or RecordCompleted;
    SampleDeleted: RECORD from RecordDeleted;
    LabelUpdated: RESPONSE from ResponseUpdated or ResponseCreated;
    LabelDeleted: RESPONSE from ResponseDeleted;
}

impl Webhook {
    fn to_unknown(&self) -> Result<UnknownEvent, MapError> {
        let event_type = (self.event_type.as_str(), "type");
        VENDOR.whole(PREFIX, event_type, self, self.timestamp.clone())
    }

    fn of_unknown(event: &UnknownEvent) -> Result<Self, MapError> {
        let (event_type, mut webhook): (_, Self) = VENDOR.read_whole(PREFIX, event)?;
        if webhook.event_type.as_str() != &*event_type {
            return Err(VENDOR.value("data.type"));
        }
        if webhook.timestamp != event.timestamp {
            return Err(VENDOR.value("timestamp"));
        }
        VENDOR.append_unknown(&mut webhook.unknown, Webhook::NAMES, &event.unknown)?;
        Ok(webhook)
    }
}

/// Reads an event whose type in the webhook is `usual`, unless it is kept.
fn read<P: Carrier>(
    webhook: &Webhook,
    mapping: &Mapping<P::Model>,
    usual: EventKind,
) -> Result<Event<P>, MapError> {
    let (model, rest) = mapping.read(Some(&webhook.data))?;
    let mut unknown = webhook.unknown.clone();
    VENDOR.check_names(P::NAMES, &unknown)?;
    if webhook.event_type != usual {
        VENDOR.keep(&mut unknown, "type", &webhook.event_type)?;
    }
    VENDOR.keep(&mut unknown, "version", &webhook.version)?;
    if !rest.is_empty() {
        VENDOR.keep(&mut unknown, "data", &rest)?;
    }
    Ok(Event::new(P::of(model, None, unknown), webhook.timestamp.clone()))
}

/// Writes an event as a webhook of one of these types, the usual one first.
fn write<P: Carrier>(
    event: &Event<P>,
    mapping: &Mapping<P::Model>,
    kinds: &[EventKind],
) -> Result<Webhook, MapError> {
    VENDOR.refuse("data.changes", event.data.changes().is_some())?;
    let mut unknown = event.data.unknown().clone();
    let kind = VENDOR.take_kept(&mut unknown, "type", "data.type")?.or(kinds.first().cloned());
    let kind = kind.filter(|kind| kinds.contains(kind)).ok_or(VENDOR.value("data.type"))?;
    let version: Option<u32> = VENDOR.take_kept(&mut unknown, "version", "data.version")?;
    let rest: Option<Members> = VENDOR.take_kept(&mut unknown, "data", "data.data")?;
    VENDOR.check_names(Webhook::NAMES, &unknown)?;

    // Only an event that was received as a webhook has a `version`.
    let object = mapping.write(event.data.model(), rest.unwrap_or_default(), version.is_some())?;
    let mut webhook = Webhook::new(
        kind,
        version.unwrap_or(VERSION),
        event.timestamp.clone(),
        VENDOR.json(&object, "data")?,
    );
    webhook.unknown = unknown;
    VENDOR.append_unknown(&mut webhook.unknown, Webhook::NAMES, &event.unknown)?;
    Ok(webhook)
}
