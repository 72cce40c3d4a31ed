//! Endpoint policies: the linter, and its bounds held against simulations.

mod bounds;
mod files;
mod lint;
mod lint_thresholds;

use std::num::NonZeroU32;

use labhook::delivery::{Jitter, Schedule};
use labhook::policy::lint::{Assumptions, Finding};
use labhook::{EndpointPolicy, FlowPolicy, HealthPolicy, RetryPolicy};

use crate::support::secs;

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

fn count(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

/// Retries after 1 min and after 10 min with jitter: a policy without findings.
fn policy() -> RetryPolicy {
    let delays = [60, 600].map(secs);
    RetryPolicy::new(Schedule::list(delays)).with_jitter(Jitter::plus_minus(20))
}

fn policies(policy: RetryPolicy) -> EndpointPolicy {
    EndpointPolicy::new(policy)
}

/// The same for an endpoint that is never degraded.
fn hard(policy: RetryPolicy) -> EndpointPolicy {
    EndpointPolicy::new(policy).with_health(HealthPolicy::never()).with_flow(FlowPolicy::fixed())
}

/// The severity and text of each finding.
fn texts(policies: &EndpointPolicy, assumptions: &Assumptions) -> Vec<String> {
    let findings = policies.lint(assumptions);
    findings.iter().for_each(assert_name_is_the_variant);
    findings.iter().map(|it| format!("{}: {it}", it.severity())).collect()
}

fn assert_name_is_the_variant(finding: &Finding) {
    let debug = format!("{finding:?}");
    let variant = debug.split(|c: char| !c.is_alphanumeric()).next().unwrap();
    let mut name = String::new();
    for c in variant.chars() {
        if c.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    assert_eq!(finding.name(), name);
}

#[track_caller]
fn finds(policies: &EndpointPolicy, assumptions: &Assumptions, expected: &[&str]) {
    assert_eq!(texts(policies, assumptions), expected);
}
