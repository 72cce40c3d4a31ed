//! Instructions: [`InstructionCompleted`].

use crate::event::{Keys, Payload};
use crate::event_type::EventType;
use crate::id::{InstructionId, ProjectId, RunId};
use crate::json::object;
use crate::time::TimeText;

object! {
    /// `instruction.completed`: one instruction of a run has been carried out.
    ///
    /// After the `instruction_completed` of Strateos's documentation, from which `sequence_no` and
    /// `completed_at` come.
    pub struct InstructionCompleted {
        /// The run.
        required run_id: RunId,
        /// The instruction.
        required instruction_id: InstructionId,
        /// Its place in the run: a count from 0, as in the sample data of Strateos's published
        /// software.
        optional sequence_no: u64,
        /// What was done, such as `cover` or `thermocycle`: any text, for nobody publishes a list.
        optional operation: String,
        /// When it was done; the event's own timestamp is when that became known.
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
