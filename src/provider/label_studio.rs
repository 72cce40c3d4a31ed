//! Label Studio: webhooks about projects, tasks and annotations, not signed.
//!
//! # What is published
//!
//! Label Studio's documentation ("Webhook event format reference") publishes the actions and an
//! example of each. [`Action`] has them, and those of its source
//! (`label_studio/webhooks/models.py`), which differ: the page names `TASK_CREATED`, `TASK_DELETED`
//! and `ANNOTATION_DELETED`, and the source has only their plurals, with a list. The contents of a
//! project, a task and an annotation are those of its models, of which the page lists some:
//! [`ProjectObject`], [`TaskObject`] and [`AnnotationObject`].
//!
//! # Receiving
//!
//! Label Studio does not sign. A webhook has custom headers, which are the same for each request:
//! put a token in one and verify that, as in [`Verifier::token`](crate::Verifier::token). It proves
//! only that the sender knows the token. Without one, there is
//! [`danger::label_studio`](crate::receive::danger::label_studio).
//!
//! ```
//! use http::HeaderName;
//! use labhook::{LabEvent, Secret, Timestamp, Verifier};
//! use labhook::provider::label_studio::Webhook;
//!
//! # let now = Timestamp::from_unix_seconds(1_629_208_368);
//! # let body = include_bytes!("../../tests/data/label_studio/ANNOTATION_CREATED.json");
//! # let mut headers = http::HeaderMap::new();
//! # headers.insert("x-lab-token", "correct horse battery".parse()?);
//! let header = HeaderName::from_static("x-lab-token");
//! let verifier = Verifier::token(header, Secret::from_text("correct horse battery")?)?;
//! let webhook: Webhook = verifier.verify(&headers, body, now)?.decode()?;
//!
//! let LabEvent::LabelUpdated(event) = webhook.to_event(now)? else { panic!() };
//! assert_eq!(event.data.label.sample_id.as_str(), "19");
//! assert_eq!(event.data.label.dataset_id.unwrap().as_str(), "2");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Events
//!
//! | action | [`LabEvent`](crate::LabEvent) | id |
//! |---|---|---|
//! | `PROJECT_CREATED`, `_UPDATED`, `_DELETED` | `dataset.created`, `.updated`, `.deleted` | `project.id` |
//! | `TASKS_CREATED`, `TASK_CREATED` | `sample.created` | `tasks[0].id` |
//! | `TASKS_DELETED`, `TASK_DELETED` | `sample.deleted` | `tasks[0].id` |
//! | `ANNOTATION_CREATED`, `ANNOTATIONS_CREATED`, `ANNOTATION_UPDATED` | `label.updated` | `annotation.task` |
//! | `ANNOTATIONS_DELETED`, `ANNOTATION_DELETED` | `resource.changed` of an `annotation` | `annotations[0].id` |
//! | any other, such as `LABEL_LINK_CREATED` | `Unknown`, of type `label_studio.<action>` | none |
//!
//! A deleted annotation comes without the task that it belonged to, which a
//! [`label.deleted`](crate::lab::LabelDeleted) requires, so it is a
//! [`resource.changed`](crate::lab::ResourceChanged).
//!
//! One webhook can be about several tasks or annotations. It is then an `Unknown` event too, with
//! the whole webhook as its data; [`Webhook::split`] makes one webhook of each, which are lab
//! events. A webhook that was set up to be sent without payload has only its action:
//! [`MapError::Missing`](crate::provider::MapError::Missing).
//!
//! # Sending
//!
//! [`Format`] writes events that were received from Label Studio, and others that bring what the
//! page publishes and the lab's models have no field for: see [`Webhook::from_event`].
//!
//! # Delivery
//!
//! Each webhook is sent once, with a timeout of 1 s that an operator can change (the source):
//! [`policy`].

mod event;
mod format;
mod models;
mod object;
mod webhook;

use std::time::Duration;

pub use format::Format;
pub use object::{AnnotationObject, ProjectObject, TaskObject};
pub use webhook::{Action, Webhook};
pub(crate) use webhook::{is_published_body, unread};

use super::vendor::Vendor;
use crate::delivery::RetryPolicy;

const VENDOR: Vendor = Vendor("Label Studio");

/// The prefix of the event types that have no lab event.
const PREFIX: &str = "label_studio.";

/// Returns the retry policy: none, and a response timeout of 1 s. Both are from Label Studio's
/// source (`WEBHOOK_TIMEOUT` and `webhooks/utils.py`).
#[must_use]
pub fn policy() -> RetryPolicy {
    RetryPolicy::none().with_attempt_timeout(Duration::from_secs(1))
}
