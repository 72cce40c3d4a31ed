//! The keys that subscriptions filter by and ordering follows: [`Keys`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{DatasetId, LabwareId, ProjectId, RunId, TaskId};

/// The routing keys of an event: the ids that subscriptions filter by, and the ordering key.
///
/// A [`Payload`](crate::Payload) returns them, and the [`Message`](crate::Message) stores them next
/// to the frozen bytes, so routing never has to parse a body. An absent key is not written to saved
/// state, and unknown keys in saved state are ignored.
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
#[doc(alias = "routing key")]
#[doc(alias = "partition key")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Keys {
    /// The run that the event is about or belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The project that owns the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
    /// The task that the event is about or belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// The piece of labware that the event is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labware: Option<LabwareId>,
    /// The end of a labware movement that the event reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
    /// The resource type and operation of a [`ResourceChanged`](crate::lab::ResourceChanged),
    /// joined by `.`, such as `invoice.updated`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_change: Option<Box<str>>,
    /// The dataset that the event is about or belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<DatasetId>,
    /// Further keys by name, for what your application filters by.
    ///
    /// The events of [`lab`](crate::lab) have the keys `workcell` and `device`, if their payload
    /// names one.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub custom: BTreeMap<Box<str>, Box<str>>,
    /// The ordering key: events with equal keys are delivered in order to endpoints that
    /// [ask for it](crate::Order). Events without one are unordered.
    ///
    /// The text is compared, never parsed. Unrelated events that share a key by accident are
    /// ordered with each other too, which costs time but loses nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ordering: Option<Box<str>>,
}

impl Keys {
    /// Creates an empty set of keys. Only subscriptions without id filters match such an event.
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

    /// Sets the labware.
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

    /// Sets the resource type and operation, such as `invoice.updated`.
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

    /// Sets a further key, such as `instrument`.
    ///
    /// ```
    /// use labhook::Keys;
    ///
    /// let keys = Keys::new().with_custom("instrument", "reader-2");
    /// assert_eq!(serde_json::to_string(&keys)?, r#"{"custom":{"instrument":"reader-2"}}"#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn with_custom(mut self, name: impl Into<Box<str>>, value: impl Into<Box<str>>) -> Self {
        self.custom.insert(name.into(), value.into());
        self
    }

    /// Sets the ordering key.
    #[must_use]
    pub fn with_ordering(mut self, ordering: impl Into<Box<str>>) -> Self {
        self.ordering = Some(ordering.into());
        self
    }
}

/// The end of a labware movement that a subscription can filter by.
///
/// The values are Automata LINQ's (its SDK: `trigger_on` `start`, `end` or `both`). Unlike
/// [`LabwareTrigger`](crate::lab::LabwareTrigger), which preserves any text, this enum has known
/// values only, because a filter must understand its values. An event with any other trigger has
/// no trigger among its keys, and matches only subscriptions to both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Trigger {
    /// The labware was picked up: `start`.
    Start,
    /// The labware was placed down: `end`.
    End,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_round_trip_through_saved_state() {
        let all = Keys::new()
            .with_run("r1")
            .with_project("p1")
            .with_task("t1")
            .with_labware("l1")
            .with_trigger(Trigger::End)
            .with_resource_change("invoice.updated")
            .with_dataset("jane/flowers")
            .with_custom("workcell", "cell-1")
            .with_custom("instrument", "reader-2")
            .with_ordering("r1");
        let json = concat!(
            r#"{"run":"r1","project":"p1","task":"t1","labware":"l1","trigger":"end","#,
            r#""resource_change":"invoice.updated","dataset":"jane/flowers","#,
            r#""custom":{"instrument":"reader-2","workcell":"cell-1"},"ordering":"r1"}"#
        );
        for (keys, json) in [(all, json), (Keys::new(), "{}")] {
            assert_eq!(serde_json::to_string(&keys).unwrap(), json);
            assert_eq!(serde_json::from_str::<Keys>(json).unwrap(), keys);
        }
    }

    #[test]
    fn keys_without_custom_ones_load() {
        let keys: Keys = serde_json::from_str(r#"{"run":"r1","ordering":"r1"}"#).unwrap();
        assert!(keys.custom.is_empty());
    }

    #[test]
    fn keys_of_a_later_version_load() {
        let keys: Keys = serde_json::from_str(r#"{"run":"r1","bench":"b1"}"#).unwrap();
        assert_eq!(keys, Keys::new().with_run("r1"));
    }
}
