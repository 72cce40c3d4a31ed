//! Sample events: [`SampleCreated`], [`SampleUpdated`], [`SampleDeleted`].

use crate::event::{Keys, Payload};
use crate::event_type::EventType;
use crate::id::{DatasetId, LabwareId, ProjectId, RunId, SampleId};
use crate::json::{JsonText, object};
use crate::time::TimeText;

object! {
    /// A sample (an item of a dataset, or a specimen), with the fields that the sender provided.
    ///
    /// `name`, `attributes`, `metadata`, `created_at` and `created_by` are named as in the
    /// published software of Segments.ai. The other fields are this crate's own.
    pub struct Sample {
        /// The sample's id.
        required id: SampleId,
        /// The display name.
        optional name: String,
        /// The dataset that contains it.
        optional dataset_id: DatasetId,
        /// The labware that contains it.
        optional labware_id: LabwareId,
        /// The content, usually an object whose shape depends on the kind of sample.
        optional attributes: JsonText,
        /// Metadata set by its owner, usually an object.
        optional metadata: JsonText,
        /// The time of creation.
        optional created_at: TimeText,
        /// The user who created it.
        optional created_by: String,
        /// The run that created or took it.
        optional run_id: RunId,
        /// The project it belongs to.
        optional project_id: ProjectId,
    }
}

impl Sample {
    fn keys(&self) -> Keys {
        let mut keys = Keys::new().with_ordering(self.id.as_str());
        keys.run.clone_from(&self.run_id);
        keys.project.clone_from(&self.project_id);
        keys.labware.clone_from(&self.labware_id);
        keys.dataset.clone_from(&self.dataset_id);
        keys
    }
}

object! {
    /// `sample.created`: a sample was created.
    ///
    /// The event is Segments.ai's (documentation); the payload is this crate's own.
    pub struct SampleCreated {
        /// The sample.
        required sample: Sample,
    }
}

impl Payload for SampleCreated {
    const EVENT_TYPE: EventType = EventType::from_static("sample.created");

    fn keys(&self) -> Keys {
        self.sample.keys()
    }
}

object! {
    /// `sample.updated`: a sample was changed.
    ///
    /// The event is Segments.ai's (documentation); the payload is this crate's own.
    pub struct SampleUpdated {
        /// The sample after the change.
        required sample: Sample,
        /// The names of the changed fields of `sample`.
        optional changes: Vec<String>,
    }
}

impl Payload for SampleUpdated {
    const EVENT_TYPE: EventType = EventType::from_static("sample.updated");

    fn keys(&self) -> Keys {
        self.sample.keys()
    }
}

object! {
    /// `sample.deleted`: a sample was deleted.
    ///
    /// The event is Segments.ai's (documentation); the payload is this crate's own.
    pub struct SampleDeleted {
        /// The deleted sample. Often only its id is known.
        required sample: Sample,
    }
}

impl Payload for SampleDeleted {
    const EVENT_TYPE: EventType = EventType::from_static("sample.deleted");

    fn keys(&self) -> Keys {
        self.sample.keys()
    }
}
