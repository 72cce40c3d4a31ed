//! Mapping between `object` and the lab's models: [`Model`].
//!
//! Each name is listed once for both directions, in the order of the package's declarations.

use super::VENDOR;
use crate::decode::JsonError;
use crate::id::{DatasetId, IssueId, LabwareId, ProjectId, ReleaseId, RunId, SampleId};
use crate::json::{JsonText, Nullable, object};
use crate::lab::{Dataset, Issue, IssueStatus, Label, LabelStatus, Release, ReleaseStatus, Sample};
use crate::provider::MapError;
use crate::provider::carrier::LabModel;
use crate::provider::members::Members;
use crate::time::TimeText;

/// A lab model that `object` describes.
pub(super) trait Model: LabModel {
    /// Reads the model and removes from `object` the members that it reads.
    fn read(dataset: &DatasetId, object: &mut Members) -> Result<Self, MapError>;

    /// Reads the model and the other members of `object` in one pass. `None` if the members have to
    /// be read one by one: one of them has another type, is `null` or is missing.
    fn read_at_once(dataset: &DatasetId, object: &JsonText) -> Option<(Self, Members)>;

    /// Writes the members that [`read`](Self::read) reads. `rest` contains the others; the two are
    /// merged for members that are objects.
    fn write(&self, rest: &mut Members) -> Result<Members, JsonError>;

