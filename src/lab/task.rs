//! Task events: [`TaskStateChanged`].

use crate::event::{Keys, Payload};
use crate::event_type::EventType;
use crate::id::{ProjectId, RunId, TaskId};
use crate::json::{object, open_enum};

open_enum! {
    /// The state of a task.
    ///
    /// Defined by this crate: Automata LINQ has a task hook but publishes no states for it.
    /// `skipped` is the result of its recovery action `skip-task` (published software).
    pub enum TaskState {
        /// Waiting for its start time, labware or device.
        Pending = "pending",
        /// In progress.
        Running = "running",
        /// Paused; can be resumed.
        Paused = "paused",
        /// Completed.
        Completed = "completed",
        /// Ended with an error; another attempt may follow.
        Failed = "failed",
        /// Skipped.
        Skipped = "skipped",
        /// Canceled.
        Canceled = "canceled",
    }
}

object! {
    /// `task.state_changed`: a task (a unit of scheduled work) changed state.
    ///
    /// Defined by this crate: no vendor publishes such a payload.
    pub struct TaskStateChanged {
        /// The id of the run that the task belongs to.
        required run_id: RunId,
        /// The task's id.
        exact task_id: TaskId,
        /// The current state.
        exact state: TaskState,
        /// The state before the change.
        optional previous_state: TaskState,
        /// The number of the attempt at the task, counted from 1.
        optional attempt: u32,
        /// The device that executes it.
        optional device: String,
        /// A human-readable message.
        optional message: String,
        /// The project that owns the run.
        optional project_id: ProjectId,
    }
}

impl Payload for TaskStateChanged {
    const EVENT_TYPE: EventType = EventType::from_static("task.state_changed");

    fn keys(&self) -> Keys {
        let mut keys = Keys::new()
            .with_run(self.run_id.clone())
            .with_task(self.task_id.clone())
            .with_ordering(self.run_id.as_str());
        keys.project.clone_from(&self.project_id);
        keys
    }
}
