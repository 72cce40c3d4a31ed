//! Where messages go, and how: [`Endpoint`].

mod registry;
mod subscription;

use std::fmt;
use std::net::Ipv6Addr;
use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, Request, Uri};
use zeroize::Zeroizing;

use crate::delivery::RetryPolicy;
use crate::flow::{ConcurrencyLimitPolicy, FlowPolicy};
use crate::health::HealthPolicy;
use crate::id::{EndpointId, MessageId};
use crate::message::Rendering;
use crate::message::format::{Envelope, Format};
use crate::policy::{EndpointPolicy, Order};
use crate::signature::{SignError, Signer};
use crate::time::Timestamp;

pub use registry::{Registry, RegistryError, UnknownEndpointError};
pub use subscription::{EventPattern, EventPatternError, Subscription, TriggerOn};

/// The headers that are the request's own.
const RESERVED: [HeaderName; 4] =
    [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::HOST, header::TRANSFER_ENCODING];

/// A receiver of messages: its URL, its signer, and what, how and how long to send.
///
/// An endpoint holds secrets (the signer's keys, static headers, and the URL, which for many
/// receivers is a secret in itself), so it is no part of saved state and has no `Serialize`: the
/// host makes it anew from its own configuration, and saved state names it by id. `Debug` shows
/// the URL's origin only.
///
/// labhook resolves no names and opens no connections: keeping a URL that a stranger typed away
/// from the inner network is the host's HTTP client's work.
///
/// ```
/// use labhook::{Endpoint, EndpointId, RetryPolicy, Secret, Signer, Subscription};
///
/// let secret = Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
/// let eln = Endpoint::new(
///     EndpointId::new("eln")?,
///     "https://eln.example/hooks",
///     Signer::standard_webhooks(secret),
/// )?
/// .with_subscription(Subscription::all().event_types(["run.*".parse()?]))
/// .with_retry(RetryPolicy::svix());
/// assert_eq!(format!("{eln:?}"), r#"Endpoint("eln", https://eln.example)"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Endpoint {
    /// Which messages the endpoint receives.
    pub subscription: Subscription,
    /// When and how fast the endpoint is sent to.
    pub policy: EndpointPolicy,
    /// Whether the endpoint is in use.
    pub enabled: bool,
    id: EndpointId,
    url: Zeroizing<Box<str>>,
    signer: Signer,
    headers: Vec<StaticHeader>,
    format: Arc<dyn Format>,
}

#[derive(Clone)]
struct StaticHeader {
    name: HeaderName,
    value: Zeroizing<Box<[u8]>>,
}

impl Endpoint {
    /// An endpoint that is sent to over HTTPS.
    ///
    /// It receives every message in the crate's own envelope, under the default policies: the
    /// schedule and answers of [`RetryPolicy::standard_webhooks`], over 75:35:05, in which
    /// everything but a 2xx and a 410 is retried; the ladder of [`HealthPolicy::new`]; and
    /// [`FlowPolicy::adaptive`].
    ///
    /// # Errors
    ///
    /// [`EndpointError`] where the URL is not one that a request can be sent to.
    pub fn new(id: EndpointId, url: &str, signer: Signer) -> Result<Self, EndpointError> {
        Self::with_schemes(id, url, signer, &["https"])
    }

    /// An endpoint that may be sent to over plain HTTP too, for loopback and closed networks:
    /// anybody on the way can read the events and, where the signer sends a token, steal it.
    ///
    /// # Errors
    ///
    /// [`EndpointError`] where the URL is not one that a request can be sent to.
    pub fn plain_http(id: EndpointId, url: &str, signer: Signer) -> Result<Self, EndpointError> {
        Self::with_schemes(id, url, signer, &["https", "http"])
    }

    fn with_schemes(
        id: EndpointId,
        url: &str,
        signer: Signer,
        schemes: &[&str],
    ) -> Result<Self, EndpointError> {
        check_url(url, schemes)?;
        if let Some(name) = signer.header_names().find(|name| RESERVED.contains(name)) {
            return Err(EndpointError::ReservedHeader { name: name.clone() });
        }
        Ok(Self {
            id,
            url: Zeroizing::new(url.into()),
            signer,
            headers: Vec::new(),
            format: Arc::new(Envelope),
            subscription: Subscription::all(),
            policy: EndpointPolicy::default(),
            enabled: true,
        })
    }

