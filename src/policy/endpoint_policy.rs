//! All policies of one endpoint: [`EndpointPolicy`].

use serde::{Deserialize, Serialize};

use crate::delivery::RetryPolicy;
use crate::flow::FlowPolicy;
use crate::health::HealthPolicy;
use crate::policy::order::Order;

/// All policies of one endpoint, which only together say what becomes of a message.
///
/// ```
/// use std::time::Duration;
/// use labhook::{EndpointPolicy, RetryPolicy};
/// use labhook::policy::lint::Assumptions;
///
/// let policies = EndpointPolicy::new(RetryPolicy::svix().with_window(Duration::from_secs(3_600)));
/// let warnings = policies.lint(&Assumptions::new());
/// assert_eq!(warnings[0].to_string(), "the window of 1 h leaves 3 of 7 retries");
///
/// let file = r#"{"retry": {"preset": "svix", "window_ms": 3600000}}"#;
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
    pub retry: RetryPolicy,
    /// When the endpoint counts as failing, and what is done then.
    pub health: HealthPolicy,
    /// How fast it may be sent to.
    pub flow: FlowPolicy,
    /// Which messages come one after the other.
    pub order: Order,
}

impl EndpointPolicy {
    /// This policy, and for the rest those of a new [`Endpoint`](crate::Endpoint).
    #[must_use]
    pub fn new(retry: RetryPolicy) -> Self {
        Self { retry, ..Self::default() }
    }

    /// Sets the retry policy.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
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
}
