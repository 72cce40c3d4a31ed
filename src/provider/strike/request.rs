//! Subscription requests to Strike's API: [`CreateSubscription`] and [`UpdateSubscription`].

use std::fmt;

use serde::Serialize;
use zeroize::Zeroizing;

use super::event::parts;
use super::rules::{
    SubscriptionError, checked_event_types, checked_secret, checked_url, checked_version,
};
use super::{Format, Subscription, WebhookVersion, policy};
use crate::endpoint::{self, Endpoint};
use crate::id::EndpointId;
use crate::provider::sensitive::{SecretText, expose};
use crate::secret::Secret;
use crate::signature::Signer;
use crate::time::TimeText;

/// The maximum number of subscriptions, as published; pass it to
/// [`Registry::with_limit`](crate::Registry::with_limit).
pub const MAX_SUBSCRIPTIONS: usize = 50;

/// Request to create a subscription, as published; the published rules are checked on construction.
///
/// It contains the secret and the receiver's URL, so it does not implement `Serialize`:
/// [`expose_json`](Self::expose_json) writes the request body. `Debug` shows only the URL's origin,
/// and nothing of the secret.
#[derive(Clone)]
pub struct CreateSubscription {
    webhook_url: SecretText,
    webhook_version: WebhookVersion,
    secret: Secret,
    enabled: bool,
    event_types: Vec<String>,
}

impl CreateSubscription {
    /// Creates the request for an enabled subscription.
    ///
    /// Published: the URL is HTTPS, the version is `v1` or `v2`, and the secret has 10 to 50
    /// characters, counted here as Unicode scalar values. This crate's own: at least one event type
    /// is required, since it is not published whether an empty list means none or all.
    ///
    /// # Errors
    ///
    /// [`SubscriptionError`] for the rule that is violated.
    pub fn new<T: Into<String>>(
        webhook_url: &str,
        webhook_version: WebhookVersion,
        secret: Secret,
        event_types: impl IntoIterator<Item = T>,
    ) -> Result<Self, SubscriptionError> {
        Ok(Self {
            webhook_url: checked_url(webhook_url)?,
            webhook_version: checked_version(webhook_version)?,
            secret: checked_secret(secret)?,
            enabled: true,
            event_types: checked_event_types(event_types)?,
        })
    }

    /// Sets whether the subscription is enabled. A disabled subscription receives nothing.
    #[must_use]
    pub fn with_enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Applies an update; fields that the update does not set are unchanged.
    #[must_use]
    pub fn updated(mut self, update: UpdateSubscription) -> Self {
        let UpdateSubscription { webhook_url, webhook_version, secret, enabled, event_types } =
            update;
        self.webhook_url = webhook_url.unwrap_or(self.webhook_url);
        self.webhook_version = webhook_version.unwrap_or(self.webhook_version);
        self.secret = secret.unwrap_or(self.secret);
        self.enabled = enabled.unwrap_or(self.enabled);
        self.event_types = event_types.unwrap_or(self.event_types);
        self
    }

    /// Returns the response to the request: the subscription with its id, without the secret.
    #[must_use]
    pub fn response(&self, id: impl Into<String>, created: impl Into<TimeText>) -> Subscription {
        Subscription {
            id: id.into(),
            webhook_url: self.webhook_url.clone(),
            webhook_version: self.webhook_version.clone(),
            enabled: self.enabled,
            created: created.into(),
            event_types: self.event_types.clone(),
            unknown: Default::default(),
        }
    }

    /// Builds the endpoint: Strike's signature, format and retry policy, enabled if the
    /// subscription is.
    ///
    /// It receives only [`ResourceChanged`](crate::lab::ResourceChanged) messages with the resource
    /// type and operation of one of the event types: they become
    /// [`resource_changes`](crate::Subscription::resource_changes).
    ///
    /// # Errors
    ///
    /// [`SubscriptionError::EventType`] if an event type does not have two parts: no message could
    /// match it.
    pub fn endpoint(&self, id: EndpointId) -> Result<Endpoint, SubscriptionError> {
        if let Some(event_type) = self.event_types.iter().find(|it| parts(it).is_none()) {
            return Err(SubscriptionError::EventType { event_type: event_type.as_str().into() });
        }
        let wanted = self.event_types.iter().map(String::as_str);
        Ok(Endpoint::new(id, self.webhook_url.expose(), Signer::strike(self.secret.clone()))
            .map_err(SubscriptionError::Url)?
            .with_subscription(endpoint::Subscription::all().resource_changes(wanted))
            .with_format(Format::of_version(self.webhook_version.clone()))
            .with_retry(policy())
            .with_enabled(self.enabled))
    }

