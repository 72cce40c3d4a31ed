//! The webhook on the wire: [`Webhook`].

use crate::decode::{Decode, DecodeError, TrustedBody};
use crate::id::ResourceId;
use crate::json::{object, open_enum};
use crate::provider::DedupeKey;
use crate::time::TimeText;

/// The event types that are known of Strike: the best list found, which is not an official one.
///
/// Others decode like these.
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
    /// The version of a webhook's payload, as published. How the two differ is not.
    pub enum WebhookVersion {
        /// The version of the published example.
        V1 = "v1",
        /// The other one.
        V2 = "v2",
    }
}

object! {
    /// The body of a webhook, as published.
    pub struct Webhook {
        /// The event's id; the same over all its deliveries.
        required id: String,
        /// What happened, such as `invoice.updated`: the kind of entity, then what was done.
        required event_type: String as "eventType",
        /// The version of the payload.
        required webhook_version: WebhookVersion as "webhookVersion",
        /// Which entity it is about.
        required data: WebhookData,
        /// When the event was created.
        required created: TimeText,
        /// Published as absent, `null` or a boolean; what each of them means is not.
        nullable delivery_success: bool as "deliverySuccess",
    }
}

object! {
    /// The payload of a webhook.
    ///
    /// Published as an object of no particular members. These two are those of the published
    /// example; others, such as `receiveId`, are kept.
    pub struct WebhookData {
        /// The id of the entity, by which Strike's API is asked for it.
        nullable entity_id: ResourceId as "entityId",
        /// The names of what has changed about it.
        nullable changes: Vec<String>,
    }
}

impl Webhook {
    /// The event's id, which Strike sends in the body, under the signature.
    ///
    /// Published: an event may be delivered more than once, so keep the ids that were handled.
    #[must_use]
    pub fn dedupe_key(&self) -> DedupeKey {
        DedupeKey::of_id(&self.id)
    }
}

/// No members.
impl Default for WebhookData {
    fn default() -> Self {
        Self::new()
    }
}

impl Decode for Webhook {
    fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError> {
        body.json()
    }
}
