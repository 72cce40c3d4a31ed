//! A policy as it stands in a file: its form, and what can be wrong with it.

use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU32;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::guarantee::DeliveryGuarantee;
use super::jitter::Jitter;
use super::response_rules::ResponseRules;
use super::retry_policy::RetryPolicy;
use super::schedule::Schedule;

/// A policy that was read, from a file say, contradicts itself.
///
/// Whoever wrote it is at fault. A policy that is built in code cannot get there: its setters have
/// no room for these mistakes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RetryPolicyError {
    /// No preset has this name.
    #[error("there is no preset named `{name}`, only {known}")]
    UnknownPreset {
        /// The name.
        name: String,
        /// The names that there are.
        known: &'static str,
    },
    /// The attempt timeout is zero: no attempt could ever succeed.
    #[error("the attempt timeout is zero")]
    ZeroTimeout,
    /// The window is zero: no attempt could ever be made.
    #[error("the window is zero")]
    ZeroWindow,
    /// A schedule is neither a list of delays nor an exponential rule, or both.
    #[error("a schedule has either `delays_ms`, with or without `then`, or `exponential`")]
    ScheduleForm,
    /// An empty list is to repeat its last delay.
    #[error("the schedule repeats its last delay and has none")]
    NothingToRepeat,
    /// A delay of zero is to recur for ever.
    #[error("the schedule repeats a delay of zero for ever")]
    EndlessZero,
    /// An exponential schedule's factor is zero.
    #[error("the exponential schedule's factor is zero")]
    ZeroFactor,
    /// An exponential schedule's base or cap is zero.
    #[error("the exponential schedule's base or cap is zero")]
    ZeroExponential,
    /// A jitter would reach below a delay of zero.
    #[error("a jitter of plus or minus {percent} percent is more than the delay itself")]
    JitterPercent {
        /// The percentage.
        percent: u8,
    },
    /// The least that a jitter may add is more than the most.
    #[error("the jitter adds at least {min_ms} ms and at most {max_ms} ms")]
    JitterLimits {
        /// The lower limit, in milliseconds.
        min_ms: u64,
        /// The upper limit, in milliseconds.
        max_ms: u64,
    },
    /// A decorrelated jitter starts from zero, so that all its delays would be zero.
    #[error("the jitter's base is zero")]
    JitterBase,
    /// A decorrelated jitter starts above its cap.
    #[error("the jitter's base of {base_ms} ms is over its cap of {cap_ms} ms")]
    JitterCap {
        /// The base, in milliseconds.
        base_ms: u64,
        /// The cap, in milliseconds.
        cap_ms: u64,
    },
    /// A line of a response table is for no status.
    #[error("`{status}` is not a status, a class from 2xx to 5xx, or `other`")]
    Status {
        /// What stands in its place.
        status: String,
    },
    /// Two lines of a response table are for the same status.
    #[error("`{status}` has two lines in the response table")]
    RepeatedStatus {
        /// The status or class.
        status: String,
    },
}

/// The presets of policies and of schedules.
const PRESETS: &str =
    "standard_webhooks, svix, strike, hook0, outpost, event_grid, shopware and none";

impl RetryPolicyError {
    pub(super) fn unknown_preset(name: &str, known: &'static str) -> Self {
        Self::UnknownPreset { name: name.to_owned(), known }
    }
}

/// Reads what stands in a file either as the name of a preset or as a table of form `F`.
pub(super) struct NameOrMap<T, F> {
    expecting: &'static str,
    named: fn(&str) -> Option<T>,
    form: PhantomData<F>,
}

impl<T, F> NameOrMap<T, F> {
    pub(super) const fn new(expecting: &'static str, named: fn(&str) -> Option<T>) -> Self {
        Self { expecting, named, form: PhantomData }
    }

    pub(super) fn read<'de, D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error>
    where
        F: Deserialize<'de> + TryInto<T, Error = RetryPolicyError>,
    {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T, F> Visitor<'de> for NameOrMap<T, F>
where
    F: Deserialize<'de> + TryInto<T, Error = RetryPolicyError>,
{
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<T, E> {
        (self.named)(name).ok_or_else(|| E::custom(RetryPolicyError::unknown_preset(name, PRESETS)))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        let form = F::deserialize(MapAccessDeserializer::new(map))?;
        form.try_into().map_err(serde::de::Error::custom)
    }
}

/// All members may be absent: the preset has them then. `null` is not the same as absent, so that
/// a preset's limit can be lifted.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Form {
    #[serde(skip_serializing)]
    preset: Option<String>,
    schedule: Option<Schedule>,
    jitter: Option<Jitter>,
    attempt_timeout_ms: Option<u64>,
    #[serde(deserialize_with = "present")]
    window_ms: Option<Option<u64>>,
    #[serde(deserialize_with = "present")]
    max_attempts: Option<Option<NonZeroU32>>,
    retry_after_cap_ms: Option<u64>,
    responses: Option<ResponseRules>,
    guarantee: Option<DeliveryGuarantee>,
}

fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl TryFrom<Form> for RetryPolicy {
    type Error = RetryPolicyError;

    fn try_from(form: Form) -> Result<Self, RetryPolicyError> {
        let mut policy = match form.preset {
            None => Self::default(),
            Some(name) => Self::named(&name)
                .ok_or_else(|| RetryPolicyError::unknown_preset(&name, PRESETS))?,
        };
        if let Some(schedule) = form.schedule {
            policy.schedule = schedule;
        }
        if let Some(jitter) = form.jitter {
            policy.jitter = jitter;
        }
        match form.attempt_timeout_ms {
            Some(0) => return Err(RetryPolicyError::ZeroTimeout),
            Some(millis) => policy.attempt_timeout_ms = millis,
            None => {}
        }
        match form.window_ms {
            Some(Some(0)) => return Err(RetryPolicyError::ZeroWindow),
            Some(millis) => policy.window_ms = millis,
            None => {}
        }
        if let Some(attempts) = form.max_attempts {
            policy.max_attempts = attempts;
        }
        if let Some(millis) = form.retry_after_cap_ms {
            policy.retry_after_cap_ms = millis;
        }
        if let Some(responses) = form.responses {
            policy.responses = responses;
        }
        if let Some(guarantee) = form.guarantee {
            policy.guarantee = guarantee;
        }
        Ok(policy)
    }
}

impl Serialize for RetryPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Form {
            preset: None,
            schedule: Some(self.schedule.clone()),
            jitter: Some(self.jitter.clone()),
            attempt_timeout_ms: Some(self.attempt_timeout_ms),
            window_ms: Some(self.window_ms),
            max_attempts: Some(self.max_attempts),
            retry_after_cap_ms: Some(self.retry_after_cap_ms),
            responses: Some(self.responses.clone()),
            guarantee: Some(self.guarantee),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RetryPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        NameOrMap::<Self, Form>::new("the name of a policy or its table", Self::named)
            .read(deserializer)
    }
}
