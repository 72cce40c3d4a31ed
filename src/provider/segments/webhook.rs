//! Wire types of Segments.ai: [`Webhook`] and [`EventKind`].

use super::{PREFIX, VENDOR};
use crate::decode::{Decode, DecodeError, TrustedBody};
use crate::event::UnknownEvent;
use crate::id::DatasetId;
use crate::json::{JsonText, object, open_enum};
use crate::provider::DedupeKey;
use crate::signature::Verified;
use crate::time::{TimeText, Timestamp};

open_enum! {
    /// Event type of a webhook: the eleven in the documentation.
    pub enum EventKind {
        /// A dataset was created.
        DatasetCreated = "dataset.created",
        /// A property of a dataset changed.
        DatasetUpdated = "dataset.updated",
        /// A dataset was deleted.
        DatasetDeleted = "dataset.deleted",
        /// A sample was created.
        SampleCreated = "sample.created",
        /// A property of a sample changed.
        SampleUpdated = "sample.updated",
        /// A sample was deleted.
        SampleDeleted = "sample.deleted",
        /// A property of a label changed. There is no `label.created`.
        LabelUpdated = "label.updated",
        /// A label was deleted.
        LabelDeleted = "label.deleted",
        /// An issue was created.
        IssueCreated = "issue.created",
        /// An issue received a reply, or one of its properties changed.
        IssueUpdated = "issue.updated",
        /// A release was created successfully.
        ReleaseCreated = "release.created",
    }
}

object! {
    /// Body of a webhook: the published envelope, common to all events.
    ///
    /// ```
    /// use labhook::danger;
    /// use labhook::provider::segments::{EventKind, SampleObject, Webhook};
    ///
    /// let body = br#"{"event_type":"sample.created","created_at":"2021-08-09T14:40:19.987691+00:00","api_version":"2021-08-01","dataset":"jane/flowers","object":{"uuid":"9f3b"}}"#;
    /// # let unsigned = danger::unsigned(body);
    /// let webhook: Webhook = unsigned.decode()?;
    /// assert_eq!(webhook.event_type, EventKind::SampleCreated);
    /// let sample: SampleObject = webhook.object.read()?;
    /// assert_eq!(sample.uuid.as_deref(), Some("9f3b"));
    /// assert_eq!(serde_json::to_vec(&webhook)?, body);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub struct Webhook {
        /// The event type.
        required event_type: EventKind,
        /// When the event happened.
        required created_at: TimeText,
        /// The version of the payload format: a date.
        required api_version: String,
        /// The dataset concerned: `owner/name`.
        required dataset: DatasetId,
        /// The dataset, sample, label or issue that was created or updated, verbatim. Its contents
        /// are not published; read it as one of the views named after the package's models, such
        /// as [`SampleObject`](super::SampleObject).
        required object: JsonText,
        /// A human-readable summary, which makes the body acceptable to a Slack incoming webhook.
        /// The vendor's earliest documentation does not have it.
        nullable text: String,
    }
}

object! {
    /// The members by which a body is recognized as a webhook.
    struct Outline {
        required event_type: String,
        optional created_at: TimeText,
    }
}

/// Returns a body that names its event type as an unknown event, although it has no lab event.
pub(crate) fn unread(body: TrustedBody<'_>, received_at: Timestamp) -> Option<UnknownEvent> {
    let Outline { event_type, created_at, .. } = body.json().ok()?;
    VENDOR.unread(PREFIX, &event_type, created_at.unwrap_or_else(|| received_at.into()), body)
}

impl Decode for Webhook {
    fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError> {
        body.json()
    }
}

/// Returns the idempotency key: the message id that Svix signs, `svix-id`.
///
/// It is the same for all deliveries of a message (Svix's documentation). `None` if the request was
/// verified with a scheme that signs no id; Svix's scheme does.
#[must_use]
#[doc(alias = "idempotency key")]
pub fn dedupe_key(verified: &Verified<'_>) -> Option<DedupeKey> {
    verified.id().map(DedupeKey::of_id)
}
