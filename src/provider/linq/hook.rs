//! A hook of a workflow: [`Hook`].

use std::fmt;

use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::Kind;
use super::parameters::{Headers, Parameters};
use crate::decode::from_json;
use crate::endpoint::TriggerOn;
use crate::id::{LabwareId, TaskId};
use crate::json::{JsonText, Nullable, UnknownMembers, object};
use crate::provider::sensitive;

/// A hook of a workflow: what it watches, and where it sends.
///
/// It is an element of the `hooks` list of a workflow, as the vendor's SDK writes it (published
/// software); the example is the SDK's `LabwareMovementHook`. All ids that a hook lists are ids to
/// tell of, and an empty list means all.
///
/// The URL and the headers are secrets. There is no `Serialize`: [`expose_json`] writes the
/// definition. `Debug` shows the URL's origin only. Reading needs `serde_json`, and an error says
/// where the definition is malformed, never with what.
///
/// ```
/// use labhook::provider::linq::{Hook, Kind};
///
/// let json = concat!(
///     r#"{"filter":"on_labware_movement","parameters":{"url":"http://example.com","#,
///     r#""headers":{"X-My-Header":"my-header-val"}},"labware_ids":[],"trigger_on":"both"}"#,
/// );
/// let hook = Hook::from_json(json)?;
/// assert_eq!(hook.kind(), Some(Kind::LabwareMovement));
/// assert_eq!(*hook.expose_json(), json);
/// assert_eq!(format!("{hook:?}"), r#"Hook("on_labware_movement", http://example.com)"#);
/// # Ok::<(), labhook::provider::linq::HookError>(())
/// ```
///
/// [`expose_json`]: Self::expose_json
#[derive(Clone, PartialEq, Eq)]
pub struct Hook {
    watch: Watch,
    parameters: Parameters,
    unknown: UnknownMembers,
}

/// What a hook watches: the SDK's classes of hook, with the members that they have of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Watch {
    /// `RunStateChangeHook`: the state of a run of the workflow.
    RunState,
    /// `TaskStateChangeHook`: the states of tasks.
    TaskState {
        /// Which tasks; none means all.
        task_ids: Vec<TaskId>,
    },
    /// `SafetyStateChangeHook`: the safety state of the workcell.
    SafetyState,
    /// `LabwareMovementHook`: movements of labware.
    LabwareMovement {
        /// Which labware; none means all.
        labware_ids: Vec<LabwareId>,
        /// Whether picking up, placing down, or both.
        trigger_on: TriggerOn,
    },
    /// `NewPlanHook`: new plans of the scheduler.
    NewPlan,
    /// A hook whose filter this version does not know; its own members are
    /// [`Hook::unknown`].
    Other {
        /// The filter.
        filter: Box<str>,
    },
}

impl Watch {
    /// The kind of webhook that the hook sends; `None` where this version does not know it.
    #[must_use]
    pub const fn kind(&self) -> Option<Kind> {
        match self {
            Self::RunState => Some(Kind::RunStateChange),
            Self::TaskState { .. } => Some(Kind::TaskStateChange),
            Self::SafetyState => Some(Kind::SafetyStateChange),
            Self::LabwareMovement { .. } => Some(Kind::LabwareMovement),
            Self::NewPlan => Some(Kind::NewPlan),
            Self::Other { .. } => None,
        }
    }

    /// The text of the hook's `filter`.
    #[must_use]
    pub fn filter(&self) -> &str {
        match (self, self.kind()) {
            (Self::Other { filter }, _) => filter,
            (_, Some(kind)) => kind.filter(),
            (_, None) => "",
        }
    }
}

object! {
    /// What every hook has.
    struct Head {
        optional filter: Box<str>,
        required parameters: Parameters,
    }
}

object! {
    /// What a hook without a filter may tell its kind by.
    struct Hints {
        optional task_ids: JsonText,
        optional labware_ids: JsonText,
        optional trigger_on: JsonText,
    }
}

