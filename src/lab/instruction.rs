//! Instruction events: [`InstructionCompleted`].

use crate::event::{Keys, Payload};
use crate::event_type::EventType;
use crate::id::{InstructionId, ProjectId, RunId};
use crate::json::object;
use crate::time::TimeText;

object! {
    /// `instruction.completed`: an instruction of a run was completed.
    ///
    /// Modeled on `instruction_completed` in Strateos's documentation, the source of `sequence_no`
    /// and `completed_at`.
    pub struct InstructionCompleted {
        /// The run's id.
        required run_id: RunId,
        /// The instruction's id.
        exact instruction_id: InstructionId,
        /// The position in the run, counted from 0 as in the sample data of Strateos's published
        /// software.
        optional sequence_no: u64,
        /// The operation, such as `cover` or `thermocycle`. Free text: no vendor publishes a list.
        optional operation: String,
        /// The time of completion. The event's timestamp is when completion was reported.
        optional completed_at: TimeText,
        /// The project that owns the run.
        optional project_id: ProjectId,
    }
}

impl Payload for InstructionCompleted {
    const EVENT_TYPE: EventType = EventType::from_static("instruction.completed");

    fn keys(&self) -> Keys {
        let mut keys =
            Keys::new().with_run(self.run_id.clone()).with_ordering(self.run_id.as_str());
        keys.project.clone_from(&self.project_id);
        keys
    }
}
