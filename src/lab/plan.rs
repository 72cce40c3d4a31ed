//! Plan events: [`PlanCreated`].

use crate::event::{Keys, Payload};
use crate::event_type::EventType;
use crate::id::{PlanId, ProjectId, RunId, WorkcellId, WorkflowId};
use crate::json::{object, open_enum};

use super::place::with_place;

open_enum! {
    /// The status of plan generation.
    ///
    /// The vocabulary is Automata LINQ's plan status (published software), which does not define
    /// the values; the descriptions are this crate's reading.
    pub enum PlanStatus {
        /// Still being generated.
        Pending = "PENDING",
        /// Generated.
        Completed = "COMPLETED",
        /// No plan was found.
        Failed = "FAILED",
        /// Plan generation was cancelled.
        Cancelled = "CANCELLED",
        /// Created elsewhere and uploaded.
        Uploaded = "UPLOADED",
    }
}

open_enum! {
    /// The current stage of plan generation.
    ///
    /// The vocabulary is Automata LINQ's plan stage (published software), which does not define
    /// the values; the descriptions are this crate's reading.
    pub enum PlanStage {
        /// The request is queued.
        Queueing = "QUEUEING",
        /// Searching for a first solution.
        Solving = "SOLVING",
        /// Searching for a better solution.
        Optimizing = "OPTIMIZING",
    }
}

object! {
    /// `plan.created`: a scheduler created a plan.
    ///
    /// `plan_id` is named after the plan hook of Automata LINQ, which publishes no payload for it.
    /// The other fields are this crate's own.
    pub struct PlanCreated {
        /// The plan's id.
        required plan_id: PlanId,
        /// The status of plan generation.
        exact status: PlanStatus,
        /// The current stage of plan generation.
        optional stage: PlanStage,
        /// The time from the start of the first task to the end of the last, in whole seconds.
        optional makespan_seconds: u64,
        /// A human-readable message.
        optional message: String,
        /// The workflow it is for.
        optional workflow_id: WorkflowId,
        /// The workcell it is for.
        optional workcell_id: WorkcellId,
        /// The run it is for.
        optional run_id: RunId,
        /// The project that owns the run.
        optional project_id: ProjectId,
    }
}

impl Payload for PlanCreated {
    const EVENT_TYPE: EventType = EventType::from_static("plan.created");

    fn keys(&self) -> Keys {
        let ordering = match &self.run_id {
            Some(run) => run.as_str(),
            None => self.plan_id.as_str(),
        };
        let mut keys = Keys::new().with_ordering(ordering);
        keys.run.clone_from(&self.run_id);
        keys.project.clone_from(&self.project_id);
        with_place(keys, self.workcell_id.as_ref(), None)
    }
}
