//! From a hook to an endpoint of the same meaning.

use http::{HeaderName, HeaderValue, header};

use super::{Format, Hook, Watch, policy};
use crate::endpoint::{Endpoint, EndpointError, Subscription};
use crate::id::EndpointId;
use crate::signature::Signer;

impl Hook {
    /// The messages that the hook asks for: the events of its kind, of the tasks or the labware
    /// that it lists, at the ends of a movement that it names.
    ///
    /// A hook is part of a workflow and tells of the runs of that one; add them with
    /// [`Subscription::runs`] where the outbox serves others too.
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

    /// An endpoint, over HTTPS only, that receives what the hook asks for in LINQ's
    /// [`Format`], with the hook's headers and LINQ's [`policy`], unsigned.
    ///
    /// # Errors
    ///
    /// [`HookEndpointError`]; the URL or a header may be nothing that a request can be made with.
    pub fn endpoint(&self, id: EndpointId) -> Result<Endpoint, HookEndpointError> {
        self.furnish(Endpoint::new(id, self.expose_url(), Signer::unsigned()))
    }

    /// The same, over plain HTTP too, as in the vendor's own examples, for loopback and closed
    /// networks: anybody on the way can read the events and steal a token from the headers.
    ///
    /// # Errors
    ///
    /// [`HookEndpointError`]; the URL or a header may be nothing that a request can be made with.
    pub fn plain_http_endpoint(&self, id: EndpointId) -> Result<Endpoint, HookEndpointError> {
        self.furnish(Endpoint::plain_http(id, self.expose_url(), Signer::unsigned()))
    }

    fn furnish(
        &self,
        endpoint: Result<Endpoint, EndpointError>,
    ) -> Result<Endpoint, HookEndpointError> {
        let mut endpoint = endpoint?
            .with_subscription(self.subscription()?)
            .with_format(Format)
            .with_retry(policy());
        for (name, value) in self.expose_headers() {
            let name: HeaderName = name.parse().map_err(HookEndpointError::HeaderName)?;
            let value = HeaderValue::from_str(value)
                .map_err(|source| HookEndpointError::HeaderValue { name: name.clone(), source })?;
            endpoint = endpoint.add_header(name, &value)?;
        }
        Ok(endpoint)
    }
}

/// A hook makes no endpoint. No variant holds any part of the URL, nor of a header's value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HookEndpointError {
    /// The hook's filter is not one that this version knows.
    #[error("the hook's filter is not known")]
    UnknownFilter,
    /// The URL is not one that a request can be sent to, or a header is the request's own.
    #[error("the hook makes no endpoint")]
    Endpoint(#[from] EndpointError),
    /// A header's name is none.
    #[error("a header of the hook has a malformed name")]
    HeaderName(#[source] header::InvalidHeaderName),
    /// A header's value holds what no header can carry.
    #[error("the hook's header {name} has a malformed value")]
    HeaderValue {
        /// The header.
        name: HeaderName,
        /// What is wrong.
        source: header::InvalidHeaderValue,
    },
}
