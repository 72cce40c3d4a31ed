//! Plans: [`PlanCreated`].

use crate::event::{Keys, Payload};
use crate::event_type::EventType;
use crate::id::{PlanId, ProjectId, RunId, WorkcellId, WorkflowId};
use crate::json::{object, open_enum};

open_enum! {
    /// How the making of a plan stands.
    ///
    /// The vocabulary is Automata LINQ's plan status (published software), which does not say
    /// what each of them means: the sentences here are how this crate reads them.
    pub enum PlanStatus {
        /// It is still being made.
        Pending = "PENDING",
        /// It is there.
        Completed = "COMPLETED",
        /// None was found.
        Failed = "FAILED",
        /// The making of it was called off.
        Cancelled = "CANCELLED",
        /// It was made elsewhere and handed in.
        Uploaded = "UPLOADED",
    }
}

open_enum! {
    /// What a scheduler that makes a plan is doing.
    ///
    /// The vocabulary is Automata LINQ's plan stage (published software), which does not say what
    /// each of them means: the sentences here are how this crate reads them.
    pub enum PlanStage {
        /// The request waits its turn.
        Queueing = "QUEUEING",
        /// A first solution is looked for.
        Solving = "SOLVING",
        /// A better solution is looked for.
        Optimizing = "OPTIMIZING",
    }
}

object! {
    /// `plan.created`: a scheduler has a new plan.
    ///
    /// `plan_id` is named after the plan hook of Automata LINQ, which publishes no payload for it;
    /// the rest is this crate's own.
    pub struct PlanCreated {
        /// The plan.
        required plan_id: PlanId,
        /// How the making of it stands.
        required status: PlanStatus,
        /// What the scheduler is doing.
        optional stage: PlanStage,
        /// How long the plan takes from its first task to the end of its last, in whole seconds.
        optional makespan_seconds: u64,
        /// A sentence for people.
        optional message: String,
        /// The workflow that it is for.
        optional workflow_id: WorkflowId,
        /// The workcell that it is for.
        optional workcell_id: WorkcellId,
        /// The run that it is for.
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
        keys
    }
}
