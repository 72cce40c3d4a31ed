//! Twilio's signatures: HMAC-SHA1 over the URL and the sorted parameters of a form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::digest::CtOutput;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderName, header};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::error::VerifyError;
use super::mac::{MacKey, decode_base64};
use super::target::Target;
use crate::secret::wipe::{joined, wiping_stack};

/// Name of the header that carries the signature.
pub(super) static HEADER: HeaderName = HeaderName::from_static("x-twilio-signature");

type HmacSha1 = Hmac<Sha1>;

/// A signature after its encoding.
pub(super) struct Signature([u8; 20]);

impl Signature {
    pub(super) fn read(text: &[u8]) -> Result<Self, VerifyError> {
        let unusable = || VerifyError::NoUsableSignature { name: HEADER.clone() };
        decode_base64(text).map(Self).ok_or_else(unusable)
    }
}

/// The signed bytes of a request: its URL, and the parameters of a form in its body.
pub(super) struct SignedBytes {
    url: Zeroizing<String>,
    parameters: Vec<u8>,
}

impl SignedBytes {
    /// Returns the signed bytes; the body must be covered by them.
    pub(super) fn of(
        target: Target<'_>,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Self, VerifyError> {
        let url = target.url()?;
        let is_form = headers.get(header::CONTENT_TYPE).is_some_and(|value| {
            let media_type = value.as_bytes().split(|&byte| byte == b';').next();
            media_type
                .unwrap_or_default()
                .trim_ascii()
                .eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
        });
        // Twilio appends it. Elsewhere, it may be the text of a parameter of a form: both are signed
        // in a row, without anything between them.
        let is_digest_pair = |pair: &(Vec<u8>, Vec<u8>)| pair.0 == b"bodySHA256";
        let query = target.query().as_bytes();
        let count = pairs(query).filter(is_digest_pair).take(2).count();
        let parameters = match (count, pairs(query).last().filter(is_digest_pair)) {
            (1, Some((_, digest))) if is_digest(&digest, body) => Vec::new(),
            (1.., _) => return Err(VerifyError::NoMatch { name: HEADER.clone() }),
            (0, _) if is_form => sorted(body)?,
            (0, _) if body.is_empty() => Vec::new(),
            (0, _) => return Err(VerifyError::UnsignedBody),
        };
        Ok(Self { url, parameters })
    }

    /// Returns the signature's text.
    pub(super) fn sign(&self, key: &MacKey) -> String {
        STANDARD.encode(tag(key, self.url.as_bytes(), &self.parameters).as_bytes())
    }

    /// Returns whether this is the signature.
    ///
    /// Twilio may sign the URL with or without its port, so both are tried, as by its libraries.
    pub(super) fn is_signed(&self, key: &MacKey, signature: &Signature) -> bool {
        let candidate = CtOutput::<HmacSha1>::new(signature.0.into());
        let other = with_other_port(&self.url);
        [&*self.url, &other]
            .iter()
            .any(|url| tag(key, url.as_bytes(), &self.parameters) == candidate)
    }
}

fn tag(key: &MacKey, url: &[u8], parameters: &[u8]) -> CtOutput<HmacSha1> {
    wiping_stack(|| {
        let mut mac = HmacSha1::new_from_slice(key.secret().expose_bytes())
            .expect("HMAC accepts a key of any length");
        mac.update(url);
        mac.update(parameters);
        mac.finalize()
    })
}

fn is_digest(text: &[u8], body: &[u8]) -> bool {
    let mut digest = [0; 32];
    hex::decode_to_slice(text, &mut digest).is_ok() && digest == *Sha256::digest(body)
}

/// The largest number of parameters in a form: sorting them costs memory before anything is known of
/// the sender.
const MAX_PARAMETERS: usize = 1000;

/// Returns each parameter's name and value, sorted, and each different value of a name once.
fn sorted(form: &[u8]) -> Result<Vec<u8>, VerifyError> {
    let mut parameters: Vec<_> = pairs(form).take(MAX_PARAMETERS.saturating_add(1)).collect();
    if parameters.len() > MAX_PARAMETERS {
        return Err(VerifyError::TooManyParameters { limit: MAX_PARAMETERS });
    }
    parameters.sort();
    parameters.dedup();
    let parts = parameters.into_iter().flat_map(|(name, value)| [name, value]);
    Ok(parts.flatten().collect())
}

/// Returns the pairs of `application/x-www-form-urlencoded` text (WHATWG URL, section 5.1).
fn pairs(text: &[u8]) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    text.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        let mut parts = pair.splitn(2, |&byte| byte == b'=');
        let mut next = || decoded(parts.next().unwrap_or_default());
        (next(), next())
    })
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        rest = after;
        let mut byte = [0];
        match (first, after) {
            (b'+', _) => decoded.push(b' '),
            (b'%', [high, low, after @ ..])
                if hex::decode_to_slice([*high, *low], &mut byte).is_ok() =>
            {
                decoded.extend_from_slice(&byte);
                rest = after;
            }
            (other, _) => decoded.push(*other),
        }
    }
    decoded
}

/// Returns the URL without its port, or with the scheme's default one if it has none.
fn with_other_port(url: &str) -> Zeroizing<String> {
    let authority_at = url.find("://").map_or(0, |at| at.saturating_add(3));
    let (start, rest) = url.split_at_checked(authority_at).unwrap_or((url, ""));
    let path_at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(path_at).unwrap_or((rest, ""));
    // A colon before a bracket belongs to an IPv6 address.
    let port_at =
        authority.rfind(':').filter(|&at| authority.rfind(']').is_none_or(|end| end < at));
    match port_at.and_then(|at| authority.get(..at)) {
        Some(host) => joined(&[start, host, path]),
        None if start == "http://" => joined(&[start, authority, ":80", path]),
        None => joined(&[start, authority, ":443", path]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_sorted() {
        let text = |form: &str| String::from_utf8(sorted(form.as_bytes()).unwrap()).unwrap();
        assert_eq!(text("b=2&a=1+%2B&A=0"), "A0a1 +b2");
        assert_eq!(text("l=b&l=a&l=b&&e"), "elalb");
        assert_eq!(text("%c3%a9=%C2%B5&x=%zz%4"), "x%zz%4éµ");
        assert_eq!(text(""), "");
    }

    #[test]
    fn other_port_is_added_or_removed() {
        for (url, other) in [
            ("https://a.example/x?y=1:2", "https://a.example:443/x?y=1:2"),
            ("http://a.example?y", "http://a.example:80?y"),
            ("https://a.example:8443/x", "https://a.example/x"),
            ("https://[2001:db8::1]/x", "https://[2001:db8::1]:443/x"),
            ("https://[2001:db8::1]:99/x", "https://[2001:db8::1]/x"),
        ] {
            assert_eq!(*with_other_port(url), other);
        }
    }
}
