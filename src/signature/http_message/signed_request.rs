//! A request with a signature that is still to be checked: [`SignedRequest`].

use zeroize::Zeroizing;

use super::super::algorithm::Algorithm;
use super::super::error::VerifyError;
use super::super::headers;
use super::super::http_message_error::HttpMessageError;
use super::super::key::ReadyVerifyingKey;
use super::super::mac::{self, Tag};
use super::super::public_key::PublicKeySignature;
use super::super::target::{BaseUrl, RequestView};
use super::component::{Component, combined};
use super::content_digest::ContentDigest;
use super::profile::HttpMessageProfile;
use super::signature_base::SignatureBase;
use super::signature_input::{SignatureInput, check_components, labelled};
use super::structured_field::{BareItem, Value};
use super::{CONTENT_DIGEST, SIGNATURE, SIGNATURE_INPUT, registered_name};
use crate::time::Timestamp;

/// Signature of a request, with what it covers. Nothing of it is trusted before
/// [`check`](Self::check).
pub(in super::super) struct SignedRequest<'p, 'r> {
    profile: &'p HttpMessageProfile,
    id: Option<&'r str>,
    created: Timestamp,
    expires: Option<Timestamp>,
    key_id: Option<Box<str>>,
    algorithm: Option<Box<str>>,
    digest: ContentDigest,
    base: Zeroizing<String>,
    signature: Bytes,
}

/// Signature after its encoding.
pub(super) enum Bytes {
    Mac([u8; 32]),
    PublicKey([u8; 64]),
}

impl<'p, 'r> SignedRequest<'p, 'r> {
    /// Reads the signature with the profile's label.
    pub(in super::super) fn read(
        profile: &'p HttpMessageProfile,
        request: RequestView<'r>,
        base: Option<&BaseUrl>,
    ) -> Result<Self, VerifyError> {
        let text = combined(request.headers, &SIGNATURE_INPUT)?;
        let input = SignatureInput::read(&text, &profile.label)?;
        if input.tag != profile.tag.as_deref() {
            return Err(HttpMessageError::OtherParameter { parameter: "tag" }.into());
        }
        let components = profile.components();
        let identifiers: Vec<String> = components.iter().map(Component::identifier).collect();
        check_components(&input.components, identifiers.iter().map(String::as_str))?;

        let mut lines = SignatureBase::default();
        for identifier in &input.components {
            let own = identifiers.iter().zip(&components).find(|(own, _)| own == identifier);
            let (_, component) = own.ok_or(HttpMessageError::UnknownComponent)?;
            lines.add(identifier, &component.value(request, base)?);
        }
        let id = match &profile.id_header {
            Some(name) => Some(headers::valid_id(request.headers, name)?),
            None => None,
        };
        let owned = |text: Option<&str>| text.map(Into::into);
        Ok(Self {
            profile,
            id,
            created: Timestamp::from_unix_seconds(input.created),
            expires: input.expires.map(Timestamp::from_unix_seconds),
            key_id: owned(input.key_id),
            algorithm: owned(input.algorithm),
            digest: ContentDigest::read(&combined(request.headers, &CONTENT_DIGEST)?)?,
            base: lines.finish(input.text),
            signature: read_signature(&combined(request.headers, &SIGNATURE)?, &profile.label)?,
        })
    }

    pub(in super::super) const fn id(&self) -> Option<&'r str> {
        self.id
    }

    pub(in super::super) const fn created(&self) -> Timestamp {
        self.created
    }

    pub(in super::super) const fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// Checks the signature, then the digest of the body. Returns the index of the key.
    pub(in super::super) fn check(
        &self,
        keys: &[ReadyVerifyingKey],
        body: &[u8],
        now: Timestamp,
    ) -> Result<usize, VerifyError> {
        if let Some(expires) = self.expires
            && now > expires
        {
            let age = now.saturating_since(expires);
            return Err(HttpMessageError::Expired { age }.into());
        }
        let is_named = |algorithm: Algorithm| {
            self.algorithm.as_deref().is_none_or(|name| name == registered_name(algorithm))
        };
        if !keys.iter().any(|key| is_named(key.algorithm())) {
            return Err(HttpMessageError::OtherParameter { parameter: "alg" }.into());
        }
        let own = keys.iter().enumerate().filter(|(index, key)| {
            let id = self.profile.key_id(*index);
            is_named(key.algorithm()) && id.is_none_or(|id| self.key_id.as_deref() == Some(id))
        });
        let mut own = own.peekable();
        if own.peek().is_none() {
            return Err(HttpMessageError::OtherParameter { parameter: "keyid" }.into());
        }
        let index = own
            .find(|(_, key)| is_signed_with(key, &self.base, &self.signature))
            .map(|(index, _)| index);
        let index = index.ok_or_else(|| VerifyError::NoMatch { name: SIGNATURE.clone() })?;
        self.digest.check(body)?;
        Ok(index)
    }
}

/// Returns whether the signature is the key's, of the base.
pub(super) fn is_signed_with(key: &ReadyVerifyingKey, base: &str, signature: &Bytes) -> bool {
    let parts = &[base.as_bytes()];
    match (key, signature) {
        (ReadyVerifyingKey::Shared(key), Bytes::Mac(tag)) => {
            Tag::new((*tag).into()) == key.tag(parts)
        }
        (ReadyVerifyingKey::Public(key), Bytes::PublicKey(bytes)) => {
            let signature = PublicKeySignature::new(key.algorithm(), *bytes);
            key.any_verifies(parts, std::iter::once(&signature))
        }
        _ => false,
    }
}

/// Returns the signature with the label.
pub(super) fn read_signature(text: &str, label: &str) -> Result<Bytes, VerifyError> {
    let malformed = || HttpMessageError::MalformedField { name: SIGNATURE.clone() };
    let member = labelled(text, label, &SIGNATURE)?;
    let Value::Item(BareItem::Bytes(base64)) = member.value else {
        return Err(malformed().into());
    };
    let mac = || mac::decode_base64(base64.as_bytes()).map(Bytes::Mac);
    let public = || mac::decode_base64(base64.as_bytes()).map(Bytes::PublicKey);
    let bytes = mac().or_else(public);
    bytes.ok_or_else(|| VerifyError::NoUsableSignature { name: SIGNATURE.clone() })
}
