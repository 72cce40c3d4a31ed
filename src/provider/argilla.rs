//! Argilla: webhooks about datasets, records and responses, signed as Standard Webhooks.
//!
//! # What is published
//!
//! Argilla's documentation ("Webhooks internals") publishes the envelope, [`Webhook`], the eleven
//! event types, [`EventKind`], and an example of each. The types of the members of `data` are those
//! of its server's source (`argilla_server/webhooks/v1/schemas.py`): [`DatasetObject`],
//! [`RecordObject`] and [`ResponseObject`]. The server also sends a `ping` (same folder, `ping.py`).
//! The times in `data` have no UTC offset; the one in the envelope has.
//!
//! # Receiving
//!
//! "Argilla Webhooks implements Standard Webhooks" (documentation):
//! [`Verifier::standard_webhooks`](crate::Verifier::standard_webhooks), with the webhook's secret.
//!
//! ```
//! use labhook::{LabEvent, Secret, Timestamp, Verifier};
//! use labhook::provider::argilla::Webhook;
//!
//! # let secret = || Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
//! # let now = Timestamp::from_unix_seconds(1_727_359_530);
//! # let body = include_bytes!("../../tests/data/argilla/response.created.json");
//! # let id = labhook::MessageId::new("msg_1")?;
//! # let headers = labhook::Signer::standard_webhooks(secret()?).sign(&id, now, body)?;
//! let verifier = Verifier::standard_webhooks(secret()?);
//! let webhook: Webhook = verifier.verify(&headers, body, now)?.decode()?;
//!
//! let LabEvent::LabelUpdated(event) = webhook.to_event()? else { panic!() };
//! assert_eq!(event.data.label.attributes.unwrap().as_str(), r#"{"int_score":{"value":3}}"#);
//! assert_eq!(event.data.label.created_by.as_deref(), Some("argilla"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Duplicates
//!
//! Argilla's server makes another `webhook-id` for each attempt (`webhooks/v1/commons.py`, which a
//! retried job runs again), so the signed id does not identify a redelivery.
//! [`Webhook::dedupe_key`] is built from the signed body instead. Do not use
//! [`DedupeKey::of`](crate::provider::DedupeKey::of) for this vendor.
//!
//! # Events
//!
//! | Argilla event | [`LabEvent`](crate::LabEvent) | id |
//! |---|---|---|
//! | `dataset.created`, `.updated`, `.deleted` | same name | `data.id` |
//! | `dataset.published` | `release.created` | `data.id`, also the dataset's |
//! | `record.created`, `.deleted` | `sample.created`, `.deleted` | `data.id` |
//! | `record.updated`, `.completed` | `sample.updated` | `data.id` |
//! | `response.created`, `.updated` | `label.updated` | `data.record.id` |
//! | `response.deleted` | `label.deleted` | `data.record.id` |
//! | any other, such as `ping` | `Unknown`, of type `argilla.<type>` | none |
//!
//! A dataset is published once, when it becomes ready for its annotators. It has no id for that, so
//! the release's id is the dataset's. [`Webhook::to_event`] documents the mapping of the other
//! members.
//!
//! # Sending
//!
//! The schemas require members that the lab's models have no field for, such as the workspace and
//! the questions of a dataset. [`Format`] writes events that were received from Argilla, and others
//! that bring those members: see [`Webhook::from_event`].
//!
//! # Delivery
//!
//! Any 2xx is a success. Otherwise Argilla retries up to 3 times, and waits up to 20 s for a
//! response (documentation): [`policy`].

mod event;
mod format;
mod models;
mod object;
mod webhook;

use std::time::Duration;

pub use format::Format;
pub use object::{
    DatasetObject, DatasetStatus, RecordObject, RecordStatus, ResponseObject, ResponseStatus,
    UserObject, WorkspaceObject,
};
pub(crate) use webhook::unread;
pub use webhook::{EventKind, VERSION, Webhook};

use super::vendor::Vendor;
use crate::delivery::{RetryPolicy, Schedule};

const VENDOR: Vendor = Vendor("Argilla");

/// The prefix of the event types that have no lab event.
const PREFIX: &str = "argilla.";

/// Returns the retry policy: a response timeout of 20 s and 3 retries (documentation), 10, 60 and
/// 180 s after the previous failure (the server's source, `jobs/webhook_jobs.py`).
#[must_use]
pub fn policy() -> RetryPolicy {
    RetryPolicy::new(Schedule::list([10, 60, 180].map(Duration::from_secs)))
        .with_attempt_timeout(Duration::from_secs(20))
}
