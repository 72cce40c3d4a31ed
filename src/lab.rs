//! What happens in an automated laboratory, typed: eight families of events and [`LabEvent`].
//!
//! | family | events | ordering key |
//! |---|---|---|
//! | run | [`run.state_changed`](RunStateChanged) | run |
//! | instruction | [`instruction.completed`](InstructionCompleted) | run |
//! | task | [`task.state_changed`](TaskStateChanged) | run |
//! | labware | [`labware.moved`](LabwareMoved) | run, or else the labware |
//! | safety | [`safety.state_changed`](SafetyStateChanged) | workcell |
//! | plan | [`plan.created`](PlanCreated) | run, or else the plan |
//! | dataset | [`dataset.created`](DatasetCreated), [`dataset.updated`](DatasetUpdated), [`dataset.deleted`](DatasetDeleted) | dataset |
//! | sample | [`sample.created`](SampleCreated), [`sample.updated`](SampleUpdated), [`sample.deleted`](SampleDeleted) | sample |
//!
//! The events of a run keep their order with each other: a receiver that asks for order sees a
//! task fail before the run does. A safety state belongs to the workcell whether a run is on or
//! not, so that an emergency stop in a run and the all-clear after it keep theirs.
//!
//! The models are this crate's own. Where a vocabulary is a vendor's, the type says whose, and
//! whether the vendor's documentation or its published software has it; the vendors' own wire
//! formats are another matter. Every object keeps the members that it does not know, every
//! enumeration the values that it does not list.

mod dataset;
mod event;
mod instruction;
mod labware;
mod plan;
mod run;
mod safety;
mod sample;
mod task;

pub use dataset::{Dataset, DatasetCreated, DatasetDeleted, DatasetUpdated};
pub use event::LabEvent;
pub use instruction::InstructionCompleted;
pub use labware::{LabwareMoved, LabwareTrigger, Location};
pub use plan::{PlanCreated, PlanStage, PlanStatus};
pub use run::{RunState, RunStateChanged};
pub use safety::{DeviceState, SafetyStateChanged, Severity};
pub use sample::{Sample, SampleCreated, SampleDeleted, SampleUpdated};
pub use task::{TaskState, TaskStateChanged};

#[cfg(test)]
mod tests;
