//! An instant that the host hands in: [`Timestamp`].

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// An instant in Unix time, to the microsecond.
///
/// labhook reads no clock: every call that needs the time takes a `Timestamp`. It is eight bytes,
/// `Copy`, totally ordered, and covers 292 277 years either side of 1970. All arithmetic
/// saturates at [`MIN`](Self::MIN) and [`MAX`](Self::MAX).
///
/// In saved state it is the integer number of microseconds; as text it is RFC 3339. It converts
/// [from](#impl-From%3CSystemTime%3E-for-Timestamp) and [to](Self::to_system_time) the host's
/// system time, Unix integers and text.
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
    /// The earliest instant.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest instant.
    pub const MAX: Self = Self(i64::MAX);

    /// The instant this many microseconds after the Unix epoch.
    #[must_use]
    pub const fn from_unix_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The instant this many milliseconds after the Unix epoch, saturating.
    #[must_use]
    pub const fn from_unix_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// The instant this many seconds after the Unix epoch, saturating.
    #[must_use]
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MICROS_PER_SECOND))
    }

    /// Microseconds since the Unix epoch; negative before it.
    #[must_use]
    pub const fn unix_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded towards the past.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SECOND)
    }

    /// The time from `earlier` to this instant; zero when `earlier` is the later of the two.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        if self.0 > earlier.0 {
            Duration::from_micros(self.0.abs_diff(earlier.0))
        } else {
            Duration::ZERO
        }
    }

    /// This instant on the host's system clock, or `None` where that clock cannot represent it.
    #[must_use]
    pub fn to_system_time(self) -> Option<SystemTime> {
        let distance = Duration::from_micros(self.0.unsigned_abs());
        if self.0 < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
    }

    pub(crate) fn from_rfc3339(text: &str) -> Result<Self, ParseTimestampError> {
        let instant = OffsetDateTime::parse(text, &Rfc3339)
            .map_err(|source| ParseTimestampError { source })?;
        // Every year that RFC 3339 can write is within 400 000 000 000 s of the epoch.
        let micros = instant.unix_timestamp_nanos().div_euclid(1_000);
        Ok(Self(i64::try_from(micros).unwrap_or(if micros < 0 { i64::MIN } else { i64::MAX })))
    }
}

/// A duration can be longer than the way from [`Timestamp::MIN`] to [`Timestamp::MAX`].
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Whole milliseconds, rounded up, so that nothing comes earlier than it was asked to.
pub(crate) fn millis_up(duration: Duration) -> u64 {
    let part = u128::from(!duration.subsec_nanos().is_multiple_of(1_000_000));
    u64::try_from(duration.as_millis().saturating_add(part)).unwrap_or(u64::MAX)
}

/// Saturates at [`Timestamp::MAX`]; parts of a microsecond are dropped.
impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(micros(duration)))
    }
}

/// Saturates at [`Timestamp::MIN`]; parts of a microsecond are dropped.
impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub_unsigned(micros(duration)))
    }
}

/// Saturates; parts of a microsecond are dropped.
impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self::UNIX_EPOCH + after,
            Err(before) => Self::UNIX_EPOCH - before.duration(),
        }
    }
}

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    /// Reads an RFC 3339 date-time with any offset; digits past the microsecond are dropped.
    fn from_str(text: &str) -> Result<Self, ParseTimestampError> {
        Self::from_rfc3339(text)
    }
}

/// RFC 3339 in UTC with three fraction digits, or six where the microseconds need them. Outside
/// the years that RFC 3339 can write it is `@` and the Unix seconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.rem_euclid(MICROS_PER_SECOND);
        let instant = OffsetDateTime::from_unix_timestamp(self.unix_seconds());
        match instant {
            Ok(at) if (0..=9999).contains(&at.year()) => {
                let (date, time) = (at.date(), at.time());
                write!(
                    f,
                    "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.",
                    date.year(),
                    u8::from(date.month()),
                    date.day(),
                    time.hour(),
                    time.minute(),
                    time.second()
                )?;
                match micros.rem_euclid(1_000) {
                    0 => write!(f, "{:03}Z", micros.div_euclid(1_000)),
                    _ => write!(f, "{micros:06}Z"),
                }
            }
            _ => write!(f, "@{}.{micros:06}", self.unix_seconds()),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not an RFC 3339 date-time.
#[derive(Debug, thiserror::Error)]
#[error("not an RFC 3339 date-time")]
pub struct ParseTimestampError {
    source: time::error::Parse,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_survives_in_the_four_vendors_spellings() {
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
            "not an RFC 3339 date-time"
        );
    }

    #[test]
    fn display_is_rfc3339_where_it_can_be() {
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
    fn arithmetic_saturates() {
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
    }

    #[test]
    fn system_time_converts_both_ways() {
        for micros in [0, 1, -1, 1_744_882_200_000_001] {
            let at = Timestamp::from_unix_micros(micros);
            assert_eq!(Timestamp::from(at.to_system_time().unwrap()), at);
        }
    }
}
