//! Random spread of retry delays: [`Jitter`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::RetryPolicyError;
use super::jitter_seed::JitterSeed;
use crate::policy_file;
use crate::time::{micros, millis_up};

/// The maximum number of earlier retries from which a decorrelated delay is recomputed.
const MAX_CHAIN: u32 = 64;

/// Jitter: random spread of the delays of a [`Schedule`](super::Schedule), so that deliveries that
/// failed together are not retried together.
///
/// For a scheduled delay `d`:
///
/// | constructor | delay | in a file |
/// |---|---|---|
/// | [`NONE`](Self::NONE) | `d` | `"none"` |
/// | [`FULL`](Self::FULL) | 0 to `d` | `"full"` |
/// | [`EQUAL`](Self::EQUAL) | `d`/2 to `d` | `"equal"` |
/// | [`plus_minus`](Self::plus_minus) | `d` minus `percent` to `d` plus `percent` | `{"plus_minus": {"percent": 20}}` |
/// | [`added`](Self::added) | `d` plus 0 to `percent`, that bound clamped to limits | `{"added": {"percent": 10, "min_ms": 2000, "max_ms": 900000}}` |
/// | [`decorrelated`](Self::decorrelated) | base to three times the previous delay, capped | `{"decorrelated": {"base_ms": 1000, "cap_ms": 60000}}` |
///
/// Full, equal and decorrelated jitter are from the AWS study "Exponential Backoff And Jitter".
/// Every mode is uniform over its range, in microseconds. `FULL`, `EQUAL`, `plus_minus` and
/// `decorrelated` may yield less than `d`, but never less than `Retry-After` requests.
///
/// ```
/// use std::time::Duration;
///
/// use labhook::delivery::{Jitter, JitterSeed};
/// use labhook::{EndpointId, MessageId};
///
/// let (message, endpoint) = (MessageId::new("msg_1")?, EndpointId::new("eln")?);
/// let seed = JitterSeed::new(7, &message, &endpoint);
/// let delay = Jitter::plus_minus(20).apply(Duration::from_secs(10), 1, seed);
/// assert!(delay >= Duration::from_secs(8) && delay <= Duration::from_secs(12));
/// # Ok::<(), labhook::id::IdError>(())
/// ```
#[doc(alias("backoff", "full jitter", "equal jitter", "decorrelated jitter"))]
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
pub struct Jitter(Form);

