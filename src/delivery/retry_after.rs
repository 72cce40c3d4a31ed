//! Value of a `Retry-After` header: [`RetryAfter`].

use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use serde::{Deserialize, Serialize};
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

use crate::time::{Timestamp, millis_up};

/// Value of the response header `Retry-After` (RFC 9110, section 10.2.3).
///
/// The order is by how long the receiver wants to be left alone: [`Stop`](Self::Stop) is greater
/// than any wait.
#[doc(alias = "Retry-After")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RetryAfter {
    /// Retry after at least this much time since the response; zero for a date in the past.
    #[serde(rename = "wait_ms", with = "millis")]
    Wait(Duration),
    /// Do not retry: a negative number of seconds. RFC 9110 has no such value; AWS EventBridge
    /// gives it this meaning.
    Stop,
}

impl RetryAfter {
    /// Reads the header; `None` if it is absent or invalid.
    ///
    /// A number of seconds that is too large saturates. A date may have any of the three forms of
    /// RFC 9110, section 5.6.7, and becomes a wait measured from `now`, the time of the response.
    /// Values in neither form are ignored. Of several values the greatest counts.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap, now: Timestamp) -> Option<Self> {
        let values = headers.get_all(RETRY_AFTER).iter();
        values.filter_map(|value| Self::parse(value.as_bytes(), now)).max()
    }

    fn parse(value: &[u8], now: Timestamp) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?.trim_ascii();
        if let Some(seconds) = text.strip_prefix('-') {
            let seconds = digits(seconds)?;
            return Some(if seconds == 0 { Self::Wait(Duration::ZERO) } else { Self::Stop });
        }
        let wait = match digits(text) {
            // Whole milliseconds, as in the saved form.
            Some(seconds) => Duration::from_millis(seconds.saturating_mul(1_000)),
            None => Duration::from_millis(millis_up(http_date(text, now)?.saturating_since(now))),
        };
        Some(Self::Wait(wait))
    }
}

/// Parses decimal digits and nothing else, saturating.
fn digits(text: &str) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.bytes().try_fold(0_u64, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        Some(number.saturating_mul(10).saturating_add(u64::from(digit)))
    })
}

/// Parses exactly `len` decimal digits.
fn fixed(text: &str, len: usize) -> Option<u64> {
    (text.len() == len).then(|| digits(text))?
}

/// Parses an HTTP-date. The weekday must be a weekday's name; whether it fits the date is not
/// checked.
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
            let year = last_year_within_reach(year, now)?;
            let reach = now + FIFTY_YEARS;
            // February 29 may exist only in the other century.
            match instant(year, month, day, clock) {
                Some(within) if within <= reach => Some(within),
                _ => instant(year.checked_sub(100)?, month, day, clock),
            }
        }
        // Sun Nov  6 08:49:37 1994, with the day padded to two columns
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

/// In Julian years.
const FIFTY_YEARS: Duration = Duration::from_secs(1_577_880_000);

const SHORT_WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const LONG_WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

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
    // HTTP-dates can have a leap second, Unix time cannot: it becomes the second after :59.
    let leap = u64::from(second == 60);
    let time =
        Time::from_hms(hour, minute, second.min(if leap == 1 { 59 } else { second })).ok()?;
    let instant = PrimitiveDateTime::new(date.ok()?, time).assume_utc();
    Some(Timestamp::from_unix_seconds(instant.unix_timestamp()) + Duration::from_secs(leap))
}

/// Returns the last year with these two digits that begins at most 50 years ahead: a date that
/// appears to be further ahead is in the past (RFC 9110, section 5.6.7).
fn last_year_within_reach(digits: u64, now: Timestamp) -> Option<u64> {
    let now = OffsetDateTime::from_unix_timestamp(now.unix_seconds()).ok()?;
    let latest = u64::try_from(now.year()).ok()?.saturating_add(50);
    let behind = latest.checked_sub(digits)? % 100;
    latest.checked_sub(behind)
}

mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    use crate::time::millis_up;

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

#[cfg(test)]
mod tests {
    use super::*;

