//! Strateos (formerly Transcriptic): webhooks about a project's runs.
//!
//! **Published**, on the vendor's page about webhooks: the payload, its three operations, and that
//! a project has one webhook URL, which receives the events of all its runs. The types of the
//! members and the timestamp format are from the sample data in the vendor's published software.
//!
//! | `event.op` | lab event | timestamp |
//! |---|---|---|
//! | `run_started` | [`RunStateChanged`](crate::lab::RunStateChanged), `started` | time of receipt |
//! | `run_completed` | [`RunStateChanged`](crate::lab::RunStateChanged), `completed` | time of receipt |
//! | `instruction_completed` | [`InstructionCompleted`](crate::lab::InstructionCompleted) | `completed_at` |
//! | any other | [`LabEvent::Unknown`](crate::LabEvent::Unknown) of type `strateos.<op>` | time of receipt |
//!
//! [`Webhook::to_event`] and [`Webhook::from_event`] are inverse: the event of a webhook gives that
//! webhook again, with its members in another order at most.
//!
//! **Not published:** a signature, an event id, the time of a run's events, the content type, the
//! responses that count as success, a timeout, retries and the order of delivery. Bodies are
//! therefore decoded through [`danger::unsigned`](crate::danger::unsigned), and the behaviour on
//! the other points is this crate's own.
//!
//! # Receiving
//!
//! ```
//! use labhook::{danger, LabEvent, Timestamp};
//! use labhook::provider::strateos::Webhook;
//!
//! let body = br#"{"run":{"id":"r19a428rm8tbp","title":"pGFP"},"project":{"id":"p18sjzxaeaff9","name":"Demo Project"},"event":{"op":"run_started"}}"#;
//! let received_at = Timestamp::from_unix_seconds(1_744_882_200);
//!
//! let webhook: Webhook = danger::unsigned(body).decode()?;
//! assert_eq!(webhook.project.name.as_deref(), Some("Demo Project"));
//! match webhook.to_event(received_at)? {
//!     LabEvent::RunStateChanged(run) => assert_eq!(run.data.state.as_str(), "started"),
//!     other => println!("a {} event", other.event_type()),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! An unguessable URL is the only way to distinguish Strateos from other senders.

mod event;
mod format;
mod subscription;
mod webhook;

pub use format::Format;
pub use subscription::ProjectWebhook;
pub(crate) use webhook::unread;
pub use webhook::{Event, Op, Project, Run, Webhook};

use super::vendor::Vendor;
use crate::delivery::RetryPolicy;

const VENDOR: Vendor = Vendor("Strateos");

/// Returns the retry policy: the default, since Strateos publishes none.
#[must_use]
pub fn policy() -> RetryPolicy {
    RetryPolicy::default()
}
