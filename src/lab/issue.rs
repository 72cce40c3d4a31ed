//! Issue events: [`IssueCreated`], [`IssueUpdated`].

use crate::event::{Keys, Payload};
use crate::event_type::EventType;
use crate::id::{DatasetId, IssueId, ProjectId, RunId, SampleId};
use crate::json::{JsonText, object, open_enum};
use crate::time::TimeText;

open_enum! {
    /// The status of an issue.
    ///
    /// The vocabulary is Segments.ai's issue status (published software).
    pub enum IssueStatus {
        /// Unresolved.
        Open = "OPEN",
        /// Resolved.
        Closed = "CLOSED",
    }
}

object! {
    /// An issue raised about a sample, with the fields that the sender provided.
    ///
    /// `description`, `status`, `comments`, `sample_name`, `created_at`, `created_by`,
    /// `updated_at` and `updated_by` are named as in the published software of Segments.ai; `id`
    /// and `sample_id` are its `uuid` and `sample_uuid`. The other fields are this crate's own.
    pub struct Issue {
        /// The issue's id.
        required id: IssueId,
        /// A human-readable description.
        optional description: String,
        /// The status.
        optional status: IssueStatus,
        /// The comments, usually an array.
        optional comments: JsonText,
        /// The sample it is about.
        optional sample_id: SampleId,
        /// The sample's display name.
        optional sample_name: String,
        /// The time of creation.
        optional created_at: TimeText,
        /// The user who created it.
        optional created_by: String,
        /// The time of the last change.
        optional updated_at: TimeText,
        /// The user who last changed it.
        optional updated_by: String,
        /// The dataset that contains the sample.
        optional dataset_id: DatasetId,
        /// The run it is about.
        optional run_id: RunId,
        /// The project it belongs to.
        optional project_id: ProjectId,
    }
}

impl Issue {
    fn keys(&self) -> Keys {
        let mut keys = Keys::new().with_ordering(self.id.as_str());
        keys.run.clone_from(&self.run_id);
        keys.project.clone_from(&self.project_id);
        keys.dataset.clone_from(&self.dataset_id);
        keys
    }
}

object! {
    /// `issue.created`: an issue was raised.
    ///
    /// The event is Segments.ai's (documentation); the payload is this crate's own.
    pub struct IssueCreated {
        /// The issue.
        required issue: Issue,
    }
}

impl Payload for IssueCreated {
    const EVENT_TYPE: EventType = EventType::from_static("issue.created");

    fn keys(&self) -> Keys {
        self.issue.keys()
    }
}

object! {
    /// `issue.updated`: an issue was changed or commented on.
    ///
    /// The event is Segments.ai's (documentation); the payload is this crate's own.
    pub struct IssueUpdated {
        /// The issue after the change.
        required issue: Issue,
        /// The names of the changed fields of `issue`.
        optional changes: Vec<String>,
    }
}

impl Payload for IssueUpdated {
    const EVENT_TYPE: EventType = EventType::from_static("issue.updated");

    fn keys(&self) -> Keys {
        self.issue.keys()
    }
}
