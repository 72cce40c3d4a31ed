//! A health policy as it stands in a file: its form, and what can be wrong with it.

use std::borrow::Cow;
use std::num::{NonZeroU8, NonZeroU32};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::policy::{HealthPolicy, NewMessages, PendingOnDisable};

/// A health policy that was read, from a file say, contradicts itself.
///
/// Whoever wrote it is at fault. A policy that is built in code cannot get there: its setters have
/// no room for these mistakes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HealthPolicyError {
    /// An endpoint would be degraded without a failure.
    #[error("the number of failures that degrade is zero")]
    ZeroFailures,
    /// No failure would ever count.
    #[error("the failure window is zero")]
    ZeroWindow,
    /// An endpoint that is degraded would never be tried again.
    #[error("the ladder has no probe")]
    NoProbe,
    /// Probes would follow one another without a wait.
    #[error("the wait before probe {probe} is zero")]
    ZeroWait {
        /// The number of the probe, the first being 1.
        probe: usize,
    },
    /// No probe could ever succeed.
    #[error("the probe timeout is zero")]
    ZeroTimeout,
    /// An endpoint would be suspended without a probe.
    #[error("the number of failed probes that suspend is zero")]
    ZeroProbes,
    /// Suspending would be disabling.
    #[error("the suspension that disables is zero")]
    ZeroSuspension,
}

/// All members may be absent: the default has them then. `null` is not the same as absent.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "the table of a health policy")]
struct Form {
    #[serde(deserialize_with = "present")]
    failures: Option<Option<u8>>,
    #[serde(deserialize_with = "present")]
    failure_window_ms: Option<Option<u64>>,
    #[serde(deserialize_with = "present")]
    overload_limit_ms: Option<Option<u64>>,
    probes_ms: Option<Cow<'static, [u64]>>,
    probe_timeout_ms: Option<u64>,
    #[serde(deserialize_with = "present")]
    suspend_after_probes: Option<Option<u32>>,
    #[serde(deserialize_with = "present")]
    disable_after_ms: Option<Option<u64>>,
    new_messages: Option<NewMessages>,
    waiting: Option<PendingOnDisable>,
}

fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl TryFrom<Form> for HealthPolicy {
    type Error = HealthPolicyError;

    fn try_from(form: Form) -> Result<Self, HealthPolicyError> {
        let mut policy = Self::default();
        match form.failures {
            Some(Some(0)) => return Err(HealthPolicyError::ZeroFailures),
            Some(failures) => policy.failures = failures.and_then(NonZeroU8::new),
            None => {}
        }
        match form.failure_window_ms {
            Some(Some(0)) => return Err(HealthPolicyError::ZeroWindow),
            Some(millis) => policy.failure_window_ms = millis,
            None => {}
        }
        if let Some(millis) = form.overload_limit_ms {
            policy.overload_limit_ms = millis;
        }
        if let Some(waits) = form.probes_ms {
            if waits.is_empty() {
                return Err(HealthPolicyError::NoProbe);
            }
            if let Some(before) = waits.iter().position(|wait| *wait == 0) {
                return Err(HealthPolicyError::ZeroWait { probe: before.saturating_add(1) });
            }
            policy.probes_ms = waits;
        }
        match form.probe_timeout_ms {
            Some(0) => return Err(HealthPolicyError::ZeroTimeout),
            Some(millis) => policy.probe_timeout_ms = millis,
            None => {}
        }
        match form.suspend_after_probes {
            Some(Some(0)) => return Err(HealthPolicyError::ZeroProbes),
            Some(probes) => policy.suspend_after_probes = probes.and_then(NonZeroU32::new),
            None => {}
        }
        match form.disable_after_ms {
            Some(Some(0)) => return Err(HealthPolicyError::ZeroSuspension),
            Some(millis) => policy.disable_after_ms = millis,
            None => {}
        }
        policy.new_messages = form.new_messages.unwrap_or(policy.new_messages);
        policy.waiting = form.waiting.unwrap_or(policy.waiting);
        Ok(policy)
    }
}

impl Serialize for HealthPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Form {
            failures: Some(self.failures.map(NonZeroU8::get)),
            failure_window_ms: Some(self.failure_window_ms),
            overload_limit_ms: Some(self.overload_limit_ms),
            probes_ms: Some(self.probes_ms.clone()),
            probe_timeout_ms: Some(self.probe_timeout_ms),
            suspend_after_probes: Some(self.suspend_after_probes.map(NonZeroU32::get)),
            disable_after_ms: Some(self.disable_after_ms),
            new_messages: Some(self.new_messages),
            waiting: Some(self.waiting),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for HealthPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Form::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}
