//! What kind of thing happened: [`EventType`].

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// The longest event type, in bytes.
const MAX_LEN: usize = 128;

/// The name of a kind of event, such as `run.state_changed`.
///
/// One or more segments joined by full stops; a segment is one or more of `A-Z a-z 0-9 _ -`; 128
/// bytes at most. That is the form which the Standard Webhooks specification suggests, widened by
/// the hyphen because published vendors' types need it (`payment-method.bank.created`).
///
/// A literal is checked when it is compiled:
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
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct EventType(Cow<'static, str>);

impl EventType {
    /// Takes a literal as an event type; a mistake in it stops the build when this is evaluated
    /// in a `const`.
    ///
    /// # Panics
    ///
    /// When called outside a `const` with text that is not an event type; see
    /// [`new`](Self::new) for text that is only known at run time.
    #[must_use]
    #[allow(clippy::panic, reason = "the documented way to fail a const evaluation")]
    pub const fn from_static(text: &'static str) -> Self {
        match check(text.as_bytes()) {
            Ok(()) => Self(Cow::Borrowed(text)),
            Err(EventTypeError::Empty) => panic!("an event type or a segment of it is empty"),
            Err(EventTypeError::TooLong) => panic!("an event type is longer than 128 bytes"),
            Err(EventTypeError::Character) => {
                panic!("an event type holds a character other than A-Z a-z 0-9 _ - .")
            }
        }
    }

    /// Takes the text as an event type.
    ///
    /// # Errors
    ///
    /// [`EventTypeError`] where the text is not of the documented form.
    pub fn new(text: impl Into<String>) -> Result<Self, EventTypeError> {
        let text = text.into();
        check(text.as_bytes())?;
        Ok(Self(Cow::Owned(text)))
    }

    /// The event type as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts between the full stops.
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
        return Err(EventTypeError::TooLong);
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

impl FromStr for EventType {
    type Err = EventTypeError;

    fn from_str(text: &str) -> Result<Self, EventTypeError> {
        Self::new(text)
    }
}

impl<'de> Deserialize<'de> for EventType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// The text is not an event type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventTypeError {
    /// The text, or a segment of it, is empty.
    #[error("an event type or a segment of it is empty")]
    Empty,
    /// The text is longer than 128 bytes.
    #[error("an event type is longer than 128 bytes")]
    TooLong,
    /// The text holds a character other than `A-Z a-z 0-9 _ - .`.
    #[error("an event type holds a character other than A-Z a-z 0-9 _ - .")]
    Character,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_types_are_event_types() {
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
    fn each_error_has_its_text() {
        let text = |text: &str| EventType::new(text).unwrap_err().to_string();
        for empty in ["", ".", "a.", ".a", "a..b"] {
            assert_eq!(text(empty), "an event type or a segment of it is empty", "{empty:?}");
        }
        assert_eq!(text(&"a".repeat(129)), "an event type is longer than 128 bytes");
        for bad in ["a b", "a.*", "é", "a\0", "order:created"] {
            assert_eq!(
                text(bad),
                "an event type holds a character other than A-Z a-z 0-9 _ - .",
                "{bad:?}"
            );
        }
    }
}
