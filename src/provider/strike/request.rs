//! What a subscription is asked for with: [`CreateSubscription`] and [`UpdateSubscription`].

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

/// How many subscriptions there can be, as published: give it to
/// [`Registry::with_limit`](crate::Registry::with_limit).
pub const MAX_SUBSCRIPTIONS: usize = 50;

/// The request that creates a subscription, as published; every one that there is keeps the rules.
///
/// It holds the secret and the receiver's URL, so it has no `Serialize`:
/// [`expose_json`](Self::expose_json) writes the request's body. `Debug` shows the URL's origin
/// only, and nothing of the secret.
#[derive(Clone)]
pub struct CreateSubscription {
    webhook_url: SecretText,
    webhook_version: WebhookVersion,
    secret: Secret,
    enabled: bool,
    event_types: Vec<String>,
}

impl CreateSubscription {
    /// Asks for these event types, signed with this secret. It is enabled.
    ///
    /// Published: the URL is HTTPS, the version `v1` or `v2`, and the secret 10 to 50 characters
    /// long, which are counted here as Unicode scalar values. This crate's own: there is one event
    /// type at the least, for it is not published whether none means none or all.
    ///
    /// # Errors
    ///
    /// [`SubscriptionError`], which names the rule.
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

    /// Sets whether it is enabled. One that is not receives nothing.
    #[must_use]
    pub fn with_enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// The subscription as it is after an update: what the update does not name stays.
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

    /// The answer to the request: the subscription under its id, without the secret.
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

    /// The endpoint that the subscription asks for: Strike's signature, format and policy, in use
    /// where the subscription is enabled.
    ///
    /// It receives the messages of a [`ResourceChanged`](crate::lab::ResourceChanged) whose kind
    /// and operation are among the event types, and no others: the event types become
    /// [`resource_changes`](crate::Subscription::resource_changes).
    ///
    /// # Errors
    ///
    /// [`SubscriptionError::EventType`] where an event type does not have two parts: no message
    /// could be told to be of it.
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

    /// The body of the request, which holds the secret and the URL. Keep it out of logs and files.
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

    /// The receiver's URL, which for many receivers is a secret. Keep it out of logs and files.
    #[must_use]
    pub fn expose_webhook_url(&self) -> &str {
        self.webhook_url.expose()
    }

    /// The version of the payload.
    #[must_use]
    pub const fn webhook_version(&self) -> &WebhookVersion {
        &self.webhook_version
    }

    /// Whether it is enabled.
    #[must_use]
    pub const fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// The event types that are asked for.
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

/// The request that changes a subscription, as published: what it does not name stays as it is.
///
/// The rules, and what may be seen of it, are those of [`CreateSubscription`]. To change the
/// secret is an update like any other: see [the module](super#change-a-secret).
#[derive(Clone, Default)]
pub struct UpdateSubscription {
    webhook_url: Option<SecretText>,
    webhook_version: Option<WebhookVersion>,
    secret: Option<Secret>,
    enabled: Option<bool>,
    event_types: Option<Vec<String>>,
}

impl UpdateSubscription {
    /// Changes nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes the URL.
    ///
    /// # Errors
    ///
    /// [`SubscriptionError::NotHttps`] or [`SubscriptionError::Url`].
    pub fn with_webhook_url(mut self, webhook_url: &str) -> Result<Self, SubscriptionError> {
        self.webhook_url = Some(checked_url(webhook_url)?);
        Ok(self)
    }

    /// Changes the version of the payload.
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

    /// Changes the secret.
    ///
    /// # Errors
    ///
    /// [`SubscriptionError::SecretLength`] or [`SubscriptionError::SecretNotText`].
    pub fn with_secret(mut self, secret: Secret) -> Result<Self, SubscriptionError> {
        self.secret = Some(checked_secret(secret)?);
        Ok(self)
    }

    /// Enables or disables.
    #[must_use]
    pub fn with_enabled(mut self, enabled: bool) -> Self {
        self.enabled = Some(enabled);
        self
    }

    /// Changes the event types to these.
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

    /// The body of the request, which may hold the secret and the URL. Keep it out of logs and
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

/// The body of either request, in the published order.
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

/// The secret as it was checked to be.
fn text(secret: &Secret) -> &str {
    std::str::from_utf8(secret.expose_bytes()).expect("a secret that is not text was refused")
}
