//! Retry policy: [`RetryPolicy`].

use std::num::NonZeroU32;
use std::time::Duration;

use super::guarantee::DeliveryGuarantee;
use super::jitter::Jitter;
use super::jitter_seed::JitterSeed;
use super::outcome::{Control, Outcome};
use super::response_rules::{ResponseAction, ResponseRules};
use super::retry_after::RetryAfter;
use super::schedule::Schedule;
use super::verdict::Verdict;
use crate::policy_file::Presets;
use crate::time::millis_up;

const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600_000;

/// Retry policy: when and how often delivery is attempted, and what responses mean.
///
/// It is plain data that each method of a [`Delivery`](super::Delivery) borrows. It may change
/// between two calls, and then applies to what is decided from then on.
///
/// A preset takes from its source what the source publishes. The rest is this crate's choice, and
/// the same for all presets: an attempt timeout of 20 s, a `Retry-After` cap of one hour, the
/// response rules of [`ResponseRules::standard_webhooks`], and
/// [`DeliveryGuarantee::AtLeastOnce`].
///
/// ```
/// use std::time::Duration;
/// use labhook::RetryPolicy;
/// use labhook::delivery::Jitter;
///
/// let policy = RetryPolicy::svix().with_window(Duration::from_secs(86_400));
/// let file = r#"{"preset": "svix", "window_ms": 86400000}"#;
/// assert_eq!(serde_json::from_str::<RetryPolicy>(file)?, policy);
/// assert_eq!(policy.jitter(), &Jitter::plus_minus(20));
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # In a file
///
/// A retry policy is the name of a preset (`standard_webhooks`, `svix`, `strike`, `hook0`,
/// `outpost`, `event_grid`, `shopware`, `none`), or a table whose fields replace those of `preset`
/// (`standard_webhooks` if that is absent): `schedule`, `jitter`, `attempt_timeout_ms`,
/// `window_ms`, `max_attempts`, `retry_after_cap_ms`, `responses` and `guarantee`
/// (`at_least_once`, `at_most_once` or `ask`). `"none"` lifts a window or an attempt limit, and so
/// does `null`, which TOML does not have. Unknown fields and contradictions are errors: see
/// [`RetryPolicyError`](super::RetryPolicyError).
///
/// It is written with all fields and without the preset's name, so that saved policies mean the
/// same in every version. It cannot be written to TOML, which has no null. The format must be
/// self-describing, as JSON, TOML and YAML are.
#[doc(alias("backoff", "exponential backoff", "max retries"))]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RetryPolicy {
    pub(super) schedule: Schedule,
    pub(super) jitter: Jitter,
    /// Never zero.
    pub(super) attempt_timeout_ms: u64,
    /// Never zero.
    pub(super) window_ms: Option<u64>,
    pub(super) max_attempts: Option<NonZeroU32>,
    pub(super) retry_after_cap_ms: u64,
    pub(super) responses: ResponseRules,
    pub(super) guarantee: DeliveryGuarantee,
}

/// What an outcome means under a policy.
pub(super) enum Classification {
    Final(Verdict),
    Retry { min_wait: Duration },
}

impl RetryPolicy {
    /// Creates a policy with this schedule, and this crate's choices for the rest: no jitter, no
    /// window, no attempt limit, and at-least-once delivery.
    #[must_use]
    pub fn new(schedule: Schedule) -> Self {
        Self {
            schedule,
            jitter: Jitter::NONE,
            attempt_timeout_ms: 20 * SECOND,
            window_ms: None,
            max_attempts: None,
            retry_after_cap_ms: HOUR,
            responses: ResponseRules::standard_webhooks(),
            guarantee: DeliveryGuarantee::AtLeastOnce,
        }
    }

    /// Standard Webhooks: [`Schedule::STANDARD_WEBHOOKS`], 75:35:05. The specification recommends
    /// a timeout of 15 to 30 s; 20 s is this crate's choice within that.
    #[must_use]
    pub fn standard_webhooks() -> Self {
        Self::new(Schedule::STANDARD_WEBHOOKS)
    }

    /// Svix, and so Segments.ai: [`Schedule::SVIX`], 27:35:05, plus or minus 20 percent; a
    /// timeout of 15 s.
    #[must_use]
    pub fn svix() -> Self {
        Self::new(Schedule::SVIX)
            .with_jitter(Jitter::plus_minus(20))
            .with_attempt_timeout(Duration::from_secs(15))
            .with_responses(ResponseRules::svix())
    }

    /// Strike: [`Schedule::STRIKE`], 797 160 s; a timeout of 5 s; 410 and 501 end the
    /// delivery.
    #[must_use]
    pub fn strike() -> Self {
        Self::new(Schedule::STRIKE)
            .with_attempt_timeout(Duration::from_secs(5))
            .with_responses(ResponseRules::strike())
    }

