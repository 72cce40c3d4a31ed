//! The error of this module: [`FlowPolicyError`].

use crate::policy_file::UnknownPreset;

/// A flow policy read from a file is invalid.
///
/// The file must be fixed. A policy built in code cannot fail this way: its setters only accept
/// valid values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlowPolicyError {
    /// No preset has this name.
    #[error("unknown preset `{name}`, expected one of {expected}")]
    UnknownPreset {
        /// The name.
        name: String,
        /// The names of all presets.
        expected: String,
    },
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
    /// A concurrency limit starts above its maximum.
    #[error("`initial` must be at most `max`, which is {max}, got {initial}")]
    InitialOverMax {
        /// The initial limit.
        initial: u32,
        /// The maximum.
        max: u32,
    },
}

impl From<UnknownPreset> for FlowPolicyError {
    fn from(UnknownPreset { name, expected }: UnknownPreset) -> Self {
        Self::UnknownPreset { name, expected }
    }
}
