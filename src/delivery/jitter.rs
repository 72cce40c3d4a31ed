//! How a delay is spread: [`Jitter`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::jitter_seed::JitterSeed;
use super::policy_file::RetryPolicyError;
use crate::time::{micros, millis_up};

/// The longest stretch of earlier retries that a decorrelated delay is recomputed from.
const WALK: u32 = 64;

/// How the delays of a [`Schedule`](super::Schedule) are spread, so that deliveries which failed
/// together do not come back together.
///
/// Written `d` for the schedule's delay, the mode makes of it:
///
/// | constructor | delay | in a file |
/// |---|---|---|
/// | [`NONE`](Self::NONE) | `d` | `"none"` |
/// | [`FULL`](Self::FULL) | 0 to `d` | `"full"` |
/// | [`EQUAL`](Self::EQUAL) | `d`/2 to `d` | `"equal"` |
/// | [`plus_minus`](Self::plus_minus) | `d` less to `d` plus so many percent | `{"plus_minus": {"percent": 20}}` |
/// | [`added`](Self::added) | `d` plus 0 to so many percent, that bound held within limits | `{"added": {"percent": 10, "min_ms": 2000, "max_ms": 900000}}` |
/// | [`decorrelated`](Self::decorrelated) | base to three times the delay before, capped | `{"decorrelated": {"base_ms": 1000, "cap_ms": 60000}}` |
///
/// Full, equal and decorrelated are the modes of the AWS study "Exponential Backoff And Jitter";
/// every mode is uniform over its range, in microseconds. `FULL`, `EQUAL`, `plus_minus` and
/// `decorrelated` may give less than `d`; never less than what `Retry-After` asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
pub struct Jitter(Form);

/// Durations are whole milliseconds throughout, so that a file holds them exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "`none`, `full`, `equal`, or a table of `plus_minus`, `added` or `decorrelated`"
)]
enum Form {
    None,
    Full,
    Equal,
    PlusMinus { percent: u8 },
    Added { percent: u8, min_ms: u64, max_ms: u64 },
    Decorrelated { base_ms: u64, cap_ms: u64 },
}

impl Jitter {
    /// The schedule's delay as it is.
    pub const NONE: Self = Self(Form::None);
    /// From nothing to the delay.
    pub const FULL: Self = Self(Form::Full);
    /// From half the delay to the delay.
    pub const EQUAL: Self = Self(Form::Equal);

    /// From `percent` below the delay to `percent` above it. More than 100 counts as 100.
    #[must_use]
    pub const fn plus_minus(percent: u8) -> Self {
        let percent = if percent > 100 { 100 } else { percent };
        Self(Form::PlusMinus { percent })
    }

    /// The delay plus up to `percent` of it; where that bound is under `min` or over `max`, plus
    /// up to `min` or `max`. A `min` over `max` counts as `max`.
    #[must_use]
    pub fn added(percent: u8, min: Duration, max: Duration) -> Self {
        let max_ms = millis_up(max);
        Self(Form::Added { percent, min_ms: millis_up(min).min(max_ms), max_ms })
    }

    /// From `base` to three times the delay before (at first, three times `base`), at most `cap`.
    /// A `base` over `cap` counts as `cap`, and both as 1 ms at least.
    ///
    /// This mode takes no delay from the schedule, only the number of retries. The chain of
    /// delays is recomputed each time, from 64 retries back at most, where it starts from `base`;
    /// a replay starts a new chain.
    #[must_use]
    pub fn decorrelated(base: Duration, cap: Duration) -> Self {
        let cap_ms = millis_up(cap).max(1);
        Self(Form::Decorrelated { base_ms: millis_up(base).clamp(1, cap_ms), cap_ms })
    }

    /// The delay before retry `retry` (1-based), where the schedule says `delay`.
    #[must_use]
    pub fn apply(&self, delay: Duration, retry: u32, dice: JitterSeed<'_>) -> Duration {
        self.apply_since(0, delay, retry, dice)
    }

