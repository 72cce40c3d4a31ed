//! Strike: thin payment webhooks, signed without a timestamp.
//!
//! A webhook contains only the id of the entity and the names of its changed fields; fetch the
//! entity from Strike's API. Event types with a `.` map to one lab event type, in both directions:
//!
//! | `eventType` | event | `resource_type` | `operation` |
//! |---|---|---|---|
//! | `invoice.updated` | [`resource.changed`] | `invoice` | `updated` |
//! | `payment-method.bank.created` | [`resource.changed`] | `payment-method.bank` | `created` |
//! | `receive-request.receive-pending` | [`resource.changed`] | `receive-request` | `receive-pending` |
//! | any other with a `.` | [`resource.changed`] | before the last `.` | after it |
//! | any without a `.`, such as `ping` | [unknown](crate::LabEvent::Unknown), of type `strike.ping` | | |
//!
//! [`resource.changed`]: crate::lab::ResourceChanged
//!
//! # What is published
//!
//! Strike's documentation publishes the webhook with one example (`invoice.updated`), the
//! signature, the retry schedule, and the subscriptions of its API. It describes `data` as an
//! object without listing its members; `entityId` and `changes` are from the example. It does not
//! document how `v1` and `v2` differ, which secret signs during a rotation, or what a subscription
//! without event types receives. [`EVENT_TYPES`] is the best list found, not an official one.
//!
//! # Receiving
//!
//! ```
//! use labhook::{LabEvent, Secret, Timestamp, Verifier};
//! use labhook::provider::strike::Webhook;
//!
//! # let body = br#"{"id":"245e40d8-f197-411c-8f20-a326d08da402","eventType":"invoice.updated","webhookVersion":"v1","data":{"entityId":"602cc206-6b4a-42dd-bc89-9a534bb04034","changes":["state"]},"created":"2009-01-03T18:15:00+01:00","deliverySuccess":true}"#;
//! # let mut headers = http::HeaderMap::new();
//! # let tag = "4e725a6f18c0e5892e2fcf9fccdd9c24ca4cde7752b1ff9c143442b1b46a6c71";
//! # headers.insert("x-webhook-signature", tag.parse()?);
//! # let now = Timestamp::UNIX_EPOCH;
//! let verifier = Verifier::strike(Secret::from_text("0123456789")?);
//!
//! let webhook: Webhook = verifier.verify(&headers, body, now)?.decode()?;
//! assert_eq!(webhook.dedupe_key().as_str(), "245e40d8-f197-411c-8f20-a326d08da402");
//!
//! let LabEvent::ResourceChanged(event) = webhook.to_event()? else { unreachable!() };
//! assert_eq!(event.data.resource_type, "invoice");
//! assert_eq!(event.data.operation.as_str(), "updated");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The signature covers no timestamp, so anyone who has seen a webhook can replay it at any time.
//! Only the [dedupe key](Webhook::dedupe_key), which is part of the signed body, identifies a
//! duplicate. Remember it at least as long as Strike retries, about nine days.
//!
//! # Sending
//!
//! A [`CreateSubscription`] builds an [`Endpoint`](crate::Endpoint) with Strike's signature, format
//! and retry policy.
//!
//! ```
//! use labhook::{EndpointId, Registry, Secret};
//! use labhook::provider::strike::{CreateSubscription, MAX_SUBSCRIPTIONS, WebhookVersion};
//!
//! let subscription = CreateSubscription::new(
//!     "https://pay.example/hooks",
//!     WebhookVersion::V1,
//!     Secret::from_text("0123456789")?,
//!     ["invoice.updated"],
//! )?;
//! let mut registry = Registry::new().with_limit(MAX_SUBSCRIPTIONS);
//! registry.insert(subscription.endpoint(EndpointId::new("pay")?)?)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Rotating a secret
//!
//! For Strike, changing the secret is an update like any other. A request has one signature, and no
//! overlap between the old and the new secret is published. The receiver provides the overlap:
//! `Verifier::strike(new).add_secret(old)` accepts both. Change the receiver first, so that no
//! webhook in transit is rejected; [`Verified::key_index`](crate::Verified::key_index) shows when
//! the old secret is no longer in use. On the sender's side, `Signer::strike(new).add_secret(old)`
//! signs with the first secret only.

mod event;
mod format;
mod leftovers;
mod request;
mod response;
mod rules;
mod webhook;

pub use format::Format;
pub use request::{CreateSubscription, MAX_SUBSCRIPTIONS, UpdateSubscription};
pub use response::Subscription;
pub use rules::SubscriptionError;
pub(crate) use webhook::unread;
pub use webhook::{EVENT_TYPES, Webhook, WebhookData, WebhookVersion};

use super::vendor::Vendor;
use crate::delivery::RetryPolicy;

const VENDOR: Vendor = Vendor("Strike");

/// The prefix of the event types of Strike events without a lab event.
const PREFIX: &str = "strike.";

/// Returns the retry policy: [`RetryPolicy::strike`], as published. The response timeout is 5 s;
/// retries follow 3, 9, 27 ... 3^12 s after the previous failure, about nine days in total; 410 and
/// 501 stop them.
#[must_use]
pub fn policy() -> RetryPolicy {
    RetryPolicy::strike()
}
