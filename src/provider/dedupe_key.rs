//! What a repetition of a vendor's event is known by: [`DedupeKey`].

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::signature::Verified;

/// What a repetition of a vendor's event is known by: the id for an
/// [`Inbox`](crate::Inbox::begin).
///
/// Where the vendor sends an id it is that id. Where it does not, it is built of what tells two
/// events apart, and the vendor's module says of what, and which events it cannot tell apart.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DedupeKey(Box<str>);

impl DedupeKey {
    /// The id that was signed with the body, or else the body itself, as the SHA-256 of it.
    ///
    /// An outbox freezes a message's bytes, so all copies of it have one digest. Two events of
    /// another sender may well have one body, where nothing in it is different: then the second
    /// would pass for a repetition.
    #[must_use]
    pub fn of(verified: &Verified<'_>) -> Self {
        match verified.id() {
            Some(id) => Self::of_id(id.as_str()),
            None => Self::of_body(verified.body()),
        }
    }

    pub(crate) fn of_body(body: &[u8]) -> Self {
        Self(format!("sha256:{}", hex::encode(Sha256::digest(body))).into())
    }

    pub(crate) fn of_id(id: &str) -> Self {
        Self(id.into())
    }

    /// Joins the parts so that two different lists of parts never give one key: each part is
    /// preceded by its length.
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

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
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
    fn parts_cannot_be_moved_into_one_another() {
        let key = |parts: &[&str]| DedupeKey::of_parts(parts.iter().copied());
        assert_eq!(key(&["p1", "r1", "run_started"]).as_str(), "2:p1/2:r1/11:run_started");
        assert_ne!(key(&["a/1:b"]), key(&["a", "b"]));
        assert_ne!(key(&["", "a"]), key(&["a", ""]));
        assert_ne!(key(&["a"]), key(&["a", ""]));
    }
}
