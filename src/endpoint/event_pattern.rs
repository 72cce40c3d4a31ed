//! Patterns that match event types: [`EventPattern`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::term::Term;
use crate::event_type::{EventType, EventTypeError};

/// A pattern that matches event types.
///
/// `*` matches every type, `run.*` every type that starts with `run.`, and any other text exactly
/// that type. The star matches one or more whole segments, and is allowed only at the end.
///
/// ```
/// use labhook::EventType;
/// use labhook::endpoint::EventPattern;
///
/// const MOVED: EventType = EventType::from_static("labware.moved");
/// for (pattern, matches) in [("*", true), ("labware.*", true), ("labware", false)] {
///     assert_eq!(pattern.parse::<EventPattern>()?.matches(&MOVED), matches);
/// }
/// # Ok::<(), labhook::endpoint::EventPatternError>(())
/// ```
#[doc(alias = "topic filter")]
#[doc(alias = "wildcard")]
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventPattern(Pattern);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Pattern {
    All,
    Under(EventType),
    Exact(EventType),
}

impl EventPattern {
    /// The pattern `*`, which matches every event type.
    pub const ALL: Self = Self(Pattern::All);

    /// Creates the pattern `family.*`, which matches every event type under `family`.
    #[must_use]
    pub const fn under(family: EventType) -> Self {
        Self(Pattern::Under(family))
    }

    /// Returns the term that a message of a matching type has; `None` if all types match.
    pub(super) fn term(&self) -> Option<Term<'_>> {
        match &self.0 {
            Pattern::All => None,
            Pattern::Under(family) => Some(Term::Under(family.as_str())),
            Pattern::Exact(exact) => Some(Term::EventType(exact.as_str())),
        }
    }

    /// Returns whether the pattern matches the event type.
    #[must_use]
    pub fn matches(&self, event_type: &EventType) -> bool {
        match &self.0 {
            Pattern::All => true,
            Pattern::Under(family) => event_type
                .as_str()
                .strip_prefix(family.as_str())
                .is_some_and(|rest| rest.starts_with('.')),
            Pattern::Exact(exact) => exact == event_type,
        }
    }
}

/// The pattern that matches exactly this type.
impl From<EventType> for EventPattern {
    fn from(event_type: EventType) -> Self {
        Self(Pattern::Exact(event_type))
    }
}

impl TryFrom<&str> for EventPattern {
    type Error = EventPatternError;

    fn try_from(text: &str) -> Result<Self, EventPatternError> {
        text.parse()
    }
}

impl FromStr for EventPattern {
    type Err = EventPatternError;

    fn from_str(text: &str) -> Result<Self, EventPatternError> {
        let parse =
            |text: &str| EventType::new(text).map_err(|source| EventPatternError { source });
        if text == "*" {
            return Ok(Self::ALL);
        }
        match text.strip_suffix(".*") {
            Some(family) => Ok(Self::under(parse(family)?)),
            None => Ok(parse(text)?.into()),
        }
    }
}

impl fmt::Display for EventPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Pattern::All => f.write_str("*"),
            Pattern::Under(family) => write!(f, "{family}.*"),
            Pattern::Exact(exact) => write!(f, "{exact}"),
        }
    }
}

impl fmt::Debug for EventPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl Serialize for EventPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A text that is not a valid [`EventPattern`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event pattern must be `*`, an event type, or an event type followed by `.*`")]
pub struct EventPatternError {
    source: EventTypeError,
}
