//! Run events: [`RunStateChanged`].

use crate::event::{Keys, Payload};
use crate::event_type::EventType;
use crate::id::{ProjectId, RunId, WorkcellId, WorkflowId};
use crate::json::{object, open_enum};
use crate::time::TimeText;

use super::phase::Phase;
use super::place::with_place;

open_enum! {
    /// The state of a run.
    ///
    /// What a state means for those who wait is its [`phase`](Self::phase).
    ///
    /// `started`, `paused`, `resumed` and `stopped` are from Automata LINQ's documentation of its
    /// run hook, which spells the last one `stoped`. `completed` follows `run_completed` in
    /// Strateos's documentation; `canceled` is the spelling in the sample data of its published
    /// software. The others are this crate's own.
    pub enum RunState {
        /// The run waits for its start time, labware, devices or other runs.
        Queued = "queued",
        /// Execution started.
        Started = "started",
        /// Execution is paused and can be resumed.
        Paused = "paused",
        /// Execution is interrupted until a person acts, for instance closes a door or decides how
        /// to recover from an error.
        ActionRequired = "action_required",
        /// Execution continued after a pause or after a person acted.
        Resumed = "resumed",
        /// Execution was stopped before its last instruction.
        Stopped = "stopped",
        /// All instructions were executed.
        Completed = "completed" | "succeeded",
        /// Execution ended with an error.
        Failed = "failed",
        /// The run was canceled.
        Canceled = "canceled" | "cancelled",
        /// Execution was broken off without an orderly end.
        Aborted = "aborted",
    }
}

impl RunState {
    /// Returns what the state means for those who wait; `None` for an unknown state.
    #[must_use]
    pub fn phase(&self) -> Option<Phase> {
        Some(match self {
            Self::Queued => Phase::Waiting,
            Self::Started | Self::Resumed => Phase::Active,
            Self::Paused => Phase::Held,
            Self::ActionRequired => Phase::Blocked,
            Self::Completed => Phase::Completed,
            Self::Stopped | Self::Canceled => Phase::Stopped,
            Self::Aborted => Phase::Aborted,
            Self::Failed => Phase::Failed,
            // A value made by hand may be a known one.
            Self::Other(text) => match Self::from(&**text) {
                Self::Other(_) => return None,
                known => return known.phase(),
            },
        })
    }

    /// Returns whether no other state can follow. Unknown states are not final.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.phase().is_some_and(Phase::is_final)
    }
}

object! {
    /// `run.state_changed`: a run changed state.
    ///
    /// `run_id`, `state` and `message` are named as in the payload that Automata LINQ documents,
    /// `title` as in Strateos's. The other fields are this crate's own; SiLA 2 has a progress and a
    /// remaining time too.
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
        /// The device or instrument that executes the run, if it is a single one.
        #[doc(alias = "instrument")]
        optional device: String,
        /// How much of the run is done, from 0 to 100. The range is not checked.
        optional progress_percent: u8,
        /// The time at which the run is expected to end.
        optional expected_end: TimeText,
        /// The person or system that caused the change. A system that reacts to events can skip
        /// those that it caused itself.
        optional actor: String,
    }
}

impl Payload for RunStateChanged {
    const EVENT_TYPE: EventType = EventType::from_static("run.state_changed");

    fn keys(&self) -> Keys {
        let mut keys =
            Keys::new().with_run(self.run_id.clone()).with_ordering(self.run_id.as_str());
        keys.project.clone_from(&self.project_id);
        with_place(keys, self.workcell_id.as_ref(), self.device.as_deref())
    }
}
