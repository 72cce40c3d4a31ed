//! When an endpoint counts as failing, and what is done then: [`HealthPolicy`].

use std::borrow::Cow;
use std::num::{NonZeroU8, NonZeroU32};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::{Timestamp, millis_up};

const MINUTE: u64 = 60_000;
const DAY: u64 = 86_400_000;

const PROBES: &[u64] = &[300_000, 600_000, 1_200_000, 2_400_000, 3_600_000, 14_400_000];

/// When an endpoint counts as failing, and what is done then.
///
/// It is plain data that every call of a [`Health`](super::Health) borrows: it may change between
/// two calls, and then holds for what is decided from then on.
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
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # In a file
///
/// | member | meaning | default |
/// |---|---|---|
/// | `failures` | so many faults without a success degrade, 1 to 255; `null`: never | 5 |
/// | `failure_window_ms` | faults that are older do not count; `null`: all count | a day |
/// | `overload_limit_ms` | overloads without a success degrade then; `null`: never | 5 min |
/// | `probes_ms` | the ladder: the waits before the probes, the last of which recurs | see below |
/// | `probe_timeout_ms` | how long a probe may take | 30 s |
/// | `suspend_after_probes` | so many failed probes suspend; `null`: never | 6 |
/// | `disable_after_ms` | so long a suspension disables; `null`: never | 7 days |
/// | `new_messages` | while suspended: `hold` or `shed` | `hold` |
/// | `waiting` | what waits at disabling: `cancel` or `keep` | `cancel` |
///
/// The ladder is 5, 10, 20 and 40 minutes, 1 hour and 4 hours. Each member may be absent; other
/// members and contradictions are refused: see [`HealthPolicyError`](super::HealthPolicyError). In
/// TOML, which has no null, a number that is never reached does the same. It is written with all
/// members, so that what was saved means the same in every version; not to TOML, where one is null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthPolicy {
    pub(super) failures: Option<NonZeroU8>,
    /// Never zero.
    pub(super) failure_window_ms: Option<u64>,
    pub(super) overload_limit_ms: Option<u64>,
    /// Never empty, and none is zero.
    pub(super) probes_ms: Cow<'static, [u64]>,
    /// Never zero.
    pub(super) probe_timeout_ms: u64,
    pub(super) suspend_after_probes: Option<NonZeroU32>,
    /// Never zero.
    pub(super) disable_after_ms: Option<u64>,
    pub(super) new_messages: NewMessages,
    pub(super) waiting: PendingOnDisable,
}

/// What becomes of new messages while an endpoint is suspended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum NewMessages {
    /// They wait with the others.
    #[default]
    Hold,
    /// They are not for this endpoint, save the one that a due probe needs.
    Shed,
}

/// What becomes of the messages that wait for an endpoint when it is disabled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum PendingOnDisable {
    /// Their deliveries end as cancelled.
    #[default]
    Cancel,
    /// They wait on, and go where the endpoint is enabled in time.
    Keep,
}

