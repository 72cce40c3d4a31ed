//! Wire types of Strateos: [`Webhook`] and its parts.

use super::VENDOR;
use crate::decode::{Decode, DecodeError, TrustedBody};
use crate::event::UnknownEvent;
use crate::id::{InstructionId, ProjectId, RunId};
use crate::json::{JsonText, object, open_enum};
use crate::provider::DedupeKey;
use crate::time::{TimeText, Timestamp};

/// The prefix of event types for unlisted operations, and of unknown members whose names collide
/// with fields of the lab event.
pub(super) const PREFIX: &str = "strateos.";

object! {
    /// Body of a webhook. Published.
    ///
    /// It is not signed: decode it through [`danger::unsigned`](crate::danger::unsigned).
    pub struct Webhook {
        /// The run.
        required run: Run,
        /// The run's project.
        required project: Project,
        /// The event.
        required event: Event,
    }
}

object! {
    /// Run in a webhook. Published.
    pub struct Run {
        /// The run's id.
        required id: RunId,
        /// The run's title. Published; a webhook without one is read all the same.
        optional title: String,
    }
}

object! {
    /// Project of a run. Published.
    pub struct Project {
        /// The project's id.
        required id: ProjectId,
        /// The project's name. Published; a webhook without one is read all the same.
        optional name: String,
    }
}

object! {
    /// Event of a run. Published; the types of `sequence_no` and `completed_at` are from the sample
    /// data in the vendor's software.
    ///
    /// All members except `op` are published only for `instruction_completed`, which has all three.
    pub struct Event {
        /// The operation.
        required op: Op,
        /// The instruction's id.
        optional id: InstructionId,
        /// The instruction's position in the run, starting at 0.
        optional sequence_no: u64,
        /// When the instruction was completed.
        optional completed_at: TimeText,
    }
}

open_enum! {
    /// Operation of an event.
    ///
    /// The three are published. The vendor's page also mentions updates of a run's status, without
    /// an operation for them.
    pub enum Op {
        /// An instruction of the run, such as a cover or a thermocycle, completed.
        InstructionCompleted = "instruction_completed",
        /// The run started.
        RunStarted = "run_started",
        /// The run completed.
        RunCompleted = "run_completed",
    }
}

impl Webhook {
    /// Returns the idempotency key, built from the project, the run, the operation and the id in
    /// `event`, if any.
    ///
    /// The key is this crate's own, since Strateos sends no event id. Two webhooks of a run with
    /// the same operation and no id have the same key: if a run is started twice, the second
    /// webhook counts as a duplicate of the first.
    #[must_use]
    #[doc(alias = "idempotency key")]
    pub fn dedupe_key(&self) -> DedupeKey {
        let known = [self.project.id.as_str(), self.run.id.as_str(), self.event.op.as_str()];
        let id = self.event.id.as_ref().map(InstructionId::as_str);
        // Any member may distinguish two events of an unlisted operation, so the whole body counts.
        let rest = match Op::from(self.event.op.as_str()) {
            Op::Other(_) => serde_json::to_string(self).ok(),
            _ => None,
        };
        let rest = rest.map(|it| DedupeKey::of_body(it.as_bytes()).as_str().to_owned());
        DedupeKey::of_parts(known.into_iter().chain(id).chain(rest.as_deref()))
    }
}

object! {
    /// The members by which a body is recognized as a webhook.
    struct Outline {
        required run: JsonText,
        required project: JsonText,
        required event: Event,
    }
}

/// Returns a body that names its operation as an unknown event, although it is no [`Webhook`].
pub(crate) fn unread(body: TrustedBody<'_>, received_at: Timestamp) -> Option<UnknownEvent> {
    let Outline { event, .. } = body.json().ok()?;
    VENDOR.unread(PREFIX, event.op.as_str(), received_at.into(), body)
}

impl Decode for Webhook {
    fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError> {
        body.json()
    }
}
