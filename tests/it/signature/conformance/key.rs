//! Secrets and public keys of conformance cases: [`verifier`].

#[cfg(feature = "ed25519")]
use labhook::signature::Ed25519PublicKey;
#[cfg(all(feature = "ed25519", feature = "p256"))]
use labhook::signature::KeySet;
#[cfg(feature = "p256")]
use labhook::signature::P256PublicKey;
use labhook::signature::{KeyError, Scheme, VerifyingKey};
use labhook::{Secret, Verifier};
use serde::Deserialize;

use super::case::variant_name;

/// A secret or a public key in one of its forms.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    not(all(feature = "ed25519", feature = "p256")),
    allow(dead_code, reason = "without a feature, the cases with its keys are skipped")
)]
pub(super) enum SecretCase {
    Whsec(String),
    Text(String),
    Base64(String),
    /// Hexadecimal digits of the bytes.
    Bytes(String),
    Ed25519Whpk(String),
    Ed25519Hex(String),
    /// Hexadecimal digits of the bytes.
    Ed25519Bytes(String),
    P256Spki(String),
    /// Hexadecimal digits of the bytes.
    P256Point(String),
    JwkSet(String),
}

impl SecretCase {
    /// The type of error that the crate has for this form.
    pub(super) const fn error_type(&self) -> &'static str {
        match self {
            Self::Whsec(_) | Self::Text(_) | Self::Base64(_) | Self::Bytes(_) => "SecretError",
            Self::Ed25519Whpk(_) | Self::Ed25519Hex(_) | Self::Ed25519Bytes(_) => "Ed25519KeyError",
            Self::P256Spki(_) | Self::P256Point(_) => "P256KeyError",
            Self::JwkSet(_) => "KeySetError",
        }
    }

    /// The keys, of which a set has several; `None` if their feature is off.
    fn read(&self) -> Option<Result<Vec<VerifyingKey>, String>> {
        Some(match self {
            Self::Whsec(text) => one(Secret::from_whsec(text)),
            Self::Text(text) => one(Secret::from_text(text)),
            Self::Base64(text) => one(Secret::from_base64(text)),
            Self::Bytes(digits) => one(Secret::from_bytes(&bytes(digits))),
            #[cfg(feature = "ed25519")]
            Self::Ed25519Whpk(text) => one(Ed25519PublicKey::from_whpk(text)),
            #[cfg(feature = "ed25519")]
            Self::Ed25519Hex(text) => one(Ed25519PublicKey::from_hex(text)),
            #[cfg(feature = "ed25519")]
            Self::Ed25519Bytes(digits) => {
                one(Ed25519PublicKey::from_bytes(&bytes(digits).try_into().unwrap()))
            }
            #[cfg(feature = "p256")]
            Self::P256Spki(text) => one(P256PublicKey::from_spki(text)),
            #[cfg(feature = "p256")]
            Self::P256Point(digits) => one(P256PublicKey::from_point(&bytes(digits))),
            // Without one of the features, a set has other usable keys.
            #[cfg(all(feature = "ed25519", feature = "p256"))]
            Self::JwkSet(json) => match KeySet::from_json(json.as_bytes()) {
                Ok(set) => Ok(set.keys().cloned().collect()),
                Err(error) => Err(variant_name(&error)),
            },
            #[cfg(not(all(feature = "ed25519", feature = "p256")))]
            _ => return None,
        })
    }
}

fn one<K: Into<VerifyingKey>, E: std::fmt::Debug>(
    key: Result<K, E>,
) -> Result<Vec<VerifyingKey>, String> {
    match key {
        Ok(key) => Ok(vec![key.into()]),
        Err(error) => Err(variant_name(&error)),
    }
}

fn bytes(digits: &str) -> Vec<u8> {
    assert!(digits.len().is_multiple_of(2), "{digits}");
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(byte).collect()
}

/// Returns the verifier with all keys, or the name of the error of the first bad one; `None` if a
/// feature is off.
pub(super) fn verifier(scheme: Scheme, secrets: &[SecretCase]) -> Option<Result<Verifier, String>> {
    let mut keys = Vec::new();
    for secret in secrets {
        match secret.read()? {
            Ok(read) => keys.extend(read),
            Err(name) => return Some(Err(name)),
        }
    }
    let mut keys = keys.into_iter();
    let first = Verifier::new(scheme, keys.next().unwrap());
    let verifier = keys.fold(first, |verifier, key| verifier?.add_key(key));
    Some(verifier.map_err(|error: KeyError| variant_name(&error)))
}
