//! Strateos (formerly Transcriptic): the webhooks of a project's runs.
//!
//! Published, on its page about webhooks: the payload of every request, its three operations, and
//! that a project has one webhook URL to which the events of all its runs go. The types of the
//! members and the form of the time are from the sample data in its published software.
//!
//! | `event.op` | lab event | its time |
//! |---|---|---|
//! | `run_started` | [`RunStateChanged`](crate::lab::RunStateChanged), `started` | when it came |
//! | `run_completed` | [`RunStateChanged`](crate::lab::RunStateChanged), `completed` | when it came |
//! | `instruction_completed` | [`InstructionCompleted`](crate::lab::InstructionCompleted) | its `completed_at` |
//! | any other | [`LabEvent::Unknown`](crate::LabEvent::Unknown) of type `strateos.<op>` | when it came |
//!
//! Not published: a signature, an id of an event, a time of a run's events, the content type, what
//! counts as received, a timeout, retries and order. So bodies come in through
//! [`danger::unsigned`](crate::danger::unsigned), and what stands here for the rest is this
//! crate's own.
//!
//! # Receive
//!
//! ```
//! use labhook::{danger, LabEvent, Timestamp};
//! use labhook::provider::strateos::Webhook;
//!
//! let body = br#"{"run":{"id":"r19a428rm8tbp","title":"pGFP"},"project":{"id":"p18sjzxaeaff9","name":"Demo Project"},"event":{"op":"run_started"}}"#;
//! let received_at = Timestamp::from_unix_seconds(1_744_882_200);
//!
//! let webhook: Webhook = danger::unsigned(body).decode()?;
//! assert_eq!(webhook.project.name, "Demo Project");
//! match webhook.to_event(received_at)? {
//!     LabEvent::RunStateChanged(run) => assert_eq!(run.data.state.as_str(), "started"),
//!     other => println!("a {} event", other.event_type()),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A URL that is hard to guess is the only thing that tells Strateos from anybody else.

mod event;
mod format;
mod subscription;
mod webhook;

pub use format::Format;
pub use subscription::ProjectWebhook;
pub use webhook::{Event, Op, Project, Run, Webhook};

use super::vendor::Vendor;
use crate::delivery::RetryPolicy;

const VENDOR: Vendor = Vendor("Strateos");

/// How stubbornly to deliver: the default [`RetryPolicy`], for Strateos publishes nothing about it.
#[must_use]
pub fn policy() -> RetryPolicy {
    RetryPolicy::default()
}
