//! What subscriptions and ordering look at: [`Keys`].

use serde::{Deserialize, Serialize};

use crate::id::{DatasetId, LabwareId, ProjectId, RunId, TaskId};

/// The part of an event that a subscription may filter by, and the key that its order follows.
///
/// A [`Payload`](crate::Payload) gives them, and the message keeps them beside the frozen bytes:
/// nothing reads a body again to find out whom it concerns. An absent key is absent from saved
/// state too, and members of saved keys that this version does not know are passed over.
///
/// ```
/// use labhook::Keys;
/// use labhook::event::Trigger;
///
/// let keys = Keys::new()
///     .with_run("r19a428rm8tbp")
///     .with_labware("plate-7")
///     .with_trigger(Trigger::Start);
/// assert_eq!(
///     serde_json::to_string(&keys)?,
///     r#"{"run":"r19a428rm8tbp","labware":"plate-7","trigger":"start"}"#
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Keys {
    /// The run that the event is about or belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The project that owns it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
    /// The task that the event is about or belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// The piece of labware that the event is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labware: Option<LabwareId>,
    /// Which end of a labware movement it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
    /// What was done to which kind of resource, such as `invoice.updated`, where the event says
    /// no more than that: of a [`ResourceChanged`](crate::lab::ResourceChanged) its type of
    /// resource and its operation, joined by a full stop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_change: Option<Box<str>>,
    /// The dataset that the event is about or belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<DatasetId>,
    /// Events with equal ordering keys belong in one order; an event without one is ordered with
    /// none. An endpoint asks for it with an [`Order`](crate::Order).
    ///
    /// The text is compared, never parsed. Two things that happen to share it are kept in order
    /// with each other as well, which costs time and loses nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ordering: Option<Box<str>>,
}

impl Keys {
    /// No keys: such an event passes a subscription that filters by nothing but its type.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the run.
    #[must_use]
    pub fn with_run(mut self, run: impl Into<RunId>) -> Self {
        self.run = Some(run.into());
        self
    }

    /// Sets the project.
    #[must_use]
    pub fn with_project(mut self, project: impl Into<ProjectId>) -> Self {
        self.project = Some(project.into());
        self
    }

    /// Sets the task.
    #[must_use]
    pub fn with_task(mut self, task: impl Into<TaskId>) -> Self {
        self.task = Some(task.into());
        self
    }

    /// Sets the piece of labware.
    #[must_use]
    pub fn with_labware(mut self, labware: impl Into<LabwareId>) -> Self {
        self.labware = Some(labware.into());
        self
    }

    /// Sets the end of a labware movement.
    #[must_use]
    pub fn with_trigger(mut self, trigger: Trigger) -> Self {
        self.trigger = Some(trigger);
        self
    }

    /// Sets what was done to which kind of resource.
    #[must_use]
    pub fn with_resource_change(mut self, change: impl Into<Box<str>>) -> Self {
        self.resource_change = Some(change.into());
        self
    }

    /// Sets the dataset.
    #[must_use]
    pub fn with_dataset(mut self, dataset: impl Into<DatasetId>) -> Self {
        self.dataset = Some(dataset.into());
        self
    }

    /// Sets the ordering key.
    #[must_use]
    pub fn with_ordering(mut self, ordering: impl Into<Box<str>>) -> Self {
        self.ordering = Some(ordering.into());
        self
    }
}

/// One end of a labware movement, as a subscription chooses it.
///
/// The pair is Automata LINQ's (its SDK: `trigger_on` `start`, `end` or `both`). This enumeration
/// knows its two values and no others, because a filter has to understand what it filters by: an
/// event whose own trigger is some other text (the payload keeps it) has no trigger among its
/// keys, and passes only where both ends pass. It may still gain arms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Trigger {
    /// The labware is picked up: `start`.
    Start,
    /// The labware is placed down: `end`.
    End,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_load_as_they_were_saved() {
        let all = Keys::new()
            .with_run("r1")
            .with_project("p1")
            .with_task("t1")
            .with_labware("l1")
            .with_trigger(Trigger::End)
            .with_resource_change("invoice.updated")
            .with_dataset("jane/flowers")
            .with_ordering("r1");
        let json = concat!(
            r#"{"run":"r1","project":"p1","task":"t1","labware":"l1","trigger":"end","#,
            r#""resource_change":"invoice.updated","dataset":"jane/flowers","ordering":"r1"}"#
        );
        for (keys, json) in [(all, json), (Keys::new(), "{}")] {
            assert_eq!(serde_json::to_string(&keys).unwrap(), json);
            assert_eq!(serde_json::from_str::<Keys>(json).unwrap(), keys);
        }
    }

    #[test]
    fn keys_of_a_later_version_load() {
        let keys: Keys = serde_json::from_str(r#"{"run":"r1","bench":"b1"}"#).unwrap();
        assert_eq!(keys, Keys::new().with_run("r1"));
    }
}
