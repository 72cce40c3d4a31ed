//! Checking the headers that prove a request's origin: [`Verifier`].

use std::time::Duration;

use http::{HeaderMap, HeaderName};

use super::custom_scheme::{CustomScheme, TimestampSource};
use super::error::VerifyError;
use super::fields::Fields;
use super::key::{KeyError, VerifyingKey};
use super::mac;
use super::scheme::{self, Layout, Scheme};
use super::verified::Verified;
use super::{headers, template};
use crate::id::MessageId;
use crate::secret::Secret;
use crate::time::Timestamp;

/// How far a timestamp may be from `now` either way, unless said otherwise.
const DEFAULT_TOLERANCE: Duration = Duration::from_secs(300);

/// Admits requests: a scheme, one or more keys and a tolerance.
///
/// While a secret rotates, give the new one first and the old one with
/// [`add_secret`](Self::add_secret); [`Verified::key_index`] tells which of them a request was
/// signed with.
///
/// What it costs to refuse a request is bounded, however many signatures it carries: at most one
/// MAC of the body for each secret, and one Ed25519 verification for each Ed25519 key and each of
/// at most [`MAX_ED25519_CANDIDATES`](super::MAX_ED25519_CANDIDATES) signatures. Bound the body
/// before it comes here.
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
#[derive(Clone, Debug)]
pub struct Verifier {
    scheme: Scheme,
    /// Not empty.
    keys: Vec<VerifyingKey>,
    past: Duration,
    future: Duration,
}

impl Verifier {
    /// Admits what is signed by the scheme with the key.
    ///
    /// # Errors
    ///
    /// [`KeyError`] where the key does not go with the scheme.
    pub fn new(scheme: Scheme, key: impl Into<VerifyingKey>) -> Result<Self, KeyError> {
        let key = key.into();
        key.check(&scheme)?;
        Ok(Self::with(scheme, key))
    }

    fn with(scheme: Scheme, key: impl Into<VerifyingKey>) -> Self {
        Self { scheme, keys: vec![key.into()], past: DEFAULT_TOLERANCE, future: DEFAULT_TOLERANCE }
    }

    /// Admits by [`Scheme::StandardWebhooks`].
    #[must_use]
    pub fn standard_webhooks(key: impl Into<VerifyingKey>) -> Self {
        Self::with(Scheme::StandardWebhooks, key)
    }

    /// Admits by [`Scheme::Svix`].
    #[must_use]
    pub fn svix(key: impl Into<VerifyingKey>) -> Self {
        Self::with(Scheme::Svix, key)
    }

    /// Admits by [`Scheme::Strike`].
    #[must_use]
    pub fn strike(secret: Secret) -> Self {
        Self::with(Scheme::Strike, secret)
    }

    /// Admits by [`Scheme::Token`].
    ///
    /// # Errors
    ///
    /// [`KeyError::NotHeaderValue`]: no request could ever match.
    pub fn token(header: HeaderName, secret: Secret) -> Result<Self, KeyError> {
        Self::new(Scheme::Token(header), secret)
    }

    /// Admits by [`Scheme::CustomScheme`].
    #[must_use]
    pub fn custom(scheme: CustomScheme, secret: Secret) -> Self {
        Self::with(Scheme::CustomScheme(scheme), secret)
    }

    /// Admits what is signed with this secret too. Its index is the number of keys given before.
    #[must_use]
    pub fn add_secret(mut self, secret: Secret) -> Self {
        self.keys.push(secret.into());
        self
    }

    /// Admits what is signed with this key too, of whichever kind.
    ///
    /// # Errors
    ///
    /// [`KeyError`] where the key does not go with the scheme.
    pub fn add_key(mut self, key: impl Into<VerifyingKey>) -> Result<Self, KeyError> {
        let key = key.into();
        key.check(&self.scheme)?;
        self.keys.push(key);
        Ok(self)
    }

    /// How far the timestamp may be before and after `now`, both inclusive; 300 s without this.
    ///
    /// It has no effect where the scheme signs no time.
    #[must_use]
    pub const fn with_tolerance(mut self, past: Duration, future: Duration) -> Self {
        self.past = past;
        self.future = future;
        self
    }

