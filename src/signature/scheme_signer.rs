//! Signing with one scheme: [`SchemeSigner`].

use http::{HeaderMap, HeaderValue};

use super::custom_scheme::{CustomScheme, TimestampSource};
use super::key::SigningKey;
use super::limits::MAX_CANDIDATES;
use super::mac;
use super::scheme::{Layout, Scheme};
use crate::id::MessageId;
use crate::time::Timestamp;

#[cfg(feature = "ed25519")]
use super::limits::MAX_ED25519_CANDIDATES;
#[cfg(feature = "ed25519")]
use super::scheme::V1A;

/// A scheme and the keys to sign with.
#[derive(Clone, Debug)]
pub(super) struct SchemeSigner {
    pub(super) scheme: Scheme,
    pub(super) first: SigningKey,
    /// The keys after the first.
    pub(super) others: Vec<SigningKey>,
}

impl SchemeSigner {
    /// Adds the signature headers for a request with exactly this body.
    pub(super) fn sign(
        &self,
        id: &MessageId,
        now: Timestamp,
        body: &[u8],
        headers: &mut HeaderMap,
    ) -> Result<(), SignError> {
        match self.scheme.layout() {
            Layout::Signed(layout) => self.sign_with(layout, id, now, body, headers),
            Layout::Token(header) => {
                headers.extend(token(&self.first).map(|value| (header.clone(), value)));
                Ok(())
            }
        }
    }

    /// Checks that a message with this id can be signed.
    pub(super) fn check(&self, id: &MessageId) -> Result<(), SignError> {
        match self.scheme.layout() {
            Layout::Signed(layout) => self.check_layout(layout, id),
            Layout::Token(_) => Ok(()),
        }
    }

    fn keys(&self) -> impl Iterator<Item = &SigningKey> {
        std::iter::once(&self.first).chain(&self.others)
    }

    fn check_layout(&self, layout: &CustomScheme, id: &MessageId) -> Result<(), SignError> {
        if layout.id_is_ambiguous(id) {
            return Err(SignError::AmbiguousId);
        }
        if layout.is_list() { check_count(self.keys()) } else { Ok(()) }
    }

    fn sign_with(
        &self,
        layout: &CustomScheme,
        id: &MessageId,
        now: Timestamp,
        body: &[u8],
        headers: &mut HeaderMap,
    ) -> Result<(), SignError> {
        self.check_layout(layout, id)?;
        let timestamp = match &layout.timestamp {
            Some((_, form)) => form.write(now).ok_or(SignError::Time)?,
            None => String::new(),
        };
        let limit = if layout.is_list() { MAX_CANDIDATES } else { 1 };

        let parts = layout.signed_parts(id.as_str(), timestamp.as_bytes(), body);
        let mut signature = String::new();
        if let Some((TimestampSource::Field(prefix), _)) = &layout.timestamp {
            signature.push_str(prefix);
            signature.push_str(&timestamp);
        }
        for (index, key) in self.keys().take(limit).enumerate() {
            // Further values follow the first without a prefix, if the scheme has such.
            let value_separator = layout.value_separator.filter(|_| index > 0);
            if !signature.is_empty() {
                signature.extend(value_separator.or(layout.separator));
            }
            match key {
                SigningKey::Shared(secret) => {
                    let tag = mac::mac(secret, &parts);
                    if value_separator.is_none() {
                        signature.push_str(&layout.prefix);
                    }
                    signature.push_str(&mac::encode(&tag, layout.encoding));
                }
                #[cfg(feature = "ed25519")]
                SigningKey::Ed25519(key) => {
                    signature.push_str(V1A);
                    signature.push_str(&key.sign(&parts));
                }
            }
        }

        if let Some(name) = &layout.id_header {
            headers.insert(name, header_value(id.as_str().to_owned()));
        }
        if let Some((TimestampSource::Header(name), _)) = &layout.timestamp {
            headers.insert(name, header_value(timestamp));
        }
        let mut signature = header_value(signature);
        signature.set_sensitive(true);
        headers.insert(&layout.header, signature);
        Ok(())
    }
}

/// Returns the value of a token's header.
fn token(key: &SigningKey) -> Option<HeaderValue> {
    match key {
        SigningKey::Shared(secret) => {
            let mut value = HeaderValue::from_bytes(secret.expose_bytes())
                .expect("the constructor checked the first key");
            value.set_sensitive(true);
            Some(value)
        }
        #[cfg(feature = "ed25519")]
        SigningKey::Ed25519(_) => None,
    }
}

fn check_count<'a>(keys: impl Iterator<Item = &'a SigningKey>) -> Result<(), SignError> {
    let mut count = 0_usize;
    #[cfg(feature = "ed25519")]
    let mut ed25519 = 0_usize;
    for key in keys {
        count = count.saturating_add(1);
        match key {
            SigningKey::Shared(_) => {}
            #[cfg(feature = "ed25519")]
            SigningKey::Ed25519(_) => ed25519 = ed25519.saturating_add(1),
        }
    }
    #[cfg(feature = "ed25519")]
    if ed25519 > MAX_ED25519_CANDIDATES {
        return Err(SignError::TooManyKeys { limit: MAX_ED25519_CANDIDATES });
    }
    if count > MAX_CANDIDATES {
        return Err(SignError::TooManyKeys { limit: MAX_CANDIDATES });
    }
    Ok(())
}

fn header_value(text: String) -> HeaderValue {
    HeaderValue::try_from(text)
        .expect("ids, timestamps, prefixes and encodings are printable ASCII")
}

/// Error for a message that cannot be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The message id is ambiguous in this scheme: it contains what delimits it in the signed
    /// bytes, the template's text or a time. Choose another id or scheme.
    #[error("the message id contains what delimits it in the signed bytes")]
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
