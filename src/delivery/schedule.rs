//! Retry schedule: [`Schedule`].

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::RetryPolicyError;
use crate::policy_file::{self, Presets};
use crate::time::millis_up;

/// Retry schedule: the backoff delay before each retry, measured from the end of the failed
/// attempt.
///
/// A schedule is a list of delays or an exponential rule, and either ends or continues
/// [forever](Self::forever). A delivery whose last retry fails is a dead letter
/// ([`Verdict::Exhausted`](super::Verdict::Exhausted)). Delays are whole milliseconds; constructors
/// round up. A delay that repeats forever is at least 1 ms. [`Jitter`](super::Jitter) is applied on
/// top.
///
/// ```
/// use std::time::Duration;
///
/// use labhook::delivery::Schedule;
///
/// let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
/// let schedule = Schedule::exponential(second, 2, minute, 10);
/// assert_eq!(schedule.delay(1), Some(second));
/// assert_eq!(schedule.delay(4), Some(second * 8));
/// assert_eq!(schedule.delay(10), Some(minute));
/// assert_eq!(schedule.delay(11), None);
/// ```
///
/// In a file, a schedule is the name of a preset or one of two tables. `then` is `stop` (the
/// default) or `repeat_last`; without `retries`, an exponential rule continues forever:
///
/// ```json
/// "strike"
/// {"delays_ms": [5000, 300000, 1800000], "then": "repeat_last"}
/// {"exponential": {"base_ms": 3000, "factor": 3, "cap_ms": 600000, "retries": 12}}
/// ```
///
/// It is always written as a table, so that saved schedules mean the same in every version.
#[doc(alias("backoff", "exponential backoff", "retry delay"))]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Schedule(Kind);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Kind {
    List { delays_ms: Cow<'static, [u64]>, then: Then },
    Exponential(Exponential),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Then {
    #[default]
    Stop,
    RepeatLast,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exponential {
    base_ms: u64,
    factor: u32,
    cap_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retries: Option<u32>,
}

const fn preset(delays_ms: &'static [u64], then: Then) -> Schedule {
    Schedule(Kind::List { delays_ms: Cow::Borrowed(delays_ms), then })
}

const fn exponential(base_ms: u64, factor: u32, cap_ms: u64, retries: u32) -> Schedule {
    Schedule(Kind::Exponential(Exponential { base_ms, factor, cap_ms, retries: Some(retries) }))
}

impl Schedule {
    /// No retries.
    pub const NONE: Self = preset(&[], Then::Stop);
    /// Nine retries over 75:35:05, the example in the Standard Webhooks specification: 5 s, 5 min,
    /// 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
    pub const STANDARD_WEBHOOKS: Self = preset(
        &[
            5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000,
            86_400_000,
        ],
        Then::Stop,
    );
    /// Seven retries over 27:35:05, as Svix documents them: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h,
    /// 10 h.
    pub const SVIX: Self = preset(
        &[5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 36_000_000],
        Then::Stop,
    );
    /// Twelve retries over 797 160 s (about nine days), as Strike documents them: 3^n s.
    pub const STRIKE: Self = exponential(3_000, 3, 531_441_000, 12);
    /// Twenty-four retries over 7 days 11:33:13, hook0's default: 3 s, 10 s, 3 min, 30 min, 1 h,
    /// 3 h, 5 h, then 10 h seventeen times.
    pub const HOOK0: Self = preset(
        &[
            3_000, 10_000, 180_000, 1_800_000, 3_600_000, 10_800_000, 18_000_000, 36_000_000,
            36_000_000, 36_000_000, 36_000_000, 36_000_000, 36_000_000, 36_000_000, 36_000_000,
            36_000_000, 36_000_000, 36_000_000, 36_000_000, 36_000_000, 36_000_000, 36_000_000,
            36_000_000, 36_000_000,
        ],
        Then::Stop,
    );
    /// Ten retries over 8:31:30, the default of Hookdeck's Outpost: 30 s, doubled each time.
    pub const OUTPOST: Self = exponential(30_000, 2, 15_360_000, 10);
    /// Azure Event Grid's delays, repeating the last: 10 s, 30 s, 1 min, 5 min, 10 min, 30 min, 1
    /// h, 3 h, 6 h, 12 h. [`RetryPolicy::event_grid`](super::RetryPolicy::event_grid) sets the
    /// limits that end it.
    pub const EVENT_GRID: Self = preset(
        &[
            10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000, 10_800_000, 21_600_000,
            43_200_000,
        ],
        Then::RepeatLast,
    );
    /// Five retries over 4:35:35, as used by Shopware: 5 s, 30 s, 5 min, 30 min, 4 h.
    pub const SHOPWARE: Self = preset(&[5_000, 30_000, 300_000, 1_800_000, 14_400_000], Then::Stop);

    /// Creates a schedule with one retry after each of these delays, in order.
    #[must_use]
    pub fn list(delays: impl IntoIterator<Item = Duration>) -> Self {
        Self(Kind::List {
            delays_ms: delays.into_iter().map(millis_up).collect(),
            then: Then::Stop,
        })
    }

    /// Creates an exponential backoff of `retries` retries: the first after `base`, each further
    /// one after `factor` times the previous delay, at most `cap`.
    ///
    /// A factor of 0 counts as 1, and a base or cap below 1 ms as 1 ms.
    #[doc(alias("exponential backoff", "backoff"))]
    #[must_use]
    pub fn exponential(base: Duration, factor: u32, cap: Duration, retries: u32) -> Self {
        exponential(millis_up(base).max(1), factor.max(1), millis_up(cap).max(1), retries)
    }

    /// Repeats without end: a list repeats its last delay, and an exponential rule continues at its
    /// cap. An empty list stays empty. The policy's window and attempt limit still apply.
    #[must_use]
    pub fn forever(mut self) -> Self {
        match &mut self.0 {
            Kind::List { delays_ms, then } => {
                if !delays_ms.is_empty() {
                    *then = Then::RepeatLast;
                }
            }
            Kind::Exponential(rule) => rule.retries = None,
        }
        self
    }

    /// Returns the delay before retry `retry` (the first is 1); `None` after the schedule's end,
    /// and for 0.
    #[must_use]
    pub fn delay(&self, retry: u32) -> Option<Duration> {
        let before = retry.checked_sub(1)?;
        let millis = match &self.0 {
            Kind::List { delays_ms, then } => {
                let index = usize::try_from(before).unwrap_or(usize::MAX);
                match delays_ms.get(index) {
                    Some(millis) => *millis,
                    None if *then == Then::RepeatLast => (*delays_ms.last()?).max(1),
                    None => return None,
                }
            }
            Kind::Exponential(rule) => {
                if rule.retries.is_some_and(|retries| retry > retries) {
                    return None;
                }
                let growth = u64::from(rule.factor).saturating_pow(before);
                rule.base_ms.saturating_mul(growth).min(rule.cap_ms)
            }
        };
        Some(Duration::from_millis(millis))
    }

    /// Returns the number of retries; `None` if there is no end.
    #[must_use]
    pub fn retries(&self) -> Option<u32> {
        match &self.0 {
            Kind::List { delays_ms, then: Then::Stop } => {
                Some(u32::try_from(delays_ms.len()).unwrap_or(u32::MAX))
            }
            Kind::List { .. } => None,
            Kind::Exponential(rule) => rule.retries,
        }
    }

    /// Returns the sum of all delays, without jitter; `None` if there is no end.
    #[must_use]
    pub fn total(&self) -> Option<Duration> {
        Some(self.sum(self.retries()?))
    }

    /// Returns the sum of the first `retries` delays, without jitter. It saturates.
    #[must_use]
    pub fn sum(&self, retries: u32) -> Duration {
        self.sum_by(retries, |delay| delay)
    }

    /// Returns the sum of `each` over the first `retries` delays, saturating.
    pub(super) fn sum_by(&self, retries: u32, each: impl Fn(Duration) -> Duration) -> Duration {
        let mut sum = Duration::ZERO;
        let mut retry = 1_u32;
        while retry <= retries {
            let Some(delay) = self.delay(retry) else {
                break;
            };
            let repeats = self.repeats_from(retry);
            let times = if repeats {
                let end = self.retries().map_or(retries, |all| all.min(retries));
                end.saturating_sub(retry).saturating_add(1)
            } else {
                1
            };
            sum = sum.saturating_add(each(delay).saturating_mul(times));
            if repeats {
                break;
            }
            let Some(next) = retry.checked_add(1) else {
                break;
            };
            retry = next;
        }
        sum
    }

    /// Returns whether all delays from `retry` on are equal, so that a sum can multiply them.
    fn repeats_from(&self, retry: u32) -> bool {
        match &self.0 {
            Kind::List { delays_ms, then } => {
                *then == Then::RepeatLast
                    && usize::try_from(retry).is_ok_and(|retry| retry > delays_ms.len())
            }
            // A rule that grows reaches its cap, or saturates to it, within 64 steps.
            Kind::Exponential(rule) => {
                rule.factor <= 1 || self.delay(retry) == Some(Duration::from_millis(rule.cap_ms))
            }
        }
    }

    /// Returns the preset with this name, which is that of its constant in snake case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::PRESETS.get(name)
    }

    const PRESETS: Presets<Self> = Presets(&[
        ("standard_webhooks", || Self::STANDARD_WEBHOOKS),
        ("svix", || Self::SVIX),
        ("strike", || Self::STRIKE),
        ("hook0", || Self::HOOK0),
        ("outpost", || Self::OUTPOST),
        ("event_grid", || Self::EVENT_GRID),
        ("shopware", || Self::SHOPWARE),
        ("none", || Self::NONE),
    ]);
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delays_ms: Option<Cow<'static, [u64]>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    then: Option<Then>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "exponential_table"
    )]
    exponential: Option<Exponential>,
}

