//! The file form of a [`FlowPolicy`].

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::adaptive_rate::AdaptiveRatePolicy;
use super::concurrency::ConcurrencyLimitPolicy;
use super::error::FlowPolicyError;
use super::policy::FlowPolicy;
use super::rate_limit::RateLimitPolicy;
use crate::policy_file::{self, Limit, Limiting, Presets, present};

const PRESETS: Presets<FlowPolicy> =
    Presets(&[("fixed", FlowPolicy::fixed), ("adaptive", FlowPolicy::adaptive)]);

impl FlowPolicy {
    /// Returns the preset with this name: `fixed` or `adaptive`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        PRESETS.get(name)
    }
}

/// An absent field has the preset's value.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Form {
    #[serde(skip_serializing)]
    preset: Option<String>,
    concurrency: Option<ConcurrencyLimitPolicy>,
    #[serde(deserialize_with = "present")]
    rate_limit: Option<Limit<RateLimitPolicy>>,
    #[serde(deserialize_with = "present")]
    adaptive_rate: Option<Limit<AdaptiveRatePolicy>>,
}

impl Limiting<'_> for RateLimitPolicy {}
impl Limiting<'_> for AdaptiveRatePolicy {}

impl TryFrom<Form> for FlowPolicy {
    type Error = FlowPolicyError;

    fn try_from(form: Form) -> Result<Self, FlowPolicyError> {
        let base = match form.preset {
            None => Self::default(),
            Some(name) => PRESETS.find(&name)?,
        };
        Ok(Self {
            concurrency: form.concurrency.unwrap_or(base.concurrency),
            rate_limit: form.rate_limit.map_or(base.rate_limit, |it| it.0),
            adaptive_rate: form.adaptive_rate.map_or(base.adaptive_rate, |it| it.0),
        })
    }
}

impl Serialize for FlowPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Form {
            preset: None,
            concurrency: Some(self.concurrency),
            rate_limit: Some(Limit(self.rate_limit)),
            adaptive_rate: Some(Limit(self.adaptive_rate)),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for FlowPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expecting = "the name of a flow policy preset, or a flow policy table";
        policy_file::read::<Form, _, _>(deserializer, expecting, PRESETS)
    }
}
