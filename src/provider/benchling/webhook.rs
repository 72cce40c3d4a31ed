//! Wire types of Benchling: [`Webhook`] and its parts.

use super::{MessageType, PREFIX, VENDOR};
use crate::decode::{Decode, DecodeError, TrustedBody};
use crate::event::UnknownEvent;
use crate::id::ResourceId;
use crate::json::{object, open_enum};
use crate::provider::DedupeKey;
use crate::time::{TimeText, Timestamp};

object! {
    /// Body of a webhook: `WebhookEnvelopeV0`, as published.
    ///
    /// All members are published as required. Those without which the webhook can still be handled
    /// are optional here.
    pub struct Webhook {
        /// The version of the envelope. Published as always `0`.
        optional version: String,
        /// The base URL of the tenant that sends the webhook.
        optional base_url: String as "baseURL",
        /// The global id of the tenant that sends the webhook.
        required tenant_id: String as "tenantId",
        /// The app to which the webhook is sent.
        required app: App,
        /// The definition of the app, whose keys sign the webhook.
        optional app_definition: AppDefinition as "appDefinition",
        /// The channel.
        optional channel: Channel,
        /// What happened.
        required message: WebhookMessage,
    }
}

object! {
    /// App, as installed on a tenant. Published.
    pub struct App {
        /// The app's id.
        required id: String,
    }
}

object! {
    /// Definition of an app, which is the same on all tenants. Published.
    pub struct AppDefinition {
        /// The definition's id: part of the URL of the app's keys.
        required id: String,
        /// The version of the definition.
        optional version_number: String as "versionNumber",
    }
}

open_enum! {
    /// Channel of a webhook. Published.
    pub enum Channel {
        /// Changes of the data in Benchling.
        Events = "events",
        /// Changes of the app and its canvases.
        AppSignals = "app_signals",
    }
}

object! {
    /// Message of a webhook: the members of all published message types.
    ///
    /// Which of them a type has is published per type. Events have an id, a time and a resource;
    /// app signals have none of these, except that a canvas has its own members.
    pub struct WebhookMessage {
        /// The message type.
        exact message_type: MessageType as "type",
        /// The event's id.
        optional id: String,
        /// When the event was created.
        optional created_at: TimeText as "createdAt",
        /// The resource that the event is about; of an initialized canvas, the resource that the
        /// canvas belongs to.
        optional resource_id: ResourceId as "resourceId",
        /// The schema of the resource, which events of version `v2` have; `null` without one.
        nullable schema: ResourceSchema,
        /// The names of the updated properties, in updates of version `v2`.
        optional updates: Vec<String>,
        /// The names of the updated properties, in updates of version `v3`.
        optional properties: Vec<String>,
        /// How stable the resource type is, in version `v3`.
        optional stability: Stability,
        /// The canvas.
        optional canvas_id: ResourceId as "canvasId",
        /// The pressed button.
        optional button_id: String as "buttonId",
        /// The feature of the app.
        optional feature_id: String as "featureId",
        /// The user who caused the message.
        optional user_id: String as "userId",
        /// Whether the message type is deprecated.
        optional deprecated: bool,
        /// The properties that were dropped because of their size. Published for version `v0`; the
        /// vendor's examples have it in others.
        optional excluded_properties: Vec<String> as "excludedProperties",
    }
}

object! {
    /// Schema of a resource. Published.
    pub struct ResourceSchema {
        /// The schema's id.
        required id: String,
    }
}

open_enum! {
    /// Stability of a resource type. Published.
    pub enum Stability {
        /// Stable.
        Stable = "stable",
        /// Beta.
        Beta = "beta",
        /// Alpha.
        Alpha = "alpha",
    }
}

impl Webhook {
    /// Returns the idempotency key of an event: its id, with the tenant, the app and the type.
    ///
    /// All of them are in the signed body. `None` for an app signal, which has no id: use the
    /// signed `webhook-id`, [`DedupeKey::of`]. [`Sources`](crate::receive::Sources) does both. The
    /// key is this crate's own, since Benchling documents none.
    #[must_use]
    #[doc(alias = "idempotency key")]
    pub fn dedupe_key(&self) -> Option<DedupeKey> {
        let id = self.message.id.as_deref()?;
        let message_type = self.message.message_type.as_str();
        Some(DedupeKey::of_parts([&*self.tenant_id, &*self.app.id, message_type, id]))
    }
}

object! {
    /// The members by which a body is recognized as a webhook.
    struct Outline {
        required message: OutlineMessage,
    }
}

object! {
    /// The message, with the members that an unknown event needs.
    struct OutlineMessage {
        required message_type: String as "type",
        optional created_at: TimeText as "createdAt",
    }
}

/// Returns a body that names its message type as an unknown event, although it is no [`Webhook`].
pub(crate) fn unread(body: TrustedBody<'_>, received_at: Timestamp) -> Option<UnknownEvent> {
    let Outline { message, .. } = body.json().ok()?;
    let at = message.created_at.unwrap_or_else(|| received_at.into());
    VENDOR.unread(PREFIX, &message.message_type, at, body)
}

impl Decode for Webhook {
    fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError> {
        body.json()
    }
}
