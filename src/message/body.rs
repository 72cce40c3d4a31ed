//! The body of a rendering, or a reference to it: [`Body`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::body_digest::{BodyDigest, len};

/// A body that the message holds, or that the host keeps.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Body {
    Inline(Bytes),
    Kept(BodyDigest),
}

impl Body {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Inline(bytes) => len(bytes),
            Self::Kept(digest) => digest.body_len(),
        }
    }

    pub(super) fn digest(&self) -> BodyDigest {
        match self {
            Self::Inline(bytes) => BodyDigest::of(bytes),
            Self::Kept(digest) => *digest,
        }
    }

    /// Returns whether these are the bytes of the body.
    pub(super) fn is(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Inline(own) => own == bytes,
            Self::Kept(digest) => digest.matches(bytes),
        }
    }

    /// Returns whether both are the same body, wherever it is.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (body, Self::Inline(bytes)) | (Self::Inline(bytes), body) => body.is(bytes),
            (Self::Kept(one), Self::Kept(other)) => one == other,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Saved<T> {
    Text(T),
    Base64(T),
    Kept(BodyDigest),
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Kept(digest) => Saved::<&str>::Kept(*digest).serialize(to),
            Self::Inline(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Saved::Text(text).serialize(to),
                Err(_) => Saved::Base64(&*STANDARD.encode(bytes)).serialize(to),
            },
        }
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Saved::<String>::deserialize(from)? {
            Saved::Text(text) => Ok(Self::Inline(text.into())),
            Saved::Base64(text) => match STANDARD.decode(text) {
                Ok(bytes) => Ok(Self::Inline(bytes.into())),
                Err(error) => Err(serde::de::Error::custom(error)),
            },
            Saved::Kept(digest) => Ok(Self::Kept(digest)),
        }
    }
}
