//! RFC 3339 date-times in their common form, read and written quickly: [`parse`] and [`write()`].

use time::OffsetDateTime;

const SECONDS_PER_DAY: i64 = 86_400;

/// Days from 0001-01-01 to 1970-01-01.
const EPOCH_DAY: i64 = 719_162;

/// The days of a common year before each month.
const DAYS_BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/// Returns the microseconds since the Unix epoch of a date-time such as
/// `2025-04-17T09:30:00.123+02:00`. `None` says nothing: the text can still be a date-time in
/// another form, with a leap second for example.
pub(super) fn parse(text: &str) -> Option<i64> {
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        mo1,
        mo2,
        b'-',
        d1,
        d2,
        b'T',
        h1,
        h2,
        b':',
        mi1,
        mi2,
        b':',
        s1,
        s2,
        rest @ ..,
    ] = text.as_bytes()
    else {
        return None;
    };
    let year = number(&[*y1, *y2, *y3, *y4], 1, 9_998)?;
    let month = number(&[*mo1, *mo2], 1, 12)?;
    let day = number(&[*d1, *d2], 1, 31)?;
    let hour = number(&[*h1, *h2], 0, 23)?;
    let minute = number(&[*mi1, *mi2], 0, 59)?;
    let second = number(&[*s1, *s2], 0, 59)?;
    let (micros, offset) = match rest {
        [b'.', rest @ ..] => fraction(rest)?,
        _ => (0, rest),
    };
    let ahead = match offset {
        b"Z" => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (number(&[*h1, *h2], 0, 23)?, number(&[*m1, *m2], 0, 59)?);
            let minutes = hours.saturating_mul(60).saturating_add(minutes);
            if *sign == b'-' { minutes.saturating_neg() } else { minutes }
        }
        _ => return None,
    };
    let minutes = hour.saturating_mul(60).saturating_add(minute).saturating_sub(ahead);
    let seconds = days(year, month, day)?
        .saturating_mul(SECONDS_PER_DAY)
        .saturating_add(minutes.saturating_mul(60))
        .saturating_add(second);
    Some(seconds.saturating_mul(1_000_000).saturating_add(micros))
}

/// Returns the date-time in UTC with three fraction digits, or six if the microseconds need them;
/// `None` outside of the years 0000 to 9999.
pub(super) fn write(micros: i64) -> Option<String> {
    let at = OffsetDateTime::from_unix_timestamp(micros.div_euclid(1_000_000)).ok()?;
    let (date, time) = (at.date(), at.time());
    let year = u32::try_from(date.year()).ok().filter(|year| *year <= 9_999)?;
    let micros = u32::try_from(micros.rem_euclid(1_000_000)).ok()?;
    let mut text = String::with_capacity("2025-04-17T09:30:00.000000Z".len());
    push(&mut text, year, 1_000);
    let parts = [
        ('-', u8::from(date.month())),
        ('-', date.day()),
        ('T', time.hour()),
        (':', time.minute()),
        (':', time.second()),
    ];
    for (before, number) in parts {
        text.push(before);
        push(&mut text, number.into(), 10);
    }
    text.push('.');
    match micros.checked_rem(1_000) {
        Some(0) => push(&mut text, micros.div_euclid(1_000), 100),
        _ => push(&mut text, micros, 100_000),
    }
    text.push('Z');
    Some(text)
}

/// Writes the digits of a number, the first of which counts `unit`.
fn push(text: &mut String, number: u32, mut unit: u32) {
    while unit > 0 {
        let digit = number.checked_div(unit).unwrap_or(0).rem_euclid(10);
        text.push(char::from_digit(digit, 10).unwrap_or('0'));
        unit = unit.div_euclid(10);
    }
}

/// A number of decimal digits within these bounds.
fn number(digits: &[u8], min: i64, max: i64) -> Option<i64> {
    let mut number = 0_i64;
    for digit in digits {
        let digit = digit.checked_sub(b'0').filter(|it| *it <= 9)?;
        number = number.saturating_mul(10).saturating_add(i64::from(digit));
    }
    Some(number).filter(|number| (min..=max).contains(number))
}

