//! The webhooks of Automata LINQ.
//!
//! **Published** by the vendor are the page "Workflow Notifications", which has the body of one
//! kind of webhook, and a Python SDK, which has the definitions of the hooks that send them.
//! **Not published** are the bodies of the other four kinds, any signature, an id of an event, a
//! timeout, retries, and an order of delivery.
//!
//! | hook | body | lab event |
//! |---|---|---|
//! | `RunStateChangeHook` | [`RunStateChange`], published | `run.state_changed` |
//! | `TaskStateChangeHook` | [`TaskStateChange`], this crate's own | `task.state_changed` |
//! | `SafetyStateChangeHook` | [`SafetyStateChange`], this crate's own | `safety.state_changed` |
//! | `LabwareMovementHook` | [`LabwareMovement`], this crate's own | `labware.moved` |
//! | `NewPlanHook` | [`NewPlan`], this crate's own | `plan.created` |
//!
//! - **Kind.** No body says which kind it is of. Give each kind a URL or a header of its own, and
//!   decode with [`Webhook::decode_as`] or as the type of the kind.
//! - **Authentication.** A hook sends the headers of its `parameters` with every request: put a
//!   shared token into one and admit it with [`Verifier::token`](crate::Verifier::token). One who
//!   sends as LINQ does has [`Hook::endpoint`], or [`Signer::token`](crate::Signer::token).
//!   Without a token there is [`danger`](crate::danger) only.
//! - **Repetitions.** [`Webhook::dedupe_key`] is this crate's own.
//! - **Hooks.** [`Hook`] reads and writes the `hooks` of a workflow, and makes an
//!   [`Endpoint`](crate::Endpoint) of one.

mod endpoint;
mod event;
mod format;
mod hook;
mod kind;
mod parameters;
mod payload;
mod webhook;

pub use endpoint::HookEndpointError;
pub use format::Format;
pub use hook::{Hook, HookError, Watch};
pub use kind::Kind;
pub use payload::{
    LabwareMovement, NewPlan, RunState, RunStateChange, SafetyStateChange, TaskStateChange,
};
pub use webhook::Webhook;

use super::vendor::Vendor;
use crate::delivery::RetryPolicy;

const VENDOR: Vendor = Vendor("LINQ");

/// The policy to deliver by: the default one. The vendor publishes neither a timeout nor retries
/// nor what it takes for success.
#[must_use]
pub fn policy() -> RetryPolicy {
    RetryPolicy::default()
}
