//! The file form of a [`HealthPolicy`].

use std::borrow::Cow;
use std::num::{NonZeroU8, NonZeroU32};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::HealthPolicyError;
use super::policy::{HealthPolicy, NewMessages, PendingOnDisable};
use crate::policy_file::{self, Presets, present};

const PRESETS: Presets<HealthPolicy> =
    Presets(&[("default", HealthPolicy::new), ("never", HealthPolicy::never)]);

impl HealthPolicy {
    /// Returns the preset with this name: `default` or `never`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        PRESETS.get(name)
    }
}

/// An absent field has the preset's value. `null` is not the same as absent.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Form {
    #[serde(skip_serializing)]
    preset: Option<String>,
    #[serde(deserialize_with = "present")]
    failures: Option<Option<u8>>,
    #[serde(deserialize_with = "present")]
    failure_window_ms: Option<Option<u64>>,
    #[serde(deserialize_with = "present")]
    overload_limit_ms: Option<Option<u64>>,
    probes_ms: Option<Cow<'static, [u64]>>,
    #[serde(deserialize_with = "present")]
    suspend_after_probes: Option<Option<u32>>,
    #[serde(deserialize_with = "present")]
    disable_after_ms: Option<Option<u64>>,
    new_messages: Option<NewMessages>,
    pending_on_disable: Option<PendingOnDisable>,
}

impl TryFrom<Form> for HealthPolicy {
    type Error = HealthPolicyError;

    fn try_from(form: Form) -> Result<Self, HealthPolicyError> {
        let mut policy = match form.preset {
            None => Self::default(),
            Some(name) => PRESETS.find(&name)?,
        };
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
            if let Some(index) = waits.iter().position(|wait| *wait == 0) {
                return Err(HealthPolicyError::ZeroWait { index });
            }
            policy.probes_ms = waits;
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
        policy.pending_on_disable = form.pending_on_disable.unwrap_or(policy.pending_on_disable);
        Ok(policy)
    }
}

impl Serialize for HealthPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Form {
            preset: None,
            failures: Some(self.failures.map(NonZeroU8::get)),
            failure_window_ms: Some(self.failure_window_ms),
            overload_limit_ms: Some(self.overload_limit_ms),
            probes_ms: Some(self.probes_ms.clone()),
            suspend_after_probes: Some(self.suspend_after_probes.map(NonZeroU32::get)),
            disable_after_ms: Some(self.disable_after_ms),
            new_messages: Some(self.new_messages),
            pending_on_disable: Some(self.pending_on_disable),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for HealthPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expecting = "the name of a health policy preset, or a health policy table";
        policy_file::read::<Form, _, _>(deserializer, expecting, PRESETS)
    }
}
