//! Tasks: [`TaskStateChanged`].

use crate::event::{Keys, Payload};
use crate::event_type::EventType;
use crate::id::{ProjectId, RunId, TaskId};
use crate::json::{object, open_enum};

open_enum! {
    /// Where a task stands.
    ///
    /// This crate's own: Automata LINQ has a task hook and publishes no states for it. `skipped`
    /// is what its recovery action `skip-task` (published software) leads to.
    pub enum TaskState {
        /// It waits for its time, its labware or its device.
        Pending = "pending",
        /// It is being carried out.
        Running = "running",
        /// It waits, and can be resumed.
        Paused = "paused",
        /// It was carried out.
        Completed = "completed",
        /// It ended because something went wrong; another attempt may follow.
        Failed = "failed",
        /// It was passed over.
        Skipped = "skipped",
        /// It was called off.
        Canceled = "canceled",
    }
}

object! {
    /// `task.state_changed`: one unit of scheduled work went from one state to another.
    ///
    /// This crate's own: no vendor publishes such a payload.
    pub struct TaskStateChanged {
        /// The run that the task belongs to.
        required run_id: RunId,
        /// The task.
        required task_id: TaskId,
        /// The state that it is in now.
        required state: TaskState,
        /// The state that it was in before.
        optional previous_state: TaskState,
        /// Which try at the task it is: a count from 1.
        optional attempt: u32,
        /// The device that carries it out.
        optional device: String,
        /// A sentence for people.
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
