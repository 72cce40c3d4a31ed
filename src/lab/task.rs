//! Task events: [`TaskStateChanged`].

use crate::event::{Keys, Payload};
use crate::event_type::EventType;
use crate::id::{ProjectId, RunId, TaskId};
use crate::json::{object, open_enum};
use crate::time::TimeText;

use super::phase::Phase;
use super::place::with_place;

open_enum! {
    /// The state of a task.
    ///
    /// What a state means for those who wait is its [`phase`](Self::phase).
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
        /// Interrupted until a person acts.
        ActionRequired = "action_required",
        /// Completed.
        Completed = "completed" | "succeeded",
        /// Ended with an error; another attempt may follow.
        Failed = "failed",
        /// Skipped.
        Skipped = "skipped",
        /// Canceled.
        Canceled = "canceled" | "cancelled",
        /// Broken off without an orderly end.
        Aborted = "aborted",
    }
}

impl TaskState {
    /// Returns what the state means for those who wait; `None` for an unknown state.
    ///
    /// A skipped task counts as stopped: nothing follows, and its work was not done.
    #[must_use]
    pub fn phase(&self) -> Option<Phase> {
        Some(match self {
            Self::Pending => Phase::Waiting,
            Self::Running => Phase::Active,
            Self::Paused => Phase::Held,
            Self::ActionRequired => Phase::Blocked,
            Self::Completed => Phase::Completed,
            Self::Skipped | Self::Canceled => Phase::Stopped,
            Self::Aborted => Phase::Aborted,
            Self::Failed => Phase::Failed,
            // A value made by hand may be a known one.
            Self::Other(text) => match Self::from(&**text) {
                Self::Other(_) => return None,
                known => return known.phase(),
            },
        })
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
        /// The device or instrument that executes it.
        #[doc(alias = "instrument")]
        optional device: String,
        /// A human-readable message.
        optional message: String,
        /// The project that owns the run.
        optional project_id: ProjectId,
        /// How much of the task is done, from 0 to 100. The range is not checked.
        optional progress_percent: u8,
        /// The time at which the task is expected to end.
        optional expected_end: TimeText,
        /// The person or system that caused the change.
        optional actor: String,
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
        with_place(keys, None, self.device.as_deref())
    }
}
