//! Severity of a finding: [`Severity`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Severity of a [`Finding`](super::Finding), the lightest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Severity {
    /// May be intended; good to know.
    Note,
    /// Works in normal operation, fails under conditions that do occur.
    Risk,
    /// Two settings conflict: one never takes effect, or undoes the other.
    Contradiction,
}

impl Severity {
    /// Returns the severity as one word, such as `risk`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Risk => "risk",
            Self::Contradiction => "contradiction",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = ParseSeverityError;

    fn from_str(text: &str) -> Result<Self, ParseSeverityError> {
        match text {
            "note" => Ok(Self::Note),
            "risk" => Ok(Self::Risk),
            "contradiction" => Ok(Self::Contradiction),
            _ => Err(ParseSeverityError { text: text.to_owned() }),
        }
    }
}

/// Error for text that is not a [`Severity`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown severity `{text}`, expected one of `note`, `risk`, `contradiction`")]
pub struct ParseSeverityError {
    text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severity_round_trips_as_text_and_json() {
        for severity in [Severity::Note, Severity::Risk, Severity::Contradiction] {
            assert_eq!(severity.to_string().parse(), Ok(severity));
            let json = format!("\"{severity}\"");
            assert_eq!(serde_json::to_string(&severity).unwrap(), json);
            assert_eq!(serde_json::from_str::<Severity>(&json).unwrap(), severity);
        }
        assert!(Severity::Contradiction > Severity::Risk && Severity::Risk > Severity::Note);
        assert_eq!(
            "high".parse::<Severity>().unwrap_err().to_string(),
            "unknown severity `high`, expected one of `note`, `risk`, `contradiction`"
        );
    }
}
