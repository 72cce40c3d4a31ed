//! Run events: [`RunStateChanged`].

use crate::event::{Keys, Payload};
use crate::event_type::EventType;
use crate::id::{ProjectId, RunId, WorkcellId, WorkflowId};
use crate::json::{object, open_enum};

open_enum! {
    /// The state of a run.
    ///
    /// `started`, `paused`, `resumed` and `stopped` are from Automata LINQ's documentation of its
    /// run hook, which spells the last one `stoped`. `completed` follows `run_completed` in
    /// Strateos's documentation; `canceled` is the spelling in the sample data of its published
    /// software. `failed` is this crate's own.
    pub enum RunState {
        /// Execution started.
        Started = "started",
        /// Execution is paused and can be resumed.
        Paused = "paused",
        /// Execution continued after a pause.
        Resumed = "resumed",
        /// Execution was stopped before its last instruction.
        Stopped = "stopped",
        /// All instructions were executed.
        Completed = "completed",
        /// Execution ended with an error.
        Failed = "failed",
        /// The run was canceled.
        Canceled = "canceled",
    }
}

impl RunState {
    /// Returns whether no other state can follow. Unknown states are not final.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Stopped | Self::Completed | Self::Failed | Self::Canceled)
    }
}

object! {
    /// `run.state_changed`: a run changed state.
    ///
    /// `run_id`, `state` and `message` are named as in the payload that Automata LINQ documents,
    /// `title` as in Strateos's. The other fields are this crate's own.
    ///
    /// ```
    /// use labhook::lab::{RunState, RunStateChanged};
    ///
    /// let mut failed = RunStateChanged::new("run-17", RunState::Failed);
    /// failed.previous_state = Some(RunState::Started);
    /// failed.message = Some("Out of tips.".to_owned());
    /// assert!(failed.state.is_final());
    /// ```
    ///
    /// The state has its own type, so it cannot be swapped with the id:
    ///
    /// ```compile_fail
    /// # use labhook::lab::RunStateChanged;
    /// let swapped = RunStateChanged::new("completed", "run-17");
    /// ```
    pub struct RunStateChanged {
        /// The run's id.
        required run_id: RunId,
        /// The current state.
        exact state: RunState,
        /// The state before the change.
        optional previous_state: RunState,
        /// A human-readable message.
        optional message: String,
        /// The run's display name.
        optional title: String,
        /// The project that owns the run.
        optional project_id: ProjectId,
        /// The workflow that the run executes.
        optional workflow_id: WorkflowId,
        /// The workcell that executes the run.
        optional workcell_id: WorkcellId,
    }
}

impl Payload for RunStateChanged {
    const EVENT_TYPE: EventType = EventType::from_static("run.state_changed");

    fn keys(&self) -> Keys {
        let mut keys =
            Keys::new().with_run(self.run_id.clone()).with_ordering(self.run_id.as_str());
        keys.project.clone_from(&self.project_id);
        keys
    }
}
