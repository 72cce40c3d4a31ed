//! What a signer signs with and a verifier checks with.

use crate::secret::Secret;
use crate::signature::scheme::Scheme;

#[cfg(feature = "ed25519")]
use crate::signature::ed25519::{Ed25519PrivateKey, Ed25519PublicKey};

/// What a [`Signer`](super::Signer) signs with. `Debug` prints no key.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SigningKey {
    /// A secret that the receiver holds too: HMAC-SHA256, or the token itself.
    Shared(Secret),
    /// An Ed25519 private key: Standard Webhooks `v1a`.
    #[cfg(feature = "ed25519")]
    Ed25519(Ed25519PrivateKey),
}

/// What a [`Verifier`](super::Verifier) checks with. `Debug` prints no key.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum VerifyingKey {
    /// A secret that the sender holds too: HMAC-SHA256, or the token itself.
    Shared(Secret),
    /// An Ed25519 public key: Standard Webhooks `v1a`.
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

fn check_shared(secret: &Secret, scheme: &Scheme) -> Result<(), KeyError> {
    let bytes = secret.expose_bytes();
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    // Transports drop blanks at both ends of a value, and refuse the other bytes.
    let fits_header = bytes.iter().all(|&byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f))
        && !blank(bytes.first())
        && !blank(bytes.last());
    if matches!(scheme, Scheme::Token(_)) && !fits_header {
        Err(KeyError::NotHeaderValue)
    } else {
        Ok(())
    }
}

#[cfg(feature = "ed25519")]
fn check_ed25519(scheme: &Scheme) -> Result<(), KeyError> {
    if scheme.takes_ed25519() { Ok(()) } else { Err(KeyError::SharedOnly) }
}

/// The key does not go with the scheme.
///
/// Whoever configured the two is at fault. No variant holds any part of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The scheme has no asymmetric signatures.
    #[error("the scheme takes a shared secret, not an ed25519 key")]
    SharedOnly,
    /// A token is sent as it is, and this one cannot be: it holds a control character (often the
    /// line feed at the end of a file), or a blank at an end.
    #[error("the token cannot be sent in a header: it holds a control character or outer blanks")]
    NotHeaderValue,
}
