//! Selecting the messages of an endpoint: [`Subscription`].

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::event_pattern::EventPattern;
use super::term::{Term, owner};
use crate::event::Trigger;
use crate::id::{DatasetId, LabwareId, ProjectId, RunId, TaskId};
use crate::message::Message;

/// The filter that selects the messages of an endpoint, by event type and by [`Keys`].
///
/// A message must pass every filter that is set. A filter lists the accepted values of one key, and
/// a message without that key does not pass it: a subscription to some runs does not receive events
/// without a run. A filter that is not set, or has an empty list, accepts every message (the rule
/// of Automata LINQ's hooks).
///
/// ```
/// use labhook::Subscription;
/// use labhook::endpoint::TriggerOn;
///
/// let everything = Subscription::all();
/// let runs = Subscription::all().event_types(["run.*".parse()?, "task.*".parse()?]);
/// let pick_ups = Subscription::all()
///     .event_types(["labware.moved".parse()?])
///     .labware(["plate-4".into()])
///     .with_trigger_on(TriggerOn::Start);
///
/// // In a configuration file:
/// let file = r#"{"event_types": ["run.*", "task.*"]}"#;
/// assert_eq!(serde_json::from_str::<Subscription>(file)?, runs);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`Keys`]: crate::Keys
#[doc(alias = "filter")]
#[doc(alias = "topic filter")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Subscription {
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    event_types: BTreeSet<EventPattern>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    runs: BTreeSet<RunId>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    projects: BTreeSet<ProjectId>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    tasks: BTreeSet<TaskId>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    labware: BTreeSet<LabwareId>,
    #[serde(skip_serializing_if = "TriggerOn::is_both")]
    trigger_on: TriggerOn,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    resource_changes: BTreeSet<Box<str>>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    datasets: BTreeSet<DatasetId>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    dataset_owners: BTreeSet<Box<str>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    custom: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
}

impl Subscription {
    /// Creates a subscription to every message.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Adds event types. One of the patterns must match.
    #[must_use]
    pub fn event_types(mut self, patterns: impl IntoIterator<Item = EventPattern>) -> Self {
        self.event_types.extend(patterns);
        self
    }

    /// Adds runs. The message must belong to one of them.
    #[must_use]
    pub fn runs(mut self, ids: impl IntoIterator<Item = RunId>) -> Self {
        self.runs.extend(ids);
        self
    }

    /// Adds projects. The message must belong to one of them.
    #[must_use]
    pub fn projects(mut self, ids: impl IntoIterator<Item = ProjectId>) -> Self {
        self.projects.extend(ids);
        self
    }

    /// Adds tasks. The message must be about one of them.
    #[must_use]
    pub fn tasks(mut self, ids: impl IntoIterator<Item = TaskId>) -> Self {
        self.tasks.extend(ids);
        self
    }

    /// Adds labware. The message must be about one of them.
    #[must_use]
    pub fn labware(mut self, ids: impl IntoIterator<Item = LabwareId>) -> Self {
        self.labware.extend(ids);
        self
    }

    /// Sets the end of a labware movement that the message must report.
    #[must_use]
    pub fn with_trigger_on(mut self, trigger_on: TriggerOn) -> Self {
        self.trigger_on = trigger_on;
        self
    }

    /// Adds resource changes, such as `invoice.updated`. The message must report one of them.
    ///
    /// They are compared with [`Keys::resource_change`](crate::Keys::with_resource_change), because
    /// all such messages share the event type `resource.changed`.
    #[must_use]
    pub fn resource_changes<T: Into<Box<str>>>(
        mut self,
        changes: impl IntoIterator<Item = T>,
    ) -> Self {
        self.resource_changes.extend(changes.into_iter().map(Into::into));
        self
    }

    /// Adds datasets. The message must belong to one of them.
    #[must_use]
    pub fn datasets(mut self, ids: impl IntoIterator<Item = DatasetId>) -> Self {
        self.datasets.extend(ids);
        self
    }

