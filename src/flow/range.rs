//! The bounds of a policy's numbers.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use super::error::FlowPolicyError;
use crate::time::millis_up;

/// The longest time that a policy may have for a rate, a spacing or an interval.
const DAY_MS: u64 = 86_400_000;

/// Checks a number from a file that must be at least 1.
pub(super) fn at_least_one(field: &'static str, value: u32) -> Result<NonZeroU32, FlowPolicyError> {
    NonZeroU32::new(value).ok_or(FlowPolicyError::Zero { field })
}

/// Checks a time from a file that must be between 1 ms and a day.
pub(super) fn within_a_day(
    field: &'static str,
    millis: u64,
) -> Result<NonZeroU64, FlowPolicyError> {
    NonZeroU64::new(millis)
        .filter(|millis| millis.get() <= DAY_MS)
        .ok_or(FlowPolicyError::NotWithinADay { field, millis })
}

/// Clamps a time from code to the same bounds, because setters cannot fail.
pub(super) fn clamp_to_a_day(time: Duration) -> NonZeroU64 {
    NonZeroU64::new(millis_up(time).min(DAY_MS)).unwrap_or(NonZeroU64::MIN)
}
