//! Signing requests: [`Signer`].

use http::{HeaderMap, HeaderName, HeaderValue};

use super::custom_scheme::{CustomScheme, TimestampSource};
use super::key::{KeyError, SigningKey};
use super::limits::MAX_CANDIDATES;
use super::scheme::{Layout, Scheme};
use super::mac;
use crate::id::MessageId;
use crate::secret::Secret;
use crate::time::Timestamp;

#[cfg(feature = "ed25519")]
use super::limits::MAX_ED25519_CANDIDATES;
#[cfg(feature = "ed25519")]
use super::scheme::V1A;

/// Request signer: a signature scheme and one or more signing keys.
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
    /// `None` for an unsigned one.
    scheme: Option<Scheme>,
    /// Not empty if there is a scheme.
    keys: Vec<SigningKey>,
}

impl Signer {
    /// Creates a signer for the scheme.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the key does not fit the scheme.
    pub fn new(scheme: Scheme, key: impl Into<SigningKey>) -> Result<Self, KeyError> {
        let key = key.into();
        key.check(&scheme)?;
        Ok(Self::with(scheme, key))
    }

    fn with(scheme: Scheme, key: impl Into<SigningKey>) -> Self {
        Self { scheme: Some(scheme), keys: vec![key.into()] }
    }

    /// Creates a signer for [`Scheme::StandardWebhooks`].
    #[must_use]
    pub fn standard_webhooks(key: impl Into<SigningKey>) -> Self {
        Self::with(Scheme::StandardWebhooks, key)
    }

    /// Creates a signer for [`Scheme::Svix`].
    #[must_use]
    pub fn svix(key: impl Into<SigningKey>) -> Self {
        Self::with(Scheme::Svix, key)
    }

    /// Creates a signer for [`Scheme::Strike`].
    #[must_use]
    pub fn strike(secret: Secret) -> Self {
        Self::with(Scheme::Strike, secret)
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
    #[must_use]
    pub fn custom(scheme: CustomScheme, secret: Secret) -> Self {
        Self::with(Scheme::CustomScheme(scheme), secret)
    }

    /// Creates a signer that sets no header. [`add_secret`](Self::add_secret) has no effect on it.
    #[must_use]
    pub const fn unsigned() -> Self {
        Self { scheme: None, keys: Vec::new() }
    }

    /// Adds a secret to sign with, after the existing keys.
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
        if self.scheme.is_some() {
            self.keys.push(secret.into());
        }
        self
    }

    /// Adds a key of any kind to sign with, after the existing keys.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the key does not fit the scheme.
    pub fn add_key(mut self, key: impl Into<SigningKey>) -> Result<Self, KeyError> {
        if let Some(scheme) = &self.scheme {
            let key = key.into();
            key.check(scheme)?;
            self.keys.push(key);
        }
        Ok(self)
    }

    /// Returns the scheme; `None` for [`unsigned`](Self::unsigned).
    #[must_use]
    pub const fn scheme(&self) -> Option<&Scheme> {
        self.scheme.as_ref()
    }

    /// Returns the names of all headers that [`sign`](Self::sign) sets. An endpoint's static
    /// headers cannot have these names.
    pub fn header_names(&self) -> impl Iterator<Item = &HeaderName> {
        self.scheme.iter().flat_map(Scheme::header_names)
    }

    /// Returns the signature headers for a request with exactly this body.
    ///
    /// `now` is the current time: receivers compare it with their own clock, so sign every attempt
    /// of a message again. Signatures and tokens are marked as sensitive, so `Debug` of the headers
    /// omits them.
    ///
    /// # Errors
    ///
    /// [`SignError`] if the scheme cannot carry the id, the time or this number of signatures.
    pub fn sign(
        &self,
        id: &MessageId,
        now: Timestamp,
        body: &[u8],
    ) -> Result<HeaderMap, SignError> {
        let (Some(scheme), Some(first)) = (&self.scheme, self.keys.first()) else {
            return Ok(HeaderMap::new());
        };
        match scheme.layout() {
            Layout::Signed(layout) => self.sign_with(layout, first, id, now, body),
            Layout::Token(header) => Ok(token_header(header, first)),
        }
    }

    /// Checks that a message with this id can be signed, independent of its time and body.
    ///
    /// # Errors
    ///
    /// [`SignError`] if the scheme cannot carry the id or this number of signatures.
    pub fn check(&self, id: &MessageId) -> Result<(), SignError> {
        match self.scheme.as_ref().map(Scheme::layout) {
            Some(Layout::Signed(layout)) => self.check_layout(layout, id),
            Some(Layout::Token(_)) | None => Ok(()),
        }
    }

    fn check_layout(&self, layout: &CustomScheme, id: &MessageId) -> Result<(), SignError> {
        if layout.id_is_ambiguous(id) {
            return Err(SignError::AmbiguousId);
        }
        match layout.separator {
            Some(_) => check_count(&self.keys),
            None => Ok(()),
        }
    }

