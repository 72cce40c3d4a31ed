//! Wire types of Argilla: [`Webhook`] and [`EventKind`].

use super::{PREFIX, VENDOR};
use crate::decode::{Decode, DecodeError, TrustedBody};
use crate::event::UnknownEvent;
use crate::json::{JsonText, object, open_enum};
use crate::provider::DedupeKey;
use crate::provider::members::Members;
use crate::time::{TimeText, Timestamp};

/// The only published version of the payload.
pub const VERSION: u32 = 1;

open_enum! {
    /// Event type of a webhook: the eleven in the documentation.
    pub enum EventKind {
        /// A dataset was created.
        DatasetCreated = "dataset.created",
        /// A dataset was changed.
        DatasetUpdated = "dataset.updated",
        /// A dataset was deleted.
        DatasetDeleted = "dataset.deleted",
        /// A dataset was published: it is ready for its annotators.
        DatasetPublished = "dataset.published",
        /// A record was added to a dataset.
        RecordCreated = "record.created",
        /// A record was changed.
        RecordUpdated = "record.updated",
        /// A record was deleted.
        RecordDeleted = "record.deleted",
        /// A record was completed: it has the responses that its dataset asks for.
        RecordCompleted = "record.completed",
        /// A user responded to a record.
        ResponseCreated = "response.created",
        /// A response was changed.
        ResponseUpdated = "response.updated",
        /// A response was deleted.
        ResponseDeleted = "response.deleted",
    }
}

object! {
    /// Body of a webhook: the published envelope, common to all events.
    ///
    /// ```
    /// use labhook::danger;
    /// use labhook::provider::argilla::{EventKind, RecordObject, RecordStatus, Webhook};
    ///
    /// let body = include_bytes!("../../../tests/data/argilla/record.completed.json").trim_ascii();
    /// # let unsigned = danger::unsigned(body);
    /// let webhook: Webhook = unsigned.decode()?;
    /// assert_eq!(webhook.event_type, EventKind::RecordCompleted);
    /// let record: RecordObject = webhook.data.read()?;
    /// assert_eq!(record.status, RecordStatus::Completed);
    /// assert_eq!(record.dataset.name, "fineweb-edu-min");
    /// assert_eq!(serde_json::to_vec(&webhook)?, body);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub struct Webhook {
        /// The event type.
        required event_type: EventKind as "type",
        /// The version of the payload: [`VERSION`].
        required version: u32,
        /// When the event happened.
        required timestamp: TimeText,
        /// The dataset, record or response, verbatim: read it as a
        /// [`DatasetObject`](super::DatasetObject), a [`RecordObject`](super::RecordObject) or a
        /// [`ResponseObject`](super::ResponseObject).
        required data: JsonText,
    }
}

impl Webhook {
    /// Returns the idempotency key, built from the type, the id in `data` and the timestamp, each
    /// as spelled in the body. If `data` has no id, all of it stands for one.
    ///
    /// The key is this crate's own. All of it is the same for all attempts, which the signed
    /// `webhook-id` is not, and the timestamp has microseconds.
    #[must_use]
    #[doc(alias = "idempotency key")]
    pub fn dedupe_key(&self) -> DedupeKey {
        let id = self.data.read().ok().and_then(|data: Members| data.text_at(&["id"]));
        let id = id.as_deref().unwrap_or(self.data.as_str());
        DedupeKey::of_parts([self.event_type.as_str(), self.timestamp.as_str(), id])
    }
}

object! {
    /// The members by which a body is recognized as a webhook.
    struct Outline {
        required event_type: String as "type",
        optional timestamp: TimeText,
    }
}

/// Returns a body that names its event type as an unknown event, although it has no lab event.
pub(crate) fn unread(body: TrustedBody<'_>, received_at: Timestamp) -> Option<UnknownEvent> {
    let Outline { event_type, timestamp, .. } = body.json().ok()?;
    VENDOR.unread(PREFIX, &event_type, timestamp.unwrap_or_else(|| received_at.into()), body)
}

impl Decode for Webhook {
    fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError> {
        body.json()
    }
}
