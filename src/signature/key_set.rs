//! Public keys that a sender publishes: [`KeySet`].

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::key::VerifyingKey;

#[cfg(feature = "ed25519")]
use super::ed25519::Ed25519PublicKey;
#[cfg(feature = "p256")]
use super::p256::P256PublicKey;

/// JSON Web Key Set (RFC 7517): the public keys that a sender publishes.
///
/// Your application fetches the set, over HTTPS and from a URL that it knows, and keeps it; during a
/// key rotation the sender publishes the new key beside the old one. If a request's signature matches
/// no key, fetch the set again before you reject the sender for good, but not once per request: a
/// forger can send those at any rate.
///
/// It reads P-256 keys (RFC 7518, section 6.2; feature `p256`) and Ed25519 keys (RFC 8037; feature
/// `ed25519`). Keys of other kinds, for other uses than signatures, for other algorithms, and
/// malformed ones are skipped, as RFC 7517, section 5, asks: see [`skipped`](Self::skipped).
///
/// ```
/// # #[cfg(feature = "p256")] {
/// use labhook::Verifier;
/// use labhook::signature::{KeySet, Scheme};
///
/// // The example of RFC 7517, appendix A.1.
/// let json = r#"{"keys": [{
///     "kty": "EC", "crv": "P-256", "use": "sig", "kid": "1",
///     "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
///     "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"
/// }]}"#;
/// let keys = KeySet::from_json(json.as_bytes())?;
/// assert_eq!(keys.id(0), Some("1"));
/// let verifier = Verifier::with_key_set(Scheme::StandardWebhooks, &keys)?;
/// # let _ = verifier;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "JWK")]
#[doc(alias = "JWKS")]
#[doc(alias = "JSON Web Key Set")]
#[derive(Clone, Debug)]
pub struct KeySet {
    /// The key ids.
    ids: Vec<Option<Box<str>>>,
    first: VerifyingKey,
    others: Vec<VerifyingKey>,
    skipped: usize,
}

impl KeySet {
    /// The largest number of keys in a set. A verifier tries each of its keys.
    pub const MAX_KEYS: usize = 32;

    /// Parses a key set.
    ///
    /// # Errors
    ///
    /// [`KeySetError`] if the bytes are not a key set, or one without a usable key.
    pub fn from_json(json: &[u8]) -> Result<Self, KeySetError> {
        let set: WireSet = serde_json::from_slice(json).map_err(|_| KeySetError::NotKeySet)?;
        if set.keys.len() > Self::MAX_KEYS {
            return Err(KeySetError::TooManyKeys { keys: set.keys.len() });
        }
        let found = set.keys.len();
        let read = |key: serde_json::Value| {
            let key: WireKey = serde_json::from_value(key).ok()?;
            let usable = key.read()?;
            Some((key.kid.map(Into::into), usable))
        };
        let (ids, keys): (Vec<_>, Vec<_>) = set.keys.into_iter().filter_map(read).unzip();
        let skipped = found.saturating_sub(keys.len());
        let mut keys = keys.into_iter();
        let first = keys.next().ok_or(KeySetError::NoUsableKey { skipped })?;
        Ok(Self { ids, first, others: keys.collect(), skipped })
    }

    pub(super) fn split_first(&self) -> (&VerifyingKey, impl Iterator<Item = &VerifyingKey>) {
        (&self.first, self.others.iter())
    }

    /// Iterates over the usable keys, in the order of the set.
    pub fn keys(&self) -> impl Iterator<Item = &VerifyingKey> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// Returns the key id (`kid`) of the usable key with this index, such as
    /// [`Verified::key_index`](super::Verified::key_index) of a verifier
    /// [with this set](super::Verifier::with_key_set); `None` if it has none.
    #[must_use]
    pub fn id(&self, index: usize) -> Option<&str> {
        self.ids.get(index)?.as_deref()
    }

    /// Returns the number of keys that were skipped.
    #[must_use]
    pub const fn skipped(&self) -> usize {
        self.skipped
    }
}

#[derive(Deserialize)]
struct WireSet {
    keys: Vec<serde_json::Value>,
}

/// A key's members that decide whether it is usable. Text of another type makes the key malformed.
#[derive(Deserialize)]
struct WireKey {
    kty: String,
    crv: String,
    x: String,
    #[cfg(feature = "p256")]
    y: Option<String>,
    alg: Option<String>,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
}

