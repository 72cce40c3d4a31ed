//! Mapping between LINQ webhooks and lab events.
//!
//! The models in [`lab`] use the member names of LINQ's bodies. A body and the data of
//! its event are therefore the same object, except for the timestamp and the special cases below.
//! Each is serialized and read as the other; members that only one of them knows pass through
//! verbatim. Most bodies can be copied field by field instead, which gives the same event.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{
    LabwareMovement, NewPlan, RunState, RunStateChange, SafetyStateChange, TaskStateChange, VENDOR,
};
use crate::decode::from_json;
use crate::event::{Event, Payload};
use crate::json::{JsonText, Nullable, object};
use crate::lab::{
    self, LabwareMoved, PlanCreated, RunStateChanged, SafetyStateChanged, TaskStateChanged,
};
use crate::provider::MapError;
use crate::time::TimeText;

/// The member of an event's data that records another spelling of its state, such as `stopped`.
pub(super) const LINQ_STATE: &str = "linq_state";

object! {
    /// A body, or the data of an event, with its timestamp.
    struct Timed {
        strict_nullable timestamp: TimeText,
    }
}

object! {
    /// [`Timed`] for a run: its states differ in spelling.
    struct Run {
        required state: RunState,
        optional message: String,
        nullable linq_state: JsonText,
        strict_nullable timestamp: TimeText,
    }
}

object! {
    /// [`Timed`] for a plan: `state` in the body, `status` in the data.
    struct Plan {
        nullable state: JsonText,
        nullable status: JsonText,
        strict_nullable timestamp: TimeText,
    }
}

impl RunStateChange {
    /// Maps the webhook to a lab event. `stoped` and `stopped` both become
    /// [`Stopped`](crate::lab::RunState::Stopped); the second spelling is recorded in the data as
    /// the member `linq_state`. So is another spelling of a state that the vendor does not publish,
    /// such as `cancelled`.
    ///
    /// # Errors
    ///
    /// [`MapError::Value`] if a member has a different type in the model, or if the body has a
    /// `linq_state`.
    pub fn to_event(&self) -> Result<Event<RunStateChanged>, MapError> {
        self.copy().map_or_else(|| self.reread(), Ok)
    }

    pub(super) fn reread(&self) -> Result<Event<RunStateChanged>, MapError> {
        let mut data: Run = reread(self, "body", RunStateChanged::NAMES)?;
        if !data.linq_state.is_absent() {
            return Err(VENDOR.value(LINQ_STATE));
        }
        if data.state == RunState::Stoped {
            data.state = RunState::Stopped;
        } else if is_other_spelling(&data.state, &data.state.as_str().into()) {
            data.linq_state = Nullable::Value(text(&data.state)?);
        }
        data.timestamp = Nullable::Absent;
        event(&data, &self.timestamp)
    }

    /// Maps a lab event to the webhook.
    ///
    /// A stopped run is written as `stoped`. States that the vendor does not publish are written
    /// as in [`lab::RunState`]. If the event has no message, one is written
    /// in the style of the published example: `The run is paused.`, with the event's state. So a
    /// webhook that came without one does not come back as it was. Other
    /// fields of the event are written after the four published members, under the model's names.
    ///
    /// # Errors
    ///
    /// [`MapError::Value`] if the event has unknown members that the body cannot contain: any in
    /// its envelope, or a `timestamp` or a misplaced `linq_state` in its data.
    pub fn from_event(event: &Event<RunStateChanged>) -> Result<Self, MapError> {
        let mut body: Run = data_of(event)?;
        match (&body.state, &body.linq_state) {
            (RunState::Stopped, Nullable::Absent) => body.state = RunState::Stoped,
            (_, Nullable::Absent) => {}
            (_, Nullable::Value(spelled)) => {
                let spelled: RunState = spelled.read().map_err(|_| VENDOR.value(LINQ_STATE))?;
                if !is_other_spelling(&spelled, &event.data.state) {
                    return Err(VENDOR.value(LINQ_STATE));
                }
                body.state = spelled;
            }
            (_, Nullable::Null) => return Err(VENDOR.value(LINQ_STATE)),
        }
        body.linq_state = Nullable::Absent;
        let state = &event.data.state;
        if body.message.is_none() && body.unknown.get("message").is_none() {
            body.message = Some(format!("The run is {state}."));
        }
        set_time(&mut body.timestamp, &event.timestamp)?;
        reread(&body, "data", Self::NAMES)
    }
}