object! {
    struct TaskMembers {
        nullable task_ids: Vec<TaskId>,
    }
}

object! {
    struct LabwareMembers {
        nullable labware_ids: Vec<LabwareId>,
        nullable trigger_on: TriggerOn,
    }
}

impl Hook {
    /// A hook without headers.
    ///
    /// Any URL will do, for the vendor publishes no rule; an [`endpoint`](Self::endpoint) is more
    /// particular.
    #[must_use]
    pub fn new(watch: Watch, url: &str) -> Self {
        Self { watch, parameters: Parameters::new(url), unknown: UnknownMembers::new() }
    }

    /// Adds a header that is sent with every request, at the end, or gives the one of that name,
    /// in its place, another value.
    #[must_use]
    pub fn add_header(mut self, name: &str, value: &str) -> Self {
        let mut headers = match std::mem::take(&mut self.parameters.headers) {
            Nullable::Value(headers) => headers,
            Nullable::Absent | Nullable::Null => Headers::default(),
        };
        headers.set(name, value);
        self.parameters.headers = Nullable::Value(headers);
        self
    }

    /// Reads a definition.
    ///
    /// `filter` is deprecated as input: without it, `task_ids` tell a task hook, and
    /// `labware_ids` or `trigger_on` a labware hook. Where those two lists are absent, nothing is
    /// left out; without `trigger_on` both ends are told of.
    ///
    /// # Errors
    ///
    /// [`HookError`]; no variant holds any part of the definition.
    pub fn from_json(json: &str) -> Result<Self, HookError> {
        let Head { filter, parameters, unknown } = read(json)?;
        let kind = match &filter {
            Some(filter) => Kind::from_filter(filter),
            None => Some(guess(&unknown)?),
        };
        let (watch, unknown) = match kind {
            Some(Kind::RunStateChange) => (Watch::RunState, unknown),
            Some(Kind::TaskStateChange) => {
                let TaskMembers { task_ids, unknown } = reread(&unknown)?;
                (Watch::TaskState { task_ids: value("task_ids", task_ids)? }, unknown)
            }
            Some(Kind::SafetyStateChange) => (Watch::SafetyState, unknown),
            Some(Kind::LabwareMovement) => {
                let LabwareMembers { labware_ids, trigger_on, unknown } = reread(&unknown)?;
                let watch = Watch::LabwareMovement {
                    labware_ids: value("labware_ids", labware_ids)?,
                    trigger_on: value("trigger_on", trigger_on)?,
                };
                (watch, unknown)
            }
            Some(Kind::NewPlan) => (Watch::NewPlan, unknown),
            None => (Watch::Other { filter: filter.unwrap_or_default() }, unknown),
        };
        Ok(Self { watch, parameters, unknown })
    }

    /// Writes the definition with its secrets, as the SDK does: `filter` always, compact, in the
    /// SDK's order, unknown members last. Keep it out of logs; the text is wiped when dropped.
    #[must_use]
    pub fn expose_json(&self) -> Zeroizing<String> {
        expose(&Exposed(self))
    }

    /// Writes the `hooks` list of a workflow with its secrets: see
    /// [`expose_json`](Self::expose_json).
    #[must_use]
    pub fn expose_list_json(hooks: &[Self]) -> Zeroizing<String> {
        expose(&hooks.iter().map(Exposed).collect::<Vec<_>>())
    }

    /// What it watches.
    #[must_use]
    pub const fn watch(&self) -> &Watch {
        &self.watch
    }

    /// The kind of webhook that it sends; `None` where this version does not know it.
    #[must_use]
    pub const fn kind(&self) -> Option<Kind> {
        self.watch.kind()
    }

    /// The URL. Keep it out of logs.
    #[must_use]
    pub fn expose_url(&self) -> &str {
        self.parameters.url.expose()
    }

