//! labhook

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)
)]

pub mod danger;
mod decode;
mod event_type;
mod id;
mod secret;
pub mod signature;
mod time_text;
mod timestamp;

pub use decode::{Admitted, Decode, DecodeError, JsonError};
pub use event_type::{EventType, EventTypeError};
pub use id::{
    DatasetId, EndpointId, IdError, InstructionId, LabwareId, MessageId, PlanId, ProjectId, RunId,
    SampleId, TaskId, WorkcellId, WorkflowId,
};
pub use secret::{Form, Secret, SecretError};
pub use signature::{Scheme, SignError, Signer, Verified, Verifier, VerifyError};
pub use time_text::TimeText;
pub use timestamp::{ParseTimestampError, Timestamp};
