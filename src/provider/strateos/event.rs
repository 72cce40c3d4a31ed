//! From a webhook to a lab event and back.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::VENDOR;
use super::webhook::{Event, Op, Project, Run, Webhook};
use crate::event::{Event as Happened, UnknownEvent};
use crate::event_type::EventType;
use crate::id::{InstructionId, ProjectId, RunId};
use crate::json::{JsonText, UnknownMembers, object};
use crate::lab::{InstructionCompleted, LabEvent, RunState, RunStateChanged};
use crate::provider::MapError;
use crate::time::{TimeText, Timestamp};

/// What the types of events begin with whose operation the vendor does not list, and the names of
/// members that a lab event would otherwise take for its own.
const PREFIX: &str = "strateos.";

impl Webhook {
    /// The lab event that this webhook tells of.
    ///
    /// `received_at` is the time of an event that has none of its own. What the lab event has no
    /// field for is kept among its unknown members: `run`, `project` and `event` as they came,
    /// where they hold more than the lab event does, and the members beside these three under
    /// their own names, behind `strateos.` where the lab event has a member of that name. So
    /// [`from_event`](Self::from_event) gives this webhook again.
    ///
    /// # Errors
    ///
    /// [`MapError::Missing`] where `instruction_completed` names no instruction, and
    /// [`MapError::Value`] where an operation that the vendor does not list makes no event type,
    /// or where an unknown member has the name of a known one.
    pub fn to_event(&self, received_at: Timestamp) -> Result<LabEvent, MapError> {
        let op = &self.event.op;
        if *op == Op::RunStarted {
            self.to_run_event(RunState::Started, received_at)
        } else if *op == Op::RunCompleted {
            self.to_run_event(RunState::Completed, received_at)
        } else if *op == Op::InstructionCompleted {
            self.to_instruction_event(received_at)
        } else {
            let event_type =
                EventType::new(format!("{PREFIX}{op}")).map_err(|_| VENDOR.value("event.op"))?;
            let data = JsonText::write(self).map_err(|_| VENDOR.value("webhook"))?;
            Ok(UnknownEvent::new(event_type, data, received_at).into())
        }
    }

    fn to_run_event(&self, state: RunState, at: Timestamp) -> Result<LabEvent, MapError> {
        let Event { id, sequence_no, completed_at, unknown, .. } = &self.event;
        let bare = id.is_none() && sequence_no.is_none() && completed_at.is_none();
        let mut data = RunStateChanged::new(self.run.id.clone(), state);
        data.title = Some(self.run.title.clone());
        data.project_id = Some(self.project.id.clone());
        data.unknown = self.kept(
            RunStateChanged::NAMES,
            !self.run.unknown.is_empty(),
            !(bare && unknown.is_empty()),
        )?;
        Ok(Happened::new(data, at).into())
    }

    fn to_instruction_event(&self, received_at: Timestamp) -> Result<LabEvent, MapError> {
        let id = self.event.id.clone().ok_or_else(|| VENDOR.missing("event.id"))?;
        let completed_at = self.event.completed_at.clone();
        let at = completed_at.clone().unwrap_or_else(|| received_at.into());
        let mut data = InstructionCompleted::new(self.run.id.clone(), id);
        data.sequence_no = self.event.sequence_no;
        data.completed_at = completed_at;
        data.project_id = Some(self.project.id.clone());
        data.unknown =
            self.kept(InstructionCompleted::NAMES, true, !self.event.unknown.is_empty())?;
        Ok(Happened::new(data, at).into())
    }

    /// What a lab event with members of these names has no field for.
    fn kept(&self, names: &[&str], run: bool, event: bool) -> Result<UnknownMembers, MapError> {
        // Each name has one other, so no two meet.
        let rename = |(name, json): (&str, &JsonText)| {
            let taken = names.contains(&name) || Self::NAMES.contains(&name);
            let prefix = if taken || name.starts_with(PREFIX) { PREFIX } else { "" };
            (format!("{prefix}{name}").into(), json.clone())
        };
        let mut kept = UnknownMembers::from_distinct(self.unknown.texts().map(rename).collect());
        if run {
            keep(&mut kept, "run", write("run", &self.run)?.as_str());
        }
        keep(&mut kept, "project", write("project", &self.project)?.as_str());
        if event {
            keep(&mut kept, "event", write("event", &self.event)?.as_str());
        }
        Ok(kept)
    }

