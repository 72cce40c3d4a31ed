//! HTTP client for attempts: [`Http`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use labhook::endpoint::AddressPolicy;
use labhook::{Attempt, Failure, Outcome};
use reqwest::dns::Resolve;

use crate::failure::{failure, refused, refused_address};
use crate::resolver::{Checked, System};
use crate::{Client, Clock};

/// The longest time that connecting may take, including name resolution and the TLS handshake.
const MAX_CONNECT: Duration = Duration::from_secs(10);

/// Checks that the client can read a URL, when somebody enters it. [`AddressPolicy::check_url`] does
/// not decode names, and accepts invalid Punycode such as `xn--a.example`.
///
/// # Errors
///
/// If the client cannot read it.
pub fn check_readable(url: &str) -> anyhow::Result<()> {
    url.parse::<reqwest::Url>().context("the HTTP client cannot read the URL")?;
    Ok(())
}

/// An HTTP client that sends each request once: no redirects, no retries, no proxy.
///
/// Connecting gets at most half of the endpoint's attempt timeout. So a receiver that cannot be
/// reached is a failure to connect, after which nothing is in doubt, and not a timeout.
///
/// It connects only to addresses that the [`AddressPolicy`] allows. An attempt to any other sends
/// nothing and is [`Failure::Connect`]: the fault is in the endpoint's URL or DNS, so its health
/// counts it, and the endpoint goes down. [`Failure::Sender`] would leave it up. The same is done
/// with a URL that it cannot read, which [`check_readable`] finds before.
#[derive(Clone)]
pub struct Http {
    addresses: Arc<AddressPolicy>,
    resolver: Arc<dyn Resolve>,
    /// A client for each connect timeout, which reqwest has no request setting for.
    clients: Arc<Mutex<BTreeMap<Duration, reqwest::Client>>>,
}

impl Http {
    /// Creates a client that sends to the addresses of this policy.
    #[must_use]
    pub fn new(addresses: AddressPolicy) -> Self {
        Self::with_resolver(addresses, System)
    }

    /// Creates a client with a resolver other than the system's. What it returns is checked too.
    #[must_use]
    pub fn with_resolver(addresses: AddressPolicy, resolver: impl Resolve + 'static) -> Self {
        #[cfg(feature = "tls")]
        // An error means that the process has chosen a provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            addresses: Arc::new(addresses),
            resolver: Arc::new(resolver),
            clients: Arc::default(),
        }
    }

    fn client(&self, attempt_timeout: Duration) -> reqwest::Result<reqwest::Client> {
        let connect = (attempt_timeout / 2).min(MAX_CONNECT);
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&connect) {
            return Ok(client.clone());
        }
        let (policy, resolver) = (Arc::clone(&self.addresses), Arc::clone(&self.resolver));
        let client = reqwest::Client::builder()
            .dns_resolver(Checked { policy, resolver })
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            // The environment's HTTP_PROXY is for programs that fetch, not for this one. A proxy
            // would also resolve names itself, unchecked.
            .no_proxy()
            .connect_timeout(connect)
            // Below what receivers usually have: a connection that closes under a request leaves
            // it in doubt.
            .pool_idle_timeout(Duration::from_secs(15))
            .user_agent("labhook-host")
            .build()?;
        clients.insert(connect, client.clone());
        Ok(client)
    }

    async fn exchange(&self, attempt: &Attempt, clock: &impl Clock) -> Result<Outcome, Failure> {
        if !cfg!(feature = "tls") && attempt.endpoint().expose_url().starts_with("https:") {
            tracing::error!("HTTPS needs the feature `tls` of this package");
            return Err(Failure::Sender);
        }
        let timeout = attempt.endpoint().policy.retry.attempt_timeout();
        let client = self.client(timeout).map_err(|_| Failure::Sender)?;
        let now = clock.now();
        let request = attempt.request(now).map_err(|_| Failure::Sender)?;
        let mut request = reqwest::Request::try_from(request).map_err(|error| {
            // Only the URL can be at fault: the client has the same types for all else.
            let error = anyhow::Error::from(error);
            tracing::warn!(endpoint = %attempt.endpoint().id(), "the URL is unusable: {error:#}");
            Failure::Connect
        })?;
        *request.timeout_mut() = Some(attempt.timeout(now));
        // As the client reads it, which connects to an IP address without asking the resolver.
        if let Err(error) = self.addresses.check_url(request.url().as_str()) {
            tracing::warn!(endpoint = %attempt.endpoint().id(), "{error}");
            return Err(refused(&error));
        }
        let response = client.execute(request).await.map_err(|error| {
            if let Some(error) = refused_address(&error) {
                tracing::warn!(endpoint = %attempt.endpoint().id(), "{error}");
            }
            failure(&error)
        })?;
        // The body is not read: an outcome needs the status and the headers only.
        Ok(Outcome::response(response.status(), response.headers(), clock.now()))
    }
}

impl Client for Http {
    async fn send<C: Clock>(&self, attempt: &Attempt, clock: &C) -> Outcome {
        self.exchange(attempt, clock).await.unwrap_or_else(Outcome::failed)
    }
}
