//! Verifying requests: [`Verifier`].

mod check;

use std::time::Duration;

use http::{HeaderMap, HeaderName, request};

use super::custom_scheme::CustomScheme;
use super::error::VerifyError;
use super::key::{KeyError, ReadyVerifyingKey, VerifyingKey};
use super::scheme::Scheme;
use super::target::{BaseUrl, BaseUrlError, RequestView};
use super::verified::Verified;
use crate::secret::Secret;
use crate::time::Timestamp;

/// Default tolerance for timestamps before and after `now`.
const DEFAULT_TOLERANCE: Duration = Duration::from_secs(300);

/// Request verifier: a signature scheme, one or more keys and a timestamp tolerance.
///
/// During key rotation, pass the new secret first and the old one with
/// [`add_secret`](Self::add_secret); [`Verified::key_index`] reports which of them signed a
/// request.
///
/// The cost of rejecting a request is bounded, regardless of the number of signatures in it: at
/// most one MAC of the body per secret (two for Twilio, whose URL may have its port or not), and one
/// verification per public key and signature, with at most
/// [`MAX_PUBLIC_KEY_CANDIDATES`](super::MAX_PUBLIC_KEY_CANDIDATES) such signatures. If all keys are
/// secrets and the scheme signs neither URL nor headers, neither accepting nor rejecting a
/// request allocates. Limit the size of the body before calling [`verify`](Self::verify).
///
/// How long a wrong signature takes to reject does not depend on where it is wrong: the count of
/// instructions is the same at its start, in the middle and at its end, in hexadecimal, in base64 and
/// for a token. It depends on what the sender of the request knows anyway: the length of the headers
/// and of the body, and which characters encode the signature.
///
/// ```
/// use labhook::{Secret, Timestamp, Verifier};
/// # let mut headers = http::HeaderMap::new();
/// # headers.insert("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek".parse()?);
/// # headers.insert("webhook-timestamp", "1614265330".parse()?);
/// # let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
/// # headers.insert("webhook-signature", signature.parse()?);
/// # let body = br#"{"test": 2432232314}"#;
/// # let now = Timestamp::from_unix_seconds(1_614_265_330);
///
/// let secret = Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
/// let verifier = Verifier::standard_webhooks(secret);
///
/// let verified = verifier.verify(&headers, body, now)?;
/// assert_eq!(verified.body(), body);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "HMAC")]
#[doc(alias = "Standard Webhooks")]
#[doc(alias = "webhook signature")]
#[doc(alias = "key rotation")]
#[doc(alias = "replay attack")]
#[derive(Clone, Debug)]
pub struct Verifier {
    scheme: Scheme,
    /// Not empty.
    keys: Vec<ReadyVerifyingKey>,
    past: Duration,
    future: Duration,
    base_url: Option<BaseUrl>,
}

impl Verifier {
    /// Creates a verifier for the scheme, with a tolerance of 300 s either way.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the key does not fit the scheme.
    pub fn new(scheme: Scheme, key: impl Into<VerifyingKey>) -> Result<Self, KeyError> {
        let key = ReadyVerifyingKey::new(key.into(), &scheme)?;
        Ok(Self::with(scheme, key))
    }

    fn with(scheme: Scheme, key: ReadyVerifyingKey) -> Self {
        // The first clone of a name that was made at run time allocates. That is done here, not
        // when a stranger causes an error that contains it.
        scheme.header_names().for_each(|name| drop(name.clone()));
        Self {
            scheme,
            keys: vec![key],
            past: DEFAULT_TOLERANCE,
            future: DEFAULT_TOLERANCE,
            base_url: None,
        }
    }

    /// Creates a verifier for [`Scheme::StandardWebhooks`].
    #[must_use]
    pub fn standard_webhooks(key: impl Into<VerifyingKey>) -> Self {
        Self::with(Scheme::StandardWebhooks, key.into().into())
    }

    /// Creates a verifier for [`Scheme::Svix`].
    #[must_use]
    pub fn svix(key: impl Into<VerifyingKey>) -> Self {
        Self::with(Scheme::Svix, key.into().into())
    }

    /// Creates a verifier for [`Scheme::Strike`].
    #[must_use]
    pub fn strike(secret: Secret) -> Self {
        Self::with(Scheme::Strike, VerifyingKey::from(secret).into())
    }

    /// Creates a verifier for [`Scheme::Token`].
    ///
    /// # Errors
    ///
    /// [`KeyError::NotHeaderValue`] if the secret is not a valid header value: no request could
    /// ever match it.
    pub fn token(header: HeaderName, secret: Secret) -> Result<Self, KeyError> {
        Self::new(Scheme::Token(header), secret)
    }

    /// Creates a verifier for [`Scheme::CustomScheme`].
    ///
    /// # Errors
    ///
    /// [`KeyError::OtherAlgorithm`] if the key is not of the scheme's algorithm.
    pub fn custom(scheme: CustomScheme, key: impl Into<VerifyingKey>) -> Result<Self, KeyError> {
        Self::new(Scheme::CustomScheme(scheme), key)
    }

    /// Creates a verifier for the scheme, with all keys of a set, in its order.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if a key does not fit the scheme.
    #[cfg(any(feature = "ed25519", feature = "p256"))]
    pub fn with_key_set(scheme: Scheme, keys: &super::KeySet) -> Result<Self, KeyError> {
        let (first, others) = keys.split_first();
        let verifier = Self::new(scheme, first.clone())?;
        others.cloned().try_fold(verifier, Self::add_key)
    }

