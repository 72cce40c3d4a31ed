//! A subscription as the API answers with it: [`Subscription`].

use std::fmt;

use serde::de::{Deserializer, IgnoredAny};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::WebhookVersion;
use crate::decode::JsonError;
use crate::json::{UnknownMembers, object};
use crate::provider::sensitive::{SecretText, expose};
use crate::time::TimeText;

/// A subscription, as the API's responses have it, as published.
///
/// It never holds a secret. A response has none, says the documentation; were there a `secret` in
/// one, it would be read past and be in neither the fields nor the unknown members.
///
/// It is read with `Deserialize` from the answer to the host's own request. The URL may be a
/// secret of the receiver, so there is no `Serialize`: [`expose_json`](Self::expose_json) writes
/// it, and `Debug` shows the URL's origin only.
///
/// ```
/// use labhook::provider::strike::Subscription;
///
/// let body = r#"{"id":"8d6e0ad5-5a1c-4d0b-9c1a-0c6f3c0f6a55","webhookUrl":"https://pay.example/hooks","webhookVersion":"v1","enabled":true,"created":"2009-01-03T18:15:00+01:00","eventTypes":["invoice.updated"]}"#;
/// let subscription: Subscription = serde_json::from_str(body)?;
/// assert!(subscription.enabled);
/// assert_eq!(subscription.expose_webhook_url(), "https://pay.example/hooks");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subscription {
    /// The subscription's id.
    pub id: String,
    pub(super) webhook_url: SecretText,
    /// The version of the payload.
    pub webhook_version: WebhookVersion,
    /// Whether it is enabled. One that is not receives nothing.
    pub enabled: bool,
    /// When it was created.
    pub created: TimeText,
    /// The event types that it receives.
    pub event_types: Vec<String>,
    /// The members that this version does not know; never `secret`.
    pub unknown: UnknownMembers,
}

impl Subscription {
    /// The receiver's URL, which for many receivers is a secret. Keep it out of logs and files.
    #[must_use]
    pub fn expose_webhook_url(&self) -> &str {
        self.webhook_url.expose()
    }

    /// The body of a response, which holds the URL. Keep it out of logs and files.
    ///
    /// # Errors
    ///
    /// [`JsonError`] where an unknown member that was added has a name that the type knows, or is
    /// called `secret`.
    pub fn expose_json(&self) -> Result<Zeroizing<Vec<u8>>, JsonError> {
        expose(&Wire {
            id: self.id.clone(),
            webhook_url: self.webhook_url.clone(),
            webhook_version: self.webhook_version.clone(),
            enabled: self.enabled,
            created: self.created.clone(),
            event_types: self.event_types.clone(),
            secret: None,
            unknown: self.unknown.clone(),
        })
    }
}

impl<'de> Deserialize<'de> for Subscription {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Wire {
            id,
            webhook_url,
            webhook_version,
            enabled,
            created,
            event_types,
            secret: _,
            unknown,
        } = Wire::deserialize(deserializer)?;
        Ok(Self { id, webhook_url, webhook_version, enabled, created, event_types, unknown })
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("id", &self.id)
            .field("webhook_url", &self.webhook_url.as_url())
            .field("webhook_version", &self.webhook_version)
            .field("enabled", &self.enabled)
            .field("created", &self.created)
            .field("event_types", &self.event_types)
            .field("unknown", &self.unknown)
            .finish()
    }
}

object! {
    /// The members of a response, in the published order, and the one that must not be kept.
    struct Wire {
        required id: String,
        required webhook_url: SecretText as "webhookUrl",
        required webhook_version: WebhookVersion as "webhookVersion",
        required enabled: bool,
        required created: TimeText,
        required event_types: Vec<String> as "eventTypes",
        optional secret: Dropped,
    }
}

/// What is read past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Dropped;

impl<'de> Deserialize<'de> for Dropped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}
