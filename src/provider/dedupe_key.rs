//! The idempotency key of a vendor's event: [`DedupeKey`].

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::signature::Verified;

/// Idempotency key of an event: equal for all deliveries of one event from the same source.
///
/// Pass it as the id to [`Inbox::begin`](crate::Inbox::begin).
///
/// If the vendor sends an event id, the key is that id. Otherwise it is built from the fields that
/// distinguish events; the vendor's module lists them, and the events that they cannot distinguish.
///
/// ```
/// use std::num::NonZeroUsize;
/// use labhook::provider::DedupeKey;
/// use labhook::{Inbox, Secret, Timestamp, Verifier};
///
/// # let body = b"{}";
/// # let now = Timestamp::from_unix_seconds(1_744_882_200);
/// # let secret = || Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
/// # let id = labhook::MessageId::new("msg_1")?;
/// # let headers = labhook::Signer::svix(secret()?).sign(&id, now, body)?;
/// let verified = Verifier::svix(secret()?).verify(&headers, body, now)?;
/// let key = DedupeKey::of(&verified);
/// assert_eq!(key.as_str(), "msg_1");
///
/// let mut inbox = Inbox::new(NonZeroUsize::new(1_000).unwrap());
/// let claim = inbox.begin("labelling", key.as_str(), now).claim(now);
/// assert!(claim.is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[doc(alias = "idempotency key")]
#[doc(alias = "deduplication")]
#[doc(alias = "redelivery")]
pub struct DedupeKey(Box<str>);

impl DedupeKey {
    /// Returns the signed message id as the key, or the SHA-256 of the body if the scheme signs no
    /// id.
    ///
    /// An [`Outbox`](crate::Outbox) freezes a message's bytes, so all its deliveries have the same
    /// digest. Another sender may send two events with identical bodies; the second would then
    /// count as a duplicate.
    #[must_use]
    pub fn of(verified: &Verified<'_>) -> Self {
        match verified.id() {
            Some(id) => Self::of_id(id),
            None => Self::of_body(verified.body()),
        }
    }

    pub(crate) fn of_body(body: &[u8]) -> Self {
        Self(format!("sha256:{}", hex::encode(Sha256::digest(body))).into())
    }

    pub(crate) fn of_id(id: &str) -> Self {
        Self(id.into())
    }

    /// Joins the parts, each preceded by its length, so that different lists of parts always give
    /// different keys.
    pub(crate) fn of_parts<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut key = String::new();
        for part in parts {
            if !key.is_empty() {
                key.push('/');
            }
            key.push_str(&part.len().to_string());
            key.push(':');
            key.push_str(part);
        }
        Self(key.into())
    }

    /// Returns the key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Restores a key that was stored as text. Any text is a key.
impl FromStr for DedupeKey {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.into()))
    }
}

impl AsRef<str> for DedupeKey {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DedupeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DedupeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_parts_give_different_keys() {
        let key = |parts: &[&str]| DedupeKey::of_parts(parts.iter().copied());
        assert_eq!(key(&["p1", "r1", "run_started"]).as_str(), "2:p1/2:r1/11:run_started");
        assert_ne!(key(&["a/1:b"]), key(&["a", "b"]));
        assert_ne!(key(&["", "a"]), key(&["a", ""]));
        assert_ne!(key(&["a"]), key(&["a", ""]));
    }

    #[test]
    fn stored_key_equals_the_original() {
        let key = DedupeKey::of_parts(["p1", "r1"]);
        assert_eq!(key.to_string().parse(), Ok(key.clone()));
        let json = serde_json::to_string(&key).unwrap();
        assert_eq!(json, r#""2:p1/2:r1""#);
        assert_eq!(serde_json::from_str::<DedupeKey>(&json).unwrap(), key);
    }
}