    /// As [`apply`](Self::apply), with a chain of delays that starts after retry `start`.
    pub(super) fn apply_since(
        &self,
        start: u32,
        delay: Duration,
        retry: u32,
        dice: JitterSeed<'_>,
    ) -> Duration {
        let whole = micros(delay);
        let roll = |bound| dice.draw(retry, bound);
        let jittered = match self.0 {
            Form::None => return delay,
            Form::Full => roll(whole),
            Form::Equal => {
                let half = whole / 2;
                half.saturating_add(roll(whole.saturating_sub(half)))
            }
            Form::PlusMinus { percent } => {
                let part = percent_of(whole, percent);
                let lowest = whole.saturating_sub(part);
                lowest.saturating_add(roll(part.saturating_mul(2)))
            }
            Form::Added { .. } => whole.saturating_add(roll(self.most_added(whole))),
            Form::Decorrelated { base_ms, cap_ms } => {
                let (base, cap) = (base_ms.saturating_mul(1_000), cap_ms.saturating_mul(1_000));
                let mut before = base;
                let first = start.max(retry.saturating_sub(WALK)).saturating_add(1);
                for step in first..=retry {
                    let spread = before.saturating_mul(3).saturating_sub(base);
                    before = base.saturating_add(dice.draw(step, spread)).min(cap);
                }
                before
            }
        };
        Duration::from_micros(jittered)
    }

    /// Returns whether each delay depends on the one before it, and not on the schedule.
    #[must_use]
    pub const fn is_decorrelated(&self) -> bool {
        matches!(self.0, Form::Decorrelated { .. })
    }

    /// The longest delay that [`apply`](Self::apply) can make of `delay`.
    #[must_use]
    pub fn longest(&self, delay: Duration) -> Duration {
        let whole = micros(delay);
        Duration::from_micros(match self.0 {
            Form::None | Form::Full | Form::Equal => return delay,
            Form::PlusMinus { percent } => whole.saturating_add(percent_of(whole, percent)),
            Form::Added { .. } => whole.saturating_add(self.most_added(whole)),
            Form::Decorrelated { cap_ms, .. } => cap_ms.saturating_mul(1_000),
        })
    }

    fn most_added(&self, whole: u64) -> u64 {
        match self.0 {
            Form::Added { percent, min_ms, max_ms } => percent_of(whole, percent)
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
            Form::PlusMinus { percent } if percent > 100 => {
                Err(RetryPolicyError::JitterPercent { percent })
            }
            Form::Added { min_ms, max_ms, .. } if min_ms > max_ms => {
                Err(RetryPolicyError::JitterLimits { min_ms, max_ms })
            }
            // Three times nothing is nothing: the retries would come without end or pause.
            Form::Decorrelated { base_ms: 0, .. } => Err(RetryPolicyError::JitterBase),
            Form::Decorrelated { base_ms, cap_ms } if base_ms > cap_ms => {
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

    /// The least and the most, in milliseconds, that many rolls make of the delay.
    fn range(jitter: &Jitter, delay: Duration) -> (u128, u128) {
        let endpoint = EndpointId::new("eln").unwrap();
        let mut range = (u128::MAX, 0);
        for number in 0..2_000 {
            let message = MessageId::new(format!("m{number}")).unwrap();
            let dice = JitterSeed::new(7, &message, &endpoint);
            let jittered = jitter.apply(delay, 1, dice);
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
    fn decorrelated_delays_stay_between_base_and_cap() {
        let jitter = Jitter::decorrelated(Duration::from_millis(10), Duration::from_secs(5));
        let (message, endpoint) = (MessageId::new("m").unwrap(), EndpointId::new("e").unwrap());
        let dice = JitterSeed::new(1, &message, &endpoint);
        let mut before = Duration::from_millis(10);
        for retry in (1..=64).chain([u32::MAX]) {
            let delay = jitter.apply(Duration::ZERO, retry, dice);
            assert!(delay >= Duration::from_millis(10) && delay <= Duration::from_secs(5));
            if retry <= 64 {
                assert!(delay <= before * 3, "retry {retry}");
                before = delay;
            }
        }
    }
}
