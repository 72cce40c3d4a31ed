//! Labware events: [`LabwareMoved`].

use crate::event::{Keys, Payload, Trigger};
use crate::event_type::EventType;
use crate::id::{LabwareId, ProjectId, RunId, TaskId};
use crate::json::{object, open_enum};

open_enum! {
    /// The end of a labware movement that an event reports.
    ///
    /// The vocabulary is Automata LINQ's `trigger_on` (published software).
    pub enum LabwareTrigger {
        /// The labware was picked up.
        Start = "start",
        /// The labware was placed down.
        End = "end",
    }
}

impl LabwareTrigger {
    /// Returns the trigger that subscriptions filter by; `None` for any other text.
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
    /// A place that can hold labware.
    ///
    /// Defined by this crate.
    pub struct Location {
        /// The device, shelf or other holder.
        required device: String,
        /// The slot in the device, in the lab's own naming.
        optional slot: String,
    }
}

object! {
    /// `labware.moved`: a piece of labware was picked up or placed down.
    ///
    /// `labware_id` and `trigger` are named after the labware hook of Automata LINQ, which
    /// publishes no payload for it. The other fields are this crate's own.
    pub struct LabwareMoved {
        /// The labware's id.
        required labware_id: LabwareId,
        /// The end of the movement.
        exact trigger: LabwareTrigger,
        /// The origin of the movement.
        optional from: Location,
        /// The destination of the movement.
        optional to: Location,
        /// The barcode read from the labware.
        optional barcode: String,
        /// A human-readable message.
        optional message: String,
        /// The run it was moved for.
        optional run_id: RunId,
        /// The task it was moved for.
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
