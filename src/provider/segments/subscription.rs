//! An endpoint as Segments.ai asks for it: [`Hook`].

use std::fmt;

use super::event::PREFIX;
use super::{EventKind, Format, policy};
use crate::endpoint::{Endpoint, EndpointError, Subscription, check_url, origin};
use crate::event_type::{EventType, EventTypeError};
use crate::id::{DatasetId, EndpointId};
use crate::provider::sensitive::SecretText;
use crate::signature::{Scheme, Signer};

/// An endpoint, with what Segments.ai asks for when one is added (documentation): the URL, an
/// optional version number and description, and the event types.
///
/// It belongs to an account: it receives "only those events within datasets of which you're an
/// owner" (documentation). A dataset is `owner/name`, so [`owns`](Self::owns) compares the owner.
///
/// Segments.ai publishes no other rule. That the URL is HTTPS, that a name of an owner is neither
/// empty nor holds a `/`, and that no event types mean all of them are this crate's own.
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
    /// A number for people; what it means is not published.
    pub version: Option<u32>,
    /// A sentence for people.
    pub description: Option<String>,
    /// What it receives: everything where there are none.
    pub event_types: Vec<EventKind>,
    owner: Box<str>,
    url: SecretText,
}

impl Hook {
    /// An endpoint that receives every event in the owner's datasets.
    ///
    /// # Errors
    ///
    /// [`HookError::Url`] where the URL is not one that a request can be sent to over HTTPS, and
    /// [`HookError::Owner`].
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

    /// Whose datasets' events it receives.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The URL, which for many receivers is a secret, Slack's incoming webhooks among them. Keep
    /// it out of logs and files.
    #[must_use]
    pub fn expose_url(&self) -> &str {
        self.url.expose()
    }

    /// Whether the dataset is one of the owner's.
    #[must_use]
    pub fn owns(&self, dataset: &DatasetId) -> bool {
        dataset.as_str().split_once('/').is_some_and(|(owner, _)| owner == &*self.owner)
    }

    /// Which messages it receives: those of the event types that belong to a dataset of the
    /// owner. An event type that is none of the eleven stands for the event
    /// `segments.` and its name; such an event has no dataset among its keys and so reaches
    /// nobody.
    ///
    /// # Errors
    ///
    /// [`HookError::EventType`] where the name of an event makes no event type.
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

    /// The endpoint to send to as Segments.ai does: this [subscription](Self::subscription), the
    /// [`Format`], and the [`policy`].
    ///
    /// # Errors
    ///
    /// [`HookError`] where the signer is not one that Svix's verifiers understand, or as for
    /// [`subscription`](Self::subscription).
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

/// A [`Hook`] cannot be made, or made an endpoint of, like this. No variant holds any part of the
/// URL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HookError {
    /// No request can be sent to the URL.
    #[error("the Segments.ai endpoint's URL is unusable")]
    Url(#[from] EndpointError),
    /// The owner's name is empty or holds a `/`.
    #[error("the name of the Segments.ai owner is empty or holds a `/`")]
    Owner,
    /// The name of an event makes no event type.
    #[error("the Segments.ai event's name makes no event type")]
    EventType(#[source] EventTypeError),
    /// The signer's scheme is not Svix's.
    #[error("Segments.ai signs as Svix does, and the signer does not")]
    Signer,
}
