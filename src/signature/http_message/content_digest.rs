//! Content-Digest (RFC 9530): [`value`], [`ContentDigest`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::super::http_message_error::HttpMessageError;
use super::super::mac;
use super::CONTENT_DIGEST;
use super::structured_field::{self, BareItem, Value};

const SHA_256: &str = "sha-256";

/// Returns the header's value for the body.
pub(super) fn value(body: &[u8]) -> String {
    format!("{SHA_256}=:{}:", STANDARD.encode(Sha256::digest(body)))
}

/// `sha-256` digest in a content-digest header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ContentDigest([u8; 32]);

impl ContentDigest {
    /// Reads the header's value. Digests of other algorithms are ignored.
    pub(super) fn read(text: &str) -> Result<Self, HttpMessageError> {
        let malformed = || HttpMessageError::MalformedField { name: CONTENT_DIGEST.clone() };
        let members = structured_field::dictionary(text).map_err(|_| malformed())?;
        let mut own = members.iter().filter(|member| member.key == SHA_256);
        let digest = own.next().ok_or(HttpMessageError::MissingDigest)?;
        match digest.value {
            Value::Item(BareItem::Bytes(base64)) if own.next().is_none() => {
                mac::decode_base64(base64.as_bytes()).map(Self).ok_or_else(malformed)
            }
            _ => Err(malformed()),
        }
    }

    /// Checks that the digest is that of the body.
    pub(super) fn check(&self, body: &[u8]) -> Result<(), HttpMessageError> {
        let found: [u8; 32] = Sha256::digest(body).into();
        if found == self.0 { Ok(()) } else { Err(HttpMessageError::OtherDigest) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &str = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";

    fn check(text: &str, body: &[u8]) -> Result<(), &'static str> {
        let digest = ContentDigest::read(text);
        digest.and_then(|digest| digest.check(body)).map_err(|error| error.name())
    }

    #[test]
    fn other_digests_are_ignored() {
        let body = br#"{"hello": "world"}"#;
        assert_eq!(value(body), HELLO);
        assert_eq!(check(HELLO, body), Ok(()));
        assert_eq!(check(&format!("sha-512=:AAAA:, {HELLO},md5=:AA==:"), body), Ok(()));
        assert_eq!(check(HELLO, b"{}"), Err("other-digest"));
    }

    #[test]
    fn digest_without_one_sha_256_is_refused() {
        for (text, name) in [
            ("sha-512=:AAAA:", "missing-digest"),
            ("SHA-256=:AAAA:", "malformed-field"),
            ("sha-256=:AAAA:", "malformed-field"),
            ("sha-256", "malformed-field"),
            ("sha-256=\"a\"", "malformed-field"),
            ("", "malformed-field"),
            (&format!("{HELLO}, {HELLO}"), "malformed-field"),
            // Base64 without padding, and with bits that no byte has.
            ("sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE:", "malformed-field"),
            ("sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPF=:", "malformed-field"),
        ] {
            assert_eq!(check(text, b""), Err(name), "{text}");
        }
    }
}
