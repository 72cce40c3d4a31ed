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
