//! Ed25519 keys.

use std::convert::Infallible;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::ed25519::signature::{MultipartSigner as _, MultipartVerifier as _};
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use crate::secret::trim_line_break;
use crate::secret::wipe::{self, KeyBox, wiping_stack};

/// Ed25519 private key (RFC 8032): the sender's signing key.
///
/// It is wiped when dropped, and `Debug` prints no part of it.
///
/// ```
/// use labhook::signature::Ed25519PrivateKey;
///
/// let key = Ed25519PrivateKey::from_seed(&[7; 32]);
/// let text = key.expose_whsk();
/// assert_eq!(Ed25519PrivateKey::from_whsk(&text)?.public(), key.public());
/// # Ok::<(), labhook::signature::Ed25519KeyError>(())
/// ```
#[doc(alias = "signing key")]
#[derive(Clone)]
pub struct Ed25519PrivateKey(KeyBox<SigningKey>);

impl Ed25519PrivateKey {
    /// Parses `whsk_` followed by base64 of the 32-byte seed, or of the seed and the 32-byte public
    /// key, as Svix writes it.
    ///
    /// # Errors
    ///
    /// [`Ed25519KeyError`] if the text is not a key, or its public half does not match the seed.
    pub fn from_whsk(text: &str) -> Result<Self, Ed25519KeyError> {
        let bytes = decode(text, "whsk_")?;
        let length = Ed25519KeyError::Length { bytes: bytes.len() };
        let (seed, public) = bytes.split_first_chunk::<32>().ok_or(length)?;
        let key = Self::from_seed(seed);
        match public.len() {
            0 => Ok(key),
            32 if key.0.verifying_key().as_bytes() == public => Ok(key),
            32 => Err(Ed25519KeyError::PublicKeyMismatch),
            _ => Err(length),
        }
    }

    /// Creates a key from its 32-byte seed; every seed is valid.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let Ok(key) = KeyBox::new(|| Ok::<_, Infallible>(SigningKey::from_bytes(seed)));
        Self(key)
    }

    /// Returns the public key, for receivers.
    #[must_use]
    pub fn public(&self) -> Ed25519PublicKey {
        Ed25519PublicKey(self.0.verifying_key())
    }

    /// Returns the key as `whsk_` text, seed and public key. Keep it out of logs and files.
    #[must_use]
    pub fn expose_whsk(&self) -> Zeroizing<String> {
        // The array is returned by value, and copied on the stack.
        wiping_stack(|| {
            let pair = Zeroizing::new(self.0.to_keypair_bytes());
            wipe::base64("whsk_", &*pair)
        })
    }

    /// Returns the signature of the concatenated parts.
    pub(super) fn sign(&self, parts: &[&[u8]]) -> [u8; 64] {
        wiping_stack(|| self.0.multipart_sign(parts).to_bytes())
    }
}

impl fmt::Debug for Ed25519PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ed25519PrivateKey")
    }
}

/// Ed25519 public key (RFC 8032): the receiver's verification key.
///
/// ```
/// use labhook::Verifier;
/// use labhook::signature::Ed25519PublicKey;
///
/// let text = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
/// let verifier = Verifier::standard_webhooks(Ed25519PublicKey::from_whpk(text)?);
/// # let _ = verifier;
/// # Ok::<(), labhook::signature::Ed25519KeyError>(())
/// ```
#[doc(alias = "verification key")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Ed25519PublicKey(VerifyingKey);

impl Ed25519PublicKey {
    /// Parses `whpk_` followed by base64 of the 32-byte public key.
    ///
    /// # Errors
    ///
    /// [`Ed25519KeyError`] if the text is not a key, or is one of the few weak keys under which
    /// anybody can sign.
    pub fn from_whpk(text: &str) -> Result<Self, Ed25519KeyError> {
        let bytes = decode(text, "whpk_")?;
        let bytes = <&[u8; 32]>::try_from(&**bytes)
            .map_err(|_| Ed25519KeyError::Length { bytes: bytes.len() })?;
        Self::from_bytes(bytes)
    }

