//! What a receiver asks of the next attempt: [`RetryAfter`].

use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use serde::{Deserialize, Serialize};
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

use super::millis_up;
use crate::timestamp::Timestamp;

/// What a response's `Retry-After` asks for (RFC 9110, section 10.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RetryAfter {
    /// Not before this much time has passed since the response came; zero for a date in the past.
    #[serde(rename = "wait_ms", with = "millis")]
    Wait(Duration),
    /// Not at all: a negative number of seconds. RFC 9110 knows no such value; AWS EventBridge
    /// gives it this meaning.
    Stop,
}

impl RetryAfter {
    /// Reads the header, if it is there and can be read.
    ///
    /// A number of seconds too large to hold counts as the largest that can be held. A date is
    /// taken in the three forms of RFC 9110, section 5.6.7, and turned into a wait measured from
    /// `now`, the time at which the response came. What fits neither form is ignored. Of several
    /// values the one that asks for most counts, and `Stop` over any wait.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap, now: Timestamp) -> Option<Self> {
        let asked = headers.get_all(RETRY_AFTER).iter();
        asked
            .filter_map(|value| Self::parse(value.as_bytes(), now))
            .max_by_key(|asked| match asked {
                Self::Wait(wait) => *wait,
                Self::Stop => Duration::MAX,
            })
    }

    fn parse(value: &[u8], now: Timestamp) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?.trim_ascii();
        if let Some(seconds) = text.strip_prefix('-') {
            let seconds = digits(seconds)?;
            return Some(if seconds == 0 {
                Self::Wait(Duration::ZERO)
            } else {
                Self::Stop
            });
        }
        let wait = match digits(text) {
            // Whole milliseconds, as the saved form has them.
            Some(seconds) => Duration::from_millis(seconds.saturating_mul(1_000)),
            None => Duration::from_millis(millis_up(http_date(text, now)?.saturating_since(now))),
        };
        Some(Self::Wait(wait))
    }
}

/// A number of decimal digits and nothing else, saturating.
fn digits(text: &str) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.bytes().try_fold(0_u64, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        Some(number.saturating_mul(10).saturating_add(u64::from(digit)))
    })
}

/// A number of exactly `len` decimal digits.
fn fixed(text: &str, len: usize) -> Option<u64> {
    (text.len() == len).then(|| digits(text))?
}

/// The instant that an HTTP-date names. The name of the weekday has to be one; whether it is the
/// right one is left to the sender.
fn http_date(text: &str, now: Timestamp) -> Option<Timestamp> {
    let parts: Vec<&str> = text.split(' ').collect();
    match parts.as_slice() {
        // Sun, 06 Nov 1994 08:49:37 GMT
        [weekday, day, month, year, clock, "GMT"] => {
            is_name(weekday.strip_suffix(',')?, &SHORT_WEEKDAYS)?;
            let day = fixed(day, 2)?;
            instant(fixed(year, 4)?, month_of(month)?, day, clock)
        }
        // Sunday, 06-Nov-94 08:49:37 GMT
        [weekday, date, clock, "GMT"] => {
            is_name(weekday.strip_suffix(',')?, &LONG_WEEKDAYS)?;
            let mut date = date.split('-');
            let (day, month) = (fixed(date.next()?, 2)?, month_of(date.next()?)?);
            let year = fixed(date.next()?, 2)?;
            if date.next().is_some() {
                return None;
            }
            instant(full_year(year, now)?, month, day, clock)
        }
        // Sun Nov  6 08:49:37 1994, the day in two columns
        [weekday, month, "", day, clock, year] => {
            is_name(weekday, &SHORT_WEEKDAYS)?;
            let day = fixed(day, 1)?;
            instant(fixed(year, 4)?, month_of(month)?, day, clock)
        }
        [weekday, month, day, clock, year] => {
            is_name(weekday, &SHORT_WEEKDAYS)?;
            let day = fixed(day, 2)?;
            instant(fixed(year, 4)?, month_of(month)?, day, clock)
        }
        _ => None,
    }
}

const SHORT_WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const LONG_WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

fn is_name(text: &str, names: &[&str]) -> Option<()> {
    names.contains(&text).then_some(())
}

fn month_of(text: &str) -> Option<Month> {
    Some(match text {
        "Jan" => Month::January,
        "Feb" => Month::February,
        "Mar" => Month::March,
        "Apr" => Month::April,
        "May" => Month::May,
        "Jun" => Month::June,
        "Jul" => Month::July,
        "Aug" => Month::August,
        "Sep" => Month::September,
        "Oct" => Month::October,
        "Nov" => Month::November,
        "Dec" => Month::December,
        _ => return None,
    })
}

fn instant(year: u64, month: Month, day: u64, clock: &str) -> Option<Timestamp> {
    let date = Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?);
    let mut clock = clock.split(':').map(|part| fixed(part, 2));
    let mut next = || u8::try_from(clock.next()??).ok();
    let (hour, minute, second) = (next()?, next()?, next()?);
    if clock.next().is_some() {
        return None;
    }
    // The grammar has a leap second, which Unix time does not: it is the second after :59.
    let leap = u64::from(second == 60);
    let time = Time::from_hms(
        hour,
        minute,
        second.min(if leap == 1 { 59 } else { second }),
    )
    .ok()?;
    let instant = PrimitiveDateTime::new(date.ok()?, time).assume_utc();
    Some(Timestamp::from_unix_seconds(instant.unix_timestamp()) + Duration::from_secs(leap))
}

/// The year that two digits mean: the last one that is not more than 50 years ahead (RFC 9110,
/// section 5.6.7), to the year.
fn full_year(year: u64, now: Timestamp) -> Option<u64> {
    let now = OffsetDateTime::from_unix_timestamp(now.unix_seconds()).ok()?;
    let latest = u64::try_from(now.year()).ok()?.saturating_add(50);
    let behind = latest.saturating_sub(year) % 100;
    Some(latest.saturating_sub(behind))
}

mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    use crate::delivery::millis_up;

    pub(super) fn serialize<S: Serializer>(
        wait: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(millis_up(*wait))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}
