//! Circuit breaker policy: [`HealthPolicy`].

use std::borrow::Cow;
use std::num::{NonZeroU8, NonZeroU32};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::{Timestamp, millis_up};

const MINUTE: u64 = 60_000;
const DAY: u64 = 86_400_000;

const PROBES: &[u64] = &[300_000, 600_000, 1_200_000, 2_400_000, 3_600_000, 14_400_000];

/// Circuit breaker policy of an endpoint: when it counts as failing, when it is probed, and when it
/// is disabled.
///
/// It is plain data that every call of a [`Health`](super::Health) borrows. It may change between
/// two calls, and then applies to all later decisions.
///
/// ```
/// use std::time::Duration;
/// use labhook::HealthPolicy;
/// use labhook::health::NewMessages;
///
/// let policy = HealthPolicy::default()
///     .with_disable_after(Duration::from_secs(86_400))
///     .with_new_messages(NewMessages::Shed);
/// let file = r#"{"disable_after_ms": 86400000, "new_messages": "shed"}"#;
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
/// | `failures` | faults without a success that degrade, 1 to 255; `null`: never | 5 |
/// | `failure_window_ms` | how long a fault counts; `null`: forever | 1 day |
/// | `overload_limit_ms` | how long overloads may last before they degrade; `null`: forever | 5 min |
/// | `probes_ms` | probe schedule: the waits before probes; the last one repeats | see below |
/// | `suspend_after_probes` | failed probes that suspend; `null`: never | 6 |
/// | `disable_after_ms` | length of a suspension that disables; `null`: never | 7 days |
/// | `new_messages` | new messages while suspended: `hold` or `shed` | `hold` |
/// | `pending_on_disable` | pending deliveries when disabled: `cancel` or `keep` | `cancel` |
///
/// The default probe schedule is 5, 10, 20 and 40 minutes, 1 hour and 4 hours. `never` has no
/// `failures`. Every field may be absent. Unknown fields and invalid values are errors: see
/// [`HealthPolicyError`](super::HealthPolicyError). In TOML, which has no null, use `never` or a
/// number that is never reached. A policy is written with all of its fields and without the
/// preset's name, so that a saved policy means the same in every version; it cannot be written to
/// TOML if a field is null. The format must be self-describing, as JSON, TOML and YAML are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "circuit breaker")]
#[doc(alias = "backoff")]
pub struct HealthPolicy {
    pub(super) failures: Option<NonZeroU8>,
    /// Never zero.
    pub(super) failure_window_ms: Option<u64>,
    pub(super) overload_limit_ms: Option<u64>,
    /// Never empty, and no wait is zero.
    pub(super) probes_ms: Cow<'static, [u64]>,
    pub(super) suspend_after_probes: Option<NonZeroU32>,
    /// Never zero.
    pub(super) disable_after_ms: Option<u64>,
    pub(super) new_messages: NewMessages,
    pub(super) pending_on_disable: PendingOnDisable,
}

