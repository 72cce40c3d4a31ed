//! Circuit breaker policy: [`HealthPolicy`].

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::millis_up;

const SECOND: u64 = 1_000;
const DAY: u64 = 86_400_000;

/// The most that the time between two probes can count towards disabling. A clock that leaps
/// forward, and a process that was not running, must not disable an endpoint on the evidence of one
/// probe.
pub(super) const MAX_STEP: Duration = Duration::from_millis(DAY);

/// Circuit breaker policy of an endpoint: when it counts as down, when it is probed, and when it is
/// disabled.
///
/// It is plain data that every call of a [`Health`](super::Health) borrows. It may change between
/// two calls, and then applies to all later decisions.
///
/// ```
/// use std::time::Duration;
/// use labhook::HealthPolicy;
///
/// let policy = HealthPolicy::default()
///     .with_disable_after(Duration::from_secs(86_400))
///     .with_shed_after(Duration::from_secs(3_600));
/// let file = r#"{"disable_after_ms": 86400000, "shed_after_ms": 3600000}"#;
/// assert_eq!(serde_json::from_str::<HealthPolicy>(file)?, policy);
/// assert_eq!(serde_json::from_str::<HealthPolicy>(r#""never""#)?, HealthPolicy::never());
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # In a file
///
/// The name of a preset, `default` or `never`, or a table whose fields replace those of `preset`
/// (`default` if that is absent):
///
/// | field | meaning | default |
/// |---|---|---|
/// | `failures` | messages in a row whose first attempt fails that open the circuit; `null`: never | 20 |
/// | `refused_for_ms` | how long they must last if at least half of them are refusals | 30 s |
/// | `first_probe_ms` | wait before the first probe; each later wait is half as long again | 10 s |
/// | `longest_wait_ms` | longest wait between probes | 10 min |
/// | `shed_after_ms` | time down after which new messages are shed; `null`: never | `null` |
/// | `disable_after_ms` | time down that disables; `null`: never | 7 days |
/// | `pending_on_disable` | pending deliveries when disabled: `cancel` or `keep` | `cancel` |
///
/// `never` has no `failures`. Every field may be absent. Unknown fields and invalid values are
/// errors: see [`HealthPolicyError`](super::HealthPolicyError). In TOML, which has no null, use
/// `never` or a number that is never reached. A policy is written with all of its fields and
/// without the preset's name, so that a saved policy means the same in every version; it cannot be
/// written to TOML if a field is null. The format must be self-describing, as JSON, TOML and YAML
/// are.
///
/// # Why these defaults
///
/// Twenty messages in a row do not fail by chance: of a receiver that fails half of all attempts,
/// one in a million. A handful of messages that can never be accepted does not reach twenty either.
/// A receiver that refuses load gets half a minute, because slowing down is the better answer. A
/// probe every ten minutes finds a recovery soon, and costs a receiver that is down 150 requests a
/// day. The guide compares them with other policies: [which policy](crate::guide::which_policy).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "circuit breaker")]
#[doc(alias = "backoff")]
pub struct HealthPolicy {
    pub(super) failures: Option<NonZeroU32>,
    pub(super) refused_for_ms: u64,
    /// Never zero.
    pub(super) first_probe_ms: u64,
    /// Never less than `first_probe_ms`.
    pub(super) longest_wait_ms: u64,
    pub(super) shed_after_ms: Option<u64>,
    /// Never zero.
    pub(super) disable_after_ms: Option<u64>,
    pub(super) pending_on_disable: PendingOnDisable,
}

/// What happens to an endpoint's pending deliveries when it is disabled.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum PendingOnDisable {
    /// They end as cancelled.
    #[default]
    Cancel,
    /// They keep waiting, and are sent if the endpoint is enabled in time.
    Keep,
}

