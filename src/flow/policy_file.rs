//! A policy as it stands in a file: its form, and what can be wrong with it.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::adaptive_rate::AdaptiveRatePolicy;
use super::concurrency::ConcurrencyLimitPolicy;
use super::policy::FlowPolicy;
use super::rate_limit::RateLimitPolicy;
use super::retry_budget::RetryBudgetPolicy;

/// A flow policy that was read, from a file say, contradicts itself.
///
/// Whoever wrote it is at fault. A policy that is built in code cannot get there: its setters have
/// no room for these mistakes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlowPolicyError {
    /// No preset has this name.
    #[error("there is no preset named `{name}`, only fixed and adaptive")]
    UnknownPreset {
        /// The name.
        name: String,
    },
    /// The time of a rate, a pace or a trickle is out of bounds.
    #[error("a time of {millis} ms is not between 1 ms and a day")]
    NotWithinADay {
        /// The time, in milliseconds.
        millis: u64,
    },
    /// A window starts above its maximum.
    #[error("the window starts at {initial}, over its maximum of {max}")]
    InitialOverMax {
        /// Where it starts.
        initial: u32,
        /// Its maximum.
        max: u32,
    },
}

impl FlowPolicy {
    fn preset(name: &str) -> Result<Self, FlowPolicyError> {
        Self::named(name).ok_or_else(|| FlowPolicyError::UnknownPreset { name: name.to_owned() })
    }
}

/// All members may be absent: the preset has them then. `null` is not the same as absent, so that
/// a preset's limit can be lifted.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Form {
    #[serde(skip_serializing)]
    preset: Option<String>,
    window: Option<ConcurrencyLimitPolicy>,
    #[serde(deserialize_with = "present")]
    rate: Option<Option<RateLimitPolicy>>,
    #[serde(deserialize_with = "present")]
    pace: Option<Option<AdaptiveRatePolicy>>,
    #[serde(deserialize_with = "present")]
    retry_budget: Option<Option<RetryBudgetPolicy>>,
    hold_cap_ms: Option<u64>,
}

fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl TryFrom<Form> for FlowPolicy {
    type Error = FlowPolicyError;

    fn try_from(form: Form) -> Result<Self, FlowPolicyError> {
        let base = match form.preset {
            None => Self::default(),
            Some(name) => Self::preset(&name)?,
        };
        Ok(Self {
            window: form.window.unwrap_or(base.window),
            rate: form.rate.unwrap_or(base.rate),
            pace: form.pace.unwrap_or(base.pace),
            retry_budget: form.retry_budget.unwrap_or(base.retry_budget),
            hold_cap_ms: form.hold_cap_ms.unwrap_or(base.hold_cap_ms),
        })
    }
}

impl Serialize for FlowPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Form {
            preset: None,
            window: Some(self.window),
            rate: Some(self.rate),
            pace: Some(self.pace),
            retry_budget: Some(self.retry_budget),
            hold_cap_ms: Some(self.hold_cap_ms),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for FlowPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrTable)
    }
}

struct NameOrTable;

impl<'de> Visitor<'de> for NameOrTable {
    type Value = FlowPolicy;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a flow policy or its table")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<FlowPolicy, E> {
        FlowPolicy::preset(name).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FlowPolicy, A::Error> {
        let form = Form::deserialize(MapAccessDeserializer::new(map))?;
        form.try_into().map_err(serde::de::Error::custom)
    }
}
