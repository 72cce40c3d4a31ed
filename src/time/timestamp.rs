//! An instant in Unix time: [`Timestamp`].

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::rfc3339;

const MICROS_PER_MILLI: i64 = 1_000;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// An instant in Unix time, with microsecond precision.
///
/// labhook never reads a clock: every call that needs the time takes a `Timestamp`. It is eight
/// bytes, `Copy`, totally ordered, and covers 292 277 years on either side of 1970. All arithmetic
/// saturates at [`MIN`](Self::MIN) and [`MAX`](Self::MAX).
///
/// Serde represents it as an integer number of microseconds; `Display` and `FromStr` use RFC 3339.
/// It converts [from](#impl-From%3CSystemTime%3E-for-Timestamp) and [to](Self::to_system_time)
/// [`SystemTime`], and from and to Unix integers.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use labhook::Timestamp;
///
/// let started: Timestamp = "2025-04-17T09:30:00.000Z".parse()?;
/// assert_eq!(started.unix_seconds(), 1_744_882_200);
/// assert_eq!((started + Duration::from_millis(5)).to_string(), "2025-04-17T09:30:00.005Z");
///
/// let now = Timestamp::from(SystemTime::now());
/// assert!(now > started);
/// # Ok::<(), labhook::time::ParseTimestampError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Self = Self(0);
    /// The earliest representable instant.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest representable instant.
    pub const MAX: Self = Self(i64::MAX);

    /// Creates an instant from microseconds since the Unix epoch.
    #[must_use]
    pub const fn from_unix_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Creates an instant from milliseconds since the Unix epoch, saturating.
    #[must_use]
    pub const fn from_unix_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(MICROS_PER_MILLI))
    }

    /// Creates an instant from seconds since the Unix epoch, saturating.
    #[must_use]
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MICROS_PER_SECOND))
    }

    /// Returns the microseconds since the Unix epoch; negative before it.
    #[must_use]
    pub const fn unix_micros(self) -> i64 {
        self.0
    }

    /// Returns the whole milliseconds since the Unix epoch, rounded down.
    #[must_use]
    pub const fn unix_millis(self) -> i64 {
        self.0.div_euclid(MICROS_PER_MILLI)
    }

    /// Returns the whole seconds since the Unix epoch, rounded down.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SECOND)
    }

    /// Returns the time elapsed since `earlier`, or zero if `earlier` is later than this instant.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        if self.0 > earlier.0 {
            Duration::from_micros(self.0.abs_diff(earlier.0))
        } else {
            Duration::ZERO
        }
    }

    /// Converts to [`SystemTime`]; `None` if the platform's `SystemTime` cannot represent it.
    #[must_use]
    pub fn to_system_time(self) -> Option<SystemTime> {
        let distance = Duration::from_micros(self.0.unsigned_abs());
        if self.0 < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
    }

    /// The same text as `Display`.
    pub(super) fn to_text(self) -> String {
        rfc3339::write(self.0).unwrap_or_else(|| self.to_string())
    }

    pub(crate) fn from_rfc3339(text: &str) -> Result<Self, ParseTimestampError> {
        if let Some(micros) = rfc3339::parse(text) {
            return Ok(Self(micros));
        }
        // `time` accepts any character between date and time, which RFC 3339 does not. Its error is
        // that of no text at all.
        let is_separated = matches!(text.as_bytes().get(10), None | Some(b'T' | b't' | b' '));
        let instant = OffsetDateTime::parse(if is_separated { text } else { "" }, &Rfc3339)
            .map_err(|source| ParseTimestampError { source })?;
        // Every year that RFC 3339 can represent is within 400 000 000 000 s of the epoch.
        let micros = instant.unix_timestamp_nanos().div_euclid(1_000);
        Ok(Self(i64::try_from(micros).unwrap_or(if micros < 0 { i64::MIN } else { i64::MAX })))
    }
}

/// Whole microseconds, saturating: a duration can exceed the range of [`Timestamp`].
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Whole milliseconds, rounded up, so that nothing happens earlier than requested.
pub(crate) fn millis_up(duration: Duration) -> u64 {
    let part = u128::from(!duration.subsec_nanos().is_multiple_of(1_000_000));
    u64::try_from(duration.as_millis().saturating_add(part)).unwrap_or(u64::MAX)
}

/// Saturates at [`Timestamp::MAX`]; fractions of a microsecond are truncated.
impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(micros(duration)))
    }
}

/// Saturates at [`Timestamp::MIN`]; fractions of a microsecond are truncated.
impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub_unsigned(micros(duration)))
    }
}

/// Saturates like `+`.
impl std::ops::AddAssign<Duration> for Timestamp {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

/// Saturates like `-`.
impl std::ops::SubAssign<Duration> for Timestamp {
    fn sub_assign(&mut self, duration: Duration) {
        *self = *self - duration;
    }
}

/// Saturates; fractions of a microsecond are truncated.
impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self::UNIX_EPOCH + after,
            Err(before) => Self::UNIX_EPOCH - before.duration(),
        }
    }
}