impl HealthPolicy {
    /// Returns the default policy.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            failures: NonZeroU32::new(20),
            refused_for_ms: 30 * SECOND,
            first_probe_ms: 10 * SECOND,
            longest_wait_ms: 600 * SECOND,
            shed_after_ms: None,
            disable_after_ms: Some(7 * DAY),
            pending_on_disable: PendingOnDisable::Cancel,
        }
    }

    /// Returns a policy under which no failure opens the circuit, so that each delivery follows its
    /// own retry schedule. The receiver and an operator can still disable the endpoint.
    #[must_use]
    pub const fn never() -> Self {
        Self { failures: None, ..Self::new() }
    }

    /// Sets the number of messages in a row whose first attempt must fail to open the circuit,
    /// without a success of any attempt between them; `None` for never.
    #[must_use]
    pub fn with_failures(mut self, messages: impl Into<Option<NonZeroU32>>) -> Self {
        self.failures = messages.into();
        self
    }

    /// Sets how long the [`failures`](Self::failures) must last to open the circuit if at least
    /// half of them are refusals. Zero makes refusals count like failures. Rounded up to whole
    /// milliseconds.
    #[must_use]
    pub fn with_refused_for(mut self, time: Duration) -> Self {
        self.refused_for_ms = millis_up(time);
        self
    }

    /// Sets the probe schedule: the wait before the first probe, and the longest wait. Each wait is
    /// half as long again as the one before, give or take a tenth. They are rounded up to whole
    /// milliseconds; the first is at least one, and the longest at least the first.
    #[must_use]
    pub fn with_probes(mut self, first: Duration, longest: Duration) -> Self {
        self.first_probe_ms = millis_up(first).max(1);
        self.longest_wait_ms = millis_up(longest).max(self.first_probe_ms);
        self
    }

    /// Sets how long an endpoint may be down before new messages are shed instead of held; `None`
    /// for ever. The one that a due probe needs is accepted. Rounded up to whole milliseconds.
    #[must_use]
    pub fn with_shed_after(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.shed_after_ms = time.into().map(millis_up);
        self
    }

    /// Sets how long an endpoint may be down before it is disabled; `None` for ever. Rounded up to
    /// whole milliseconds, and at least one.
    #[must_use]
    pub fn with_disable_after(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.disable_after_ms = time.into().map(|time| millis_up(time).max(1));
        self
    }

    /// Sets what happens to pending deliveries when an endpoint is disabled.
    #[must_use]
    pub const fn with_pending_on_disable(mut self, pending: PendingOnDisable) -> Self {
        self.pending_on_disable = pending;
        self
    }

    /// Returns the number of messages in a row whose first attempt must fail to open the circuit.
    #[must_use]
    pub const fn failures(&self) -> Option<NonZeroU32> {
        self.failures
    }

    /// Returns how long the failures must last to open the circuit if at least half of them are
    /// refusals.
    #[must_use]
    pub const fn refused_for(&self) -> Duration {
        Duration::from_millis(self.refused_for_ms)
    }

    /// Returns the wait before the next probe after `failed` probes in a row have failed, without
    /// its jitter of a tenth.
    #[must_use]
    pub fn probe_wait(&self, failed: u32) -> Duration {
        let mut wait = self.first_probe_ms;
        for _ in 0..failed {
            if wait >= self.longest_wait_ms {
                break;
            }
            // At 1 ms, half of it rounds to nothing.
            wait = wait.saturating_add((wait >> 1).max(1));
        }
        Duration::from_millis(wait.min(self.longest_wait_ms))
    }

    /// Returns the longest wait between probes, without its jitter of a tenth.
    #[must_use]
    pub const fn longest_wait(&self) -> Duration {
        Duration::from_millis(self.longest_wait_ms)
    }

    /// Returns how long an endpoint may be down before new messages are shed.
    #[must_use]
    pub fn shed_after(&self) -> Option<Duration> {
        self.shed_after_ms.map(Duration::from_millis)
    }

    /// Returns how long an endpoint may be down before it is disabled.
    #[must_use]
    pub fn disable_after(&self) -> Option<Duration> {
        self.disable_after_ms.map(Duration::from_millis)
    }

    /// Returns what happens to pending deliveries when an endpoint is disabled.
    #[must_use]
    pub const fn pending_on_disable(&self) -> PendingOnDisable {
        self.pending_on_disable
    }

    /// Returns the longest time from the failure that opens the circuit until the endpoint is
    /// disabled, if every attempt fails within `attempt_timeout`; `None` if it is never disabled.
    ///
    /// This assumes that each probe starts when it is due and that no sender outage is suspected.
    /// Anything that delays a probe, such as a pause requested by the receiver, adds to it. Between
    /// two probes only a day counts, so if waits are longer, this is an upper bound that adds the
    /// rest of each. The result saturates.
    #[must_use]
    pub fn time_to_disable(&self, attempt_timeout: Duration) -> Option<Duration> {
        self.failures?;
        let counted = self.disable_after()?;
        let wait = self.longest_wait().saturating_mul(11).checked_div(10)?.min(counted);
        let not_counted = wait.saturating_add(attempt_timeout).saturating_sub(MAX_STEP);
        // Each probe after more than a day uses up a whole day of the time to disable.
        let days = counted.as_micros().div_ceil(MAX_STEP.as_micros());
        let days = u32::try_from(days).unwrap_or(u32::MAX);
        let not_counted = not_counted.saturating_mul(days);
        Some(counted.saturating_add(attempt_timeout).saturating_add(not_counted))
    }
}

/// [`HealthPolicy::new`].
impl Default for HealthPolicy {
    fn default() -> Self {
        Self::new()
    }
}
