//! Keys of events: source and id, both of bounded length.

use std::sync::Arc;

use sha2::{Digest, Sha256};

/// Source and id.
pub(super) type Key = (Arc<str>, Arc<str>);

/// The longest source or id that is stored as it is, in bytes.
const MAX_LEN: usize = 256;

/// The start of a digest. A text that starts with it is digested too, so that no text is equal to
/// the digest of another.
const DIGEST: &str = "long-sha256:";

/// Returns the key of an event.
pub(super) fn key(source: &str, id: &str) -> Key {
    (bounded(source), bounded(id))
}

/// Returns the keys of an event whose source and id may be those of its row, and so digests already.
pub(super) fn keys<'a>(source: &'a str, id: &'a str) -> impl Iterator<Item = Key> + 'a {
    spellings(source).flat_map(move |source| spellings(id).map(move |id| (source.clone(), id)))
}

fn spellings(text: &str) -> impl Iterator<Item = Arc<str>> + '_ {
    let is_digest = text.len() <= MAX_LEN && text.starts_with(DIGEST);
    std::iter::once(bounded(text)).chain(is_digest.then(|| text.into()))
}

fn bounded(text: &str) -> Arc<str> {
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
        let digest = bounded(&format!("{longest}y"));
        assert_eq!(digest.len(), DIGEST.len() + 64);
        assert_ne!(digest, bounded(&format!("{longest}z")));
        // The digest of a text is not the key of that digest.
        assert_ne!(bounded(&digest), digest);
    }
}
