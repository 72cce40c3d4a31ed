//! Samples: [`SampleCreated`], [`SampleUpdated`], [`SampleDeleted`].

use crate::event::{Keys, Payload};
use crate::event_type::EventType;
use crate::id::{DatasetId, LabwareId, ProjectId, RunId, SampleId};
use crate::json::{JsonText, object};
use crate::time::TimeText;

object! {
    /// A sample, as far as it was told: one item of a dataset, or one specimen.
    ///
    /// `name`, `attributes`, `metadata`, `created_at` and `created_by` are named as in the
    /// published software of Segments.ai. The rest is this crate's own.
    pub struct Sample {
        /// The sample.
        required id: SampleId,
        /// What people call it.
        optional name: String,
        /// The dataset that it is in.
        optional dataset_id: DatasetId,
        /// The labware that it is in.
        optional labware_id: LabwareId,
        /// What it is: commonly an object, whose form depends on the kind of sample.
        optional attributes: JsonText,
        /// What its owner noted about it: commonly an object.
        optional metadata: JsonText,
        /// When it was made.
        optional created_at: TimeText,
        /// Who made it.
        optional created_by: String,
        /// The run that made it or took it.
        optional run_id: RunId,
        /// The project that it belongs to.
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
    /// `sample.created`: there is a new sample.
    ///
    /// The event is Segments.ai's (documentation), the payload this crate's own.
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
    /// `sample.updated`: something about a sample has changed.
    ///
    /// The event is Segments.ai's (documentation), the payload this crate's own.
    pub struct SampleUpdated {
        /// The sample, as it is now.
        required sample: Sample,
        /// The names of the members of `sample` that have changed.
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
    /// `sample.deleted`: a sample is no more.
    ///
    /// The event is Segments.ai's (documentation), the payload this crate's own: the sample as it
    /// was, of which the id will often be all that is left.
    pub struct SampleDeleted {
        /// The sample, as it was.
        required sample: Sample,
    }
}

impl Payload for SampleDeleted {
    const EVENT_TYPE: EventType = EventType::from_static("sample.deleted");

    fn keys(&self) -> Keys {
        self.sample.keys()
    }
}
