//! The type of an event: [`EventType`].

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// The longest event type, in bytes.
const MAX_LEN: usize = 128;

/// The type of an event, such as `run.state_changed`.
///
/// One or more segments joined by `.`, where each segment consists of one or more of
/// `A-Z a-z 0-9 _ -`; at most 128 bytes in total. This is the format that the Standard Webhooks
/// specification suggests, plus the hyphen, which vendors' types need
/// (`payment-method.bank.created`).
///
/// Literals are checked at compile time:
///
/// ```
/// use labhook::EventType;
///
/// const CALIBRATED: EventType = EventType::from_static("instrument.calibrated");
/// assert_eq!(CALIBRATED.as_str(), "instrument.calibrated");
/// ```
///
/// ```compile_fail
/// # use labhook::EventType;
/// const BAD: EventType = EventType::from_static("instrument..calibrated");
/// # let _ = BAD;
/// ```
#[doc(alias = "event name")]
#[doc(alias = "topic")]
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct EventType(Cow<'static, str>);

impl EventType {
    /// Creates an event type from a literal. In a `const`, an invalid literal fails the build.
    ///
    /// # Panics
    ///
    /// Panics if the text is not a valid event type and the call is not evaluated at compile time.
    /// Use [`new`](Self::new) for text that is known only at run time.
    #[must_use]
    #[allow(clippy::panic, reason = "the documented way to fail a const evaluation")]
    pub const fn from_static(text: &'static str) -> Self {
        match check(text.as_bytes()) {
            Ok(()) => Self(Cow::Borrowed(text)),
            Err(EventTypeError::Empty) => panic!("event type must not have an empty segment"),
            Err(EventTypeError::TooLong { .. }) => panic!("event type must be at most 128 bytes"),
            Err(EventTypeError::Character) => {
                panic!("event type must contain only `A-Z a-z 0-9 _ - .`")
            }
        }
    }

    /// Creates an event type.
    ///
    /// # Errors
    ///
    /// Returns [`EventTypeError`] if the text is not in the documented format.
    pub fn new(text: impl Into<String>) -> Result<Self, EventTypeError> {
        let text = text.into();
        check(text.as_bytes())?;
        Ok(Self(Cow::Owned(text)))
    }

    /// Returns the event type as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Iterates over the segments, that is the parts between the `.`s.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('.')
    }
}

#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a const fn cannot iterate; the index stays below the length, which is at most 128"
)]
const fn check(text: &[u8]) -> Result<(), EventTypeError> {
    if text.len() > MAX_LEN {
        return Err(EventTypeError::TooLong { len: text.len() });
    }
    let mut in_segment = false;
    let mut index = 0;
    while index < text.len() {
        match text[index] {
            b'.' if !in_segment => return Err(EventTypeError::Empty),
            b'.' => in_segment = false,
            b'_' | b'-' => in_segment = true,
            byte if byte.is_ascii_alphanumeric() => in_segment = true,
            _ => return Err(EventTypeError::Character),
        }
        index += 1;
    }
    if in_segment { Ok(()) } else { Err(EventTypeError::Empty) }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl AsRef<str> for EventType {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for EventType {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for EventType {
    type Error = EventTypeError;

    fn try_from(text: &str) -> Result<Self, EventTypeError> {
        Self::new(text)
    }
}

impl TryFrom<String> for EventType {
    type Error = EventTypeError;

    fn try_from(text: String) -> Result<Self, EventTypeError> {
        Self::new(text)
    }
}

impl FromStr for EventType {
    type Err = EventTypeError;

    fn from_str(text: &str) -> Result<Self, EventTypeError> {
        Self::new(text)
    }
}

impl<'de> Deserialize<'de> for EventType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::deserialize(deserializer, Self::from_str)
    }
}

/// A text that is not a valid [`EventType`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventTypeError {
    /// The text, or a segment of it, is empty.
    #[error("event type must not have an empty segment")]
    Empty,
    /// The text is longer than 128 bytes.
    #[error("event type must be at most {MAX_LEN} bytes, got {len}")]
    TooLong {
        /// The length of the text, in bytes.
        len: usize,
    },
    /// The text contains a character other than `A-Z a-z 0-9 _ - .`.
    #[error("event type must contain only `A-Z a-z 0-9 _ - .`")]
    Character,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_types_of_vendors_are_valid() {
        for text in [
            "run_started",
            "payment-method.bank.created",
            "v2.workflowTask.updated.status",
            "sample.created",
        ] {
            assert_eq!(EventType::new(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn event_type_error_texts_name_the_rule() {
        let text = |text: &str| EventType::new(text).unwrap_err().to_string();
        for empty in ["", ".", "a.", ".a", "a..b"] {
            assert_eq!(text(empty), "event type must not have an empty segment", "{empty:?}");
        }
        assert_eq!(text(&"a".repeat(129)), "event type must be at most 128 bytes, got 129");
        for bad in ["a b", "a.*", "é", "a\0", "order:created"] {
            assert_eq!(text(bad), "event type must contain only `A-Z a-z 0-9 _ - .`", "{bad:?}");
        }
    }
}
