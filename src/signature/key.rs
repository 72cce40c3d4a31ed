//! Signing and verifying keys: [`SigningKey`], [`VerifyingKey`].

use super::mac::MacKey;
use super::scheme::Scheme;
use crate::secret::Secret;

#[cfg(feature = "ed25519")]
use super::ed25519::{Ed25519PrivateKey, Ed25519PublicKey};

/// Signing key of a [`Signer`](super::Signer). `Debug` prints no part of it.
///
/// ```
/// use labhook::signature::{Scheme, SigningKey};
/// use labhook::{Secret, Signer};
///
/// let key = SigningKey::from(Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?);
/// let signer = Signer::new(Scheme::StandardWebhooks, key)?;
/// # let _ = signer;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "private key")]
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SigningKey {
    /// Secret shared with the receiver: an HMAC-SHA256 key, or the token itself.
    Shared(Secret),
    /// Ed25519 private key, for Standard Webhooks `v1a`.
    #[cfg(feature = "ed25519")]
    Ed25519(Ed25519PrivateKey),
}

/// Verification key of a [`Verifier`](super::Verifier). `Debug` prints no part of it.
#[doc(alias = "public key")]
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum VerifyingKey {
    /// Secret shared with the sender: an HMAC-SHA256 key, or the token itself.
    Shared(Secret),
    /// Ed25519 public key, for Standard Webhooks `v1a`.
    #[cfg(feature = "ed25519")]
    Ed25519(Ed25519PublicKey),
}

impl From<Secret> for SigningKey {
    fn from(secret: Secret) -> Self {
        Self::Shared(secret)
    }
}

impl From<Secret> for VerifyingKey {
    fn from(secret: Secret) -> Self {
        Self::Shared(secret)
    }
}

#[cfg(feature = "ed25519")]
impl From<Ed25519PrivateKey> for SigningKey {
    fn from(key: Ed25519PrivateKey) -> Self {
        Self::Ed25519(key)
    }
}

#[cfg(feature = "ed25519")]
impl From<Ed25519PublicKey> for VerifyingKey {
    fn from(key: Ed25519PublicKey) -> Self {
        Self::Ed25519(key)
    }
}

impl SigningKey {
    pub(super) fn check(&self, scheme: &Scheme) -> Result<(), KeyError> {
        match self {
            Self::Shared(secret) => check_shared(secret, scheme),
            #[cfg(feature = "ed25519")]
            Self::Ed25519(_) => check_ed25519(scheme),
        }
    }
}

impl VerifyingKey {
    pub(super) fn check(&self, scheme: &Scheme) -> Result<(), KeyError> {
        match self {
            Self::Shared(secret) => check_shared(secret, scheme),
            #[cfg(feature = "ed25519")]
            Self::Ed25519(_) => check_ed25519(scheme),
        }
    }
}

/// [`SigningKey`] as a signer keeps it.
#[derive(Clone, Debug)]
pub(super) enum ReadySigningKey {
    Shared(MacKey),
    #[cfg(feature = "ed25519")]
    Ed25519(Ed25519PrivateKey),
}

impl From<SigningKey> for ReadySigningKey {
    fn from(key: SigningKey) -> Self {
        match key {
            SigningKey::Shared(secret) => Self::Shared(MacKey::new(secret)),
            #[cfg(feature = "ed25519")]
            SigningKey::Ed25519(key) => Self::Ed25519(key),
        }
    }
}

/// [`VerifyingKey`] as a verifier keeps it.
#[derive(Clone, Debug)]
pub(super) enum ReadyVerifyingKey {
    Shared(MacKey),
    #[cfg(feature = "ed25519")]
    Ed25519(Ed25519PublicKey),
}

impl From<VerifyingKey> for ReadyVerifyingKey {
    fn from(key: VerifyingKey) -> Self {
        match key {
            VerifyingKey::Shared(secret) => Self::Shared(MacKey::new(secret)),
            #[cfg(feature = "ed25519")]
            VerifyingKey::Ed25519(key) => Self::Ed25519(key),
        }
    }
}

fn check_shared(secret: &Secret, scheme: &Scheme) -> Result<(), KeyError> {
    let bytes = secret.expose_bytes();
    let is_whitespace = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    // Transports trim whitespace at both ends of a value, and reject control characters.
    let fits_header = bytes.iter().all(|&byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f))
        && !is_whitespace(bytes.first())
        && !is_whitespace(bytes.last());
    if matches!(scheme, Scheme::Token(_)) && !fits_header {
        Err(KeyError::NotHeaderValue)
    } else {
        Ok(())
    }
}

#[cfg(feature = "ed25519")]
fn check_ed25519(scheme: &Scheme) -> Result<(), KeyError> {
    if scheme.supports_ed25519() { Ok(()) } else { Err(KeyError::SharedOnly) }
}

/// Error for a key that does not fit the scheme.
///
/// The mistake is in the configuration. No variant contains any part of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The scheme does not support Ed25519 keys.
    #[error("the scheme requires a shared secret, not an Ed25519 key")]
    SharedOnly,
    /// The token is not a valid header value: it contains a control character, often the line feed
    /// at the end of a file, or starts or ends with whitespace.
    #[error(
        "the token must be a valid header value, without control characters \
         and without whitespace at either end"
    )]
    NotHeaderValue,
}
