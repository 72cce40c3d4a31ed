//! labhook

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic))]

pub mod danger;
mod decode;
pub mod delivery;
mod event;
mod event_type;
mod id;
mod keys;
pub mod lab;
mod members;
mod secret;
pub mod signature;
mod time_text;
mod timestamp;

pub use decode::{Admitted, Decode, DecodeError, JsonError};
pub use delivery::{Delivery, Outcome, Policy, Verdict};
pub use event::{EncodeError, Event, Payload, UnknownEvent};
pub use event_type::{EventType, EventTypeError};
pub use id::{
    DatasetId, EndpointId, IdError, InstructionId, LabwareId, MessageId, PlanId, ProjectId, RunId,
    SampleId, TaskId, WorkcellId, WorkflowId,
};
pub use keys::{Keys, Trigger};
pub use lab::LabEvent;
pub use members::{JsonText, UnknownMembers};
pub use secret::{Form, Secret, SecretError};
pub use signature::{Scheme, SignError, Signer, Verified, Verifier, VerifyError};
pub use time_text::TimeText;
pub use timestamp::{ParseTimestampError, Timestamp};
