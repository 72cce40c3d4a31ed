//! From the robot's statuses to lab events.
//!
//! | run status | state | phase |
//! |---|---|---|
//! | `idle` | queued | waiting |
//! | `running` | started, or resumed after `paused` and the like | active |
//! | `finishing`, `stop-requested` | as `running` | active |
//! | `paused` | paused | held |
//! | `blocked-by-open-door` | action_required | blocked |
//! | `awaiting-recovery`, `-paused`, `-blocked-by-open-door` | action_required | blocked |
//! | `succeeded` | completed | completed |
//! | `stopped` | stopped | stopped |
//! | `failed` | failed | failed |
//!
//! A status that is not in the table is kept as it is. The event's `message` has the robot's own
//! word, because several of them are one state.
//!
//! | emergency stop | state | severity |
//! |---|---|---|
//! | `physicallyEngaged`, `logicallyEngaged` | emergency_stop | critical |
//! | `disengaged` | ready | normal |
//! | `notPresent` | offline | warning |
//!
//! | door | state | severity |
//! |---|---|---|
//! | `open`, and it must be closed to run | action_required | warning |
//! | `open` otherwise, `closed` | ready | normal |

use labhook::lab::{
    DeviceState, InstructionCompleted, Phase, RunState, RunStateChanged, SafetyStateChanged,
    Severity,
};

use crate::robot::{Command, Door, Estop, Run};

/// Returns the state of a run with this status, which had `before`.
#[must_use]
pub fn run_state(status: &str, before: Option<&RunState>) -> RunState {
    match status {
        "idle" => RunState::Queued,
        "running" | "finishing" | "stop-requested" => match before {
            Some(RunState::Started) => RunState::Started,
            Some(it) if it.phase() != Some(Phase::Waiting) => RunState::Resumed,
            _ => RunState::Started,
        },
        "paused" => RunState::Paused,
        "blocked-by-open-door"
        | "awaiting-recovery"
        | "awaiting-recovery-paused"
        | "awaiting-recovery-blocked-by-open-door" => RunState::ActionRequired,
        "succeeded" => RunState::Completed,
        "stopped" => RunState::Stopped,
        "failed" => RunState::Failed,
        other => RunState::from(other),
    }
}

/// The event of a run whose status has changed.
#[must_use]
pub fn run_changed(robot: &str, run: &Run, before: Option<&RunState>) -> RunStateChanged {
    let mut event = RunStateChanged::new(run.id.as_str(), run_state(&run.status, before));
    event.previous_state = before.cloned();
    let errors: Vec<_> = run.errors.iter().map(|error| error.detail.as_str()).collect();
    event.message = Some(match errors.join(" ") {
        detail if detail.is_empty() => run.status.clone(),
        detail => format!("{}: {detail}", run.status),
    });
    event.workflow_id = run.protocol_id.as_deref().map(Into::into);
    event.workcell_id = Some(robot.into());
    event
}

/// The event of a command that has succeeded.
#[must_use]
pub fn completed(run: &str, position: u64, command: &Command) -> InstructionCompleted {
    let mut event = InstructionCompleted::new(run, command.id.as_str().into());
    event.sequence_no = Some(position);
    event.operation = Some(command.command_type.clone());
    event.completed_at = command.completed_at.as_deref().and_then(|it| it.parse().ok());
    event
}

/// The event of an emergency stop whose status has changed.
#[must_use]
pub fn estop_changed(robot: &str, estop: &Estop) -> SafetyStateChanged {
    let (state, severity) = match estop.status.as_str() {
        "physicallyEngaged" | "logicallyEngaged" => {
            (DeviceState::EmergencyStop, Severity::Critical)
        }
        "disengaged" => (DeviceState::Ready, Severity::Normal),
        "notPresent" => (DeviceState::Offline, Severity::Warning),
        other => (DeviceState::from(other), Severity::Warning),
    };
    safety(robot, "estop", state, severity, &estop.status)
}

/// The event of a door whose status has changed.
#[must_use]
pub fn door_changed(robot: &str, door: &Door) -> SafetyStateChanged {
    let (state, severity) = match door.status.as_str() {
        "open" if door.door_required_closed_for_protocol => {
            (DeviceState::ActionRequired, Severity::Warning)
        }
        "open" | "closed" => (DeviceState::Ready, Severity::Normal),
        other => (DeviceState::from(other), Severity::Warning),
    };
    safety(robot, "door", state, severity, &door.status)
}

fn safety(
    robot: &str,
    device: &str,
    state: DeviceState,
    severity: Severity,
    status: &str,
) -> SafetyStateChanged {
    let mut event = SafetyStateChanged::new(robot, state);
    event.device = Some(device.to_owned());
    event.severity = Some(severity);
    event.message = Some(status.to_owned());
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The statuses of `EngineStatus`.
    const STATUSES: [(&str, RunState, Phase); 12] = [
        ("idle", RunState::Queued, Phase::Waiting),
        ("running", RunState::Started, Phase::Active),
        ("paused", RunState::Paused, Phase::Held),
        ("blocked-by-open-door", RunState::ActionRequired, Phase::Blocked),
        ("stop-requested", RunState::Started, Phase::Active),
        ("finishing", RunState::Started, Phase::Active),
        ("awaiting-recovery", RunState::ActionRequired, Phase::Blocked),
        ("awaiting-recovery-paused", RunState::ActionRequired, Phase::Blocked),
        ("awaiting-recovery-blocked-by-open-door", RunState::ActionRequired, Phase::Blocked),
        ("stopped", RunState::Stopped, Phase::Stopped),
        ("failed", RunState::Failed, Phase::Failed),
        ("succeeded", RunState::Completed, Phase::Completed),
    ];

    #[test]
    fn each_run_status_has_its_state_and_phase() {
        for (status, state, phase) in STATUSES {
            assert_eq!(run_state(status, Some(&RunState::Queued)), state, "{status}");
            assert_eq!(run_state(status, None).phase(), Some(phase), "{status}");
        }
    }

    #[test]
    fn running_after_an_interruption_is_resumed() {
        for before in [RunState::Paused, RunState::ActionRequired, RunState::Resumed] {
            assert_eq!(run_state("running", Some(&before)), RunState::Resumed);
            assert_eq!(run_state("finishing", Some(&before)), RunState::Resumed);
        }
        assert_eq!(run_state("running", Some(&RunState::Started)), RunState::Started);
        assert_eq!(run_state("running", None), RunState::Started);
    }

    #[test]
    fn unknown_status_is_kept() {
        assert_eq!(run_state("calibrating", None).as_str(), "calibrating");
    }

    #[test]
    fn safety_statuses_have_their_states() {
        let estop = |status: &str| {
            let event = estop_changed("r", &Estop { status: status.into() });
            (event.state, event.severity.unwrap())
        };
        for engaged in ["physicallyEngaged", "logicallyEngaged"] {
            assert_eq!(estop(engaged), (DeviceState::EmergencyStop, Severity::Critical));
        }
        assert_eq!(estop("disengaged"), (DeviceState::Ready, Severity::Normal));
        assert_eq!(estop("notPresent"), (DeviceState::Offline, Severity::Warning));
        let door = |status: &str, required| {
            let door = Door { status: status.into(), door_required_closed_for_protocol: required };
            door_changed("r", &door).state
        };
        assert_eq!(door("open", true), DeviceState::ActionRequired);
        assert_eq!(door("open", false), DeviceState::Ready);
        assert_eq!(door("closed", true), DeviceState::Ready);
    }
}