/// All durations are whole milliseconds, so that a file represents them exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "`none`, `full`, `equal`, or a table with `plus_minus`, `added` or `decorrelated`"
)]
enum Form {
    None,
    Full,
    Equal,
    #[serde(deserialize_with = "policy_file::table")]
    PlusMinus(PlusMinus),
    #[serde(deserialize_with = "policy_file::table")]
    Added(Added),
    #[serde(deserialize_with = "policy_file::table")]
    Decorrelated(Decorrelated),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlusMinus {
    percent: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Added {
    percent: u8,
    min_ms: u64,
    max_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Decorrelated {
    base_ms: u64,
    cap_ms: u64,
}

impl Jitter {
    /// The scheduled delay, unchanged.
    pub const NONE: Self = Self(Form::None);
    /// Zero to the delay.
    pub const FULL: Self = Self(Form::Full);
    /// Half the delay to the delay.
    pub const EQUAL: Self = Self(Form::Equal);

    /// `percent` below the delay to `percent` above it. More than 100 counts as 100.
    #[must_use]
    pub const fn plus_minus(percent: u8) -> Self {
        let percent = if percent > 100 { 100 } else { percent };
        Self(Form::PlusMinus(PlusMinus { percent }))
    }

    /// The delay plus up to `percent` of it, where that bound is at least `min` and at most `max`.
    /// A `min` over `max` counts as `max`.
    #[must_use]
    pub fn added(percent: u8, min: Duration, max: Duration) -> Self {
        let max_ms = millis_up(max);
        Self(Form::Added(Added { percent, min_ms: millis_up(min).min(max_ms), max_ms }))
    }

    /// `base` to three times the previous delay (for the first retry, three times `base`), at most
    /// `cap`. A `base` over `cap` counts as `cap`, and both are at least 1 ms.
    ///
    /// This mode ignores the schedule's delays, but not its number of retries. The chain of delays
    /// is recomputed each time, from at most 64 retries back, where it starts from `base`. A replay
    /// starts a new chain.
    #[must_use]
    pub fn decorrelated(base: Duration, cap: Duration) -> Self {
        let cap_ms = millis_up(cap).max(1);
        Self(Form::Decorrelated(Decorrelated { base_ms: millis_up(base).clamp(1, cap_ms), cap_ms }))
    }

    /// Returns the delay before retry `retry` (the first is 1) for a scheduled delay of `delay`.
    #[must_use]
    pub fn apply(&self, delay: Duration, retry: u32, seed: JitterSeed<'_>) -> Duration {
        self.apply_since(0, delay, retry, seed)
    }

    /// Like [`apply`](Self::apply), with a chain of delays that starts after retry `start`.
    pub(super) fn apply_since(
        &self,
        start: u32,
        delay: Duration,
        retry: u32,
        seed: JitterSeed<'_>,
    ) -> Duration {
        let whole = micros(delay);
        let draw = |bound| seed.draw(retry, bound);
        let jittered = match self.0 {
            Form::None => return delay,
            Form::Full => draw(whole),
            Form::Equal => {
                let half = whole / 2;
                half.saturating_add(draw(whole.saturating_sub(half)))
            }
            Form::PlusMinus(PlusMinus { percent }) => {
                let part = percent_of(whole, percent);
                let lowest = whole.saturating_sub(part);
                lowest.saturating_add(draw(part.saturating_mul(2)))
            }
            Form::Added(Added { .. }) => whole.saturating_add(draw(self.max_added(whole))),
            Form::Decorrelated(Decorrelated { base_ms, cap_ms }) => {
                let (base, cap) = (base_ms.saturating_mul(1_000), cap_ms.saturating_mul(1_000));
                let mut previous = base;
                let first = start.max(retry.saturating_sub(MAX_CHAIN)).saturating_add(1);
                for step in first..=retry {
                    let spread = previous.saturating_mul(3).saturating_sub(base);
                    previous = base.saturating_add(seed.draw(step, spread)).min(cap);
                }
                previous
            }
        };
        Duration::from_micros(jittered)
    }

    /// Returns whether each delay depends on the previous one instead of the schedule.
    #[must_use]
    pub const fn is_decorrelated(&self) -> bool {
        matches!(self.0, Form::Decorrelated(Decorrelated { .. }))
    }

    /// Returns the longest delay that [`apply`](Self::apply) can return for `delay`.
    #[must_use]
    pub fn longest(&self, delay: Duration) -> Duration {
        let whole = micros(delay);
        Duration::from_micros(match self.0 {
            Form::None | Form::Full | Form::Equal => return delay,
            Form::PlusMinus(PlusMinus { percent }) => {
                whole.saturating_add(percent_of(whole, percent))
            }
            Form::Added(Added { .. }) => whole.saturating_add(self.max_added(whole)),
            Form::Decorrelated(Decorrelated { cap_ms, .. }) => cap_ms.saturating_mul(1_000),
        })
    }

    fn max_added(&self, whole: u64) -> u64 {
        match self.0 {
            Form::Added(Added { percent, min_ms, max_ms }) => percent_of(whole, percent)
                .max(min_ms.saturating_mul(1_000))
                .min(max_ms.saturating_mul(1_000)),
            _ => 0,
        }
    }
}

fn percent_of(whole: u64, percent: u8) -> u64 {
    let part = u128::from(whole).saturating_mul(u128::from(percent)) / 100;
    u64::try_from(part).unwrap_or(u64::MAX)
}

/// [`Jitter::NONE`].
impl Default for Jitter {
    fn default() -> Self {
        Self::NONE
    }
}

impl TryFrom<Form> for Jitter {
    type Error = RetryPolicyError;

    fn try_from(form: Form) -> Result<Self, RetryPolicyError> {
        match form {
            Form::PlusMinus(PlusMinus { percent }) if percent > 100 => {
                Err(RetryPolicyError::JitterPercent { percent })
            }
            Form::Added(Added { min_ms, max_ms, .. }) if min_ms > max_ms => {
                Err(RetryPolicyError::JitterLimits { min_ms, max_ms })
            }
            // Three times zero is zero: retries would follow one another without a pause.
            Form::Decorrelated(Decorrelated { base_ms: 0, .. }) => {
                Err(RetryPolicyError::JitterBase)
            }
            Form::Decorrelated(Decorrelated { base_ms, cap_ms }) if base_ms > cap_ms => {
                Err(RetryPolicyError::JitterCap { base_ms, cap_ms })
            }
            form => Ok(Self(form)),
        }
    }
}

impl From<Jitter> for Form {
    fn from(jitter: Jitter) -> Self {
        jitter.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{EndpointId, MessageId};

    /// The least and the greatest of 2000 jittered delays, in milliseconds.
    fn range(jitter: &Jitter, delay: Duration) -> (u128, u128) {
        let endpoint = EndpointId::new("eln").unwrap();
        let mut range = (u128::MAX, 0);
        for number in 0..2_000 {
            let message = MessageId::new(format!("m{number}")).unwrap();
            let seed = JitterSeed::new(7, &message, &endpoint);
            let jittered = jitter.apply(delay, 1, seed);
            assert!(jittered <= jitter.longest(delay), "{jitter:?}");
            let millis = jittered.as_millis();
            range = (range.0.min(millis), range.1.max(millis));
        }
        range
    }

    #[test]
    fn each_mode_fills_its_range() {
        let second = Duration::from_secs(1);
        let added = |percent, min, max| {
            Jitter::added(percent, Duration::from_millis(min), Duration::from_millis(max))
        };
        for (jitter, least, most) in [
            (Jitter::NONE, 1_000, 1_000),
            (Jitter::FULL, 0, 1_000),
            (Jitter::EQUAL, 500, 1_000),
            (Jitter::plus_minus(20), 800, 1_200),
            (Jitter::plus_minus(100), 0, 2_000),
            (added(10, 0, 900), 1_000, 1_100),
            (added(10, 200, 900), 1_000, 1_200),
            (added(100, 0, 900), 1_000, 1_900),
            (Jitter::decorrelated(second / 10, Duration::from_secs(60)), 100, 300),
        ] {
            let (low, high) = range(&jitter, second);
            assert!(low >= least && low <= least + 10, "{jitter:?} {low}");
            assert!(high <= most && high + 10 >= most, "{jitter:?} {high}");
        }
    }

    #[test]
    fn greatest_allowed_limits_are_read() {
        let second = Duration::from_secs(1);
        let decorrelated = Jitter::decorrelated(second, second);
        let plus_minus = Jitter::plus_minus(100);
        for jitter in [plus_minus, Jitter::added(10, second, second), decorrelated.clone()] {
            let text = serde_json::to_string(&jitter).unwrap();
            assert_eq!(serde_json::from_str::<Jitter>(&text).unwrap(), jitter, "{text}");
            assert_eq!(jitter.is_decorrelated(), jitter == decorrelated);
        }
    }

    #[test]
    fn decorrelated_delays_stay_between_base_and_cap() {
        let jitter = Jitter::decorrelated(Duration::from_millis(10), Duration::from_secs(5));
        let (message, endpoint) = (MessageId::new("m").unwrap(), EndpointId::new("e").unwrap());
        let seed = JitterSeed::new(1, &message, &endpoint);
        let mut before = Duration::from_millis(10);
        for retry in (1..=64).chain([u32::MAX]) {
            let delay = jitter.apply(Duration::ZERO, retry, seed);
            assert!(delay >= Duration::from_millis(10) && delay <= Duration::from_secs(5));
            if retry <= 64 {
                assert!(delay <= before * 3, "retry {retry}");
                before = delay;
            }
        }
    }
}
