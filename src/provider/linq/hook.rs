//! Hook definitions of a LINQ workflow: [`Hook`].

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

/// Hook of a LINQ workflow: the events to report, and the URL and headers to send them with.
///
/// A hook is an element of a workflow's `hooks` list, as written by the vendor's SDK (published
/// software); the example is the SDK's `LabwareMovementHook`. The id lists of a hook select the
/// tasks or labware to report; an empty list selects all.
///
/// The URL and the headers are secrets. There is no `Serialize`: [`expose_json`] writes the
/// definition. `Debug` shows only the URL's origin. Reading requires `serde_json`, and an error
/// contains the path of the malformed member but never its value.
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

/// Events that a hook reports: one variant per hook class of the SDK, with its own members.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Watch {
    /// `RunStateChangeHook`: state changes of the workflow's runs.
    RunState,
    /// `TaskStateChangeHook`: state changes of tasks.
    TaskState {
        /// The tasks; empty means all.
        task_ids: Vec<TaskId>,
    },
    /// `SafetyStateChangeHook`: changes of the workcell's safety state.
    SafetyState,
    /// `LabwareMovementHook`: movements of labware.
    LabwareMovement {
        /// The labware; empty means all.
        labware_ids: Vec<LabwareId>,
        /// Pick-up, put-down, or both.
        trigger_on: TriggerOn,
    },
    /// `NewPlanHook`: new plans of the scheduler.
    NewPlan,
    /// A filter that this version does not know; the hook's own members are in
    /// [`Hook::unknown`].
    Other {
        /// The filter.
        filter: Box<str>,
    },
}

impl Watch {
    /// Returns the kind of webhook that the hook sends; `None` if this version does not know it.
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

    /// Returns the text of the hook's `filter`.
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
    /// The members of every hook.
    struct Head {
        strict filter: Box<str>,
        required parameters: Parameters,
    }
}

object! {
    /// The members that identify the kind of a hook without a filter.
    struct Hints {
        optional task_ids: JsonText,
        optional labware_ids: JsonText,
        optional trigger_on: JsonText,
    }
}

object! {
    struct TaskMembers {
        strict_nullable task_ids: Vec<TaskId>,
    }
}

object! {
    struct LabwareMembers {
        strict_nullable labware_ids: Vec<LabwareId>,
        strict_nullable trigger_on: TriggerOn,
    }
}

impl Hook {
    /// Creates a hook without headers.
    ///
    /// The URL is not checked, since the vendor publishes no rule for it;
    /// [`endpoint`](Self::endpoint) checks it.
    #[must_use]
    pub fn new(watch: Watch, url: &str) -> Self {
        Self { watch, parameters: Parameters::new(url), unknown: UnknownMembers::new() }
    }

    /// Adds a header that is sent with every request. If the hook has a header with this name, its
    /// value is replaced and its position kept.
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

