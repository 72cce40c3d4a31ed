//! Label events: [`LabelUpdated`], [`LabelDeleted`].

use crate::event::{Keys, Payload};
use crate::event_type::EventType;
use crate::id::{DatasetId, ProjectId, RunId, SampleId};
use crate::json::{JsonText, object, open_enum};
use crate::time::TimeText;

open_enum! {
    /// The status of a label.
    ///
    /// The vocabulary is Segments.ai's label status (published software), which does not define
    /// the values; the descriptions are this crate's reading.
    pub enum LabelStatus {
        /// Checked by a reviewer.
        Reviewed = "REVIEWED",
        /// Being checked by a reviewer.
        ReviewingInProgress = "REVIEWING_IN_PROGRESS",
        /// Complete, awaiting review.
        Labeled = "LABELED",
        /// Being labeled.
        LabelingInProgress = "LABELING_IN_PROGRESS",
        /// Rejected by a reviewer.
        Rejected = "REJECTED",
        /// Labeled by software, not yet by a person.
        Prelabeled = "PRELABELED",
        /// Skipped by the labeler.
        Skipped = "SKIPPED",
        /// Checked by a second reviewer.
        Verified = "VERIFIED",
        /// Not labeled yet.
        Unlabeled = "UNLABELED",
    }
}

object! {
    /// The label of a sample in one label set, with the fields that the sender provided.
    ///
    /// `labelset`, `label_type`, `attributes`, `created_at`, `created_by` and `updated_at` are
    /// named as in the published software of Segments.ai; `sample_id` and `status` are its
    /// `sample_uuid` and `label_status`. The other fields are this crate's own.
    pub struct Label {
        /// The id of the labeled sample.
        required sample_id: SampleId,
        /// The label set it belongs to. A sample has one label per set.
        optional labelset: String,
        /// The kind of label.
        optional label_type: String,
        /// The status.
        optional status: LabelStatus,
        /// The annotations, usually an object whose shape depends on the kind of label.
        optional attributes: JsonText,
        /// The time of creation.
        optional created_at: TimeText,
        /// The user who created it.
        optional created_by: String,
        /// The time of the last change.
        optional updated_at: TimeText,
        /// The dataset that contains the sample.
        optional dataset_id: DatasetId,
        /// The run that created it.
        optional run_id: RunId,
        /// The project it belongs to.
        optional project_id: ProjectId,
    }
}

impl Label {
    fn keys(&self) -> Keys {
        let mut keys = Keys::new().with_ordering(self.sample_id.as_str());
        keys.run.clone_from(&self.run_id);
        keys.project.clone_from(&self.project_id);
        keys.dataset.clone_from(&self.dataset_id);
        keys
    }
}

object! {
    /// `label.updated`: a label was created or changed.
    ///
    /// The event is Segments.ai's (documentation, which lists no `label.created`); the payload is
    /// this crate's own.
    pub struct LabelUpdated {
        /// The label after the change.
        required label: Label,
        /// The names of the changed fields of `label`.
        optional changes: Vec<String>,
    }
}

impl Payload for LabelUpdated {
    const EVENT_TYPE: EventType = EventType::from_static("label.updated");

    fn keys(&self) -> Keys {
        self.label.keys()
    }
}

object! {
    /// `label.deleted`: a label was deleted.
    ///
    /// The event is Segments.ai's (documentation); the payload is this crate's own.
    pub struct LabelDeleted {
        /// The deleted label. Often only the sample's id is known.
        required label: Label,
    }
}

impl Payload for LabelDeleted {
    const EVENT_TYPE: EventType = EventType::from_static("label.deleted");

    fn keys(&self) -> Keys {
        self.label.keys()
    }
}
