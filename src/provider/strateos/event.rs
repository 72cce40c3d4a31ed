//! Mapping between Strateos webhooks and lab events.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::VENDOR;
use super::webhook::{Event, Op, PREFIX, Project, Run, Webhook};
use crate::event::{Event as TypedEvent, UnknownEvent};
use crate::event_type::EventType;
use crate::id::{InstructionId, ProjectId, RunId};
use crate::json::{JsonText, Member, UnknownMembers, object};
use crate::lab::{InstructionCompleted, LabEvent, RunState, RunStateChanged};
use crate::provider::MapError;
use crate::time::{TimeText, Timestamp};

impl Webhook {
    /// Maps the webhook to a lab event.
    ///
    /// `received_at` is the timestamp if the webhook has none, or none that can be read. Data
    /// without a field in the lab event is kept among its unknown members, so that
    /// [`from_event`](Self::from_event) restores this webhook: `run`, `project` and `event`
    /// verbatim if they contain more or less than the lab event does, and the members next to these
    /// three under their own names, with the prefix `strateos.` if the lab event has a member of
    /// that name.
    ///
    /// The webhook is restored from the event as it was; the order of members may change. A time
    /// of receipt is not written back, since the vendor has no member for it.
    ///
    /// # Errors
    ///
    /// [`MapError::Missing`] if `instruction_completed` has no instruction id, and
    /// [`MapError::Value`] if an unlisted operation cannot be part of an event type, or if an
    /// unknown member has the name of a known field.
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
        data.title.clone_from(&self.run.title);
        data.project_id = Some(self.project.id.clone());
        data.unknown = self.kept(
            RunStateChanged::NAMES,
            self.run.title.is_none() || !self.run.unknown.is_empty(),
            !(bare && unknown.is_empty()),
        )?;
        Ok(TypedEvent::new(data, at).into())
    }

    fn to_instruction_event(&self, received_at: Timestamp) -> Result<LabEvent, MapError> {
        let id = self.event.id.clone().ok_or_else(|| VENDOR.missing("event.id"))?;
        let completed_at = self.event.completed_at.clone();
        let readable = completed_at.clone().filter(|it| it.timestamp().is_some());
        let at = readable.unwrap_or_else(|| received_at.into());
        let bare = self.event.sequence_no.is_some() && completed_at.is_some();
        let mut data = InstructionCompleted::new(self.run.id.clone(), id);
        data.sequence_no = self.event.sequence_no;
        data.completed_at = completed_at;
        data.project_id = Some(self.project.id.clone());
        data.unknown =
            self.kept(InstructionCompleted::NAMES, true, !bare || !self.event.unknown.is_empty())?;
        Ok(TypedEvent::new(data, at).into())
    }

    /// Returns the members for which a lab event with these field names has no field.
    fn kept(&self, names: &[&str], run: bool, event: bool) -> Result<UnknownMembers, MapError> {
        // The renaming is one-to-one and has no such name, so names cannot collide.
        let rename = |(name, json): (&str, &JsonText)| {
            let collides = names.contains(&name) || Self::NAMES.contains(&name);
            let prefix = if collides || name.starts_with(PREFIX) { PREFIX } else { "" };
            (format!("{prefix}{name}").into(), json.clone())
        };
        let mut kept: Vec<Member> = self.unknown.texts().map(rename).collect();
        if run {
            kept.push(("run".into(), write("run", &self.run)?));
        }
        kept.push(("project".into(), write("project", &self.project)?));
        if event {
            kept.push(("event".into(), write("event", &self.event)?));
        }
        Ok(UnknownMembers::from_distinct(kept))
    }

    /// Maps a lab event to the webhook.
    ///
    /// The webhook has all members that the vendor publishes for the operation; if the event was
    /// received from Strateos without some of them, the webhook lacks the same. If the event has no
    /// field for a run's title or its project's name, they are read from the unknown members `run`
    /// and `project`, for example `{"name":"Demo Project"}`. Fields of the event take precedence.
    /// Unknown members of the event's envelope are written next to `run`, after the others. The
    /// event's timestamp is omitted, since the vendor has no member for it.
    ///
    /// # Errors
    ///
    /// [`MapError::NoWebhook`] for other event types, [`MapError::Missing`] if the event has no
    /// value for a required member, and [`MapError::Value`] if the webhook cannot express the
    /// event: a run state other than started and completed, a field without a member, such as a
    /// run's `message`, or two members with the same name.
    pub fn from_event(event: &LabEvent) -> Result<Self, MapError> {
        Self::from_event_in(event, None)
    }

    /// Like [`from_event`](Self::from_event), with a known project for events that do not name it.
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
            other => match other.as_text() {
                Some(event) => (Self::from_unknown_event(event)?, &event.unknown),
                None => return Err(VENDOR.no_webhook(other.event_type())),
            },
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
        // A field without a member in the payload is an error, so that no data is lost silently.
        reject_if_present("data.previous_state", data.previous_state.is_some())?;
        reject_if_present("data.message", data.message.is_some())?;
        reject_if_present("data.workflow_id", data.workflow_id.is_some())?;
        reject_if_present("data.workcell_id", data.workcell_id.is_some())?;
        reject_if_present("data.device", data.device.is_some())?;
        reject_if_present("data.progress_percent", data.progress_percent.is_some())?;
        reject_if_present("data.expected_end", data.expected_end.is_some())?;
        reject_if_present("data.actor", data.actor.is_some())?;
        let KeptMembers { run, project, event, unknown } = KeptMembers::read(&data.unknown)?;
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
        reject_if_present("data.operation", data.operation.is_some())?;
        let KeptMembers { run, project, event, unknown } = KeptMembers::read(&data.unknown)?;
        // An event that Strateos sent without these members has an `op` among the kept ones.
        let sent_so = event.op.is_some();
        if data.sequence_no.is_none() && !sent_so {
            return Err(VENDOR.missing("event.sequence_no"));
        }
        if data.completed_at.is_none() && !sent_so {
            return Err(VENDOR.missing("event.completed_at"));
        }
        let event = Event {
            op: Op::InstructionCompleted,
            id: Some(data.instruction_id.clone()),
            sequence_no: data.sequence_no,
            completed_at: data.completed_at.clone(),
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

/// The unknown members of a lab event, split as [`Webhook::to_event`] stored them.
struct KeptMembers {
    run: KeptRun,
    project: KeptProject,
    event: KeptEvent,
    unknown: UnknownMembers,
}

impl KeptMembers {
    fn read(members: &UnknownMembers) -> Result<Self, MapError> {
        let mut kept = Self {
            run: KeptRun::new(),
            project: KeptProject::new(),
            event: KeptEvent::new(),
            unknown: UnknownMembers::new(),
        };
        let mut unknown: Vec<Member> = Vec::new();
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
                    unknown.push((name.to_owned().into(), json.clone()));
                }
            }
        }
        kept.unknown = UnknownMembers::from_distinct(unknown);
        Ok(kept)
    }
}

