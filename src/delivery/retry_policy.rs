//! How stubbornly a message is delivered: [`RetryPolicy`].

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
use crate::time::millis_up;

const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600_000;

/// How stubbornly a message is delivered, and what its receiver's answers mean.
///
/// It is plain data that every call of a [`Delivery`](super::Delivery) borrows: it may change
/// between two calls, and then holds for what is decided from then on.
///
/// A preset takes from its source what the source publishes. What it does not publish is this
/// crate's choice, and the same for all: an attempt timeout of 20 s, a `Retry-After` cap of one
/// hour, the responses of [`ResponseRules::standard_webhooks`], and
/// [`DeliveryGuarantee::AtLeastOnce`]: at least once.
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
/// A preset's name (`standard_webhooks`, `svix`, `strike`, `hook0`, `outpost`, `event_grid`,
/// `shopware`, `none`), or a table whose members replace those of `preset` (`standard_webhooks`
/// where that is absent): `schedule`, `jitter`, `attempt_timeout_ms`, `window_ms`, `max_attempts`,
/// `retry_after_cap_ms`, `responses` and `guarantee` (`at_least_once`, `at_most_once` or `ask`).
/// `null` lifts a window or an attempt limit; in TOML, which has no null, leave `preset` away and
/// name the rest. Other members and contradictions are refused: see
/// [`RetryPolicyError`](super::RetryPolicyError). It is written with all members and without the
/// preset's name, so that what was saved means the same in every version; not to TOML, for want of
/// a null. The format has to tell names from tables by itself, as JSON, TOML and YAML do.
#[derive(Clone, Debug, PartialEq, Eq)]
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
pub(super) enum Meaning {
    Ends(Verdict),
    /// Not before this much time.
    Retry(Duration),
}

impl RetryPolicy {
    /// A policy with this schedule, and the crate's choices for all the rest: no jitter, no
    /// window, no attempt limit, and what is in doubt is sent again.
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

    /// Strike: [`Schedule::STRIKE`], 797 160 s; a timeout of 5 s; 410 and 501 stop.
    #[must_use]
    pub fn strike() -> Self {
        Self::new(Schedule::STRIKE)
            .with_attempt_timeout(Duration::from_secs(5))
            .with_responses(ResponseRules::strike())
    }

    /// hook0: [`Schedule::HOOK0`], 7 days 11:33:13, and up to 10 percent more, that bound held
    /// between 2 s and 15 min.
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

    /// Azure Event Grid: [`Schedule::EVENT_GRID`] until 24 hours have passed or 30 attempts were
    /// made; a timeout of 30 s. Its "small randomization" is not published, and left out.
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

    /// Shopware: [`Schedule::SHOPWARE`], 4:35:35; most client errors fail at once.
    #[must_use]
    pub fn shopware() -> Self {
        Self::new(Schedule::SHOPWARE).with_responses(ResponseRules::shopware())
    }

    /// One attempt and no more, as GitHub does it; its timeout of 10 s.
    #[must_use]
    pub fn none() -> Self {
        Self::new(Schedule::NONE).with_attempt_timeout(Duration::from_secs(10))
    }