    /// Returns the request body, which contains the secret and the URL. Keep it out of logs and
    /// files.
    #[must_use]
    pub fn expose_json(&self) -> Zeroizing<Vec<u8>> {
        Request {
            webhook_url: Some(&self.webhook_url),
            webhook_version: Some(&self.webhook_version),
            secret: Some(text(&self.secret)),
            enabled: Some(self.enabled),
            event_types: Some(&self.event_types),
        }
        .expose()
    }

    /// Returns the receiver's URL, which is often a secret. Keep it out of logs and files.
    #[must_use]
    pub fn expose_webhook_url(&self) -> &str {
        self.webhook_url.expose()
    }

    /// Returns the payload version.
    #[must_use]
    pub const fn webhook_version(&self) -> &WebhookVersion {
        &self.webhook_version
    }

    /// Returns whether the subscription is enabled.
    #[must_use]
    pub const fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// Returns the event types.
    #[must_use]
    pub fn event_types(&self) -> &[String] {
        &self.event_types
    }
}

impl fmt::Debug for CreateSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateSubscription")
            .field("webhook_url", &self.webhook_url.as_url())
            .field("webhook_version", &self.webhook_version)
            .field("secret", &self.secret)
            .field("enabled", &self.enabled)
            .field("event_types", &self.event_types)
            .finish()
    }
}

/// Request to update a subscription, as published; fields that are not set are unchanged.
///
/// The rules and the `Debug` output are those of [`CreateSubscription`]. Changing the secret is an
/// update like any other: see [the module](super#rotating-a-secret).
#[derive(Clone, Default)]
pub struct UpdateSubscription {
    webhook_url: Option<SecretText>,
    webhook_version: Option<WebhookVersion>,
    secret: Option<Secret>,
    enabled: Option<bool>,
    event_types: Option<Vec<String>>,
}

impl UpdateSubscription {
    /// Creates an update that changes nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the URL.
    ///
    /// # Errors
    ///
    /// [`SubscriptionError::NotHttps`] or [`SubscriptionError::Url`].
    pub fn with_webhook_url(mut self, webhook_url: &str) -> Result<Self, SubscriptionError> {
        self.webhook_url = Some(checked_url(webhook_url)?);
        Ok(self)
    }

    /// Sets the payload version.
    ///
    /// # Errors
    ///
    /// [`SubscriptionError::WebhookVersion`].
    pub fn with_webhook_version(
        mut self,
        version: WebhookVersion,
    ) -> Result<Self, SubscriptionError> {
        self.webhook_version = Some(checked_version(version)?);
        Ok(self)
    }

    /// Sets the secret.
    ///
    /// # Errors
    ///
    /// [`SubscriptionError::SecretLength`] or [`SubscriptionError::SecretNotText`].
    pub fn with_secret(mut self, secret: Secret) -> Result<Self, SubscriptionError> {
        self.secret = Some(checked_secret(secret)?);
        Ok(self)
    }

    /// Sets whether the subscription is enabled.
    #[must_use]
    pub fn with_enabled(mut self, enabled: bool) -> Self {
        self.enabled = Some(enabled);
        self
    }

    /// Sets the event types, replacing the subscription's.
    ///
    /// # Errors
    ///
    /// [`SubscriptionError::NoEventType`].
    pub fn event_types<T: Into<String>>(
        mut self,
        event_types: impl IntoIterator<Item = T>,
    ) -> Result<Self, SubscriptionError> {
        self.event_types = Some(checked_event_types(event_types)?);
        Ok(self)
    }

    /// Returns the request body, which may contain the secret and the URL. Keep it out of logs and
    /// files.
    #[must_use]
    pub fn expose_json(&self) -> Zeroizing<Vec<u8>> {
        Request {
            webhook_url: self.webhook_url.as_ref(),
            webhook_version: self.webhook_version.as_ref(),
            secret: self.secret.as_ref().map(text),
            enabled: self.enabled,
            event_types: self.event_types.as_deref(),
        }
        .expose()
    }
}

impl fmt::Debug for UpdateSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpdateSubscription")
            .field("webhook_url", &self.webhook_url.as_ref().map(SecretText::as_url))
            .field("webhook_version", &self.webhook_version)
            .field("secret", &self.secret)
            .field("enabled", &self.enabled)
            .field("event_types", &self.event_types)
            .finish()
    }
}

/// The body of both requests, in the published order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook_url: Option<&'a SecretText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook_version: Option<&'a WebhookVersion>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_types: Option<&'a [String]>,
}

impl Request<'_> {
    fn expose(&self) -> Zeroizing<Vec<u8>> {
        expose(self).expect("text, booleans and lists of text have a form in JSON")
    }
}

/// The secret as text; it was checked to be UTF-8.
fn text(secret: &Secret) -> &str {
    std::str::from_utf8(secret.expose_bytes()).expect("the secret was checked to be UTF-8")
}
