//! Keys of events: source and id, both of bounded length.

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

/// Source and id, with the digest by which they are found.
pub(super) struct Key<'a> {
    pub(super) source: Cow<'a, str>,
    pub(super) id: Cow<'a, str>,
    /// The start of a SHA-256. Nobody can choose ids that have many digests in common.
    pub(super) digest: u64,
}

/// The longest source or id that is stored as it is, in bytes.
const MAX_LEN: usize = 256;

/// The start of a digest. A text that starts with it is digested too, so that no text is equal to
/// the digest of another.
const DIGEST: &str = "long-sha256:";

impl<'a> Key<'a> {
    /// Returns the key of an event.
    pub(super) fn new(source: &'a str, id: &'a str) -> Self {
        Self::of_row(bounded(source), bounded(id))
    }

    /// Returns the key of a row, of which source and id are bounded.
    pub(super) fn of_row(source: impl Into<Cow<'a, str>>, id: impl Into<Cow<'a, str>>) -> Self {
        let (source, id) = (source.into(), id.into());
        let digest = digest(&source, &id);
        Self { source, id, digest }
    }
}

/// Returns the keys of an event whose source and id may be those of its row, and so digests already.
pub(super) fn keys<'a>(source: &'a str, id: &'a str) -> impl Iterator<Item = Key<'a>> {
    spellings(source)
        .flat_map(move |source| spellings(id).map(move |id| Key::of_row(source.clone(), id)))
}

/// Returns the start of a digest of source and id. The length of the source tells them apart.
pub(super) fn digest(source: &str, id: &str) -> u64 {
    let len = u64::try_from(source.len()).unwrap_or(u64::MAX);
    let digest = Sha256::new().chain_update(len.to_le_bytes()).chain_update(source);
    let [a, b, c, d, e, f, g, h, ..] = digest.chain_update(id).finalize().0;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

fn spellings(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let is_digest = text.len() <= MAX_LEN && text.starts_with(DIGEST);
    std::iter::once(bounded(text)).chain(is_digest.then_some(text.into()))
}

fn bounded(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_LEN && !text.starts_with(DIGEST) {
        text.into()
    } else {
        format!("{DIGEST}{}", hex::encode(Sha256::digest(text))).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_digested() {
        let longest = "x".repeat(MAX_LEN);
        assert_eq!(&*bounded(&longest), longest);
        let long = format!("{longest}y");
        let digest = bounded(&long);
        assert_eq!(digest.len(), DIGEST.len() + 64);
        assert_ne!(digest, bounded(&format!("{longest}z")));
        // The digest of a text is not the key of that digest.
        assert_ne!(bounded(&digest), digest);
    }

    #[test]
    fn only_a_short_digest_has_two_spellings() {
        let digest = bounded(&"x".repeat(MAX_LEN + 1)).into_owned();
        for (text, count) in
            [("a", 1), (&*digest, 2), (&"x".repeat(300), 1), (&format!("{digest:x<300}"), 1)]
        {
            assert_eq!(spellings(text).count(), count, "{text}");
        }
    }

    #[test]
    fn digest_tells_source_from_id() {
        assert_eq!(digest("a", "b"), digest("a", "b"));
        assert_ne!(digest("a", "bc"), digest("ab", "c"));
    }
}
