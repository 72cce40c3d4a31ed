//! The payload as it is published: [`Webhook`].

use crate::decode::{Decode, DecodeError, TrustedBody};
use crate::id::{InstructionId, ProjectId, RunId};
use crate::json::{object, open_enum};
use crate::provider::DedupeKey;
use crate::time::TimeText;

object! {
    /// The body of a request. Published.
    ///
    /// Nobody signs it: decode it through [`danger::unsigned`](crate::danger::unsigned).
    pub struct Webhook {
        /// The run that it is about.
        required run: Run,
        /// The project that the run belongs to.
        required project: Project,
        /// What happened to the run.
        required event: Event,
    }
}

object! {
    /// The run that a webhook is about. Published.
    pub struct Run {
        /// The run.
        required id: RunId,
        /// What people call it.
        required title: String,
    }
}

object! {
    /// The project that a run belongs to. Published.
    pub struct Project {
        /// The project.
        required id: ProjectId,
        /// What people call it.
        required name: String,
    }
}

object! {
    /// What happened to a run. Published, the types of `sequence_no` and `completed_at` by way of
    /// the sample data in the vendor's software.
    ///
    /// Every member besides `op` is published for `instruction_completed` alone, and all three
    /// for that.
    pub struct Event {
        /// What happened.
        required op: Op,
        /// The instruction.
        optional id: InstructionId,
        /// The instruction's place in the run: a count from 0.
        optional sequence_no: u64,
        /// When the instruction was completed.
        optional completed_at: TimeText,
    }
}

open_enum! {
    /// What happened to a run.
    ///
    /// The three are published. The page speaks of a run's status being updated besides, without
    /// an operation for it.
    pub enum Op {
        /// An instruction of it, such as a cover or a thermocycle, has completed.
        InstructionCompleted = "instruction_completed",
        /// It has started.
        RunStarted = "run_started",
        /// It has completed.
        RunCompleted = "run_completed",
    }
}

impl Webhook {
    /// What a repetition of this webhook is known by: the project, the run, the operation and,
    /// where there is one, the id in `event`.
    ///
    /// This crate's own, for Strateos sends no id of the event. It cannot tell apart two webhooks
    /// of one run with the same operation and without an id: a run that is started twice has one
    /// key for both, and the second counts as a repetition of the first.
    #[must_use]
    pub fn dedupe_key(&self) -> DedupeKey {
        let known = [self.project.id.as_str(), self.run.id.as_str(), self.event.op.as_str()];
        let id = self.event.id.as_ref().map(InstructionId::as_str);
        // Nobody knows what tells two events of an operation apart that is not listed: all of it.
        let rest = match Op::from(self.event.op.as_str()) {
            Op::Other(_) => serde_json::to_string(self).ok(),
            _ => None,
        };
        let rest = rest.map(|it| DedupeKey::of_body(it.as_bytes()).as_str().to_owned());
        DedupeKey::of_parts(known.into_iter().chain(id).chain(rest.as_deref()))
    }
}

impl Decode for Webhook {
    fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError> {
        body.json()
    }
}
