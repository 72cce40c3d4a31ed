//! All policies of one endpoint: [`EndpointPolicy`].

use serde::{Deserialize, Deserializer, Serialize};

use crate::delivery::RetryPolicy;
use crate::flow::FlowPolicy;
use crate::health::HealthPolicy;
use crate::policy::order::Order;
use crate::policy_file;

/// Delivery settings of one endpoint: retries, circuit breaker, flow control and ordering.
///
/// It is plain data: build it in code, or read it from a configuration file.
/// [`Endpoint::with_policy`](crate::Endpoint::with_policy) sets all four at once, and
/// [`lint`](Self::lint) reports settings that contradict each other.
///
/// ```
/// use std::num::NonZeroU32;
/// use std::time::Duration;
///
/// use labhook::flow::RateLimitPolicy;
/// use labhook::policy::lint::Assumptions;
/// use labhook::{
///     Endpoint, EndpointId, EndpointPolicy, FlowPolicy, HealthPolicy, Order, RetryPolicy, Signer,
/// };
///
/// let per_second = NonZeroU32::new(100).unwrap();
/// let policy = EndpointPolicy::new(RetryPolicy::svix())
///     .with_health(HealthPolicy::new().with_disable_after(Duration::from_secs(3 * 86_400)))
///     .with_flow(FlowPolicy::adaptive().with_rate_limit(RateLimitPolicy::per_second(per_second)))
///     .with_order(Order::per_key());
///
/// let (id, url) = (EndpointId::new("lims")?, "https://lims.example/in");
/// let lims = Endpoint::new(id, url, Signer::unsigned())?.with_policy(policy);
///
/// // Shorten the retry window, and ask the linter what that does.
/// let retry = RetryPolicy::svix().with_window(Duration::from_secs(3_600));
/// let findings = lims.policy.with_retry(retry).lint(&Assumptions::new());
/// assert_eq!(findings[0].to_string(), "the retry window of 1 h allows 3 of 7 retries");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # In a file
///
/// Each of `retry`, `health`, `flow` and `order` is optional and defaults to that of a new
/// [`Endpoint`](crate::Endpoint). Unknown fields are refused at every level. [`RetryPolicy`],
/// [`HealthPolicy`], [`FlowPolicy`] and [`Order`] document their own tables.
///
/// ```
/// # use labhook::{EndpointPolicy, RetryPolicy};
/// let policy: EndpointPolicy = serde_json::from_str(
///     r#"{
///         "retry": { "preset": "svix", "window_ms": 172800000 },
///         "health": { "disable_after_ms": 259200000, "shed_after_ms": 3600000 },
///         "flow": "adaptive",
///         "order": { "scope": "per_key", "skip_after_attempts": 3 }
///     }"#,
/// )?;
/// assert_eq!(policy.retry.schedule(), RetryPolicy::svix().schedule());
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// The same in TOML:
///
/// ```toml
/// flow = "adaptive"
/// retry = { preset = "svix", window = "2d" }
/// health = { disable_after = "3d", shed_after = "1h" }
/// order = { scope = "per_key", skip_after_attempts = 3 }
/// ```
///
/// Every duration is a number of milliseconds in a field that ends in `_ms`, or text in a field
/// without it: `shed_after = "1h"`, `delays = ["5s", "5m"]`. Units are `ms`, `s`, `m`, `h` and `d`,
/// and `"1h 30m"` is a sum. `"none"` (or `null`) lifts a limit.
#[doc(alias = "delivery policy")]
#[doc(alias = "delivery settings")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EndpointPolicy {
    /// When and how often delivery is attempted.
    pub retry: RetryPolicy,
    /// Circuit breaker: when the endpoint is held back, probed and disabled.
    pub health: HealthPolicy,
    /// How fast the endpoint may be sent to.
    pub flow: FlowPolicy,
    /// Which messages must be delivered one after another.
    pub order: Order,
}

#[derive(Default, Deserialize)]
#[serde(
    default,
    deny_unknown_fields,
    expecting = "an endpoint policy table with `retry`, `health`, `flow` and `order`"
)]
struct Form {
    retry: RetryPolicy,
    health: HealthPolicy,
    flow: FlowPolicy,
    order: Order,
}

impl From<Form> for EndpointPolicy {
    fn from(Form { retry, health, flow, order }: Form) -> Self {
        Self { retry, health, flow, order }
    }
}

impl<'de> Deserialize<'de> for EndpointPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        policy_file::read_table::<Form, _, _>(deserializer)
    }
}

impl EndpointPolicy {
    /// Creates a policy with these retries and the defaults of a new
    /// [`Endpoint`](crate::Endpoint) for everything else.
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

    /// Sets the health policy.
    #[must_use]
    pub fn with_health(mut self, health: HealthPolicy) -> Self {
        self.health = health;
        self
    }

    /// Sets the flow policy.
    #[must_use]
    pub const fn with_flow(mut self, flow: FlowPolicy) -> Self {
        self.flow = flow;
        self
    }

    /// Sets the delivery order.
    #[must_use]
    pub const fn with_order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }
}
