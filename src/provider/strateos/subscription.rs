//! The webhook setting of a Strateos project: [`ProjectWebhook`].

use std::fmt;

use super::format::Format;
use super::policy;
use super::webhook::Project;
use crate::endpoint::{Endpoint, EndpointError, Subscription, check_url, origin};
use crate::id::EndpointId;
use crate::provider::sensitive::SecretText;
use crate::signature::Signer;

/// Webhook setting of a project: one URL, or none.
///
/// Published: the URL is a field of the project's settings and receives the events of all the
/// project's runs. There is no filter and no secret. The rules for the URL are this crate's own,
/// those of [`Endpoint::new`].
///
/// The URL may be the only proof of the sender, so it is treated as a secret: `Debug` shows only
/// its origin.
///
/// ```
/// use labhook::EndpointId;
/// use labhook::provider::strateos::{Project, ProjectWebhook};
///
/// let mut project = Project::new("p18sjzxaeaff9");
/// project.name = Some("Demo Project".to_owned());
/// let hook = ProjectWebhook::new(project)
///     .with_url("https://eln.example/hooks/4f1b")?;
/// assert_eq!(format!("{hook:?}"), r#"ProjectWebhook("p18sjzxaeaff9", https://eln.example)"#);
///
/// let endpoint = hook.endpoint(EndpointId::new("eln")?)?.expect("it has a URL");
/// assert_eq!(endpoint.expose_url(), "https://eln.example/hooks/4f1b");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct ProjectWebhook {
    /// The project.
    pub project: Project,
    url: Option<SecretText>,
}

impl ProjectWebhook {
    /// Creates the setting without a URL.
    #[must_use]
    pub const fn new(project: Project) -> Self {
        Self { project, url: None }
    }

    /// Sets the URL.
    ///
    /// # Errors
    ///
    /// [`EndpointError`] if the URL is not a valid HTTPS URL.
    pub fn with_url(mut self, url: &str) -> Result<Self, EndpointError> {
        check_url(url, &["https"])?;
        self.url = Some(url.into());
        Ok(self)
    }

    /// Removes the URL.
    #[must_use]
    pub fn without_url(mut self) -> Self {
        self.url = None;
        self
    }

    /// Returns the URL, which may be a secret. Keep it out of logs and files.
    #[must_use]
    pub fn expose_url(&self) -> Option<&str> {
        self.url.as_ref().map(SecretText::expose)
    }

    /// Returns the subscription: all events of the project.
    ///
    /// Events without a Strateos webhook match too, and publishing reports a render failure for
    /// them. Events for unlisted operations have no keys, so they match no project.
    #[must_use]
    pub fn subscription(&self) -> Subscription {
        Subscription::all().projects([self.project.id.clone()])
    }

    /// Builds the endpoint, unsigned, with this vendor's [`Format`] and [`policy`]; `None` if there
    /// is no URL.
    ///
    /// # Errors
    ///
    /// [`EndpointError`]; never for a URL that [`with_url`](Self::with_url) accepted.
    pub fn endpoint(&self, id: EndpointId) -> Result<Option<Endpoint>, EndpointError> {
        let Some(url) = self.expose_url() else {
            return Ok(None);
        };
        let endpoint = Endpoint::new(id, url, Signer::unsigned())?
            .with_subscription(self.subscription())
            .with_format(Format::of(self.project.clone()))
            .with_retry(policy());
        Ok(Some(endpoint))
    }
}

impl fmt::Debug for ProjectWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.expose_url().map_or("no URL", origin);
        write!(f, "ProjectWebhook({:?}, {url})", self.project.id)
    }
}
