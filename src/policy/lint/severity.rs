//! Severity of a finding: [`Severity`].

use serde::{Deserialize, Serialize};

use crate::named::named;

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

named!(Severity, "severity", {
    Note => "note",
    Risk => "risk",
    Contradiction => "contradiction",
});

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
