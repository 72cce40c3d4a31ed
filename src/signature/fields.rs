//! Contents of a signature header: [`Fields`].

use http::{HeaderMap, HeaderName};

use super::custom_scheme::{CustomScheme, TimestampSource};
use super::error::VerifyError;
use super::headers;
use super::key::VerifyingKey;
use super::limits::MAX_CANDIDATES;
use super::mac::{self, Tag};

#[cfg(feature = "ed25519")]
use super::limits::MAX_ED25519_CANDIDATES;
#[cfg(feature = "ed25519")]
use super::scheme;

/// Timestamp and candidate signatures of a signature header; only candidates that the keys can
/// check are kept.
#[derive(Default)]
pub(super) struct Fields<'h> {
    pub(super) timestamp: Option<&'h [u8]>,
    tags: Vec<Tag>,
    #[cfg(feature = "ed25519")]
    ed25519: Vec<[u8; 64]>,
}

impl<'h> Fields<'h> {
    /// Reads the signature headers with these names. A malformed element, or one of another
    /// version, is skipped: a valid signature may follow.
    pub(super) fn read<'n>(
        layout: &CustomScheme,
        names: impl Iterator<Item = &'n HeaderName>,
        headers: &'h HeaderMap,
        keys: &[VerifyingKey],
    ) -> Result<Self, VerifyError> {
        let too_many =
            |limit| VerifyError::TooManyCandidates { name: layout.header.clone(), limit };
        let wants_shared = keys.iter().any(|key| matches!(key, VerifyingKey::Shared(_)));
        #[cfg(feature = "ed25519")]
        let wants_ed25519 = keys.iter().any(|key| matches!(key, VerifyingKey::Ed25519(_)));

        let mut fields = Self::default();
        let mut counted: Vec<&[u8]> = Vec::new();
        let mut lists = Vec::new();
        for name in names {
            lists.push(headers::elements(headers, name, layout)?);
        }
        // Whether the element before is a signature with the prefix, or one of its further values.
        let mut in_values = false;
        for list in lists {
            // Both brands sign the same bytes, so a sender of both writes each signature twice.
            let earlier = counted.len();
            for element in list {
                if let Some((TimestampSource::Field(prefix), _)) = &layout.timestamp
                    && let Some(text) = element.strip_prefix(prefix.as_bytes())
                {
                    if fields.timestamp.is_some_and(|other| other != text) {
                        return Err(VerifyError::ConflictingTimestamp {
                            name: layout.header.clone(),
                        });
                    }
                    fields.timestamp = Some(text);
                    in_values = false;
                    continue;
                }
                if counted.iter().take(earlier).any(|other| *other == element) {
                    continue;
                }
                if counted.len() == MAX_CANDIDATES {
                    return Err(too_many(MAX_CANDIDATES));
                }
                counted.push(element);
                #[cfg(feature = "ed25519")]
                if wants_ed25519
                    && let Some(text) = element.strip_prefix(scheme::V1A.as_bytes())
                    && let Some(signature) = mac::decode_base64(text)
                {
                    if fields.ed25519.len() == MAX_ED25519_CANDIDATES {
                        return Err(too_many(MAX_ED25519_CANDIDATES));
                    }
                    fields.ed25519.push(signature);
                }
                let prefixed = element.strip_prefix(layout.prefix.as_bytes());
                let tag = prefixed
                    .or(in_values.then_some(element))
                    .and_then(|text| mac::decode(text, layout.encoding));
                // A field with another prefix ends the values: those that follow are its own.
                in_values =
                    layout.value_separator.is_some() && (prefixed.is_some() || tag.is_some());
                if wants_shared {
                    fields.tags.extend(tag);
                }
            }
        }
        Ok(fields)
    }

    /// Returns whether there is no candidate that a key could match.
    pub(super) fn is_empty(&self) -> bool {
        #[cfg(feature = "ed25519")]
        if !self.ed25519.is_empty() {
            return false;
        }
        self.tags.is_empty()
    }

    /// Returns whether a candidate is the key's signature of the concatenated parts.
    pub(super) fn any_matches(&self, key: &VerifyingKey, parts: &[&[u8]]) -> bool {
        match key {
            VerifyingKey::Shared(_) if self.tags.is_empty() => false,
            VerifyingKey::Shared(secret) => {
                // One tag per key; every candidate is compared with it in constant time.
                let tag = mac::mac(secret, parts);
                self.tags.contains(&tag)
            }
            // The hash of an Ed25519 verification starts with part of the signature, so candidates
            // cannot share it.
            #[cfg(feature = "ed25519")]
            VerifyingKey::Ed25519(key) => {
                self.ed25519.iter().any(|candidate| key.verifies(parts, candidate))
            }
        }
    }
}
