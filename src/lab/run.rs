//! Runs: [`RunStateChanged`].

use crate::event::{Keys, Payload};
use crate::event_type::EventType;
use crate::id::{ProjectId, RunId, WorkcellId, WorkflowId};
use crate::json::{object, open_enum};

open_enum! {
    /// What a run has just done.
    ///
    /// `started`, `paused`, `resumed` and `stopped` are from Automata LINQ's documentation of its
    /// run hook, which spells the last one `stoped`. `completed` follows the `run_completed` of
    /// Strateos's documentation, `canceled` the spelling in the sample data of its published
    /// software. `failed` is this crate's own.
    pub enum RunState {
        /// It began to execute.
        Started = "started",
        /// It waits, and can be resumed.
        Paused = "paused",
        /// It goes on after a pause.
        Resumed = "resumed",
        /// It was ended before its last instruction.
        Stopped = "stopped",
        /// It executed to its end.
        Completed = "completed",
        /// It ended because something went wrong.
        Failed = "failed",
        /// It was called off.
        Canceled = "canceled",
    }
}

impl RunState {
    /// Whether no other state can follow. An unknown state is not taken to be final.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Stopped | Self::Completed | Self::Failed | Self::Canceled)
    }
}

object! {
    /// `run.state_changed`: a run went from one state to another.
    ///
    /// `run_id`, `state` and `message` are named as in the payload that Automata LINQ documents,
    /// `title` as in that of Strateos; the rest is this crate's own.
    pub struct RunStateChanged {
        /// The run.
        required run_id: RunId,
        /// The state that it is in now.
        required state: RunState,
        /// The state that it was in before.
        optional previous_state: RunState,
        /// A sentence for people.
        optional message: String,
        /// What people call the run.
        optional title: String,
        /// The project that owns it.
        optional project_id: ProjectId,
        /// The workflow that it executes.
        optional workflow_id: WorkflowId,
        /// Where it executes.
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
