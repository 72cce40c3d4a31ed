//! HTTP-dates (RFC 9110, section 5.6.7), read leniently.
//!
//! The weekday must be a weekday's name; whether it fits the date is not checked.

use std::time::Duration;

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

use crate::time::Timestamp;

/// Parses decimal digits and nothing else, saturating.
pub(super) fn digits(text: &str) -> Option<u64> {
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

/// Returns whether the text is a weekday's name, which only the first part of a date is.
pub(super) fn is_weekday(text: &str) -> bool {
    SHORT_WEEKDAYS.contains(&text) || LONG_WEEKDAYS.contains(&text)
}

/// Parses the two forms of a date that begin with a weekday and a comma; `rest` follows the comma.
pub(super) fn after_weekday(weekday: &str, rest: &str, now: Timestamp) -> Option<Timestamp> {
    let parts: Vec<&str> = rest.split_ascii_whitespace().collect();
    match parts.as_slice() {
        // Sun, 06 Nov 1994 08:49:37 GMT
        [day, month, year, clock, zone] if is_utc(zone) => {
            is_name(weekday, &SHORT_WEEKDAYS)?;
            instant(fixed(year, 4)?, month_of(month)?, day_of(day)?, clock)
        }
        // Sunday, 06-Nov-94 08:49:37 GMT
        [date, clock, zone] if is_utc(zone) => {
            is_name(weekday, &LONG_WEEKDAYS)?;
            let mut date = date.split('-');
            let (day, month) = (day_of(date.next()?)?, month_of(date.next()?)?);
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
        _ => None,
    }
}

/// Parses the form of a date without a comma: `Sun Nov  6 08:49:37 1994`.
pub(super) fn asctime(text: &str) -> Option<Timestamp> {
    let parts: Vec<&str> = text.split_ascii_whitespace().collect();
    match parts.as_slice() {
        [weekday, month, day, clock, year] => {
            is_name(weekday, &SHORT_WEEKDAYS)?;
            instant(fixed(year, 4)?, month_of(month)?, day_of(day)?, clock)
        }
        _ => None,
    }
}

fn is_utc(zone: &str) -> bool {
    ["GMT", "UTC", "UT", "+0000"].contains(&zone)
}

fn day_of(text: &str) -> Option<u64> {
    fixed(text, 2).or_else(|| fixed(text, 1))
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_744_882_200);

    #[test]
    fn each_month_is_read() {
        let months =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        for (number, month) in (1..).zip(months) {
            let date = format!("06 {month} 1994 08:49:37 GMT");
            let expected = format!("1994-{number:02}-06T08:49:37Z").parse().unwrap();
            assert_eq!(after_weekday("Sun", &date, NOW), Some(expected), "{month}");
        }
    }

    #[test]
    fn weekday_and_zone_belong_to_the_form() {
        for (weekday, date, is_date) in [
            ("Sun", "06 Nov 1994 08:49:37 GMT", true),
            ("Sunday", "06 Nov 1994 08:49:37 GMT", false),
            ("Sun", "06 Nov 1994 08:49:37 CET", false),
            ("Sunday", "06-Nov-94 08:49:37 GMT", true),
            ("Sun", "06-Nov-94 08:49:37 GMT", false),
            ("Sunday", "06-Nov-94 08:49:37 CET", false),
        ] {
            let found = after_weekday(weekday, date, NOW).is_some();
            assert_eq!(found, is_date, "{weekday}, {date}");
        }
    }

    #[test]
    fn two_digit_year_is_at_most_fifty_years_ahead() {
        let year = |date: &str, now: &str| {
            let instant = after_weekday("Monday", date, now.parse().unwrap()).unwrap();
            instant.to_string()[..4].to_owned()
        };
        let now = "2026-06-15T12:00:00Z";
        assert_eq!(year("01-Jun-76 00:00:00 GMT", now), "2076");
        assert_eq!(year("01-Jul-76 00:00:00 GMT", now), "1976");
        assert_eq!(year("01-Jun-77 00:00:00 GMT", now), "1977");
        assert_eq!(year("01-Jun-26 00:00:00 GMT", now), "2026");
        assert_eq!(year("01-Jan-01 00:00:00 GMT", "2099-12-31T23:59:59Z"), "2101");
    }
}
