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
    /// A number is zero that must not be.
    #[error("`{field}` must be at least 1")]
    Zero {
        /// The field.
        field: &'static str,
    },
    /// The first wait for a probe is longer than the longest.
    #[error("`first_probe_ms` must be at most `longest_wait_ms`, which is {longest}, got {first}")]
    FirstProbeOverLongest {
        /// The first wait, in milliseconds.
        first: u64,
        /// The longest wait, in milliseconds.
        longest: u64,
    },
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
