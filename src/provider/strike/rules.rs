//! Validation of Strike subscriptions: [`SubscriptionError`].

use super::WebhookVersion;
use crate::endpoint::{EndpointError, check_url};
use crate::provider::sensitive::SecretText;
use crate::secret::Secret;

/// The minimum and maximum number of characters of a secret.
const SECRET_LEN: (usize, usize) = (10, 50);

pub(super) fn checked_url(url: &str) -> Result<SecretText, SubscriptionError> {
    match check_url(url, &["https"]) {
        Ok(()) => Ok(url.into()),
        Err(EndpointError::PlainHttp | EndpointError::Scheme) => Err(SubscriptionError::NotHttps),
        Err(error) => Err(SubscriptionError::Url(error)),
    }
}

pub(super) fn checked_version(
    version: WebhookVersion,
) -> Result<WebhookVersion, SubscriptionError> {
    if WebhookVersion::KNOWN.contains(&version) {
        Ok(version)
    } else {
        Err(SubscriptionError::WebhookVersion { version })
    }
}

pub(super) fn checked_secret(secret: Secret) -> Result<Secret, SubscriptionError> {
    let Ok(text) = std::str::from_utf8(secret.expose_bytes()) else {
        return Err(SubscriptionError::SecretNotText);
    };
    let (min, max) = SECRET_LEN;
    let characters = text.chars().count();
    if (min..=max).contains(&characters) {
        Ok(secret)
    } else {
        Err(SubscriptionError::SecretLength { characters })
    }
}

pub(super) fn checked_event_types<T: Into<String>>(
    event_types: impl IntoIterator<Item = T>,
) -> Result<Vec<String>, SubscriptionError> {
    let event_types: Vec<String> = event_types.into_iter().map(Into::into).collect();
    // An empty name matches no event either.
    if event_types.is_empty() || event_types.iter().any(String::is_empty) {
        return Err(SubscriptionError::NoEventType);
    }
    Ok(event_types)
}

/// An invalid subscription. No variant contains any part of the secret or the URL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubscriptionError {
    /// Published: the URL is HTTPS.
    #[error("`webhookUrl` must use HTTPS")]
    NotHttps,
    /// The URL cannot be used in a request.
    #[error("invalid `webhookUrl`")]
    Url(#[source] EndpointError),
    /// Published: the version is `v1` or `v2`.
    #[error("unknown `webhookVersion` `{version}`, expected one of `v1`, `v2`")]
    WebhookVersion {
        /// The version.
        version: WebhookVersion,
    },
    /// Published: the secret has 10 to 50 characters.
    #[error("`secret` is {characters} characters long; 10 to 50 are required")]
    SecretLength {
        /// The number of characters.
        characters: usize,
    },
    /// The secret is not UTF-8, so a JSON request cannot contain it.
    #[error("`secret` must be UTF-8 text")]
    SecretNotText,
    /// This crate's own: there is no event type, or an empty one.
    #[error("`eventTypes` must contain at least one event type and no empty ones")]
    NoEventType,
    /// An endpoint cannot be built: the event type is not a resource type, a `.` and an operation.
    #[error("event type {event_type:?} must have the form `<resource type>.<operation>`")]
    EventType {
        /// The event type.
        event_type: Box<str>,
    },
}
