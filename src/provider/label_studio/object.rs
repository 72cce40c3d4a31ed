//! The objects of a webhook, with the members of the published examples.
//!
//! All members except ids are optional: those of a deleted project or task are ids only, and the
//! models of Label Studio, whose fields they are, change with its versions.

use crate::json::{JsonText, object};
use crate::time::TimeText;

object! {
    /// Project of a webhook.
    pub struct ProjectObject {
        /// The project's id.
        required id: u64,
        /// The title.
        optional title: String,
        /// The description.
        nullable description: String,
        /// The configuration of the labeling interface: XML.
        nullable label_config: String,
        /// The instructions for annotators: HTML.
        nullable expert_instruction: String,
        /// Whether the instructions are shown.
        optional show_instruction: bool,
        /// Whether a task can be skipped.
        optional show_skip_button: bool,
        /// Whether an annotation may be empty.
        optional enable_empty_annotation: bool,
        /// Whether the history of an annotation is shown.
        optional show_annotation_history: bool,
        /// Whether predictions are shown.
        optional show_collab_predictions: bool,
        /// Whether predictions are requested automatically.
        optional evaluate_predictions_automatically: bool,
        /// The project's token.
        nullable token: String,
        /// The number of results.
        optional result_count: u64,
        /// The color.
        nullable color: String,
        /// The number of annotations per task.
        optional maximum_annotations: u64,
        /// The number of annotations at which training starts.
        optional min_annotations_to_start_training: u64,
        /// The weights of controls and labels: an object.
        nullable control_weights: JsonText,
        /// The version of the model whose predictions are shown.
        nullable model_version: String,
        /// The data types by the names of the data's members: an object.
        nullable data_types: JsonText,
        /// Whether it is a draft.
        optional is_draft: bool,
        /// Whether it is published to annotators.
        optional is_published: bool,
        /// The time of creation.
        optional created_at: TimeText,
        /// The time of the last change.
        optional updated_at: TimeText,
        /// The order in which tasks are shown.
        nullable sampling: String,
        /// Whether tasks with a ground truth come first.
        optional show_ground_truth_first: bool,
        /// Whether tasks for several annotators come first.
        optional show_overlap_first: bool,
        /// The percentage of tasks for several annotators.
        optional overlap_cohort_percentage: u64,
        /// The login for task data.
        nullable task_data_login: String,
        /// The password for task data.
        nullable task_data_password: String,
        /// The id of the organization.
        nullable organization: u64,
        /// The id of the user who created it.
        nullable created_by: u64,
    }
}

object! {
    /// Task of a `TASKS_*` webhook.
    pub struct TaskObject {
        /// The task's id.
        required id: u64,
        /// The data, or a reference to it: an object.
        optional data: JsonText,
        /// The metadata: an object.
        nullable meta: JsonText,
        /// The time of creation.
        optional created_at: TimeText,
        /// The time of the last change.
        optional updated_at: TimeText,
        /// Whether it has the annotations that the project asks for.
        optional is_labeled: bool,
        /// The number of annotators.
        optional overlap: u64,
        /// The id of the project.
        nullable project: u64,
        /// The id of the file that it was imported from.
        nullable file_upload: u64,
    }
}

object! {
    /// Annotation of an `ANNOTATION*` webhook.
    pub struct AnnotationObject {
        /// The annotation's id.
        required id: u64,
        /// The annotated regions: an array.
        nullable result: JsonText,
        /// Whether the task was skipped.
        optional was_cancelled: bool,
        /// Whether it is a ground truth.
        optional ground_truth: bool,
        /// The time of creation.
        optional created_at: TimeText,
        /// The time of the last change.
        optional updated_at: TimeText,
        /// The time that it took, in seconds: a number.
        nullable lead_time: JsonText,
        /// The prediction that was shown: an object.
        nullable prediction: JsonText,
        /// The number of results.
        optional result_count: u64,
        /// The id of the task.
        nullable task: u64,
        /// The id of the user who made it.
        nullable completed_by: u64,
    }
}