    /// The scheme.
    #[must_use]
    pub const fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// Checks that a holder of one of the keys signed exactly this body, and signed it lately.
    ///
    /// `body` is what came over the wire, byte for byte: JSON that was parsed and written again is
    /// another body. `now` is the host's clock as it stands.
    ///
    /// A genuine request may still be a repeat, by the sender or by an eavesdropper: see
    /// [`Verified::id`].
    ///
    /// # Errors
    ///
    /// [`VerifyError`]: do not read the body.
    pub fn verify<'a>(
        &self,
        headers: &HeaderMap,
        body: &'a [u8],
        now: Timestamp,
    ) -> Result<Verified<'a>, VerifyError> {
        match self.layout(headers)? {
            Layout::Signed(layout) => self.verify_by(layout, headers, body, now),
            Layout::Token(header) => self.verify_token(header, headers, body),
        }
    }

    /// Whether the request has the header that this verifier looks for a signature or token in.
    pub(crate) fn is_addressed(&self, headers: &HeaderMap) -> bool {
        match self.layout(headers) {
            Ok(Layout::Signed(layout)) => headers.contains_key(layout.header()),
            Ok(Layout::Token(header)) => headers.contains_key(header),
            Err(_) => true,
        }
    }

    fn layout(&self, headers: &HeaderMap) -> Result<Layout<'_>, VerifyError> {
        let any_of =
            |layout: &CustomScheme| layout.header_names().any(|name| headers.contains_key(name));
        if self.scheme != Scheme::Svix || !any_of(&scheme::STANDARD_WEBHOOKS) {
            Ok(self.scheme.layout())
        } else if any_of(&scheme::SVIX) {
            Err(VerifyError::MixedBrands)
        } else {
            Ok(Layout::Signed(&scheme::STANDARD_WEBHOOKS))
        }
    }

    fn verify_token<'a>(
        &self,
        header: &HeaderName,
        headers: &HeaderMap,
        body: &'a [u8],
    ) -> Result<Verified<'a>, VerifyError> {
        let presented = headers::single(headers, header)?;
        // Tags under the secret are compared in its stead. They have one length, so the time taken
        // depends on the length of what was presented, and of the secret only on its number of
        // 64-byte blocks.
        let matches = |key: &VerifyingKey| match key {
            VerifyingKey::Shared(secret) => {
                mac::mac(secret, &[presented]) == mac::mac(secret, &[secret.expose_bytes()])
            }
            #[cfg(feature = "ed25519")]
            VerifyingKey::Ed25519(_) => false,
        };
        Ok(Verified {
            body,
            id: None,
            timestamp: None,
            expires_at: None,
            key_index: self.first_match(header, matches)?,
        })
    }

    fn verify_by<'a>(
        &self,
        layout: &CustomScheme,
        headers: &HeaderMap,
        body: &'a [u8],
        now: Timestamp,
    ) -> Result<Verified<'a>, VerifyError> {
        let fields = Fields::read(layout, headers, &self.keys)?;
        let id = match &layout.id_header {
            Some(name) => Some(read_id(layout, headers::single(headers, name)?)?),
            None => None,
        };
        let (timestamp_text, timestamp) = match &layout.timestamp {
            Some((source, form)) => {
                let (name, text) = match source {
                    TimestampSource::Header(name) => (name, headers::single(headers, name)?),
                    TimestampSource::Field(_) => {
                        let name = &layout.header;
                        let missing = || VerifyError::MissingTimestamp { name: name.clone() };
                        (name, fields.timestamp.ok_or_else(missing)?)
                    }
                };
                let malformed = || VerifyError::MalformedTimestamp { name: name.clone() };
                (text, Some(form.read(text).ok_or_else(malformed)?))
            }
            None => (&[][..], None),
        };
        if let Some(timestamp) = timestamp {
            self.check_time(timestamp, now)?;
        }
        if fields.is_empty() {
            return Err(VerifyError::NoUsableSignature { name: layout.header.clone() });
        }

        let id_text = id.as_ref().map_or("", MessageId::as_str);
        let parts = layout.signed_parts(id_text, timestamp_text, body);
        let key_index = self.first_match(&layout.header, |key| fields.any_matches(key, &parts))?;
        Ok(Verified {
            body,
            id,
            timestamp,
            expires_at: timestamp.map(|timestamp| timestamp + self.past),
            key_index,
        })
    }

    fn first_match(
        &self,
        header: &HeaderName,
        matches: impl FnMut(&VerifyingKey) -> bool,
    ) -> Result<usize, VerifyError> {
        self.keys
            .iter()
            .position(matches)
            .ok_or_else(|| VerifyError::NoMatch { name: header.clone() })
    }

    fn check_time(&self, timestamp: Timestamp, now: Timestamp) -> Result<(), VerifyError> {
        let age = now.saturating_since(timestamp);
        let lead = timestamp.saturating_since(now);
        if age > self.past {
            Err(VerifyError::TooOld { age, tolerated: self.past })
        } else if lead > self.future {
            Err(VerifyError::TooNew { lead, tolerated: self.future })
        } else {
            Ok(())
        }
    }
}

