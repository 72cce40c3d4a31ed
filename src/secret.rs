//! Shared secrets: [`Secret`], and [`SecretRef`] for configuration files.

mod secret_ref;
pub(crate) mod unquoted;
pub(crate) mod wipe;

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use self::wipe::wiping_stack;

pub use secret_ref::{SecretRef, SecretRefError};

/// The shortest key that [`Secret::from_whsec`] accepts, in bytes.
const WHSEC_MIN_LEN: usize = 16;

/// Vendors issue secrets with and without padding, and one published secret has non-zero trailing
/// bits; each of them still decodes to exactly one key.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Shared secret: an HMAC key, or a token.
///
/// To create a new one, pass 24 to 64 bytes from the operating system's random number generator to
/// [`from_bytes`](Self::from_bytes), and give the result of [`expose_whsec`](Self::expose_whsec) to
/// the other side.
///
/// Secrets come in four encodings that look alike; choose the constructor to match:
///
/// | you have | use |
/// |---|---|
/// | `whsec_MfKQ9r8GKYqr...` (Standard Webhooks, Svix) | [`from_whsec`](Self::from_whsec) |
/// | text that is used unchanged (Strike, GitHub, Slack) | [`from_text`](Self::from_text) |
/// | base64 without a prefix | [`from_base64`](Self::from_base64) |
/// | bytes | [`from_bytes`](Self::from_bytes) |
///
/// # Line breaks
///
/// The three constructors for text remove one line break at the end: editors, `echo` and files with
/// secrets add one, and with it no signature would ever match. They reject other whitespace at
/// either end, because it is nearly always a mistake in copying. If a secret really starts or ends
/// with whitespace, pass it to [`from_bytes`](Self::from_bytes).
///
/// # Secrecy
///
/// A secret's `Debug` prints no part of it, and it has neither `Display` nor `Serialize`: code that
/// reads one calls [`expose_bytes`](Self::expose_bytes) or [`expose_whsec`](Self::expose_whsec), which
/// a reviewer can search for. It has no `Deserialize` either, because a configuration file must name
/// the encoding: see [`SecretRef`].
///
/// It is wiped when dropped, and so are the signers and verifiers that are made of it, and the stack
/// that their work used. A test searches the memory of a process for copies, on Linux. The text or
/// bytes that you pass in are yours to wipe; swapped pages and core dumps are out of reach.
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
///     "the secret must start with `whsec_`; it looks like base64, see `Secret::from_base64`"
/// );
/// # Ok::<(), labhook::secret::SecretError>(())
/// ```
#[doc(alias = "webhook secret")]
#[doc(alias = "signing key")]
#[doc(alias = "signing secret")]
#[doc(alias = "HMAC")]
#[derive(Clone)]
pub struct Secret(Zeroizing<Box<[u8]>>);

impl Secret {
    /// Parses `whsec_` followed by standard base64, with or without padding.
    ///
    /// The Standard Webhooks specification requires 24 to 64 bytes of senders. Shorter keys are in
    /// use (a published test secret has 23 bytes), so this accepts 16 bytes, the strength of a
    /// 128-bit key, and more; there is no upper bound.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if the text has another prefix or none, is not base64 or is too short.
    pub fn from_whsec(text: &str) -> Result<Self, SecretError> {
        let text = trim_line_break(text).ok_or(SecretError::OuterWhitespace)?;
        let Some(encoded) = text.strip_prefix("whsec_") else {
            return Err(SecretError::NotWhsec { looks_like: SecretEncoding::detect(text) });
        };
        let bytes = decode_base64(encoded)?;
        if bytes.len() < WHSEC_MIN_LEN {
            return Err(SecretError::TooShort { bytes: bytes.len() });
        }
        Self::from_boxed(bytes)
    }

