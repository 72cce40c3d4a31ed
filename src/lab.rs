//! What happens in an automated laboratory, typed: families of events and [`LabEvent`].
//!
//! | event | payload | ordering key |
//! |---|---|---|
//! | `run.state_changed` | [`RunStateChanged`] | the run's id |
//! | `instruction.completed` | [`InstructionCompleted`] | the run's id |
//! | `task.state_changed` | [`TaskStateChanged`] | the run's id |
//! | `labware.moved` | [`LabwareMoved`] | the run's id, or else the labware's |
//! | `safety.state_changed` | [`SafetyStateChanged`] | the workcell's id |
//! | `plan.created` | [`PlanCreated`] | the run's id, or else the plan's |
//! | `dataset.created` | [`DatasetCreated`] | the dataset's id |
//! | `dataset.updated` | [`DatasetUpdated`] | the dataset's id |
//! | `dataset.deleted` | [`DatasetDeleted`] | the dataset's id |
//! | `sample.created` | [`SampleCreated`] | the sample's id |
//! | `sample.updated` | [`SampleUpdated`] | the sample's id |
//! | `sample.deleted` | [`SampleDeleted`] | the sample's id |
//! | `label.updated` | [`LabelUpdated`] | the sample's id |
//! | `label.deleted` | [`LabelDeleted`] | the sample's id |
//! | `issue.created` | [`IssueCreated`] | the issue's id |
//! | `issue.updated` | [`IssueUpdated`] | the issue's id |
//! | `release.created` | [`ReleaseCreated`] | the release's id |
//! | `resource.changed` | [`ResourceChanged`] | the resource's id, where there is one |
//!
//! The events of a run belong in one order with each other: a task fails before its run does. An
//! endpoint that asks for [order](crate::Order) is told so. A safety state belongs to the workcell
//! whether a run is on or not, so that an emergency stop in a run and the all-clear after it keep
//! theirs.
//!
//! The models are this crate's own. Where a vocabulary is a vendor's, the type says whose, and
//! whether the vendor's documentation or its published software has it; the vendors' own wire
//! formats are another matter. Every object keeps the members that it does not know, every
//! enumeration the values that it does not list. An optional member may be absent or `null`, which
//! mean the same here; it is written only where there is a value.

mod dataset;
mod event;
mod instruction;
mod issue;
mod label;
mod labware;
mod plan;
mod release;
mod resource;
mod run;
mod safety;
mod sample;
mod task;

pub use dataset::{Dataset, DatasetCreated, DatasetDeleted, DatasetUpdated};
pub use event::LabEvent;
pub use instruction::InstructionCompleted;
pub use issue::{Issue, IssueCreated, IssueStatus, IssueUpdated};
pub use label::{Label, LabelDeleted, LabelStatus, LabelUpdated};
pub use labware::{LabwareMoved, LabwareTrigger, Location};
pub use plan::{PlanCreated, PlanStage, PlanStatus};
pub use release::{Release, ReleaseCreated, ReleaseStatus};
pub use resource::{ResourceChanged, ResourceOperation};
pub use run::{RunState, RunStateChanged};
pub use safety::{DeviceState, SafetyStateChanged, Severity};
pub use sample::{Sample, SampleCreated, SampleDeleted, SampleUpdated};
pub use task::{TaskState, TaskStateChanged};

#[cfg(test)]
mod tests;
