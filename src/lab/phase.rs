//! What a state means for those who wait: [`Phase`].

/// Phase of a run or a task: what a state means for those who wait for it.
///
/// The states of a run and of a task are words of their senders. The phase is what to act on: wait,
/// call somebody, or continue with the next step. [`RunState::phase`](super::RunState::phase) and
/// [`TaskState::phase`](super::TaskState::phase) return it.
///
/// ```
/// use labhook::lab::{Phase, RunState};
///
/// let next = |state: &str| match RunState::from(state).phase() {
///     Some(Phase::Completed) => "fetch the plates",
///     Some(Phase::Blocked) => "call somebody",
///     Some(phase) if phase.is_final() => "clean up",
///     Some(_) => "wait",
///     None => "log it: a state of a later version, or of the sender alone",
/// };
/// assert_eq!(next("succeeded"), "fetch the plates");
/// assert_eq!(next("action_required"), "call somebody");
/// assert_eq!(next("cancelled"), "clean up");
/// assert_eq!(next("queued"), "wait");
/// ```
///
/// # Other vocabularies
///
/// A bridge to another system chooses the state of the same phase. A state in which the other
/// system is still busy with ending is active here, so that a final phase is final.
///
/// | phase | run states | task states | LINQ | Opentrons |
/// |---|---|---|---|---|
/// | waiting | queued | pending | | idle |
/// | active | started, resumed | running | started, resumed | running, finishing, stop-requested |
/// | held | paused | paused | paused | paused |
/// | blocked | action_required | action_required | | awaiting-recovery*, blocked-by-open-door |
/// | completed | completed | completed | | succeeded |
/// | stopped | stopped, canceled | skipped, canceled | stoped, stopped | stopped |
/// | aborted | aborted | aborted | | |
/// | failed | failed | failed | | failed |
///
/// `completed` is also read as `succeeded`, and `canceled` as `cancelled`.
///
/// | phase | ISA-95 | LADS and PackML | SiLA 2 | Bluesky |
/// |---|---|---|---|---|
/// | waiting | Waiting, Ready, Loaded | Resetting, Idle, Starting | waiting | |
/// | active | Running | Execute, Unholding, Unsuspending, Completing, Stopping, Aborting | running
/// | held | Suspended | Suspending, Suspended | | |
/// | blocked | Held, Error | Holding, Held | | |
/// | completed | Completed, Closed | Complete | finishedSuccessfully | success |
/// | stopped | | Stopped | | |
/// | aborted | Aborted | Aborted, Clearing | | abort |
/// | failed | | | finishedWithError | fail |
///
/// Sources, each for the states and not for the phase, which is this crate's reading:
///
/// - LINQ: Automata's documentation of the run hook, which spells one state `stoped`.
/// - Opentrons: the run status of its published robot software. `awaiting-recovery*` are the three
///   that begin so.
/// - ISA-95: the job order states of OPC 10031-4. `Held` is a constraint, `Suspended` a decision,
///   and `Error` requires attention.
/// - LADS: OPC 30500-1, 7.1.5 and 7.1.6; PackML: OPC 30050. A unit that was never
///   started is `Stopped` too.
/// - SiLA 2: the status of the execution of an observable command.
/// - Bluesky: `exit_status` of the run stop document of its event model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// It has not begun.
    Waiting,
    /// It is in progress.
    Active,
    /// Somebody chose to interrupt it, and can resume it.
    Held,
    /// It is interrupted until a person acts.
    #[doc(alias = "action required")]
    #[doc(alias = "intervention")]
    Blocked,
    /// It ended with all of its work done.
    #[doc(alias = "succeeded")]
    Completed,
    /// It ended early, on request.
    #[doc(alias = "canceled")]
    #[doc(alias = "cancelled")]
    Stopped,
    /// It was broken off, by a person or a system, without an orderly end.
    Aborted,
    /// It ended with an error.
    Failed,
}

impl Phase {
    /// Returns whether it has ended. A failed task can still be attempted again.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Stopped | Self::Aborted | Self::Failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::{RunState, TaskState};
    use crate::provider::linq;

    const PHASES: [Phase; 8] = [
        Phase::Waiting,
        Phase::Active,
        Phase::Held,
        Phase::Blocked,
        Phase::Completed,
        Phase::Stopped,
        Phase::Aborted,
        Phase::Failed,
    ];

