//! Endpoints: [`Endpoint`], the [`Subscription`] that selects its messages, the [`Registry`], and the
//! [`AddressPolicy`] that keeps requests out of your internal network.

mod address_policy;
mod config;
mod error;
mod event_pattern;
mod host_pattern;
mod network;
mod registry;
mod request;
mod special_ranges;
mod subscription;
mod term;
mod url;

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use http::Uri;
use http::header::{HeaderName, HeaderValue};
use zeroize::Zeroizing;

use crate::delivery::RetryPolicy;
use crate::flow::{ConcurrencyLimitPolicy, FlowPolicy};
use crate::health::HealthPolicy;
use crate::id::{EndpointId, MessageId};
use crate::message::format::{Envelope, Format};
use crate::message::header::{belongs_to_request, is_reserved};
use crate::policy::{EndpointPolicy, Order};
use crate::secret::{Secret, wipe};
use crate::signature::{SignError, Signer};

pub use address_policy::{AddressError, AddressPolicy};
pub use config::{EndpointConfig, EndpointConfigError};
pub use error::{EndpointError, RequestError};
pub use event_pattern::{EventPattern, EventPatternError};
pub use host_pattern::{HostPattern, HostPatternError};
pub use network::{Network, NetworkError};
pub use registry::{Registry, RegistryError, UnknownEndpointError};
pub use special_ranges::AddressKind;
pub use subscription::{Subscription, TriggerOn};
pub(crate) use term::Term;

use url::parse_url;
pub(crate) use url::{check_url, origin};

/// A receiver of webhooks: its URL and signer, the messages it receives, and its delivery policies.
///
/// ```
/// use std::num::NonZeroU32;
/// use std::time::Duration;
///
/// use http::{HeaderName, HeaderValue};
/// use labhook::flow::RateLimitPolicy;
/// use labhook::message::format::CloudEvents;
/// use labhook::{
///     Endpoint, EndpointId, FlowPolicy, HealthPolicy, Order, RetryPolicy, Secret, Signer,
///     Subscription,
/// };
///
/// let secret = Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
/// let three_days = Duration::from_secs(3 * 86_400);
/// let ten = NonZeroU32::new(10).expect("10 is not zero");
///
/// let eln = Endpoint::new(
///     EndpointId::new("eln")?,
///     "https://eln.example/hooks",
///     Signer::standard_webhooks(secret),
/// )?
/// // What to send: all run events, as CloudEvents, with the receiver's API key.
/// .with_subscription(Subscription::all().event_types(["run.*".parse()?]))
/// .with_format(CloudEvents::structured("https://lab.example/cell-1")?)
/// .add_header(HeaderName::from_static("x-api-key"), &HeaderValue::from_static("k-17"))?
/// // When to send it: retry schedule, circuit breaker, rate limit and ordering.
/// .with_retry(RetryPolicy::svix())
/// .with_health(HealthPolicy::default().with_disable_after(three_days))
/// .with_flow(FlowPolicy::adaptive().with_rate_limit(RateLimitPolicy::per_second(ten)))
/// .with_order(Order::per_key())
/// .with_max_in_flight(ten);
///
/// assert_eq!(format!("{eln:?}"), r#"Endpoint("eln", https://eln.example)"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Secrets
///
/// An endpoint contains secrets: the keys of its signer, its static headers, and its URL, which for
/// many receivers is a secret too. So it is never part of saved state and has no `Serialize`.
/// Create it from your configuration at each start; saved state refers to it by id. `Debug` shows
/// only the origin of the URL.
///
/// They are wiped when the endpoint and its last [request](Self::request) are dropped. Wipe the texts
/// and header values that you pass in yourself, for example with `zeroize`.
///
/// # Network access
///
/// labhook resolves no names and opens no connections. If users can choose the URL, your HTTP
/// client must keep requests out of your internal network (SSRF): see [`AddressPolicy`].
#[doc(alias = "webhook")]
#[doc(alias = "destination")]
#[doc(alias = "target")]
#[derive(Clone)]
#[non_exhaustive]
pub struct Endpoint {
    /// The messages that the endpoint receives.
    pub subscription: Subscription,
    /// The delivery policies: retries, health, flow and order.
    pub policy: EndpointPolicy,
    /// Whether the endpoint is enabled: see [`with_enabled`](Self::with_enabled).
    pub enabled: bool,
    id: EndpointId,
    url: Zeroizing<Box<str>>,
    /// The URL as parsed, which each request shares.
    uri: Uri,
    signer: Signer,
    /// The static headers; the values are wiped when the last request is dropped.
    headers: Vec<(HeaderName, HeaderValue)>,
    format: Arc<dyn Format>,
}

impl Endpoint {
    /// Creates an endpoint with an HTTPS URL.
    ///
    /// It receives every message in the crate's own [`Envelope`], with the default policies:
    /// [`RetryPolicy::standard_webhooks`], which retries for 75:35:05 everything except a 2xx and a
    /// 410; [`HealthPolicy::new`]; and [`FlowPolicy::adaptive`].
    ///
    /// # Errors
    ///
    /// Returns [`EndpointError`] if the URL is not an absolute HTTPS URL with a valid host and
    /// port, or if the signer uses a reserved header.
    pub fn new(id: EndpointId, url: &str, signer: Signer) -> Result<Self, EndpointError> {
        Self::with_schemes(id, url, signer, &["https"])
    }

