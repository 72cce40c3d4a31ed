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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A body with some of the members that a body or an event has, and others.
    fn body() -> impl Strategy<Value = String> {
        const NAMES: [&str; 20] = [
            "state",
            "message",
            "run_id",
            "timestamp",
            "task_id",
            "workcell_id",
            "labware_id",
            "trigger",
            "plan_id",
            "state",
            "timestamp",
            "run_id",
            "linq_state",
            "status",
            "device",
            "title",
            "previous_state",
            "from",
            "x",
            "y",
        ];
        let text = prop_oneof![
            Just("\"stopped\""),
            Just("\"stoped\""),
            Just("\"cancelled\""),
            Just("\"end\""),
            Just("\"PENDING\""),
            Just("\"2025-04-17T09:30:00.000Z\""),
            Just("\"r\\u0031\""),
        ];
        let value = prop_oneof![6 => text, 1 => Just("7"), 1 => Just("null"), 1 => Just("{}")];
        let member = (prop::sample::select(&NAMES[..]), value);
        prop::collection::vec(member, 0..14).prop_map(|members| {
            let mut seen = Vec::new();
            let mut all = String::new();
            for (name, value) in members {
                if !seen.contains(&name) {
                    all += &format!("{}\"{name}\":{value}", if all.is_empty() { "" } else { "," });
                    seen.push(name);
                }
            }
            format!("{{{all}}}")
        })
    }

    proptest! {
        #[test]
        fn copied_event_equals_the_reread_one(body in body()) {
            macro_rules! check {
                ($($kind:ident)+) => {
                    $(
                        if let Ok(body) = serde_json::from_str::<$kind>(&body)
                            && let Some(event) = body.copy()
                        {
                            prop_assert_eq!(Ok(event), body.reread());
                        }
                    )+
                };
            }
            check!(RunStateChange TaskStateChange SafetyStateChange LabwareMovement NewPlan);
        }
    }

    #[test]
    fn published_body_is_copied() {
        let body = include_str!("../../../tests/data/linq/run_state_change.json");
        let body: RunStateChange = serde_json::from_str(body).unwrap();
        assert!(body.copy().is_some());
    }
}
