//! Value of a `Retry-After` header: [`RetryAfter`].

use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use serde::{Deserialize, Serialize};

use super::http_date::{self, digits};
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
    /// Reads the header; `None` if it is absent or not understood.
    ///
    /// RFC 9110, section 10.2.3, permits one value of two kinds:
    ///
    /// - A number of seconds in decimal digits, such as `120`. One that is too large saturates.
    /// - A date in one of the three forms of section 5.6.7, such as
    ///   `Sun, 06 Nov 1994 08:49:37 GMT`. It becomes a wait measured from `now`, the time of the
    ///   response. Whether the weekday fits the date is not checked.
    ///
    /// The rest is leniency of this crate towards values that are nearly right. In doubt the wait
    /// is the longer one:
    ///
    /// - A fraction of a second is rounded up: `0.2` is 1 s.
    /// - The unit `s`, `sec`, `secs`, `second` or `seconds` may follow the number, in any case,
    ///   with or without a space.
    /// - A negative number means [`Stop`](Self::Stop), if it is not zero when rounded up.
    /// - The zone of a date may also be `UTC`, `UT` or `+0000`; its day may have one digit, and
    ///   spaces may be repeated.
    /// - Of several values the greatest counts, whether they are in several header lines or in one,
    ///   joined by commas as a proxy may do: `5, 60` is 60 s.
    ///
    /// A value that is none of these is ignored, and so is each such element of a list: `+5`,
    /// `2 min`, `500ms`, or a date in the form of RFC 3339.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap, now: Timestamp) -> Option<Self> {
        let values = headers.get_all(RETRY_AFTER).iter();
        let texts = values.filter_map(|value| std::str::from_utf8(value.as_bytes()).ok());
        texts.filter_map(|text| Self::from_list(text, now)).max()
    }

    /// Reads a list of values that are separated by commas. The comma after the weekday of a date
    /// separates no values.
    fn from_list(text: &str, now: Timestamp) -> Option<Self> {
        let mut parts = text.split(',').map(str::trim_ascii);
        let mut greatest = None;
        while let Some(part) = parts.next() {
            let value = if http_date::is_weekday(part) {
                let date = parts.next().and_then(|rest| http_date::after_weekday(part, rest, now));
                date.map(|date| Self::until(date, now))
            } else {
                Self::from_seconds(part)
                    .or_else(|| Some(Self::until(http_date::asctime(part)?, now)))
            };
            greatest = greatest.max(value);
        }
        greatest
    }

    fn from_seconds(text: &str) -> Option<Self> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text),
        };
        let is_number = |it: char| it.is_ascii_digit() || it == '.';
        let (number, unit) = text.split_at(text.find(|it| !is_number(it)).unwrap_or(text.len()));
        if !is_unit(unit.trim_ascii_start()) {
            return None;
        }
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let (whole, has_fraction) = (digits(whole)?, digits(fraction)? > 0);
        Some(match (negative, whole) {
            (true, 0) => Self::Wait(Duration::ZERO),
            (true, _) => Self::Stop,
            (false, whole) => {
                let seconds = whole.saturating_add(u64::from(has_fraction));
                // Whole milliseconds, as in the saved form.
                Self::Wait(Duration::from_millis(seconds.saturating_mul(1_000)))
            }
        })
    }

    fn until(date: Timestamp, now: Timestamp) -> Self {
        Self::Wait(Duration::from_millis(millis_up(date.saturating_since(now))))
    }
}

/// Returns whether the text is a second's unit, or none.
fn is_unit(text: &str) -> bool {
    ["", "s", "sec", "secs", "second", "seconds"].iter().any(|unit| text.eq_ignore_ascii_case(unit))
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
            ("-0.5", wait(0)),
            ("-1.5s", Some(RetryAfter::Stop)),
            ("-1", Some(RetryAfter::Stop)),
            ("-99999999999999999999999", Some(RetryAfter::Stop)),
            ("99999999999999999999999", Some(RetryAfter::Wait(Duration::from_millis(u64::MAX)))),
        ] {
            assert_eq!(read(value, at(NOW)), expected, "{value}");
        }
    }

    #[test]
    fn fraction_of_a_second_is_rounded_up() {
        for (value, expected) in [
            ("1.5", 2),
            ("0.2", 1),
            ("0.000000000000000000000001", 1),
            ("5.5", 6),
            ("5.0", 5),
            ("0.0", 0),
            ("120.25 s", 121),
        ] {
            assert_eq!(read(value, at(NOW)), wait(expected), "{value}");
        }
    }

    #[test]
    fn unit_of_seconds_is_read() {
        for value in
            ["120s", "120 s", "120S", "120sec", "120 secs", "120 Second", "120 SECONDS", "120  s"]
        {
            assert_eq!(read(value, at(NOW)), wait(120), "{value}");
        }
    }

    #[test]
    fn nearly_right_date_is_read() {
        for value in [
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun,  6 Nov 1994 08:49:37 GMT",
            "Sun,06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 UT",
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sunday, 6-Nov-94 08:49:37 UTC",
            "Sun Nov 6 08:49:37 1994",
            "Sun Nov 06 08:49:37 1994",
        ] {
            assert_eq!(read(value, at(NOW)), wait(30), "{value}");
        }
    }

    #[test]
    fn greatest_element_of_a_list_counts() {
        for (value, expected) in [
            ("120, 120", wait(120)),
            ("5, 60", wait(60)),
            ("60,5", wait(60)),
            ("5, soon, 4.5", wait(5)),
            (",7,,", wait(7)),
            ("5, -1", Some(RetryAfter::Stop)),
            ("Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:38 GMT", wait(31)),
            ("5, Sun, 06 Nov 1994 08:49:37 GMT", wait(30)),
            ("Sunday, 06-Nov-94 08:49:37 GMT, 90", wait(90)),
            ("Sun Nov  6 08:49:37 1994, 29, Sun, 06 Nov 1994 08:49:39 GMT", wait(32)),
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
    fn invalid_value_is_ignored() {
        for value in [
            "",
            "-",
            "--1",
            "+5",
            ".5",
            "5.",
            "5.5.5",
            "5.s",
            "s",
            "5 s s",
            "5m",
            "2 min",
            "500ms",
            "1e3",
            "- 1",
            "1 2",
            "٣",
            ",",
            "Sun",
            "Sun,",
            "Sun, 60",
            "Sun, 006 Nov 1994 08:49:37 GMT",
            "Sun, 0 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nov 1994 08:49:37 +0100",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, Nov 06 08:49:37 1994",
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