    /// The preset of this name: that of its function.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "standard_webhooks" => Self::standard_webhooks(),
            "svix" => Self::svix(),
            "strike" => Self::strike(),
            "hook0" => Self::hook0(),
            "outpost" => Self::outpost(),
            "event_grid" => Self::event_grid(),
            "shopware" => Self::shopware(),
            "none" => Self::none(),
            _ => return None,
        })
    }

    /// With this schedule.
    #[must_use]
    pub fn with_schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// With this jitter.
    #[must_use]
    pub fn with_jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// With this long for each attempt: at least a millisecond, rounded up to whole ones.
    #[must_use]
    pub fn with_attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout_ms = millis_up(timeout).max(1);
        self
    }

    /// With this long, from the message's acceptance or its last replay, in which attempts may be
    /// made; `None` for no such limit. At least a millisecond, rounded up to whole ones.
    #[must_use]
    pub fn with_window(mut self, window: impl Into<Option<Duration>>) -> Self {
        self.window_ms = window.into().map(|window| millis_up(window).max(1));
        self
    }

    /// With at most this many attempts, the first included; `None` for no such limit. After a
    /// replay they are counted anew.
    #[must_use]
    pub fn with_max_attempts(mut self, attempts: impl Into<Option<NonZeroU32>>) -> Self {
        self.max_attempts = attempts.into();
        self
    }

    /// With at most this much heed to `Retry-After`: an attempt comes no earlier than the response
    /// asked, unless it asked for more than this. Zero takes no heed. Rounded up to whole
    /// milliseconds.
    #[must_use]
    pub fn with_retry_after_cap(mut self, cap: Duration) -> Self {
        self.retry_after_cap_ms = millis_up(cap);
        self
    }

    /// With this response table.
    #[must_use]
    pub fn with_responses(mut self, responses: ResponseRules) -> Self {
        self.responses = responses;
        self
    }

    /// With this to happen once an attempt has ended without an answer.
    #[must_use]
    pub fn with_guarantee(mut self, guarantee: DeliveryGuarantee) -> Self {
        self.guarantee = guarantee;
        self
    }

    /// The delays between attempts.
    #[must_use]
    pub const fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// How the delays are spread.
    #[must_use]
    pub const fn jitter(&self) -> &Jitter {
        &self.jitter
    }

    /// How long an attempt may take.
    #[must_use]
    pub const fn attempt_timeout(&self) -> Duration {
        Duration::from_millis(self.attempt_timeout_ms)
    }

    /// How long after the message's acceptance, or its last replay, attempts may be made.
    #[must_use]
    pub fn window(&self) -> Option<Duration> {
        self.window_ms.map(Duration::from_millis)
    }

    /// How many attempts may be made, the first included; the schedule may end before.
    #[must_use]
    pub const fn max_attempts(&self) -> Option<NonZeroU32> {
        self.max_attempts
    }

    /// How far `Retry-After` is heeded.
    #[must_use]
    pub const fn retry_after_cap(&self) -> Duration {
        Duration::from_millis(self.retry_after_cap_ms)
    }

    /// What the responses mean.
    #[must_use]
    pub const fn responses(&self) -> &ResponseRules {
        &self.responses
    }

    /// What happens once an attempt has ended without an answer.
    #[must_use]
    pub const fn guarantee(&self) -> DeliveryGuarantee {
        self.guarantee
    }

    /// The longest time from the start of the first attempt to the deadline of the last, for a
    /// host that starts each attempt when it is due.
    ///
    /// It is the sum of all attempts' timeouts and all waits, each of which counts as the longest
    /// delay that the jitter can make of it, or as the `Retry-After` cap where that is longer;
    /// where there is a window, it is at most the window and one attempt's timeout. It saturates,
    /// and is [`Duration::MAX`] where nothing ends the retries. A receiver that remembers message
    /// ids for this long recognises every copy, unless the host replays the delivery or sends it
    /// again out of doubt.
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

    pub(super) fn meaning(&self, outcome: &Outcome) -> Meaning {
        let Outcome::Response(response) = outcome else {
            return Meaning::Retry(Duration::ZERO);
        };
        let reaction = self.responses.action(response.status());
        match (reaction, response.control(), response.retry_after()) {
            (ResponseAction::Deliver, _, _) => Meaning::Ends(Verdict::Delivered),
            (ResponseAction::Disable, _, _) | (_, Some(Control::Disable), _) => {
                Meaning::Ends(Verdict::Gone)
            }
            (ResponseAction::Fail, _, _) => Meaning::Ends(Verdict::Rejected),
            (ResponseAction::Retry, Some(Control::AbortMessage), _)
            | (ResponseAction::Retry, _, Some(RetryAfter::Stop)) => Meaning::Ends(Verdict::Stopped),
            (ResponseAction::Retry, None, Some(RetryAfter::Wait(asked))) => Meaning::Retry(asked),
            (ResponseAction::Retry, None, None) => Meaning::Retry(Duration::ZERO),
        }
    }

    /// The schedule's delay after the attempt that failed, of this number and the `tries`th since
    /// the schedule started; `None` where no other attempt is permitted.
    fn delay(&self, number: u32, tries: u32) -> Option<Duration> {
        let limit = self.max_attempts.map_or(u32::MAX, NonZeroU32::get);
        // An attempt has to have a number, so the numbers' end is the attempts' end too.
        self.schedule.delay(tries).filter(|_| tries < limit && number < u32::MAX)
    }

    /// Whether an attempt may follow that of this number, the `tries`th since the schedule
    /// started.
    pub(super) fn permits(&self, number: u32, tries: u32) -> bool {
        let first = tries == 0 && number < u32::MAX;
        first || self.delay(number, tries).is_some()
    }

    /// How long to wait after attempt `failed`, whose answer asked for a wait of `asked`; `None`
    /// where it was the last. The schedule started after attempt `start`.
    pub(super) fn retry_wait(
        &self,
        dice: JitterSeed<'_>,
        failed: u32,
        start: u32,
        asked: Duration,
    ) -> Option<Duration> {
        let delay = self.delay(failed, failed.saturating_sub(start))?;
        let delay = self.jitter.apply_since(start, delay, failed, dice);
        Some(delay.max(asked.min(self.retry_after_cap())))
    }
}

/// [`RetryPolicy::standard_webhooks`].
impl Default for RetryPolicy {
    fn default() -> Self {
        Self::standard_webhooks()
    }
}
