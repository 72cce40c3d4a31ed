//! Bounds that a policy sets: [`PolicySummary`].

use std::time::Duration;

use super::endpoint_policy::EndpointPolicy;
use super::reach::retries_within;
use crate::delivery::Jitter;
#[cfg(doc)]
use crate::delivery::RetryPolicy;
#[cfg(doc)]
use crate::health::HealthPolicy;

impl EndpointPolicy {
    /// Returns the bounds that this policy sets on a delivery and on an outage.
    #[must_use]
    pub fn summary(&self) -> PolicySummary {
        let attempts = self.retry.retries().map(|retries| retries.saturating_add(1));
        // Jitter can shorten the delays, so that one more attempt fits before the window ends.
        let window = self.retry.window().filter(|_| *self.retry.jitter() == Jitter::NONE);
        let fit = window.map(|window| retries_within(&self.retry, window).saturating_add(1));
        PolicySummary {
            span: Some(self.retry.span()).filter(|span| *span != Duration::MAX),
            attempts: attempts.into_iter().chain(fit).min(),
            time_to_disable: self.health.time_to_disable(self.retry.attempt_timeout()),
        }
    }
}

/// Bounds that an [`EndpointPolicy`] sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PolicySummary {
    /// The longest time from the start of a delivery's first attempt to the deadline of its last:
    /// [`RetryPolicy::span`]. `None` if the retries never end.
    pub span: Option<Duration>,
    /// The most attempts that one delivery gets. `None` if they never end, or if only a window
    /// ends them and jitter may shorten the delays.
    pub attempts: Option<u32>,
    /// The longest time until a failing endpoint is disabled: [`HealthPolicy::time_to_disable`].
    /// `None` if it never is.
    ///
    /// The bound holds if each probe starts when it is due. A receiver that sends `Retry-After`
    /// delays every probe, by up to the [cap](RetryPolicy::retry_after_cap) of its retry policy. So
    /// do a full concurrency limit, a rate limit, a learned rate, an operator's pause, and times
    /// when no message is due to serve as the probe.
    pub time_to_disable: Option<Duration>,
}
