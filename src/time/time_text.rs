//! A time with its original spelling: [`TimeText`].

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::timestamp::{ParseTimestampError, Timestamp};

/// A time as a sender wrote it, usually an RFC 3339 date-time.
///
/// Vendors differ in fraction digits and UTC offsets, so the text is kept verbatim and
/// [`timestamp`](Self::timestamp) returns the instant. Equality and hashing use the spelling;
/// compare the timestamps to compare instants.
///
/// `FromStr` accepts RFC 3339 only. `Deserialize` accepts any text, because an event is not to be
/// lost for a time without a UTC offset; such a text has no timestamp, and none is guessed.
///
/// ```
/// use labhook::time::TimeText;
///
/// let strike: TimeText = "2009-01-03T18:15:00+01:00".parse()?;
/// assert_eq!(strike.as_str(), "2009-01-03T18:15:00+01:00");
/// assert_eq!(strike.timestamp().unwrap().to_string(), "2009-01-03T17:15:00.000Z");
///
/// let no_offset = TimeText::verbatim("2025-04-17T09:30:00.123");
/// assert_eq!(no_offset.timestamp(), None);
/// # Ok::<(), labhook::time::ParseTimestampError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TimeText {
    text: Box<str>,
    timestamp: Option<Timestamp>,
}

impl TimeText {
    /// Keeps any text. It has a timestamp if it is an RFC 3339 date-time.
    #[must_use]
    pub fn verbatim(text: impl Into<Box<str>>) -> Self {
        let text = text.into();
        Self { timestamp: text.parse().ok(), text }
    }

    /// Returns the text, verbatim.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the instant, with microsecond precision; `None` if the text is not an RFC 3339
    /// date-time.
    #[must_use]
    pub const fn timestamp(&self) -> Option<Timestamp> {
        self.timestamp
    }
}

/// Formats the instant like [`Timestamp`]'s `Display`: in UTC, with at least milliseconds. An
/// instant outside of the years 0000 to 9999, the range of RFC 3339, is clamped to it.
impl From<Timestamp> for TimeText {
    fn from(timestamp: Timestamp) -> Self {
        const FIRST: Timestamp = Timestamp::from_unix_micros(-62_167_219_200_000_000);
        const LAST: Timestamp = Timestamp::from_unix_micros(253_402_300_799_999_999);
        let timestamp = timestamp.clamp(FIRST, LAST);
        Self { text: timestamp.to_text().into(), timestamp: Some(timestamp) }
    }
}

impl TryFrom<&str> for TimeText {
    type Error = ParseTimestampError;

    fn try_from(text: &str) -> Result<Self, ParseTimestampError> {
        text.parse()
    }
}

impl AsRef<str> for TimeText {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl FromStr for TimeText {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, ParseTimestampError> {
        Ok(Self { timestamp: Some(text.parse()?), text: text.into() })
    }
}

impl fmt::Display for TimeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for TimeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl Serialize for TimeText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for TimeText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::deserialize(deserializer, |text| Ok::<_, Infallible>(Self::verbatim(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_text_round_trips_byte_for_byte() {
        for json in [
            r#""2025-04-17T09:30:00.000Z""#,
            r#""2021-08-09T14:40:19.987691+00:00""#,
            r#""2009-01-03T18:15:00+01:00""#,
            r#""2020-06-01T15:39:55.049-07:00""#,
        ] {
            let text: TimeText = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&text).unwrap(), json);
        }
    }

    #[test]
    fn time_that_cannot_be_read_stays_as_text() {
        for json in [r#""2025-04-17T09:30:00.123""#, r#""2025-04-17""#, r#""yesterday""#, r#""""#] {
            let text: TimeText = serde_json::from_str(json).unwrap();
            assert_eq!(text.timestamp(), None, "{json}");
            assert_eq!(serde_json::to_string(&text).unwrap(), json);
            assert!(text.as_str().parse::<TimeText>().is_err(), "{json}");
        }
        assert!(serde_json::from_str::<TimeText>("1744882200").is_err());
    }

    #[test]
    fn timestamp_outside_rfc_3339_is_clamped() {
        for at in [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX] {
            let text = TimeText::from(at);
            assert_eq!(text.as_str().parse::<TimeText>().unwrap(), text);
        }
    }
}
