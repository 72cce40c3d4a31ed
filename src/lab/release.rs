//! Releases: [`ReleaseCreated`].

use crate::event::{Keys, Payload};
use crate::event_type::EventType;
use crate::id::{DatasetId, ProjectId, ReleaseId};
use crate::json::{JsonText, object, open_enum};
use crate::time::TimeText;

open_enum! {
    /// How the making of a release went.
    ///
    /// The vocabulary is Segments.ai's release status (published software).
    pub enum ReleaseStatus {
        /// It is being made.
        Pending = "PENDING",
        /// It is there.
        Succeeded = "SUCCEEDED",
        /// It was not made.
        Failed = "FAILED",
    }
}

object! {
    /// A frozen copy of a dataset, as far as it was told.
    ///
    /// `name`, `description`, `release_type`, `attributes`, `status`, `created_at` and
    /// `samples_count` are named as in the published software of Segments.ai; `id` is its `uuid`.
    /// The rest is this crate's own.
    pub struct Release {
        /// The release.
        required id: ReleaseId,
        /// What people call it.
        optional name: String,
        /// A sentence for people.
        optional description: String,
        /// What kind of release it is.
        optional release_type: String,
        /// What else belongs to it: commonly an object.
        optional attributes: JsonText,
        /// How the making of it went.
        optional status: ReleaseStatus,
        /// When it was made.
        optional created_at: TimeText,
        /// How many samples it holds.
        optional samples_count: u64,
        /// The dataset that it is a copy of.
        optional dataset_id: DatasetId,
        /// The project that it belongs to.
        optional project_id: ProjectId,
    }
}

object! {
    /// `release.created`: there is a new release of a dataset.
    ///
    /// The event is Segments.ai's (documentation), the payload this crate's own.
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
