//! Issues: [`IssueCreated`], [`IssueUpdated`].

use crate::event::{Keys, Payload};
use crate::event_type::EventType;
use crate::id::{DatasetId, IssueId, ProjectId, RunId, SampleId};
use crate::json::{JsonText, object, open_enum};
use crate::time::TimeText;

open_enum! {
    /// Whether an issue is settled.
    ///
    /// The vocabulary is Segments.ai's issue status (published software).
    pub enum IssueStatus {
        /// It is not settled.
        Open = "OPEN",
        /// It is settled.
        Closed = "CLOSED",
    }
}

object! {
    /// A remark about a sample that somebody has to see to, as far as it was told.
    ///
    /// `description`, `status`, `comments`, `sample_name`, `created_at`, `created_by`,
    /// `updated_at` and `updated_by` are named as in the published software of Segments.ai; `id`
    /// and `sample_id` are its `uuid` and `sample_uuid`. The rest is this crate's own.
    pub struct Issue {
        /// The issue.
        required id: IssueId,
        /// What it is about.
        optional description: String,
        /// Whether it is settled.
        optional status: IssueStatus,
        /// What was said to it: commonly an array.
        optional comments: JsonText,
        /// The sample that it is about.
        optional sample_id: SampleId,
        /// What people call the sample.
        optional sample_name: String,
        /// When it was made.
        optional created_at: TimeText,
        /// Who made it.
        optional created_by: String,
        /// When it was changed last.
        optional updated_at: TimeText,
        /// Who changed it last.
        optional updated_by: String,
        /// The dataset that the sample is in.
        optional dataset_id: DatasetId,
        /// The run that it is about.
        optional run_id: RunId,
        /// The project that it belongs to.
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
    /// `issue.created`: somebody has raised an issue.
    ///
    /// The event is Segments.ai's (documentation), the payload this crate's own.
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
    /// `issue.updated`: an issue has received a reply, or something about it has changed.
    ///
    /// The event is Segments.ai's (documentation), the payload this crate's own.
    pub struct IssueUpdated {
        /// The issue, as it is now.
        required issue: Issue,
        /// The names of the members of `issue` that have changed.
        optional changes: Vec<String>,
    }
}

impl Payload for IssueUpdated {
    const EVENT_TYPE: EventType = EventType::from_static("issue.updated");

    fn keys(&self) -> Keys {
        self.issue.keys()
    }
}
