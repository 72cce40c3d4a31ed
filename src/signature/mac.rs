//! HMAC-SHA256 tags: computing, encoding and decoding.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::digest::CtOutput;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::encoding::Encoding;
use crate::secret::Secret;

/// HMAC-SHA256 tag, wiped when dropped; `==` runs in constant time.
pub(super) type Tag = CtOutput<Hmac<Sha256>>;

/// Computes the tag of the concatenated parts.
pub(super) fn mac(secret: &Secret, parts: &[&[u8]]) -> Tag {
    #[cfg(test)]
    COUNT.set(COUNT.get().saturating_add(1));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_bytes())
        .expect("HMAC accepts a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize()
}

/// Encodes a tag as header text.
pub(super) fn encode(tag: &Tag, encoding: Encoding) -> String {
    match encoding {
        Encoding::Hex => hex::encode(tag.as_bytes()),
        Encoding::Base64 => STANDARD.encode(tag.as_bytes()),
    }
}

/// Decodes header text; `None` if it is not exactly one tag.
pub(super) fn decode(text: &[u8], encoding: Encoding) -> Option<Tag> {
    let bytes: [u8; 32] = match encoding {
        Encoding::Hex => {
            let mut bytes = [0; 32];
            hex::decode_to_slice(text, &mut bytes).ok()?;
            bytes
        }
        Encoding::Base64 => decode_base64(text)?,
    };
    Some(Tag::new(bytes.into()))
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
            let tag = mac(&Secret::from_bytes(&key).unwrap(), &[start, end]);
            assert_eq!(encode(&tag, Encoding::Hex), vector["expected"]);
            count += 1;
        }
        assert_eq!(count, 4);
    }

    #[test]
    fn each_encoding_round_trips() {
        let tag = mac(&Secret::from_text("Jefe").unwrap(), &[]);
        for encoding in [Encoding::Hex, Encoding::Base64] {
            let text = encode(&tag, encoding);
            assert!(decode(text.as_bytes(), encoding).is_some_and(|read| read == tag));
        }
        let upper = encode(&tag, Encoding::Hex).to_uppercase();
        assert!(decode(upper.as_bytes(), Encoding::Hex).is_some_and(|read| read == tag));
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