impl HealthPolicy {
    /// The same as the default.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            failures: NonZeroU8::new(5),
            failure_window_ms: Some(DAY),
            overload_limit_ms: Some(5 * MINUTE),
            probes_ms: Cow::Borrowed(PROBES),
            probe_timeout_ms: MINUTE / 2,
            suspend_after_probes: NonZeroU32::new(6),
            disable_after_ms: Some(7 * DAY),
            new_messages: NewMessages::Hold,
            waiting: PendingOnDisable::Cancel,
        }
    }

    /// No failure degrades, so that each delivery keeps to its own schedule. The receiver and an
    /// operator may still disable the endpoint.
    #[must_use]
    pub fn never() -> Self {
        Self { failures: None, ..Self::new() }
    }

    /// With so many faults, none of them older than the [window](Self::failure_window) and no
    /// success between them, for an endpoint to be degraded; `None` for never.
    #[must_use]
    pub fn with_failures(mut self, failures: impl Into<Option<NonZeroU8>>) -> Self {
        self.failures = failures.into();
        self
    }

    /// With this long for a fault to count; `None` for all to count, however old. At least a
    /// millisecond, rounded up to whole ones.
    #[must_use]
    pub fn with_failure_window(mut self, window: impl Into<Option<Duration>>) -> Self {
        self.failure_window_ms = window.into().map(|window| millis_up(window).max(1));
        self
    }

    /// With this long for overloads to last, as many as [`failures`](Self::failures) and no
    /// success between them, for an endpoint to be degraded; `None` for never. Zero makes them
    /// count as faults do. Rounded up to whole milliseconds.
    #[must_use]
    pub fn with_overload_limit(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.overload_limit_ms = limit.into().map(millis_up);
        self
    }

    /// With these waits before the probes, the last of which recurs. Each is at least a
    /// millisecond, rounded up to whole ones.
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

    /// With this long for a probe; it should be no shorter than the timeout of the attempts. At
    /// least a millisecond, rounded up to whole ones.
    #[must_use]
    pub fn with_probe_timeout(mut self, timeout: Duration) -> Self {
        self.probe_timeout_ms = millis_up(timeout).max(1);
        self
    }

    /// With so many failed probes, and no success between them, for a degraded endpoint to be
    /// suspended; `None` for never, and so never disabled for failing either.
    #[must_use]
    pub fn with_suspend_after(mut self, probes: impl Into<Option<NonZeroU32>>) -> Self {
        self.suspend_after_probes = probes.into();
        self
    }

    /// With so long a suspension for an endpoint to be disabled; `None` for never. At least a
    /// millisecond, rounded up to whole ones.
    #[must_use]
    pub fn with_disable_after(mut self, suspension: impl Into<Option<Duration>>) -> Self {
        self.disable_after_ms = suspension.into().map(|time| millis_up(time).max(1));
        self
    }

    /// With this for new messages while suspended.
    #[must_use]
    pub const fn with_new_messages(mut self, new: NewMessages) -> Self {
        self.new_messages = new;
        self
    }

    /// With this for what waits when the endpoint is disabled.
    #[must_use]
    pub const fn with_pending_on_disable(mut self, waiting: PendingOnDisable) -> Self {
        self.waiting = waiting;
        self
    }

    /// How many faults degrade.
    #[must_use]
    pub const fn failures(&self) -> Option<NonZeroU8> {
        self.failures
    }

    /// How long a fault counts.
    #[must_use]
    pub fn failure_window(&self) -> Option<Duration> {
        self.failure_window_ms.map(Duration::from_millis)
    }

    /// How long overloads last before they degrade.
    #[must_use]
    pub fn overload_limit(&self) -> Option<Duration> {
        self.overload_limit_ms.map(Duration::from_millis)
    }

    /// The wait before the next probe after so many failed ones.
    #[must_use]
    pub fn probe_wait(&self, failed: u32) -> Duration {
        let rung = usize::try_from(failed).unwrap_or(usize::MAX);
        let wait = self.probes_ms.get(rung).or(self.probes_ms.last());
        // The ladder is never empty.
        Duration::from_millis(wait.copied().unwrap_or(DAY))
    }

    /// The waits before the probes, the last of which recurs.
    pub fn probes(&self) -> impl ExactSizeIterator<Item = Duration> {
        self.probes_ms.iter().copied().map(Duration::from_millis)
    }

    /// How long a probe may take.
    #[must_use]
    pub const fn probe_timeout(&self) -> Duration {
        Duration::from_millis(self.probe_timeout_ms)
    }

    /// How many failed probes suspend.
    #[must_use]
    pub const fn suspend_after(&self) -> Option<NonZeroU32> {
        self.suspend_after_probes
    }

    /// How long a suspension disables.
    #[must_use]
    pub fn disable_after(&self) -> Option<Duration> {
        self.disable_after_ms.map(Duration::from_millis)
    }

    /// What becomes of new messages while suspended.
    #[must_use]
    pub const fn new_messages(&self) -> NewMessages {
        self.new_messages
    }

    /// What becomes of what waits when the endpoint is disabled.
    #[must_use]
    pub const fn pending_on_disable(&self) -> PendingOnDisable {
        self.waiting
    }

    /// The longest time from the start of the outage of an endpoint, as the fault that degrades it,
    /// to its disabling, for a host that starts each probe when it is due and a guard that never
    /// holds; `None` where it is never disabled. It saturates. Whatever puts a probe off, such as a
    /// pause that the receiver asked for, comes on top of it.
    #[must_use]
    pub fn time_to_disable(&self) -> Option<Duration> {
        self.failures?;
        let (suspend, disable) = (self.suspend_after()?.get(), self.disable_after()?);
        let mut sum = disable.saturating_add(self.probe_timeout());
        let rungs = u32::try_from(self.probes_ms.len()).unwrap_or(u32::MAX);
        for failed in 0..suspend.min(rungs) {
            sum = sum.saturating_add(self.probe_wait(failed));
        }
        let recurring = suspend.saturating_sub(rungs);
        sum = sum.saturating_add(self.probe_wait(u32::MAX).saturating_mul(recurring));
        Some(sum.saturating_add(self.probe_timeout().saturating_mul(suspend)))
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
