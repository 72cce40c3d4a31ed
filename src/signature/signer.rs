//! Signing requests: [`Signer`].

use http::{HeaderMap, HeaderName, HeaderValue, request};

use super::custom_scheme::CustomScheme;
use super::key::{KeyError, ReadySigningKey, SigningKey};
use super::scheme::Scheme;
use super::scheme_signer::SchemeSigner;
use super::sign_error::SignError;
use super::target::RequestView;
use crate::id::MessageId;
use crate::secret::Secret;
use crate::time::Timestamp;

/// Request signer: one or more signature schemes, each with one or more signing keys.
///
/// During key rotation, pass the new secret first and the old one with
/// [`add_secret`](Self::add_secret). Standard Webhooks, Svix and custom schemes with a separator
/// then carry one signature per key, so receivers can switch at any time. The other schemes carry
/// only the signature of the first key.
///
/// ```
/// use labhook::{MessageId, Secret, Signer, Timestamp};
///
/// let secret = Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
/// let signer = Signer::standard_webhooks(secret);
///
/// let id = MessageId::new("msg_p5jXN8AQM9LWM0D4loKWxJek")?;
/// let now = Timestamp::from_unix_seconds(1_614_265_330);
/// let headers = signer.sign(&id, now, br#"{"test": 2432232314}"#)?;
/// assert_eq!(headers["webhook-timestamp"], "1614265330");
/// assert_eq!(
///     headers["webhook-signature"],
///     "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "HMAC")]
#[doc(alias = "Standard Webhooks")]
#[doc(alias = "webhook signature")]
#[doc(alias = "key rotation")]
#[derive(Clone, Debug)]
pub struct Signer {
    /// Empty for an unsigned one. No two set the same header.
    schemes: Vec<SchemeSigner>,
}

impl Signer {
    /// Creates a signer for the scheme.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the key does not fit the scheme.
    pub fn new(scheme: Scheme, key: impl Into<SigningKey>) -> Result<Self, KeyError> {
        let first = ReadySigningKey::new(key.into(), &scheme)?;
        Ok(Self::with(scheme, first))
    }

    fn with(scheme: Scheme, first: ReadySigningKey) -> Self {
        Self { schemes: vec![SchemeSigner { scheme, first, others: Vec::new() }] }
    }

    /// Creates a signer for [`Scheme::StandardWebhooks`].
    #[must_use]
    pub fn standard_webhooks(key: impl Into<SigningKey>) -> Self {
        Self::with(Scheme::StandardWebhooks, key.into().into())
    }

    /// Creates a signer for [`Scheme::Svix`].
    #[must_use]
    pub fn svix(key: impl Into<SigningKey>) -> Self {
        Self::with(Scheme::Svix, key.into().into())
    }

    /// Creates a signer for [`Scheme::Strike`].
    #[must_use]
    pub fn strike(secret: Secret) -> Self {
        Self::with(Scheme::Strike, SigningKey::from(secret).into())
    }

    /// Creates a signer for [`Scheme::Token`], which sends the secret itself. The secret is the
    /// whole header value: for `Authorization` it usually starts with `Bearer `.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotHeaderValue`] if the secret is not a valid header value.
    pub fn token(header: HeaderName, secret: Secret) -> Result<Self, KeyError> {
        Self::new(Scheme::Token(header), secret)
    }

    /// Creates a signer for [`Scheme::CustomScheme`].
    ///
    /// # Errors
    ///
    /// [`KeyError::OtherAlgorithm`] if the key is not of the scheme's algorithm.
    pub fn custom(scheme: CustomScheme, key: impl Into<SigningKey>) -> Result<Self, KeyError> {
        Self::new(Scheme::CustomScheme(scheme), key)
    }

    /// Creates a signer that sets no header. [`add_secret`](Self::add_secret) has no effect on it.
    #[must_use]
    pub const fn unsigned() -> Self {
        Self { schemes: Vec::new() }
    }

