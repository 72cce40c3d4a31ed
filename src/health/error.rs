//! The errors of this module.

use crate::named::ParseNameError;

/// A health policy read from a file is invalid.
///
/// The file must be fixed. A policy built in code cannot fail this way: its setters only accept
/// valid values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HealthPolicyError {
    /// No preset has this name.
    #[error(transparent)]
    UnknownPreset(#[from] ParseNameError),
    /// An endpoint would be degraded without a failure.
    #[error("`failures` must be at least 1")]
    ZeroFailures,
    /// No failure would ever count.
    #[error("`failure_window_ms` must be at least 1")]
    ZeroWindow,
    /// A degraded endpoint would never be probed.
    #[error("`probes_ms` must list at least one wait")]
    NoProbe,
    /// Probes would follow each other without a wait.
    #[error("`probes_ms[{index}]` must be at least 1")]
    ZeroWait {
        /// The position of the wait in the list, from 0.
        index: usize,
    },
    /// An endpoint would be suspended without a probe.
    #[error("`suspend_after_probes` must be at least 1")]
    ZeroProbes,
    /// A suspended endpoint would be disabled at once.
    #[error("`disable_after_ms` must be at least 1")]
    ZeroSuspension,
}

/// An outage policy read from a file is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutagePolicyError {
    /// No more than all endpoints can fail.
    #[error("`percent` must be at most 100, got {percent}")]
    Percent {
        /// The percentage.
        percent: u8,
    },
}

/// The endpoint was not enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum EnableError {
    /// It is not disabled.
    #[error("the endpoint is not disabled")]
    NotDisabled,
    /// An operator disabled it, and automation cannot undo that.
    #[error("the endpoint was disabled by an operator and must be enabled by one")]
    ByOperator,
}