    /// hook0: [`Schedule::HOOK0`], 7 days 11:33:13, plus up to 10 percent of each delay, that bound
    /// clamped to 2 s and 15 min.
    #[must_use]
    pub fn hook0() -> Self {
        Self::new(Schedule::HOOK0).with_jitter(Jitter::added(
            10,
            Duration::from_secs(2),
            Duration::from_secs(900),
        ))
    }

    /// Hookdeck's Outpost: [`Schedule::OUTPOST`], 8:31:30.
    #[must_use]
    pub fn outpost() -> Self {
        Self::new(Schedule::OUTPOST)
    }

    /// Azure Event Grid: [`Schedule::EVENT_GRID`] for up to 24 hours or 30 attempts; a timeout of
    /// 30 s. Details of its "small randomization" are not published, so there is no jitter.
    #[must_use]
    pub fn event_grid() -> Self {
        Self {
            attempt_timeout_ms: 30 * SECOND,
            window_ms: Some(24 * HOUR),
            max_attempts: NonZeroU32::new(30),
            responses: ResponseRules::event_grid(),
            ..Self::new(Schedule::EVENT_GRID)
        }
    }

    /// Shopware: [`Schedule::SHOPWARE`], 4:35:35; most client errors are rejected.
    #[must_use]
    pub fn shopware() -> Self {
        Self::new(Schedule::SHOPWARE).with_responses(ResponseRules::shopware())
    }

    /// A single attempt, as GitHub makes it, with its timeout of 10 s.
    #[must_use]
    pub fn none() -> Self {
        Self::new(Schedule::NONE).with_attempt_timeout(Duration::from_secs(10))
    }