    /// Adds a secret to sign with, after the existing keys of the first scheme. It has no effect if
    /// that scheme signs with private keys only.
    ///
    /// ```
    /// use labhook::{MessageId, Secret, Signer, Timestamp, Verifier};
    ///
    /// let new = || Secret::from_whsec("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
    /// let old = || Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    /// let signer = Signer::standard_webhooks(new()?).add_secret(old()?);
    ///
    /// let now = Timestamp::from_unix_seconds(1_614_265_330);
    /// let headers = signer.sign(&MessageId::new("msg_1")?, now, b"{}")?;
    /// // Receivers with either secret accept the request.
    /// for secret in [new()?, old()?] {
    ///     assert!(Verifier::standard_webhooks(secret).verify(&headers, b"{}", now).is_ok());
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "key rotation")]
    #[must_use]
    pub fn add_secret(mut self, secret: Secret) -> Self {
        if let Some(first) = self.schemes.first_mut()
            && first.scheme.takes_secrets()
        {
            first.others.push(SigningKey::from(secret).into());
        }
        self
    }

    /// Adds a key of any kind to sign with, after the existing keys of the first scheme.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the key does not fit the scheme.
    pub fn add_key(mut self, key: impl Into<SigningKey>) -> Result<Self, KeyError> {
        if let Some(first) = self.schemes.first_mut() {
            first.others.push(ReadySigningKey::new(key.into(), &first.scheme)?);
        }
        Ok(self)
    }

    /// Adds the schemes of another signer, so that each request carries the headers of both.
    ///
    /// Use it to change the scheme of an endpoint: sign with the old and the new one until the
    /// receiver verifies the new one, then remove the old. Each scheme has its own keys.
    ///
    /// ```
    /// use labhook::signature::CustomScheme;
    /// use labhook::{MessageId, Secret, Signer, Timestamp, Verifier};
    ///
    /// let old = || Secret::from_text("It's a Secret to Everybody");
    /// let new = || Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    /// let signer = Signer::custom(CustomScheme::GITHUB, old()?)?
    ///     .add_signer(Signer::standard_webhooks(new()?))?;
    ///
    /// let now = Timestamp::from_unix_seconds(1_614_265_330);
    /// let headers = signer.sign(&MessageId::new("msg_1")?, now, b"{}")?;
    /// let before = Verifier::custom(CustomScheme::GITHUB, old()?)?;
    /// let after = Verifier::standard_webhooks(new()?);
    /// assert!(before.verify(&headers, b"{}", now).is_ok());
    /// assert!(after.verify(&headers, b"{}", now).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SharedHeaderError`] if both signers set the same header.
    #[doc(alias = "migration")]
    pub fn add_signer(mut self, other: Self) -> Result<Self, SharedHeaderError> {
        if let Some(name) = other.header_names().find(|name| self.sets(name)) {
            return Err(SharedHeaderError { name: name.clone() });
        }
        self.schemes.extend(other.schemes);
        Ok(self)
    }

    fn sets(&self, name: &HeaderName) -> bool {
        self.header_names().any(|own| own == name)
    }

    /// Returns the first scheme; `None` for [`unsigned`](Self::unsigned).
    #[must_use]
    pub fn scheme(&self) -> Option<&Scheme> {
        self.schemes().next()
    }

    /// Iterates over the schemes, in the order in which they were added.
    pub fn schemes(&self) -> impl Iterator<Item = &Scheme> {
        self.schemes.iter().map(|signer| &signer.scheme)
    }

    /// Returns the names of all headers that [`sign`](Self::sign) sets. An endpoint's static
    /// headers cannot have these names.
    pub fn header_names(&self) -> impl Iterator<Item = &HeaderName> {
        self.schemes().flat_map(Scheme::header_names)
    }

    /// Returns the signature headers for a request with exactly this body.
    ///
    /// `now` is the current time: receivers compare it with their own clock, so sign every attempt
    /// of a message again. Signatures and tokens are marked as sensitive, so `Debug` of the headers
    /// omits them.
    ///
    /// # Errors
    ///
    /// [`SignError`] if a scheme cannot carry the id, the time or this number of signatures.
    pub fn sign(
        &self,
        id: &MessageId,
        now: Timestamp,
        body: &[u8],
    ) -> Result<HeaderMap, SignError> {
        self.headers(id, now, body, None)
    }

    /// Returns the signature headers for this request with exactly this body, for any scheme: some
    /// sign the method, the URL or other headers too.
    ///
    /// The request must be as it will be sent, with an absolute URL. Afterwards add the headers that
    /// this returns, and change nothing that the scheme signs. [`Endpoint`](crate::Endpoint) signs
    /// its requests this way.
    ///
    /// ```
    /// use http::Request;
    /// use labhook::signature::CustomScheme;
    /// use labhook::{MessageId, Secret, Signer, Timestamp};
    ///
    /// let secret = Secret::from_text("asdf1234")?;
    /// let signer = Signer::custom(CustomScheme::SQUARE, secret)?;
    /// let (mut request, body) = Request::post("https://lab.example/square").body("{}")?.into_parts();
    /// let id = MessageId::new("msg_1")?;
    /// let headers = signer.sign_request(&request, &id, Timestamp::UNIX_EPOCH, body.as_bytes())?;
    /// request.headers.extend(headers);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SignError`] if a scheme cannot carry the id, the time or this number of signatures, or if
    /// the request lacks what a scheme signs.
    pub fn sign_request(
        &self,
        request: &request::Parts,
        id: &MessageId,
        now: Timestamp,
        body: &[u8],
    ) -> Result<HeaderMap, SignError> {
        self.headers(id, now, body, Some(RequestView::request(request)))
    }

    fn headers(
        &self,
        id: &MessageId,
        now: Timestamp,
        body: &[u8],
        request: Option<RequestView<'_>>,
    ) -> Result<HeaderMap, SignError> {
        let mut headers = HeaderMap::with_capacity(self.header_names().count());
        self.sign_with(id, now, body, request, |name, value| {
            headers.insert(name, value);
            Ok::<_, SignError>(())
        })?;
        Ok(headers)
    }

    /// Returns whether a scheme signs anything of the request except id, time and body.
    pub(crate) fn signs_request(&self) -> bool {
        self.schemes.iter().any(SchemeSigner::signs_request)
    }

    /// Sets the headers of [`sign_request`](Self::sign_request) one by one. Without a request, no
    /// scheme can sign more than id, time and body.
    pub(crate) fn sign_with<E: From<SignError>>(
        &self,
        id: &MessageId,
        now: Timestamp,
        body: &[u8],
        request: Option<RequestView<'_>>,
        mut set: impl FnMut(&HeaderName, HeaderValue) -> Result<(), E>,
    ) -> Result<(), E> {
        self.schemes.iter().try_for_each(|signer| signer.sign(id, now, body, request, &mut set))
    }

    /// Checks that a message with this id can be signed, independent of its time and body.
    ///
    /// # Errors
    ///
    /// [`SignError`] if a scheme cannot carry the id or this number of signatures.
    pub fn check(&self, id: &MessageId) -> Result<(), SignError> {
        self.schemes.iter().try_for_each(|signer| signer.check(id))
    }
}