    /// Adds a secret that requests may be signed with. Its index is the number of earlier keys. It
    /// has no effect if the scheme has public keys only.
    #[doc(alias = "key rotation")]
    #[must_use]
    pub fn add_secret(mut self, secret: Secret) -> Self {
        if self.scheme.takes_secrets() {
            self.keys.push(VerifyingKey::from(secret).into());
        }
        self
    }

    /// Adds a key of any kind that requests may be signed with.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the key does not fit the scheme.
    pub fn add_key(mut self, key: impl Into<VerifyingKey>) -> Result<Self, KeyError> {
        self.keys.push(ReadyVerifyingKey::new(key.into(), &self.scheme)?);
        Ok(self)
    }

    /// Sets the start of the URL as the sender writes it, up to the slash of the path that your
    /// server sees, such as `https://lab.example`. Only schemes that sign the URL or its path need it.
    ///
    /// Behind a proxy, a server often sees another host than the sender, and less of the path. Without
    /// a base URL, the request's own host counts: that of its URL, or `https` and its `Host` header,
    /// also if the connection is plain HTTP. A forger writes that header, so a request that was
    /// signed for another of the sender's receivers with the same key is then accepted here too.
    ///
    /// # Errors
    ///
    /// [`BaseUrlError`] if no request can have such a URL.
    pub fn with_base_url(mut self, url: &str) -> Result<Self, BaseUrlError> {
        self.base_url = Some(BaseUrl::new(url)?);
        Ok(self)
    }

    /// Sets how far the timestamp may be before and after `now`, both inclusive. The default is
    /// 300 s each.
    ///
    /// `past` is the replay window. The tolerance has no effect if the scheme signs no time.
    ///
    /// ```
    /// use std::time::Duration;
    /// use labhook::signature::VerifyError;
    /// use labhook::{MessageId, Secret, Signer, Timestamp, Verifier};
    ///
    /// let secret = || Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    /// let signed_at = Timestamp::from_unix_seconds(1_614_265_330);
    /// let headers = Signer::standard_webhooks(secret()?)
    ///     .sign(&MessageId::new("msg_1")?, signed_at, b"{}")?;
    ///
    /// let verifier = Verifier::standard_webhooks(secret()?)
    ///     .with_tolerance(Duration::from_secs(60), Duration::from_secs(5));
    /// let in_time = signed_at + Duration::from_secs(60);
    /// assert!(verifier.verify(&headers, b"{}", in_time).is_ok());
    /// let late = signed_at + Duration::from_secs(61);
    /// let error = verifier.verify(&headers, b"{}", late).unwrap_err();
    /// assert!(matches!(error, VerifyError::TooOld { .. }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "replay window")]
    #[doc(alias = "replay attack")]
    #[must_use]
    pub const fn with_tolerance(mut self, past: Duration, future: Duration) -> Self {
        self.past = past;
        self.future = future;
        self
    }

    /// Returns the scheme.
    #[must_use]
    pub const fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// Verifies that a holder of one of the keys signed exactly this body, within the tolerance of
    /// `now`.
    ///
    /// `body` must be the bytes as received: JSON that was parsed and serialized again is another
    /// body. `now` is the current time.
    ///
    /// The signature header may be repeated, and a proxy may have joined its lines with commas
    /// (RFC 9110, section 5.3): each signature in the list is compared. Joined lines are taken
    /// apart only if the scheme's prefixes have no comma, other than after a version such as `v1,`.
    /// Other headers may be repeated with equal values only.
    ///
    /// A genuine request may still be a redelivery by the sender or a replay by an eavesdropper:
    /// see [`Verified::id`].
    ///
    /// For a scheme that signs the method or the URL, use [`verify_request`](Self::verify_request).
    ///
    /// # Errors
    ///
    /// [`VerifyError`] if the request is not genuine, or if its timestamp is outside of the
    /// tolerance. Do not read its body.
    pub fn verify<'a>(
        &self,
        headers: &'a HeaderMap,
        body: &'a [u8],
        now: Timestamp,
    ) -> Result<Verified<'a>, VerifyError> {
        self.verify_view(RequestView::headers(headers), body, now)
    }

    /// Verifies a request of any scheme, including those that sign its method and URL.
    ///
    /// Otherwise the same as [`verify`](Self::verify). See [`with_base_url`](Self::with_base_url) if
    /// there is a proxy between the sender and your server.
    ///
    /// ```
    /// use labhook::signature::CustomScheme;
    /// use labhook::{Secret, Timestamp, Verifier};
    ///
    /// # let body = br#"{"hello":"world"}"#;
    /// # let (request, ()) = http::Request::post("/webhook")
    /// #     .header("x-square-hmacsha256-signature", "2kRE5qRU2tR+tBGlDwMEw2avJ7QM4ikPYD/PJ3bd9Og=")
    /// #     .body(())?
    /// #     .into_parts();
    /// # let now = Timestamp::UNIX_EPOCH;
    /// let verifier = Verifier::custom(CustomScheme::SQUARE, Secret::from_text("asdf1234")?)?
    ///     .with_base_url("https://example.com")?;
    /// // `request` is an `http::request::Parts`, as servers such as hyper and axum have it.
    /// let verified = verifier.verify_request(&request, body, now)?;
    /// assert_eq!(verified.body(), body);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`VerifyError`] if the request is not genuine, or if its timestamp is outside of the
    /// tolerance. Do not read its body.
    pub fn verify_request<'a>(
        &self,
        request: &'a request::Parts,
        body: &'a [u8],
        now: Timestamp,
    ) -> Result<Verified<'a>, VerifyError> {
        self.verify_view(RequestView::request(request), body, now)
    }
}
