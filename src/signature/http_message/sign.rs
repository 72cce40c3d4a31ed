//! Signing a request: [`sign`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue};

use super::super::error::VerifyError;
use super::super::key::ReadySigningKey;
use super::super::target::RequestView;
use super::component::Component;
use super::content_digest;
use super::profile::HttpMessageProfile;
use super::signature_base::SignatureBase;
use super::{CONTENT_DIGEST, SIGNATURE, SIGNATURE_INPUT, registered_name};
use crate::id::MessageId;
use crate::secret::wipe::Text;
use crate::time::Timestamp;

/// Returns the headers to set on the request, with its signature.
pub(in super::super) fn sign<'p>(
    profile: &'p HttpMessageProfile,
    key: &ReadySigningKey,
    id: &MessageId,
    now: Timestamp,
    body: &[u8],
    request: RequestView<'_>,
) -> Result<Vec<(&'p HeaderName, HeaderValue)>, VerifyError> {
    let digest = content_digest::value(body);
    let mut lines = SignatureBase::default();
    let mut list = Vec::new();
    for component in profile.components() {
        let value = match &component {
            Component::Header(name) if *name == CONTENT_DIGEST => Text::Borrowed(&digest),
            Component::Header(name) if Some(name) == profile.id_header.as_ref() => {
                Text::Borrowed(id.as_str())
            }
            other => other.value(request, None)?,
        };
        let identifier = component.identifier();
        lines.add(&identifier, &value);
        list.push(identifier);
    }
    let parameters = format!("({}){}", list.join(" "), parameters(profile, key, now));
    let base = lines.finish(&parameters);
    let signature = signature_text(key, &base);
    let mut signature = header_value(format!("{}=:{signature}:", profile.label));
    signature.set_sensitive(true);
    let id = profile.id_header.as_ref().map(|name| (name, header_value(id.as_str().to_owned())));
    Ok(id
        .into_iter()
        .chain([
            (&CONTENT_DIGEST, header_value(digest)),
            (&SIGNATURE_INPUT, header_value(format!("{}={parameters}", profile.label))),
            (&SIGNATURE, signature),
        ])
        .collect())
}

/// Returns the signature of the base, in base64.
pub(super) fn signature_text(key: &ReadySigningKey, base: &str) -> String {
    let parts = &[base.as_bytes()];
    match key {
        ReadySigningKey::Shared(key) => STANDARD.encode(key.tag(parts).as_bytes()),
        ReadySigningKey::Private(key) => STANDARD.encode(key.sign_fixed(parts)),
    }
}

fn parameters(profile: &HttpMessageProfile, key: &ReadySigningKey, now: Timestamp) -> String {
    let created = now.unix_seconds();
    let validity = i64::try_from(profile.validity.as_secs()).unwrap_or(i64::MAX).max(1);
    let expires = created.saturating_add(validity).min(MAX_INTEGER);
    let string = |name: &str, value: Option<&str>| {
        value.map(|value| format!(";{name}=\"{value}\"")).unwrap_or_default()
    };
    [
        format!(";created={created};expires={expires}"),
        string("keyid", profile.key_id(0)),
        string("alg", Some(registered_name(key.algorithm()))),
        string("tag", profile.tag.as_deref()),
    ]
    .concat()
}

/// The largest integer of a structured field (RFC 9651, section 3.3.1).
const MAX_INTEGER: i64 = 999_999_999_999_999;

pub(super) fn header_value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("ids, labels, strings and base64 are printable ASCII")
}
