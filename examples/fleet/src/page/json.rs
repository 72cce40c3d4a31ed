//! Rows as JSON, and text for people and for links. The functions with `Values` are filters of the
//! templates.

use std::borrow::Borrow;
use std::fmt::Display;
use std::time::Duration;

use askama::Values;
use labhook::Timestamp;
use serde_json::Value;

/// A row, whose fields are found by JSON pointers.
#[derive(Default)]
pub struct Json(pub Value);

impl Json {
    pub fn list(&self, pointer: &str) -> Vec<Self> {
        let list = self.0.pointer(pointer).and_then(Value::as_array);
        list.into_iter().flatten().cloned().map(Self).collect()
    }

    /// Returns whether a field is there, and neither null nor false.
    pub fn has(&self, pointer: &str) -> bool {
        !matches!(self.0.pointer(pointer), None | Some(Value::Null | Value::Bool(false)))
    }

    /// Returns a field as text: empty if it is missing.
    pub fn text(&self, pointer: &str) -> String {
        match self.0.pointer(pointer) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }
    }

    pub fn number(&self, pointer: &str) -> u64 {
        self.0.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
    }

    /// Reads a column, which is RFC 3339, or a timestamp as labhook saves it.
    pub fn time(&self, pointer: &str) -> Option<Timestamp> {
        match self.0.pointer(pointer)? {
            Value::Number(micros) => micros.as_i64().map(Timestamp::from_unix_micros),
            column => column.as_str()?.try_into().ok(),
        }
    }

    pub fn at(&self, pointer: &str) -> Self {
        Self(self.0.pointer(pointer).cloned().unwrap_or_default())
    }

    pub fn shard(&self) -> i32 {
        self.number("/shard").try_into().unwrap_or_default()
    }
}

/// Encodes an id for a link.
pub fn enc(id: impl Display, _: &dyn Values) -> askama::Result<String> {
    let mut encoded = String::new();
    for byte in id.to_string().bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(encoded)
}

/// Encodes an id as one segment of a path.
///
/// Browsers resolve `.` and `..`, even if they are encoded. So these get a tilde, and those that
/// start with one get another.
pub fn seg(id: impl Display, values: &dyn Values) -> askama::Result<String> {
    let encoded = enc(id, values)?;
    Ok(if encoded.starts_with(['.', '~']) { format!("~{encoded}") } else { encoded })
}

/// Returns the id of a segment that is decoded.
pub fn id(segment: &str) -> &str {
    segment.strip_prefix('~').unwrap_or(segment)
}

/// Groups the digits of a number, such as `12,345`.
pub fn num(number: impl Display, _: &dyn Values) -> askama::Result<String> {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    Ok(groups.join(","))
}

/// Shows milliseconds in the largest fitting unit, such as `83 ms` or `4 min`.
pub fn ms(millis: impl Borrow<u64>, _: &dyn Values) -> askama::Result<String> {
    Ok(span(Duration::from_millis(*millis.borrow())))
}

/// Shows a rate limit, from the microseconds between two attempts, such as `12/s`.
pub fn rate(micros: u64, _: &dyn Values) -> askama::Result<String> {
    Ok(match micros {
        0 => "no limit".to_owned(),
        1..=1_000_000 => format!("{}/s", 1_000_000 / micros),
        _ => format!("1 per {}", span(Duration::from_micros(micros))),
    })
}

pub fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
