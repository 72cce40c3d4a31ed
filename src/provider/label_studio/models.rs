//! Mapping between the objects of a webhook and the lab's models.

use super::VENDOR;
use super::object::{AnnotationObject, ProjectObject, TaskObject};
use crate::id::DatasetId;
use crate::lab::{Dataset, Label, LabelStatus, Sample};
use crate::provider::mapping::{Mapping, refuse, write_fields};
use crate::provider::members::Members;

/// A model of what is in a project.
pub(super) trait InProject {
    const MEMBER: &'static str;

    fn dataset_id(&mut self) -> &mut Option<DatasetId>;
}

impl InProject for Sample {
    const MEMBER: &'static str = "data.sample.dataset_id";

    fn dataset_id(&mut self) -> &mut Option<DatasetId> {
        &mut self.dataset_id
    }
}

impl InProject for Label {
    const MEMBER: &'static str = "data.label.dataset_id";

    fn dataset_id(&mut self) -> &mut Option<DatasetId> {
        &mut self.dataset_id
    }
}

/// A project, as a dataset.
pub(super) const PROJECT: Mapping<Dataset> = Mapping {
    vendor: VENDOR,
    object: "project",
    order: ProjectObject::NAMES,
    required: &[
        "project.title",
        "project.description",
        "project.label_config",
        "project.expert_instruction",
        "project.show_instruction",
        "project.show_skip_button",
        "project.enable_empty_annotation",
        "project.show_annotation_history",
        "project.show_collab_predictions",
        "project.evaluate_predictions_automatically",
        "project.token",
        "project.result_count",
        "project.color",
        "project.maximum_annotations",
        "project.min_annotations_to_start_training",
        "project.control_weights",
        "project.model_version",
        "project.data_types",
        "project.is_draft",
        "project.is_published",
        "project.created_at",
        "project.updated_at",
        "project.sampling",
        "project.show_ground_truth_first",
        "project.show_overlap_first",
        "project.overlap_cohort_percentage",
        "project.task_data_login",
        "project.task_data_password",
        "project.organization",
        "project.created_by",
    ],
    read: |object| {
        let id: String = VENDOR.take_number(object, "id", "project.id")?;
        let mut dataset = Dataset::new(id);
        dataset.name = object.take("title");
        dataset.description = object.take("description");
        dataset.created_at = object.take("created_at");
        Ok(dataset)
    },
    write: |dataset, object| {
        refuse!(VENDOR, dataset in "data.dataset":
            full_name owner category task_type public run_id project_id);
        VENDOR.set_number(object, "id", dataset.id.as_str(), "data.dataset.id")?;
        write_fields!(VENDOR, object, dataset in "data.dataset":
            name = "title" description = "description" created_at = "created_at");
        Ok(())
    },
};

/// A deleted project, of which only the id is published.
pub(super) const DELETED_PROJECT: Mapping<Dataset> = Mapping { required: &[], ..PROJECT };

/// A task, as a sample. The dataset is that of the webhook.
pub(super) const TASK: Mapping<Sample> = Mapping {
    vendor: VENDOR,
    object: "tasks",
    order: TaskObject::NAMES,
    required: &[
        "tasks.data",
        "tasks.meta",
        "tasks.created_at",
        "tasks.updated_at",
        "tasks.is_labeled",
        "tasks.project",
    ],
    read: |object| {
        let id: String = VENDOR.take_number(object, "id", "tasks.id")?;
        let mut sample = Sample::new(id);
        sample.attributes = object.take("data");
        sample.metadata = object.take("meta");
        sample.created_at = object.take("created_at");
        Ok(sample)
    },
    write: |sample, object| {
        refuse!(VENDOR, sample in "data.sample": name labware_id created_by run_id project_id);
        VENDOR.set_number(object, "id", sample.id.as_str(), "data.sample.id")?;
        write_fields!(VENDOR, object, sample in "data.sample":
            attributes = "data" metadata = "meta" created_at = "created_at");
        Ok(())
    },
};

/// A deleted task, of which only the id is published.
pub(super) const DELETED_TASK: Mapping<Sample> = Mapping { required: &[], ..TASK };

/// An annotation, as the label of its task. The dataset is that of the webhook.
pub(super) const ANNOTATION: Mapping<Label> = Mapping {
    vendor: VENDOR,
    object: "annotation",
    order: AnnotationObject::NAMES,
    required: &[
        "annotation.id",
        "annotation.result",
        "annotation.completed_by",
        "annotation.was_cancelled",
        "annotation.ground_truth",
        "annotation.created_at",
        "annotation.updated_at",
        "annotation.lead_time",
        "annotation.prediction",
    ],
    read: |object| {
        let task: String = VENDOR.take_number(object, "task", "annotation.task")?;
        let mut label = Label::new(task);
        label.attributes = object.take("result");
        label.status = status(object);
        label.created_at = object.take("created_at");
        label.created_by = object.text_at(&["completed_by"]);
        label.updated_at = object.take("updated_at");
        Ok(label)
    },
    write: |label, object| {
        refuse!(VENDOR, label in "data.label": labelset label_type run_id project_id);
        VENDOR.refuse("data.label.status", label.status != status(object))?;
        VENDOR.check_copy(
            object.text_at(&["completed_by"]),
            label.created_by.as_deref(),
            "annotation.completed_by",
            "data.label.created_by",
        )?;
        VENDOR.set_number(object, "task", label.sample_id.as_str(), "data.label.sample_id")?;
        write_fields!(VENDOR, object, label in "data.label":
            attributes = "result" created_at = "created_at" updated_at = "updated_at");
        Ok(())
    },
};

/// Returns the status of an annotation: a task that was skipped has an empty one.
fn status(annotation: &Members) -> Option<LabelStatus> {
    (annotation.read("was_cancelled") == Some(true)).then_some(LabelStatus::Skipped)
}
