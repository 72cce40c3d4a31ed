//! Dataset events: [`DatasetCreated`], [`DatasetUpdated`], [`DatasetDeleted`].

use crate::event::{Keys, Payload};
use crate::event_type::EventType;
use crate::id::{DatasetId, ProjectId, RunId};
use crate::json::object;
use crate::time::TimeText;

object! {
    /// A dataset, with the fields that the sender provided.
    ///
    /// `name`, `full_name`, `description`, `category`, `task_type`, `public` and `created_at` are
    /// named as in the published software of Segments.ai, which does not list their values; there,
    /// `owner` is an object. The other fields are this crate's own.
    pub struct Dataset {
        /// The dataset's id.
        required id: DatasetId,
        /// The name, without the owner.
        optional name: String,
        /// The owner and name, such as `jane/flowers`.
        optional full_name: String,
        /// The owner.
        optional owner: String,
        /// A human-readable description.
        optional description: String,
        /// The category.
        optional category: String,
        /// The kind of labeling task.
        optional task_type: String,
        /// Whether it is public.
        optional public: bool,
        /// The time of creation.
        optional created_at: TimeText,
        /// The run that produced its data.
        optional run_id: RunId,
        /// The project it belongs to.
        optional project_id: ProjectId,
    }
}

impl Dataset {
    fn keys(&self) -> Keys {
        let mut keys = Keys::new().with_dataset(self.id.clone()).with_ordering(self.id.as_str());
        keys.run.clone_from(&self.run_id);
        keys.project.clone_from(&self.project_id);
        keys
    }
}

object! {
    /// `dataset.created`: a dataset was created.
    ///
    /// The event is Segments.ai's (documentation); the payload is this crate's own.
    pub struct DatasetCreated {
        /// The dataset.
        required dataset: Dataset,
    }
}

impl Payload for DatasetCreated {
    const EVENT_TYPE: EventType = EventType::from_static("dataset.created");

    fn keys(&self) -> Keys {
        self.dataset.keys()
    }
}

object! {
    /// `dataset.updated`: a dataset was changed.
    ///
    /// The event is Segments.ai's (documentation); the payload is this crate's own.
    pub struct DatasetUpdated {
        /// The dataset after the change.
        required dataset: Dataset,
        /// The names of the changed fields of `dataset`.
        optional changes: Vec<String>,
    }
}

impl Payload for DatasetUpdated {
    const EVENT_TYPE: EventType = EventType::from_static("dataset.updated");

    fn keys(&self) -> Keys {
        self.dataset.keys()
    }
}

object! {
    /// `dataset.deleted`: a dataset was deleted.
    ///
    /// The event is Segments.ai's (documentation); the payload is this crate's own.
    pub struct DatasetDeleted {
        /// The deleted dataset. Often only its id is known.
        required dataset: Dataset,
    }
}

impl Payload for DatasetDeleted {
    const EVENT_TYPE: EventType = EventType::from_static("dataset.deleted");

    fn keys(&self) -> Keys {
        self.dataset.keys()
    }
}
