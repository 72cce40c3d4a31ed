//! The rules of a subscription: [`SubscriptionError`].

use super::WebhookVersion;
use crate::endpoint::{EndpointError, check_url};
use crate::provider::sensitive::SecretText;
use crate::secret::Secret;

/// How many characters a secret has at the least and at the most.
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
    let (least, most) = SECRET_LEN;
    let characters = text.chars().count();
    if (least..=most).contains(&characters) {
        Ok(secret)
    } else {
        Err(SubscriptionError::SecretLength { characters })
    }
}

pub(super) fn checked_event_types<T: Into<String>>(
    event_types: impl IntoIterator<Item = T>,
) -> Result<Vec<String>, SubscriptionError> {
    let event_types: Vec<String> = event_types.into_iter().map(Into::into).collect();
    // A name that is empty asks for nothing as well.
    if event_types.is_empty() || event_types.iter().any(String::is_empty) {
        return Err(SubscriptionError::NoEventType);
    }
    Ok(event_types)
}

/// A subscription does not keep a rule. No variant holds any part of the secret, nor of the URL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubscriptionError {
    /// Published: the URL is HTTPS.
    #[error("the subscription's URL is not HTTPS")]
    NotHttps,
    /// A request cannot be sent to the URL.
    #[error("the subscription's URL is not one that a webhook can be sent to")]
    Url(#[source] EndpointError),
    /// Published: the version is `v1` or `v2`.
    #[error("the subscription's webhook version is {version}, not v1 or v2")]
    WebhookVersion {
        /// The version that was asked for.
        version: WebhookVersion,
    },
    /// Published: the secret has 10 to 50 characters.
    #[error("the subscription's secret has {characters} characters, not 10 to 50")]
    SecretLength {
        /// How many characters it has.
        characters: usize,
    },
    /// The secret is no UTF-8: a request body cannot hold it.
    #[error("the subscription's secret is not text")]
    SecretNotText,
    /// This crate's own: nothing is asked for.
    #[error("the subscription names no event type")]
    NoEventType,
    /// An endpoint cannot be made: the event type is not a kind of resource, a full stop and what
    /// was done to it.
    #[error("the subscription's event type {event_type:?} does not say what was done to what")]
    EventType {
        /// The event type.
        event_type: Box<str>,
    },
}
