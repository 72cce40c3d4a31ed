//! How a signature's timestamp is written: [`TimestampForm`].

use crate::time::{TimeText, Timestamp};

/// How the time of signing is written in its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimestampForm {
    /// Whole seconds since the Unix epoch, in the one canonical spelling: `5`, never `05` or `+5`.
    UnixSeconds,
    /// Whole milliseconds since the Unix epoch, in the one canonical spelling.
    UnixMillis,
    /// An RFC 3339 date-time.
    Rfc3339,
}

impl TimestampForm {
    /// Whether the character can occur in what the form writes.
    pub(super) const fn writes(self, character: char) -> bool {
        match self {
            Self::UnixSeconds | Self::UnixMillis => character.is_ascii_digit() || character == '-',
            Self::Rfc3339 => {
                character.is_ascii_alphanumeric() || matches!(character, '-' | '+' | ':' | '.')
            }
        }
    }

    /// Reads the instant; integers beyond the range of [`Timestamp`] saturate.
    pub(super) fn read(self, text: &[u8]) -> Option<Timestamp> {
        let text = std::str::from_utf8(text).ok()?;
        match self {
            Self::UnixSeconds => canonical(text).map(Timestamp::from_unix_seconds),
            Self::UnixMillis => canonical(text).map(Timestamp::from_unix_millis),
            Self::Rfc3339 => text.parse().ok(),
        }
    }

    /// Writes the instant, or `None` where the form cannot.
    pub(super) fn write(self, at: Timestamp) -> Option<String> {
        match self {
            Self::UnixSeconds => Some(at.unix_seconds().to_string()),
            Self::UnixMillis => Some(at.unix_micros().div_euclid(1_000).to_string()),
            Self::Rfc3339 => {
                let text = TimeText::from(at);
                (text.timestamp() == at).then(|| text.to_string())
            }
        }
    }
}

/// An integer in the one spelling that it has: two spellings of one time would be two signed
/// texts, of which a parser that re-prints the number would accept both.
fn canonical(text: &str) -> Option<i64> {
    text.parse().ok().filter(|number: &i64| number.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_spelling_is_read() {
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
    fn each_form_reads_what_it_writes() {
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
    fn the_extremes_are_safe() {
        for at in [Timestamp::MIN, Timestamp::MAX] {
            assert!(TimestampForm::UnixSeconds.write(at).is_some());
            assert!(TimestampForm::UnixMillis.write(at).is_some());
            assert_eq!(TimestampForm::Rfc3339.write(at), None);
        }
    }
}
