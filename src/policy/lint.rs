//! The linter: what in a policy is probably not meant.
//!
//! An endpoint has four policies, and each makes sense on its own. [`EndpointPolicy::lint`] looks
//! for what does not make sense together, or beside the [`Assumptions`] about the load: a window
//! that ends before the first probe, an attempt limit that is never reached, an order in which
//! others may pass at once, a rate at which a backlog does not drain. Each [`Finding`] says what it
//! is and how much, and its documentation says why it matters.
//! [`EndpointPolicy::summary`] gives the bounds that the policies set.

mod assumptions;
mod combined;
mod figures;
mod finding;
mod finding_text;
mod retry;

pub use assumptions::Assumptions;
pub use finding::{Finding, Severity};

use crate::policy::endpoint_policy::EndpointPolicy;

impl EndpointPolicy {
    /// Returns what is probably not meant in this policy, the most severe first. The variants of
    /// [`Finding`] say why each of them matters.
    ///
    /// Nothing is run: what a policy does to a receiver over time is a
    /// [`Scenario`](crate::simulate::Scenario)'s to say.
    #[must_use]
    pub fn lint(&self, expected: &Assumptions) -> Vec<Finding> {
        let mut found = Vec::new();
        retry::responses(self, &mut found);
        retry::schedule(self, &mut found);
        retry::retry_after(self, &mut found);
        combined::health(self, &mut found);
        combined::endless(self, &mut found);
        combined::order(self, &mut found);
        combined::timeout(self, expected, &mut found);
        combined::load(self, expected, &mut found);
        found.sort_by_key(|warning| std::cmp::Reverse(warning.severity()));
        found
    }
}
