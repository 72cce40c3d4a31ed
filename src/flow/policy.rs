//! How fast an endpoint may be sent to: [`FlowPolicy`].

use std::num::NonZeroU32;
use std::time::Duration;

use super::adaptive_rate::AdaptiveRatePolicy;
use super::concurrency::ConcurrencyLimitPolicy;
use super::rate_limit::RateLimitPolicy;
use super::retry_budget::RetryBudgetPolicy;
use crate::time::millis_up;

const fn count(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).expect("the presets' numbers are not zero")
}

/// How fast an endpoint may be sent to: what each of the machines of a [`Flow`](super::Flow) goes
/// by.
///
/// It is plain data that every call borrows: it may change between two calls, and then holds for
/// what is decided from then on.
///
/// ```
/// use std::num::NonZeroU32;
/// use labhook::flow::{FlowPolicy, RateLimitPolicy};
///
/// let rate = RateLimitPolicy::per_second(NonZeroU32::new(50).unwrap());
/// let policy = FlowPolicy::adaptive().with_rate_limit(rate);
/// let file = r#"{"preset": "adaptive", "rate": {"releases": 50, "per_ms": 1000}}"#;
/// assert_eq!(serde_json::from_str::<FlowPolicy>(file)?, policy);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # In a file
///
/// A preset's name (`fixed`, `adaptive`), or a table whose members replace those of `preset`
/// (`adaptive` where that is absent): `window`, `rate`, `pace`, `retry_budget` and `hold_cap_ms`.
/// `null` lifts a rate, a pace or a budget; in TOML, which has no null, begin with `fixed` and
/// name the rest. Other members and contradictions are refused: see
/// [`FlowPolicyError`](super::FlowPolicyError). It is written with all members and without the
/// preset's name, so that what was saved means the same in every version; not to TOML, for want of
/// a null. The format has to tell names from tables by itself, as JSON, TOML and YAML do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlowPolicy {
    pub(super) window: ConcurrencyLimitPolicy,
    pub(super) rate: Option<RateLimitPolicy>,
    pub(super) pace: Option<AdaptiveRatePolicy>,
    pub(super) retry_budget: Option<RetryBudgetPolicy>,
    pub(super) hold_cap_ms: u64,
}

impl FlowPolicy {
    /// No limit but a window that stays where it is: eight attempts in flight, unless
    /// [`with_concurrency`](Self::with_concurrency) has another, and a receiver's `Retry-After` for
    /// up to an hour.
    #[must_use]
    pub const fn fixed() -> Self {
        Self {
            window: ConcurrencyLimitPolicy::fixed(count(8)),
            rate: None,
            pace: None,
            retry_budget: None,
            hold_cap_ms: 3_600_000,
        }
    }

    /// What a receiver of which nothing is known is best met with: a window from 8 up to 64
    /// attempts, a pace that goes down to a request in 10 s, and retries for a fifth of the first
    /// attempts and one a second besides. The numbers are this crate's choice, save for the fifth,
    /// which is Finagle's.
    #[must_use]
    pub fn adaptive() -> Self {
        Self {
            window: ConcurrencyLimitPolicy::adaptive(count(8), count(64)),
            pace: Some(AdaptiveRatePolicy::new(Duration::from_secs(10))),
            retry_budget: Some(RetryBudgetPolicy::new(20, Duration::from_secs(1))),
            ..Self::fixed()
        }
    }

    /// The preset of this name, as a file has it.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "fixed" => Some(Self::fixed()),
            "adaptive" => Some(Self::adaptive()),
            _ => None,
        }
    }

    /// With this window of attempts in flight.
    #[must_use]
    pub const fn with_concurrency(mut self, window: ConcurrencyLimitPolicy) -> Self {
        self.window = window;
        self
    }

    /// With this rate; `None` for none.
    #[must_use]
    pub fn with_rate_limit(mut self, rate: impl Into<Option<RateLimitPolicy>>) -> Self {
        self.rate = rate.into();
        self
    }

    /// With a pace that is learned from refusals; `None` for none.
    #[must_use]
    pub fn with_adaptive_rate(mut self, pace: impl Into<Option<AdaptiveRatePolicy>>) -> Self {
        self.pace = pace.into();
        self
    }

    /// With this budget for retries; `None` for none.
    #[must_use]
    pub fn with_retry_budget(mut self, budget: impl Into<Option<RetryBudgetPolicy>>) -> Self {
        self.retry_budget = budget.into();
        self
    }

    /// With at most this much heed to [`Flow::pause_until`](super::Flow::pause_until). Zero takes
    /// no heed. Rounded up to whole milliseconds.
    #[must_use]
    pub fn with_hold_cap(mut self, cap: Duration) -> Self {
        self.hold_cap_ms = millis_up(cap);
        self
    }

    /// How many attempts may be in flight.
    #[must_use]
    pub const fn concurrency(&self) -> &ConcurrencyLimitPolicy {
        &self.window
    }

    /// The rate that is known.
    #[must_use]
    pub const fn rate_limit(&self) -> Option<&RateLimitPolicy> {
        self.rate.as_ref()
    }

    /// How the rate is learned where it is not known.
    #[must_use]
    pub const fn adaptive_rate(&self) -> Option<&AdaptiveRatePolicy> {
        self.pace.as_ref()
    }

    /// How many of the attempts may be retries.
    #[must_use]
    pub const fn retry_budget(&self) -> Option<&RetryBudgetPolicy> {
        self.retry_budget.as_ref()
    }

    /// How far a hold is heeded.
    #[must_use]
    pub const fn hold_cap(&self) -> Duration {
        Duration::from_millis(self.hold_cap_ms)
    }
}

/// [`FlowPolicy::adaptive`].
impl Default for FlowPolicy {
    fn default() -> Self {
        Self::adaptive()
    }
}
