//! The error of this module: [`FlowPolicyError`].

use crate::named::ParseNameError;

/// A flow policy read from a file is invalid.
///
/// The file must be fixed. A policy built in code cannot fail this way: its setters only accept
/// valid values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlowPolicyError {
    /// No preset has this name.
    #[error(transparent)]
    UnknownPreset(#[from] ParseNameError),
    /// A number is zero that must not be.
    #[error("`{field}` must be at least 1")]
    Zero {
        /// The field.
        field: &'static str,
    },
    /// A time is out of bounds.
    #[error("`{field}` must be between 1 and 86400000, got {millis}")]
    NotWithinADay {
        /// The field.
        field: &'static str,
        /// The time, in milliseconds.
        millis: u64,
    },
    /// A concurrency limit has a minimum above its maximum.
    #[error("`min` must be at most `max`, which is {max}, got {min}")]
    MinOverMax {
        /// The lowest limit.
        min: u32,
        /// The maximum.
        max: u32,
    },
}
