//! The file form of a [`HealthPolicy`].

use std::num::NonZeroU32;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::HealthPolicyError;
use super::policy::{HealthPolicy, PendingOnDisable};
use crate::policy_file::{self, Limit, Presets, present};

const PRESETS: Presets<HealthPolicy> =
    Presets(&[("default", HealthPolicy::new), ("never", HealthPolicy::never)]);

impl HealthPolicy {
    /// Returns the preset with this name: `default` or `never`.
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
    #[serde(deserialize_with = "present")]
    failures: Option<Limit<u32>>,
    refused_for_ms: Option<u64>,
    first_probe_ms: Option<u64>,
    longest_wait_ms: Option<u64>,
    #[serde(deserialize_with = "present")]
    shed_after_ms: Option<Limit<u64>>,
    #[serde(deserialize_with = "present")]
    disable_after_ms: Option<Limit<u64>>,
    pending_on_disable: Option<PendingOnDisable>,
}

/// Returns an error if a number from a file is zero that must not be.
fn not_zero(field: &'static str, value: Option<u64>) -> Result<(), HealthPolicyError> {
    if value == Some(0) { Err(HealthPolicyError::Zero { field }) } else { Ok(()) }
}

impl TryFrom<Form> for HealthPolicy {
    type Error = HealthPolicyError;

    fn try_from(form: Form) -> Result<Self, HealthPolicyError> {
        let mut policy = match form.preset {
            None => Self::default(),
            Some(name) => PRESETS.find(&name)?,
        };
        not_zero("failures", form.failures.and_then(|it| it.0).map(u64::from))?;
        not_zero("first_probe_ms", form.first_probe_ms)?;
        not_zero("disable_after_ms", form.disable_after_ms.and_then(|it| it.0))?;
        if let Some(Limit(failures)) = form.failures {
            policy.failures = failures.and_then(NonZeroU32::new);
        }
        policy.refused_for_ms = form.refused_for_ms.unwrap_or(policy.refused_for_ms);
        policy.first_probe_ms = form.first_probe_ms.unwrap_or(policy.first_probe_ms);
        policy.longest_wait_ms = form.longest_wait_ms.unwrap_or(policy.longest_wait_ms);
        if policy.longest_wait_ms < policy.first_probe_ms {
            let (first, longest) = (policy.first_probe_ms, policy.longest_wait_ms);
            return Err(HealthPolicyError::FirstProbeOverLongest { first, longest });
        }
        policy.shed_after_ms = form.shed_after_ms.map_or(policy.shed_after_ms, |it| it.0);
        policy.disable_after_ms = form.disable_after_ms.map_or(policy.disable_after_ms, |it| it.0);
        policy.pending_on_disable = form.pending_on_disable.unwrap_or(policy.pending_on_disable);
        Ok(policy)
    }
}

impl Serialize for HealthPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Form {
            preset: None,
            failures: Some(Limit(self.failures.map(NonZeroU32::get))),
            refused_for_ms: Some(self.refused_for_ms),
            first_probe_ms: Some(self.first_probe_ms),
            longest_wait_ms: Some(self.longest_wait_ms),
            shed_after_ms: Some(Limit(self.shed_after_ms)),
            disable_after_ms: Some(Limit(self.disable_after_ms)),
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
