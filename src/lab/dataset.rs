//! Datasets: [`DatasetCreated`], [`DatasetUpdated`], [`DatasetDeleted`].

use crate::event::{Keys, Payload};
use crate::event_type::EventType;
use crate::id::{DatasetId, ProjectId, RunId};
use crate::json::object;
use crate::time::TimeText;

object! {
    /// A dataset, as far as it was told.
    ///
    /// `name`, `full_name`, `description`, `category`, `task_type`, `public` and `created_at` are
    /// named as in the published software of Segments.ai, which lists no values for them; `owner`
    /// is an object there. The rest is this crate's own.
    pub struct Dataset {
        /// The dataset.
        required id: DatasetId,
        /// Its name, alone.
        optional name: String,
        /// Its owner and its name, such as `jane/flowers`.
        optional full_name: String,
        /// Whose it is.
        optional owner: String,
        /// A sentence for people.
        optional description: String,
        /// What it is about.
        optional category: String,
        /// What is done with its samples.
        optional task_type: String,
        /// Whether everybody may see it.
        optional public: bool,
        /// When it was made.
        optional created_at: TimeText,
        /// The run that its data is from.
        optional run_id: RunId,
        /// The project that it belongs to.
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
    /// `dataset.created`: there is a new dataset.
    ///
    /// The event is Segments.ai's (documentation), the payload this crate's own.
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
    /// `dataset.updated`: something about a dataset has changed.
    ///
    /// The event is Segments.ai's (documentation), the payload this crate's own.
    pub struct DatasetUpdated {
        /// The dataset, as it is now.
        required dataset: Dataset,
        /// The names of the members of `dataset` that have changed.
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
    /// `dataset.deleted`: a dataset is no more.
    ///
    /// The event is Segments.ai's (documentation), the payload this crate's own: the dataset as it
    /// was, of which the id will often be all that is left.
    pub struct DatasetDeleted {
        /// The dataset, as it was.
        required dataset: Dataset,
    }
}

impl Payload for DatasetDeleted {
    const EVENT_TYPE: EventType = EventType::from_static("dataset.deleted");

    fn keys(&self) -> Keys {
        self.dataset.keys()
    }
}
