//! The endpoints of one outbox: [`Registry`].

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::endpoint::Endpoint;
use crate::id::EndpointId;

/// The endpoints that an outbox knows, by id.
///
/// ```
/// use labhook::{Endpoint, EndpointId, Registry, Secret, Signer};
/// use labhook::endpoint::RegistryError;
///
/// let strike = |id: &str| -> Result<Endpoint, Box<dyn std::error::Error>> {
///     let signer = Signer::strike(Secret::from_text("testtesttest")?);
///     Ok(Endpoint::new(EndpointId::new(id)?, "https://pay.example/hooks", signer)?)
/// };
/// // Strike permits 50 subscriptions.
/// let mut registry = Registry::new().with_limit(1);
/// registry.insert(strike("pay")?)?;
/// assert_eq!(registry.insert(strike("pay-2")?), Err(RegistryError::Full { limit: 1 }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Registry {
    endpoints: BTreeMap<EndpointId, Arc<Endpoint>>,
    limit: Option<usize>,
}

impl Registry {
    /// A registry without endpoints and without a limit.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many endpoints there may be.
    #[must_use]
    pub fn with_limit(mut self, endpoints: usize) -> Self {
        self.limit = Some(endpoints);
        self
    }

    /// Adds an endpoint.
    ///
    /// # Errors
    ///
    /// [`RegistryError`] where the id is taken or the limit is reached; nothing has changed then.
    pub fn insert(&mut self, endpoint: Endpoint) -> Result<(), RegistryError> {
        if self.endpoints.contains_key(endpoint.id()) {
            return Err(RegistryError::Taken { id: endpoint.id().clone() });
        }
        if let Some(limit) = self.limit.filter(|limit| self.endpoints.len() >= *limit) {
            return Err(RegistryError::Full { limit });
        }
        self.endpoints.insert(endpoint.id().clone(), Arc::new(endpoint));
        Ok(())
    }

    /// Puts an endpoint in the place of the one of the same id, and returns that one.
    ///
    /// # Errors
    ///
    /// [`UnknownEndpointError`] if there is none; nothing has changed then.
    pub fn replace(&mut self, endpoint: Endpoint) -> Result<Arc<Endpoint>, UnknownEndpointError> {
        match self.endpoints.get_mut(endpoint.id()) {
            Some(place) => Ok(std::mem::replace(place, Arc::new(endpoint))),
            None => Err(UnknownEndpointError { id: endpoint.id().clone() }),
        }
    }

    /// Takes an endpoint out.
    pub fn remove(&mut self, id: &EndpointId) -> Option<Arc<Endpoint>> {
        self.endpoints.remove(id)
    }

    /// The endpoint of this id.
    #[must_use]
    pub fn get(&self, id: &EndpointId) -> Option<&Arc<Endpoint>> {
        self.endpoints.get(id)
    }

    /// The endpoints, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.endpoints.values()
    }

    /// How many endpoints there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.endpoints.len()
    }

    /// Whether there is no endpoint.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.endpoints.is_empty()
    }
}

/// The registry cannot take an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// An endpoint of this id is there already: see [`Registry::replace`].
    #[error("the endpoint id {id} is taken")]
    Taken {
        /// The id.
        id: EndpointId,
    },
    /// The limit is reached.
    #[error("the registry holds {limit} endpoints, and that is its limit")]
    Full {
        /// The limit.
        limit: usize,
    },
}

/// There is no endpoint with this id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown endpoint `{id}`")]
#[non_exhaustive]
pub struct UnknownEndpointError {
    /// The id.
    pub id: EndpointId,
}
