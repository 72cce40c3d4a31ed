//! Flow policy: [`FlowPolicy`].

use std::num::NonZeroU32;
use std::time::Duration;

use super::adaptive_rate::AdaptiveRatePolicy;
use super::concurrency::ConcurrencyLimitPolicy;
use super::rate_limit::RateLimitPolicy;

const fn count(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).expect("the presets' numbers are not zero")
}

/// Rate and concurrency policy of an endpoint: concurrency limit, rate limit and adaptive rate.
///
/// It is plain data that every call of a [`Flow`](super::Flow) borrows. It may change between two
/// calls, and then applies to all later decisions.
///
/// ```
/// use std::num::NonZeroU32;
/// use labhook::flow::{FlowPolicy, RateLimitPolicy};
///
/// let rate = RateLimitPolicy::per_second(NonZeroU32::new(50).unwrap());
/// let policy = FlowPolicy::adaptive().with_rate_limit(rate);
/// let file = r#"{"preset": "adaptive", "rate_limit": {"releases": 50, "per_ms": 1000}}"#;
/// assert_eq!(serde_json::from_str::<FlowPolicy>(file)?, policy);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # In a file
///
/// The name of a preset, `fixed` or `adaptive`, or a table whose fields replace those of `preset`
/// (`adaptive` if that is absent):
///
/// | field | meaning | `fixed` | `adaptive` |
/// |---|---|---|---|
/// | `concurrency` | [`ConcurrencyLimitPolicy`] | 8 | from 8, up to 256 |
/// | `rate_limit` | [`RateLimitPolicy`]; `null`: none | none | none |
/// | `adaptive_rate` | [`AdaptiveRatePolicy`]; `null`: none | none | down to one request in 10 s |
///
/// In TOML, which has no null, start from `fixed` and name the other fields. Unknown fields and
/// invalid values are errors: see [`FlowPolicyError`](super::FlowPolicyError). A policy is written
/// with all of its fields and without the preset's name, so that a saved policy means the same in
/// every version; it cannot be written to TOML if a field is null. The format must be
/// self-describing, as JSON, TOML and YAML are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "rate limit")]
#[doc(alias = "throttle")]
pub struct FlowPolicy {
    pub(super) concurrency: ConcurrencyLimitPolicy,
    pub(super) rate_limit: Option<RateLimitPolicy>,
    pub(super) adaptive_rate: Option<AdaptiveRatePolicy>,
}

impl FlowPolicy {
    /// Returns a policy with only a fixed concurrency limit of eight attempts in flight.
    #[must_use]
    pub const fn fixed() -> Self {
        Self {
            concurrency: ConcurrencyLimitPolicy::fixed(count(8)),
            rate_limit: None,
            adaptive_rate: None,
        }
    }

    /// Returns a sensible policy for an unknown receiver: a concurrency limit from 8 up to 256, and
    /// an adaptive rate down to one request in 10 s.
    ///
    /// The numbers are this crate's choice.
    #[must_use]
    pub fn adaptive() -> Self {
        Self {
            concurrency: ConcurrencyLimitPolicy::adaptive(count(8), count(256)),
            adaptive_rate: Some(AdaptiveRatePolicy::new(Duration::from_secs(10))),
            ..Self::fixed()
        }
    }

    /// Sets the concurrency limit.
    #[must_use]
    pub const fn with_concurrency(mut self, limit: ConcurrencyLimitPolicy) -> Self {
        self.concurrency = limit;
        self
    }

    /// Sets the rate limit; `None` for none.
    #[must_use]
    pub fn with_rate_limit(mut self, limit: impl Into<Option<RateLimitPolicy>>) -> Self {
        self.rate_limit = limit.into();
        self
    }

    /// Sets how the rate is learned from refusals; `None` for not at all.
    #[must_use]
    pub fn with_adaptive_rate(mut self, rate: impl Into<Option<AdaptiveRatePolicy>>) -> Self {
        self.adaptive_rate = rate.into();
        self
    }

    /// Returns the concurrency limit.
    #[must_use]
    pub const fn concurrency(&self) -> &ConcurrencyLimitPolicy {
        &self.concurrency
    }

    /// Returns the rate limit.
    #[must_use]
    pub const fn rate_limit(&self) -> Option<&RateLimitPolicy> {
        self.rate_limit.as_ref()
    }

    /// Returns how the rate is learned from refusals.
    #[must_use]
    pub const fn adaptive_rate(&self) -> Option<&AdaptiveRatePolicy> {
        self.adaptive_rate.as_ref()
    }
}

/// [`FlowPolicy::adaptive`].
impl Default for FlowPolicy {
    fn default() -> Self {
        Self::adaptive()
    }
}
