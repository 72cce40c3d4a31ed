//! All policies of one endpoint: [`EndpointPolicy`], and their [`PolicySummary`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::load::Assumptions;
use super::reach::Reach;
use super::warning::Finding;
use super::{bounds, caps};
use crate::delivery::RetryPolicy;
use crate::endpoint::Endpoint;
use crate::flow::FlowPolicy;
use crate::health::HealthPolicy;
use crate::order::Order;

/// All policies of one endpoint, which only together say what becomes of a message.
///
/// ```
/// use std::time::Duration;
/// use labhook::RetryPolicy;
/// use labhook::simulate::{Assumptions, EndpointPolicy};
///
/// let policies = EndpointPolicy::new(RetryPolicy::svix().with_window(Duration::from_secs(3_600)));
/// let warnings = policies.lint(&Assumptions::new());
/// assert_eq!(warnings[0].to_string(), "the window of 1 h leaves 3 of 7 retries");
///
/// let file = r#"{"delivery": {"preset": "svix", "window_ms": 3600000}}"#;
/// assert_eq!(serde_json::from_str::<EndpointPolicy>(file)?, policies);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// In a file each member may be absent; other members are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct EndpointPolicy {
    /// How long and how often to try.
    pub delivery: RetryPolicy,
    /// When the endpoint counts as failing, and what is done then.
    pub health: HealthPolicy,
    /// How fast it may be sent to.
    pub flow: FlowPolicy,
    /// Which messages come one after the other.
    pub order: Order,
}

impl EndpointPolicy {
    /// This policy, and for the rest those of a new [`Endpoint`].
    #[must_use]
    pub fn new(delivery: RetryPolicy) -> Self {
        Self { delivery, ..Self::default() }
    }

    /// Those of an endpoint.
    #[must_use]
    pub fn of(endpoint: &Endpoint) -> Self {
        Self {
            delivery: endpoint.policy.clone(),
            health: endpoint.health.clone(),
            flow: endpoint.flow,
            order: endpoint.order,
        }
    }

    /// With this health policy.
    #[must_use]
    pub fn with_health(mut self, health: HealthPolicy) -> Self {
        self.health = health;
        self
    }

    /// With this flow policy.
    #[must_use]
    pub const fn with_flow(mut self, flow: FlowPolicy) -> Self {
        self.flow = flow;
        self
    }

    /// With this order.
    #[must_use]
    pub const fn with_order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// What about them is probably not meant, the weightiest first. The variants of [`Finding`] say
    /// why each of them matters.
    ///
    /// Nothing is run: what a policy does to a receiver over time is a
    /// [`Scenario`](super::Scenario)'s to say.
    #[must_use]
    pub fn lint(&self, expected: &Assumptions) -> Vec<Finding> {
        let mut found = Vec::new();
        caps::responses(self, &mut found);
        caps::schedule(self, &mut found);
        caps::retry_after(self, &mut found);
        bounds::health(self, &mut found);
        bounds::endless(self, &mut found);
        bounds::order(self, &mut found);
        bounds::timeout(self, expected, &mut found);
        bounds::load(self, expected, &mut found);
        found.sort_by_key(|warning| std::cmp::Reverse(warning.severity()));
        found
    }

    /// The bounds that they set.
    #[must_use]
    pub fn summary(&self) -> PolicySummary {
        let reach = Reach(&self.delivery);
        let attempts = reach.retries().map(|retries| retries.saturating_add(1));
        // A delay that is shortened may let one more in before the window ends.
        let window = self.delivery.window().filter(|_| !reach.has_jitter());
        let fit = window.map(|window| reach.within(window).saturating_add(1));
        PolicySummary {
            span: Some(self.delivery.span()).filter(|span| *span != Duration::MAX),
            attempts: attempts.into_iter().chain(fit).min(),
            time_to_disable: self.health.time_to_disable(),
        }
    }

    /// Whether a message waits for others, and whether for all of them.
    pub(super) fn line(&self) -> Option<bool> {
        let keys = crate::keys::Keys::new();
        let strict = self.order.line(&keys).is_some();
        (strict || self.order.line(&keys.with_ordering("key")).is_some()).then_some(strict)
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
    /// with `Retry-After` puts each of them off, by up to the [cap](FlowPolicy::hold_cap) of its
    /// flow. So may a full window, a rate, a pace and an operator's pause, and a time in which no
    /// message is due that could go as the probe.
    pub time_to_disable: Option<Duration>,
}