fn exponential_table<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Exponential>, D::Error> {
    policy_file::table(deserializer).map(Some)
}

impl TryFrom<Form> for Schedule {
    type Error = RetryPolicyError;

    fn try_from(form: Form) -> Result<Self, RetryPolicyError> {
        match form {
            Form { delays_ms: Some(delays_ms), then, exponential: None } => {
                let then = then.unwrap_or_default();
                match (then, delays_ms.last()) {
                    (Then::RepeatLast, None) => Err(RetryPolicyError::NothingToRepeat),
                    (Then::RepeatLast, Some(0)) => Err(RetryPolicyError::EndlessZero),
                    _ => Ok(Self(Kind::List { delays_ms, then })),
                }
            }
            Form { delays_ms: None, then: None, exponential: Some(rule) } => {
                if rule.factor == 0 {
                    Err(RetryPolicyError::ZeroFactor)
                } else if rule.base_ms == 0 || rule.cap_ms == 0 {
                    Err(RetryPolicyError::ZeroExponential)
                } else {
                    Ok(Self(Kind::Exponential(rule)))
                }
            }
            _ => Err(RetryPolicyError::ScheduleForm),
        }
    }
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (delays_ms, then, exponential) = match &self.0 {
            Kind::List { delays_ms, then } => (Some(delays_ms.clone()), Some(*then), None),
            Kind::Exponential(rule) => (None, None, Some(*rule)),
        };
        Form { delays_ms, then, exponential }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        policy_file::read::<Form, _, _>(
            deserializer,
            "the name of a schedule preset, or a table",
            Self::PRESETS,
        )
    }
}
