//! Key material: [`Secret`].

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

/// The shortest key that [`Secret::from_whsec`] takes, in bytes.
const WHSEC_MIN_LEN: usize = 16;

/// Vendors hand out secrets with and without padding, and one published secret has stray trailing
/// bits; all of them name one key without doubt.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A shared secret: the key of an HMAC, or a token.
///
/// To make one, take 24 to 64 bytes from the system's source of randomness, and
/// [`expose_whsec`](Self::expose_whsec) to hand it to the other side.
///
/// A secret comes in one of four forms that look alike and are not: the constructor says which.
/// It is wiped when dropped, its `Debug` prints no part of it, and it has neither `Display` nor
/// `Serialize`: [`expose_bytes`](Self::expose_bytes) is the way out that a reviewer can search
/// for.
///
/// | you were given | use |
/// |---|---|
/// | `whsec_MfKQ9r8GKYqr...` (Standard Webhooks, Svix) | [`from_whsec`](Self::from_whsec) |
/// | text to be used as it is (Strike, GitHub, Slack) | [`from_text`](Self::from_text) |
/// | base64 that stands for bytes, without a prefix | [`from_base64`](Self::from_base64) |
/// | bytes | [`from_bytes`](Self::from_bytes) |
///
/// ```
/// use labhook::Secret;
///
/// let secret = Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
/// assert_eq!(secret.expose_bytes().len(), 24);
/// assert_eq!(format!("{secret:?}"), "Secret(24 bytes)");
///
/// let error = Secret::from_whsec("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the secret does not start with whsec_: it looks like base64, see Secret::from_base64"
/// );
/// # Ok::<(), labhook::secret::SecretError>(())
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<Box<[u8]>>);

impl Secret {
    /// Reads `whsec_` followed by standard base64, padded or not.
    ///
    /// The Standard Webhooks specification asks the sender for 24 to 64 bytes. Shorter keys are
    /// in use (a published test secret has 23 bytes), so 16 bytes, the strength of a 128-bit key,
    /// is where this refuses; there is no upper bound.
    ///
    /// # Errors
    ///
    /// [`SecretError`], which names the form that the text looks like.
    pub fn from_whsec(text: &str) -> Result<Self, SecretError> {
        let Some(encoded) = text.strip_prefix("whsec_") else {
            return Err(SecretError::NotWhsec { looks_like: SecretEncoding::of(text) });
        };
        let bytes = decode_base64(encoded)?;
        if bytes.len() < WHSEC_MIN_LEN {
            return Err(SecretError::TooShort { bytes: bytes.len() });
        }
        Self::from_boxed(bytes)
    }

    /// Reads standard base64, padded or not, without a prefix.
    ///
    /// # Errors
    ///
    /// [`SecretError`] where the text is empty or not base64, or carries a known prefix.
    pub fn from_base64(text: &str) -> Result<Self, SecretError> {
        match SecretEncoding::of(text) {
            form @ (SecretEncoding::Whsec
            | SecretEncoding::VersionedWhsec
            | SecretEncoding::Ed25519Private
            | SecretEncoding::Ed25519Public) => Err(SecretError::Prefixed { looks_like: form }),
            SecretEncoding::Base64 | SecretEncoding::Text => Self::from_boxed(decode_base64(text)?),
        }
    }

    /// Takes the UTF-8 bytes of the text as the key, whatever the text looks like.
    ///
    /// # Errors
    ///
    /// [`SecretError::Empty`].
    pub fn from_text(text: &str) -> Result<Self, SecretError> {
        Self::from_bytes(text.as_bytes())
    }

    /// Takes the bytes as the key.
    ///
    /// # Errors
    ///
    /// [`SecretError::Empty`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SecretError> {
        Self::from_boxed(Zeroizing::new(bytes.into()))
    }

    fn from_boxed(bytes: Zeroizing<Box<[u8]>>) -> Result<Self, SecretError> {
        if bytes.is_empty() { Err(SecretError::Empty) } else { Ok(Self(bytes)) }
    }

    /// The key itself. Keep it out of logs and files.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The secret in the `whsec_` form, to be handed to a receiver once.
    #[must_use]
    pub fn expose_whsec(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(
            self.0.len().saturating_mul(2).saturating_add("whsec_".len()),
        ));
        text.push_str("whsec_");
        base64::engine::general_purpose::STANDARD.encode_string(&**self.0, &mut text);
        text
    }
}

