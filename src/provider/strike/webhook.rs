//! Wire types of Strike: [`Webhook`] and its parts.

use super::{PREFIX, VENDOR};
use crate::decode::{Decode, DecodeError, TrustedBody};
use crate::event::UnknownEvent;
use crate::id::ResourceId;
use crate::json::{object, open_enum};
use crate::provider::DedupeKey;
use crate::time::{TimeText, Timestamp};

/// The known event types: the best list found, not an official one.
///
/// Other event types are decoded in the same way.
pub const EVENT_TYPES: &[&str] = &[
    "invoice.created",
    "invoice.updated",
    "payment-method.bank.created",
    "payment-method.bank.updated",
    "payout.created",
    "payout.updated",
    "payout-originator.created",
    "payout-originator.updated",
    "currency-exchange-quote.updated",
    "payment.created",
    "payment.updated",
    "deposit.updated",
    "receive-request.receive-pending",
    "receive-request.receive-completed",
];

open_enum! {
    /// Payload version of a webhook, as published. The differences are not published.
    pub enum WebhookVersion {
        /// Version 1, that of the published example.
        V1 = "v1",
        /// Version 2.
        V2 = "v2",
    }
}

object! {
    /// Body of a webhook, as published.
    pub struct Webhook {
        /// The event's id, the same for all its deliveries.
        required id: String,
        /// The event type, such as `invoice.updated`: the entity's type and the operation.
        required event_type: String as "eventType",
        /// The payload version.
        required webhook_version: WebhookVersion as "webhookVersion",
        /// The entity that changed.
        required data: WebhookData,
        /// When the event was created.
        required created: TimeText,
        /// Published as absent, `null` or a boolean; the meaning of each is not published.
        nullable delivery_success: bool as "deliverySuccess",
    }
}

object! {
    /// Payload of a webhook.
    ///
    /// Published as an object without a list of members. These two are from the published example;
    /// others, such as `receiveId`, are kept.
    pub struct WebhookData {
        /// The entity's id, for requests to Strike's API.
        nullable entity_id: ResourceId as "entityId",
        /// The names of the changed fields.
        nullable changes: Vec<String>,
    }
}

impl Webhook {
    /// Returns the idempotency key: the event's id, which is part of the signed body.
    ///
    /// Published: an event may be delivered more than once, so remember the ids that were handled.
    #[must_use]
    #[doc(alias = "idempotency key")]
    pub fn dedupe_key(&self) -> DedupeKey {
        DedupeKey::of_id(&self.id)
    }
}

/// Creates a payload without members.
impl Default for WebhookData {
    fn default() -> Self {
        Self::new()
    }
}

object! {
    /// The members by which a body is recognized as a webhook.
    struct Outline {
        optional id: String,
        required event_type: String as "eventType",
        optional created: TimeText,
    }
}

/// Returns a body that names its event type as an unknown event, although it is no [`Webhook`],
/// and its idempotency key.
pub(crate) fn unread(
    body: TrustedBody<'_>,
    received_at: Timestamp,
) -> Option<(UnknownEvent, Option<DedupeKey>)> {
    let Outline { id, event_type, created, .. } = body.json().ok()?;
    let at = created.unwrap_or_else(|| received_at.into());
    let event = VENDOR.unread(PREFIX, &event_type, at, body)?;
    Some((event, id.map(|id| DedupeKey::of_id(&id))))
}

impl Decode for Webhook {
    fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError> {
        body.json()
    }
}
