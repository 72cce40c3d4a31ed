//! Webhook registrations of a Segments.ai account: [`Hook`].

use std::fmt;

use super::{EventKind, Format, PREFIX, policy};
use crate::endpoint::{Endpoint, EndpointError, Subscription, check_url, origin};
use crate::event_type::{EventType, EventTypeError};
use crate::id::{DatasetId, EndpointId};
use crate::provider::sensitive::SecretText;
use crate::signature::{Scheme, Signer};

/// Webhook registration with the settings of Segments.ai's form (documentation): URL, optional
/// version number and description, and event types.
///
/// A registration belongs to an account: it receives "only those events within datasets of which
/// you're an owner" (documentation). A dataset id is `owner/name`, so [`owns`](Self::owns) compares
/// the owner.
///
/// Segments.ai publishes no other rule. These are this crate's own: the URL must be HTTPS, the
/// owner must not be empty or contain `/`, and an empty list of event types means all.
///
/// ```
/// use labhook::{EndpointId, Secret, Signer};
/// use labhook::provider::segments::{EventKind, Hook};
///
/// let hook = Hook::new("https://eln.example/hooks?key=1", "jane")?
///     .with_description("the ELN")
///     .with_event_types([EventKind::SampleCreated, EventKind::LabelUpdated]);
/// assert!(hook.owns(&"jane/flowers".into()));
/// assert_eq!(format!("{hook:?}"), r#"Hook(https://eln.example, "jane", ["sample.created", "label.updated"])"#);
///
/// let secret = Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
/// let endpoint = hook.endpoint(EndpointId::new("eln")?, Signer::svix(secret))?;
/// assert_eq!(endpoint.format().name(), "segments");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Hook {
    /// The version number, for display only; its meaning is not published.
    pub version: Option<u32>,
    /// The description.
    pub description: Option<String>,
    /// The event types to receive; empty means all.
    pub event_types: Vec<EventKind>,
    owner: Box<str>,
    url: SecretText,
}

impl Hook {
    /// Creates a registration for every event in the owner's datasets.
    ///
    /// # Errors
    ///
    /// [`HookError::Url`] if the URL is not a valid HTTPS URL, and [`HookError::Owner`].
    pub fn new(url: &str, owner: &str) -> Result<Self, HookError> {
        check_url(url, &["https"])?;
        if owner.is_empty() || owner.contains('/') {
            return Err(HookError::Owner);
        }
        Ok(Self {
            version: None,
            description: None,
            event_types: Vec::new(),
            owner: owner.into(),
            url: url.into(),
        })
    }

    /// Sets the version number.
    #[must_use]
    pub fn with_version(mut self, version: u32) -> Self {
        self.version = Some(version);
        self
    }

    /// Sets the description.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Adds event types.
    #[must_use]
    pub fn with_event_types(mut self, kinds: impl IntoIterator<Item = EventKind>) -> Self {
        self.event_types.extend(kinds);
        self
    }

    /// Returns the owner whose datasets are reported.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Returns the URL. For many receivers, such as Slack's incoming webhooks, it is a secret: keep
    /// it out of logs and files.
    #[must_use]
    pub fn expose_url(&self) -> &str {
        self.url.expose()
    }

    /// Returns whether the dataset belongs to the owner.
    #[must_use]
    pub fn owns(&self, dataset: &DatasetId) -> bool {
        dataset.as_str().split_once('/').is_some_and(|(owner, _)| owner == &*self.owner)
    }

    /// Returns the subscription: the event types, in datasets of the owner.
    ///
    /// An event type that is not one of the eleven selects the lab event type
    /// `segments.<event_type>`. Such an event has no dataset among its keys, so it never matches.
    ///
    /// # Errors
    ///
    /// [`HookError::EventType`] if an event type cannot be part of a lab event type.
    pub fn subscription(&self) -> Result<Subscription, HookError> {
        let mut subscription = Subscription::all().dataset_owners([&*self.owner]);
        for kind in &self.event_types {
            let name = match EventKind::from(kind.as_str()) {
                EventKind::Other(name) => format!("{PREFIX}{name}"),
                known => known.as_str().to_owned(),
            };
            let event_type = EventType::new(name).map_err(HookError::EventType)?;
            subscription = subscription.event_types([event_type.into()]);
        }
        Ok(subscription)
    }

    /// Builds the endpoint: this [subscription](Self::subscription), the [`Format`] and the
    /// [`policy`].
    ///
    /// # Errors
    ///
    /// [`HookError::Signer`] if Svix's verifiers do not accept the signer's scheme, and the errors
    /// of [`subscription`](Self::subscription).
    pub fn endpoint(&self, id: EndpointId, signer: Signer) -> Result<Endpoint, HookError> {
        if !matches!(signer.scheme(), Some(Scheme::Svix | Scheme::StandardWebhooks)) {
            return Err(HookError::Signer);
        }
        Ok(Endpoint::new(id, self.url.expose(), signer)?
            .with_subscription(self.subscription()?)
            .with_format(Format)
            .with_retry(policy()))
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hook({}, {:?}, {:?})", origin(self.url.expose()), self.owner, self.event_types)
    }
}

/// An error in creating a [`Hook`] or in building its endpoint. No variant contains any part of the
/// URL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HookError {
    /// The URL cannot be used in a request.
    #[error("invalid URL of the Segments.ai hook")]
    Url(#[from] EndpointError),
    /// The owner's name is empty or contains `/`.
    #[error("`owner` of the Segments.ai hook must not be empty or contain `/`")]
    Owner,
    /// An event type cannot be part of a lab event type.
    #[error("invalid event type in the Segments.ai hook")]
    EventType(#[source] EventTypeError),
    /// The signer's scheme is neither Svix nor Standard Webhooks.
    #[error("signer of a Segments.ai hook must use Svix or Standard Webhooks")]
    Signer,
}
