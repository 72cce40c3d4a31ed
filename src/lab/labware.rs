//! Labware: [`LabwareMoved`].

use crate::event::{Keys, Payload, Trigger};
use crate::event_type::EventType;
use crate::id::{LabwareId, ProjectId, RunId, TaskId};
use crate::json::{object, open_enum};

open_enum! {
    /// Which end of a movement it is.
    ///
    /// The pair is Automata LINQ's (published software, `trigger_on`).
    pub enum LabwareTrigger {
        /// The labware was picked up.
        Start = "start",
        /// The labware was placed down.
        End = "end",
    }
}

impl LabwareTrigger {
    /// The end as a subscription knows it; `None` for any other text.
    #[must_use]
    pub fn trigger(&self) -> Option<Trigger> {
        match self {
            Self::Start => Some(Trigger::Start),
            Self::End => Some(Trigger::End),
            Self::Other(_) => None,
        }
    }
}

impl From<Trigger> for LabwareTrigger {
    fn from(trigger: Trigger) -> Self {
        match trigger {
            Trigger::Start => Self::Start,
            Trigger::End => Self::End,
        }
    }
}

object! {
    /// A place where labware can be. This crate's own.
    pub struct Location {
        /// The device, or the piece of furniture.
        required device: String,
        /// The place in or on it, as the laboratory calls it.
        optional slot: String,
    }
}

object! {
    /// `labware.moved`: a piece of labware was picked up or placed down.
    ///
    /// `labware_id` and `trigger` are named after the labware hook of Automata LINQ, which
    /// publishes no payload for it; the rest is this crate's own.
    pub struct LabwareMoved {
        /// The piece of labware.
        required labware_id: LabwareId,
        /// Which end of the movement this is.
        required trigger: LabwareTrigger,
        /// Where it was.
        optional from: Location,
        /// Where it goes, or is now.
        optional to: Location,
        /// The barcode that was read from it.
        optional barcode: String,
        /// A sentence for people.
        optional message: String,
        /// The run that it was moved for.
        optional run_id: RunId,
        /// The task that it was moved for.
        optional task_id: TaskId,
        /// The project that owns the run.
        optional project_id: ProjectId,
    }
}

impl Payload for LabwareMoved {
    const EVENT_TYPE: EventType = EventType::from_static("labware.moved");

    fn keys(&self) -> Keys {
        let ordering = match &self.run_id {
            Some(run) => run.as_str(),
            None => self.labware_id.as_str(),
        };
        let mut keys = Keys::new().with_labware(self.labware_id.clone()).with_ordering(ordering);
        keys.run.clone_from(&self.run_id);
        keys.project.clone_from(&self.project_id);
        keys.task.clone_from(&self.task_id);
        keys.trigger = self.trigger.trigger();
        keys
    }
}