    fn sign_with(
        &self,
        layout: &CustomScheme,
        first: &SigningKey,
        id: &MessageId,
        now: Timestamp,
        body: &[u8],
    ) -> Result<HeaderMap, SignError> {
        self.check_layout(layout, id)?;
        let timestamp = match &layout.timestamp {
            Some((_, form)) => form.write(now).ok_or(SignError::Time)?,
            None => String::new(),
        };
        let keys = match layout.separator {
            Some(_) => self.keys.as_slice(),
            None => std::slice::from_ref(first),
        };

        let parts = layout.signed_parts(id.as_str(), timestamp.as_bytes(), body);
        let separator = layout.separator.unwrap_or_default();
        let mut signature = String::new();
        if let Some((TimestampSource::Field(prefix), _)) = &layout.timestamp {
            signature.push_str(prefix);
            signature.push_str(&timestamp);
        }
        for key in keys {
            if !signature.is_empty() {
                signature.push(separator);
            }
            match key {
                SigningKey::Shared(secret) => {
                    let tag = mac::mac(secret, &parts);
                    signature.push_str(&layout.prefix);
                    signature.push_str(&mac::encode(&tag, layout.encoding));
                }
                #[cfg(feature = "ed25519")]
                SigningKey::Ed25519(key) => {
                    signature.push_str(V1A);
                    signature.push_str(&key.sign(&parts));
                }
            }
        }

        let mut headers = HeaderMap::with_capacity(3);
        if let Some(name) = &layout.id_header {
            headers.insert(name, header_value(id.as_str().to_owned()));
        }
        if let Some((TimestampSource::Header(name), _)) = &layout.timestamp {
            headers.insert(name, header_value(timestamp));
        }
        let mut signature = header_value(signature);
        signature.set_sensitive(true);
        headers.insert(&layout.header, signature);
        Ok(headers)
    }
}

fn token_header(header: &HeaderName, key: &SigningKey) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(1);
    match key {
        SigningKey::Shared(secret) => {
            let mut value = HeaderValue::from_bytes(secret.expose_bytes())
                .expect("the constructor checked the first key");
            value.set_sensitive(true);
            headers.insert(header, value);
        }
        #[cfg(feature = "ed25519")]
        SigningKey::Ed25519(_) => {}
    }
    headers
}

fn check_count(keys: &[SigningKey]) -> Result<(), SignError> {
    #[cfg(feature = "ed25519")]
    {
        let limit = MAX_ED25519_CANDIDATES;
        let is_ed25519 = |key: &&SigningKey| matches!(key, SigningKey::Ed25519(_));
        if keys.iter().filter(is_ed25519).count() > limit {
            return Err(SignError::TooManyKeys { limit });
        }
    }
    let limit = MAX_CANDIDATES;
    if keys.len() > limit {
        return Err(SignError::TooManyKeys { limit });
    }
    Ok(())
}

fn header_value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("ids, timestamps, prefixes and encodings are visible ASCII")
}

/// Error for a message that cannot be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The message id is ambiguous in this scheme: it contains the template text that delimits it
    /// in the signed bytes. Choose another id or scheme.
    #[error("the message id contains the text that delimits it in the signed bytes")]
    AmbiguousId,
    /// The signing time has a year outside 0000 to 9999, which RFC 3339 cannot express. Check the
    /// clock.
    #[error("the scheme's timestamp format cannot express the signing time")]
    Time,
    /// The signer has more keys, or more Ed25519 keys, than a verifier accepts signatures. Remove
    /// old keys.
    #[error("the signer has too many keys; the limit is {limit}")]
    TooManyKeys {
        /// The limit for [all keys](super::MAX_CANDIDATES), or for
        /// [Ed25519 keys](super::MAX_ED25519_CANDIDATES).
        limit: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::{SchemeSpec, TimestampForm};

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
        let signer = Signer::custom(timed, secret());
        let text = |text, now| signer.sign(&id(text), now, b"").unwrap_err().to_string();
        assert_eq!(
            text("m:1", Timestamp::UNIX_EPOCH),
            "the message id contains the text that delimits it in the signed bytes"
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
            let secret = Secret::from_text(bad).unwrap();
            let error = Signer::token(http::header::AUTHORIZATION, secret).unwrap_err();
            assert_eq!(
                error.to_string(),
                "the token must be a valid header value, without control characters \
                 and without whitespace at either end"
            );
        }
        assert_eq!(
            KeyError::SharedOnly.to_string(),
            "the scheme requires a shared secret, not an Ed25519 key"
        );
    }

    #[cfg(feature = "ed25519")]
    #[test]
    fn ed25519_key_for_other_schemes_is_rejected() {
        use crate::signature::Ed25519PrivateKey;

        let key = Ed25519PrivateKey::from_seed(&[1; 32]);
        assert!(Signer::new(Scheme::Svix, key.clone()).is_ok());
        assert_eq!(Signer::new(Scheme::Strike, key.clone()).unwrap_err(), KeyError::SharedOnly);
        assert_eq!(
            Signer::strike(secret()).add_key(key.clone()).unwrap_err(),
            KeyError::SharedOnly
        );
        let many = (0..MAX_ED25519_CANDIDATES)
            .fold(Signer::standard_webhooks(key.clone()), |signer, _| {
                signer.add_key(key.clone()).unwrap()
            });
        assert_eq!(
            many.sign(&id("m"), Timestamp::MIN, b""),
            Err(SignError::TooManyKeys { limit: MAX_ED25519_CANDIDATES })
        );
    }

    #[test]
    fn header_names_match_the_signed_headers() {
        let signers = [
            Signer::standard_webhooks(secret()),
            Signer::svix(secret()),
            Signer::strike(secret()),
            Signer::token(HeaderName::from_static("x-lab-token"), secret()).unwrap(),
            Signer::custom(CustomScheme::SLACK, secret()),
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