    /// 1994-11-06T08:49:07Z, half a minute before RFC 9110's example.
    const NOW: i64 = 784_111_747;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    fn read(value: &str, now: Timestamp) -> Option<RetryAfter> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().unwrap());
        RetryAfter::from_headers(&headers, now)
    }

    fn wait(seconds: u64) -> Option<RetryAfter> {
        Some(RetryAfter::Wait(Duration::from_secs(seconds)))
    }

    #[test]
    fn seconds_of_any_size_are_read() {
        for (value, expected) in [
            ("0", wait(0)),
            ("120", wait(120)),
            ("007", wait(7)),
            (" 5 ", wait(5)),
            ("-0", wait(0)),
            ("-1", Some(RetryAfter::Stop)),
            ("-99999999999999999999999", Some(RetryAfter::Stop)),
            ("99999999999999999999999", Some(RetryAfter::Wait(Duration::from_millis(u64::MAX)))),
        ] {
            assert_eq!(read(value, at(NOW)), expected, "{value}");
        }
    }

    #[test]
    fn dates_in_all_three_forms_are_read() {
        for (value, expected) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", wait(30)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", wait(30)),
            ("Sun Nov  6 08:49:37 1994", wait(30)),
            ("Wed Nov 16 08:49:37 1994", wait(30 + 864_000)),
            ("Sun, 06 Nov 1994 08:49:06 GMT", wait(0)),
            ("Thu, 01 Jan 0001 00:00:00 GMT", wait(0)),
            ("Sat, 31 Dec 1994 23:59:60 GMT", wait(4_806_653)),
        ] {
            assert_eq!(read(value, at(NOW)), expected, "{value}");
        }
        // A wait includes fractions of a second.
        let now = Timestamp::from_unix_micros(NOW * 1_000_000 + 1);
        assert_eq!(
            read("Sun, 06 Nov 1994 08:49:08 GMT", now),
            Some(RetryAfter::Wait(Duration::from_secs(1)))
        );
    }

    #[test]
    fn two_digit_year_is_at_most_fifty_years_ahead() {
        let year = |value: &str, now: &str| {
            let instant = http_date(value, now.parse().unwrap()).unwrap();
            instant.to_string()[..4].to_owned()
        };
        let now = "2026-06-15T12:00:00Z";
        assert_eq!(year("Monday, 01-Jun-76 00:00:00 GMT", now), "2076");
        assert_eq!(year("Monday, 01-Jul-76 00:00:00 GMT", now), "1976");
        assert_eq!(year("Monday, 01-Jun-77 00:00:00 GMT", now), "1977");
        assert_eq!(year("Monday, 01-Jun-26 00:00:00 GMT", now), "2026");
        assert_eq!(year("Thursday, 01-Jan-01 00:00:00 GMT", "2099-12-31T23:59:59Z"), "2101");
    }

    #[test]
    fn invalid_value_is_ignored() {
        for value in [
            "",
            "-",
            "--1",
            "+5",
            "5.5",
            "5s",
            "1 2",
            "٣",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 Nov 1994 08:49:37:00 GMT",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Son, 06 Nov 1994 08:49:37 GMT",
            "Sun 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-1994 08:49:37 GMT",
            "Sunday, 06-Nov-94-1 08:49:37 GMT",
            "1994-11-06T08:49:37Z",
        ] {
            let mut headers = HeaderMap::new();
            let value = http::HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.insert(RETRY_AFTER, value);
            for now in [at(NOW), Timestamp::MIN, Timestamp::MAX] {
                assert_eq!(
                    RetryAfter::from_headers(&headers, now),
                    None,
                    "{:?}",
                    headers[RETRY_AFTER]
                );
            }
        }
        assert_eq!(RetryAfter::from_headers(&HeaderMap::new(), at(NOW)), None);
    }

    #[test]
    fn greatest_of_several_values_counts() {
        let mut headers = HeaderMap::new();
        for value in ["5", "60", "soon"] {
            headers.append(RETRY_AFTER, value.parse().unwrap());
        }
        assert_eq!(RetryAfter::from_headers(&headers, at(NOW)), wait(60));
        headers.append(RETRY_AFTER, "-1".parse().unwrap());
        assert_eq!(RetryAfter::from_headers(&headers, at(NOW)), Some(RetryAfter::Stop));
    }
}