impl TryFrom<&str> for Timestamp {
    type Error = ParseTimestampError;

    fn try_from(text: &str) -> Result<Self, ParseTimestampError> {
        text.parse()
    }
}

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    /// Parses an RFC 3339 date-time with any UTC offset. Digits past the microsecond are truncated.
    fn from_str(text: &str) -> Result<Self, ParseTimestampError> {
        Self::from_rfc3339(text)
    }
}

/// RFC 3339 in UTC with three fraction digits, or six if the microseconds need them. Outside of the
/// years 0000 to 9999, the range of RFC 3339, it is `@` followed by the Unix seconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match rfc3339::write(self.0) {
            Some(text) => f.write_str(&text),
            None => {
                let micros = self.0.rem_euclid(MICROS_PER_SECOND);
                write!(f, "@{}.{micros:06}", self.unix_seconds())
            }
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not an RFC 3339 date-time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an RFC 3339 date-time, such as `2025-04-17T09:30:00Z`")]
pub struct ParseTimestampError {
    source: time::error::Parse,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamp_parses_the_four_vendors_spellings() {
        for (text, micros) in [
            ("2025-04-17T09:30:00.000Z", 1_744_882_200_000_000),
            ("2021-08-09T14:40:19.987691+00:00", 1_628_520_019_987_691),
            ("2009-01-03T18:15:00+01:00", 1_231_002_900_000_000),
            ("2020-06-01T15:39:55.049-07:00", 1_591_051_195_049_000),
            ("1969-12-31T23:59:59.9999999Z", -1),
        ] {
            assert_eq!(text.parse::<Timestamp>().unwrap().unix_micros(), micros, "{text}");
        }
        assert_eq!(
            "yesterday".parse::<Timestamp>().unwrap_err().to_string(),
            "expected an RFC 3339 date-time, such as `2025-04-17T09:30:00Z`"
        );
    }

    #[test]
    fn date_and_time_are_separated_as_in_rfc_3339() {
        for good in ["2025-04-17T09:30:00Z", "2025-04-17t09:30:00z", "2025-04-17 09:30:00Z"] {
            let at = good.parse::<Timestamp>().unwrap();
            assert_eq!(at.unix_micros(), 1_744_882_200_000_000, "{good}");
        }
        for bad in ["2025-04-17v09:30:00Z", "2025-04-17_09:30:00Z", "2025-04-17909:30:00Z", ""] {
            assert!(bad.parse::<Timestamp>().is_err(), "{bad}");
        }
    }

    #[test]
    fn timestamp_displays_as_rfc_3339_in_its_range() {
        assert_eq!(Timestamp::UNIX_EPOCH.to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::from_unix_micros(-1).to_string(), "1969-12-31T23:59:59.999999Z");
        assert_eq!(Timestamp::MAX.to_string(), "@9223372036854.775807");
        assert_eq!(Timestamp::MIN.to_string(), "@-9223372036855.224192");
        for micros in
            [0, 1, 999, 1_000, 123_456_789, -62_167_219_200_000_000, 253_402_300_799_999_999]
        {
            let at = Timestamp::from_unix_micros(micros);
            assert_eq!(at.to_string().parse::<Timestamp>().unwrap(), at);
        }
    }

    #[test]
    fn timestamp_arithmetic_saturates() {
        assert_eq!(Timestamp::MAX + Duration::MAX, Timestamp::MAX);
        assert_eq!(Timestamp::MIN - Duration::MAX, Timestamp::MIN);
        assert_eq!(Timestamp::MIN + Duration::MAX, Timestamp::MAX);
        assert_eq!(Timestamp::MAX - Duration::MAX, Timestamp::MIN);
        assert_eq!(Timestamp::MIN.saturating_since(Timestamp::MAX), Duration::ZERO);
        assert_eq!(
            Timestamp::MAX.saturating_since(Timestamp::MIN),
            Duration::from_micros(u64::MAX)
        );
        assert_eq!(Timestamp::from_unix_seconds(i64::MIN), Timestamp::MIN);
        assert_eq!(Timestamp::from_unix_micros(-1).unix_seconds(), -1);
        assert_eq!(Timestamp::from_unix_micros(-1).unix_millis(), -1);
        assert_eq!(Timestamp::from_unix_millis(1_999).unix_millis(), 1_999);
        let mut at = Timestamp::MAX;
        at += Duration::from_secs(1);
        assert_eq!(at, Timestamp::MAX);
        at -= Duration::from_micros(1);
        assert_eq!(at.unix_micros(), i64::MAX - 1);
    }

    #[test]
    fn timestamp_converts_to_system_time_and_back() {
        for micros in [0, 1, -1, 1_744_882_200_000_001] {
            let at = Timestamp::from_unix_micros(micros);
            assert_eq!(Timestamp::from(at.to_system_time().unwrap()), at);
        }
    }
}
