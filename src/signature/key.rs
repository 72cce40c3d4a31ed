//! Signing and verifying keys: [`SigningKey`], [`VerifyingKey`].

use super::algorithm::Algorithm;
use super::mac::MacKey;
use super::public_key::{PrivateKey, PublicKey};
use super::scheme::Scheme;
use crate::secret::Secret;

#[cfg(feature = "ed25519")]
use super::ed25519::{Ed25519PrivateKey, Ed25519PublicKey};
#[cfg(feature = "p256")]
use super::p256::{P256PrivateKey, P256PublicKey};

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
    /// Ed25519 private key, for Standard Webhooks `v1a` and custom schemes.
    #[cfg(feature = "ed25519")]
    Ed25519(Ed25519PrivateKey),
    /// ECDSA P-256 private key, for Benchling's `v{n}der` and custom schemes.
    #[cfg(feature = "p256")]
    P256(P256PrivateKey),
}

/// Verification key of a [`Verifier`](super::Verifier). `Debug` prints no part of it.
#[doc(alias = "public key")]
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum VerifyingKey {
    /// Secret shared with the sender: an HMAC-SHA256 key, or the token itself.
    Shared(Secret),
    /// Ed25519 public key, for Standard Webhooks `v1a` and custom schemes.
    #[cfg(feature = "ed25519")]
    Ed25519(Ed25519PublicKey),
    /// ECDSA P-256 public key, for Benchling's `v{n}der` and custom schemes.
    #[cfg(feature = "p256")]
    P256(P256PublicKey),
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

#[cfg(feature = "p256")]
impl From<P256PrivateKey> for SigningKey {
    fn from(key: P256PrivateKey) -> Self {
        Self::P256(key)
    }
}

#[cfg(feature = "p256")]
impl From<P256PublicKey> for VerifyingKey {
    fn from(key: P256PublicKey) -> Self {
        Self::P256(key)
    }
}

/// [`SigningKey`] as a signer keeps it.
#[derive(Clone, Debug)]
pub(super) enum ReadySigningKey {
    Shared(MacKey),
    #[cfg_attr(
        not(any(feature = "ed25519", feature = "p256")),
        allow(dead_code, reason = "without a feature there is no such key")
    )]
    Private(PrivateKey),
}

/// [`VerifyingKey`] as a verifier keeps it.
#[derive(Clone, Debug)]
pub(super) enum ReadyVerifyingKey {
    Shared(MacKey),
    #[cfg_attr(
        not(any(feature = "ed25519", feature = "p256")),
        allow(dead_code, reason = "without a feature there is no such key")
    )]
    Public(PublicKey),
}

impl ReadySigningKey {
    /// Prepares a key for the scheme, if it fits.
    pub(super) fn new(key: SigningKey, scheme: &Scheme) -> Result<Self, KeyError> {
        let key = Self::from(key);
        match &key {
            Self::Shared(key) => check_secret(key.secret(), scheme)?,
            Self::Private(_) => check_algorithm(key.algorithm(), scheme)?,
        }
        Ok(key)
    }

    pub(super) const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Shared(_) => Algorithm::HmacSha256,
            Self::Private(key) => key.algorithm(),
        }
    }
}

impl ReadyVerifyingKey {
    /// Prepares a key for the scheme, if it fits.
    pub(super) fn new(key: VerifyingKey, scheme: &Scheme) -> Result<Self, KeyError> {
        let key = Self::from(key);
        match &key {
            Self::Shared(key) => check_secret(key.secret(), scheme)?,
            Self::Public(_) => check_algorithm(key.algorithm(), scheme)?,
        }
        Ok(key)
    }

    pub(super) const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Shared(_) => Algorithm::HmacSha256,
            Self::Public(key) => key.algorithm(),
        }
    }
}

impl From<SigningKey> for ReadySigningKey {
    fn from(key: SigningKey) -> Self {
        match key {
            SigningKey::Shared(secret) => Self::Shared(MacKey::new(secret)),
            #[cfg(feature = "ed25519")]
            SigningKey::Ed25519(key) => Self::Private(PrivateKey::Ed25519(key)),
            #[cfg(feature = "p256")]
            SigningKey::P256(key) => Self::Private(PrivateKey::P256(key)),
        }
    }
}

impl From<VerifyingKey> for ReadyVerifyingKey {
    fn from(key: VerifyingKey) -> Self {
        match key {
            VerifyingKey::Shared(secret) => Self::Shared(MacKey::new(secret)),
            #[cfg(feature = "ed25519")]
            VerifyingKey::Ed25519(key) => Self::Public(PublicKey::Ed25519(key)),
            #[cfg(feature = "p256")]
            VerifyingKey::P256(key) => Self::Public(PublicKey::P256(key)),
        }
    }
}

fn check_secret(secret: &Secret, scheme: &Scheme) -> Result<(), KeyError> {
    check_algorithm(Algorithm::HmacSha256, scheme)?;
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

fn check_algorithm(algorithm: Algorithm, scheme: &Scheme) -> Result<(), KeyError> {
    match scheme.required_algorithm() {
        Some(required) if required != algorithm => Err(KeyError::OtherAlgorithm { required }),
        _ => Ok(()),
    }
}

/// Error for a key that does not fit the scheme.
///
/// The mistake is in the configuration. No variant contains any part of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The scheme requires a key of another algorithm.
    #[error("the scheme requires {}", required_key(*.required))]
    OtherAlgorithm {
        /// The scheme's algorithm.
        required: Algorithm,
    },
    /// The token is not a valid header value: it contains a control character, often the line feed
    /// at the end of a file, or starts or ends with whitespace.
    #[error(
        "the token must be a valid header value, without control characters \
         and without whitespace at either end"
    )]
    NotHeaderValue,
}

const fn required_key(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::HmacSha256 => "a shared secret, not a private or public key",
        Algorithm::Ed25519 => "an Ed25519 key, which needs the feature `ed25519`",
        Algorithm::EcdsaP256 => "an ECDSA P-256 key, which needs the feature `p256`",
    }
}
