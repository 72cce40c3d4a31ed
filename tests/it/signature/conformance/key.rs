//! Secrets and public keys of conformance cases: [`verifier`].

use labhook::signature::{KeyError, Scheme, VerifyingKey};
use labhook::{Secret, Verifier};
use serde::Deserialize;

use super::case::variant_name;

/// A secret or a public key in one of its forms.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
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
        let secret = match self {
            Self::Whsec(text) => Secret::from_whsec(text),
            Self::Text(text) => Secret::from_text(text),
            Self::Base64(text) => Secret::from_base64(text),
            Self::Bytes(digits) => Secret::from_bytes(&bytes(digits)),
            _ => return self.read_public(),
        };
        Some(one(secret))
    }

    #[cfg(not(all(feature = "ed25519", feature = "p256")))]
    #[allow(clippy::unused_self, reason = "as with the features")]
    fn read_public(&self) -> Option<Result<Vec<VerifyingKey>, String>> {
        None
    }

    #[cfg(all(feature = "ed25519", feature = "p256"))]
    fn read_public(&self) -> Option<Result<Vec<VerifyingKey>, String>> {
        use labhook::signature::{Ed25519PublicKey, KeySet, P256PublicKey};
        Some(match self {
            Self::Ed25519Whpk(text) => one(Ed25519PublicKey::from_whpk(text)),
            Self::Ed25519Hex(text) => one(Ed25519PublicKey::from_hex(text)),
            Self::Ed25519Bytes(digits) => {
                one(Ed25519PublicKey::from_bytes(&bytes(digits).try_into().unwrap()))
            }
            Self::P256Spki(text) => one(P256PublicKey::from_spki(text)),
            Self::P256Point(digits) => one(P256PublicKey::from_point(&bytes(digits))),
            Self::JwkSet(json) => match KeySet::from_json(json.as_bytes()) {
                Ok(set) => Ok(set.keys().cloned().collect()),
                Err(error) => Err(variant_name(&error)),
            },
            Self::Whsec(_) | Self::Text(_) | Self::Base64(_) | Self::Bytes(_) => unreachable!(),
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
