//! Safety events: [`SafetyStateChanged`].

use crate::event::{Keys, Payload};
use crate::event_type::EventType;
use crate::id::{ProjectId, RunId, WorkcellId};
use crate::json::{object, open_enum};

use super::place::with_place;

open_enum! {
    /// The state of a device or of a whole workcell.
    ///
    /// The vocabulary is Automata LINQ's device state (published software), which does not define
    /// the values; the descriptions are this crate's reading.
    pub enum DeviceState {
        /// No workflow is loaded.
        NoWorkflow = "no_workflow",
        /// Initialising.
        Init = "init",
        /// Loading a workflow.
        Loading = "loading",
        /// Calibration is required.
        Uncalibrated = "uncalibrated",
        /// Ready to start.
        Ready = "ready",
        /// Running.
        Running = "running",
        /// Paused; can be resumed.
        Paused = "paused",
        /// Stopping.
        Stopping = "stopping",
        /// Resetting.
        Resetting = "resetting",
        /// An error occurred.
        Error = "error",
        /// Waiting for an operator.
        ActionRequired = "action_required",
        /// Stopped by an emergency stop.
        EmergencyStop = "emergency_stop",
        /// The current operation was aborted.
        Aborted = "aborted",
        /// Unreachable.
        Offline = "offline",
    }
}

open_enum! {
    /// The severity of a state change.
    ///
    /// The vocabulary is Automata LINQ's error severity (published software).
    pub enum Severity {
        /// No action is needed.
        Normal = "normal",
        /// Someone should look into it.
        Warning = "warning",
        /// Someone must act.
        Critical = "critical",
    }
}

object! {
    /// `safety.state_changed`: a workcell or one of its devices changed state.
    ///
    /// Defined by this crate: Automata LINQ has a safety hook but publishes neither its payload nor
    /// the states it reports.
    ///
    /// **This is a notification, not a safety mechanism**: a webhook can be late, and can be lost.
    pub struct SafetyStateChanged {
        /// The workcell's id.
        required workcell_id: WorkcellId,
        /// The current state of the device, or of the workcell if there is no `device`.
        exact state: DeviceState,
        /// The state before the change.
        optional previous_state: DeviceState,
        /// The device, if the event is about one.
        optional device: String,
        /// The severity.
        optional severity: Severity,
        /// A human-readable message.
        optional message: String,
        /// The run in progress.
        optional run_id: RunId,
        /// The project that owns the run.
        optional project_id: ProjectId,
    }
}

impl Payload for SafetyStateChanged {
    const EVENT_TYPE: EventType = EventType::from_static("safety.state_changed");

    /// Ordered by workcell even during a run: the all-clear after a run must not overtake the
    /// emergency stop during it.
    fn keys(&self) -> Keys {
        let mut keys = Keys::new().with_ordering(self.workcell_id.as_str());
        keys.run.clone_from(&self.run_id);
        keys.project.clone_from(&self.project_id);
        with_place(keys, Some(&self.workcell_id), self.device.as_deref())
    }
}
