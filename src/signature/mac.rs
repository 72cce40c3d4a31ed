//! HMAC-SHA256 and the two ways in which its tag is written.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::digest::CtOutput;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::scheme_spec::Encoding;
use crate::secret::Secret;

/// A tag, wiped when dropped; its `==` takes the same time wherever two tags differ.
pub(super) type Tag = CtOutput<Hmac<Sha256>>;

/// The tag over the parts, one after the other.
pub(super) fn mac(secret: &Secret, parts: &[&[u8]]) -> Tag {
    #[cfg(test)]
    COUNT.set(COUNT.get().saturating_add(1));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_bytes())
        .expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize()
}

pub(super) fn encode(tag: &Tag, encoding: Encoding) -> String {
    match encoding {
        Encoding::Hex => hex::encode(tag.as_bytes()),
        Encoding::Base64 => STANDARD.encode(tag.as_bytes()),
    }
}

/// Reads a tag; anything that is not exactly one is `None`.
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

/// Reads padded standard base64 that stands for exactly `N` bytes, 64 at most.
pub(super) fn decode_base64<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    // The decoder's estimate of what it needs may be a few bytes above the truth.
    let mut buffer = [0; 72];
    let len = STANDARD.decode_slice(text, &mut buffer).ok()?;
    buffer.get(..len)?.try_into().ok()
}

#[cfg(test)]
thread_local! {
    /// How many tags this thread has computed.
    pub(super) static COUNT: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_4231_pass() {
        let vectors = include_str!("../../tests/data/signature/vectors.json");
        let vectors: Vec<serde_json::Value> = serde_json::from_str(vectors).unwrap();
        let of_mac = |vector: &&serde_json::Value| vector["scheme"] == "hmac-sha256-primitive";
        let mut count = 0;
        for vector in vectors.iter().filter(of_mac) {
            let bytes = |member: &str| hex::decode(vector[member].as_str().unwrap()).unwrap();
            let (key, body) = (bytes("key_hex"), bytes("body_hex"));
            let (start, end) = body.split_at(body.len() / 3);
            let tag = mac(&Secret::from_bytes(&key).unwrap(), &[start, end]);
            assert_eq!(encode(&tag, Encoding::Hex), vector["expected"]);
            count += 1;
        }
        assert_eq!(count, 4);
    }

    #[test]
    fn each_encoding_reads_what_it_writes() {
        let tag = mac(&Secret::from_text("Jefe").unwrap(), &[]);
        for encoding in [Encoding::Hex, Encoding::Base64] {
            let text = encode(&tag, encoding);
            assert!(decode(text.as_bytes(), encoding).is_some_and(|read| read == tag));
        }
        let upper = encode(&tag, Encoding::Hex).to_uppercase();
        assert!(decode(upper.as_bytes(), Encoding::Hex).is_some_and(|read| read == tag));
    }

    #[test]
    fn any_length_is_an_answer() {
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
