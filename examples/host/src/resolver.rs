//! Name resolution that checks what it finds: [`Checked`].

use std::net::SocketAddr;
use std::sync::Arc;

use labhook::endpoint::AddressPolicy;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// A resolver whose every address the policy allows. The client connects to those addresses and
/// does not resolve again, so that a name cannot point elsewhere after the check.
pub(crate) struct Checked {
    pub(crate) policy: Arc<AddressPolicy>,
    pub(crate) resolver: Arc<dyn Resolve>,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (policy, host) = (Arc::clone(&self.policy), name.as_str().to_owned());
        let resolving = self.resolver.resolve(name);
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = resolving.await?.collect();
            // One that is refused refuses the name: it is a mistake or an attack.
            for address in &addresses {
                policy.check_resolved(&host, address.ip())?;
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The system's resolver.
pub(crate) struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // The client replaces the port.
            let addresses = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(Box::new(addresses.collect::<Vec<_>>().into_iter()) as Addrs)
        })
    }
}
