//! Format of a signature's timestamp: [`TimestampForm`].

use std::fmt::Write as _;

use crate::named::named;
use crate::time::{TimeText, Timestamp};

/// Format of the signing time in its header.
///
/// `Display` and `FromStr` use the names `unix_seconds`, `unix_millis` and `rfc3339`, for schemes
/// that come from a configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimestampForm {
    /// Whole seconds since the Unix epoch, in canonical form: `5`, never `05` or `+5`.
    UnixSeconds,
    /// Whole milliseconds since the Unix epoch, in canonical form.
    UnixMillis,
    /// An RFC 3339 date-time.
    Rfc3339,
}

impl TimestampForm {
    /// Returns whether the character can occur in a timestamp of this format.
    pub(super) const fn can_contain(self, character: char) -> bool {
        match self {
            Self::UnixSeconds | Self::UnixMillis => character.is_ascii_digit() || character == '-',
            Self::Rfc3339 => {
                character.is_ascii_alphanumeric() || matches!(character, '-' | '+' | ':' | '.')
            }
        }
    }

    /// Parses a timestamp; integers beyond the range of [`Timestamp`] saturate.
    pub(super) fn read(self, text: &[u8]) -> Option<Timestamp> {
        match self {
            Self::UnixSeconds => canonical(text).map(Timestamp::from_unix_seconds),
            Self::UnixMillis => canonical(text).map(Timestamp::from_unix_millis),
            Self::Rfc3339 => std::str::from_utf8(text).ok()?.parse().ok(),
        }
    }

    /// Formats a timestamp; `None` if this format cannot express it.
    pub(super) fn write(self, at: Timestamp) -> Option<String> {
        match self {
            Self::UnixSeconds => Some(decimal(at.unix_seconds())),
            Self::UnixMillis => Some(decimal(at.unix_millis())),
            Self::Rfc3339 => {
                let text = TimeText::from(at);
                (text.timestamp() == Some(at)).then(|| text.to_string())
            }
        }
    }
}

/// Formats an integer in a buffer that it fills, which becomes a header value without a copy.
fn decimal(number: i64) -> String {
    let digits = number.unsigned_abs().checked_ilog10().unwrap_or_default().saturating_add(1);
    let len = digits.saturating_add(u32::from(number < 0));
    let mut text = String::with_capacity(usize::try_from(len).unwrap_or_default());
    // Writing to a string cannot fail.
    _ = write!(text, "{number}");
    text
}

/// Parses an integer in canonical form. Two spellings of one time would be two signed texts, and a
/// verifier that signs the parsed number would accept both.
fn canonical(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if !matches!(digits, [b'1'..=b'9', ..]) && text != b"0" {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

named!(TimestampForm, "timestamp format", {
    UnixSeconds => "unix_seconds",
    UnixMillis => "unix_millis",
    Rfc3339 => "rfc3339",
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_integers_are_read() {
        let read = |text: &str| TimestampForm::UnixSeconds.read(text.as_bytes());
        assert_eq!(read("5"), Some(Timestamp::from_unix_seconds(5)));
        assert_eq!(read("-5"), Some(Timestamp::from_unix_seconds(-5)));
        assert_eq!(read("-9223372036854775808"), Some(Timestamp::MIN));
        assert_eq!(read("9223372036854775807"), Some(Timestamp::MAX));
        for bad in
            ["", "+5", "05", "-0", " 5", "5 ", "5.0", "5e3", "0x5", "-", "٥", "9223372036854775808"]
        {
            assert_eq!(read(bad), None, "{bad:?}");
        }
        assert_eq!(TimestampForm::UnixSeconds.read(b"\xff"), None);
    }

    #[test]
    fn each_format_round_trips() {
        let at = Timestamp::from_unix_millis(1_614_265_330_250);
        let text = |form: TimestampForm| form.write(at).unwrap();
        assert_eq!(text(TimestampForm::UnixSeconds), "1614265330");
        assert_eq!(text(TimestampForm::UnixMillis), "1614265330250");
        assert_eq!(text(TimestampForm::Rfc3339), "2021-02-25T15:02:10.250Z");
        for form in [TimestampForm::UnixMillis, TimestampForm::Rfc3339] {
            assert_eq!(form.read(text(form).as_bytes()), Some(at));
        }
    }

    #[test]
    fn format_name_round_trips_as_text() {
        for form in [TimestampForm::UnixSeconds, TimestampForm::UnixMillis, TimestampForm::Rfc3339]
        {
            assert_eq!(form.to_string().parse(), Ok(form));
        }
        assert_eq!(
            "unix".parse::<TimestampForm>().unwrap_err().to_string(),
            "unknown timestamp format `unix`, \
             expected one of `unix_seconds`, `unix_millis`, `rfc3339`"
        );
    }

    #[test]
    fn integer_fills_its_buffer() {
        for number in [0, 9, 10, 1_614_265_330, -1, -9, -10, i64::MIN, i64::MAX] {
            let text = decimal(number);
            assert_eq!(text, number.to_string());
            assert_eq!(text.capacity(), text.len(), "{number}");
        }
    }

    #[test]
    fn extreme_timestamps_are_safe() {
        for at in [Timestamp::MIN, Timestamp::MAX] {
            assert!(TimestampForm::UnixSeconds.write(at).is_some());
            assert!(TimestampForm::UnixMillis.write(at).is_some());
            assert_eq!(TimestampForm::Rfc3339.write(at), None);
        }
    }
}