object! {
    /// A [`Run`] with all members optional.
    struct KeptRun {
        optional id: RunId,
        optional title: String,
    }
}

impl KeptRun {
    fn finish(self, id: &RunId, title: Option<&String>) -> Result<Run, MapError> {
        // Members kept from another run do not apply. A kept run with an id is complete.
        let sent_so = self.id.as_ref() == Some(id);
        let kept = self.title.filter(|_| sent_so || self.id.is_none());
        let title = title.cloned().or(kept);
        if title.is_none() && !sent_so {
            return Err(VENDOR.missing("run.title"));
        }
        Ok(Run { id: id.clone(), title, unknown: self.unknown })
    }
}

object! {
    /// A [`Project`] with all members optional.
    struct KeptProject {
        optional id: ProjectId,
        optional name: String,
    }
}

impl KeptProject {
    fn finish(self, id: Option<&ProjectId>, named: Option<&Project>) -> Result<Project, MapError> {
        let id = id.or(self.id.as_ref()).cloned().ok_or_else(|| VENDOR.missing("project.id"))?;
        // Members kept from another project do not apply.
        let sent_so = self.id.as_ref() == Some(&id);
        let kept = self.name.filter(|_| sent_so || self.id.is_none());
        let known = || named.filter(|it| it.id == id).and_then(|it| it.name.clone());
        let name = kept.or_else(known);
        if name.is_none() && !sent_so {
            return Err(VENDOR.missing("project.name"));
        }
        Ok(Project { id, name, unknown: self.unknown })
    }
}

object! {
    /// An [`Event`] with all members optional.
    struct KeptEvent {
        optional op: JsonText,
        optional id: InstructionId,
        optional sequence_no: u64,
        optional completed_at: TimeText,
    }
}

fn reject_if_present(member: &'static str, is_present: bool) -> Result<(), MapError> {
    if is_present { Err(VENDOR.value(member)) } else { Ok(()) }
}

fn write<T: Serialize>(member: &'static str, object: &T) -> Result<JsonText, MapError> {
    JsonText::write(object).map_err(|_| VENDOR.value(member))
}

fn read<T: DeserializeOwned>(member: &'static str, json: &str) -> Result<T, MapError> {
    serde_json::from_str(json).map_err(|_| VENDOR.value(member))
}
