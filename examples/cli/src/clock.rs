//! The time: the clock's, or the one of `--now`.

use std::time::SystemTime;

use labhook::Timestamp;

/// Returns the clock's time.
pub fn now() -> Timestamp {
    SystemTime::now().into()
}

/// Reads a time: RFC 3339, or whole seconds since the Unix epoch.
pub fn parse(text: &str) -> Result<Timestamp, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(Timestamp::from_unix_seconds(seconds));
    }
    text.parse()
        .map_err(|_| "expected RFC 3339, such as 2025-04-17T09:30:00Z, or Unix seconds".into())
}