    /// Adds dataset owners. The message must belong to a dataset of one of them, including datasets
    /// that are created later.
    ///
    /// For dataset ids of the form `owner/name`, like those of Segments.ai: the id must start with
    /// the owner and a `/`.
    ///
    /// ```
    /// use labhook::{Event, MessageId, Subscription, Timestamp};
    /// use labhook::lab::{Dataset, DatasetCreated};
    ///
    /// let of_jane = Subscription::all().dataset_owners(["jane"]);
    /// for (dataset, wanted) in [("jane/flowers", true), ("janet/flowers", false)] {
    ///     let created = DatasetCreated::new(Dataset::new(dataset));
    ///     let event = Event::new(created, Timestamp::UNIX_EPOCH);
    ///     let message = event.into_message(MessageId::new("msg_1")?)?;
    ///     assert_eq!(of_jane.matches(&message), wanted);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn dataset_owners<T: Into<Box<str>>>(
        mut self,
        owners: impl IntoIterator<Item = T>,
    ) -> Self {
        self.dataset_owners.extend(owners.into_iter().map(Into::into));
        self
    }

    /// Adds accepted values of a [custom key](crate::Keys::with_custom). The message must have one
    /// of them; several names must all match.
    ///
    /// The events of [`lab`](crate::lab) have the keys `workcell` and `device`.
    ///
    /// ```
    /// use labhook::{Event, Keys, MessageId, Subscription, Timestamp};
    /// use labhook::lab::{DeviceState, SafetyStateChanged};
    ///
    /// let of_cell_1 = Subscription::all().custom("workcell", ["cell-1"]);
    /// for (workcell, wanted) in [("cell-1", true), ("cell-2", false)] {
    ///     let stopped = SafetyStateChanged::new(workcell, DeviceState::EmergencyStop);
    ///     let event = Event::new(stopped, Timestamp::UNIX_EPOCH);
    ///     let message = event.into_message(MessageId::new("msg_1")?)?;
    ///     assert_eq!(of_cell_1.matches(&message), wanted);
    /// }
    ///
    /// // In a configuration file:
    /// let file = r#"{"custom": {"workcell": ["cell-1"]}}"#;
    /// assert_eq!(serde_json::from_str::<Subscription>(file)?, of_cell_1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn custom<T: Into<Box<str>>>(
        mut self,
        name: impl Into<Box<str>>,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        self.custom.entry(name.into()).or_default().extend(values.into_iter().map(Into::into));
        self
    }

    /// Returns whether the subscription selects the message.
    #[must_use]
    pub fn matches(&self, message: &Message) -> bool {
        let keys = message.keys();
        let event_type = message.event_type();
        (self.event_types.is_empty()
            || self.event_types.iter().any(|pattern| pattern.matches(event_type)))
            && accepts(&self.runs, keys.run.as_ref())
            && accepts(&self.projects, keys.project.as_ref())
            && accepts(&self.tasks, keys.task.as_ref())
            && accepts(&self.labware, keys.labware.as_ref())
            && self.trigger_on.accepts(keys.trigger)
            && accepts(&self.resource_changes, keys.resource_change.as_ref())
            && accepts(&self.datasets, keys.dataset.as_ref())
            && accepts(&self.dataset_owners, keys.dataset.as_ref().and_then(owner))
            && self.custom.iter().all(|(name, values)| accepts(values, keys.custom.get(name)))
    }

    /// Returns terms of which every selected message has one; `None` if it may have none of any
    /// list.
    ///
    /// They are those of the filter with the fewest values, which is likely to be the narrowest.
    pub(crate) fn terms(&self) -> Option<Vec<Term<'_>>> {
        let mut filters = vec![
            self.runs.iter().map(|it| Term::Run(it.as_str())).collect(),
            self.tasks.iter().map(|it| Term::Task(it.as_str())).collect(),
            self.labware.iter().map(|it| Term::Labware(it.as_str())).collect(),
            self.datasets.iter().map(|it| Term::Dataset(it.as_str())).collect(),
            self.projects.iter().map(|it| Term::Project(it.as_str())).collect(),
            self.dataset_owners.iter().map(|it| Term::DatasetOwner(it)).collect(),
            self.resource_changes.iter().map(|it| Term::ResourceChange(it)).collect(),
        ];
        for (name, values) in &self.custom {
            filters.push(values.iter().map(|value| Term::Custom(name, value)).collect());
        }
        // A pattern that matches every type has no term, and then the filter has none.
        let types: Option<Vec<_>> = self.event_types.iter().map(|it| it.term()).collect();
        filters.extend(types);
        filters.into_iter().filter(|terms| !terms.is_empty()).min_by_key(Vec::len)
    }
}

fn accepts<T: Ord + Borrow<Q>, Q: Ord + ?Sized>(accepted: &BTreeSet<T>, key: Option<&Q>) -> bool {
    accepted.is_empty() || key.is_some_and(|key| accepted.contains(key))
}

/// The filter on the end of a labware movement, named after Automata LINQ's `trigger_on`.
///
/// Exhaustive: start, end, or both.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::exhaustive_enums, reason = "the two ends of a movement and their union")]
pub enum TriggerOn {
    /// Only when the labware is picked up.
    Start,
    /// Only when the labware is placed down.
    End,
    /// No filter: both ends, and messages that report no movement.
    #[default]
    Both,
}

