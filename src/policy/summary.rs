//! The bounds that a policy sets: [`PolicySummary`].

use std::time::Duration;

use super::endpoint_policy::EndpointPolicy;
use super::reach::Reach;
#[cfg(doc)]
use crate::delivery::RetryPolicy;
#[cfg(doc)]
use crate::health::HealthPolicy;

impl EndpointPolicy {
    /// The bounds that they set.
    #[must_use]
    pub fn summary(&self) -> PolicySummary {
        let reach = Reach(&self.retry);
        let attempts = reach.retries().map(|retries| retries.saturating_add(1));
        // A delay that is shortened may let one more in before the window ends.
        let window = self.retry.window().filter(|_| !reach.has_jitter());
        let fit = window.map(|window| reach.within(window).saturating_add(1));
        PolicySummary {
            span: Some(self.retry.span()).filter(|span| *span != Duration::MAX),
            attempts: attempts.into_iter().chain(fit).min(),
            time_to_disable: self.health.time_to_disable(self.retry.attempt_timeout()),
        }
    }
}

/// The bounds that an endpoint's policies set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PolicySummary {
    /// The longest time from the start of a delivery's first attempt to the deadline of its last,
    /// as [`RetryPolicy::span`] has it; `None` where nothing ends the retries.
    pub span: Option<Duration>,
    /// How many attempts a delivery gets at the most; `None` where they have no end, or only a
    /// window ends them and jitter may shorten the delays.
    pub attempts: Option<u32>,
    /// How long a failing endpoint takes to be disabled at the longest, as
    /// [`HealthPolicy::time_to_disable`] has it; `None` where it never is.
    ///
    /// It takes no longer where each probe goes when it is due. A receiver that asks for pauses
    /// with `Retry-After` puts each of them off, by up to the [cap](RetryPolicy::retry_after_cap) of
    /// its retries. So may a full window, a rate, a pace and an operator's pause, and a time in which no
    /// message is due that could go as the probe.
    pub time_to_disable: Option<Duration>,
}
