//! What a message id may contain, and ids that are derived: [`MessageId::derive`].

use sha2::{Digest, Sha256};

use super::{IdError, MessageId};

/// The maximum length of a [`MessageId`], in bytes: far below the 8 KiB that servers allow for all
/// headers of a request.
const MAX_LEN: usize = 1_024;

/// The length above which a derived id ends with a digest instead, in bytes.
const MAX_DERIVED_LEN: usize = 256;

/// The start of a derived id that ends with a digest: what 2 marks and 64 digits leave.
const DERIVED_PREFIX_LEN: usize = 190;

pub(super) fn check(text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > MAX_LEN {
        return Err(IdError::TooLong { len: text.len(), max: MAX_LEN });
    }
    if let Some(at) = text.bytes().position(|byte| !(byte.is_ascii_graphic() || byte == b' ')) {
        return Err(IdError::NotPrintableAscii { at });
    }
    // HTTP removes spaces at both ends of a header value.
    if text.starts_with(' ') {
        return Err(IdError::OuterSpace { at: 0 });
    }
    if text.ends_with(' ') {
        return Err(IdError::OuterSpace { at: text.len().saturating_sub(1) });
    }
    integer_segment(text).map_or(Ok(()), |at| Err(IdError::IntegerSegment { at }))
}

/// Returns the position of the first integer that follows a full stop, and is followed by another
/// or by the end.
///
/// Without one, `{id}.{timestamp}.{body}` can be read in one way only. If it could be read with a
/// longer id too, that id would start with the shorter one, a full stop, the whole timestamp, and
/// another full stop or the end. The last segment alone does not decide: the longer id of
/// `m.17.x` ends with a part of the body.
fn integer_segment(text: &str) -> Option<usize> {
    // Few ids have any.
    if !text.contains('.') {
        return None;
    }
    let mut at = 0_usize;
    for (index, segment) in text.split('.').enumerate() {
        // In any spelling, because some verifiers accept more than the canonical one.
        let digits = segment.strip_prefix(['+', '-']).unwrap_or(segment);
        let is_integer = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if index > 0 && is_integer {
            return Some(at);
        }
        at = at.saturating_add(segment.len()).saturating_add(1);
    }
    None
}

impl MessageId {
    /// Checks a text that is borrowed until it is kept.
    pub(crate) fn check(text: &str) -> Result<(), IdError> {
        check(text)
    }

    /// Creates an id from parts that may contain any characters, such as the name of a run and the
    /// number of an attempt.
    ///
    /// Equal parts always give the same id, so an event that is published again after a crash keeps
    /// its id. Different parts give different ids: the boundaries between parts count too.
    ///
    /// The form is part of this crate's API and does not change:
    ///
    /// - The parts are joined by `/`.
    /// - Letters and digits of ASCII, `-` and `_` are unchanged. Every other byte of a part's UTF-8
    ///   is written as `~` and two upper-case hexadecimal digits.
    /// - An empty part is `~`, and an empty list of parts is `~~`.
    /// - An id that would be longer than 256 bytes is its first 190 bytes, `~~`, and the SHA-256 of
    ///   the whole of it as 64 hexadecimal digits.
    ///
    /// No character of it needs to be encoded in a header of
    /// [`CloudEvents`](crate::message::format::CloudEvents).
    ///
    /// ```
    /// use labhook::MessageId;
    ///
    /// let id = MessageId::derive(["run", "run-2025.04.17 A", "started"]);
    /// assert_eq!(id.as_str(), "run/run-2025~2E04~2E17~20A/started");
    /// assert_ne!(MessageId::derive(["a", "bc"]), MessageId::derive(["ab", "c"]));
    /// ```
    #[doc(alias = "idempotency key")]
    #[doc(alias = "from_parts")]
    #[must_use]
    pub fn derive(parts: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut id = String::new();
        for (index, part) in parts.into_iter().enumerate() {
            if index > 0 {
                id.push('/');
            }
            push_part(&mut id, part.as_ref());
        }
        if id.is_empty() {
            id.push_str("~~");
        }
        if id.len() > MAX_DERIVED_LEN {
            let digest = hex::encode(Sha256::digest(&id));
            // All of it is ASCII, so any length is a boundary between characters.
            id.truncate(DERIVED_PREFIX_LEN);
            id.push_str("~~");
            id.push_str(&digest);
        }
        Self(id.into())
    }
}

