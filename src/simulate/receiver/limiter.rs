//! Limiter of a receiver: [`Limiter`].

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use http::StatusCode;

use super::behaviour::retry_after;
use super::steps::Steps;
use super::usage::Usage;
use crate::delivery::Outcome;
use crate::time::micros;

/// Limiter: refuses requests beyond a number per time.
///
/// By default the refused requests get a 429 without `Retry-After`, and do not count.
///
/// ```
/// use std::num::NonZeroU32;
/// use std::time::Duration;
/// use labhook::simulate::{Limiter, Receiver};
///
/// let count = |n| NonZeroU32::new(n).unwrap();
/// // 50 a second, but 5 a second for five minutes.
/// let limiter = Limiter::sliding_window(count(50), Duration::from_secs(1))
///     .add_step(Duration::from_secs(600), count(5))
///     .add_step(Duration::from_secs(900), count(50));
/// // And at most 1 000 an hour, from one full hour to the next.
/// let hourly = Limiter::fixed_window(count(1_000), Duration::from_secs(3_600)).with_retry_after();
/// let receiver = Receiver::new().add_limiter(limiter).add_limiter(hourly);
/// ```
#[doc(alias = "rate limiter")]
#[doc(alias = "throttling")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limiter {
    kind: Kind,
    limits: Steps<NonZeroU32>,
    window_us: NonZeroU64,
    /// A limit, and the time in which it rises to the usual one.
    slow_start: Option<(NonZeroU32, Duration)>,
    counts_refused: bool,
    outcome: Outcome,
    has_retry_after: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Fixed,
    Sliding,
    Bucket { burst: NonZeroU32 },
}

impl Limiter {
    fn new(kind: Kind, limit: NonZeroU32, window: Duration) -> Self {
        Self {
            kind,
            limits: Steps::new(limit),
            window_us: NonZeroU64::new(micros(window)).unwrap_or(NonZeroU64::MIN),
            slow_start: None,
            counts_refused: false,
            outcome: Outcome::bare(StatusCode::TOO_MANY_REQUESTS),
            has_retry_after: false,
        }
    }

    /// Accepts `limit` requests in each window. The first window begins at the start of the
    /// simulation, and the next one at its end.
    #[must_use]
    pub fn fixed_window(limit: NonZeroU32, window: Duration) -> Self {
        Self::new(Kind::Fixed, limit, window)
    }

    /// Accepts `limit` requests in any period as long as the window.
    #[must_use]
    pub fn sliding_window(limit: NonZeroU32, window: Duration) -> Self {
        Self::new(Kind::Sliding, limit, window)
    }

    /// Accepts a request for each token in a bucket, which is full at the start. It holds `burst`
    /// tokens, and gains `limit` per `per`, evenly.
    #[must_use]
    pub fn token_bucket(limit: NonZeroU32, per: Duration, burst: NonZeroU32) -> Self {
        Self::new(Kind::Bucket { burst }, limit, per)
    }

    /// Changes the limit at this time since the start of the simulation.
    #[must_use]
    pub fn add_step(mut self, at: Duration, limit: NonZeroU32) -> Self {
        self.limits.add(at, limit);
        self
    }

    /// Sets a slow start: after each outage the limit rises evenly from `from` to the usual limit
    /// within `over`.
    #[doc(alias = "warm-up")]
    #[must_use]
    pub const fn with_slow_start(mut self, from: NonZeroU32, over: Duration) -> Self {
        self.slow_start = Some((from, over));
        self
    }

    /// Counts refused requests too, so that a sender that does not slow down is refused for long.
    #[must_use]
    pub const fn counting_refused(mut self) -> Self {
        self.counts_refused = true;
        self
    }

    /// Sets the outcome of refused requests; the default is a 429.
    #[must_use]
    pub fn with_outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// Adds a `Retry-After` to the response: the time until a request would be accepted, if there
    /// is no other before, rounded up to whole seconds.
    #[must_use]
    pub const fn with_retry_after(mut self) -> Self {
        self.has_retry_after = true;
        self
    }

    /// The limit at this time, if the receiver is back since `back_at`.
    fn limit(&self, at: Duration, back_at: Option<Duration>) -> u32 {
        let limit = self.limits.at(at).get();
        let Some(((from, over), back_at)) = self.slow_start.zip(back_at) else { return limit };
        let since = at.saturating_sub(back_at);
        if since >= over {
            return limit;
        }
        let range = u128::from(limit.saturating_sub(from.get()));
        let risen = range.saturating_mul(since.as_micros()).checked_div(over.as_micros());
        let risen = risen.and_then(|risen| u32::try_from(risen).ok()).unwrap_or(0);
        from.get().min(limit).saturating_add(risen)
    }
}

/// A limiter, and what was used of its limit.
#[derive(Clone, Debug)]
pub(in crate::simulate) struct RunningLimiter {
    limiter: Limiter,
    usage: Usage,
}

impl RunningLimiter {
    pub(in crate::simulate) fn new(limiter: Limiter) -> Self {
        let usage = match limiter.kind {
            Kind::Fixed => Usage::fixed(limiter.window_us),
            Kind::Sliding => Usage::sliding(limiter.window_us, limiter.limits.max()),
            Kind::Bucket { burst } => Usage::bucket(limiter.window_us, burst),
        };
        Self { limiter, usage }
    }

    /// Whether a request would be accepted.
    pub(in crate::simulate) fn accepts(&self, at: Duration, back_at: Option<Duration>) -> bool {
        self.usage.has_room(micros(at), self.limiter.limit(at, back_at))
    }

    /// Counts a request that this limiter and all others accept.
    pub(in crate::simulate) fn accept(&mut self, at: Duration, back_at: Option<Duration>) {
        self.usage.count(micros(at), self.limiter.limit(at, back_at));
    }

    /// Counts a request that this limiter or another one refuses, if refused ones count.
    pub(in crate::simulate) fn refuse(&mut self, at: Duration, back_at: Option<Duration>) {
        if self.limiter.counts_refused {
            self.accept(at, back_at);
        }
    }

    /// The outcome of a request that this limiter has refused.
    pub(in crate::simulate) fn refusal(&self, at: Duration, back_at: Option<Duration>) -> Outcome {
        let Limiter { outcome, has_retry_after, .. } = &self.limiter;
        match outcome.status() {
            Some(status) if *has_retry_after => {
                let limit = self.limiter.limit(at, back_at);
                let wait = self.usage.wait(micros(at), limit);
                retry_after(status, Duration::from_micros(wait))
            }
            _ => outcome.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(count: u32) -> NonZeroU32 {
        NonZeroU32::new(count).unwrap()
    }

    #[test]
    fn limit_rises_evenly_after_an_outage() {
        let secs = Duration::from_secs;
        let limiter = Limiter::fixed_window(count(100), secs(1))
            .with_slow_start(count(20), secs(8))
            .add_step(secs(50), count(10));
        let limits =
            [0, 1, 4, 7, 8, 9].map(|since| limiter.limit(secs(10 + since), Some(secs(10))));
        assert_eq!(limits, [20, 30, 60, 90, 100, 100]);
        assert_eq!(limiter.limit(secs(10), None), 100);
        // A step below the slow start's limit.
        assert_eq!(limiter.limit(secs(51), Some(secs(50))), 10);
    }
}
