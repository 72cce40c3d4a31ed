//! Subscription responses of Strike's API: [`Subscription`].

use std::fmt;

use serde::de::{Deserializer, IgnoredAny};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::WebhookVersion;
use crate::decode::JsonError;
use crate::json::{UnknownMembers, object};
use crate::provider::sensitive::{SecretText, expose};
use crate::time::TimeText;

/// Subscription in a response of Strike's API, as published.
///
/// It never contains a secret. The documentation says that a response has none; a `secret` member
/// would be skipped and kept neither in a field nor among the unknown members.
///
/// Parse it with `Deserialize` from the response to your request. The URL may be a secret of the
/// receiver, so there is no `Serialize`: [`expose_json`](Self::expose_json) writes it, and `Debug`
/// shows only the URL's origin.
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
    /// The payload version.
    pub webhook_version: WebhookVersion,
    /// Whether the subscription is enabled. A disabled subscription receives nothing.
    pub enabled: bool,
    /// When it was created.
    pub created: TimeText,
    /// The event types.
    pub event_types: Vec<String>,
    /// Members that this version does not know; never `secret`.
    pub unknown: UnknownMembers,
}

impl Subscription {
    /// Returns the receiver's URL, which is often a secret. Keep it out of logs and files.
    #[must_use]
    pub fn expose_webhook_url(&self) -> &str {
        self.webhook_url.expose()
    }

    /// Returns the response body, which contains the URL. Keep it out of logs and files.
    ///
    /// # Errors
    ///
    /// [`JsonError`] if an unknown member that was added has the name of a known field, or the name
    /// `secret`.
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
    /// The members of a response in the published order, and `secret`, which must not be kept.
    struct Wire {
        required id: String,
        required webhook_url: SecretText as "webhookUrl",
        required webhook_version: WebhookVersion as "webhookVersion",
        required enabled: bool,
        required created: TimeText,
        required event_types: Vec<String> as "eventTypes",
        strict secret: Dropped,
    }
}

/// A value that is skipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Dropped;

impl<'de> Deserialize<'de> for Dropped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}
