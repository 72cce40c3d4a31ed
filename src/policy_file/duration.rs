//! Durations as text.

/// The units and their milliseconds. `ms` comes before `m`, which it begins with.
const UNITS: [(&str, u64); 5] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Reads a duration such as `90s`, `1h 30m` or `3d`, in milliseconds.
///
/// It is a sum of whole numbers, each with one of the units `d`, `h`, `m`, `s` and `ms`, in this
/// order and each at most once.
pub(super) fn millis(text: &str) -> Option<u64> {
    let (mut rest, mut sum, mut smaller_than) = (text.trim_ascii(), 0_u64, u64::MAX);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at_checked(digits)?;
        let (unit, millis) = UNITS.into_iter().find(|(unit, _)| after.starts_with(unit))?;
        if millis >= smaller_than {
            return None;
        }
        smaller_than = millis;
        sum = sum.checked_add(number.parse::<u64>().ok()?.checked_mul(millis)?)?;
        rest = after.strip_prefix(unit)?.trim_ascii_start();
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, expected) in [
            ("90s", 90_000),
            ("3d", 259_200_000),
            ("1h 30m", 5_400_000),
            ("1h30m", 5_400_000),
            ("1d 2h 3m 4s 5ms", 93_784_005),
            ("0s", 0),
            (" 5ms ", 5),
        ] {
            assert_eq!(millis(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_text_is_no_duration() {
        for text in [
            "",
            " ",
            "90",
            "s",
            "90 s",
            "1.5h",
            "-1s",
            "1s 1h",
            "1s 1s",
            "1w",
            "90sec",
            "+1s",
            "18446744073709551615d",
            "1h,30m",
            "none",
        ] {
            assert_eq!(millis(text), None, "{text}");
        }
    }
}
