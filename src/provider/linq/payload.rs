//! Wire types: the bodies of the five kinds of webhook.

use crate::decode::{Decode, DecodeError, TrustedBody};
use crate::id::{LabwareId, PlanId, RunId, TaskId, WorkcellId};
use crate::json::{object, open_enum};
use crate::lab::{DeviceState, LabwareTrigger, PlanStatus, TaskState};
use crate::time::TimeText;

open_enum! {
    /// State that a run has entered, in the vendor's spelling (published).
    ///
    /// The vendor writes `stoped`. `stopped` is accepted as the same state, and the spelling
    /// received is preserved.
    pub enum RunState {
        /// The run started.
        Started = "started",
        /// The run is paused and can be resumed.
        Paused = "paused",
        /// The run continued after a pause.
        Resumed = "resumed",
        /// The run was stopped, in the vendor's spelling.
        Stoped = "stoped",
        /// The run was stopped, in the dictionary spelling.
        Stopped = "stopped",
    }
}

impl RunState {
    /// Returns whether the run was stopped, in either spelling.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        matches!(self, Self::Stoped | Self::Stopped)
    }
}

object! {
    /// Body of a `RunStateChangeHook`, the only body that the vendor publishes.
    ///
    /// The published example has all four members; a body without a message is read all the same.
    pub struct RunStateChange {
        /// The state that the run has entered.
        required state: RunState,
        /// A human-readable message.
        optional message: String,
        /// The run's id. The vendor's own example is not a valid UUID.
        required run_id: RunId,
        /// When the event happened.
        required timestamp: TimeText,
    }
}

object! {
    /// Body of a `TaskStateChangeHook`. **The vendor does not publish it.**
    ///
    /// The fields are this crate's own: those of [`RunStateChange`], and `task_id`, named after the
    /// SDK. Any object is accepted; a known member of an unexpected type counts as unknown.
    pub struct TaskStateChange {
        /// The task's state, in this crate's terms. Another spelling that it reads, such as
        /// `cancelled`, is written as `canceled`.
        optional state: TaskState,
        /// A human-readable message.
        optional message: String,
        /// The task's run.
        optional run_id: RunId,
        /// When the event happened.
        optional timestamp: TimeText,
        /// The task's id, named after the hook's `task_ids`.
        optional task_id: TaskId,
    }
}

object! {
    /// Body of a `SafetyStateChangeHook`. **The vendor does not publish it.**
    ///
    /// The fields are this crate's own: those of [`RunStateChange`], and the workcell, which the
    /// lab event requires. Any object is accepted; a known member of an unexpected type counts as
    /// unknown.
    ///
    /// It is a notification. Do not build a safety function on it: a webhook can be late, and can
    /// be lost.
    pub struct SafetyStateChange {
        /// The state, in the terms of the SDK's device state; the vendor does not publish whether
        /// its safety hook uses them.
        optional state: DeviceState,
        /// A human-readable message.
        optional message: String,
        /// The active run.
        optional run_id: RunId,
        /// When the event happened.
        optional timestamp: TimeText,
        /// The workcell's id.
        optional workcell_id: WorkcellId,
    }
}

object! {
    /// Body of a `LabwareMovementHook`. **The vendor does not publish it.**
    ///
    /// The fields are this crate's own: those of [`RunStateChange`], and two named after the SDK.
    /// Any object is accepted; a known member of an unexpected type counts as unknown.
    pub struct LabwareMovement {
        /// A state; this crate never writes one of its own.
        optional state: String,
        /// A human-readable message.
        optional message: String,
        /// The run for which the labware was moved.
        optional run_id: RunId,
        /// When the event happened.
        optional timestamp: TimeText,
        /// The labware's id, named after the hook's `labware_ids`.
        optional labware_id: LabwareId,
        /// The end of the movement, in the terms of the hook's `trigger_on`.
        optional trigger: LabwareTrigger,
    }
}

object! {
    /// Body of a `NewPlanHook`. **The vendor does not publish it.**
    ///
    /// The fields are this crate's own: those of [`RunStateChange`], and the plan. Any object is
    /// accepted if its known members are absent, `null` or of the right type.
    pub struct NewPlan {
        /// The status of plan generation, in the terms of the SDK's plan status.
        optional state: PlanStatus,
        /// A human-readable message.
        optional message: String,
        /// The plan's run.
        optional run_id: RunId,
        /// When the event happened.
        optional timestamp: TimeText,
        /// The plan's id.
        optional plan_id: PlanId,
    }
}

macro_rules! decode {
    ($($name:ident,)+) => {
        $(
            /// The caller must know the body's kind; the body does not contain it.
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
            /// A body with all members absent.
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