    /// Parses standard base64 without a prefix, with or without padding.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if the text is empty, is not base64 or has a known prefix.
    pub fn from_base64(text: &str) -> Result<Self, SecretError> {
        let text = trim_line_break(text).ok_or(SecretError::OuterWhitespace)?;
        match SecretEncoding::detect(text) {
            encoding @ (SecretEncoding::Whsec
            | SecretEncoding::VersionedWhsec
            | SecretEncoding::Ed25519Private
            | SecretEncoding::Ed25519Public) => Err(SecretError::Prefixed { looks_like: encoding }),
            SecretEncoding::Base64 | SecretEncoding::Text => Self::from_boxed(decode_base64(text)?),
        }
    }

    /// Uses the UTF-8 bytes of the text as the key, without any decoding, except for a line break
    /// at the end.
    ///
    /// # Errors
    ///
    /// [`SecretError::Empty`] if there are no bytes, and [`SecretError::OuterWhitespace`] if the
    /// text starts or ends with other whitespace.
    pub fn from_text(text: &str) -> Result<Self, SecretError> {
        let text = trim_line_break(text).ok_or(SecretError::OuterWhitespace)?;
        Self::from_bytes(text.as_bytes())
    }

    /// Uses exactly these bytes as the key.
    ///
    /// # Errors
    ///
    /// [`SecretError::Empty`] if there are no bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SecretError> {
        Self::from_boxed(Zeroizing::new(bytes.into()))
    }

    fn from_boxed(bytes: Zeroizing<Box<[u8]>>) -> Result<Self, SecretError> {
        if bytes.is_empty() { Err(SecretError::Empty) } else { Ok(Self(bytes)) }
    }

    /// Returns the bytes of the key. Keep them out of logs and files.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the secret as `whsec_` text, to be given to a receiver once.
    #[must_use]
    pub fn expose_whsec(&self) -> Zeroizing<String> {
        wipe::base64("whsec_", &self.0)
    }
}

/// Removes one line break at the end. Returns `None` if whitespace, or the byte order mark of a
/// file, is left at either end.
pub(crate) fn trim_line_break(text: &str) -> Option<&str> {
    let text = match text.strip_suffix('\n') {
        Some(line) => line.strip_suffix('\r').unwrap_or(line),
        None => text,
    };
    let is_space = |c: char| c.is_whitespace() || c == '\u{feff}';
    let is_clean = !text.starts_with(is_space) && !text.ends_with(is_space);
    is_clean.then_some(text)
}

fn decode_base64(text: &str) -> Result<Zeroizing<Box<[u8]>>, SecretError> {
    // A buffer of full size never grows, so no copy is left on the heap.
    let mut buffer = Zeroizing::new(vec![0; text.len()]);
    // The decoder's error quotes a byte of the input, so it is not kept as the source.
    let len = wiping_stack(|| LENIENT.decode_slice(text, &mut buffer));
    let len = len.map_err(|_| SecretError::NotBase64)?;
    Ok(Zeroizing::new(buffer.get(..len).unwrap_or_default().into()))
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}

/// Encoding that a secret's text appears to have.
///
/// Errors report it to help choose the right constructor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SecretEncoding {
    /// `whsec_...`: see [`Secret::from_whsec`].
    Whsec,
    /// `v1,whsec_...`, as some dashboards show it: remove the `v1,`.
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
    /// Guesses the encoding of the text.
    fn detect(text: &str) -> Self {
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
            Self::Whsec => "a `whsec_` secret, see `Secret::from_whsec`",
            Self::VersionedWhsec => "a versioned `whsec_` secret, remove the text before `whsec_`",
            Self::Ed25519Private => "an Ed25519 private key, not a shared secret",
            Self::Ed25519Public => "an Ed25519 public key, not a shared secret",
            Self::Base64 => "base64, see `Secret::from_base64`",
            Self::Text => "plain text, see `Secret::from_text`",
        })
    }
}

