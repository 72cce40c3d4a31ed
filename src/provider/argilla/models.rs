//! Mapping between `data` and the lab's models.

use super::VENDOR;
use super::object::{DatasetObject, RecordObject, ResponseObject};
use crate::id::DatasetId;
use crate::lab::{Dataset, Label, Release, Sample};
use crate::provider::mapping::{Mapping, refuse, write_fields};
use crate::provider::members::Members;

const OBJECT: &str = "data";

/// A dataset, as such.
pub(super) const DATASET: Mapping<Dataset> = Mapping {
    vendor: VENDOR,
    object: OBJECT,
    order: DatasetObject::NAMES,
    required: REQUIRED_OF_DATASET,
    read: |object| {
        let mut dataset = Dataset::new(VENDOR.take_id::<DatasetId>(object, "id", "data.id")?);
        dataset.name = object.take("name");
        dataset.created_at = object.take("inserted_at");
        Ok(dataset)
    },
    write: |dataset, object| {
        refuse!(VENDOR, dataset in "data.dataset": full_name owner description category task_type public run_id project_id);
        VENDOR.set(object, "id", &dataset.id, "data.dataset.id")?;
        write_fields!(VENDOR, object, dataset in "data.dataset":
            name = "name" created_at = "inserted_at");
        Ok(())
    },
};

/// A dataset, as its own release.
pub(super) const RELEASE: Mapping<Release> = Mapping {
    vendor: VENDOR,
    object: OBJECT,
    order: DatasetObject::NAMES,
    required: REQUIRED_OF_DATASET,
    read: |object| {
        let id: String = VENDOR.take_id(object, "id", "data.id")?;
        let mut release = Release::new(id.clone());
        release.dataset_id = Some(id.into());
        release.name = object.take("name");
        Ok(release)
    },
    write: |release, object| {
        refuse!(VENDOR, release in "data.release": description release_type attributes status created_at samples_count project_id);
        let is_other = |id: &DatasetId| id.as_str() != release.id.as_str();
        VENDOR
            .refuse("data.release.dataset_id", release.dataset_id.as_ref().is_some_and(is_other))?;
        VENDOR.set(object, "id", &release.id, "data.release.id")?;
        write_fields!(VENDOR, object, release in "data.release": name = "name");
        Ok(())
    },
};

/// A record.
pub(super) const RECORD: Mapping<Sample> = Mapping {
    vendor: VENDOR,
    object: OBJECT,
    order: RecordObject::NAMES,
    required: REQUIRED_OF_RECORD,
    read: |object| {
        let mut sample = Sample::new(VENDOR.take_id::<String>(object, "id", "data.id")?);
        sample.attributes = object.take("fields");
        sample.metadata = object.take("metadata");
        sample.created_at = object.take("inserted_at");
        sample.dataset_id = object.text_at(&["dataset", "id"]).map(DatasetId::from);
        Ok(sample)
    },
    write: |sample, object| {
        refuse!(VENDOR, sample in "data.sample": name labware_id created_by run_id project_id);
        VENDOR.check_copy(
            object.text_at(&["dataset", "id"]),
            sample.dataset_id.as_ref().map(DatasetId::as_str),
            "data.dataset",
            "data.sample.dataset_id",
        )?;
        VENDOR.set(object, "id", &sample.id, "data.sample.id")?;
        write_fields!(VENDOR, object, sample in "data.sample":
            attributes = "fields" metadata = "metadata" created_at = "inserted_at");
        Ok(())
    },
};

/// A response, as the label of its record.
pub(super) const RESPONSE: Mapping<Label> = Mapping {
    vendor: VENDOR,
    object: OBJECT,
    order: ResponseObject::NAMES,
    required: REQUIRED_OF_RESPONSE,
    read: |object| {
        let id = record_id(object).ok_or_else(|| match object.has("record") {
            true => VENDOR.value("data.record.id"),
            false => VENDOR.missing("data.record.id"),
        })?;
        let mut label = Label::new(id);
        label.attributes = object.take("values");
        label.status = object.take("status");
        label.created_at = object.take("inserted_at");
        label.updated_at = object.take("updated_at");
        label.created_by = object.text_at(&["user", "username"]);
        label.dataset_id = dataset_id_of_record(object).map(DatasetId::from);
        Ok(label)
    },
    write: |label, object| {
        refuse!(VENDOR, label in "data.label": labelset label_type run_id project_id);
        VENDOR.check_copy(
            record_id(object),
            Some(label.sample_id.as_str()),
            "data.record",
            "data.label.sample_id",
        )?;
        VENDOR.check_copy(
            dataset_id_of_record(object),
            label.dataset_id.as_ref().map(DatasetId::as_str),
            "data.record.dataset",
            "data.label.dataset_id",
        )?;
        VENDOR.check_copy(
            object.text_at(&["user", "username"]),
            label.created_by.as_deref(),
            "data.user",
            "data.label.created_by",
        )?;
        write_fields!(VENDOR, object, label in "data.label":
            attributes = "values" status = "status" created_at = "inserted_at"
            updated_at = "updated_at");
        Ok(())
    },
};

fn record_id(response: &Members) -> Option<String> {
    response.text_at(&["record", "id"])
}

fn dataset_id_of_record(response: &Members) -> Option<String> {
    response.text_at(&["record", "dataset", "id"])
}

/// The members that the schema requires of a dataset.
const REQUIRED_OF_DATASET: &[&str] = &[
    "data.name",
    "data.allow_extra_metadata",
    "data.status",
    "data.distribution",
    "data.workspace",
    "data.questions",
    "data.fields",
    "data.metadata_properties",
    "data.vectors_settings",
    "data.last_activity_at",
    "data.inserted_at",
    "data.updated_at",
];

/// The members that the schema requires of a record.
const REQUIRED_OF_RECORD: &[&str] =
    &["data.status", "data.fields", "data.dataset", "data.inserted_at", "data.updated_at"];

/// The members that the schema requires of a response.
const REQUIRED_OF_RESPONSE: &[&str] =
    &["data.id", "data.status", "data.record", "data.user", "data.inserted_at", "data.updated_at"];
