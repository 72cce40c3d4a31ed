//! The quick way from a body to the lab event, field by field.
//!
//! It is for bodies whose members mean the same on both sides. `None` says that the body has to be
//! serialized and read again: it has an unknown member with the name of one of the event's fields,
//! or a member that the event records otherwise.

use super::event::{LINQ_STATE, is_other_spelling};
use super::{
    LabwareMovement, NewPlan, RunState, RunStateChange, SafetyStateChange, TaskStateChange,
};
use crate::event::Event;
use crate::json::UnknownMembers;
use crate::lab::{
    LabwareMoved, PlanCreated, RunStateChanged, SafetyStateChanged, TaskStateChanged,
};

/// Returns the body's unknown members if they are unknown to the event too.
fn passed_on(
    unknown: &UnknownMembers,
    body: &[&'static str],
    data: &[&'static str],
) -> Option<UnknownMembers> {
    let is_known = |name| body.contains(&name) || data.contains(&name) || name == LINQ_STATE;
    let is_plain = unknown.iter().all(|(name, _)| !is_known(name));
    is_plain.then(|| unknown.clone())
}

impl RunStateChange {
    pub(super) fn copy(&self) -> Option<Event<RunStateChanged>> {
        let state = if self.state == RunState::Stoped {
            crate::lab::RunState::Stopped
        } else {
            self.state.as_str().into()
        };
        if self.state != RunState::Stoped && is_other_spelling(&self.state, &state) {
            return None;
        }
        let mut data = RunStateChanged::new(self.run_id.clone(), state);
        data.unknown = passed_on(&self.unknown, Self::NAMES, RunStateChanged::NAMES)?;
        data.message.clone_from(&self.message);
        Some(Event::new(data, self.timestamp.clone()))
    }
}

impl TaskStateChange {
    pub(super) fn copy(&self) -> Option<Event<TaskStateChanged>> {
        let (run, task) = (self.run_id.clone()?, self.task_id.clone()?);
        // A value made by hand can have another spelling than the one that is written.
        let state = self.state.as_ref()?.as_str().into();
        let mut data = TaskStateChanged::new(run, task, state);
        data.unknown = passed_on(&self.unknown, Self::NAMES, TaskStateChanged::NAMES)?;
        data.message.clone_from(&self.message);
        Some(Event::new(data, self.timestamp.clone()?))
    }
}

impl SafetyStateChange {
    pub(super) fn copy(&self) -> Option<Event<SafetyStateChanged>> {
        let state = self.state.as_ref()?.as_str().into();
        let mut data = SafetyStateChanged::new(self.workcell_id.clone()?, state);
        data.unknown = passed_on(&self.unknown, Self::NAMES, SafetyStateChanged::NAMES)?;
        data.message.clone_from(&self.message);
        data.run_id.clone_from(&self.run_id);
        Some(Event::new(data, self.timestamp.clone()?))
    }
}

impl LabwareMovement {
    pub(super) fn copy(&self) -> Option<Event<LabwareMoved>> {
        let trigger = self.trigger.as_ref()?.as_str().into();
        let mut data = LabwareMoved::new(self.labware_id.clone()?, trigger);
        data.unknown = passed_on(&self.unknown, Self::NAMES, LabwareMoved::NAMES)?;
        // The event keeps it among its unknown members.
        if self.state.is_some() {
            return None;
        }
        data.message.clone_from(&self.message);
        data.run_id.clone_from(&self.run_id);
        Some(Event::new(data, self.timestamp.clone()?))
    }
}

impl NewPlan {
    pub(super) fn copy(&self) -> Option<Event<PlanCreated>> {
        let status = self.state.as_ref()?.as_str().into();
        let mut data = PlanCreated::new(self.plan_id.clone()?, status);
        data.unknown = passed_on(&self.unknown, Self::NAMES, PlanCreated::NAMES)?;
        data.message.clone_from(&self.message);
        data.run_id.clone_from(&self.run_id);
        Some(Event::new(data, self.timestamp.clone()?))
    }
}
