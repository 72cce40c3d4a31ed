//! Benchling: webhooks about entries, entities, runs, workflow tasks and apps, for receivers.
//!
//! # What is published
//!
//! Benchling publishes the schema of the envelope and of every message
//! (benchling.com/webhooks/reference, and its Python package `benchling-api-client`, module
//! `benchling_api_client.webhooks.v0`): [`Webhook`] and the 44 types of [`MessageType`]. A message
//! is thin: it identifies the resource and names the properties that changed, without their values.
//! Fetch the resource from Benchling's API; events can arrive late and out of order (Events
//! Reference, for the same events over EventBridge).
//!
//! Not found: a retry schedule, and whether all attempts at a webhook have the same `webhook-id`.
//! Published is only that a canvas webhook must be acknowledged within 3 s ("Webhook ACK Timeout
//! Changes").
//!
//! There is no [`Format`](crate::message::format::Format) and no `from_event`: the ids
//! of the tenant, the app, the event and the resource are Benchling's own, and no other event has
//! them.
//!
//! # Receiving
//!
//! Benchling signs with ECDSA P-256 and SHA-256 over `{webhook-id}.{webhook-timestamp}.{body}`.
//! `webhook-signature` is a list, separated by spaces, of which the entries `v{n}der,<base64>`
//! contain the signature in DER. The keys of an app are a JWK set at
//! `https://apps.benchling.com/api/v1/apps/{app_definition_id}/jwks`. Benchling rotates them, and
//! asks receivers to fetch them at intervals of at most 6 hours and to accept a timestamp within 5
//! minutes ("Webhook Security", and `webhook_helpers.py` of its package `benchling-sdk`). The app
//! definition's id is known from the app's configuration: do not take it from an unverified body.
//! [`KeySet`](crate::signature) reads the set; it and the verification need the feature `p256`.
//!
//! ```
//! # #[cfg(feature = "p256")] {
//! use labhook::{LabEvent, Timestamp, Verifier};
//! use labhook::provider::benchling::{MessageType, Webhook};
//! use labhook::signature::{KeySet, Scheme};
//!
//! # let jwks = br#"{"keys":[{"kty":"EC","crv":"P-256","kid":"1","x":"A","y":"A"},{"kty":"EC","crv":"P-256","kid":"2","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#;
//! # let now = Timestamp::from_unix_seconds(1_712_202_490);
//! # let body = br#"{"version":"0","baseURL":"https://lab.benchling.com","tenantId":"ten_1","app":{"id":"app_1"},"appDefinition":{"id":"appdef_1","versionNumber":"0.1.0"},"channel":"events","message":{"type":"v2.assayRun.updated.fields","id":"evt_1","createdAt":"2024-04-04T03:48:09.962068+00:00","resourceId":"77af3205","schema":{"id":"assaysch_1"},"updates":["fields.yield"],"deprecated":false}}"#;
//! # let id = labhook::MessageId::new("msg_1")?;
//! # let key = labhook::signature::P256PrivateKey::from_scalar(&[7; 32])?;
//! # let headers = labhook::Signer::standard_webhooks(key.clone()).sign(&id, now, body)?;
//! // Your application fetches the set, and keeps it for a few hours.
//! let keys = KeySet::from_json(jwks)?;
//! let verifier = Verifier::with_key_set(Scheme::StandardWebhooks, &keys)?;
//! # let verifier = verifier.add_key(key.public())?;
//!
//! let webhook: Webhook = verifier.verify(&headers, body, now)?.decode()?;
//! assert_eq!(webhook.message.message_type, MessageType::AssayRunUpdatedFields);
//!
//! let LabEvent::ResourceChanged(event) = webhook.to_event(now)? else { panic!() };
//! assert_eq!(event.data.resource_type, "assayRun");
//! assert_eq!(event.data.operation.as_str(), "updated.fields");
//! assert_eq!(event.data.resource_id, Some("77af3205".into()));
//! assert_eq!(event.data.changes, Some(vec!["fields.yield".to_owned()]));
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Both the id and the time of a request are signed, so the verifier rejects a replay after the
//! tolerance. Within it, and for retries, use the [dedupe key](Webhook::dedupe_key).
//!
//! # Events
//!
//! | message type | event | id |
//! |---|---|---|
//! | `v3.customEntity`, `v3.dnaOligo`, `v3.dnaSequence`, `v3.rnaOligo`, `v3.rnaSequence`: `.created` | [`sample.created`] | `resourceId` |
//! | the same five: `.updated` | [`sample.updated`], with `properties` as the changes | `resourceId` |
//! | `v2.entity.registered` | [`sample.updated`]: the entity existed before | `resourceId` |
//! | `v2.app.*`, `v2-beta.app.*` | [`resource.changed`] | `app.id` |
//! | `v2.canvas.*` | [`resource.changed`], with `userId` as the actor | `canvasId` |
//! | any other of [`MessageType`] | [`resource.changed`], with `updates` or `properties` as the changes | `resourceId` |
//! | any other, also of the retired versions `v0` and `v0-beta` | [unknown](crate::LabEvent::Unknown), of type `benchling.<type>` | |
//!
//! In `resource.changed`, the resource type is the second part of the message type, and the
//! operation is the rest: `v2.workflowTask.updated.status` has the type `workflowTask` and the
//! operation `updated.status`.
//!
//! No message becomes a run or task event. Those about an assay run or a run contain no state.
//! `v2.workflowTask.updated.status` does not contain the status, which is a text that each tenant
//! configures. The messages about an automation file transform do have a state,
//! [`MessageType::transform_state`], but no run.
//!
//! The retired `v0-beta.lifecycle.activateRequested` contains the app's client secret. As an
//! unknown event it keeps all members, so its data is a secret too.
//!
//! [`sample.created`]: crate::lab::SampleCreated
//! [`sample.updated`]: crate::lab::SampleUpdated
//! [`resource.changed`]: crate::lab::ResourceChanged

mod event;
mod message_type;
mod webhook;

pub use message_type::MessageType;
pub(crate) use webhook::unread;
pub use webhook::{
    App, AppDefinition, Channel, ResourceSchema, Stability, Webhook, WebhookMessage,
};

use super::vendor::Vendor;

const VENDOR: Vendor = Vendor("Benchling");

/// The prefix of the event types of messages without a lab event, and of unknown members whose
/// names collide with fields of the lab event.
const PREFIX: &str = "benchling.";
