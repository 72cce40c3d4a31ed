//! labhook

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic))]

pub mod danger;
mod decode;
pub mod delivery;
mod endpoint;
mod event;
mod event_type;
mod format;
mod id;
mod inbox;
mod keys;
pub mod lab;
mod members;
mod message;
pub mod outbox;
mod registry;
mod rendering;
mod reply;
mod secret;
pub mod signature;
mod subscription;
mod time_text;
mod timestamp;

pub use decode::{Admitted, Decode, DecodeError, JsonError};
pub use delivery::{Delivery, Outcome, Policy, Verdict};
pub use endpoint::{Endpoint, EndpointError, RequestError};
pub use event::{EncodeError, Event, Payload, UnknownEvent};
pub use event_type::{EventType, EventTypeError};
pub use format::{Envelope, Format, FormatError};
pub use id::{
    DatasetId, EndpointId, IdError, InstructionId, LabwareId, MessageId, PlanId, ProjectId, RunId,
    SampleId, TaskId, WorkcellId, WorkflowId,
};
pub use inbox::{Admission, Claim, Inbox};
pub use keys::{Keys, Trigger};
pub use lab::LabEvent;
pub use members::{JsonText, UnknownMembers};
pub use message::{Message, NoEvent};
pub use outbox::{Attempt, Notice, Outbox, Step, Ticket};
pub use registry::{Registry, RegistryError};
pub use rendering::Rendering;
pub use reply::Reply;
pub use secret::{Form, Secret, SecretError};
pub use signature::{Scheme, SignError, Signer, Verified, Verifier, VerifyError};
pub use subscription::{EventPattern, EventPatternError, Subscription, TriggerOn};
pub use time_text::TimeText;
pub use timestamp::{ParseTimestampError, Timestamp};
