//! From a webhook to a lab event, and back.
//!
//! The models in [`lab`](crate::lab) name their members as LINQ's bodies do, so a body and the
//! data of its event are one object, but for the time and for what the arms here say. Each is
//! written and read as the other: what only one of the two knows passes through as text.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{
    LabwareMovement, NewPlan, RunState, RunStateChange, SafetyStateChange, TaskStateChange, VENDOR,
};
use crate::decode::from_json;
use crate::event::{Event, Payload};
use crate::json::{JsonText, Nullable, object};
use crate::lab::{
    LabwareMoved, PlanCreated, RunStateChanged, SafetyStateChanged, TaskStateChanged,
};
use crate::provider::MapError;
use crate::time::TimeText;

/// Where the data of an event keeps the spelling `stopped`.
const LINQ_STATE: &str = "linq_state";

object! {
    /// A body or the data of an event, with its time.
    struct Timed {
        nullable timestamp: TimeText,
    }
}

object! {
    /// The same for a run, whose states differ in spelling.
    struct Run {
        required state: RunState,
        optional message: String,
        nullable linq_state: JsonText,
        nullable timestamp: TimeText,
    }
}

object! {
    /// The same for a plan: `state` in the body, `status` in the data.
    struct Plan {
        nullable state: JsonText,
        nullable status: JsonText,
        nullable timestamp: TimeText,
    }
}

impl RunStateChange {
    /// The event that the webhook tells of. `stoped` and `stopped` are both
    /// [`Stopped`](crate::lab::RunState::Stopped); that the second came is kept in the data as
    /// the member `linq_state`.
    ///
    /// # Errors
    ///
    /// [`MapError::Value`] where the body has a member which the model means otherwise: one of
    /// its own of another form, or a `linq_state`.
    pub fn to_event(&self) -> Result<Event<RunStateChanged>, MapError> {
        let mut data: Run = reread(self, "body", RunStateChanged::NAMES)?;
        if !data.linq_state.is_absent() {
            return Err(VENDOR.value(LINQ_STATE));
        }
        match data.state {
            RunState::Stoped => data.state = RunState::Stopped,
            RunState::Stopped => data.linq_state = Nullable::Value(text(&RunState::Stopped)?),
            _ => {}
        }
        data.timestamp = Nullable::Absent;
        event(&data, &self.timestamp)
    }

    /// The webhook that tells of the event.
    ///
    /// A run that stopped is `stoped`. The states that the vendor does not publish are written as
    /// [`lab::RunState`](crate::lab::RunState) has them. Where the event has no message it
    /// becomes `The run is paused.`, after the published example, with the state in its place.
    /// What else the event knows stands behind the four published members, under the model's
    /// names.
    ///
    /// # Errors
    ///
    /// [`MapError::Value`] where the event holds unknown members that cannot stand in the body:
    /// any in its envelope, and a `timestamp`, or a stray `linq_state`, in its data.
    pub fn from_event(event: &Event<RunStateChanged>) -> Result<Self, MapError> {
        let mut body: Run = data_of(event)?;
        match (&body.state, &body.linq_state) {
            (RunState::Stopped, Nullable::Absent) => body.state = RunState::Stoped,
            (RunState::Stopped, Nullable::Value(spelled))
                if *spelled == text(&RunState::Stopped)? => {}
            (_, Nullable::Absent) => {}
            _ => return Err(VENDOR.value(LINQ_STATE)),
        }
        body.linq_state = Nullable::Absent;
        let state = &event.data.state;
        body.message.get_or_insert_with(|| format!("The run is {state}."));
        set_time(&mut body.timestamp, &event.timestamp)?;
        reread(&body, "data", Self::NAMES)
    }
}

impl TaskStateChange {
    /// The event that the webhook tells of.
    ///
    /// # Errors
    ///
    /// [`MapError::Missing`] where the body has no `timestamp`, `run_id`, `task_id` or `state`,
    /// and [`MapError::Value`] where it has a member of the model's in another form.
    pub fn to_event(&self) -> Result<Event<TaskStateChanged>, MapError> {
        needs("run_id", self.run_id.is_some())?;
        needs("task_id", self.task_id.is_some())?;
        needs("state", self.state.is_some())?;
        untimed_event(self, self.timestamp.as_ref())
    }

    /// The webhook that tells of the event. What the event knows besides stands behind the
    /// members that this shape has, under the model's names.
    ///
    /// # Errors
    ///
    /// [`MapError::Value`] where the event holds unknown members that cannot stand in the body:
    /// any in its envelope, and a `timestamp` in its data.
    pub fn from_event(event: &Event<TaskStateChanged>) -> Result<Self, MapError> {
        timed_body(event, Self::NAMES)
    }
}

