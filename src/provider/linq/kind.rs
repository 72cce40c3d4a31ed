//! What a webhook tells of: [`Kind`].

use std::fmt;

use crate::event::Payload;
use crate::event_type::EventType;
use crate::lab::{
    LabwareMoved, PlanCreated, RunStateChanged, SafetyStateChanged, TaskStateChanged,
};

/// What a webhook tells of: one kind for each of the SDK's classes of hook.
///
/// No body says which kind it is of. A receiver knows it from where the request came in: a URL of
/// its own for each kind, or a header that the hook's `parameters` set.
///
/// `#[non_exhaustive]`: the vendor may add kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// `RunStateChangeHook`.
    RunStateChange,
    /// `TaskStateChangeHook`.
    TaskStateChange,
    /// `SafetyStateChangeHook`.
    SafetyStateChange,
    /// `LabwareMovementHook`.
    LabwareMovement,
    /// `NewPlanHook`.
    NewPlan,
}

impl Kind {
    /// All of them, in the order of the vendor's page.
    pub const ALL: &'static [Self] = &[
        Self::RunStateChange,
        Self::TaskStateChange,
        Self::SafetyStateChange,
        Self::LabwareMovement,
        Self::NewPlan,
    ];

    /// The text that stands for it in a hook's `filter` (published software).
    #[must_use]
    pub const fn filter(self) -> &'static str {
        match self {
            Self::RunStateChange => "on_run_state_change",
            Self::TaskStateChange => "on_task_state_change",
            Self::SafetyStateChange => "on_safety_state_change",
            Self::LabwareMovement => "on_labware_movement",
            Self::NewPlan => "on_new_plan",
        }
    }

    /// The kind that this text stands for in a hook's `filter`.
    #[must_use]
    pub fn from_filter(filter: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.filter() == filter)
    }

    /// The type of the lab event that a webhook of this kind becomes.
    #[must_use]
    pub const fn event_type(self) -> EventType {
        match self {
            Self::RunStateChange => RunStateChanged::EVENT_TYPE,
            Self::TaskStateChange => TaskStateChanged::EVENT_TYPE,
            Self::SafetyStateChange => SafetyStateChanged::EVENT_TYPE,
            Self::LabwareMovement => LabwareMoved::EVENT_TYPE,
            Self::NewPlan => PlanCreated::EVENT_TYPE,
        }
    }
}

/// The text of its [`filter`](Kind::filter).
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.filter())
    }
}