    /// Creates an endpoint with an HTTPS or plain HTTP URL, for loopback and closed networks.
    ///
    /// Over plain HTTP, anyone on the network path can read the events, and steal the token if the
    /// signer sends one.
    ///
    /// # Errors
    ///
    /// Returns [`EndpointError`] if the URL is not an absolute HTTPS or HTTP URL with a valid host
    /// and port, or if the signer uses a reserved header.
    pub fn plain_http(id: EndpointId, url: &str, signer: Signer) -> Result<Self, EndpointError> {
        Self::with_schemes(id, url, signer, &["https", "http"])
    }

    fn with_schemes(
        id: EndpointId,
        url: &str,
        signer: Signer,
        schemes: &[&str],
    ) -> Result<Self, EndpointError> {
        let uri = parse_url(url, schemes)?;
        if let Some(name) = signer.header_names().find(|name| belongs_to_request(name)) {
            return Err(EndpointError::ReservedHeader { name: name.clone() });
        }
        Ok(Self {
            id,
            url: Zeroizing::new(url.into()),
            uri,
            signer,
            headers: Vec::new(),
            format: Arc::new(Envelope),
            subscription: Subscription::all(),
            policy: EndpointPolicy::default(),
            enabled: true,
        })
    }

    /// Adds a secret to sign with, after those of the signer: for a rotation, during which requests
    /// are signed with the new secret and with the old one. See [`Signer::add_secret`].
    #[doc(alias = "key rotation")]
    #[must_use]
    pub fn add_secret(mut self, secret: Secret) -> Self {
        self.signer = self.signer.add_secret(secret);
        self
    }

    /// Adds a static header to every request, such as the receiver's API key.
    ///
    /// # Errors
    ///
    /// Returns [`EndpointError::ReservedHeader`] if the request or its signer sets the header, if
    /// it belongs to the connection (such as `connection`, `te` and `upgrade`), or if it is one of
    /// the `webhook-` and `svix-` headers of a signature; and [`EndpointError::DuplicateHeader`] if it
    /// was already added.
    pub fn add_header(
        mut self,
        name: HeaderName,
        value: &HeaderValue,
    ) -> Result<Self, EndpointError> {
        // Receivers that know both brands would refuse a request with a header of the other.
        if is_reserved(&name) || self.signer.header_names().any(|signed| *signed == name) {
            return Err(EndpointError::ReservedHeader { name });
        }
        if self.headers.iter().any(|(added, _)| *added == name) {
            return Err(EndpointError::DuplicateHeader { name });
        }
        self.headers.push((name, wiped_value(value)));
        Ok(self)
    }

    /// Sets the wire format; the default is [`Envelope`].
    #[must_use]
    pub fn with_format(mut self, format: impl Format + 'static) -> Self {
        self.format = Arc::new(format);
        self
    }

    /// Sets the messages that the endpoint receives; the default is all.
    #[must_use]
    pub fn with_subscription(mut self, subscription: Subscription) -> Self {
        self.subscription = subscription;
        self
    }

    /// Sets all four policies.
    #[must_use]
    pub fn with_policy(mut self, policy: EndpointPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets the retry policy: when and how often delivery is attempted.
    #[must_use]
    pub fn with_retry(mut self, policy: RetryPolicy) -> Self {
        self.policy.retry = policy;
        self
    }

    /// Sets the order in which messages are delivered; the default is none.
    #[must_use]
    pub fn with_order(mut self, order: Order) -> Self {
        self.policy.order = order;
        self
    }

    /// Sets the health policy: the circuit breaker that holds back and probes a failing endpoint.
    #[must_use]
    pub fn with_health(mut self, policy: HealthPolicy) -> Self {
        self.policy.health = policy;
        self
    }

    /// Sets the flow policy: rate limit, adaptive rate and concurrency limit.
    #[must_use]
    pub fn with_flow(mut self, policy: FlowPolicy) -> Self {
        self.policy.flow = policy;
        self
    }

    /// Sets the maximum number of attempts in flight: the upper bound of the concurrency limit in
    /// the [flow policy](Self::with_flow). A hanging receiver cannot hold more of your connections
    /// than this.
    ///
    /// An attempt counts until it is resolved, its deadline passes, or its delivery ends. A
    /// delivery can end while you still wait for the response to a second attempt.
    #[must_use]
    pub fn with_max_in_flight(mut self, attempts: NonZeroU32) -> Self {
        let limit = match self.policy.flow.concurrency().min() {
            Some(min) => ConcurrencyLimitPolicy::adaptive(min, attempts),
            None => ConcurrencyLimitPolicy::fixed(attempts),
        };
        self.policy.flow = self.policy.flow.with_concurrency(limit);
        self
    }

    /// Sets whether the endpoint is enabled. An endpoint that is not enabled receives no new
    /// messages, and its pending deliveries are held.
    #[must_use]
    pub fn with_enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Returns the id.
    #[must_use]
    pub const fn id(&self) -> &EndpointId {
        &self.id
    }

    /// Returns the URL, which for many receivers is a secret. Keep it out of logs and files.
    #[must_use]
    pub fn expose_url(&self) -> &str {
        &self.url
    }

    /// Iterates over the static headers, which may be secrets. Keep them out of logs and files.
    pub fn expose_headers(&self) -> impl Iterator<Item = (&HeaderName, &[u8])> {
        self.headers.iter().map(|(name, value)| (name, value.as_bytes()))
    }

    /// Returns the wire format.
    #[must_use]
    pub fn format(&self) -> &dyn Format {
        &*self.format
    }

    pub(crate) fn check_signer(&self, id: &MessageId) -> Result<(), SignError> {
        self.signer.check(id)
    }
}

/// Returns a copy of a value that is wiped when the last request with it is dropped.
fn wiped_value(value: &HeaderValue) -> HeaderValue {
    wipe::header_value(value.as_bytes()).expect("the bytes of a header value are one")
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({:?}, {})", self.id, origin(&self.url))
    }
}