    /// Parses a definition.
    ///
    /// `filter` is deprecated as input. Without it, `task_ids` identifies a task hook, and
    /// `labware_ids` or `trigger_on` a labware hook. An absent list selects all; an absent
    /// `trigger_on` selects both ends of a movement.
    ///
    /// # Errors
    ///
    /// [`HookError`]; no variant contains any value of the definition.
    pub fn from_json(json: &str) -> Result<Self, HookError> {
        let Head { filter, parameters, unknown } = read(json)?;
        let kind = match &filter {
            Some(filter) => Kind::from_filter(filter),
            None => Some(infer_kind(&unknown)?),
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

    /// Returns the definition as JSON, including its secrets. Keep it out of logs; the text is
    /// wiped when dropped.
    ///
    /// The output is that of the SDK: compact, always with `filter`, members in the SDK's order,
    /// and unknown members last.
    #[must_use]
    pub fn expose_json(&self) -> Zeroizing<String> {
        expose(&Exposed(self))
    }

    /// Returns a workflow's `hooks` list as JSON, including its secrets: see
    /// [`expose_json`](Self::expose_json).
    #[must_use]
    pub fn expose_list_json(hooks: &[Self]) -> Zeroizing<String> {
        expose(&hooks.iter().map(Exposed).collect::<Vec<_>>())
    }

    /// Parses a workflow's `hooks` list; [`expose_list_json`](Self::expose_list_json) writes it.
    ///
    /// ```
    /// use labhook::provider::linq::{Hook, Kind};
    ///
    /// let json = concat!(
    ///     r#"[{"filter":"on_new_plan","parameters":{"url":"https://lims.example/plans"}},"#,
    ///     r#"{"filter":"on_run_state_change","parameters":{"url":"https://lims.example/runs"}}]"#,
    /// );
    /// let hooks = Hook::list_from_json(json)?;
    /// assert_eq!(hooks.len(), 2);
    /// assert_eq!(hooks.first().and_then(Hook::kind), Some(Kind::NewPlan));
    /// assert_eq!(*Hook::expose_list_json(&hooks), json);
    /// # Ok::<(), labhook::provider::linq::HookError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`HookError::InList`] for the first malformed hook, and [`HookError::Malformed`] if the text
    /// is not a list. No variant contains any value of a definition.
    pub fn list_from_json(json: &str) -> Result<Vec<Self>, HookError> {
        let texts: Vec<SecretJson> = read(json)?;
        let parse = |(index, text): (usize, &SecretJson)| {
            let in_list = |source| HookError::InList { index, source: Box::new(source) };
            Self::from_json(&text.0).map_err(in_list)
        };
        texts.iter().enumerate().map(parse).collect()
    }

    /// Returns the events that the hook reports.
    #[must_use]
    pub const fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Returns the kind of webhook that the hook sends; `None` if this version does not know it.
    #[must_use]
    pub const fn kind(&self) -> Option<Kind> {
        self.watch.kind()
    }

    /// Returns the URL. Keep it out of logs.
    #[must_use]
    pub fn expose_url(&self) -> &str {
        self.parameters.url.expose()
    }

    /// Returns the headers in order; none if `headers` is absent or `null`. Keep them out of logs.
    pub fn expose_headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.headers.value().into_iter().flat_map(Headers::iter)
    }

    /// Returns the members of the definition that this version does not know. Unknown members of
    /// `parameters` are preserved too, but not returned.
    #[must_use]
    pub const fn unknown(&self) -> &UnknownMembers {
        &self.unknown
    }
}

/// An absent member means the default. The vendor documents no meaning for `null`, so it is an
/// error.
fn value<T: Default>(name: &str, member: Nullable<T>) -> Result<T, HookError> {
    match member {
        Nullable::Value(value) => Ok(value),
        Nullable::Absent => Ok(T::default()),
        Nullable::Null => Err(HookError::Malformed { path: name.to_owned() }),
    }
}

fn infer_kind(unknown: &UnknownMembers) -> Result<Kind, HookError> {
    let hints: Hints = reread(unknown)?;
    match (hints.task_ids.is_some(), hints.labware_ids.is_some() || hints.trigger_on.is_some()) {
        (true, false) => Ok(Kind::TaskStateChange),
        (false, true) => Ok(Kind::LabwareMovement),
        (false, false) => Err(HookError::NoKind),
        (true, true) => Err(HookError::TwoKinds),
    }
}

fn read<T: DeserializeOwned>(json: &str) -> Result<T, HookError> {
    // The parser's own error is dropped: it may quote a secret value.
    from_json(json.as_bytes()).map_err(|error| HookError::Malformed { path: error.path })
}

/// Reads the unknown members of one type as the members of another.
fn reread<T: DeserializeOwned>(members: &UnknownMembers) -> Result<T, HookError> {
    struct Members<'a>(&'a UnknownMembers);

    impl Serialize for Members<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            self.0.write(|_| false, &mut map)?;
            map.end()
        }
    }

    read(&expose(&Members(members)))
}

/// Serializes the definition with its secrets; used only by `expose_*`.
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
        unknown.write(|_| false, &mut map)?;
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

/// Parses with [`Hook::from_json`]; the error text is that of a [`HookError`].
impl<'de> Deserialize<'de> for Hook {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let SecretJson(json) = SecretJson::deserialize(deserializer)?;
        Self::from_json(&json).map_err(D::Error::custom)
    }
}

/// A definition as JSON text, wiped when dropped.
struct SecretJson(Zeroizing<Box<str>>);

impl<'de> Deserialize<'de> for SecretJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw: Box<RawValue> = Box::deserialize(deserializer)?;
        Ok(Self(Zeroizing::new(raw.into())))
    }
}

/// An error in parsing a hook definition. No variant contains any part of a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HookError {
    /// The filter is absent, and no other member identifies the kind.
    #[error("the hook has no `filter`, and no other field identifies its kind")]
    NoKind,
    /// The filter is absent, and the other members match both a task hook and a labware hook.
    #[error("the hook has no `filter`, and its fields match two kinds")]
    TwoKinds,
    /// A member is missing, duplicated, or has the wrong type.
    #[error("the hook is malformed at `{path}`")]
    Malformed {
        /// The member's path; `.` is the definition itself.
        path: String,
    },
    /// A hook of a list is malformed.
    #[error("hook {index} of the list is malformed")]
    InList {
        /// The hook's position in the list, from 0.
        index: usize,
        /// What is wrong with it.
        source: Box<Self>,
    },
}