    fn dataset(&self) -> Option<&DatasetId>;

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

/// The value of a member that is not `null`.
fn present<T>(member: Nullable<T>) -> Option<Option<T>> {
    match member {
        Nullable::Absent => Some(None),
        Nullable::Null => None,
        Nullable::Value(value) => Some(Some(value)),
    }
}

macro_rules! model {
    (
        $model:ident as $wire:ident called $title:expr;
        $id:ident: $id_type:ty = $id_name:literal,
        $($field:ident: $type:ty = $name:literal,)+
    ) => {
        object! {
            /// `object`, with the members that the model reads.
            struct $wire {
                required $id: $id_type as $id_name,
                $(nullable $field: $type as $name,)+
            }
        }

        impl Model for $model {
            fn read(dataset: &DatasetId, object: &mut Members) -> Result<Self, MapError> {
                let id = take_id(object, $id_name, concat!("object.", $id_name))?;
                let mut model = Self::new(id);
                model.dataset_id = Some(dataset.clone());
                $(model.$field = object.take($name);)+
                Ok(model)
            }

            fn read_at_once(dataset: &DatasetId, object: &JsonText) -> Option<(Self, Members)> {
                let object: $wire = object.read_strictly()?;
                let mut model = Self::new(object.$id);
                model.dataset_id = Some(dataset.clone());
                $(model.$field = present(object.$field)?;)+
                Some((model, object.unknown.into()))
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

            fn title(&self) -> String {
                let title: fn(&Self) -> String = $title;
                title(self)
            }
        }
    };
}

model! {
    Sample as SampleWire called
        |it| format!("Sample {}", it.name.as_deref().unwrap_or(it.id.as_str()));
    id: SampleId = "uuid",
    name: String = "name",
    attributes: JsonText = "attributes",
    metadata: JsonText = "metadata",
    created_at: TimeText = "created_at",
    created_by: String = "created_by",
    labware_id: LabwareId = "labware_id",
    run_id: RunId = "run_id",
    project_id: ProjectId = "project_id",
}

model! {
    Label as LabelWire called
        |it| format!("Label of sample {}", it.sample_id);
    sample_id: SampleId = "sample_uuid",
    label_type: String = "label_type",
    status: LabelStatus = "label_status",
    labelset: String = "labelset",
    attributes: JsonText = "attributes",
    created_at: TimeText = "created_at",
    created_by: String = "created_by",
    updated_at: TimeText = "updated_at",
    run_id: RunId = "run_id",
    project_id: ProjectId = "project_id",
}

model! {
    Issue as IssueWire called
        |it| format!("Issue {}", it.id);
    id: IssueId = "uuid",
    description: String = "description",
    created_at: TimeText = "created_at",
    updated_at: TimeText = "updated_at",
    created_by: String = "created_by",
    updated_by: String = "updated_by",
    comments: JsonText = "comments",
    status: IssueStatus = "status",
    sample_id: SampleId = "sample_uuid",
    sample_name: String = "sample_name",
    run_id: RunId = "run_id",
    project_id: ProjectId = "project_id",
}

model! {
    Release as ReleaseWire called
        |it| format!("Release {}", it.name.as_deref().unwrap_or(it.id.as_str()));
    id: ReleaseId = "uuid",
    name: String = "name",
    description: String = "description",
    release_type: String = "release_type",
    attributes: JsonText = "attributes",
    status: ReleaseStatus = "status",
    created_at: TimeText = "created_at",
    samples_count: u64 = "samples_count",
    project_id: ProjectId = "project_id",
}

object! {
    /// `object`, with the members that a dataset reads, except `owner`.
    struct DatasetWire {
        nullable name: String,
        nullable full_name: String,
        nullable description: String,
        nullable category: String,
        nullable public: bool,
        nullable created_at: TimeText,
        nullable task_type: String,
        nullable run_id: RunId,
        nullable project_id: ProjectId,
    }
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

    fn read_at_once(dataset: &DatasetId, object: &JsonText) -> Option<(Self, Members)> {
        let object: DatasetWire = object.read_strictly()?;
        let mut model = Self::new(dataset.clone());
        model.name = present(object.name)?;
        model.full_name = present(object.full_name)?;
        model.description = present(object.description)?;
        model.category = present(object.category)?;
        model.public = present(object.public)?;
        model.created_at = present(object.created_at)?;
        model.task_type = present(object.task_type)?;
        model.run_id = present(object.run_id)?;
        model.project_id = present(object.project_id)?;
        let mut rest = Members::from(object.unknown);
        model.owner = rest.take_within("owner", "username");
        Some((model, rest))
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

    fn title(&self) -> String {
        format!("Dataset {}", self.id)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An object with some of the members of all models, and others.
    fn object() -> impl Strategy<Value = String> {
        const NAMES: [&str; 18] = [
            "uuid",
            "uuid",
            "uuid",
            "sample_uuid",
            "name",
            "attributes",
            "metadata",
            "created_at",
            "label_status",
            "status",
            "public",
            "owner",
            "samples_count",
            "run_id",
            "comments",
            "labelset",
            "x",
            "y",
        ];
        let value = prop_oneof![
            6 => Just(r#""2021-08-09T14:40:19.987691+00:00""#),
            1 => Just("1.10"),
            1 => Just("7"),
            1 => Just("null"),
            1 => Just("true"),
            2 => Just(r#"{"username":"jane","z":1.0}"#),
            1 => Just(r#"{"username":null}"#),
            1 => Just(r#"{"username":"jane","username":"joe"}"#),
        ];
        let member = (prop::sample::select(&NAMES[..]), value);
        prop::collection::vec(member, 0..8).prop_map(|members| {
            let write = |(name, value): (&str, &str)| format!("\"{name}\":{value}");
            format!("{{{}}}", members.into_iter().map(write).collect::<Vec<_>>().join(","))
        })
    }

    fn check<M: Model + PartialEq + std::fmt::Debug>(object: &str) {
        let (dataset, text) = ("jane/flowers".into(), JsonText::new(object).unwrap());
        let Some((model, rest)) = M::read_at_once(&dataset, &text) else { return };
        let mut members: Members = text.read().unwrap();
        assert_eq!(M::read(&dataset, &mut members), Ok(model), "{object}");
        let [rest, members] = [&rest, &members].map(|it| serde_json::to_string(it).unwrap());
        assert_eq!(rest, members, "{object}");
    }

    proptest! {
        #[test]
        fn model_read_at_once_equals_that_by_member(object in object()) {
            check::<Dataset>(&object);
            check::<Sample>(&object);
            check::<Label>(&object);
            check::<Issue>(&object);
            check::<Release>(&object);
        }
    }

    #[test]
    fn common_object_is_read_at_once() {
        let read = |object| Sample::read_at_once(&"d".into(), &JsonText::new(object).unwrap());
        assert!(read(r#"{"uuid":"9f3b","name":"rose.png","priority":0.50}"#).is_some());
        assert!(read(r#"{"uuid":"9f3b","name":null}"#).is_none());
        assert!(read(r#"{"uuid":7}"#).is_none());
    }
}
