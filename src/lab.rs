//! Typed lab events: one payload struct per event type, and [`LabEvent`], the enum of them all.
//!
//! | event type | payload | ordering key |
//! |---|---|---|
//! | `run.state_changed` | [`RunStateChanged`] | run id |
//! | `instruction.completed` | [`InstructionCompleted`] | run id |
//! | `task.state_changed` | [`TaskStateChanged`] | run id |
//! | `labware.moved` | [`LabwareMoved`] | run id, or labware id if there is no run |
//! | `safety.state_changed` | [`SafetyStateChanged`] | workcell id |
//! | `plan.created` | [`PlanCreated`] | run id, or plan id if there is no run |
//! | `dataset.created` | [`DatasetCreated`] | dataset id |
//! | `dataset.updated` | [`DatasetUpdated`] | dataset id |
//! | `dataset.deleted` | [`DatasetDeleted`] | dataset id |
//! | `sample.created` | [`SampleCreated`] | sample id |
//! | `sample.updated` | [`SampleUpdated`] | sample id |
//! | `sample.deleted` | [`SampleDeleted`] | sample id |
//! | `label.updated` | [`LabelUpdated`] | sample id |
//! | `label.deleted` | [`LabelDeleted`] | sample id |
//! | `issue.created` | [`IssueCreated`] | issue id |
//! | `issue.updated` | [`IssueUpdated`] | issue id |
//! | `release.created` | [`ReleaseCreated`] | release id |
//! | `resource.changed` | [`ResourceChanged`] | resource id, if there is one |
//!
//! # Ordering
//!
//! All events of a run share one ordering key, because a task fails before its run does. Ordering
//! is opt-in per endpoint: see [`Order`](crate::Order). Safety events are ordered by workcell even
//! during a run, so that an emergency stop during a run and the all-clear after it stay in order.
//!
//! # Filtering by workcell and device
//!
//! The events of runs, tasks, plans and safety have the [custom keys](crate::Keys::with_custom)
//! `workcell` and `device`, if their payload names one:
//! `Subscription::all().custom("workcell", ["cell-1"])`.
//!
//! # Acting on states
//!
//! The [`Phase`] of a run's or a task's state says whether to wait, to call somebody or to
//! continue. Its documentation maps the states of other systems: ISA-95, LADS, PackML, SiLA 2,
//! Opentrons, Bluesky and LINQ.
//!
//! # Vocabulary and unknown values
//!
//! The payloads are defined by this crate. If a vocabulary is taken from a vendor, the type's
//! documentation names the vendor and whether the source is its documentation or its published
//! software. For the vendors' own wire formats, see [`provider`](crate::provider).
//!
//! Unknown object members are preserved verbatim in `unknown`, and unknown enum values in `Other`.
//! An optional field may be absent or `null` on the wire, with the same meaning; it is written only
//! if it has a value. If its value has an unexpected type, the field is `None` and the member is
//! kept in `unknown`: only the required fields decide whether an event matches its type. An event
//! that does not is a [`LabEvent::Unreadable`].

mod dataset;
mod instruction;
mod issue;
mod lab_event;
mod label;
mod labware;
mod phase;
mod place;
mod plan;
mod release;
mod resource;
mod run;
mod safety;
mod sample;
mod task;

pub use dataset::{Dataset, DatasetCreated, DatasetDeleted, DatasetUpdated};
pub use instruction::InstructionCompleted;
pub use issue::{Issue, IssueCreated, IssueStatus, IssueUpdated};
pub use lab_event::LabEvent;
pub use label::{Label, LabelDeleted, LabelStatus, LabelUpdated};
pub use labware::{LabwareMoved, LabwareTrigger, Location};
pub use phase::Phase;
pub use plan::{PlanCreated, PlanStage, PlanStatus};
pub use release::{Release, ReleaseCreated, ReleaseStatus};
pub use resource::{ResourceChanged, ResourceOperation};
pub use run::{RunState, RunStateChanged};
pub use safety::{DeviceState, SafetyStateChanged, Severity};
pub use sample::{Sample, SampleCreated, SampleDeleted, SampleUpdated};
pub use task::{TaskState, TaskStateChanged};

#[cfg(test)]
mod tests;
