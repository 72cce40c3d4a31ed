//! Loads, periods and durations on the command line.

use std::num::NonZeroU32;
use std::time::Duration;

use labhook::policy::Load;

/// Reads a load: a number of events per time, such as `20/s` or `5/10m`.
pub fn parse(text: &str) -> Result<Load, String> {
    let read = || {
        let (events, per) = text.split_once('/')?;
        let per =
            if per.starts_with(|c: char| c.is_ascii_digit()) { per } else { &format!("1{per}") };
        let events: NonZeroU32 = events.trim().parse().ok()?;
        Some(Load::new(events, humantime::parse_duration(per).ok()?))
    };
    read().ok_or_else(|| "expected events per time, such as 20/s or 5/10m".to_owned())
}

/// Reads a period, such as `10m..25m`.
pub fn parse_period(text: &str) -> Result<(Duration, Duration), String> {
    let read = || {
        let (from, to) = text.split_once("..")?;
        let (from, to) =
            (humantime::parse_duration(from).ok()?, humantime::parse_duration(to).ok()?);
        (from < to).then_some((from, to))
    };
    read().ok_or_else(|| "expected the start and a later end, such as 10m..25m".to_owned())
}

/// Writes a duration in its largest units, to the millisecond.
pub fn show(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    humantime::format_duration(Duration::from_millis(millis)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_and_periods_are_read() {
        let load = parse("5/10m").unwrap();
        assert_eq!((load.events().get(), load.per()), (5, Duration::from_secs(600)));
        assert_eq!(parse("20/s").unwrap().per(), Duration::from_secs(1));
        for bad in ["", "20", "0/s", "20/", "20/parsec", "-1/s"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        let seconds = Duration::from_secs;
        assert_eq!(parse_period("10m..25m"), Ok((seconds(600), seconds(1_500))));
        assert!(parse_period("25m..10m").is_err() && parse_period("10m").is_err());
    }
}
