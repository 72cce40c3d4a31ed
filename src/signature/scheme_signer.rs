//! Signing with one scheme: [`SchemeSigner`].

use http::{HeaderName, HeaderValue};

use super::custom_scheme::{CustomScheme, TimestampSource};
use super::http_message;
use super::key::ReadySigningKey;
use super::limits::{MAX_CANDIDATES, MAX_PUBLIC_KEY_CANDIDATES};
use super::mac;
use super::request_values::RequestValues;
use super::scheme::{Layout, Scheme};
use super::sign_error::SignError;
use super::target::RequestView;
use crate::id::MessageId;
use crate::secret::wipe;
use crate::time::Timestamp;

#[cfg(feature = "twilio")]
use super::twilio;

/// A scheme and the keys to sign with.
#[derive(Clone, Debug)]
pub(super) struct SchemeSigner {
    pub(super) scheme: Scheme,
    pub(super) first: ReadySigningKey,
    /// The keys after the first.
    pub(super) others: Vec<ReadySigningKey>,
}

impl SchemeSigner {
    /// Returns whether the scheme signs anything of the request except id, time and body.
    pub(super) fn signs_request(&self) -> bool {
        match self.scheme.layout() {
            Layout::Signed(layout) => layout.signs_request(),
            Layout::Token(_) => false,
            #[cfg(feature = "twilio")]
            Layout::Twilio => true,
            Layout::HttpMessage(_) => true,
        }
    }

    /// Sets the signature headers for a request with exactly this body. `request` is the one that
    /// the scheme may sign more of.
    pub(super) fn sign<E: From<SignError>>(
        &self,
        id: &MessageId,
        now: Timestamp,
        body: &[u8],
        request: Option<RequestView<'_>>,
        mut set: impl FnMut(&HeaderName, HeaderValue) -> Result<(), E>,
    ) -> Result<(), E> {
        match self.scheme.layout() {
            Layout::Signed(layout) => self.sign_with(layout, id, now, body, request, set),
            Layout::Token(header) => match token(&self.first) {
                Some(value) => set(header, value),
                None => Ok(()),
            },
            #[cfg(feature = "twilio")]
            Layout::Twilio => {
                let request = request.ok_or(SignError::RequestRequired)?;
                let ReadySigningKey::Shared(key) = &self.first else { return Ok(()) };
                let signed = request
                    .target(None)
                    .and_then(|target| twilio::SignedBytes::of(target, request.headers, body))
                    .map_err(SignError::of)?;
                let mut value = header_value(signed.sign(key));
                value.set_sensitive(true);
                set(&twilio::HEADER, value)
            }
            Layout::HttpMessage(profile) => {
                let request = request.ok_or(SignError::RequestRequired)?;
                http_message::sign(profile, &self.first, id, now, body, request)
                    .map_err(SignError::of)?
                    .into_iter()
                    .try_for_each(|(name, value)| set(name, value))
            }
        }
    }

    /// Checks that a message with this id can be signed.
    pub(super) fn check(&self, id: &MessageId) -> Result<(), SignError> {
        match self.scheme.layout() {
            Layout::Signed(layout) => self.check_layout(layout, id),
            Layout::Token(_) | Layout::HttpMessage(_) => Ok(()),
            #[cfg(feature = "twilio")]
            Layout::Twilio => Ok(()),
        }
    }

    fn keys(&self) -> impl Iterator<Item = &ReadySigningKey> {
        std::iter::once(&self.first).chain(&self.others)
    }

    fn check_layout(&self, layout: &CustomScheme, id: &MessageId) -> Result<(), SignError> {
        if layout.id_is_ambiguous(id.as_str()) {
            return Err(SignError::AmbiguousId);
        }
        if layout.is_list() { check_count(self.keys()) } else { Ok(()) }
    }

