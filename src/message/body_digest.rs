//! Length and SHA-256 of a body: [`BodyDigest`].

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Length and SHA-256 digest of a body: what a message holds of a body that your application keeps.
///
/// Its text, such as `sha256:4413...ff8a`, can be the key under which the body is stored.
///
/// ```
/// use labhook::message::BodyDigest;
///
/// let digest = BodyDigest::of(b"{}");
/// assert!(digest.matches(b"{}") && !digest.matches(b"[]"));
/// assert_eq!(digest.body_len(), 2);
/// assert_eq!(
///     digest.to_string(),
///     "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
/// );
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BodyDigest {
    len: u64,
    #[serde(with = "sha256")]
    sha256: [u8; 32],
}

impl BodyDigest {
    /// Creates a digest from a length in bytes and a SHA-256 (FIPS 180-4) that were computed
    /// elsewhere.
    #[must_use]
    pub const fn new(body_len: u64, sha256: [u8; 32]) -> Self {
        Self { len: body_len, sha256 }
    }

    /// Computes the digest of a body.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        Self::new(len(body), Sha256::digest(body).into())
    }

    /// Returns whether this is the digest of the body. A body of another length is not read.
    #[must_use]
    pub fn matches(&self, body: &[u8]) -> bool {
        self.len == len(body) && *self == Self::of(body)
    }

    /// Returns the length of the body, in bytes.
    #[must_use]
    pub const fn body_len(&self) -> u64 {
        self.len
    }

    /// Returns the SHA-256 of the body.
    #[must_use]
    pub const fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }
}

pub(super) fn len(body: &[u8]) -> u64 {
    u64::try_from(body.len()).unwrap_or(u64::MAX)
}

impl fmt::Display for BodyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", hex::encode(self.sha256))
    }
}

impl fmt::Debug for BodyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BodyDigest({} bytes, {self})", self.len)
    }
}

mod sha256 {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(sha256: &[u8; 32], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex::encode(sha256))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
        let text = String::deserialize(from)?;
        let mut sha256 = [0; 32];
        let is_lowercase = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        if is_lowercase && hex::decode_to_slice(text, &mut sha256).is_ok() {
            Ok(sha256)
        } else {
            Err(Error::custom("`sha256` must be 64 lowercase hexadecimal digits"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digest of the empty body (FIPS 180-4), as published in many places.
    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn digest_has_length_and_sha256() {
        let digest = BodyDigest::of(b"");
        assert_eq!((digest.body_len(), hex::encode(digest.sha256())), (0, EMPTY.to_owned()));
        assert_eq!(digest.to_string(), format!("sha256:{EMPTY}"));
        assert_eq!(format!("{digest:?}"), format!("BodyDigest(0 bytes, sha256:{EMPTY})"));
        assert_eq!(BodyDigest::new(0, *digest.sha256()), digest);
    }

    #[test]
    fn digest_matches_its_own_body_only() {
        let digest = BodyDigest::of(b"abc");
        assert!(digest.matches(b"abc"));
        for other in [&b"abd"[..], b"ab", b"abcd", b""] {
            assert!(!digest.matches(other), "{other:?}");
        }
        // The length counts, even if a table of digests says otherwise.
        assert!(!BodyDigest::new(4, *digest.sha256()).matches(b"abc"));
    }

    #[test]
    fn digest_round_trips_through_saved_state() {
        let digest = BodyDigest::of(b"");
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(json, format!(r#"{{"len":0,"sha256":"{EMPTY}"}}"#));
        assert_eq!(serde_json::from_str::<BodyDigest>(&json).unwrap(), digest);
    }

    #[test]
    fn malformed_digest_is_refused() {
        let digits = "`sha256` must be 64 lowercase hexadecimal digits";
        for (json, reason) in [
            (format!(r#"{{"len":0,"sha256":"{}"}}"#, EMPTY.to_uppercase()), digits),
            (format!(r#"{{"len":0,"sha256":"{EMPTY}00"}}"#), digits),
            (format!(r#"{{"len":0,"sha256":"{}"}}"#, &EMPTY[2..]), digits),
            (format!(r#"{{"len":0,"sha256":"{}"}}"#, EMPTY.replace('e', "g")), digits),
            (format!(r#"{{"len":0,"sha256":"{}"}}"#, EMPTY.replace("e3", "é")), digits),
            (format!(r#"{{"len":-1,"sha256":"{EMPTY}"}}"#), "invalid value: integer `-1`"),
            (format!(r#"{{"sha256":"{EMPTY}"}}"#), "missing field `len`"),
            (r#"{"len":0}"#.to_owned(), "missing field `sha256`"),
            (format!(r#"{{"len":0,"sha256":"{EMPTY}","md5":""}}"#), "unknown field `md5`"),
        ] {
            let error = serde_json::from_str::<BodyDigest>(&json).unwrap_err().to_string();
            assert!(error.starts_with(reason), "{json}: {error}");
        }
    }
}