impl TriggerOn {
    fn accepts(self, trigger: Option<Trigger>) -> bool {
        match self {
            Self::Start => trigger == Some(Trigger::Start),
            Self::End => trigger == Some(Trigger::End),
            Self::Both => true,
        }
    }

    fn is_both(&self) -> bool {
        *self == Self::Both
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Keys;
    use crate::event_type::EventType;
    use crate::id::MessageId;
    use crate::lab::{ResourceChanged, ResourceOperation, RunState, RunStateChanged};
    use crate::message::Rendering;
    use crate::time::Timestamp;
    use crate::{Event, LabEvent};

    #[test]
    fn resource_changes_filter_by_type_and_operation() {
        let subscription = Subscription::all().resource_changes(["invoice.updated"]);
        let selects = |event: LabEvent| {
            subscription.matches(&event.into_message(MessageId::new("m").unwrap()).unwrap())
        };
        let at = Timestamp::UNIX_EPOCH;
        for (resource_type, operation, wanted) in [
            ("invoice", ResourceOperation::Updated, true),
            ("invoice", ResourceOperation::Created, false),
            ("payment", ResourceOperation::Updated, false),
        ] {
            let event = Event::new(ResourceChanged::new(resource_type, operation.clone()), at);
            assert_eq!(selects(event.into()), wanted, "{resource_type}.{operation}");
        }
        assert!(!selects(Event::new(RunStateChanged::new("r1", RunState::Started), at).into()));

        let json = r#"{"resource_changes":["invoice.updated"]}"#;
        assert_eq!(serde_json::to_string(&subscription).unwrap(), json);
        assert_eq!(serde_json::from_str::<Subscription>(json).unwrap(), subscription);
    }

    fn message(keys: Keys) -> Message {
        Message::new(
            MessageId::new("msg_1").unwrap(),
            EventType::from_static("sample.created"),
            Timestamp::UNIX_EPOCH,
            keys,
            "text",
            Rendering::new(http::HeaderValue::from_static("text/plain"), "x"),
        )
    }

    #[test]
    fn datasets_filter_by_id_and_by_owner() {
        let of = |dataset: &str| message(Keys::new().with_dataset(dataset));
        let one = Subscription::all().datasets(["jane/flowers".into(), "joe/trees".into()]);
        assert!(one.matches(&of("jane/flowers")));
        assert!(!one.matches(&of("jane/trees")));
        assert!(!one.matches(&message(Keys::new())));

        let owned = Subscription::all().dataset_owners(["jane"]);
        assert!(owned.matches(&of("jane/flowers")));
        assert!(owned.matches(&of("jane/a/b")));
        for other in ["jane", "janet/flowers", "Jane/flowers", "joe/jane", "/jane/flowers", ""] {
            assert!(!owned.matches(&of(other)), "{other}");
        }
        assert!(!owned.matches(&message(Keys::new())));

        let both = one.dataset_owners(["jane"]);
        assert!(both.matches(&of("jane/flowers")));
        assert!(!both.matches(&of("joe/trees")));
    }

    #[test]
    fn custom_keys_filter_by_name_and_value() {
        let of = |name: &str, value: &str| message(Keys::new().with_custom(name, value));
        let readers = Subscription::all().custom("instrument", ["reader-1", "reader-2"]);
        assert!(readers.matches(&of("instrument", "reader-2")));
        assert!(!readers.matches(&of("instrument", "reader-3")));
        assert!(!readers.matches(&of("workcell", "reader-2")));
        assert!(!readers.matches(&message(Keys::new())));

        let both = readers.clone().custom("workcell", ["cell-1"]);
        assert!(!both.matches(&of("instrument", "reader-2")));
        let keys =
            Keys::new().with_custom("instrument", "reader-2").with_custom("workcell", "cell-1");
        assert!(both.matches(&message(keys)));
        let any = Subscription::all().custom("instrument", [""; 0]);
        assert!(any.matches(&message(Keys::new())));

        let json = r#"{"custom":{"instrument":["reader-1","reader-2"]}}"#;
        assert_eq!(serde_json::to_string(&readers).unwrap(), json);
        assert_eq!(serde_json::from_str::<Subscription>(json).unwrap(), readers);
    }

    #[test]
    fn dataset_filters_round_trip_through_saved_state() {
        let chosen = Subscription::all().datasets(["jane/flowers".into()]).dataset_owners(["jane"]);
        let json = r#"{"datasets":["jane/flowers"],"dataset_owners":["jane"]}"#;
        for (subscription, json) in [(chosen, json), (Subscription::all(), "{}")] {
            assert_eq!(serde_json::to_string(&subscription).unwrap(), json);
            assert_eq!(serde_json::from_str::<Subscription>(json).unwrap(), subscription);
        }
    }
}
