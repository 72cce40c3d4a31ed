//! Keys of public-key signatures: [`PrivateKey`], [`PublicKey`]. Without a feature there are none.

use super::algorithm::Algorithm;

#[cfg(feature = "ed25519")]
use super::ed25519::{Ed25519PrivateKey, Ed25519PublicKey};
#[cfg(feature = "p256")]
use super::p256::{self, P256PrivateKey, P256PublicKey};

/// Private key of either algorithm.
#[derive(Clone, Debug)]
pub(super) enum PrivateKey {
    #[cfg(feature = "ed25519")]
    Ed25519(Ed25519PrivateKey),
    #[cfg(feature = "p256")]
    P256(P256PrivateKey),
}

/// Public key of either algorithm.
#[derive(Clone, Debug)]
pub(super) enum PublicKey {
    #[cfg(feature = "ed25519")]
    Ed25519(Ed25519PublicKey),
    #[cfg(feature = "p256")]
    P256(P256PublicKey),
}

/// Signature of either algorithm, in 64 bytes.
#[derive(Clone, Copy)]
pub(super) struct PublicKeySignature {
    algorithm: Algorithm,
    bytes: [u8; 64],
}

impl PrivateKey {
    #[allow(clippy::uninhabited_references, reason = "without a feature there is no key")]
    pub(super) const fn algorithm(&self) -> Algorithm {
        match *self {
            #[cfg(feature = "ed25519")]
            Self::Ed25519(_) => Algorithm::Ed25519,
            #[cfg(feature = "p256")]
            Self::P256(_) => Algorithm::EcdsaP256,
        }
    }

    /// Returns the signature of the concatenated parts, as a header carries it before its encoding.
    #[allow(clippy::uninhabited_references, reason = "without a feature there is no key")]
    #[cfg_attr(
        not(any(feature = "ed25519", feature = "p256")),
        allow(unused_variables, reason = "without a feature there is no key")
    )]
    pub(super) fn sign(&self, parts: &[&[u8]]) -> Vec<u8> {
        match *self {
            #[cfg(feature = "ed25519")]
            Self::Ed25519(ref key) => key.sign(parts).to_vec(),
            #[cfg(feature = "p256")]
            Self::P256(ref key) => p256::to_der(&key.sign(parts)),
        }
    }

    /// Returns the signature of the concatenated parts in its 64 bytes: r and s, for ECDSA.
    #[allow(clippy::uninhabited_references, reason = "without a feature there is no key")]
    #[cfg_attr(
        not(any(feature = "ed25519", feature = "p256")),
        allow(unused_variables, reason = "without a feature there is no key")
    )]
    pub(super) fn sign_fixed(&self, parts: &[&[u8]]) -> [u8; 64] {
        match *self {
            #[cfg(feature = "ed25519")]
            Self::Ed25519(ref key) => key.sign(parts),
            #[cfg(feature = "p256")]
            Self::P256(ref key) => key.sign(parts),
        }
    }
}

impl PublicKey {
    #[allow(clippy::uninhabited_references, reason = "without a feature there is no key")]
    pub(super) const fn algorithm(&self) -> Algorithm {
        match *self {
            #[cfg(feature = "ed25519")]
            Self::Ed25519(_) => Algorithm::Ed25519,
            #[cfg(feature = "p256")]
            Self::P256(_) => Algorithm::EcdsaP256,
        }
    }

    /// Returns whether one of these is the key's signature of the concatenated parts.
    #[allow(clippy::uninhabited_references, reason = "without a feature there is no key")]
    #[cfg_attr(
        not(any(feature = "ed25519", feature = "p256")),
        allow(unused_variables, unused_mut, reason = "without a feature there is no key")
    )]
    pub(super) fn any_verifies<'s>(
        &self,
        parts: &[&[u8]],
        signatures: impl Iterator<Item = &'s PublicKeySignature>,
    ) -> bool {
        let own = self.algorithm();
        let mut own = signatures.filter(|it| it.algorithm == own).map(|it| &it.bytes);
        match *self {
            // The hash of an Ed25519 verification starts with part of the signature, so signatures
            // cannot share it.
            #[cfg(feature = "ed25519")]
            Self::Ed25519(ref key) => own.any(|signature| key.verifies(parts, signature)),
            #[cfg(feature = "p256")]
            Self::P256(ref key) => {
                let Some(first) = own.next() else { return false };
                let verifies = key.verifier_of(parts);
                verifies(first) || own.any(verifies)
            }
        }
    }
}

impl PublicKeySignature {
    pub(super) const UNUSED: Self = Self { algorithm: Algorithm::HmacSha256, bytes: [0; 64] };

    /// Creates a signature of its 64 bytes: r and s, for ECDSA.
    pub(super) const fn new(algorithm: Algorithm, bytes: [u8; 64]) -> Self {
        Self { algorithm, bytes }
    }

    /// Reads a signature after its encoding; `None` if it is not one of the algorithm.
    pub(super) fn read(algorithm: Algorithm, bytes: &[u8]) -> Option<Self> {
        let bytes = match algorithm {
            Algorithm::Ed25519 => bytes.try_into().ok()?,
            #[cfg(feature = "p256")]
            Algorithm::EcdsaP256 => p256::from_der(bytes)?,
            _ => return None,
        };
        Some(Self { algorithm, bytes })
    }
}