impl WireKey {
    fn read(&self) -> Option<VerifyingKey> {
        let is_for_signatures = self.usage.as_deref().is_none_or(|usage| usage == "sig")
            && self.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        if !is_for_signatures {
            return None;
        }
        match (&*self.kty, &*self.crv, self.alg.as_deref()) {
            #[cfg(feature = "p256")]
            ("EC", "P-256", None | Some("ES256")) => {
                let [x, y] = [decode(&self.x)?, decode(self.y.as_deref()?)?];
                let point = [&[4], &x[..], &y[..]].concat();
                P256PublicKey::from_point(&point).ok().map(VerifyingKey::P256)
            }
            // RFC 9864 names the algorithm `Ed25519`.
            #[cfg(feature = "ed25519")]
            ("OKP", "Ed25519", None | Some("EdDSA" | "Ed25519")) => {
                Ed25519PublicKey::from_bytes(&decode(&self.x)?).ok().map(VerifyingKey::Ed25519)
            }
            _ => None,
        }
    }
}

fn decode(text: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

/// Error for text that is not a usable key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// The text is not a JSON object with an array `keys`.
    #[error("a key set must be a JSON object with an array `keys`")]
    NotKeySet,
    /// The set has too many keys.
    #[error("the key set has {keys} keys; at most {} are accepted", KeySet::MAX_KEYS)]
    TooManyKeys {
        /// The number of keys.
        keys: usize,
    },
    /// No key is of a kind that this crate supports, with the features that are enabled.
    #[error(
        "none of the {skipped} keys in the set is usable; P-256 keys need the feature `p256`, \
         Ed25519 keys the feature `ed25519`"
    )]
    NoUsableKey {
        /// The number of keys.
        skipped: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "p256")]
    const X: &str = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4";
    #[cfg(feature = "p256")]
    const Y: &str = "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM";

    fn set(keys: &str) -> Result<KeySet, KeySetError> {
        KeySet::from_json(format!(r#"{{"keys": [{keys}]}}"#).as_bytes())
    }

    #[cfg(feature = "p256")]
    #[test]
    fn only_usable_keys_are_kept() {
        let key = |more: &str| format!(r#"{{"crv":"P-256","x":"{X}","y":"{Y}"{more}}}"#);
        let good =
            key(r#","kty":"EC","kid":"good","alg":"ES256","use":"sig","key_ops":["verify"]"#);
        for bad in [
            key(""),
            key(r#","kty":"RSA""#),
            key(r#","kty":"EC","use":"enc""#),
            key(r#","kty":"EC","key_ops":["encrypt"]"#),
            key(r#","kty":"EC","alg":"HS256""#),
            key(r#","kty":"EC","kid":7"#),
            key(r#","kty":"EC""#).replace(Y, X),
            key(r#","kty":"EC""#).replace(Y, "AAAA"),
            key(r#","kty":"EC""#).replace(Y, &format!("{Y}=")),
            key(r#","kty":"EC""#).replace("P-256", "P-384"),
            r#"{"kty":"oct","k":"c2VjcmV0"}"#.to_owned(),
            "17".to_owned(),
        ] {
            assert_eq!(set(&bad).unwrap_err(), KeySetError::NoUsableKey { skipped: 1 }, "{bad}");
            let both = set(&format!("{bad},{good}")).unwrap();
            assert_eq!((both.keys().count(), both.skipped(), both.id(0)), (1, 1, Some("good")));
        }
        assert_eq!(set(&key(r#","kty":"EC""#)).unwrap().id(0), None);
    }

    #[cfg(feature = "p256")]
    #[test]
    fn set_of_most_keys_is_read() {
        let key = format!(r#"{{"kty":"EC","crv":"P-256","x":"{X}","y":"{Y}"}}"#);
        let keys = set(&vec![&*key; KeySet::MAX_KEYS].join(",")).unwrap();
        assert_eq!((keys.keys().count(), keys.skipped()), (KeySet::MAX_KEYS, 0));
    }

    /// The example of RFC 8037, appendix A.2.
    #[cfg(feature = "ed25519")]
    #[test]
    fn ed25519_key_is_read() {
        let key = r#"{"kty":"OKP","crv":"Ed25519",
            "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let keys = set(key).unwrap();
        let VerifyingKey::Ed25519(key) = keys.keys().next().unwrap() else {
            panic!("another kind")
        };
        assert_eq!(key.to_whpk(), "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
    }

    #[test]
    fn each_error_has_its_text() {
        for json in ["", "[]", "{}", r#"{"keys":{}}"#] {
            assert_eq!(
                KeySet::from_json(json.as_bytes()).unwrap_err().to_string(),
                "a key set must be a JSON object with an array `keys`"
            );
        }
        assert_eq!(
            set(&["1"; 33].join(",")).unwrap_err().to_string(),
            "the key set has 33 keys; at most 32 are accepted"
        );
        assert_eq!(
            set("1").unwrap_err().to_string(),
            "none of the 1 keys in the set is usable; P-256 keys need the feature `p256`, \
             Ed25519 keys the feature `ed25519`"
        );
    }
}