    /// The states of one column of the documented tables, each with the phase of its row.
    fn column(title: &str) -> Vec<(Phase, &'static str)> {
        let (mut at, mut found) = (None, Vec::new());
        let rows = include_str!("phase.rs").lines().filter_map(|line| line.strip_prefix("/// |"));
        for row in rows {
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            if cells[0] == "phase" {
                at = cells.iter().position(|cell| *cell == title);
                continue;
            }
            let name = |phase: &&Phase| format!("{phase:?}").to_lowercase() == cells[0];
            if let (Some(at), Some(phase)) = (at, PHASES.iter().find(name)) {
                let states = cells.get(at).map_or("", |cell| cell).split(", ");
                found.extend(states.filter(|it| !it.is_empty()).map(|state| (*phase, state)));
            }
        }
        assert!(!found.is_empty(), "there is no column {title}");
        found
    }

    fn sorted<T: Ord>(all: impl IntoIterator<Item = T>) -> Vec<T> {
        let mut all: Vec<_> = all.into_iter().collect();
        all.sort();
        all
    }

    #[test]
    fn phase_table_has_the_states_of_runs_and_tasks() {
        let runs = RunState::KNOWN.iter().map(|it| (it.phase().unwrap(), it.as_str()));
        assert_eq!(sorted(runs), sorted(column("run states")));
        let tasks = TaskState::KNOWN.iter().map(|it| (it.phase().unwrap(), it.as_str()));
        assert_eq!(sorted(tasks), sorted(column("task states")));
    }

    #[test]
    fn phase_table_has_each_published_state_once() {
        let published: [(&str, &[&str]); 5] = [
            (
                "Opentrons",
                &[
                    "idle",
                    "running",
                    "paused",
                    "blocked-by-open-door",
                    "stop-requested",
                    "stopped",
                    "finishing",
                    "failed",
                    "succeeded",
                    "awaiting-recovery*",
                ],
            ),
            (
                "ISA-95",
                &[
                    "Waiting",
                    "Ready",
                    "Loaded",
                    "Running",
                    "Completed",
                    "Aborted",
                    "Held",
                    "Suspended",
                    "Closed",
                    "Error",
                ],
            ),
            (
                "LADS and PackML",
                &[
                    "Stopped",
                    "Resetting",
                    "Idle",
                    "Starting",
                    "Execute",
                    "Holding",
                    "Held",
                    "Unholding",
                    "Suspending",
                    "Suspended",
                    "Unsuspending",
                    "Completing",
                    "Complete",
                    "Stopping",
                    "Aborting",
                    "Aborted",
                    "Clearing",
                ],
            ),
            ("SiLA 2", &["waiting", "running", "finishedSuccessfully", "finishedWithError"]),
            ("Bluesky", &["success", "abort", "fail"]),
        ];
        for (title, states) in published {
            let found = column(title).into_iter().map(|(_, state)| state);
            assert_eq!(sorted(found), sorted(states.iter().copied()), "{title}");
        }
    }

    #[test]
    fn phase_table_has_the_phases_of_linq_runs() {
        let at = crate::time::Timestamp::UNIX_EPOCH;
        let mapped = linq::RunState::KNOWN.iter().map(|state| {
            let event = linq::RunStateChange::new(state.clone(), "r1", at).to_event().unwrap();
            (event.data.state.phase().unwrap(), state.as_str())
        });
        assert_eq!(sorted(mapped), sorted(column("LINQ")));
    }

    #[test]
    fn other_spelling_of_a_state_has_its_phase() {
        for (state, written, phase) in [
            ("succeeded", "completed", Phase::Completed),
            ("cancelled", "canceled", Phase::Stopped),
        ] {
            let run: RunState = serde_json::from_str(&format!("{state:?}")).unwrap();
            assert_eq!((run.phase(), run.as_str()), (Some(phase), written));
            assert_eq!(RunState::Other(state.into()).phase(), Some(phase));
            assert!(RunState::Other(written.into()).is_final());
            let task: TaskState = serde_json::from_str(&format!("{state:?}")).unwrap();
            assert_eq!((task.phase(), task.as_str()), (Some(phase), written));
            assert_eq!(TaskState::Other(state.into()).phase(), Some(phase));
        }
        assert_eq!(RunState::from("warming_up").phase(), None);
        assert_eq!(TaskState::from("warming_up").phase(), None);
    }

    #[test]
    fn final_phases_are_the_last_four() {
        let ended: Vec<_> = PHASES.iter().filter(|phase| phase.is_final()).collect();
        assert_eq!(ended, PHASES[4..].iter().collect::<Vec<_>>());
        assert!(RunState::Aborted.is_final() && !RunState::ActionRequired.is_final());
    }
}