fn read_id(layout: &CustomScheme, bytes: &[u8]) -> Result<MessageId, VerifyError> {
    let id = match std::str::from_utf8(bytes) {
        Ok(text) => MessageId::new(text),
        Err(_) => Err(crate::id::IdError::NotVisibleAscii),
    }
    .map_err(|source| VerifyError::MalformedId { source })?;
    if template::id_is_ambiguous(&layout.template, id.as_str()) {
        Err(VerifyError::AmbiguousId)
    } else {
        Ok(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::{MAX_CANDIDATES, Signer};
    use http::HeaderValue;

    fn secret(text: &str) -> Secret {
        Secret::from_text(text).unwrap()
    }

    fn macs(work: impl FnOnce()) -> usize {
        let before = mac::COUNT.get();
        work();
        mac::COUNT.get().saturating_sub(before)
    }

    /// A header full of candidates costs one pass over the body for each key.
    #[test]
    fn one_mac_per_key_however_many_candidates() {
        let body = vec![b'x'; 1 << 20];
        let now = Timestamp::from_unix_seconds(1_614_265_330);
        let id = MessageId::new("m").unwrap();
        let mut headers = Signer::standard_webhooks(secret("a")).sign(&id, now, &body).unwrap();
        let mut fill = |count: usize| {
            let list = ["v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="].repeat(count);
            let list = HeaderValue::try_from(list.join(" ")).unwrap();
            headers.insert("webhook-signature", list);
            headers.clone()
        };
        let full = fill(MAX_CANDIDATES);
        let (over, flood) = (fill(MAX_CANDIDATES + 1), fill(400));

        for keys in 1..4 {
            let first = Verifier::standard_webhooks(secret("b"));
            let verifier = (1..keys).fold(first, |verifier, _| verifier.add_secret(secret("c")));
            let verify = |headers| verifier.verify(headers, &body, now).unwrap_err().name();
            assert_eq!(macs(|| assert_eq!(verify(&full), "no-match")), keys);
            assert_eq!(macs(|| assert_eq!(verify(&over), "too-many-candidates")), 0);
            assert_eq!(macs(|| assert_eq!(verify(&flood), "too-many-candidates")), 0);
        }
    }

    #[test]
    fn what_is_refused_without_a_signature_to_check_costs_no_mac() {
        let now = Timestamp::from_unix_seconds(1_614_265_330);
        let id = MessageId::new("m").unwrap();
        let verifier = Verifier::standard_webhooks(secret("a"));
        let headers = Signer::standard_webhooks(secret("a")).sign(&id, now, b"x").unwrap();
        let mut unknown = headers.clone();
        unknown.insert("webhook-signature", HeaderValue::from_static("v9,AAAA"));
        let late = now + Duration::from_secs(301);
        let count = macs(|| {
            for (headers, now) in [(&headers, late), (&unknown, now)] {
                assert!(verifier.verify(headers, b"x", now).is_err());
            }
        });
        assert_eq!(count, 0);
    }

    #[cfg(feature = "ed25519")]
    #[test]
    fn a_list_of_the_other_kind_costs_no_mac() {
        let key = crate::signature::Ed25519PrivateKey::from_seed(&[7; 32]);
        let now = Timestamp::from_unix_seconds(1_614_265_330);
        let verifier = Verifier::standard_webhooks(secret("a")).add_key(key.public()).unwrap();
        let headers =
            Signer::standard_webhooks(key).sign(&MessageId::new("m").unwrap(), now, b"x").unwrap();
        let count = macs(|| assert!(verifier.verify(&headers, b"x", now).is_ok()));
        assert_eq!(count, 0);
    }
}
