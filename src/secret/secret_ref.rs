//! Secrets in configuration files: [`SecretRef`].

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use zeroize::Zeroizing;

use super::unquoted::reject;
use super::{Secret, SecretError};

const EXPECTED: &str = "an object with `encoding`, and either `env` or `value`";

/// Secret in a configuration file: the name of an environment variable, or the secret itself.
///
/// | field | content |
/// |---|---|
/// | `encoding` | `whsec`, `text` or `base64`: see [`Secret`] |
/// | `env` | name of the variable that holds the secret |
/// | `value` | the secret itself, for tests and files that are secret as a whole |
///
/// The encoding is required, because the same text is another secret in another encoding.
///
/// The crate reads no environment: your application looks the name up, in
/// [`resolve`](Self::resolve). The name may also be that of a file or of an entry in a vault.
///
/// A `value` is checked when the file is read. No error and no `Debug` output contains a part of
/// it, even if it was written in the wrong field, and the type has no `Serialize`.
///
/// A `value` is wiped when it is dropped. The text of the file, and what the parser of its format
/// keeps, are yours to wipe: `serde_json` copies a value that has an escape, such as `\n`, into a
/// buffer of its own.
///
/// ```
/// use std::collections::BTreeMap;
/// use labhook::Signer;
/// use labhook::secret::SecretRef;
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Config { url: String, secret: SecretRef }
///
/// let file = r#"{"url": "https://eln.example/in",
///     "secret": {"encoding": "whsec", "env": "ELN_SECRET"}}"#;
/// let config: Config = serde_json::from_str(file)?;
///
/// // In an application: `config.secret.resolve(|name| std::env::var(name).ok())`.
/// let env = BTreeMap::from([("ELN_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")]);
/// let secret = config.secret.resolve(|name| env.get(name))?;
/// let signer = Signer::standard_webhooks(secret);
/// # let _ = (signer, config.url);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "environment variable")]
#[doc(alias = "config")]
#[derive(Clone)]
pub struct SecretRef(Place);

#[derive(Clone)]
enum Place {
    Value(Secret),
    Env(Encoding, Box<str>),
}

#[derive(Clone, Copy, Debug)]
enum Encoding {
    Whsec,
    Text,
    Base64,
}

impl Encoding {
    fn read(self, text: &str) -> Result<Secret, SecretError> {
        match self {
            Self::Whsec => Secret::from_whsec(text),
            Self::Text => Secret::from_text(text),
            Self::Base64 => Secret::from_base64(text),
        }
    }
}

impl SecretRef {
    /// Returns the secret. `lookup` receives the name in `env` and returns the text of the
    /// variable, or `None` if it is not set; it is not called for a `value`.
    ///
    /// # Errors
    ///
    /// [`SecretRefError`] if there is no such variable, or it is not a secret in the encoding.
    pub fn resolve<T: AsRef<str>>(
        &self,
        lookup: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Secret, SecretRefError> {
        match &self.0 {
            Place::Value(secret) => Ok(secret.clone()),
            Place::Env(encoding, name) => {
                let text =
                    lookup(name).ok_or_else(|| SecretRefError::NotFound { name: name.clone() })?;
                encoding
                    .read(text.as_ref())
                    .map_err(|source| SecretRefError::Malformed { name: name.clone(), source })
            }
        }
    }

    /// Returns the name in `env`; `None` for a `value`.
    #[must_use]
    pub fn env(&self) -> Option<&str> {
        match &self.0 {
            Place::Env(_, name) => Some(name),
            Place::Value(_) => None,
        }
    }
}

impl fmt::Debug for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Value(secret) => write!(f, "SecretRef({secret:?})"),
            Place::Env(encoding, name) => write!(f, "SecretRef({encoding:?}, env {name:?})"),
        }
    }
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RefVisitor)
    }
}

struct RefVisitor;

impl<'de> Visitor<'de> for RefVisitor {
    type Value = SecretRef;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    reject!(text, numbers);

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretRef, A::Error> {
        let (mut encoding, mut env, mut value) = (None, None, None);
        while let Some(Text(field)) = map.next_key()? {
            let field = match field.as_str() {
                "encoding" => &mut encoding,
                "env" => &mut env,
                "value" => &mut value,
                _ => {
                    return Err(A::Error::custom(format_args!(
                        "unknown field, expected {EXPECTED}"
                    )));
                }
            };
            if field.replace(map.next_value::<Text>()?.0).is_some() {
                return Err(A::Error::custom("duplicate field"));
            }
        }
        let encoding = match encoding.as_ref().map(|text| text.as_str()) {
            Some("whsec") => Encoding::Whsec,
            Some("text") => Encoding::Text,
            Some("base64") => Encoding::Base64,
            Some(_) => {
                return Err(A::Error::custom(
                    "unknown `encoding`, expected one of `whsec`, `text`, `base64`",
                ));
            }
            None => return Err(A::Error::missing_field("encoding")),
        };
        match (env, value) {
            (Some(name), None) if !name.is_empty() => {
                Ok(SecretRef(Place::Env(encoding, name.as_str().into())))
            }
            (Some(_), None) => Err(A::Error::custom("`env` must not be empty")),
            (None, Some(text)) => {
                let secret = encoding.read(&text).map_err(A::Error::custom)?;
                Ok(SecretRef(Place::Value(secret)))
            }
            (None, None) | (Some(_), Some(_)) => {
                Err(A::Error::custom(format_args!("expected {EXPECTED}")))
            }
        }
    }
}