fn decode_base64(text: &str) -> Result<Zeroizing<Box<[u8]>>, SecretError> {
    // Decoding into a buffer of full size leaves no shorter copy behind on the heap.
    let mut buffer = Zeroizing::new(vec![0; text.len()]);
    // The decoder's own error quotes a byte of the input, so it is not kept as the source.
    let len = LENIENT.decode_slice(text, &mut buffer).map_err(|_| SecretError::NotBase64)?;
    Ok(Zeroizing::new(buffer.get(..len).unwrap_or_default().into()))
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}

/// The form that a secret's text looks like, for the errors that help to pick the constructor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretEncoding {
    /// `whsec_...`: see [`Secret::from_whsec`].
    Whsec,
    /// `v1,whsec_...`: as some dashboards show it; strip the `v1,`.
    VersionedWhsec,
    /// `whsk_...`: an Ed25519 private key.
    Ed25519Private,
    /// `whpk_...`: an Ed25519 public key.
    Ed25519Public,
    /// Base64 without a prefix: see [`Secret::from_base64`].
    Base64,
    /// Anything else: see [`Secret::from_text`].
    Text,
}

impl SecretEncoding {
    fn of(text: &str) -> Self {
        if text.starts_with("whsec_") {
            Self::Whsec
        } else if text.starts_with("v1,whsec_") {
            Self::VersionedWhsec
        } else if text.starts_with("whsk_") {
            Self::Ed25519Private
        } else if text.starts_with("whpk_") {
            Self::Ed25519Public
        } else if text.len() >= WHSEC_MIN_LEN && decode_base64(text).is_ok() {
            Self::Base64
        } else {
            Self::Text
        }
    }
}

impl fmt::Display for SecretEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whsec => "a whsec_ secret, see Secret::from_whsec",
            Self::VersionedWhsec => {
                "a whsec_ secret behind a version, strip the part before whsec_"
            }
            Self::Ed25519Private => "an Ed25519 private key, not a shared secret",
            Self::Ed25519Public => "an Ed25519 public key, not a shared secret",
            Self::Base64 => "base64, see Secret::from_base64",
            Self::Text => "plain text, see Secret::from_text",
        })
    }
}

/// The text or bytes are not usable as a secret in the form that was named.
///
/// No variant holds any part of the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The secret is empty: anybody could sign with it.
    #[error("the secret is empty")]
    Empty,
    /// The text does not start with `whsec_`.
    #[error("the secret does not start with whsec_: it looks like {looks_like}")]
    NotWhsec {
        /// What the text looks like instead.
        looks_like: SecretEncoding,
    },
    /// The text carries a prefix where bare base64 was named.
    #[error("the secret is not bare base64: it looks like {looks_like}")]
    Prefixed {
        /// What the text looks like instead.
        looks_like: SecretEncoding,
    },
    /// The text is not standard base64.
    #[error("the secret is not standard base64")]
    NotBase64,
    /// A `whsec_` secret stands for fewer than 16 bytes.
    #[error("the secret has {bytes} bytes, and 16 are the least")]
    TooShort {
        /// How many bytes the text stands for.
        bytes: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_text() {
        let whsec = |text: &str| Secret::from_whsec(text).unwrap_err().to_string();
        assert_eq!(
            whsec("v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            "the secret does not start with whsec_: \
             it looks like a whsec_ secret behind a version, strip the part before whsec_"
        );
        assert_eq!(
            whsec("whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfV"),
            "the secret does not start with whsec_: \
             it looks like an Ed25519 private key, not a shared secret"
        );
        assert_eq!(
            whsec("testtesttest"),
            "the secret does not start with whsec_: it looks like plain text, see Secret::from_text"
        );
        assert_eq!(whsec("whsec_!"), "the secret is not standard base64");
        assert_eq!(whsec("whsec_"), "the secret has 0 bytes, and 16 are the least");
        assert_eq!(whsec("whsec_AAAA"), "the secret has 3 bytes, and 16 are the least");
        assert_eq!(Secret::from_text("").unwrap_err().to_string(), "the secret is empty");
        assert_eq!(Secret::from_base64("").unwrap_err().to_string(), "the secret is empty");
        assert_eq!(
            Secret::from_base64("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap_err().to_string(),
            "the secret is not bare base64: it looks like a whsec_ secret, see Secret::from_whsec"
        );
    }

    #[test]
    fn unpadded_and_padded_base64_are_the_same_key() {
        let padded = Secret::from_base64("AAECAwQFBgcICQoLDA0ODw==").unwrap();
        let bare = Secret::from_base64("AAECAwQFBgcICQoLDA0ODw").unwrap();
        assert_eq!(padded.expose_bytes(), bare.expose_bytes());
        assert_eq!(padded.expose_bytes().len(), 16);
        assert_eq!(*padded.expose_whsec(), "whsec_AAECAwQFBgcICQoLDA0ODw==");
    }
}
