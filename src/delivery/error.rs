//! Errors of a retry policy in a file: [`RetryPolicyError`].

use crate::named::ParseNameError;

/// A retry policy in a file is invalid, or contradicts itself.
///
/// The file's author is at fault. A policy built in code cannot cause these errors: its setters
/// clamp their arguments.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RetryPolicyError {
    /// No preset has this name.
    #[error(transparent)]
    UnknownPreset(#[from] ParseNameError),
    /// The attempt timeout is zero, so no attempt could succeed.
    #[error("`attempt_timeout_ms` must be at least 1")]
    ZeroTimeout,
    /// The window is zero, so no attempt could be made.
    #[error("`window_ms` must be at least 1, or `none` for no window")]
    ZeroWindow,
    /// A schedule has neither a list of delays nor an exponential rule, or has both.
    #[error("`schedule` must have either `delays_ms`, optionally with `then`, or `exponential`")]
    ScheduleForm,
    /// An empty list cannot repeat its last delay.
    #[error("`delays_ms` must not be empty if `then` is `repeat_last`")]
    NothingToRepeat,
    /// A delay of zero would repeat forever.
    #[error("the last of `delays_ms` must be at least 1 if `then` is `repeat_last`")]
    EndlessZero,
    /// An exponential schedule's factor is zero.
    #[error("`factor` of an exponential schedule must be at least 1")]
    ZeroFactor,
    /// An exponential schedule's base or cap is zero.
    #[error("`base_ms` and `cap_ms` of an exponential schedule must be at least 1")]
    ZeroExponential,
    /// A jitter percentage is over 100, which would make delays negative.
    #[error("`percent` of a `plus_minus` jitter must be at most 100, not {percent}")]
    JitterPercent {
        /// The percentage in the file.
        percent: u8,
    },
    /// The lower limit of what a jitter adds is above its upper limit.
    #[error("`min_ms` of an `added` jitter must be at most its `max_ms` of {max_ms}, not {min_ms}")]
    JitterLimits {
        /// The lower limit, in milliseconds.
        min_ms: u64,
        /// The upper limit, in milliseconds.
        max_ms: u64,
    },
    /// A decorrelated jitter starts from zero, so every delay would be zero.
    #[error("`base_ms` of a `decorrelated` jitter must be at least 1")]
    JitterBase,
    /// A decorrelated jitter starts above its cap.
    #[error(
        "`base_ms` of a `decorrelated` jitter must be at most its `cap_ms` of {cap_ms}, \
         not {base_ms}"
    )]
    JitterCap {
        /// The base, in milliseconds.
        base_ms: u64,
        /// The cap, in milliseconds.
        cap_ms: u64,
    },
    /// A response rule is for something that is not a status.
    #[error(
        "unknown status `{status}` in `responses`, expected a status code, `2xx`, `3xx`, `4xx`, \
         `5xx` or `other`"
    )]
    UnknownStatus {
        /// The key in the file.
        status: String,
    },
    /// Two response rules are for the same status.
    #[error("duplicate status `{status}` in `responses`")]
    DuplicateStatus {
        /// The status, class or `other`.
        status: String,
    },
}