    /// The webhook that tells of this lab event.
    ///
    /// It has all members that the vendor publishes for the operation. A run's title and its
    /// project's name come from the members `run` and `project` among the unknown ones where the
    /// event has no field for them: `{"name":"Demo Project"}` will do. A field of the event counts
    /// before what stands there. The unknown members of the event's own envelope stand beside
    /// `run`, after the others. The time of the event is left out: the vendor has no member for it,
    /// and every event has one.
    ///
    /// # Errors
    ///
    /// [`MapError::NoWebhook`] for events of other types, [`MapError::Missing`] where the event
    /// does not say what the webhook must, and [`MapError::Value`] where it says what the webhook
    /// cannot: a run's state other than started and completed, a field that the vendor has no
    /// member for, such as a run's `message`, or two members of one name.
    pub fn from_event(event: &LabEvent) -> Result<Self, MapError> {
        Self::from_event_in(event, None)
    }

    /// The same, where the project of this id is known to have this name.
    pub(super) fn from_event_in(
        event: &LabEvent,
        project: Option<&Project>,
    ) -> Result<Self, MapError> {
        let (mut webhook, envelope) = match event {
            LabEvent::RunStateChanged(event) => {
                (Self::from_run_event(&event.data, project)?, &event.unknown)
            }
            LabEvent::InstructionCompleted(event) => {
                (Self::from_instruction_event(&event.data, project)?, &event.unknown)
            }
            LabEvent::Unknown(event) => (Self::from_unknown_event(event)?, &event.unknown),
            other => return Err(VENDOR.no_webhook(other.event_type())),
        };
        let is_known = Self::NAMES.iter().any(|name| envelope.get(name).is_some());
        if is_known || !webhook.unknown.append(envelope) {
            return Err(VENDOR.value("unknown"));
        }
        Ok(webhook)
    }

    fn from_run_event(data: &RunStateChanged, named: Option<&Project>) -> Result<Self, MapError> {
        let op = if data.state == RunState::Started {
            Op::RunStarted
        } else if data.state == RunState::Completed {
            Op::RunCompleted
        } else {
            return Err(VENDOR.value("data.state"));
        };
        // What the payload has no member for is refused, not left out.
        let RunStateChanged { previous_state, message, workflow_id, workcell_id, .. } = data;
        refuse("data.previous_state", previous_state.is_some())?;
        refuse("data.message", message.is_some())?;
        refuse("data.workflow_id", workflow_id.is_some())?;
        refuse("data.workcell_id", workcell_id.is_some())?;
        let Persisted { run, project, event, unknown } = Persisted::read(&data.unknown)?;
        let event = Event {
            op,
            id: event.id,
            sequence_no: event.sequence_no,
            completed_at: event.completed_at,
            unknown: event.unknown,
        };
        Ok(Self {
            run: run.finish(&data.run_id, data.title.as_ref())?,
            project: project.finish(data.project_id.as_ref(), named)?,
            event,
            unknown,
        })
    }

    fn from_instruction_event(
        data: &InstructionCompleted,
        named: Option<&Project>,
    ) -> Result<Self, MapError> {
        refuse("data.operation", data.operation.is_some())?;
        let Persisted { run, project, event, unknown } = Persisted::read(&data.unknown)?;
        let sequence_no = data.sequence_no.ok_or_else(|| VENDOR.missing("event.sequence_no"))?;
        let completed_at =
            data.completed_at.clone().ok_or_else(|| VENDOR.missing("event.completed_at"))?;
        let event = Event {
            op: Op::InstructionCompleted,
            id: Some(data.instruction_id.clone()),
            sequence_no: Some(sequence_no),
            completed_at: Some(completed_at),
            unknown: event.unknown,
        };
        Ok(Self {
            run: run.finish(&data.run_id, None)?,
            project: project.finish(data.project_id.as_ref(), named)?,
            event,
            unknown,
        })
    }

