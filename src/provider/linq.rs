//! Automata LINQ: webhooks about runs, tasks, safety, labware and plans.
//!
//! **Published** by the vendor: the page "Workflow Notifications", with the body of one kind of
//! webhook, and a Python SDK, with the definitions of the hooks that send them. **Not published:**
//! the bodies of the other four kinds, a signature, an event id, a timeout, retries and the order
//! of delivery.
//!
//! | hook | body | lab event |
//! |---|---|---|
//! | `RunStateChangeHook` | [`RunStateChange`], published | `run.state_changed` |
//! | `TaskStateChangeHook` | [`TaskStateChange`], this crate's own | `task.state_changed` |
//! | `SafetyStateChangeHook` | [`SafetyStateChange`], this crate's own | `safety.state_changed` |
//! | `LabwareMovementHook` | [`LabwareMovement`], this crate's own | `labware.moved` |
//! | `NewPlanHook` | [`NewPlan`], this crate's own | `plan.created` |
//!
//! - **Kind.** A body does not contain its kind. Give each kind its own URL or header, and decode
//!   with [`Webhook::decode_as`] or as the type of the kind.
//! - **Authentication.** A hook sends the headers of its `parameters` with every request. Put a
//!   shared token into one and verify it with [`Verifier::token`](crate::Verifier::token). To send
//!   as LINQ does, use [`Hook::endpoint`] or [`Signer::token`](crate::Signer::token). Without a
//!   token, the body can be decoded only through [`danger`](crate::danger).
//! - **Unexpected bodies.** If a body has no value for a member that the lab event requires,
//!   [`Webhook::to_event`] fails, and [`Sources`](crate::receive::Sources) returns the body as a
//!   [`LabEvent::Unreadable`](crate::LabEvent::Unreadable) of type `linq.<filter>`.
//! - **Duplicates.** The [`dedupe_key`](Webhook::dedupe_key) is this crate's own.
//! - **Hooks.** [`Hook`] reads and writes the `hooks` of a workflow, and builds an
//!   [`Endpoint`](crate::Endpoint) from one.

mod copy;
mod endpoint;
mod event;
mod format;
mod hook;
mod kind;
mod parameters;
mod payload;
mod webhook;

#[doc(no_inline)]
pub use crate::named::ParseNameError;
pub use endpoint::HookEndpointError;
pub use format::Format;
pub use hook::{Hook, HookError, Watch};
pub use kind::Kind;
pub use payload::{
    LabwareMovement, NewPlan, RunState, RunStateChange, SafetyStateChange, TaskStateChange,
};
pub use webhook::Webhook;
pub(crate) use webhook::{is_published_body, unread};

use super::vendor::Vendor;
use crate::delivery::RetryPolicy;

const VENDOR: Vendor = Vendor("LINQ");

/// Returns the retry policy: the default. The vendor publishes no timeout, no retries and no
/// definition of success.
#[must_use]
pub fn policy() -> RetryPolicy {
    RetryPolicy::default()
}
