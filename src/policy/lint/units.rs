//! Durations and rates as text.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

/// A duration in days, hours, minutes, seconds and milliseconds, without those that are zero.
#[derive(Clone, Copy)]
pub(super) struct Long(pub(super) Duration);

impl fmt::Display for Long {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == Duration::MAX {
            return f.write_str("unlimited time");
        }
        let seconds = self.0.as_secs();
        let parts = [
            (seconds / 86_400, "d"),
            (seconds / 3_600 % 24, "h"),
            (seconds / 60 % 60, "min"),
            (seconds % 60, "s"),
            (u64::from(self.0.subsec_millis()), "ms"),
        ];
        let mut space = "";
        for (number, unit) in parts.into_iter().filter(|(number, _)| *number > 0) {
            write!(f, "{space}{number} {unit}")?;
            space = " ";
        }
        if space.is_empty() { f.write_str("0 s") } else { Ok(()) }
    }
}

/// `for` and a duration, or `forever`.
#[derive(Clone, Copy)]
pub(super) struct For(pub(super) Duration);

impl fmt::Display for For {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Duration::MAX => f.write_str("forever"),
            duration => write!(f, "for {}", Long(duration)),
        }
    }
}

/// A time as the denominator of a rate: `/s`, `/min`, `/h`, or ` per 10 s`.
#[derive(Clone, Copy)]
pub(super) struct Per(pub(super) Duration);

impl fmt::Display for Per {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.as_secs(), self.0.subsec_nanos()) {
            (1, 0) => f.write_str("/s"),
            (60, 0) => f.write_str("/min"),
            (3_600, 0) => f.write_str("/h"),
            _ => write!(f, " per {}", Long(self.0)),
        }
    }
}

/// A number of events per time, such as `10 events/s`.
#[derive(Clone, Copy)]
pub(super) struct Events(pub(super) NonZeroU32, pub(super) Duration);

impl fmt::Display for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = if self.0 == NonZeroU32::MIN { "event" } else { "events" };
        write!(f, "{} {unit}{}", self.0, Per(self.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duration_omits_units_that_are_zero() {
        for (millis, text) in [
            (0, "0 s"),
            (1_500, "1 s 500 ms"),
            (300_000, "5 min"),
            (99_305_000, "1 d 3 h 35 min 5 s"),
            (86_400_000, "1 d"),
        ] {
            assert_eq!(Long(Duration::from_millis(millis)).to_string(), text);
        }
        assert_eq!(Long(Duration::MAX).to_string(), "unlimited time");
        assert_eq!(For(Duration::from_secs(60)).to_string(), "for 1 min");
        assert_eq!(For(Duration::MAX).to_string(), "forever");
    }

    #[test]
    fn rate_uses_the_usual_denominators() {
        for (events, millis, text) in [
            (1, 1_000, "1 event/s"),
            (10, 1_000, "10 events/s"),
            (10, 60_000, "10 events/min"),
            (10, 3_600_000, "10 events/h"),
            (10, 1_500, "10 events per 1 s 500 ms"),
        ] {
            let events = NonZeroU32::new(events).unwrap();
            assert_eq!(Events(events, Duration::from_millis(millis)).to_string(), text);
        }
    }
}