    fn from_unknown_event(event: &UnknownEvent) -> Result<Self, MapError> {
        let op = event
            .event_type
            .as_str()
            .strip_prefix(PREFIX)
            .ok_or_else(|| VENDOR.no_webhook(&event.event_type))?;
        let webhook: Self = event.data.read().map_err(|_| VENDOR.value("data"))?;
        if webhook.event.op.as_str() == op {
            Ok(webhook)
        } else {
            Err(VENDOR.value("data.event.op"))
        }
    }
}

/// What [`Webhook::to_event`] kept, taken apart again.
struct Persisted {
    run: KeptRun,
    project: KeptProject,
    event: KeptEvent,
    unknown: UnknownMembers,
}

impl Persisted {
    fn read(members: &UnknownMembers) -> Result<Self, MapError> {
        let mut kept = Self {
            run: KeptRun::new(),
            project: KeptProject::new(),
            event: KeptEvent::new(),
            unknown: UnknownMembers::new(),
        };
        let mut unknown: Vec<(Box<str>, JsonText)> = Vec::new();
        let mut seen = BTreeSet::new();
        for (name, json) in members.texts() {
            match name {
                "run" => kept.run = read("data.run", json.as_str())?,
                "project" => kept.project = read("data.project", json.as_str())?,
                "event" => kept.event = read("data.event", json.as_str())?,
                other => {
                    let name = other.strip_prefix(PREFIX).unwrap_or(other);
                    if Webhook::NAMES.contains(&name) || !seen.insert(name) {
                        return Err(VENDOR.value("data.unknown"));
                    }
                    unknown.push((name.into(), json.clone()));
                }
            }
        }
        kept.unknown = UnknownMembers::from_distinct(unknown);
        Ok(kept)
    }
}

object! {
    /// A [`Run`] of which any part may be left.
    struct KeptRun {
        optional id: RunId,
        optional title: String,
    }
}

impl KeptRun {
    fn finish(self, id: &RunId, title: Option<&String>) -> Result<Run, MapError> {
        // What was kept of another run is not this one's.
        let kept = self.title.filter(|_| self.id.is_none_or(|kept| kept == *id));
        let title = title.cloned().or(kept).ok_or_else(|| VENDOR.missing("run.title"))?;
        Ok(Run { id: id.clone(), title, unknown: self.unknown })
    }
}

object! {
    /// A [`Project`] of which any part may be left.
    struct KeptProject {
        optional id: ProjectId,
        optional name: String,
    }
}

impl KeptProject {
    fn finish(self, id: Option<&ProjectId>, named: Option<&Project>) -> Result<Project, MapError> {
        let id = id.or(self.id.as_ref()).cloned().ok_or_else(|| VENDOR.missing("project.id"))?;
        // What was kept of another project is not this one's.
        let kept = self.name.filter(|_| self.id.is_none_or(|kept| kept == id));
        let known = || named.filter(|it| it.id == id).map(|it| it.name.clone());
        let name = kept.or_else(known).ok_or_else(|| VENDOR.missing("project.name"))?;
        Ok(Project { id, name, unknown: self.unknown })
    }
}

object! {
    /// An [`Event`] of which any part may be left.
    struct KeptEvent {
        optional op: JsonText,
        optional id: InstructionId,
        optional sequence_no: u64,
        optional completed_at: TimeText,
    }
}

fn refuse(member: &'static str, is_there: bool) -> Result<(), MapError> {
    if is_there { Err(VENDOR.value(member)) } else { Ok(()) }
}

fn keep(into: &mut UnknownMembers, name: impl Into<Box<str>>, json: &str) {
    into.insert(name, json).expect("the text is JSON already");
}

fn write<T: Serialize>(member: &'static str, object: &T) -> Result<JsonText, MapError> {
    JsonText::write(object).map_err(|_| VENDOR.value(member))
}

fn read<T: DeserializeOwned>(member: &'static str, json: &str) -> Result<T, MapError> {
    serde_json::from_str(json).map_err(|_| VENDOR.value(member))
}
