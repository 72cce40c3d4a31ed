//! Strike: thin webhooks of payments, signed without a time.
//!
//! A webhook says which entity changed and in what, and no more: whoever wants the entity asks
//! Strike's API for it. All of them become one kind of event, both ways:
//!
//! | `eventType` | event | `resource_type` | `operation` |
//! |---|---|---|---|
//! | `invoice.updated` | [`resource.changed`] | `invoice` | `updated` |
//! | `payment-method.bank.created` | [`resource.changed`] | `payment-method.bank` | `created` |
//! | `receive-request.receive-pending` | [`resource.changed`] | `receive-request` | `receive-pending` |
//! | any other with a full stop | [`resource.changed`] | before the last one | after it |
//! | any without, such as `ping` | [unknown](crate::LabEvent::Unknown), of type `strike.ping` | | |
//!
//! [`resource.changed`]: crate::lab::ResourceChanged
//!
//! # What is published
//!
//! Strike's documentation has the webhook with one example of it (`invoice.updated`), the
//! signature, the schedule of retries, and the subscriptions of its API. It calls `data` an object
//! and does not say of what members; `entityId` and `changes` are those of the example. It does
//! not say how `v1` and `v2` differ, what is signed while a secret changes, nor what a
//! subscription to no event type receives. [`EVENT_TYPES`] is the best list found, not an official
//! one.
//!
//! # Receive
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
//! Nothing in the signature bounds the age of a webhook: who has seen one can send it again at any
//! time. Only the [dedupe key](Webhook::dedupe_key), which is inside of what is signed, tells a
//! repetition; keep it for as long as Strike goes on trying, some nine days, at the least.
//!
//! # Send
//!
//! A [`CreateSubscription`] becomes an [`Endpoint`](crate::Endpoint) that signs, writes and
//! retries as Strike does.
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
//! # Change a secret
//!
//! To Strike the change of a secret is an update like any other. A request carries one signature,
//! and no overlap of the old secret and the new one is published. The overlap is this crate's own
//! and the receiver's: `Verifier::strike(new).also(old)` takes both, so a receiver changes first
//! and no webhook on the way is refused;
//! [`Verified::key_index`](crate::Verified::key_index) says when the old one is no longer in use.
//! On the sender's side `Signer::strike(new).also(old)` signs with the first only.

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
pub use webhook::{EVENT_TYPES, Webhook, WebhookData, WebhookVersion};

use super::vendor::Vendor;
use crate::delivery::RetryPolicy;

const VENDOR: Vendor = Vendor("Strike");

/// [`RetryPolicy::strike`], as published: 5 s for an answer; a retry 3, 9, 27 ... 3^12 s after the
/// failure before it, some nine days in all; 410 and 501 stop.
#[must_use]
pub fn policy() -> RetryPolicy {
    RetryPolicy::strike()
}
