//! The endpoints of an outbox: [`Registry`].

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::endpoint::Endpoint;
use crate::id::EndpointId;

/// The endpoints that an outbox knows, by id.
///
/// Optionally bounded by a [limit](Self::with_limit).
///
/// ```
/// use labhook::{Endpoint, EndpointId, Registry, Secret, Signer};
/// use labhook::endpoint::RegistryError;
///
/// let strike = |id: &str| -> Result<Endpoint, Box<dyn std::error::Error>> {
///     let signer = Signer::strike(Secret::from_text("testtesttest")?);
///     Ok(Endpoint::new(EndpointId::new(id)?, "https://pay.example/hooks", signer)?)
/// };
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
    /// Creates an empty registry without a limit.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the maximum number of endpoints, such as Strike's 50 subscriptions.
    #[must_use]
    pub fn with_limit(mut self, endpoints: usize) -> Self {
        self.limit = Some(endpoints);
        self
    }

    /// Adds an endpoint.
    ///
    /// # Errors
    ///
    /// Returns [`RegistryError`] and changes nothing if the id is already registered or the
    /// registry is full.
    pub fn insert(&mut self, endpoint: Endpoint) -> Result<(), RegistryError> {
        if self.endpoints.contains_key(endpoint.id()) {
            return Err(RegistryError::AlreadyRegistered { id: endpoint.id().clone() });
        }
        if let Some(limit) = self.limit.filter(|limit| self.endpoints.len() >= *limit) {
            return Err(RegistryError::Full { limit });
        }
        self.endpoints.insert(endpoint.id().clone(), Arc::new(endpoint));
        Ok(())
    }

    /// Replaces the endpoint with the same id, and returns the old one.
    ///
    /// # Errors
    ///
    /// Returns [`UnknownEndpointError`] and changes nothing if there is none.
    pub fn replace(&mut self, endpoint: Endpoint) -> Result<Arc<Endpoint>, UnknownEndpointError> {
        match self.endpoints.get_mut(endpoint.id()) {
            Some(old) => Ok(std::mem::replace(old, Arc::new(endpoint))),
            None => Err(UnknownEndpointError { id: endpoint.id().clone() }),
        }
    }

    /// Removes and returns the endpoint with this id.
    pub fn remove(&mut self, id: &EndpointId) -> Option<Arc<Endpoint>> {
        self.endpoints.remove(id)
    }

    /// Returns the endpoint with this id.
    #[must_use]
    pub fn get(&self, id: &EndpointId) -> Option<&Arc<Endpoint>> {
        self.endpoints.get(id)
    }

    /// Iterates over the endpoints, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.endpoints.values()
    }

    /// Returns the number of endpoints.
    #[must_use]
    pub fn len(&self) -> usize {
        self.endpoints.len()
    }

    /// Returns whether there are no endpoints.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.endpoints.is_empty()
    }
}

/// The error of [`Registry::insert`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The registry already has an endpoint with this id: see [`Registry::replace`].
    #[error("endpoint id `{id}` is already registered")]
    AlreadyRegistered {
        /// The id of the endpoint.
        id: EndpointId,
    },
    /// The limit is reached: see [`Registry::with_limit`].
    #[error("registry is full: at most {limit} endpoints")]
    Full {
        /// The maximum number of endpoints.
        limit: usize,
    },
}

/// An endpoint id that the registry does not contain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown endpoint `{id}`")]
#[non_exhaustive]
pub struct UnknownEndpointError {
    /// The unknown id.
    pub id: EndpointId,
}
