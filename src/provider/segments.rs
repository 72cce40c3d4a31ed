//! Segments.ai: webhooks about datasets, samples, labels, issues and releases, signed by Svix.
//!
//! # What is published
//!
//! Segments.ai's documentation publishes the envelope, [`Webhook`], and the eleven event types,
//! [`EventKind`]. It describes the member `object` as the dataset, sample, label or issue that was
//! created or updated, but not its contents. `object` resembles the models of the vendor's
//! published Python package. [`DatasetObject`] and the other `*Object` types read it by the names
//! of those models; a `Webhook` keeps it verbatim. There is no `label.created`.
//!
//! # Receiving
//!
//! "Every webhook is signed with a unique key" (documentation), through Svix:
//! [`Verifier::svix`](crate::Verifier::svix) accepts both the `svix-*` and the `webhook-*` headers.
//! The body contains no event id; [`dedupe_key`] is the signed `svix-id`.
//!
//! ```
//! use labhook::{LabEvent, Secret, Timestamp, Verifier};
//! use labhook::provider::segments;
//!
//! # let secret = || Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
//! # let now = Timestamp::from_unix_seconds(1_628_520_020);
//! # let body = br#"{"event_type":"sample.created","created_at":"2021-08-09T14:40:19.987691+00:00","api_version":"2021-08-01","dataset":"jane/flowers","object":{"uuid":"9f3b","name":"rose.png"},"text":"Sample rose.png created in dataset jane/flowers."}"#;
//! # let id = labhook::MessageId::new("msg_1")?;
//! # let headers = labhook::Signer::svix(secret()?).sign(&id, now, body)?;
//! let verified = Verifier::svix(secret()?).verify(&headers, body, now)?;
//! let id = segments::dedupe_key(&verified).ok_or("Svix signs an id")?;
//! assert_eq!(id.as_str(), "msg_1");
//!
//! let webhook: segments::Webhook = verified.decode()?;
//! let LabEvent::SampleCreated(event) = webhook.to_event()? else { panic!() };
//! assert_eq!(event.data.sample.name.as_deref(), Some("rose.png"));
//! assert_eq!(segments::Webhook::from_event(&event.into())?, webhook);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Events
//!
//! | Segments.ai event | [`LabEvent`](crate::LabEvent) | id |
//! |---|---|---|
//! | `dataset.created`, `.updated`, `.deleted` | same name | `dataset` |
//! | `sample.created`, `.updated`, `.deleted` | same name | `object.uuid` |
//! | `label.updated`, `.deleted` | same name | `object.sample_uuid` |
//! | `issue.created`, `.updated` | same name | `object.uuid` |
//! | `release.created` | same name | `object.uuid` |
//! | any other | `Unknown`, of type `segments.<event_type>` | none |
//!
//! The contents of `object` are not documented, so an event may come without the id. `to_event`
//! then fails, and [`Sources`](crate::receive::Sources) returns the webhook as a
//! [`LabEvent::Unreadable`](crate::LabEvent::Unreadable) of type `segments.<event_type>`.
//!
//! [`Webhook::to_event`] documents the mapping of the other members.
//!
//! # Delivery
//!
//! Segments.ai documents that webhooks can be viewed and replayed in its settings. Retries
//! ([`policy`]) and disabling ([`DISABLED_AFTER`]) are from Svix's documentation.

mod event;
mod format;
mod models;
mod object;
mod subscription;
mod webhook;

use std::time::Duration;

pub use format::Format;
pub use object::{
    DatasetObject, IssueObject, LabelObject, OwnerObject, ReleaseObject, SampleObject,
};
pub use subscription::{Hook, HookError};
pub(crate) use webhook::unread;
pub use webhook::{EventKind, Webhook, dedupe_key};

use super::vendor::Vendor;
use crate::delivery::RetryPolicy;

const VENDOR: Vendor = Vendor("Segments.ai");

/// The prefix of the event types that have no lab event.
const PREFIX: &str = "segments.";

/// The `api_version` of payloads created by this crate: that of the published payload.
pub const API_VERSION: &str = "2021-08-01";

/// The time after which an endpoint is disabled if all its deliveries fail (Svix's documentation).
///
/// For reference only: a [`RetryPolicy`] applies to single deliveries and disables no endpoint.
pub const DISABLED_AFTER: Duration = Duration::from_secs(5 * 86_400);

/// Returns the retry policy: [`RetryPolicy::svix`], since Segments.ai sends through Svix.
///
/// It has Svix's retry schedule, a response timeout of 15 s, and the response header
/// `webhook-delivery`, by which a receiver stops the retries or disables the endpoint.
#[must_use]
pub fn policy() -> RetryPolicy {
    RetryPolicy::svix()
}