/// What happens to new messages while an endpoint is suspended.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum NewMessages {
    /// They are accepted and wait.
    #[default]
    Hold,
    /// They are not delivered to this endpoint, except the one that a due probe needs.
    #[doc(alias = "load shedding")]
    Shed,
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
            failures: NonZeroU8::new(5),
            failure_window_ms: Some(DAY),
            overload_limit_ms: Some(5 * MINUTE),
            probes_ms: Cow::Borrowed(PROBES),
            suspend_after_probes: NonZeroU32::new(6),
            disable_after_ms: Some(7 * DAY),
            new_messages: NewMessages::Hold,
            pending_on_disable: PendingOnDisable::Cancel,
        }
    }

    /// Returns a policy under which no failure degrades an endpoint, so that each delivery follows
    /// its own retry schedule. The receiver and an operator can still disable the endpoint.
    #[must_use]
    pub fn never() -> Self {
        Self { failures: None, ..Self::new() }
    }

    /// Sets the number of faults that degrade an endpoint, if they are within the
    /// [window](Self::failure_window) and no success comes between them; `None` for never.
    #[must_use]
    pub fn with_failures(mut self, failures: impl Into<Option<NonZeroU8>>) -> Self {
        self.failures = failures.into();
        self
    }

    /// Sets how long a fault counts; `None` for forever. Rounded up to whole milliseconds, and at
    /// least one.
    #[must_use]
    pub fn with_failure_window(mut self, window: impl Into<Option<Duration>>) -> Self {
        self.failure_window_ms = window.into().map(|window| millis_up(window).max(1));
        self
    }

    /// Sets how long overloads may last before they degrade an endpoint; `None` for forever.
    ///
    /// They must also be at least [`failures`](Self::failures) in number, without a success between
    /// them. Zero makes overloads count like faults. Rounded up to whole milliseconds.
    #[must_use]
    pub fn with_overload_limit(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.overload_limit_ms = limit.into().map(millis_up);
        self
    }

    /// Sets the probe schedule: the waits before the probes, the last of which repeats. Each is
    /// rounded up to whole milliseconds, and at least one.
    #[must_use]
    pub fn with_probes(
        mut self,
        first: Duration,
        rest: impl IntoIterator<Item = Duration>,
    ) -> Self {
        let waits = std::iter::once(first).chain(rest);
        self.probes_ms = waits.map(|wait| millis_up(wait).max(1)).collect();
        self
    }

    /// Sets the number of probes in a row that must fail to suspend a degraded endpoint; `None` for
    /// never, so that it is never disabled for failing either.
    #[must_use]
    pub fn with_suspend_after(mut self, probes: impl Into<Option<NonZeroU32>>) -> Self {
        self.suspend_after_probes = probes.into();
        self
    }

    /// Sets how long an endpoint may stay suspended before it is disabled; `None` for forever.
    /// Rounded up to whole milliseconds, and at least one.
    #[must_use]
    pub fn with_disable_after(mut self, suspension: impl Into<Option<Duration>>) -> Self {
        self.disable_after_ms = suspension.into().map(|time| millis_up(time).max(1));
        self
    }

    /// Sets what happens to new messages while an endpoint is suspended.
    #[must_use]
    pub const fn with_new_messages(mut self, new: NewMessages) -> Self {
        self.new_messages = new;
        self
    }

    /// Sets what happens to pending deliveries when an endpoint is disabled.
    #[must_use]
    pub const fn with_pending_on_disable(mut self, pending: PendingOnDisable) -> Self {
        self.pending_on_disable = pending;
        self
    }

    /// Returns the number of faults that degrade an endpoint.
    #[must_use]
    pub const fn failures(&self) -> Option<NonZeroU8> {
        self.failures
    }

    /// Returns how long a fault counts.
    #[must_use]
    pub fn failure_window(&self) -> Option<Duration> {
        self.failure_window_ms.map(Duration::from_millis)
    }

    /// Returns how long overloads may last before they degrade an endpoint.
    #[must_use]
    pub fn overload_limit(&self) -> Option<Duration> {
        self.overload_limit_ms.map(Duration::from_millis)
    }

    /// Returns the wait before the next probe after `failed` probes in a row have failed.
    #[must_use]
    pub fn probe_wait(&self, failed: u32) -> Duration {
        let index = usize::try_from(failed).unwrap_or(usize::MAX);
        let wait = self.probes_ms.get(index).or(self.probes_ms.last());
        // The schedule is never empty.
        Duration::from_millis(wait.copied().unwrap_or(DAY))
    }

    /// Returns the waits before the probes, the last of which repeats.
    pub fn probes(&self) -> impl ExactSizeIterator<Item = Duration> {
        self.probes_ms.iter().copied().map(Duration::from_millis)
    }

    /// Returns the number of probes in a row that must fail to suspend an endpoint.
    #[must_use]
    pub const fn suspend_after(&self) -> Option<NonZeroU32> {
        self.suspend_after_probes
    }

    /// Returns how long an endpoint may stay suspended before it is disabled.
    #[must_use]
    pub fn disable_after(&self) -> Option<Duration> {
        self.disable_after_ms.map(Duration::from_millis)
    }

    /// Returns what happens to new messages while an endpoint is suspended.
    #[must_use]
    pub const fn new_messages(&self) -> NewMessages {
        self.new_messages
    }

    /// Returns what happens to pending deliveries when an endpoint is disabled.
    #[must_use]
    pub const fn pending_on_disable(&self) -> PendingOnDisable {
        self.pending_on_disable
    }

    /// Returns the longest time from the fault that degrades an endpoint until it is disabled, if
    /// every attempt fails within `attempt_timeout`; `None` if it is never disabled.
    ///
    /// This assumes that each probe starts when it is due and that no sender outage is suspected.
    /// Anything that delays a probe, such as a pause requested by the receiver, adds to it. The
    /// result saturates.
    #[must_use]
    pub fn time_to_disable(&self, attempt_timeout: Duration) -> Option<Duration> {
        self.failures?;
        let (suspend, disable) = (self.suspend_after()?.get(), self.disable_after()?);
        let mut sum = disable.saturating_add(attempt_timeout);
        let listed = u32::try_from(self.probes_ms.len()).unwrap_or(u32::MAX);
        for failed in 0..suspend.min(listed) {
            sum = sum.saturating_add(self.probe_wait(failed));
        }
        let repeated = suspend.saturating_sub(listed);
        sum = sum.saturating_add(self.probe_wait(u32::MAX).saturating_mul(repeated));
        Some(sum.saturating_add(attempt_timeout.saturating_mul(suspend)))
    }

    pub(super) fn in_window(&self, at: Timestamp, now: Timestamp) -> bool {
        self.failure_window().is_none_or(|window| now.saturating_since(at) <= window)
    }
}

/// [`HealthPolicy::new`].
impl Default for HealthPolicy {
    fn default() -> Self {
        Self::new()
    }
}