/// Error for two signers that set the same header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("both signers set the {name} header")]
pub struct SharedHeaderError {
    name: HeaderName,
}

impl SharedHeaderError {
    /// Returns the name of the header.
    #[must_use]
    pub const fn name(&self) -> &HeaderName {
        &self.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::{Algorithm, SchemeSpec, TimestampForm};

    fn secret() -> Secret {
        Secret::from_text("0123456789").unwrap()
    }

    fn id(text: &str) -> MessageId {
        MessageId::new(text).unwrap()
    }

    #[test]
    fn each_sign_error_has_its_text() {
        let timed = CustomScheme::new(
            SchemeSpec::new("x", "{id}:{timestamp}:{body}")
                .with_id_header("y")
                .with_timestamp_header("z", TimestampForm::Rfc3339),
        )
        .unwrap();
        let signer = Signer::custom(timed, secret()).unwrap();
        let text = |text, now| signer.sign(&id(text), now, b"").unwrap_err().to_string();
        assert_eq!(
            text("m:1", Timestamp::UNIX_EPOCH),
            "the message id contains what delimits it in the signed bytes"
        );
        assert_eq!(
            text("m", Timestamp::MAX),
            "the scheme's timestamp format cannot express the signing time"
        );

        let many = (0..32)
            .fold(Signer::standard_webhooks(secret()), |signer, _| signer.add_secret(secret()));
        assert_eq!(
            many.sign(&id("m"), Timestamp::MIN, b"").unwrap_err().to_string(),
            "the signer has too many keys; the limit is 32"
        );
    }

    #[test]
    fn each_key_error_has_its_text() {
        for bad in ["token\n", "to\0ken", " token", "token\t", "\u{7f}"] {
            let secret = Secret::from_bytes(bad.as_bytes()).unwrap();
            let error = Signer::token(http::header::AUTHORIZATION, secret).unwrap_err();
            assert_eq!(
                error.to_string(),
                "the token must be a valid header value, without control characters \
                 and without whitespace at either end"
            );
        }
        assert_eq!(
            KeyError::OtherAlgorithm { required: Algorithm::HmacSha256 }.to_string(),
            "the scheme requires a shared secret, not a private or public key"
        );
        assert_eq!(
            Signer::custom(CustomScheme::DISCORD, secret()).unwrap_err().to_string(),
            "the scheme requires an Ed25519 key, which needs the feature `ed25519`"
        );
        assert_eq!(
            Signer::custom(CustomScheme::SENDGRID, secret()).unwrap_err().to_string(),
            "the scheme requires an ECDSA P-256 key, which needs the feature `p256`"
        );
    }

    #[cfg(feature = "ed25519")]
    #[test]
    fn ed25519_key_for_other_schemes_is_rejected() {
        use crate::signature::{Ed25519PrivateKey, MAX_PUBLIC_KEY_CANDIDATES};

        let shared_only = KeyError::OtherAlgorithm { required: Algorithm::HmacSha256 };
        let key = Ed25519PrivateKey::from_seed(&[1; 32]);
        assert!(Signer::new(Scheme::Svix, key.clone()).is_ok());
        assert_eq!(Signer::new(Scheme::Strike, key.clone()).unwrap_err(), shared_only);
        assert_eq!(Signer::strike(secret()).add_key(key.clone()).unwrap_err(), shared_only);
        let many = (0..MAX_PUBLIC_KEY_CANDIDATES)
            .fold(Signer::standard_webhooks(key.clone()), |signer, _| {
                signer.add_key(key.clone()).unwrap()
            });
        assert_eq!(
            many.sign(&id("m"), Timestamp::MIN, b""),
            Err(SignError::TooManyKeys { limit: MAX_PUBLIC_KEY_CANDIDATES })
        );
    }

    #[test]
    fn header_names_match_the_signed_headers() {
        let signers = [
            Signer::standard_webhooks(secret()),
            Signer::svix(secret()),
            Signer::strike(secret()),
            Signer::token(HeaderName::from_static("x-lab-token"), secret()).unwrap(),
            Signer::custom(CustomScheme::SLACK, secret()).unwrap(),
            Signer::unsigned().add_secret(secret()),
        ];
        let mut names = Vec::new();
        for signer in &signers {
            let headers = signer.sign(&id("m"), Timestamp::UNIX_EPOCH, b"").unwrap();
            assert_eq!(headers.len(), signer.header_names().count());
            assert!(signer.header_names().all(|name| headers.contains_key(name)));
            names.extend(signer.header_names().map(HeaderName::as_str));
        }
        assert_eq!(
            names,
            [
                "webhook-id",
                "webhook-timestamp",
                "webhook-signature",
                "svix-id",
                "svix-timestamp",
                "svix-signature",
                "x-webhook-signature",
                "x-lab-token",
                "x-slack-request-timestamp",
                "x-slack-signature",
            ]
        );
    }

    #[test]
    fn single_signature_scheme_uses_the_first_key() {
        let other = Secret::from_text("other").unwrap();
        let one = Signer::strike(secret());
        let two = one.clone().add_secret(other);
        let sign = |signer: &Signer| signer.sign(&id("m"), Timestamp::UNIX_EPOCH, b"x").unwrap();
        assert_eq!(sign(&one), sign(&two));
    }
}
