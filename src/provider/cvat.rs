//! CVAT: webhooks about projects, tasks, jobs, issues and finished requests, signed with
//! HMAC-SHA256.
//!
//! # What is published
//!
//! CVAT's documentation ("Webhooks") publishes the members of a [`Webhook`] by kind of event, the
//! events, the signature, and an example each of `create:task`, `update:task`, `delete:task`, a
//! completed request and `ping`. For the contents of a resource it refers to its API's
//! documentation: [`ProjectObject`], [`IssueObject`], [`CommentObject`] and [`RequestObject`] are
//! named after that (the models of `cvat-sdk` 2.80). [`EVENTS`] are the events of that package,
//! which are more than the page lists.
//!
//! # Receiving
//!
//! `X-Signature-256: sha256=<hex>` over the body, with the webhook's secret as text:
//! [`CustomScheme::CVAT`](crate::signature::CustomScheme::CVAT). A webhook without a secret is not
//! signed; for that there is [`danger::cvat`](crate::receive::danger::cvat).
//!
//! ```
//! use labhook::{LabEvent, Secret, Timestamp, Verifier};
//! use labhook::provider::cvat::Webhook;
//! use labhook::signature::CustomScheme;
//!
//! # let now = Timestamp::from_unix_seconds(1_664_881_492);
//! # let body = include_bytes!("../../tests/data/cvat/update_task.json");
//! # let id = labhook::MessageId::new("msg_1")?;
//! # let signer = labhook::Signer::custom(CustomScheme::CVAT, Secret::from_text("mykey")?)?;
//! # let headers = signer.sign(&id, now, body)?;
//! let verifier = Verifier::custom(CustomScheme::CVAT, Secret::from_text("mykey")?)?;
//! let webhook: Webhook = verifier.verify(&headers, body, now)?.decode()?;
//!
//! let LabEvent::ResourceChanged(event) = webhook.to_event(now)? else { panic!() };
//! assert_eq!(event.data.resource_type, "task");
//! assert_eq!(event.data.resource_id.unwrap().as_str(), "15");
//! assert_eq!(event.data.changes.unwrap(), ["name"]);
//! assert_eq!(event.data.actor.as_deref(), Some("admin1"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Neither an id nor a time is signed apart from the body, so anyone who has seen a webhook can
//! replay it at any time. [`Webhook::dedupe_key`] identifies a duplicate.
//!
//! # Events
//!
//! | CVAT event | [`LabEvent`](crate::LabEvent) | id |
//! |---|---|---|
//! | `create:`, `update:`, `delete:project` | `dataset.created`, `.updated`, `.deleted` | `project.id` |
//! | `create:`, `update:issue` | `issue.created`, `.updated` | `issue.id` |
//! | `create:`, `update:`, `delete:comment` | `issue.updated` | `comment.issue` |
//! | `completed:request[export:dataset]`, `[export:annotations]` | `release.created` | `request.id` |
//! | any other with a `:` | `resource.changed` | `id` of the resource |
//! | any other, such as `ping` | `Unknown`, of type `cvat.<event>` | none |
//!
//! CVAT's tasks and jobs are units of annotation in a project, not of a run, so their events are
//! [`resource.changed`](crate::lab::ResourceChanged), and so is `delete:issue`, for which the lab
//! has no event. The `resource_type` is the text after the `:`, and the `operation` the one before
//! it: `created`, `updated`, `deleted`, or as it is, such as `completed`.
//!
//! [`Webhook::to_event`] documents the mapping of the other members.
//!
//! # Sending
//!
//! Every webhook has its registration's id, its sender and the whole resource, which the lab's
//! events have no fields for. [`Format`] writes only events that were received from CVAT: see
//! [`Webhook::from_event`].
//!
//! # Delivery
//!
//! Retries are not documented. [`policy`] is that of CVAT's source.

mod event;
mod format;
mod models;
mod object;
mod webhook;

use std::time::Duration;

use http::StatusCode;

pub use format::Format;
pub use object::{CommentObject, IssueObject, OperationObject, ProjectObject, RequestObject, User};
pub use webhook::{EVENTS, Webhook};
pub(crate) use webhook::{is_published_body, unread};

use super::vendor::Vendor;
use crate::delivery::{ResponseAction, ResponseRules, RetryPolicy, Schedule};

const VENDOR: Vendor = Vendor("CVAT");

/// The prefix of the event types that have no lab event.
const PREFIX: &str = "cvat.";

/// Returns the retry policy of CVAT's source (`cvat/apps/webhooks`): a response timeout of 10 s;
/// retries 5 s, 5 min, 30 min and 3 h after the previous failure, and then four times after a day;
/// 408, 429, 5xx and no response are retried, and all others are not.
///
/// An operator can change the delays.
#[must_use]
pub fn policy() -> RetryPolicy {
    let delays = [5, 300, 1_800, 10_800, 86_400, 86_400, 86_400, 86_400];
    let responses = ResponseRules::new()
        .with_status(StatusCode::REQUEST_TIMEOUT, ResponseAction::Retry)
        .with_status(StatusCode::TOO_MANY_REQUESTS, ResponseAction::Retry)
        .with_server_errors(ResponseAction::Retry)
        .with_other(ResponseAction::Fail);
    RetryPolicy::new(Schedule::list(delays.map(Duration::from_secs)))
        .with_attempt_timeout(Duration::from_secs(10))
        .with_responses(responses)
}