    fn sign_with<E: From<SignError>>(
        &self,
        layout: &CustomScheme,
        id: &MessageId,
        now: Timestamp,
        body: &[u8],
        request: Option<RequestView<'_>>,
        mut set: impl FnMut(&HeaderName, HeaderValue) -> Result<(), E>,
    ) -> Result<(), E> {
        self.check_layout(layout, id)?;
        let timestamp = match &layout.timestamp {
            Some((_, form)) => form.write(now).ok_or(SignError::Time)?,
            None => String::new(),
        };
        let values;
        let parts = if layout.signs_request() {
            let request = request.ok_or(SignError::RequestRequired)?;
            values = RequestValues::of(layout, request, None).map_err(SignError::of)?;
            let parts = values.fill(layout, id.as_str(), timestamp.as_bytes(), body);
            parts.map_err(SignError::of)?
        } else {
            layout.template.fill_plain(id.as_str(), timestamp.as_bytes(), body)
        };
        let mut signature = Vec::with_capacity(self.signature_len(layout, timestamp.len()));
        if let Some((TimestampSource::Field(prefix), _)) = &layout.timestamp {
            signature.extend_from_slice(prefix.as_bytes());
            signature.extend_from_slice(timestamp.as_bytes());
        }
        for (index, key) in self.keys_for(layout).enumerate() {
            // Further values follow the first without a prefix, if the scheme has such.
            let value_separator = layout.value_separator.filter(|_| index > 0);
            if !signature.is_empty()
                && let Some(separator) = value_separator.or(layout.separator)
            {
                signature.extend_from_slice(separator.encode_utf8(&mut [0; 4]).as_bytes());
            }
            let (prefix, encoding) = layout.form_of(key.algorithm());
            if value_separator.is_none() {
                signature.extend_from_slice(prefix.as_bytes());
            }
            match key {
                ReadySigningKey::Shared(key) => {
                    mac::encode(&key.tag(parts.as_slice()), encoding, &mut signature);
                }
                ReadySigningKey::Private(key) => {
                    let bytes = key.sign(parts.as_slice());
                    signature.extend_from_slice(encoding.encode(&bytes).as_bytes());
                }
            }
        }

        if let Some(name) = &layout.id_header {
            set(name, header_value(id.as_str()))?;
        }
        if let Some((TimestampSource::Header(name), _)) = &layout.timestamp {
            set(name, header_value(timestamp))?;
        }
        let mut signature = header_value(signature);
        signature.set_sensitive(true);
        set(&layout.header, signature)
    }

    /// The keys of which the header carries a signature.
    fn keys_for(&self, layout: &CustomScheme) -> impl Iterator<Item = &ReadySigningKey> {
        self.keys().take(if layout.is_list() { MAX_CANDIDATES } else { 1 })
    }

    /// The length of the signature header, or a little more: a text that fills its buffer becomes a
    /// header value without a copy.
    fn signature_len(&self, layout: &CustomScheme, timestamp_len: usize) -> usize {
        let field = match &layout.timestamp {
            Some((TimestampSource::Field(prefix), _)) => {
                prefix.len().saturating_add(timestamp_len).saturating_add(1)
            }
            _ => 0,
        };
        let keys = self.keys_for(layout).map(|key| {
            let (prefix, encoding) = layout.form_of(key.algorithm());
            prefix.len().saturating_add(match key {
                ReadySigningKey::Shared(_) => mac::encoded_len(encoding),
                // Longer ones grow the buffer.
                ReadySigningKey::Private(_) => 88,
            })
        });
        // A separator before each but the first.
        keys.fold(field, |len, key| len.saturating_add(key).saturating_add(1)).saturating_sub(1)
    }
}

/// Returns the value of a token's header.
fn token(key: &ReadySigningKey) -> Option<HeaderValue> {
    match key {
        ReadySigningKey::Shared(key) => {
            let value = wipe::header_value(key.secret().expose_bytes());
            Some(value.expect("the constructor checked the first key"))
        }
        ReadySigningKey::Private(_) => None,
    }
}

fn check_count<'a>(keys: impl Iterator<Item = &'a ReadySigningKey>) -> Result<(), SignError> {
    let (mut count, mut private) = (0_usize, 0_usize);
    for key in keys {
        count = count.saturating_add(1);
        private = private.saturating_add(usize::from(matches!(key, ReadySigningKey::Private(_))));
    }
    if private > MAX_PUBLIC_KEY_CANDIDATES {
        Err(SignError::TooManyKeys { limit: MAX_PUBLIC_KEY_CANDIDATES })
    } else if count > MAX_CANDIDATES {
        Err(SignError::TooManyKeys { limit: MAX_CANDIDATES })
    } else {
        Ok(())
    }
}

fn header_value<T>(text: T) -> HeaderValue
where
    HeaderValue: TryFrom<T>,
{
    let value = HeaderValue::try_from(text).ok();
    value.expect("ids, timestamps, prefixes and encodings are printable ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use crate::signature::SigningKey;

    #[test]
    fn signature_fits_its_buffer() {
        let secret = || Secret::from_text("a secret of the lab").unwrap();
        let key = || ReadySigningKey::from(SigningKey::from(secret()));
        let now = Timestamp::from_unix_seconds(1_614_265_330);
        for custom in [CustomScheme::STRIPE, CustomScheme::SLACK, CustomScheme::SHOPIFY] {
            for others in [vec![], vec![key(), key()]] {
                let scheme = Scheme::CustomScheme(custom.clone());
                let signer = SchemeSigner { scheme, first: key(), others };
                let mut written = 0;
                let set = |name: &HeaderName, value: HeaderValue| {
                    if name == custom.header() {
                        written = value.len();
                    }
                    Ok::<_, SignError>(())
                };
                signer.sign(&MessageId::new("m").unwrap(), now, b"{}", None, set).unwrap();
                let len = signer.signature_len(&custom, "1614265330".len());
                assert_eq!(len, written, "{custom:?}");
            }
        }
    }
}
