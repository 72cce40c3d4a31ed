//! Mapping between `object` and the lab's models: [`Model`].
//!
//! Each name is listed once for both directions, in the order of the package's declarations.

use super::VENDOR;
use super::members::Members;
use crate::decode::JsonError;
use crate::id::DatasetId;
use crate::json::UnknownMembers;
use crate::lab::{Dataset, Issue, Label, Release, Sample};
use crate::provider::MapError;

/// A lab model that `object` describes.
pub(super) trait Model: Sized {
    /// Reads the model and removes from `object` the members that it reads.
    fn read(dataset: &DatasetId, object: &mut Members) -> Result<Self, MapError>;

    /// Writes the members that [`read`](Self::read) reads. `rest` contains the others; the two are
    /// merged for members that are objects.
    fn write(&self, rest: &mut Members) -> Result<Members, JsonError>;

    fn dataset(&self) -> Option<&DatasetId>;

    fn unknown(&self) -> &UnknownMembers;

    /// Returns the subject of the summary sentence.
    fn title(&self) -> String;
}

fn take_id(
    object: &mut Members,
    name: &'static str,
    member: &'static str,
) -> Result<String, MapError> {
    match object.take(name) {
        Some(id) => Ok(id),
        None if object.has(name) => Err(VENDOR.value(member)),
        None => Err(VENDOR.missing(member)),
    }
}

macro_rules! model {
    (
        $model:ident called $title:expr;
        $id:ident = $id_name:literal,
        $($field:ident = $name:literal,)+
    ) => {
        impl Model for $model {
            fn read(dataset: &DatasetId, object: &mut Members) -> Result<Self, MapError> {
                let id = take_id(object, $id_name, concat!("object.", $id_name))?;
                let mut model = Self::new(id);
                model.dataset_id = Some(dataset.clone());
                $(model.$field = object.take($name);)+
                Ok(model)
            }

            fn write(&self, _: &mut Members) -> Result<Members, JsonError> {
                let mut object = Members::default();
                object.put($id_name, &self.$id)?;
                $(object.put_some($name, self.$field.as_ref())?;)+
                Ok(object)
            }

            fn dataset(&self) -> Option<&DatasetId> {
                self.dataset_id.as_ref()
            }

            fn unknown(&self) -> &UnknownMembers {
                &self.unknown
            }

            fn title(&self) -> String {
                let title: fn(&Self) -> String = $title;
                title(self)
            }
        }
    };
}

model! {
    Sample called |it| format!("Sample {}", it.name.as_deref().unwrap_or(it.id.as_str()));
    id = "uuid",
    name = "name",
    attributes = "attributes",
    metadata = "metadata",
    created_at = "created_at",
    created_by = "created_by",
    labware_id = "labware_id",
    run_id = "run_id",
    project_id = "project_id",
}

model! {
    Label called |it| format!("Label of sample {}", it.sample_id);
    sample_id = "sample_uuid",
    label_type = "label_type",
    status = "label_status",
    labelset = "labelset",
    attributes = "attributes",
    created_at = "created_at",
    created_by = "created_by",
    updated_at = "updated_at",
    run_id = "run_id",
    project_id = "project_id",
}

model! {
    Issue called |it| format!("Issue {}", it.id);
    id = "uuid",
    description = "description",
    created_at = "created_at",
    updated_at = "updated_at",
    created_by = "created_by",
    updated_by = "updated_by",
    comments = "comments",
    status = "status",
    sample_id = "sample_uuid",
    sample_name = "sample_name",
    run_id = "run_id",
    project_id = "project_id",
}

model! {
    Release called |it| format!("Release {}", it.name.as_deref().unwrap_or(it.id.as_str()));
    id = "uuid",
    name = "name",
    description = "description",
    release_type = "release_type",
    attributes = "attributes",
    status = "status",
    created_at = "created_at",
    samples_count = "samples_count",
    project_id = "project_id",
}

/// Special cases: the id is in the envelope, and the owner is an object.
impl Model for Dataset {
    fn read(dataset: &DatasetId, object: &mut Members) -> Result<Self, MapError> {
        let mut model = Self::new(dataset.clone());
        model.name = object.take("name");
        model.full_name = object.take("full_name");
        model.description = object.take("description");
        model.category = object.take("category");
        model.public = object.take("public");
        model.owner = object.take_within("owner", "username");
        model.created_at = object.take("created_at");
        model.task_type = object.take("task_type");
        model.run_id = object.take("run_id");
        model.project_id = object.take("project_id");
        Ok(model)
    }

    fn write(&self, rest: &mut Members) -> Result<Members, JsonError> {
        let mut object = Members::default();
        object.put_some("name", self.name.as_ref())?;
        object.put_some("full_name", self.full_name.as_ref())?;
        object.put_some("description", self.description.as_ref())?;
        object.put_some("category", self.category.as_ref())?;
        object.put_some("public", self.public.as_ref())?;
        if let Some(username) = &self.owner {
            let mut owner = Members::default();
            owner.put("username", username)?;
            owner.append_absent(rest.take("owner").unwrap_or_default());
            object.put("owner", &owner)?;
        }
        object.put_some("created_at", self.created_at.as_ref())?;
        object.put_some("task_type", self.task_type.as_ref())?;
        object.put_some("run_id", self.run_id.as_ref())?;
        object.put_some("project_id", self.project_id.as_ref())?;
        Ok(object)
    }

    fn dataset(&self) -> Option<&DatasetId> {
        Some(&self.id)
    }

    fn unknown(&self) -> &UnknownMembers {
        &self.unknown
    }

    fn title(&self) -> String {
        format!("Dataset {}", self.id)
    }
}