    /// Parses 64 hexadecimal digits, as Discord's developer portal shows a key.
    ///
    /// # Errors
    ///
    /// [`Ed25519KeyError`] if the text is not a key, or is one of the few weak keys under which
    /// anybody can sign.
    pub fn from_hex(text: &str) -> Result<Self, Ed25519KeyError> {
        let text = trim_line_break(text).ok_or(Ed25519KeyError::OuterWhitespace)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| Ed25519KeyError::NotHex)?;
        Self::from_bytes(&bytes)
    }

    /// Creates a key from its 32 bytes.
    ///
    /// # Errors
    ///
    /// [`Ed25519KeyError::InvalidPublicKey`] if the bytes are not a usable public key.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, Ed25519KeyError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| Ed25519KeyError::InvalidPublicKey)?;
        if key.is_weak() { Err(Ed25519KeyError::InvalidPublicKey) } else { Ok(Self(key)) }
    }

    /// Returns the key as `whpk_` text, for receivers.
    #[must_use]
    pub fn to_whpk(&self) -> String {
        format!("whpk_{}", STANDARD.encode(self.0.as_bytes()))
    }

    /// Returns whether the signature is valid for the concatenated parts, under strict rules.
    ///
    /// `verify_strict` takes one slice, so its checks are made here: the key was checked with
    /// `is_weak` when it was created, R is checked here, then the ordinary verification runs.
    pub(super) fn verifies(&self, parts: &[&[u8]], signature: &[u8; 64]) -> bool {
        let signature = Signature::from_bytes(signature);
        VerifyingKey::from_bytes(signature.r_bytes()).is_ok_and(|r| !r.is_weak())
            && self.0.multipart_verify(parts, &signature).is_ok()
    }
}

impl fmt::Debug for Ed25519PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ed25519PublicKey")
    }
}

fn decode(text: &str, prefix: &'static str) -> Result<Zeroizing<Vec<u8>>, Ed25519KeyError> {
    let text = trim_line_break(text).ok_or(Ed25519KeyError::OuterWhitespace)?;
    let Some(encoded) = text.strip_prefix(prefix) else {
        let found = ["whsec_", "whsk_", "whpk_"]
            .into_iter()
            .find(|known| text.starts_with(known))
            .unwrap_or("something else");
        return Err(Ed25519KeyError::Prefix { wanted: prefix, found });
    };
    // A buffer of full size never grows, so no copy is left on the heap. The decoder's error quotes
    // a byte of the input, so it is not kept as the source.
    let mut buffer = Zeroizing::new(vec![0; encoded.len()]);
    let len =
        STANDARD.decode_slice(encoded, &mut buffer).map_err(|_| Ed25519KeyError::NotBase64)?;
    buffer.truncate(len);
    Ok(buffer)
}