impl TaskStateChange {
    /// Maps the webhook to a lab event.
    ///
    /// # Errors
    ///
    /// [`MapError::Missing`] if the body has no `timestamp`, `run_id`, `task_id` or `state`, and
    /// [`MapError::Value`] if a member has a different type in the model.
    pub fn to_event(&self) -> Result<Event<TaskStateChanged>, MapError> {
        self.copy().map_or_else(|| self.reread(), Ok)
    }

    pub(super) fn reread(&self) -> Result<Event<TaskStateChanged>, MapError> {
        require("run_id", self.run_id.is_some())?;
        require("task_id", self.task_id.is_some())?;
        require("state", self.state.is_some())?;
        untimed_event(self, self.timestamp.as_ref())
    }

    /// Maps a lab event to the webhook. Event fields that this body has no member for are written
    /// after its members, under the model's names.
    ///
    /// # Errors
    ///
    /// [`MapError::Value`] if the event has unknown members that the body cannot contain: any in
    /// its envelope, or a `timestamp` in its data.
    pub fn from_event(event: &Event<TaskStateChanged>) -> Result<Self, MapError> {
        timed_body(event, Self::NAMES)
    }
}

impl SafetyStateChange {
    /// Maps the webhook to a lab event.
    ///
    /// The event requires a workcell, for which LINQ publishes no member. Set it with
    /// [`Webhook::workcell_or`](super::Webhook::workcell_or): the receiver knows the workcell from
    /// the URL or header of the request.
    ///
    /// # Errors
    ///
    /// [`MapError::Missing`] if the body has no `timestamp`, `workcell_id` or `state`, and
    /// [`MapError::Value`] if a member has a different type in the model.
    pub fn to_event(&self) -> Result<Event<SafetyStateChanged>, MapError> {
        self.copy().map_or_else(|| self.reread(), Ok)
    }

    pub(super) fn reread(&self) -> Result<Event<SafetyStateChanged>, MapError> {
        require("workcell_id", self.workcell_id.is_some())?;
        require("state", self.state.is_some())?;
        untimed_event(self, self.timestamp.as_ref())
    }

    /// Maps a lab event to the webhook. Event fields that this body has no member for are written
    /// after its members, under the model's names.
    ///
    /// # Errors
    ///
    /// [`MapError::Value`] if the event has unknown members that the body cannot contain: any in
    /// its envelope, or a `timestamp` in its data.
    pub fn from_event(event: &Event<SafetyStateChanged>) -> Result<Self, MapError> {
        timed_body(event, Self::NAMES)
    }
}

impl LabwareMovement {
    /// Maps the webhook to a lab event. The model has no `state`, so a `state` is kept among the
    /// unknown members of the data.
    ///
    /// # Errors
    ///
    /// [`MapError::Missing`] if the body has no `timestamp`, `labware_id` or `trigger`, and
    /// [`MapError::Value`] if a member has a different type in the model.
    pub fn to_event(&self) -> Result<Event<LabwareMoved>, MapError> {
        self.copy().map_or_else(|| self.reread(), Ok)
    }

    pub(super) fn reread(&self) -> Result<Event<LabwareMoved>, MapError> {
        require("labware_id", self.labware_id.is_some())?;
        require("trigger", self.trigger.is_some())?;
        untimed_event(self, self.timestamp.as_ref())
    }

    /// Maps a lab event to the webhook. Event fields that this body has no member for are written
    /// after its members, under the model's names.
    ///
    /// # Errors
    ///
    /// [`MapError::Value`] if the event has unknown members that the body cannot contain: any in
    /// its envelope, or a `timestamp` in its data.
    pub fn from_event(event: &Event<LabwareMoved>) -> Result<Self, MapError> {
        timed_body(event, Self::NAMES)
    }
}

impl NewPlan {
    /// Maps the webhook to a lab event; the body's `state` becomes the event's `status`.
    ///
    /// # Errors
    ///
    /// [`MapError::Missing`] if the body has no `timestamp`, `plan_id` or `state`, and
    /// [`MapError::Value`] if it has a `status`, or a member with a different type in the model.
    pub fn to_event(&self) -> Result<Event<PlanCreated>, MapError> {
        self.copy().map_or_else(|| self.reread(), Ok)
    }

