//! How durations are written.

use std::fmt;
use std::time::Duration;

/// A duration in days, hours, minutes, seconds and milliseconds, as far as it has them.
#[derive(Clone, Copy)]
pub(super) struct Long(pub(super) Duration);

impl fmt::Display for Long {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == Duration::MAX {
            return f.write_str("ever");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_written_in_the_units_that_it_has() {
        for (millis, text) in [
            (0, "0 s"),
            (1_500, "1 s 500 ms"),
            (300_000, "5 min"),
            (99_305_000, "1 d 3 h 35 min 5 s"),
            (86_400_000, "1 d"),
        ] {
            assert_eq!(Long(Duration::from_millis(millis)).to_string(), text);
        }
        assert_eq!(Long(Duration::MAX).to_string(), "ever");
    }
}