    /// Adds a header to every request, such as the receiver's API key.
    ///
    /// # Errors
    ///
    /// [`EndpointError::ReservedHeader`] where the request itself needs the header, and
    /// [`EndpointError::DuplicateHeader`] where it was added already.
    pub fn add_header(
        mut self,
        name: HeaderName,
        value: &HeaderValue,
    ) -> Result<Self, EndpointError> {
        if RESERVED.contains(&name) || self.signer.header_names().any(|signed| *signed == name) {
            return Err(EndpointError::ReservedHeader { name });
        }
        if self.headers.iter().any(|header| header.name == name) {
            return Err(EndpointError::DuplicateHeader { name });
        }
        self.headers.push(StaticHeader { name, value: Zeroizing::new(value.as_bytes().into()) });
        Ok(self)
    }

    /// Sets how messages are written; the default is [`Envelope`].
    #[must_use]
    pub fn with_format(mut self, format: impl Format + 'static) -> Self {
        self.format = Arc::new(format);
        self
    }

    /// Sets which messages the endpoint receives; the default is all.
    #[must_use]
    pub fn with_subscription(mut self, subscription: Subscription) -> Self {
        self.subscription = subscription;
        self
    }

    /// Sets all four policies at once.
    #[must_use]
    pub fn with_policy(mut self, policy: EndpointPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets how long and how often to try.
    #[must_use]
    pub fn with_retry(mut self, policy: RetryPolicy) -> Self {
        self.policy.retry = policy;
        self
    }

    /// Sets which messages come one after the other; the default is none.
    #[must_use]
    pub fn with_order(mut self, order: Order) -> Self {
        self.policy.order = order;
        self
    }

    /// Sets when the endpoint counts as failing, and what is done then.
    #[must_use]
    pub fn with_health(mut self, policy: HealthPolicy) -> Self {
        self.policy.health = policy;
        self
    }

    /// Sets how fast the endpoint may be sent to.
    #[must_use]
    pub fn with_flow(mut self, policy: FlowPolicy) -> Self {
        self.policy.flow = policy;
        self
    }

    /// Sets how many attempts may be in flight at once, which is the most that the window of its
    /// [`flow`](FlowPolicy) may come to: a receiver that hangs holds no more of the host's
    /// connections than this.
    ///
    /// An attempt counts until it is resolved, its deadline has passed or its delivery has ended;
    /// the last can be while the host still awaits the answer of a second attempt.
    #[must_use]
    pub fn with_max_in_flight(mut self, attempts: NonZeroU32) -> Self {
        let window = match self.policy.flow.concurrency().initial() {
            Some(initial) => ConcurrencyLimitPolicy::adaptive(initial, attempts),
            None => ConcurrencyLimitPolicy::fixed(attempts),
        };
        self.policy.flow = self.policy.flow.with_concurrency(window);
        self
    }

    /// Sets whether the endpoint is in use. One that is not receives no new messages, and those
    /// that it has pending are held.
    #[must_use]
    pub fn with_enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// The id.
    #[must_use]
    pub const fn id(&self) -> &EndpointId {
        &self.id
    }

    /// The URL, which for many receivers is a secret. Keep it out of logs and files.
    #[must_use]
    pub fn expose_url(&self) -> &str {
        &self.url
    }

    /// The static headers, which may be secrets. Keep them out of logs and files.
    pub fn expose_headers(&self) -> impl Iterator<Item = (&HeaderName, &[u8])> {
        self.headers.iter().map(|header| (&header.name, &**header.value))
    }

    /// How new messages are written.
    #[must_use]
    pub fn format(&self) -> &dyn Format {
        &*self.format
    }

    pub(crate) fn check_signer(&self, id: &MessageId) -> Result<(), SignError> {
        self.signer.check(id)
    }

    /// Makes the signed request that carries this rendering of a message.
    ///
    /// `now` becomes the signature's timestamp: hand in the clock's own time at the moment of
    /// sending.
    ///
    /// # Errors
    ///
    /// [`RequestError`] where the signer cannot sign this message.
    pub fn request(
        &self,
        id: &MessageId,
        rendering: &Rendering,
        now: Timestamp,
    ) -> Result<Request<Bytes>, RequestError> {
        let mut request = Request::new(rendering.body().clone());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url.parse().map_err(RequestError::Url)?;
        let headers = request.headers_mut();
        // From what anybody may set to what nobody else may: the later counts.
        for (name, value) in rendering.headers().filter(|(name, _)| !RESERVED.contains(name)) {
            headers.try_append(name, value.clone()).map_err(RequestError::TooManyHeaders)?;
        }
        for StaticHeader { name, value } in &self.headers {
            let mut value = HeaderValue::from_bytes(value).map_err(RequestError::Header)?;
            value.set_sensitive(true);
            headers.try_insert(name, value).map_err(RequestError::TooManyHeaders)?;
        }
        let content_type = rendering.content_type().clone();
        headers
            .try_insert(header::CONTENT_TYPE, content_type)
            .map_err(RequestError::TooManyHeaders)?;
        for (name, value) in &self.signer.sign(id, now, rendering.body())? {
            headers.try_insert(name, value.clone()).map_err(RequestError::TooManyHeaders)?;
        }
        Ok(request)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({:?}, {})", self.id, origin(&self.url))
    }
}

/// Scheme, host and port: the part of a URL that is no secret, of one that was checked.
pub(crate) fn origin(url: &str) -> &str {
    let after_scheme = url.find("://").map_or(0, |at| at.saturating_add(3));
    let path = url.get(after_scheme..).and_then(|rest| rest.find(['/', '?']));
    path.and_then(|path| url.get(..after_scheme.saturating_add(path))).unwrap_or(url)
}

/// Whether a request can be sent to the URL, by one of these schemes.
pub(crate) fn check_url(url: &str, schemes: &[&str]) -> Result<(), EndpointError> {
    if url.contains('#') {
        return Err(EndpointError::Fragment);
    }
    let uri: Uri = url.parse().map_err(EndpointError::NotUrl)?;
    let Some((scheme, authority)) = uri.scheme_str().zip(uri.authority()) else {
        return Err(EndpointError::NotAbsolute);
    };
    if !schemes.contains(&scheme) {
        return Err(match scheme {
            "http" => EndpointError::PlainHttp,
            _ => EndpointError::Scheme,
        });
    }
    if authority.as_str().contains('@') {
        return Err(EndpointError::UserInfo);
    }
    match authority.host() {
        "" => Err(EndpointError::NotAbsolute),
        host if !is_host(host) => Err(EndpointError::Host),
        host => match authority.as_str().strip_prefix(host) {
            Some("") => Ok(()),
            // `Uri` takes whatever stands there for a port.
            Some(port) => match port.strip_prefix(':').map(str::parse::<NonZeroU16>) {
                Some(Ok(_)) => Ok(()),
                _ => Err(EndpointError::Port),
            },
            None => Err(EndpointError::Host),
        },
    }
}

/// A name or an address: what stands in brackets is an IPv6 one (RFC 3986 section 3.2.2).
fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').map(|rest| rest.strip_suffix(']')) {
        Some(Some(address)) => address.parse::<Ipv6Addr>().is_ok(),
        Some(None) => false,
        None => host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)),
    }
}