/// Error for text or bytes that are not an Ed25519 key of the expected kind.
///
/// No variant contains any part of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Ed25519KeyError {
    /// The text starts with another prefix, or with no known prefix.
    #[error("the key must start with {wanted}, but starts with {found}")]
    Prefix {
        /// The expected prefix.
        wanted: &'static str,
        /// The known prefix that was found, or `something else`.
        found: &'static str,
    },
    /// The text starts or ends with whitespace other than one line break at the end, which is
    /// removed.
    #[error("the key must not start or end with whitespace, except for one line break at its end")]
    OuterWhitespace,
    /// The text after the prefix is not padded standard base64.
    #[error("the key is not standard base64")]
    NotBase64,
    /// The text is not 64 hexadecimal digits.
    #[error("the key is not 64 hexadecimal digits")]
    NotHex,
    /// The key has the wrong length.
    #[error("the key is {bytes} bytes long; expected 32, or 64 for a private key")]
    Length {
        /// Length of the decoded key in bytes.
        bytes: usize,
    },
    /// The second half of a private key is not the public key of its first half.
    #[error("the public half of the key does not match its private half")]
    PublicKeyMismatch,
    /// The bytes are not a public key, or are a weak key under which anybody can sign.
    #[error("the bytes are not a usable Ed25519 public key")]
    InvalidPublicKey,
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHSK: &str = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
    const SEED: &str = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc=";
    const WHPK: &str = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";

    #[test]
    fn seed_and_pair_give_the_same_key() {
        let pair = Ed25519PrivateKey::from_whsk(WHSK).unwrap();
        let seed = Ed25519PrivateKey::from_whsk(SEED).unwrap();
        assert_eq!(pair.public(), seed.public());
        assert_eq!(pair.public().to_whpk(), WHPK);
        assert_eq!(Ed25519PublicKey::from_whpk(WHPK).unwrap(), pair.public());
        assert_eq!(*seed.expose_whsk(), WHSK);
    }

    #[test]
    fn each_error_has_its_text() {
        let private = |text: &str| Ed25519PrivateKey::from_whsk(text).unwrap_err().to_string();
        let public = |text: &str| Ed25519PublicKey::from_whpk(text).unwrap_err().to_string();
        assert_eq!(private(WHPK), "the key must start with whsk_, but starts with whpk_");
        assert_eq!(public(WHSK), "the key must start with whpk_, but starts with whsk_");
        assert_eq!(public("1SiA"), "the key must start with whpk_, but starts with something else");
        assert_eq!(private("whsk_!"), "the key is not standard base64");
        assert_eq!(
            private(&format!(" {WHSK}")),
            "the key must not start or end with whitespace, except for one line break at its end"
        );
        assert!(Ed25519PrivateKey::from_whsk(&format!("{WHSK}\n")).is_ok());
        assert!(Ed25519PublicKey::from_whpk(&format!("{WHPK}\r\n")).is_ok());
        assert_eq!(
            private("whsk_AAAA"),
            "the key is 3 bytes long; expected 32, or 64 for a private key"
        );
        assert_eq!(
            public("whpk_"),
            "the key is 0 bytes long; expected 32, or 64 for a private key"
        );
        let swapped = WHSK.replace("VKIDij2", "VKIDij3");
        assert_eq!(private(&swapped), "the public half of the key does not match its private half");
        // The neutral point, of order one, and a y without an x.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let mut off_curve = [0; 32];
        off_curve[0] = 2;
        for bytes in [neutral, off_curve] {
            assert_eq!(
                Ed25519PublicKey::from_bytes(&bytes).unwrap_err().to_string(),
                "the bytes are not a usable Ed25519 public key"
            );
        }
    }

    #[test]
    fn rfc_8032_vectors_pass() {
        let vectors = include_str!("../../tests/data/signature/vectors.json");
        let vectors: Vec<serde_json::Value> = serde_json::from_str(vectors).unwrap();
        let is_ed25519 = |vector: &&serde_json::Value| vector["scheme"] == "ed25519-primitive";
        let mut count = 0;
        for vector in vectors.iter().filter(is_ed25519) {
            let bytes = |field: &str| hex::decode(vector[field].as_str().unwrap_or("")).unwrap();
            let seed: [u8; 32] = bytes("secret").try_into().unwrap();
            let public: [u8; 32] = bytes("public_key").try_into().unwrap();
            let (body, signature) = (bytes("body_hex"), bytes("expected"));
            let key = Ed25519PrivateKey::from_seed(&seed);
            assert_eq!(key.public(), Ed25519PublicKey::from_bytes(&public).unwrap());
            assert_eq!(key.sign(&[&body]).as_slice(), signature);
            let signature = signature.as_slice().try_into().unwrap();
            assert!(key.public().verifies(&[&body], signature));
            count += 1;
        }
        assert_eq!(count, 2);
    }

    /// Agrees with the library's own strict check of the joined bytes.
    #[test]
    fn verification_is_strict() {
        let key = Ed25519PrivateKey::from_seed(&[7; 32]);
        let parts: [&[u8]; 3] = [b"id.", b"5.", b"body"];
        let good = key.0.multipart_sign(&parts).to_bytes();
        assert!(key.public().verifies(&parts, &good));
        assert!(!key.public().verifies(&parts[..2], &good));
        let mut small_order_r = [0; 64];
        small_order_r[0] = 1;
        let mut high_s = good;
        high_s[63] |= 0xe0;
        for bytes in [[0; 64], [0xff; 64], small_order_r, high_s] {
            assert!(!key.public().verifies(&parts, &bytes));
            let signature = Signature::from_bytes(&bytes);
            let strict = key.0.verify_strict(b"id.5.body", &signature);
            assert!(strict.is_err());
        }
    }

    /// With R the neutral point and s = k * a, the ordinary equation holds for any message that the
    /// key holder chooses. Only the strict check rejects it.
    #[test]
    fn small_order_r_is_rejected() {
        use sha2::{Digest as _, Sha512};

        let key = Ed25519PrivateKey::from_seed(&[7; 32]);
        let parts: [&[u8]; 2] = [b"id.5.", b"body"];
        let mut signature = [0; 64];
        signature[0] = 1;

        // This crate cannot name the scalar type, so k is built from an existing scalar.
        let a = key.0.to_scalar();
        let one = a * a.invert();
        let double = |scalar| scalar + scalar;
        let mut k = a - a;
        let hash = Sha512::new()
            .chain_update(&signature[..32])
            .chain_update(key.0.verifying_key().as_bytes())
            .chain_update(parts.concat())
            .finalize();
        for byte in hash.iter().rev() {
            for bit in (0..8).rev() {
                k = double(k);
                if byte >> bit & 1 == 1 {
                    k += one;
                }
            }
        }
        signature[32..].copy_from_slice((k * a).as_bytes());

        let loose = Signature::from_bytes(&signature);
        assert!(key.0.verifying_key().multipart_verify(&parts, &loose).is_ok());
        assert!(key.0.verify_strict(&parts.concat(), &loose).is_err());
        assert!(!key.public().verifies(&parts, &signature));
    }
}