    /// Returns the preset with this name, which is the name of its constructor.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::PRESETS.get(name)
    }

    pub(super) const PRESETS: Presets<Self> = Presets(&[
        ("standard_webhooks", Self::standard_webhooks),
        ("svix", Self::svix),
        ("strike", Self::strike),
        ("hook0", Self::hook0),
        ("outpost", Self::outpost),
        ("event_grid", Self::event_grid),
        ("shopware", Self::shopware),
        ("none", Self::none),
    ]);

    /// Sets the schedule.
    #[must_use]
    pub fn with_schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// Sets the jitter.
    #[must_use]
    pub fn with_jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// Sets the timeout of each attempt: at least 1 ms, rounded up to whole milliseconds.
    #[must_use]
    pub fn with_attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout_ms = millis_up(timeout).max(1);
        self
    }

    /// Sets the retry window: how long after the message's acceptance, or its latest replay,
    /// retries may start; `None` for no limit. At least 1 ms, rounded up to whole milliseconds.
    ///
    /// The first attempt is not bound by it, so neither a clock that is wrong at boot nor a long
    /// outage expires what was never tried. To limit that too, use the message's
    /// [lifetime](super::Delivery::with_expires_at).
    #[must_use]
    pub fn with_window(mut self, window: impl Into<Option<Duration>>) -> Self {
        self.window_ms = window.into().map(|window| millis_up(window).max(1));
        self
    }

    /// Sets the maximum number of attempts, including the first; `None` for no limit. A replay
    /// restarts the count.
    #[must_use]
    pub fn with_max_attempts(mut self, attempts: impl Into<Option<NonZeroU32>>) -> Self {
        self.max_attempts = attempts.into();
        self
    }

    /// Sets the longest delay that `Retry-After` can impose; zero ignores the header. Rounded up to
    /// whole milliseconds.
    #[must_use]
    pub fn with_retry_after_cap(mut self, cap: Duration) -> Self {
        self.retry_after_cap_ms = millis_up(cap);
        self
    }

    /// Sets the response rules.
    #[must_use]
    pub fn with_responses(mut self, responses: ResponseRules) -> Self {
        self.responses = responses;
        self
    }

    /// Sets the delivery guarantee, which decides what follows an attempt without a response.
    #[must_use]
    pub fn with_guarantee(mut self, guarantee: DeliveryGuarantee) -> Self {
        self.guarantee = guarantee;
        self
    }

    /// Returns the schedule.
    #[must_use]
    pub const fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// Returns the jitter.
    #[must_use]
    pub const fn jitter(&self) -> &Jitter {
        &self.jitter
    }

    /// Returns the timeout of each attempt.
    #[must_use]
    pub const fn attempt_timeout(&self) -> Duration {
        Duration::from_millis(self.attempt_timeout_ms)
    }

    /// Returns the retry window, which counts from the message's acceptance or its latest replay.
    #[must_use]
    pub fn window(&self) -> Option<Duration> {
        self.window_ms.map(Duration::from_millis)
    }

    /// Returns the maximum number of attempts, including the first; the schedule may end earlier.
    #[must_use]
    pub const fn max_attempts(&self) -> Option<NonZeroU32> {
        self.max_attempts
    }

    /// Returns the longest delay that `Retry-After` can impose.
    #[must_use]
    pub const fn retry_after_cap(&self) -> Duration {
        Duration::from_millis(self.retry_after_cap_ms)
    }

    /// Returns the response rules.
    #[must_use]
    pub const fn responses(&self) -> &ResponseRules {
        &self.responses
    }

    /// Returns the delivery guarantee.
    #[must_use]
    pub const fn guarantee(&self) -> DeliveryGuarantee {
        self.guarantee
    }

    /// Returns the longest time from the start of the first attempt to the deadline of the last, if
    /// each attempt starts when it is due.
    ///
    /// It is the sum of all attempt timeouts and all waits, each wait counting as the longest delay
    /// that the jitter can yield or as the `Retry-After` cap, whichever is longer. With a window,
    /// it is at most the window plus one attempt timeout. It saturates, and is [`Duration::MAX`] if
    /// nothing ends the retries.
    ///
    /// A receiver that remembers message ids (idempotency keys) this long recognises every
    /// duplicate, unless the delivery is replayed, or resent when in doubt.
    #[must_use]
    pub fn span(&self) -> Duration {
        self.span_with(self.retry_after_cap(), self.window())
    }

    /// The [`span`](Self::span) if no wait is shorter than `shortest_wait`, within `window`.
    pub(crate) fn span_with(&self, shortest_wait: Duration, window: Option<Duration>) -> Duration {
        let timeout = self.attempt_timeout();
        let whole = self.retries().map_or(Duration::MAX, |retries| {
            self.schedule
                .sum_by(retries, |delay| self.jitter.longest(delay).max(shortest_wait))
                .saturating_add(timeout.saturating_mul(retries))
                .saturating_add(timeout)
        });
        match window {
            Some(window) => whole.min(window.saturating_add(timeout)),
            None => whole,
        }
    }

    /// Returns the number of retries that the schedule and the attempt limit allow; `None` if
    /// they are unlimited. A window may end them before.
    #[must_use]
    pub fn retries(&self) -> Option<u32> {
        let limit = self.max_attempts.map(|most| most.get().saturating_sub(1));
        match (self.schedule.retries(), limit) {
            (Some(retries), Some(limit)) => Some(retries.min(limit)),
            (retries, limit) => retries.or(limit),
        }
    }

    pub(super) fn classify(&self, outcome: &Outcome) -> Classification {
        let Outcome::Response(response) = outcome else {
            return Classification::Retry { min_wait: Duration::ZERO };
        };
        let action = self.responses.action(response.status());
        match (action, response.control(), response.retry_after()) {
            (ResponseAction::Deliver, _, _) => Classification::Final(Verdict::Delivered),
            (ResponseAction::Disable, _, _) | (_, Some(Control::Disable), _) => {
                Classification::Final(Verdict::Gone)
            }
            (ResponseAction::Fail, _, _) => Classification::Final(Verdict::Rejected),
            (ResponseAction::Retry, Some(Control::AbortMessage), _)
            | (ResponseAction::Retry, _, Some(RetryAfter::Stop)) => {
                Classification::Final(Verdict::Stopped)
            }
            (ResponseAction::Retry, None, Some(RetryAfter::Wait(min_wait))) => {
                Classification::Retry { min_wait }
            }
            (ResponseAction::Retry, None, None) => {
                Classification::Retry { min_wait: Duration::ZERO }
            }
        }
    }

    /// Returns the scheduled delay after failed attempt `number`, the `tries`th since the schedule
    /// started; `None` if no other attempt is permitted.
    fn delay(&self, number: u32, tries: u32) -> Option<Duration> {
        let limit = self.max_attempts.map_or(u32::MAX, NonZeroU32::get);
        // Without a number left for the next attempt, there is none.
        self.schedule.delay(tries).filter(|_| tries < limit && number < u32::MAX)
    }

    /// Returns whether an attempt may follow attempt `number`, the `tries`th since the schedule
    /// started.
    pub(super) fn permits(&self, number: u32, tries: u32) -> bool {
        let first = tries == 0 && number < u32::MAX;
        first || self.delay(number, tries).is_some()
    }

    /// Returns the longest wait that [`retry_wait`](Self::retry_wait) can return after the
    /// `tries`th attempt since the schedule started; the `Retry-After` cap if there is no retry.
    pub(super) fn longest_wait(&self, tries: u32) -> Duration {
        let delay = self.schedule.delay(tries).map(|delay| self.jitter.longest(delay));
        delay.unwrap_or_default().max(self.retry_after_cap())
    }

    /// Returns how long to wait after attempt `failed`, at least `min_wait` up to the cap; `None`
    /// if it was the last. The schedule started after attempt `start`.
    pub(super) fn retry_wait(
        &self,
        seed: JitterSeed<'_>,
        failed: u32,
        start: u32,
        min_wait: Duration,
    ) -> Option<Duration> {
        let delay = self.delay(failed, failed.saturating_sub(start))?;
        let delay = self.jitter.apply_since(start, delay, failed, seed);
        Some(delay.max(min_wait.min(self.retry_after_cap())))
    }
}

/// [`RetryPolicy::standard_webhooks`].
impl Default for RetryPolicy {
    fn default() -> Self {
        Self::standard_webhooks()
    }
}
