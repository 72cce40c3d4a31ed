//! Policy linter: settings that contradict each other or fail under foreseeable conditions.
//!
//! Each of an endpoint's four policies makes sense on its own. [`EndpointPolicy::lint`] checks them
//! together, and against [`Assumptions`] about load, outages and message lifetime: a retry window
//! that ends before the first probe, an attempt limit that is never reached, an order that others
//! may skip at once, a rate limit at which a backlog never drains. Each [`Finding`] names the
//! numbers and the rule in one clause, and its documentation says why it matters.
//! [`EndpointPolicy::summary`] returns the bounds that the policies set.
//!
//! ```
//! use std::num::NonZeroU32;
//! use std::time::Duration;
//!
//! use labhook::flow::RateLimitPolicy;
//! use labhook::policy::Load;
//! use labhook::policy::lint::{Assumptions, Severity};
//! use labhook::{EndpointPolicy, FlowPolicy};
//!
//! let per_second = |n| NonZeroU32::new(n).unwrap();
//! let rate = RateLimitPolicy::per_second(per_second(30));
//! let policy = EndpointPolicy::default().with_flow(FlowPolicy::adaptive().with_rate_limit(rate));
//!
//! let assumptions = Assumptions::new().with_load(Load::per_second(per_second(40)));
//! let findings = policy.lint(&assumptions);
//! assert_eq!(findings[0].severity(), Severity::Contradiction);
//! assert_eq!(findings[0].name(), "rate_below_load");
//! assert_eq!(findings[0].to_string(), "the rate limit of 30/s is below the load of 40 events/s");
//! ```

mod assumptions;
mod combined;
mod finding;
mod finding_text;
mod retry;
mod severity;
mod units;

#[doc(no_inline)]
pub use crate::named::ParseNameError;
pub use assumptions::Assumptions;
pub use finding::Finding;
pub use severity::Severity;

use crate::policy::endpoint_policy::EndpointPolicy;

impl EndpointPolicy {
    /// Checks this policy and returns the findings, the most severe first.
    ///
    /// Nothing is run. To see how a policy treats a receiver over time, simulate a
    /// [`Scenario`](crate::simulate::Scenario).
    #[must_use]
    pub fn lint(&self, assumptions: &Assumptions) -> Vec<Finding> {
        let mut found = Vec::new();
        retry::responses(self, &mut found);
        retry::schedule(self, &mut found);
        retry::retry_after(self, &mut found);
        combined::health(self, &mut found);
        combined::endless(self, &mut found);
        combined::order(self, &mut found);
        combined::timeout(self, assumptions, &mut found);
        combined::load(self, assumptions, &mut found);
        found.sort_by_key(|finding| std::cmp::Reverse(finding.severity()));
        found
    }
}
