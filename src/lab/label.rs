//! Labels: [`LabelUpdated`], [`LabelDeleted`].

use crate::event::{Keys, Payload};
use crate::event_type::EventType;
use crate::id::{DatasetId, ProjectId, RunId, SampleId};
use crate::json::{JsonText, object, open_enum};
use crate::time::TimeText;

open_enum! {
    /// How far the work on a label is.
    ///
    /// The vocabulary is Segments.ai's label status (published software), which does not say what
    /// each of them means: the sentences here are how this crate reads them.
    pub enum LabelStatus {
        /// Somebody has checked it.
        Reviewed = "REVIEWED",
        /// Somebody is checking it.
        ReviewingInProgress = "REVIEWING_IN_PROGRESS",
        /// It is there, and waits for review.
        Labeled = "LABELED",
        /// Somebody is making it.
        LabelingInProgress = "LABELING_IN_PROGRESS",
        /// Somebody has checked it and sent it back.
        Rejected = "REJECTED",
        /// A program made a first version of it.
        Prelabeled = "PRELABELED",
        /// Somebody passed the sample over.
        Skipped = "SKIPPED",
        /// A second person has checked it.
        Verified = "VERIFIED",
        /// It is not there yet.
        Unlabeled = "UNLABELED",
    }
}

object! {
    /// What was said about a sample in one set of labels, as far as it was told.
    ///
    /// `labelset`, `label_type`, `attributes`, `created_at`, `created_by` and `updated_at` are
    /// named as in the published software of Segments.ai; `sample_id` and `status` are its
    /// `sample_uuid` and `label_status`. The rest is this crate's own.
    pub struct Label {
        /// The sample that it is about.
        required sample_id: SampleId,
        /// The set of labels that it belongs to: a sample has one label in each.
        optional labelset: String,
        /// What kind of label it is.
        optional label_type: String,
        /// How far the work on it is.
        optional status: LabelStatus,
        /// What it says: commonly an object, whose form depends on the kind of label.
        optional attributes: JsonText,
        /// When it was made.
        optional created_at: TimeText,
        /// Who made it.
        optional created_by: String,
        /// When it was changed last.
        optional updated_at: TimeText,
        /// The dataset that the sample is in.
        optional dataset_id: DatasetId,
        /// The run that made it.
        optional run_id: RunId,
        /// The project that it belongs to.
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
    /// `label.updated`: something about a label has changed, or there is one now.
    ///
    /// The event is Segments.ai's (documentation, which lists no `label.created`), the payload
    /// this crate's own.
    pub struct LabelUpdated {
        /// The label, as it is now.
        required label: Label,
        /// The names of the members of `label` that have changed.
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
    /// `label.deleted`: a label is no more.
    ///
    /// The event is Segments.ai's (documentation), the payload this crate's own: the label as it
    /// was, of which the sample's id will often be all that is left.
    pub struct LabelDeleted {
        /// The label, as it was.
        required label: Label,
    }
}

impl Payload for LabelDeleted {
    const EVENT_TYPE: EventType = EventType::from_static("label.deleted");

    fn keys(&self) -> Keys {
        self.label.keys()
    }
}
