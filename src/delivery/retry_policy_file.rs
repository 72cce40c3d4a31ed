//! File form of a retry policy.

use std::num::NonZeroU32;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::RetryPolicyError;
use super::guarantee::DeliveryGuarantee;
use super::jitter::Jitter;
use super::response_rules::ResponseRules;
use super::retry_policy::RetryPolicy;
use super::schedule::Schedule;
use crate::policy_file::{self, Limit, present};

/// Every field is optional, and defaults to the preset's.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Form {
    #[serde(skip_serializing)]
    preset: Option<String>,
    schedule: Option<Schedule>,
    jitter: Option<Jitter>,
    attempt_timeout_ms: Option<u64>,
    #[serde(deserialize_with = "present")]
    window_ms: Option<Limit<u64>>,
    #[serde(deserialize_with = "present")]
    max_attempts: Option<Limit<NonZeroU32>>,
    retry_after_cap_ms: Option<u64>,
    responses: Option<ResponseRules>,
    guarantee: Option<DeliveryGuarantee>,
}

impl TryFrom<Form> for RetryPolicy {
    type Error = RetryPolicyError;

    fn try_from(form: Form) -> Result<Self, RetryPolicyError> {
        let mut policy = match form.preset {
            None => Self::default(),
            Some(name) => Self::PRESETS.find(&name)?,
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
            Some(Limit(Some(0))) => return Err(RetryPolicyError::ZeroWindow),
            Some(Limit(millis)) => policy.window_ms = millis,
            None => {}
        }
        if let Some(Limit(attempts)) = form.max_attempts {
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
            window_ms: Some(Limit(self.window_ms)),
            max_attempts: Some(Limit(self.max_attempts)),
            retry_after_cap_ms: Some(self.retry_after_cap_ms),
            responses: Some(self.responses.clone()),
            guarantee: Some(self.guarantee),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RetryPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        policy_file::read::<Form, _, _>(
            deserializer,
            "the name of a retry policy preset, or a table",
            Self::PRESETS,
        )
    }
}