    /// The headers, in order; none where `headers` is absent or `null`. Keep them out of logs.
    pub fn expose_headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.headers.value().into_iter().flat_map(Headers::iter)
    }

    /// The members of the definition that this version does not know; those inside of
    /// `parameters` are kept too, and are not shown.
    #[must_use]
    pub const fn unknown(&self) -> &UnknownMembers {
        &self.unknown
    }
}

/// A list that is absent stands for all; one that is `null` stands for nothing that is documented.
fn value<T: Default>(name: &str, member: Nullable<T>) -> Result<T, HookError> {
    match member {
        Nullable::Value(value) => Ok(value),
        Nullable::Absent => Ok(T::default()),
        Nullable::Null => Err(HookError::Malformed { path: name.to_owned() }),
    }
}

fn guess(unknown: &UnknownMembers) -> Result<Kind, HookError> {
    let hints: Hints = reread(unknown)?;
    match (hints.task_ids.is_some(), hints.labware_ids.is_some() || hints.trigger_on.is_some()) {
        (true, false) => Ok(Kind::TaskStateChange),
        (false, true) => Ok(Kind::LabwareMovement),
        (false, false) => Err(HookError::NoKind),
        (true, true) => Err(HookError::TwoKinds),
    }
}

fn read<T: DeserializeOwned>(json: &str) -> Result<T, HookError> {
    // The parser's own error may quote the value, which may be a secret.
    from_json(json.as_bytes()).map_err(|error| HookError::Malformed { path: error.path })
}

/// Reads the members that a type does not know as those of another.
fn reread<T: DeserializeOwned>(members: &UnknownMembers) -> Result<T, HookError> {
    struct Members<'a>(&'a UnknownMembers);

    impl Serialize for Members<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            self.0.write(&[], &mut map)?;
            map.end()
        }
    }

    read(&expose(&Members(members)))
}

/// The definition as it is written; made by the doors that say so only.
struct Exposed<'a>(&'a Hook);

impl Serialize for Exposed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Hook { watch, parameters, unknown } = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("filter", watch.filter())?;
        map.serialize_entry("parameters", parameters)?;
        match watch {
            Watch::TaskState { task_ids } => map.serialize_entry("task_ids", task_ids)?,
            Watch::LabwareMovement { labware_ids, trigger_on } => {
                map.serialize_entry("labware_ids", labware_ids)?;
                map.serialize_entry("trigger_on", trigger_on)?;
            }
            Watch::RunState | Watch::SafetyState | Watch::NewPlan | Watch::Other { .. } => {}
        }
        unknown.write(&[], &mut map)?;
        map.end()
    }
}

fn expose(value: &impl Serialize) -> Zeroizing<String> {
    let mut json = sensitive::expose(value)
        .expect("text, lists of text and JSON that was read have a form in JSON");
    Zeroizing::new(String::from_utf8(std::mem::take(&mut *json)).expect("JSON is UTF-8"))
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hook({:?}, {:?})", self.watch.filter(), self.parameters.url.as_url())
    }
}

/// Reads with [`Hook::from_json`]; the error's text is that of a [`HookError`].
impl<'de> Deserialize<'de> for Hook {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw: Box<RawValue> = Box::deserialize(deserializer)?;
        let json = Zeroizing::new(Box::<str>::from(raw));
        Self::from_json(&json).map_err(D::Error::custom)
    }
}

/// The text is no definition of a hook. No variant holds any part of a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HookError {
    /// The filter is absent, and no other member is of one kind only.
    #[error("the hook has no filter, and its other members do not tell its kind")]
    NoKind,
    /// The filter is absent, and the other members are those of a task hook and a labware hook.
    #[error("the hook has no filter, and its other members are those of two kinds")]
    TwoKinds,
    /// A member is missing, stands twice, or has another form.
    #[error("the hook is malformed at `{path}`")]
    Malformed {
        /// The path of the member; `.` is the definition itself.
        path: String,
    },
}