/// The microseconds in one to nine digits of a second, rounded down, and what follows the digits.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let len = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=9).contains(&len) {
        return None;
    }
    let (digits, rest) = text.split_at_checked(len)?;
    let mut micros = number(digits, 0, i64::MAX)?;
    for _ in len..6 {
        micros = micros.saturating_mul(10);
    }
    for _ in 6..len {
        micros = micros.div_euclid(10);
    }
    Some((micros, rest))
}

/// The days since the Unix epoch, in the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_multiple_of = |n: i64| year.rem_euclid(n) == 0;
    let is_leap = is_multiple_of(4) && (!is_multiple_of(100) || is_multiple_of(400));
    let leap_day = i64::from(is_leap);
    let at = |month: i64| DAYS_BEFORE.get(usize::try_from(month.saturating_sub(1)).ok()?);
    let next = at(month.saturating_add(1)).map_or(365, |days| *days);
    let before = *at(month)?;
    let len = next.saturating_sub(before).saturating_add(if month == 2 { leap_day } else { 0 });
    if day > len {
        return None;
    }
    let years = year.saturating_sub(1);
    let leap_days = years
        .div_euclid(4)
        .saturating_sub(years.div_euclid(100))
        .saturating_add(years.div_euclid(400));
    let leap_day = if month > 2 { leap_day } else { 0 };
    [years.saturating_mul(365), leap_days, before, leap_day, day]
        .into_iter()
        .reduce(i64::saturating_add)?
        .checked_sub(EPOCH_DAY.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::format_description::well_known::Rfc3339;

    use super::*;

    fn slowly(text: &str) -> Option<i64> {
        let instant = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(instant.unix_timestamp_nanos().div_euclid(1_000)).ok()
    }

    #[test]
    fn every_day_equals_that_of_the_calendar() {
        for (year, month) in (1..=9_998).flat_map(|year| (1..=12).map(move |month| (year, month))) {
            for day in [1, 28, 29, 30, 31] {
                let text = format!("{year:04}-{month:02}-{day:02}T00:00:00Z");
                assert_eq!(parse(&text), slowly(&text), "{text}");
            }
        }
    }

    #[test]
    fn uncommon_form_is_left_to_the_other_parser() {
        for text in [
            "2016-12-31T23:59:60Z",
            "2025-04-17t09:30:00z",
            "2025-04-17 09:30:00Z",
            "0000-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "2025-04-17T09:30:00.1234567891Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn quick_parser_equals_the_other_one(
            text in "[0-2][0-9]{3}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\
                (\\.[0-9]{0,11})?(Z|z|[+-][0-2][0-9]:[0-6][0-9]|)",
            at in 0..40_usize,
            other in "[0-9TZ:+.é-]?",
        ) {
            let mut broken = text.clone();
            if at < broken.len() {
                broken.replace_range(at..=at, &other);
            }
            for text in [text, broken] {
                if let Some(micros) = parse(&text) {
                    prop_assert_eq!(Some(micros), slowly(&text), "{}", text);
                }
            }
        }

        #[test]
        fn written_time_is_that_of_the_calendar(
            micros in -62_167_219_200_000_000_i64..253_402_300_800_000_000,
            unit in prop::sample::select(&[1, 1_000, 1_000_000][..]),
        ) {
            let micros = micros.div_euclid(unit).saturating_mul(unit);
            let nanos = i128::from(micros).saturating_mul(1_000);
            let at = OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap();
            let (date, (hour, minute, second, micro)) = (at.date(), at.time().as_hms_micro());
            let fraction =
                if micro % 1_000 == 0 { format!("{:03}", micro / 1_000) } else { format!("{micro:06}") };
            let expected = format!("{date}T{hour:02}:{minute:02}:{second:02}.{fraction}Z");
            prop_assert_eq!(write(micros), Some(expected));
        }

        #[test]
        fn common_form_is_read_quickly(
            seconds in -62_135_596_800_i64..253_370_764_800,
            fraction in "(\\.[0-9]{1,9})?",
            offset in "(Z|[+-][01][0-9]:[0-5][0-9])",
        ) {
            let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
            let (date, time) = (at.date(), at.time());
            let (hour, minute, second) = time.as_hms();
            let text = format!("{date}T{hour:02}:{minute:02}:{second:02}{fraction}{offset}");
            prop_assert!(parse(&text).is_some(), "{}", text);
            prop_assert_eq!(parse(&text), slowly(&text), "{}", text);
        }
    }
}
