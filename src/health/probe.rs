//! The half-open probe of an open circuit, and the waits before it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::policy::HealthPolicy;
use crate::mix::mix;
use crate::time::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Probe {
    Waiting {
        due: Timestamp,
        /// Whether the last probe's deadline was found passed: its result is still awaited.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        overdue: bool,
    },
    Due {
        since: Timestamp,
    },
    InFlight {
        serial: u64,
        started: Timestamp,
        deadline: Timestamp,
    },
}

/// Returns the wait before the probe that follows `failed` failed ones: the policy's wait, give or
/// take a tenth.
///
/// The jitter is well mixed, so that probes do not fall into step with a receiver that fails
/// periodically. The serial differs between two outages of an endpoint.
pub(super) fn wait(policy: &HealthPolicy, serial: u64, failed: u32) -> Duration {
    let wait = u64::try_from(policy.probe_wait(failed).as_micros()).unwrap_or(u64::MAX);
    let tenth = wait.checked_div(10).unwrap_or(0);
    let spread = tenth.saturating_mul(2).saturating_add(1);
    let offset = mix(serial ^ u64::from(failed).rotate_left(32)).checked_rem(spread).unwrap_or(0);
    Duration::from_micros(wait.saturating_sub(tenth).saturating_add(offset))
}
