//! Wire types of Tiled: [`Webhook`] and its parts.

use super::{PREFIX, VENDOR};
use crate::decode::{Decode, DecodeError, TrustedBody};
use crate::event::UnknownEvent;
use crate::id::DatasetId;
use crate::json::{JsonText, object, open_enum};
use crate::time::{TimeText, Timestamp};

open_enum! {
    /// Event type of a webhook: the three that are published.
    pub enum EventKind {
        /// An entry was created in a container.
        ContainerChildCreated = "container-child-created",
        /// The metadata or the specs of an entry were updated.
        ContainerChildMetadataUpdated = "container-child-metadata-updated",
        /// The stream of an entry was closed: no more data is appended.
        StreamClosed = "stream-closed",
    }
}

open_enum! {
    /// Kind of structure of an entry. From Tiled's published software.
    pub enum StructureFamily {
        /// An array.
        Array = "array",
        /// An awkward array.
        Awkward = "awkward",
        /// Bytes.
        Bytes = "bytes",
        /// A container of other entries.
        Container = "container",
        /// A ragged array.
        Ragged = "ragged",
        /// A sparse array.
        Sparse = "sparse",
        /// A table.
        Table = "table",
    }
}

object! {
    /// Body of a webhook, as published for its type.
    pub struct Webhook {
        /// The event type.
        exact kind: EventKind as "type",
        /// When the event happened.
        required timestamp: TimeText,
        /// The entry's key: its name in the container.
        required key: String,
        /// The keys from the root to the entry.
        required path: Vec<String>,
        /// The entry's kind of structure. Only a created entry has it.
        optional structure_family: StructureFamily,
        /// The specs that the entry conforms to, after the change. A closed stream has none.
        optional specs: Vec<Spec>,
        /// The metadata after the change: an object. A closed stream has none.
        optional metadata: JsonText,
    }
}

object! {
    /// Spec: the name of a convention that an entry conforms to. From Tiled's published software.
    pub struct Spec {
        /// The name, such as `BlueskyRun`.
        required name: String,
        /// The version.
        nullable version: String,
    }
}

impl Webhook {
    /// Returns the dataset's id: the keys from the root to the entry, separated by `/`.
    ///
    /// Tiled's software ends `path` with the entry's `key`. The example in its documentation has
    /// the path of the container, without the key, which is then added.
    #[must_use]
    pub fn dataset_id(&self) -> DatasetId {
        let mut id = self.path.join("/");
        if self.path.last() != Some(&self.key) {
            if !id.is_empty() {
                id.push('/');
            }
            id.push_str(&self.key);
        }
        DatasetId::from(id)
    }
}

object! {
    /// The members by which a body is recognized as a webhook.
    struct Outline {
        required kind: String as "type",
        optional timestamp: TimeText,
    }
}

/// Returns a body that names its type as an unknown event, although it is no [`Webhook`].
pub(crate) fn unread(body: TrustedBody<'_>, received_at: Timestamp) -> Option<UnknownEvent> {
    let Outline { kind, timestamp, .. } = body.json().ok()?;
    VENDOR.unread(PREFIX, &kind, timestamp.unwrap_or_else(|| received_at.into()), body)
}

impl Decode for Webhook {
    fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError> {
        body.json()
    }
}