/// Error for text or bytes that are not a secret in the expected encoding.
///
/// No variant contains any part of the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The secret is empty: anybody could sign with it.
    #[error("the secret is empty")]
    Empty,
    /// The text starts or ends with whitespace other than one line break at the end.
    #[error(
        "the secret must not start or end with whitespace, except for one line break at its end"
    )]
    OuterWhitespace,
    /// The text does not start with `whsec_`.
    #[error("the secret must start with `whsec_`; it looks like {looks_like}")]
    NotWhsec {
        /// The encoding that the text appears to have.
        looks_like: SecretEncoding,
    },
    /// The text has a prefix, but base64 without one was expected.
    #[error("the secret must be base64 without a prefix; it looks like {looks_like}")]
    Prefixed {
        /// The encoding that the text appears to have.
        looks_like: SecretEncoding,
    },
    /// The text is not standard base64.
    #[error("the secret is not standard base64")]
    NotBase64,
    /// A `whsec_` secret is shorter than 16 bytes.
    #[error("the secret is {bytes} bytes long; at least 16 are required")]
    TooShort {
        /// Length of the decoded secret in bytes.
        bytes: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_secret_error_has_its_text() {
        let whsec = |text: &str| Secret::from_whsec(text).unwrap_err().to_string();
        assert_eq!(
            whsec("v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            "the secret must start with `whsec_`; \
             it looks like a versioned `whsec_` secret, remove the text before `whsec_`"
        );
        assert_eq!(
            whsec("whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfV"),
            "the secret must start with `whsec_`; \
             it looks like an Ed25519 private key, not a shared secret"
        );
        assert_eq!(
            whsec("testtesttest"),
            "the secret must start with `whsec_`; it looks like plain text, see `Secret::from_text`"
        );
        assert_eq!(whsec("whsec_!"), "the secret is not standard base64");
        assert_eq!(whsec("whsec_"), "the secret is 0 bytes long; at least 16 are required");
        assert_eq!(whsec("whsec_AAAA"), "the secret is 3 bytes long; at least 16 are required");
        assert_eq!(Secret::from_text("").unwrap_err().to_string(), "the secret is empty");
        assert_eq!(Secret::from_base64("").unwrap_err().to_string(), "the secret is empty");
        assert_eq!(
            Secret::from_base64("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap_err().to_string(),
            "the secret must be base64 without a prefix; \
             it looks like a `whsec_` secret, see `Secret::from_whsec`"
        );
    }

    #[test]
    fn one_line_break_at_the_end_is_removed() {
        let readers = [Secret::from_whsec, Secret::from_base64, Secret::from_text];
        let texts = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "AAECAwQFBgcICQoLDA0ODw==", "s e"];
        for (read, text) in readers.into_iter().zip(texts) {
            let key = read(text).unwrap().expose_bytes().to_vec();
            for end in ["\n", "\r\n"] {
                assert_eq!(read(&format!("{text}{end}")).unwrap().expose_bytes(), key);
            }
            for (start, end) in [
                ("", "\n\n"),
                ("", " "),
                ("", "\r"),
                ("", "\t\n"),
                ("", "\u{a0}"),
                ("\n", ""),
                (" ", "\n"),
                ("\u{feff}", ""),
            ] {
                let error = read(&format!("{start}{text}{end}")).unwrap_err();
                assert_eq!(error, SecretError::OuterWhitespace, "{start:?} {end:?}");
            }
            assert_eq!(Secret::from_text("\n").unwrap_err(), SecretError::Empty);
        }
        assert_eq!(
            SecretError::OuterWhitespace.to_string(),
            "the secret must not start or end with whitespace, except for one line break at its end"
        );
        assert_eq!(Secret::from_bytes(b"s\n").unwrap().expose_bytes(), b"s\n");
    }

    #[test]
    fn base64_padding_is_optional() {
        let padded = Secret::from_base64("AAECAwQFBgcICQoLDA0ODw==").unwrap();
        let bare = Secret::from_base64("AAECAwQFBgcICQoLDA0ODw").unwrap();
        assert_eq!(padded.expose_bytes(), bare.expose_bytes());
        assert_eq!(padded.expose_bytes().len(), 16);
        assert_eq!(*padded.expose_whsec(), "whsec_AAECAwQFBgcICQoLDA0ODw==");
    }
}