impl SafetyStateChange {
    /// The event that the webhook tells of.
    ///
    /// The event needs a workcell, which LINQ has no known member for. The receiver knows it from
    /// where the request came in, and sets it:
    /// [`Webhook::workcell_or`](super::Webhook::workcell_or).
    ///
    /// # Errors
    ///
    /// [`MapError::Missing`] where the body has no `timestamp`, `workcell_id` or `state`, and
    /// [`MapError::Value`] where it has a member of the model's in another form.
    pub fn to_event(&self) -> Result<Event<SafetyStateChanged>, MapError> {
        needs("workcell_id", self.workcell_id.is_some())?;
        needs("state", self.state.is_some())?;
        untimed_event(self, self.timestamp.as_ref())
    }

    /// The webhook that tells of the event. What the event knows besides stands behind the
    /// members that this shape has, under the model's names.
    ///
    /// # Errors
    ///
    /// [`MapError::Value`] where the event holds unknown members that cannot stand in the body:
    /// any in its envelope, and a `timestamp` in its data.
    pub fn from_event(event: &Event<SafetyStateChanged>) -> Result<Self, MapError> {
        timed_body(event, Self::NAMES)
    }
}

impl LabwareMovement {
    /// The event that the webhook tells of. The model has no `state`: one is kept among the
    /// unknown members of the data.
    ///
    /// # Errors
    ///
    /// [`MapError::Missing`] where the body has no `timestamp`, `labware_id` or `trigger`, and
    /// [`MapError::Value`] where it has a member of the model's in another form.
    pub fn to_event(&self) -> Result<Event<LabwareMoved>, MapError> {
        needs("labware_id", self.labware_id.is_some())?;
        needs("trigger", self.trigger.is_some())?;
        untimed_event(self, self.timestamp.as_ref())
    }

    /// The webhook that tells of the event. What the event knows besides stands behind the
    /// members that this shape has, under the model's names.
    ///
    /// # Errors
    ///
    /// [`MapError::Value`] where the event holds unknown members that cannot stand in the body:
    /// any in its envelope, and in its data a `timestamp` or a `state` that is not text.
    pub fn from_event(event: &Event<LabwareMoved>) -> Result<Self, MapError> {
        timed_body(event, Self::NAMES)
    }
}

impl NewPlan {
    /// The event that the webhook tells of; its `status` is the body's `state`.
    ///
    /// # Errors
    ///
    /// [`MapError::Missing`] where the body has no `timestamp`, `plan_id` or `state`, and
    /// [`MapError::Value`] where it has a `status`, or another member of the model's in another
    /// form.
    pub fn to_event(&self) -> Result<Event<PlanCreated>, MapError> {
        needs("plan_id", self.plan_id.is_some())?;
        needs("state", self.state.is_some())?;
        let timestamp = self.timestamp.as_ref().ok_or(VENDOR.missing("timestamp"))?;
        let mut data: Plan = reread(self, "body", PlanCreated::NAMES)?;
        if !data.status.is_absent() {
            return Err(VENDOR.value("status"));
        }
        data.status = std::mem::take(&mut data.state);
        data.timestamp = Nullable::Absent;
        event(&data, timestamp)
    }

    /// The webhook that tells of the event. What the event knows besides stands behind the
    /// members that this shape has, under the model's names.
    ///
    /// # Errors
    ///
    /// [`MapError::Value`] where the event holds unknown members that cannot stand in the body:
    /// any in its envelope, and a `timestamp` or a `state` in its data.
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

fn untimed_event<P: Lab>(
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

/// A payload whose members can be named in an error.
trait Lab: Payload {
    const NAMES: &'static [&'static str];
}

macro_rules! lab {
    ($($payload:ident,)+) => {
        $(
            impl Lab for $payload {
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

fn event<P: Lab>(data: &impl Serialize, timestamp: &TimeText) -> Result<Event<P>, MapError> {
    Ok(Event::new(reread(data, "body", P::NAMES)?, timestamp.clone()))
}

/// The data of an event whose envelope has nothing more than its time.
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

/// Writes `value` and reads it as the other type. The names are those that an error can give;
/// `whole` stands where it can give none.
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

fn needs(member: &'static str, is_there: bool) -> Result<(), MapError> {
    if is_there { Ok(()) } else { Err(VENDOR.missing(member)) }
}