    pub(super) fn reread(&self) -> Result<Event<PlanCreated>, MapError> {
        require("plan_id", self.plan_id.is_some())?;
        require("state", self.state.is_some())?;
        let timestamp = self.timestamp.as_ref().ok_or(VENDOR.missing("timestamp"))?;
        let mut data: Plan = reread(self, "body", PlanCreated::NAMES)?;
        if !data.status.is_absent() {
            return Err(VENDOR.value("status"));
        }
        data.status = std::mem::take(&mut data.state);
        data.timestamp = Nullable::Absent;
        event(&data, timestamp)
    }

    /// Maps a lab event to the webhook. Event fields that this body has no member for are written
    /// after its members, under the model's names.
    ///
    /// # Errors
    ///
    /// [`MapError::Value`] if the event has unknown members that the body cannot contain: any in
    /// its envelope, or a `timestamp` or a `state` in its data.
    pub fn from_event(event: &Event<PlanCreated>) -> Result<Self, MapError> {
        let mut body: Plan = data_of(event)?;
        if !body.state.is_absent() {
            return Err(VENDOR.value("state"));
        }
        body.state = std::mem::take(&mut body.status);
        set_time(&mut body.timestamp, &event.timestamp)?;
        reread(&body, "data", Self::NAMES)
    }
}

/// Returns whether a body's state is `state`, in a spelling that is not the one written by default.
pub(super) fn is_other_spelling(spelled: &RunState, state: &lab::RunState) -> bool {
    let is_default = spelled.as_str() == state.as_str() && *spelled != RunState::Stopped;
    lab::RunState::from(spelled.as_str()) == *state && !is_default
}

fn untimed_event<P: LabPayload>(
    body: &impl Serialize,
    timestamp: Option<&TimeText>,
) -> Result<Event<P>, MapError> {
    let timestamp = timestamp.ok_or(VENDOR.missing("timestamp"))?;
    let mut data: Timed = reread(body, "body", P::NAMES)?;
    data.timestamp = Nullable::Absent;
    event(&data, timestamp)
}

fn timed_body<P: Payload, T: DeserializeOwned>(
    event: &Event<P>,
    names: &[&'static str],
) -> Result<T, MapError> {
    let mut body: Timed = data_of(event)?;
    set_time(&mut body.timestamp, &event.timestamp)?;
    reread(&body, "data", names)
}

/// A payload with a list of member names for error texts.
trait LabPayload: Payload {
    const NAMES: &'static [&'static str];
}

macro_rules! lab {
    ($($payload:ident,)+) => {
        $(
            impl LabPayload for $payload {
                const NAMES: &'static [&'static str] = Self::NAMES;
            }
        )+
    };
}

lab! {
    RunStateChanged,
    TaskStateChanged,
    SafetyStateChanged,
    LabwareMoved,
    PlanCreated,
}

fn event<P: LabPayload>(data: &impl Serialize, timestamp: &TimeText) -> Result<Event<P>, MapError> {
    Ok(Event::new(reread(data, "body", P::NAMES)?, timestamp.clone()))
}

/// Reads the data of an event whose envelope has no unknown members.
fn data_of<P: Payload, T: DeserializeOwned>(event: &Event<P>) -> Result<T, MapError> {
    if event.unknown.is_empty() {
        reread(&event.data, "data", &["timestamp"])
    } else {
        Err(VENDOR.value("unknown"))
    }
}

fn set_time(slot: &mut Nullable<TimeText>, timestamp: &TimeText) -> Result<(), MapError> {
    if slot.is_absent() {
        *slot = Nullable::Value(timestamp.clone());
        Ok(())
    } else {
        Err(VENDOR.value("timestamp"))
    }
}

/// Converts `value` to another type through JSON. An error names the first of `names` in its path,
/// or else `whole`.
fn reread<T: DeserializeOwned>(
    value: &impl Serialize,
    whole: &'static str,
    names: &[&'static str],
) -> Result<T, MapError> {
    let json = serde_json::to_vec(value).map_err(|_| VENDOR.value(whole))?;
    from_json(&json).map_err(|error| {
        let first = error.path.split(['.', '[']).next();
        VENDOR.value(names.iter().find(|name| Some(**name) == first).unwrap_or(&whole))
    })
}

fn text(value: &impl Serialize) -> Result<JsonText, MapError> {
    JsonText::write(value).map_err(|_| VENDOR.value("state"))
}

fn require(member: &'static str, is_present: bool) -> Result<(), MapError> {
    if is_present { Ok(()) } else { Err(VENDOR.missing(member)) }
}