/// An endpoint cannot be made like this. No variant holds any part of the URL, nor of a header's
/// value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The URL does not parse.
    #[error("the endpoint's URL is malformed")]
    NotUrl(#[source] http::uri::InvalidUri),
    /// The URL names no scheme, or no host.
    #[error("the endpoint's URL is not absolute")]
    NotAbsolute,
    /// The URL's host is neither a name nor an address.
    #[error("the endpoint's URL has no usable host")]
    Host,
    /// What follows the host is not the number of a port.
    #[error("the endpoint's URL has no usable port")]
    Port,
    /// The URL is plain HTTP: see [`Endpoint::plain_http`].
    #[error("the endpoint's URL is plain HTTP, which only Endpoint::plain_http permits")]
    PlainHttp,
    /// The URL's scheme is neither `https` nor `http`.
    #[error("the endpoint's URL is neither HTTPS nor HTTP")]
    Scheme,
    /// The URL holds a user name or password; use a static header.
    #[error("the endpoint's URL holds a user name or password")]
    UserInfo,
    /// The URL holds a fragment, which no request carries.
    #[error("the endpoint's URL holds a fragment")]
    Fragment,
    /// The header is the request's own or the signer's.
    #[error("the header {name} is set by the request itself")]
    ReservedHeader {
        /// The header.
        name: HeaderName,
    },
    /// The header was added already.
    #[error("the header {name} is set twice")]
    DuplicateHeader {
        /// The header.
        name: HeaderName,
    },
}

/// A request cannot be made: this end is at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The signer cannot sign this message.
    #[error("the message cannot be signed")]
    Sign(#[from] SignError),
    /// The URL, which was checked when the endpoint was made, does not parse.
    #[error("the endpoint's URL is malformed")]
    Url(#[source] http::uri::InvalidUri),
    /// The rendering has more headers than a request can carry.
    #[error("the request has too many headers")]
    TooManyHeaders(#[source] header::MaxSizeReached),
    /// A static header, which was valid when it was added, is not.
    #[error("a static header of the endpoint is malformed")]
    Header(#[source] header::InvalidHeaderValue),
}
