//! HMAC-SHA256 tags: computing, encoding and decoding.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::KeyInit as _;
use hmac::block_api::HmacCore;
use hmac::digest::block_api::{Buffer, FixedOutputCore as _, UpdateCore as _};
use hmac::digest::{CtOutput, Output};
use sha2::Sha256;

use super::encoding::Encoding;
use crate::secret::Secret;
use crate::secret::wipe::{KeyBox, wiping_stack};

/// HMAC-SHA256 tag, wiped when dropped; `==` runs in constant time.
pub(super) type Tag = CtOutput<Core>;

/// HMAC-SHA256 without the buffer for a partial block, so that a key is small and no tag moves one.
type Core = HmacCore<Sha256>;

/// Secret as an HMAC-SHA256 key: the state after its two key blocks is kept, so that each tag
/// hashes only the signed bytes. Wiped when dropped.
#[derive(Clone)]
pub(super) struct MacKey {
    secret: Secret,
    keyed: KeyBox<Core>,
}

impl MacKey {
    pub(super) fn new(secret: Secret) -> Self {
        let keyed = KeyBox::new(|| Core::new_from_slice(secret.expose_bytes()));
        Self { secret, keyed: keyed.expect("HMAC accepts a key of any length") }
    }

    pub(super) const fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Computes the tag of the concatenated parts.
    pub(super) fn tag(&self, parts: &[&[u8]]) -> Tag {
        #[cfg(test)]
        COUNT.set(COUNT.get().saturating_add(1));
        wiping_stack(|| {
            let mut core = Core::clone(&self.keyed);
            let mut buffer = Buffer::<Core>::default();
            for part in parts {
                buffer.digest_blocks(part, |blocks| core.update_blocks(blocks));
            }
            let mut tag = Output::<Core>::default();
            core.finalize_fixed_core(&mut buffer, &mut tag);
            Tag::new(tag)
        })
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.secret, f)
    }
}

/// Appends a tag as header text, of [`encoded_len`] bytes.
pub(super) fn encode(tag: &Tag, encoding: Encoding, text: &mut Vec<u8>) {
    let mut buffer = [0; 64];
    let len = match encoding {
        Encoding::Hex => hex::encode_to_slice(tag.as_bytes(), &mut buffer).ok().map(|()| 64),
        Encoding::Base64 => STANDARD.encode_slice(tag.as_bytes(), &mut buffer).ok(),
    };
    text.extend_from_slice(
        len.and_then(|len| buffer.get(..len)).expect("a tag of 32 bytes fits in either encoding"),
    );
}

/// The length of an encoded tag, in bytes.
pub(super) const fn encoded_len(encoding: Encoding) -> usize {
    match encoding {
        Encoding::Hex => 64,
        Encoding::Base64 => 44,
    }
}

/// Decodes header text; `None` if it is not exactly one tag.
pub(super) fn decode(text: &[u8], encoding: Encoding) -> Option<[u8; 32]> {
    if text.len() != encoded_len(encoding) {
        return None;
    }
    match encoding {
        Encoding::Hex => {
            let mut bytes = [0; 32];
            hex::decode_to_slice(text, &mut bytes).ok()?;
            Some(bytes)
        }
        Encoding::Base64 => decode_base64(text),
    }
}

/// Decodes padded standard base64 of exactly `N` bytes, 64 at most.
pub(super) fn decode_base64<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    // The decoder may ask for a few bytes more than it writes.
    let mut buffer = [0; 72];
    let len = STANDARD.decode_slice(text, &mut buffer).ok()?;
    buffer.get(..len)?.try_into().ok()
}

#[cfg(test)]
thread_local! {
    /// The number of tags that this thread has computed.
    pub(super) static COUNT: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(tag: &Tag, encoding: Encoding) -> String {
        let mut text = Vec::new();
        encode(tag, encoding, &mut text);
        assert_eq!(text.len(), encoded_len(encoding));
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn rfc_4231_vectors_pass() {
        let vectors = include_str!("../../tests/data/signature/vectors.json");
        let vectors: Vec<serde_json::Value> = serde_json::from_str(vectors).unwrap();
        let is_mac = |vector: &&serde_json::Value| vector["scheme"] == "hmac-sha256-primitive";
        let mut count = 0;
        for vector in vectors.iter().filter(is_mac) {
            let bytes = |field: &str| hex::decode(vector[field].as_str().unwrap()).unwrap();
            let (key, body) = (bytes("key_hex"), bytes("body_hex"));
            let (start, end) = body.split_at(body.len() / 3);
            let tag = MacKey::new(Secret::from_bytes(&key).unwrap()).tag(&[start, end]);
            assert_eq!(encoded(&tag, Encoding::Hex), vector["expected"]);
            count += 1;
        }
        assert_eq!(count, 4);
    }

    #[test]
    fn each_encoding_round_trips() {
        let tag = MacKey::new(Secret::from_text("Jefe").unwrap()).tag(&[]);
        let bytes = <[u8; 32]>::try_from(tag.as_bytes().as_slice()).unwrap();
        for encoding in [Encoding::Hex, Encoding::Base64] {
            let text = encoded(&tag, encoding);
            assert_eq!(decode(text.as_bytes(), encoding), Some(bytes));
        }
        let upper = encoded(&tag, Encoding::Hex).to_uppercase();
        assert_eq!(decode(upper.as_bytes(), Encoding::Hex), Some(bytes));
    }

    #[test]
    fn input_of_any_length_is_handled() {
        for encoding in [Encoding::Hex, Encoding::Base64] {
            for len in 0..200 {
                let text = vec![b'0'; len];
                let one_tag = encoding == Encoding::Hex && len == 64;
                assert_eq!(decode(&text, encoding).is_some(), one_tag, "{len}");
            }
            assert!(decode(b"\xff\0", encoding).is_none());
        }
    }
}
