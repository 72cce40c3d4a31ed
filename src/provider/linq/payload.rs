//! The bodies of the five kinds of webhook, as they are on the wire.

use crate::decode::{Decode, DecodeError, TrustedBody};
use crate::id::{LabwareId, PlanId, RunId, TaskId, WorkcellId};
use crate::json::{object, open_enum};
use crate::lab::{DeviceState, LabwareTrigger, PlanStatus, TaskState};
use crate::time::TimeText;

open_enum! {
    /// What a run has just done, in the vendor's words (published).
    ///
    /// The vendor writes `stoped`. A receiver takes `stopped` for the same, and which of the two
    /// came is kept.
    pub enum RunState {
        /// It began to execute.
        Started = "started",
        /// It waits, and can be resumed.
        Paused = "paused",
        /// It goes on after a pause.
        Resumed = "resumed",
        /// It was stopped, as the vendor spells it.
        Stoped = "stoped",
        /// It was stopped, as a dictionary spells it.
        Stopped = "stopped",
    }
}

impl RunState {
    /// Whether the run was stopped, in either spelling.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        matches!(self, Self::Stoped | Self::Stopped)
    }
}

object! {
    /// The body of a `RunStateChangeHook`: the one that the vendor publishes.
    ///
    /// The published example has all four members, and so must a body that is read.
    pub struct RunStateChange {
        /// What the run has just done.
        required state: RunState,
        /// A sentence for people.
        required message: String,
        /// The run. The vendor's own example is no valid UUID.
        required run_id: RunId,
        /// When it happened.
        required timestamp: TimeText,
    }
}

object! {
    /// The body of a `TaskStateChangeHook`. **The vendor does not publish it.**
    ///
    /// The shape is this crate's own: that of [`RunStateChange`], with the member that the SDK
    /// has a name for. It takes any object in which the members that it knows, where they are
    /// there and not `null`, have their type.
    pub struct TaskStateChange {
        /// Where the task stands, in this crate's words.
        optional state: TaskState,
        /// A sentence for people.
        optional message: String,
        /// The run that the task belongs to.
        optional run_id: RunId,
        /// When it happened.
        optional timestamp: TimeText,
        /// The task, named after the `task_ids` of the hook.
        optional task_id: TaskId,
    }
}

object! {
    /// The body of a `SafetyStateChangeHook`. **The vendor does not publish it.**
    ///
    /// The shape is this crate's own: that of [`RunStateChange`], with the workcell, which the
    /// event cannot do without. It takes any object in which the members that it knows, where
    /// they are there and not `null`, have their type.
    ///
    /// It tells people and programs what has happened. It is no part of what makes a machine
    /// safe: a webhook can be late, and can be lost.
    pub struct SafetyStateChange {
        /// The state, in the words of the SDK's device state; the vendor does not say that its
        /// safety hook uses them.
        optional state: DeviceState,
        /// A sentence for people.
        optional message: String,
        /// The run that was on.
        optional run_id: RunId,
        /// When it happened.
        optional timestamp: TimeText,
        /// The workcell.
        optional workcell_id: WorkcellId,
    }
}

object! {
    /// The body of a `LabwareMovementHook`. **The vendor does not publish it.**
    ///
    /// The shape is this crate's own: that of [`RunStateChange`], with the members that the SDK
    /// has names for. It takes any object in which the members that it knows, where they are
    /// there and not `null`, have their type.
    pub struct LabwareMovement {
        /// Some state; this crate writes none by itself.
        optional state: String,
        /// A sentence for people.
        optional message: String,
        /// The run that the labware was moved for.
        optional run_id: RunId,
        /// When it happened.
        optional timestamp: TimeText,
        /// The piece of labware, named after the `labware_ids` of the hook.
        optional labware_id: LabwareId,
        /// Which end of the movement this is, in the words of the hook's `trigger_on`.
        optional trigger: LabwareTrigger,
    }
}

object! {
    /// The body of a `NewPlanHook`. **The vendor does not publish it.**
    ///
    /// The shape is this crate's own: that of [`RunStateChange`], with the plan. It takes any
    /// object in which the members that it knows, where they are there and not `null`, have their
    /// type.
    pub struct NewPlan {
        /// How the making of the plan stands, in the words of the SDK's plan status.
        optional state: PlanStatus,
        /// A sentence for people.
        optional message: String,
        /// The run that the plan is for.
        optional run_id: RunId,
        /// When it happened.
        optional timestamp: TimeText,
        /// The plan.
        optional plan_id: PlanId,
    }
}

macro_rules! decode {
    ($($name:ident,)+) => {
        $(
            /// The body has to be of this kind: it cannot say so itself.
            impl Decode for $name {
                fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError> {
                    body.json()
                }
            }
        )+
    };
}

decode! {
    RunStateChange,
    TaskStateChange,
    SafetyStateChange,
    LabwareMovement,
    NewPlan,
}

macro_rules! default {
    ($($name:ident,)+) => {
        $(
            /// A body that says nothing.
            impl Default for $name {
                fn default() -> Self {
                    Self::new()
                }
            }
        )+
    };
}

default! {
    TaskStateChange,
    SafetyStateChange,
    LabwareMovement,
    NewPlan,
}