fn push_part(id: &mut String, part: &str) {
    if part.is_empty() {
        id.push('~');
    }
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            id.push(char::from(byte));
        } else {
            id.push('~');
            id.push_str(&hex::encode_upper([byte]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_id_error_names_rule_and_place() {
        for (bad, text) in [
            ("", "`id` must not be empty"),
            (&*"x".repeat(1_025), "`id` must be at most 1024 bytes, got 1025"),
            ("a\nb", "`id` must contain only printable ASCII characters, got another at byte 1"),
            ("plate é", "`id` must contain only printable ASCII characters, got another at byte 6"),
            (" a", "`id` must not start or end with a space, got one at byte 0"),
            ("a ", "`id` must not start or end with a space, got one at byte 1"),
            (
                "run17.1744882200",
                "`id` must not have an integer between full stops, or after the last one, \
                 got one at byte 6",
            ),
        ] {
            assert_eq!(MessageId::new(bad).unwrap_err().to_string(), text, "{bad:?}");
        }
    }

    #[test]
    fn id_with_an_integer_segment_is_rejected() {
        for (bad, at) in [
            ("m.1", 2),
            ("m.-1", 2),
            ("m.+01.x", 2),
            (".5", 1),
            ("m.17.x", 2),
            ("m.x.17.y", 4),
            ("m..99999999999999999999999", 3),
        ] {
            assert_eq!(MessageId::new(bad), Err(IdError::IntegerSegment { at }), "{bad}");
        }
        for good in ["m.x", "17.m", "1", "m.", ".", "m.17 x", "m.v1", "m.-", "a b", "m. 17x"] {
            assert!(MessageId::new(good).is_ok(), "{good}");
        }
        assert!(MessageId::new("x".repeat(1_024)).is_ok());
    }

    #[test]
    fn derived_id_has_the_documented_form() {
        for (parts, form) in [
            (&["run", "r17", "started"][..], "run/r17/started"),
            (&["run-2025.04.17 A"], "run-2025~2E04~2E17~20A"),
            (&["a/b", "~", "€\n"], "a~2Fb/~7E/~E2~82~AC~0A"),
            (&["a", ""], "a/~"),
            (&[""], "~"),
            (&[], "~~"),
        ] {
            assert_eq!(MessageId::derive(parts).as_str(), form);
        }
        assert_eq!(MessageId::derive(["x".repeat(256)]).as_str(), "x".repeat(256));
        let long = MessageId::derive(["x".repeat(256), String::new()]);
        let digest = hex::encode(Sha256::digest(format!("{}/~", "x".repeat(256))));
        assert_eq!(long.as_str(), format!("{}~~{digest}", "x".repeat(190)));
        assert_eq!(long.as_str().len(), 256);
    }

    /// Every list of up to 3 parts of up to 3 characters, some of which are special.
    #[test]
    fn derived_ids_of_different_parts_differ() {
        let mut texts = vec![String::new()];
        for length in 0..3 {
            let longer: Vec<String> = texts
                .iter()
                .filter(|text| text.chars().count() == length)
                .flat_map(|text| ["a", "/", "~", "2", "F"].map(|next| format!("{text}{next}")))
                .collect();
            texts.extend(longer);
        }
        let mut ids = std::collections::BTreeSet::new();
        let mut lists = 0;
        let mut add = |parts: &[&String]| {
            let id = MessageId::derive(parts);
            assert!(check(id.as_str()).is_ok(), "{id}");
            lists += 1;
            assert!(ids.insert(id), "{parts:?}");
        };
        add(&[]);
        for a in &texts {
            add(&[a]);
            for b in &texts {
                add(&[a, b]);
                for c in texts.iter().take(31) {
                    add(&[a, b, c]);
                }
            }
        }
        assert!(lists > 700_000, "{lists}");
    }
}
