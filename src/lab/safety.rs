//! Safety: [`SafetyStateChanged`].

use crate::event::{Keys, Payload};
use crate::event_type::EventType;
use crate::id::{ProjectId, RunId, WorkcellId};
use crate::json::{object, open_enum};

open_enum! {
    /// The state of a device or of a whole workcell.
    ///
    /// The vocabulary is Automata LINQ's device state (published software), which does not say
    /// what each of them means: the sentences here are how this crate reads them.
    pub enum DeviceState {
        /// It has nothing to execute.
        NoWorkflow = "no_workflow",
        /// It is being initialised.
        Init = "init",
        /// It is loading what it is to execute.
        Loading = "loading",
        /// It has to be calibrated first.
        Uncalibrated = "uncalibrated",
        /// It can start.
        Ready = "ready",
        /// It is at work.
        Running = "running",
        /// It waits, and can be resumed.
        Paused = "paused",
        /// It is coming to a stop.
        Stopping = "stopping",
        /// It is being reset.
        Resetting = "resetting",
        /// Something went wrong.
        Error = "error",
        /// It waits for a person.
        ActionRequired = "action_required",
        /// It was stopped for safety's sake.
        EmergencyStop = "emergency_stop",
        /// What it did was broken off.
        Aborted = "aborted",
        /// It cannot be reached.
        Offline = "offline",
    }
}

open_enum! {
    /// How bad it is.
    ///
    /// The vocabulary is Automata LINQ's error severity (published software).
    pub enum Severity {
        /// Nothing has to be done.
        Normal = "normal",
        /// Somebody should look.
        Warning = "warning",
        /// Somebody must act.
        Critical = "critical",
    }
}

object! {
    /// `safety.state_changed`: a workcell, or one device of it, went from one state to another.
    ///
    /// This crate's own: Automata LINQ has a safety hook and publishes neither its payload nor
    /// which states it speaks of.
    ///
    /// It tells people and programs what has happened. It is no part of what makes a machine
    /// safe: a webhook can be late, and can be lost.
    pub struct SafetyStateChanged {
        /// The workcell.
        required workcell_id: WorkcellId,
        /// The state that it, or the device, is in now.
        required state: DeviceState,
        /// The state that it was in before.
        optional previous_state: DeviceState,
        /// The device, where it is about one.
        optional device: String,
        /// How bad it is.
        optional severity: Severity,
        /// A sentence for people.
        optional message: String,
        /// The run that was on.
        optional run_id: RunId,
        /// The project that owns the run.
        optional project_id: ProjectId,
    }
}

impl Payload for SafetyStateChanged {
    const EVENT_TYPE: EventType = EventType::from_static("safety.state_changed");

    /// Ordered by workcell, with or without a run: an all-clear after the run must not overtake
    /// the emergency stop in it.
    fn keys(&self) -> Keys {
        let mut keys = Keys::new().with_ordering(self.workcell_id.as_str());
        keys.run.clone_from(&self.run_id);
        keys.project.clone_from(&self.project_id);
        keys
    }
}
