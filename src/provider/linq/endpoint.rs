//! Building a subscription and an endpoint from a LINQ hook.

use http::{HeaderName, header};

use super::{Format, Hook, Watch, policy};
use crate::endpoint::{Endpoint, EndpointError, Subscription};
use crate::id::EndpointId;
use crate::secret::wipe;
use crate::signature::Signer;

impl Hook {
    /// Returns the hook's subscription: the events of its kind, filtered by its tasks or labware
    /// and by the ends of a movement in its `trigger_on`.
    ///
    /// A hook belongs to one workflow and reports only that workflow's runs. If the outbox carries
    /// other runs too, add the workflow's with [`Subscription::runs`].
    ///
    /// # Errors
    ///
    /// [`HookEndpointError::UnknownFilter`].
    pub fn subscription(&self) -> Result<Subscription, HookEndpointError> {
        let kind = self.kind().ok_or(HookEndpointError::UnknownFilter)?;
        let subscription = Subscription::all().event_types([kind.event_type().into()]);
        Ok(match self.watch() {
            Watch::TaskState { task_ids } => subscription.tasks(task_ids.iter().cloned()),
            Watch::LabwareMovement { labware_ids, trigger_on } => {
                subscription.labware(labware_ids.iter().cloned()).with_trigger_on(*trigger_on)
            }
            _ => subscription,
        })
    }

    /// Builds the endpoint, over HTTPS only: the hook's subscription and headers, LINQ's [`Format`]
    /// and [`policy`], and no signature.
    ///
    /// # Errors
    ///
    /// [`HookEndpointError`], for example if the URL or a header cannot be used in a request.
    pub fn endpoint(&self, id: EndpointId) -> Result<Endpoint, HookEndpointError> {
        self.configure(Endpoint::new(id, self.expose_url(), Signer::unsigned()))
    }

    /// Builds the endpoint and allows plain HTTP, which the vendor's own examples use.
    ///
    /// Use it only for loopback and closed networks: anyone on the path can read the events and
    /// steal a token from the headers.
    ///
    /// # Errors
    ///
    /// [`HookEndpointError`], for example if the URL or a header cannot be used in a request.
    pub fn plain_http_endpoint(&self, id: EndpointId) -> Result<Endpoint, HookEndpointError> {
        self.configure(Endpoint::plain_http(id, self.expose_url(), Signer::unsigned()))
    }

    fn configure(
        &self,
        endpoint: Result<Endpoint, EndpointError>,
    ) -> Result<Endpoint, HookEndpointError> {
        let mut endpoint = endpoint?
            .with_subscription(self.subscription()?)
            .with_format(Format)
            .with_retry(policy());
        for (name, value) in self.expose_headers() {
            let name: HeaderName = name.parse().map_err(HookEndpointError::HeaderName)?;
            let value = wipe::header_value(value.as_bytes())
                .map_err(|source| HookEndpointError::HeaderValue { name: name.clone(), source })?;
            endpoint = endpoint.add_header(name, &value)?;
        }
        Ok(endpoint)
    }
}

/// An error in building an endpoint from a hook. No variant contains any part of the URL or of a
/// header's value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HookEndpointError {
    /// This version does not know the hook's filter.
    #[error("unknown `filter` in the hook")]
    UnknownFilter,
    /// The URL cannot be used in a request, or a header is reserved.
    #[error("cannot build an endpoint from the hook")]
    Endpoint(#[from] EndpointError),
    /// A header's name is malformed.
    #[error("malformed header name in the hook")]
    HeaderName(#[source] header::InvalidHeaderName),
    /// A header's value contains bytes that a header cannot carry.
    #[error("malformed value of the hook's header `{name}`")]
    HeaderValue {
        /// The header's name.
        name: HeaderName,
        /// The cause.
        source: header::InvalidHeaderValue,
    },
}
