//! HMAC-SHA256 and the two ways in which its tag is written.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::digest::CtOutput;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::described::Encoding;
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

    /// RFC 4231 section 4.3.
    #[test]
    fn rfc_4231_test_case_2() {
        let secret = Secret::from_text("Jefe").unwrap();
        let tag = mac(&secret, &[b"what do ya want ", b"for nothing?"]);
        let hex = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(encode(&tag, Encoding::Hex), hex);
        for encoding in [Encoding::Hex, Encoding::Base64] {
            let text = encode(&tag, encoding);
            assert!(decode(text.as_bytes(), encoding).is_some_and(|read| read == tag));
        }
        let upper = hex.to_uppercase();
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
