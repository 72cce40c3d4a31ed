//! The payload as it is sent: [`Webhook`].

use crate::decode::{Decode, DecodeError, TrustedBody};
use crate::id::DatasetId;
use crate::json::{JsonText, object, open_enum};
use crate::provider::DedupeKey;
use crate::signature::Verified;
use crate::time::TimeText;

open_enum! {
    /// What has happened, as Segments.ai names it (documentation): the eleven event types.
    pub enum EventKind {
        /// A dataset is created.
        DatasetCreated = "dataset.created",
        /// A property of a dataset has changed.
        DatasetUpdated = "dataset.updated",
        /// A dataset is deleted.
        DatasetDeleted = "dataset.deleted",
        /// A sample is created.
        SampleCreated = "sample.created",
        /// A property of a sample has changed.
        SampleUpdated = "sample.updated",
        /// A sample is deleted.
        SampleDeleted = "sample.deleted",
        /// A property of a label has changed. There is no `label.created`.
        LabelUpdated = "label.updated",
        /// A label is deleted.
        LabelDeleted = "label.deleted",
        /// An issue is created.
        IssueCreated = "issue.created",
        /// An issue has received a reply, or a property of it has changed.
        IssueUpdated = "issue.updated",
        /// A release is successfully created.
        ReleaseCreated = "release.created",
    }
}

object! {
    /// The payload of every event: Segments.ai's envelope, as published.
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
        /// What has happened.
        required event_type: EventKind,
        /// When it has happened.
        required created_at: TimeText,
        /// The version of the payload's form: a date.
        required api_version: String,
        /// The dataset that it has happened in, or to: `owner/name`.
        required dataset: DatasetId,
        /// The dataset, sample, label or issue that was created or updated, verbatim. What is in
        /// it is not published; read it as one of the views by the package's names, such as
        /// [`SampleObject`](super::SampleObject).
        required object: JsonText,
        /// A summary for people, which makes the body one that a Slack incoming webhook takes. It
        /// is missing in the vendor's earliest documentation.
        nullable text: String,
    }
}

impl Decode for Webhook {
    fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError> {
        body.json()
    }
}

/// What a repetition is known by: the message id that Svix signs, `svix-id`.
///
/// It is the same whenever one message is sent again (Svix's documentation). None where the
/// request was verified by a scheme that signs no id, which Svix's is not.
#[must_use]
pub fn dedupe_key(verified: &Verified<'_>) -> Option<DedupeKey> {
    verified.id().map(|id| DedupeKey::of_id(id.as_str()))
}
