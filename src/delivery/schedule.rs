//! How long to wait before each retry: [`Schedule`].

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::policy_file::{NameOrMap, RetryPolicyError};
use crate::time::millis_up;

/// The delay before each retry, measured from the end of the attempt that failed.
///
/// Either a list of delays or an exponential rule; either comes to an end or goes on
/// [for ever](Self::forever). Delays are whole milliseconds; a constructor rounds up. A delay
/// that recurs for ever is at least a millisecond. [`Jitter`](super::Jitter) is applied on top.
///
/// In a file it is the name of a preset or one of two tables, `then` being `stop` (the default)
/// or `repeat_last`, and `retries` absent meaning for ever:
///
/// ```json
/// "strike"
/// {"delays_ms": [5000, 300000, 1800000], "then": "repeat_last"}
/// {"exponential": {"base_ms": 3000, "factor": 3, "cap_ms": 600000, "retries": 12}}
/// ```
///
/// It is always written as a table, so that what was saved means the same in every version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    List { delays_ms: Cow<'static, [u64]>, then: Then },
    Exponential(Exponential),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Then {
    #[default]
    Stop,
    RepeatLast,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// No retry at all.
    pub const NONE: Self = preset(&[], Then::Stop);
    /// Nine retries over 75:35:05, as the Standard Webhooks specification's example has them:
    /// 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
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
    /// Ten retries over 8:31:30, the default of Hookdeck's Outpost: 30 s doubled each time.
    pub const OUTPOST: Self = exponential(30_000, 2, 15_360_000, 10);
    /// Azure Event Grid's delays, the last of which recurs: 10 s, 30 s, 1 min, 5 min, 10 min, 30
    /// min, 1 h, 3 h, 6 h, 12 h. [`RetryPolicy::event_grid`](super::RetryPolicy::event_grid) has
    /// the limits that end it.
    pub const EVENT_GRID: Self = preset(
        &[
            10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000, 10_800_000, 21_600_000,
            43_200_000,
        ],
        Then::RepeatLast,
    );
    /// Five retries over 4:35:35, as Shopware has them: 5 s, 30 s, 5 min, 30 min, 4 h.
    pub const SHOPWARE: Self = preset(&[5_000, 30_000, 300_000, 1_800_000, 14_400_000], Then::Stop);

    /// One retry after each of the delays, in their order.
    #[must_use]
    pub fn list(delays: impl IntoIterator<Item = Duration>) -> Self {
        Self(Kind::List {
            delays_ms: delays.into_iter().map(millis_up).collect(),
            then: Then::Stop,
        })
    }

    /// `retries` retries: the first after `base`, each further one after `factor` times the delay
    /// before it, at most `cap`.
    ///
    /// A factor of 0 counts as 1, and a base or cap under a millisecond as a millisecond.
    #[must_use]
    pub fn exponential(base: Duration, factor: u32, cap: Duration, retries: u32) -> Self {
        exponential(millis_up(base).max(1), factor.max(1), millis_up(cap).max(1), retries)
    }

    /// Goes on without end: a list repeats its last delay, and an exponential rule stays at its
    /// cap. An empty list stays empty. A policy's window and attempt limit still end it.
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

    /// The delay before retry `retry`, the first being 1; `None` where the schedule has ended,
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

    /// How many retries there are; `None` where they have no end.
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

    /// All delays together, without jitter; `None` where they have no end.
    #[must_use]
    pub fn total(&self) -> Option<Duration> {
        Some(self.sum(self.retries()?))
    }

    /// Returns the sum of the first `retries` delays, without jitter. It saturates.
    #[must_use]
    pub fn sum(&self, retries: u32) -> Duration {
        self.sum_by(retries, |delay| delay)
    }

    /// The sum over the first `retries` delays of what `each` makes of them, saturating.
    pub(super) fn sum_by(&self, retries: u32, each: impl Fn(Duration) -> Duration) -> Duration {
        let mut sum = Duration::ZERO;
        let mut retry = 1_u32;
        while retry <= retries {
            let Some(delay) = self.delay(retry) else {
                break;
            };
            let recurs = self.recurs_from(retry);
            let times = if recurs {
                let end = self.retries().map_or(retries, |all| all.min(retries));
                end.saturating_sub(retry).saturating_add(1)
            } else {
                1
            };
            sum = sum.saturating_add(each(delay).saturating_mul(times));
            if recurs {
                break;
            }
            let Some(next) = retry.checked_add(1) else {
                break;
            };
            retry = next;
        }
        sum
    }

    /// Whether every delay after that of `retry` equals it, so that a sum need not walk them.
    fn recurs_from(&self, retry: u32) -> bool {
        match &self.0 {
            Kind::List { delays_ms, then } => {
                *then == Then::RepeatLast
                    && usize::try_from(retry).is_ok_and(|retry| retry > delays_ms.len())
            }
            // One that grows meets its cap, or overflows to it, within 64 steps.
            Kind::Exponential(rule) => {
                rule.factor <= 1 || self.delay(retry) == Some(Duration::from_millis(rule.cap_ms))
            }
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "none" => Self::NONE,
            "standard_webhooks" => Self::STANDARD_WEBHOOKS,
            "svix" => Self::SVIX,
            "strike" => Self::STRIKE,
            "hook0" => Self::HOOK0,
            "outpost" => Self::OUTPOST,
            "event_grid" => Self::EVENT_GRID,
            "shopware" => Self::SHOPWARE,
            _ => return None,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delays_ms: Option<Cow<'static, [u64]>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    then: Option<Then>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exponential: Option<Exponential>,
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
        NameOrMap::<Self, Form>::new("the name of a schedule or its table", Self::named)
            .read(deserializer)
    }
}