/// Text that no error quotes.
struct Text(Zeroizing<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text(Zeroizing::new(text.to_owned())))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Text, E> {
        Ok(Text(Zeroizing::new(text)))
    }

    reject!(numbers);
}

/// Error for a [`SecretRef`] that cannot be resolved.
///
/// No variant contains any part of the secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretRefError {
    /// The lookup returned nothing.
    #[error("secret `{name}` was not found")]
    NotFound {
        /// The name that was looked up.
        name: Box<str>,
    },
    /// The text is not a secret in the encoding.
    #[error("secret `{name}` is malformed")]
    Malformed {
        /// The name that was looked up.
        name: Box<str>,
        /// What is wrong with it.
        source: SecretError,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn read(json: &str) -> Result<SecretRef, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn value_is_used_without_a_lookup() {
        for (encoding, text, len) in
            [("whsec", WHSEC, 24), ("text", WHSEC, 38), ("base64", "AAECAw==", 4)]
        {
            let json = format!(r#"{{"encoding":"{encoding}","value":"{text}\n"}}"#);
            let secret = read(&json).unwrap();
            assert_eq!(secret.env(), None);
            assert_eq!(format!("{secret:?}"), format!("SecretRef(Secret({len} bytes))"));
            let secret = secret.resolve(|_| -> Option<&str> { panic!("looked up") }).unwrap();
            assert_eq!(secret.expose_bytes().len(), len);
        }
    }

    #[test]
    fn env_is_looked_up_by_name() {
        let secret = read(r#"{"env":"ELN","encoding":"whsec"}"#).unwrap();
        assert_eq!(secret.env(), Some("ELN"));
        assert_eq!(format!("{secret:?}"), r#"SecretRef(Whsec, env "ELN")"#);
        let found = secret.resolve(|name| (name == "ELN").then(|| format!("{WHSEC}\r\n")));
        assert_eq!(found.unwrap().expose_bytes().len(), 24);
        let error = secret.resolve(|_| None::<&str>).unwrap_err();
        assert_eq!(error.to_string(), "secret `ELN` was not found");
        let error = secret.resolve(|_| Some("")).unwrap_err();
        assert_eq!(error.to_string(), "secret `ELN` is malformed");
        let source = std::error::Error::source(&error).unwrap();
        assert!(source.to_string().starts_with("the secret must start with `whsec_`"), "{source}");
    }

    #[test]
    fn error_never_quotes_what_may_be_a_secret() {
        let object = "expected an object with `encoding`, and either `env` or `value`";
        for (json, text) in [
            (r#""s3cRe7""#, object),
            ("5377", object),
            ("-5377", object),
            ("5377.5", object),
            (r#"{"encoding":"text"}"#, object),
            (r#"{"encoding":"text","env":"s3cRe7","value":"s3cRe7"}"#, object),
            (r#"{"s3cRe7":"text"}"#, "unknown field, "),
            (r#"{"encoding":"s3cRe7","env":"A"}"#, "unknown `encoding`, expected one of `whsec`"),
            (r#"{"env":"s3cRe7"}"#, "missing field `encoding`"),
            (r#"{"encoding":"text","env":""}"#, "`env` must not be empty"),
            (r#"{"encoding":"text","value":""}"#, "the secret is empty"),
            (r#"{"encoding":"text","value":5377}"#, "expected a string"),
            (r#"{"encoding":"text","value":"a","value":"s3cRe7"}"#, "duplicate field"),
            (r#"{"encoding":"base64","value":"s3cRe7!"}"#, "the secret is not standard base64"),
            (r#"{"encoding":"whsec","value":"s3cRe7"}"#, "the secret must start with `whsec_`"),
        ] {
            let error = read(json).unwrap_err().to_string();
            assert!(error.contains(text), "{json}: {error}");
            assert!(!error.contains("s3cRe7") && !error.contains("5377"), "{json}: {error}");
        }
    }
}
