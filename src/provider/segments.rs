//! Segments.ai: datasets, samples, labels, issues and releases, signed as Svix does.
//!
//! # What is published, and what is not
//!
//! Segments.ai's documentation publishes the envelope, [`Webhook`], and the eleven event types,
//! [`EventKind`]. Of the member `object` it says that it is the dataset, sample, label or issue
//! that was created or updated, and not what is in it. It resembles the models of the vendor's
//! published Python package, and [`DatasetObject`] and its sisters read it by their names; a
//! `Webhook` keeps its text. There is no `label.created`.
//!
//! # Receive
//!
//! "Every webhook is signed with a unique key" (documentation), through Svix:
//! [`Verifier::svix`](crate::Verifier::svix) takes the headers of either brand. The body has no id
//! of the event; [`dedupe_key`] is the signed `svix-id`.
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
//! | Segments.ai's event | [`LabEvent`](crate::LabEvent) | its id is |
//! |---|---|---|
//! | `dataset.created`, `.updated`, `.deleted` | of the same name | `dataset` |
//! | `sample.created`, `.updated`, `.deleted` | of the same name | `object.uuid` |
//! | `label.updated`, `.deleted` | of the same name | `object.sample_uuid` |
//! | `issue.created`, `.updated` | of the same name | `object.uuid` |
//! | `release.created` | of the same name | `object.uuid` |
//! | any other | `Unknown`, of type `segments.` and its name | none |
//!
//! [`Webhook::to_event`] says where the rest goes.
//!
//! # Delivery
//!
//! Segments.ai publishes that webhooks can be viewed and replayed in its settings. The rest is
//! Svix's documentation: [`policy`], and [`DISABLED_AFTER`].

mod event;
mod format;
mod members;
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
pub use webhook::{EventKind, Webhook, dedupe_key};

use super::vendor::Vendor;
use crate::delivery::RetryPolicy;

const VENDOR: Vendor = Vendor("Segments.ai");

/// The version that a payload of this crate's own making says it is of: that of the published
/// payload.
pub const API_VERSION: &str = "2021-08-01";

/// An endpoint all of whose deliveries have failed for so long is disabled (Svix's documentation).
///
/// It is here to be known: a [`RetryPolicy`] is about single deliveries, and disables no endpoint.
pub const DISABLED_AFTER: Duration = Duration::from_secs(5 * 86_400);

/// How Segments.ai delivers: as Svix, through which it sends, documents.
///
/// It is [`RetryPolicy::svix`]: the schedule, the 15 s for an answer, and the header
/// `webhook-delivery` with which a receiver stops the retries or disables the endpoint.
#[must_use]
pub fn policy() -> RetryPolicy {
    RetryPolicy::svix()
}
