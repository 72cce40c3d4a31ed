//! Which messages an endpoint receives: [`Subscription`].

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::event::Trigger;
use crate::event_type::{EventType, EventTypeError};
use crate::id::{DatasetId, LabwareId, ProjectId, RunId, TaskId};
use crate::message::Message;

/// Which messages an endpoint receives.
///
/// A subscription is a set of conditions, all of which must hold. A condition that was not set
/// holds for every message (the rule of Automata LINQ's hooks, where an empty list of ids means
/// all); one that was set holds for the messages that carry its key with a value in the list. So
/// a subscription to some runs receives nothing that belongs to no run.
///
/// ```
/// use labhook::Subscription;
/// use labhook::endpoint::TriggerOn;
///
/// let everything = Subscription::all();
/// let pick_ups = Subscription::all()
///     .event_types(["labware.moved".parse()?])
///     .labware(["plate-4".into()])
///     .with_trigger_on(TriggerOn::Start);
/// # Ok::<(), labhook::endpoint::EventPatternError>(())
/// ```
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
}

impl Subscription {
    /// Every message.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Adds event types: one of the patterns must match.
    #[must_use]
    pub fn event_types(mut self, patterns: impl IntoIterator<Item = EventPattern>) -> Self {
        self.event_types.extend(patterns);
        self
    }

    /// Adds runs: the message must belong to one of them.
    #[must_use]
    pub fn runs(mut self, ids: impl IntoIterator<Item = RunId>) -> Self {
        self.runs.extend(ids);
        self
    }

    /// Adds projects: the message must belong to one of them.
    #[must_use]
    pub fn projects(mut self, ids: impl IntoIterator<Item = ProjectId>) -> Self {
        self.projects.extend(ids);
        self
    }

    /// Adds tasks: the message must be about one of them.
    #[must_use]
    pub fn tasks(mut self, ids: impl IntoIterator<Item = TaskId>) -> Self {
        self.tasks.extend(ids);
        self
    }

    /// Adds labware: the message must be about one of them.
    #[must_use]
    pub fn labware(mut self, ids: impl IntoIterator<Item = LabwareId>) -> Self {
        self.labware.extend(ids);
        self
    }

    /// Sets which end of a labware movement the message must tell of.
    #[must_use]
    pub fn with_trigger_on(mut self, trigger_on: TriggerOn) -> Self {
        self.trigger_on = trigger_on;
        self
    }

    /// Adds changes of resources, such as `invoice.updated`: the message must tell of one of them.
    ///
    /// They are compared with [`Keys::with_resource_change`](crate::Keys::with_resource_change),
    /// all of whose messages are of the one type `resource.changed`.
    #[must_use]
    pub fn resource_changes<T: Into<Box<str>>>(
        mut self,
        changes: impl IntoIterator<Item = T>,
    ) -> Self {
        self.resource_changes.extend(changes.into_iter().map(Into::into));
        self
    }

    /// Adds datasets: the message must belong to one of them.
    #[must_use]
    pub fn datasets(mut self, ids: impl IntoIterator<Item = DatasetId>) -> Self {
        self.datasets.extend(ids);
        self
    }

    /// Adds owners of datasets: the message must belong to a dataset of one of them, known to the
    /// host or not yet.
    ///
    /// For datasets whose ids are `owner/name`, as those of Segments.ai are: the id must begin
    /// with the owner and a `/`.
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

    /// Whether the message is wanted.
    #[must_use]
    pub fn matches(&self, message: &Message) -> bool {
        let keys = message.keys();
        let event_type = message.event_type();
        (self.event_types.is_empty() || self.event_types.iter().any(|it| it.matches(event_type)))
            && holds(&self.runs, keys.run.as_ref())
            && holds(&self.projects, keys.project.as_ref())
            && holds(&self.tasks, keys.task.as_ref())
            && holds(&self.labware, keys.labware.as_ref())
            && self.trigger_on.holds(keys.trigger)
            && holds(&self.resource_changes, keys.resource_change.as_ref())
            && holds(&self.datasets, keys.dataset.as_ref())
            && holds(&self.dataset_owners, keys.dataset.as_ref().and_then(owner))
    }
}

/// What precedes the first `/`.
fn owner(dataset: &DatasetId) -> Option<&str> {
    dataset.as_str().split_once('/').map(|(owner, _)| owner)
}

fn holds<T: Ord + Borrow<Q>, Q: Ord + ?Sized>(wanted: &BTreeSet<T>, key: Option<&Q>) -> bool {
    wanted.is_empty() || key.is_some_and(|key| wanted.contains(key))
}

/// Which end of a labware movement is wanted, as Automata LINQ's `trigger_on`.
///
/// Exhaustive: the two ends and their union leave no fourth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::exhaustive_enums, reason = "the two ends of a movement and their union")]
pub enum TriggerOn {
    /// Only where the labware is picked up.
    Start,
    /// Only where the labware is placed down.
    End,
    /// Both, and messages that tell of no movement too: no condition.
    #[default]
    Both,
}

