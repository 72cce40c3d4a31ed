//! Dataset release events: [`ReleaseCreated`].

use crate::event::{Keys, Payload};
use crate::event_type::EventType;
use crate::id::{DatasetId, ProjectId, ReleaseId};
use crate::json::{JsonText, object, open_enum};
use crate::time::TimeText;

open_enum! {
    /// The status of a release.
    ///
    /// The vocabulary is Segments.ai's release status (published software).
    pub enum ReleaseStatus {
        /// Being created.
        Pending = "PENDING",
        /// Created.
        Succeeded = "SUCCEEDED",
        /// Creation failed.
        Failed = "FAILED",
    }
}

object! {
    /// A frozen copy of a dataset, with the fields that the sender provided.
    ///
    /// `name`, `description`, `release_type`, `attributes`, `status`, `created_at` and
    /// `samples_count` are named as in the published software of Segments.ai; `id` is its `uuid`.
    /// The other fields are this crate's own.
    pub struct Release {
        /// The release's id.
        required id: ReleaseId,
        /// The display name.
        optional name: String,
        /// A human-readable description.
        optional description: String,
        /// The kind of release.
        optional release_type: String,
        /// Further attributes, usually an object.
        optional attributes: JsonText,
        /// The status.
        optional status: ReleaseStatus,
        /// The time of creation.
        optional created_at: TimeText,
        /// The number of samples in it.
        optional samples_count: u64,
        /// The dataset it is a copy of.
        optional dataset_id: DatasetId,
        /// The project it belongs to.
        optional project_id: ProjectId,
    }
}

object! {
    /// `release.created`: a release of a dataset was created.
    ///
    /// The event is Segments.ai's (documentation); the payload is this crate's own.
    pub struct ReleaseCreated {
        /// The release.
        required release: Release,
    }
}

impl Payload for ReleaseCreated {
    const EVENT_TYPE: EventType = EventType::from_static("release.created");

    fn keys(&self) -> Keys {
        let mut keys = Keys::new().with_ordering(self.release.id.as_str());
        keys.project.clone_from(&self.release.project_id);
        keys.dataset.clone_from(&self.release.dataset_id);
        keys
    }
}
