//! The kind of a LINQ webhook: [`Kind`].

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};

use crate::event::Payload;
use crate::event_type::EventType;
use crate::lab::{
    LabwareMoved, PlanCreated, RunStateChanged, SafetyStateChanged, TaskStateChanged,
};
use crate::named::ParseNameError;

/// Kind of webhook: one for each hook class of the vendor's SDK.
///
/// A body does not contain its kind. The receiver knows it from the request: each kind has its own
/// URL, or a header set by the hook's `parameters`.
///
/// `#[non_exhaustive]`: the vendor may add kinds.
///
/// ```
/// use labhook::provider::linq::Kind;
///
/// let kind: Kind = "on_new_plan".parse()?;
/// assert_eq!(kind, Kind::NewPlan);
/// assert_eq!(kind.event_type().as_str(), "plan.created");
/// # Ok::<(), labhook::provider::linq::ParseNameError>(())
/// ```
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
    /// All kinds, in the order of the vendor's page.
    pub const ALL: &'static [Self] = &[
        Self::RunStateChange,
        Self::TaskStateChange,
        Self::SafetyStateChange,
        Self::LabwareMovement,
        Self::NewPlan,
    ];

    /// Returns the kind's text in a hook's `filter` (published software).
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

    /// Returns the kind for the text of a hook's `filter`.
    #[must_use]
    pub fn from_filter(filter: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.filter() == filter)
    }

    /// Returns the type of the lab event that a webhook of this kind is mapped to.
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

/// Writes the [`filter`](Kind::filter) text.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.filter())
    }
}

/// Parses the [`filter`](Kind::filter) text.
impl FromStr for Kind {
    type Err = ParseNameError;

    fn from_str(text: &str) -> Result<Self, ParseNameError> {
        let known = Self::ALL.iter().map(|kind| kind.filter());
        Self::from_filter(text).ok_or_else(|| ParseNameError::new("hook kind", text, known))
    }
}

/// Writes the [`filter`](Kind::filter) text.
impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.filter())
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
