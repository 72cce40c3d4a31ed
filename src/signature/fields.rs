//! Contents of a signature header: [`Fields`].

use http::{HeaderMap, HeaderName};

use super::custom_scheme::{CustomScheme, TimestampSource};
use super::error::VerifyError;
use super::headers;
use super::key::ReadyVerifyingKey;
use super::limits::{MAX_CANDIDATES, MAX_PUBLIC_KEY_CANDIDATES};
use super::mac::{self, Tag};
use super::public_key::PublicKeySignature;
use super::up_to::UpTo;

/// Without a feature there are no public keys, and so no room for their signatures.
const OTHERS: usize =
    if cfg!(any(feature = "ed25519", feature = "p256")) { MAX_PUBLIC_KEY_CANDIDATES } else { 0 };

/// Timestamp and candidate signatures of a signature header; only candidates that the keys can
/// check are kept. The limits on their number bound its size, so that it needs no allocation.
pub(super) struct Fields<'h> {
    pub(super) timestamp: Option<&'h [u8]>,
    tags: UpTo<[u8; 32], MAX_CANDIDATES>,
    others: UpTo<PublicKeySignature, OTHERS>,
}

impl<'h> Fields<'h> {
    /// Creates the contents of no header.
    pub(super) const fn new() -> Self {
        Self {
            timestamp: None,
            tags: UpTo::new([0; 32]),
            others: UpTo::new(PublicKeySignature::UNUSED),
        }
    }

    /// Reads the signature headers with these names. A malformed element, or one of another
    /// version, is skipped: a valid signature may follow.
    pub(super) fn read<'n>(
        &mut self,
        layout: &CustomScheme,
        names: impl Iterator<Item = &'n HeaderName>,
        headers: &'h HeaderMap,
        keys: &[ReadyVerifyingKey],
    ) -> Result<(), VerifyError> {
        let mut reader = Reader {
            layout,
            fields: self,
            keys,
            wants_shared: keys.iter().any(|key| matches!(key, ReadyVerifyingKey::Shared(_))),
            wants_public: keys.iter().any(|key| matches!(key, ReadyVerifyingKey::Public(_))),
            counted: UpTo::new(&[]),
            earlier: 0,
            in_values: false,
        };
        for name in names {
            reader.earlier = reader.counted.len();
            let mut lines = headers.get_all(name).iter().peekable();
            if lines.peek().is_none() {
                return Err(headers::missing(name));
            }
            for line in lines {
                reader.read_line(line.as_bytes())?;
            }
        }
        Ok(())
    }

    /// Returns whether there is no candidate that a key could match.
    pub(super) fn is_empty(&self) -> bool {
        self.tags.len() == 0 && self.others.len() == 0
    }

    /// Returns whether a candidate is the key's signature of the concatenated parts.
    pub(super) fn any_matches(&self, key: &ReadyVerifyingKey, parts: &[&[u8]]) -> bool {
        match key {
            ReadyVerifyingKey::Shared(_) if self.tags.len() == 0 => false,
            ReadyVerifyingKey::Shared(key) => {
                // One tag per key; every candidate is compared with it in constant time.
                let tag = key.tag(parts);
                self.tags.iter().any(|candidate| Tag::new((*candidate).into()) == tag)
            }
            ReadyVerifyingKey::Public(key) => key.any_verifies(parts, self.others.iter()),
        }
    }
}

struct Reader<'r, 'h> {
    layout: &'r CustomScheme,
    fields: &'r mut Fields<'h>,
    keys: &'r [ReadyVerifyingKey],
    wants_shared: bool,
    wants_public: bool,
    /// Signatures of any kind.
    counted: UpTo<&'h [u8], MAX_CANDIDATES>,
    /// How many of them are from the headers before: both brands sign the same bytes, so a sender
    /// of both writes each signature twice.
    earlier: usize,
    /// Whether the element before is a signature with the prefix, or one of its further values.
    in_values: bool,
}

impl<'h> Reader<'_, 'h> {
    fn read_line(&mut self, line: &'h [u8]) -> Result<(), VerifyError> {
        // Nearly every line is one signature. It has no separator in it, and needs no splitting.
        if let Some(tag) = self.tag(line) {
            return self.add(line, Some(tag));
        }
        let layout = self.layout;
        layout.elements(line).try_for_each(|element| self.read_element(element))
    }

    fn read_element(&mut self, element: &'h [u8]) -> Result<(), VerifyError> {
        let header = &self.layout.header;
        if let Some(prefix) = &self.layout.stronger_prefix
            && element.starts_with(prefix.as_bytes())
        {
            return Err(VerifyError::StrongerSignature { name: header.clone() });
        }
        if let Some((TimestampSource::Field(prefix), _)) = &self.layout.timestamp
            && let Some(text) = element.strip_prefix(prefix.as_bytes())
        {
            if self.fields.timestamp.is_some_and(|other| other != text) {
                return Err(VerifyError::ConflictingTimestamp { name: header.clone() });
            }
            self.fields.timestamp = Some(text);
            self.in_values = false;
            return Ok(());
        }
        self.add(element, self.tag(element))
    }

    /// The tag, if the element is one with its prefix.
    fn tag(&self, element: &[u8]) -> Option<[u8; 32]> {
        let text = element.strip_prefix(self.layout.prefix.as_bytes())?;
        mac::decode(text, self.layout.encoding)
    }

    /// The signature of another algorithm than HMAC, if a key can check it.
    fn public_key_signature(&self, element: &[u8]) -> Option<PublicKeySignature> {
        let (algorithm, text) = self.layout.public_key_signature(element)?;
        if !self.keys.iter().any(|key| key.algorithm() == algorithm) {
            return None;
        }
        let (_, encoding) = self.layout.form_of(algorithm);
        PublicKeySignature::read(algorithm, encoding.decode(text, &mut [0; 80])?)
    }

    /// Counts a signature, and keeps it if a key can check it.
    fn add(&mut self, element: &'h [u8], tag: Option<[u8; 32]>) -> Result<(), VerifyError> {
        let name = || self.layout.header.clone();
        if self.counted.iter().take(self.earlier).any(|other| *other == element) {
            return Ok(());
        }
        if !self.counted.push(element) {
            return Err(VerifyError::TooManyCandidates { name: name(), limit: MAX_CANDIDATES });
        }
        if self.wants_public
            && let Some(signature) = self.public_key_signature(element)
            && !self.fields.others.push(signature)
        {
            let limit = MAX_PUBLIC_KEY_CANDIDATES;
            return Err(VerifyError::TooManyCandidates { name: name(), limit });
        }
        let is_prefixed = element.starts_with(self.layout.prefix.as_bytes());
        let tag = match tag {
            None if self.in_values && !is_prefixed => mac::decode(element, self.layout.encoding),
            tag => tag,
        };
        // A field with another prefix ends the values: those that follow are its own.
        self.in_values = self.layout.value_separator.is_some() && (is_prefixed || tag.is_some());
        if self.wants_shared
            && let Some(tag) = tag
        {
            // As many as are counted, at most.
            self.fields.tags.push(tag);
        }
        Ok(())
    }
}