impl TriggerOn {
    fn holds(self, trigger: Option<Trigger>) -> bool {
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

/// An event type, or a family of them.
///
/// `*` is every type; `run.*` is every type that begins with `run.`; anything else is the one
/// type of that name. The star stands for one or more whole segments, and only at the end.
///
/// ```
/// use labhook::EventType;
/// use labhook::endpoint::EventPattern;
///
/// const MOVED: EventType = EventType::from_static("labware.moved");
/// for (pattern, matches) in [("*", true), ("labware.*", true), ("labware", false)] {
///     assert_eq!(pattern.parse::<EventPattern>()?.matches(&MOVED), matches);
/// }
/// # Ok::<(), labhook::endpoint::EventPatternError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventPattern(Pattern);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Pattern {
    Every,
    Under(EventType),
    One(EventType),
}

impl EventPattern {
    /// Every event type.
    pub const EVERY: Self = Self(Pattern::Every);

    /// Every event type that begins with the segments of `family`, and has more.
    #[must_use]
    pub const fn under(family: EventType) -> Self {
        Self(Pattern::Under(family))
    }

    /// Whether the event type is one of those that the pattern stands for.
    #[must_use]
    pub fn matches(&self, event_type: &EventType) -> bool {
        match &self.0 {
            Pattern::Every => true,
            Pattern::Under(family) => event_type
                .as_str()
                .strip_prefix(family.as_str())
                .is_some_and(|rest| rest.starts_with('.')),
            Pattern::One(one) => one == event_type,
        }
    }
}

/// The one type.
impl From<EventType> for EventPattern {
    fn from(event_type: EventType) -> Self {
        Self(Pattern::One(event_type))
    }
}

impl FromStr for EventPattern {
    type Err = EventPatternError;

    fn from_str(text: &str) -> Result<Self, EventPatternError> {
        let parse =
            |text: &str| EventType::new(text).map_err(|source| EventPatternError { source });
        if text == "*" {
            return Ok(Self::EVERY);
        }
        match text.strip_suffix(".*") {
            Some(family) => Ok(Self::under(parse(family)?)),
            None => Ok(parse(text)?.into()),
        }
    }
}

impl fmt::Display for EventPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Pattern::Every => f.write_str("*"),
            Pattern::Under(family) => write!(f, "{family}.*"),
            Pattern::One(one) => write!(f, "{one}"),
        }
    }
}

impl fmt::Debug for EventPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl Serialize for EventPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The text is neither `*`, nor an event type, nor one followed by `.*`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an event type, nor one followed by .*")]
pub struct EventPatternError {
    source: EventTypeError,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Keys;
    use crate::id::MessageId;
    use crate::lab::{ResourceChanged, RunState, RunStateChanged};
    use crate::message::Rendering;
    use crate::time::Timestamp;
    use crate::{Event, LabEvent};

    #[test]
    fn changes_of_resources_are_told_apart_though_their_type_is_one() {
        let subscription = Subscription::all().resource_changes(["invoice.updated"]);
        let wants = |event: LabEvent| {
            subscription.matches(&event.into_message(MessageId::new("m").unwrap()).unwrap())
        };
        let at = Timestamp::UNIX_EPOCH;
        for (resource_type, operation, wanted) in [
            ("invoice", "updated", true),
            ("invoice", "created", false),
            ("payment", "updated", false),
        ] {
            let event = Event::new(ResourceChanged::new(resource_type, operation), at);
            assert_eq!(wants(event.into()), wanted, "{resource_type}.{operation}");
        }
        assert!(!wants(Event::new(RunStateChanged::new("r1", RunState::Started), at).into()));

        let json = r#"{"resource_changes":["invoice.updated"]}"#;
        assert_eq!(serde_json::to_string(&subscription).unwrap(), json);
        assert_eq!(serde_json::from_str::<Subscription>(json).unwrap(), subscription);
    }

    fn about(keys: Keys) -> Message {
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
    fn datasets_are_chosen_by_id_and_by_owner() {
        let of = |dataset: &str| about(Keys::new().with_dataset(dataset));
        let one = Subscription::all().datasets(["jane/flowers".into(), "joe/trees".into()]);
        assert!(one.matches(&of("jane/flowers")));
        assert!(!one.matches(&of("jane/trees")));
        assert!(!one.matches(&about(Keys::new())));

        let owned = Subscription::all().dataset_owners(["jane"]);
        assert!(owned.matches(&of("jane/flowers")));
        assert!(owned.matches(&of("jane/a/b")));
        for other in ["jane", "janet/flowers", "Jane/flowers", "joe/jane", "/jane/flowers", ""] {
            assert!(!owned.matches(&of(other)), "{other}");
        }
        assert!(!owned.matches(&about(Keys::new())));

        let both = one.dataset_owners(["jane"]);
        assert!(both.matches(&of("jane/flowers")));
        assert!(!both.matches(&of("joe/trees")));
    }

    #[test]
    fn datasets_load_as_they_were_saved() {
        let chosen = Subscription::all().datasets(["jane/flowers".into()]).dataset_owners(["jane"]);
        let json = r#"{"datasets":["jane/flowers"],"dataset_owners":["jane"]}"#;
        for (subscription, json) in [(chosen, json), (Subscription::all(), "{}")] {
            assert_eq!(serde_json::to_string(&subscription).unwrap(), json);
            assert_eq!(serde_json::from_str::<Subscription>(json).unwrap(), subscription);
        }
    }
}
