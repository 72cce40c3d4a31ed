//! ECDSA P-256 keys.

use std::fmt;

use ::p256::ecdsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
use ::p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use ::p256::pkcs8::{DecodePublicKey as _, EncodePublicKey as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::secret::wipe::{KeyBox, wiping_stack};

/// ECDSA P-256 private key (FIPS 186-5): the sender's signing key.
///
/// It is wiped when dropped, and `Debug` prints no part of it. Signatures are deterministic
/// (RFC 6979), so signing needs no randomness.
///
/// ```
/// use labhook::signature::P256PrivateKey;
///
/// let key = P256PrivateKey::from_scalar(&[7; 32])?;
/// # let _ = key;
/// # Ok::<(), labhook::signature::P256KeyError>(())
/// ```
#[doc(alias = "signing key")]
#[derive(Clone)]
pub struct P256PrivateKey(KeyBox<SigningKey>);

impl P256PrivateKey {
    /// Creates a key from its scalar, big-endian: the member `d` of a JSON Web Key, decoded.
    ///
    /// # Errors
    ///
    /// [`P256KeyError::InvalidPrivateKey`] if the scalar is zero or not below the order of the
    /// curve.
    pub fn from_scalar(scalar: &[u8; 32]) -> Result<Self, P256KeyError> {
        let key = KeyBox::new(|| SigningKey::from_slice(scalar));
        key.map(Self).map_err(|_| P256KeyError::InvalidPrivateKey)
    }

    /// Returns the public key, for receivers.
    #[must_use]
    pub fn public(&self) -> P256PublicKey {
        P256PublicKey(*self.0.verifying_key())
    }

    /// Returns the signature of the concatenated parts, r and s.
    pub(super) fn sign(&self, parts: &[&[u8]]) -> [u8; 64] {
        let hash = hash(parts);
        let signature: Result<Signature, _> = wiping_stack(|| self.0.sign_prehash(&hash));
        signature.expect("a SHA-256 hash is long enough to be signed").to_bytes().into()
    }
}

impl fmt::Debug for P256PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("P256PrivateKey")
    }
}

/// ECDSA P-256 public key (FIPS 186-5): the receiver's verification key.
///
/// [`KeySet`](crate::signature::KeySet) reads such keys from a JSON Web Key Set.
///
/// ```
/// use labhook::Verifier;
/// use labhook::signature::{CustomScheme, P256PublicKey};
///
/// // As SendGrid's settings show it; the lines of a PEM file work too.
/// let text = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpV\
///     KS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==";
/// let verifier = Verifier::custom(CustomScheme::SENDGRID, P256PublicKey::from_spki(text)?)?;
/// # let _ = verifier;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "verification key")]
#[derive(Clone, PartialEq, Eq)]
pub struct P256PublicKey(VerifyingKey);

impl P256PublicKey {
    /// Parses base64 of a `SubjectPublicKeyInfo` in DER (RFC 5480), alone or in the lines of a PEM
    /// file (RFC 7468).
    ///
    /// # Errors
    ///
    /// [`P256KeyError`] if the text is not such a key.
    pub fn from_spki(text: &str) -> Result<Self, P256KeyError> {
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("-----"));
        let base64: String = lines.collect();
        let der = STANDARD.decode(base64).map_err(|_| P256KeyError::NotBase64)?;
        let key = VerifyingKey::from_public_key_der(&der);
        key.map(Self).map_err(|_| P256KeyError::InvalidPublicKey)
    }

    /// Creates a key from a point of the curve (SEC 1, section 2.3.3): 65 bytes that start with 4,
    /// or 33 bytes that start with 2 or 3.
    ///
    /// # Errors
    ///
    /// [`P256KeyError::InvalidPublicKey`] if the bytes are not a point of the curve.
    pub fn from_point(bytes: &[u8]) -> Result<Self, P256KeyError> {
        if !matches!((bytes.first(), bytes.len()), (Some(4), 65) | (Some(2 | 3), 33)) {
            return Err(P256KeyError::InvalidPublicKey);
        }
        let key = VerifyingKey::from_sec1_bytes(bytes);
        key.map(Self).map_err(|_| P256KeyError::InvalidPublicKey)
    }

    /// Returns the key as base64 of its `SubjectPublicKeyInfo`, for receivers.
    #[must_use]
    #[allow(clippy::missing_panics_doc, reason = "the DER of every P-256 key has the same length")]
    pub fn to_spki(&self) -> String {
        let der = self.0.to_public_key_der().expect("a P-256 key fits into a DER document");
        STANDARD.encode(der.as_bytes())
    }

    /// Returns a function that tells whether a signature, r and s, is one of the concatenated parts.
    /// The parts are hashed once.
    pub(super) fn verifier_of(&self, parts: &[&[u8]]) -> impl Fn(&[u8; 64]) -> bool {
        let hash = hash(parts);
        move |signature| {
            Signature::from_slice(signature)
                .is_ok_and(|signature| self.0.verify_prehash(&hash, &signature).is_ok())
        }
    }
}

impl fmt::Debug for P256PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("P256PublicKey")
    }
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// Reads a signature in DER: r and s.
pub(super) fn from_der(der: &[u8]) -> Option<[u8; 64]> {
    Some(Signature::from_der(der).ok()?.to_bytes().into())
}

/// Returns a signature, r and s, in DER.
pub(super) fn to_der(signature: &[u8; 64]) -> Vec<u8> {
    let signature = Signature::from_slice(signature).expect("this crate made the signature");
    signature.to_der().as_bytes().to_vec()
}

/// Error for bytes or text that are not an ECDSA P-256 key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum P256KeyError {
    /// The text is not padded standard base64, in lines or as one.
    #[error("the key is not standard base64")]
    NotBase64,
    /// The bytes are not a public key of P-256: another curve, algorithm or format.
    #[error("the bytes are not a P-256 public key")]
    InvalidPublicKey,
    /// The scalar is out of range.
    #[error("the bytes are not a P-256 private key")]
    InvalidPrivateKey,
}
