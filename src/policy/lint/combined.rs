//! Checks of the policies in combination, and against the assumed load.

use std::time::Duration;

use super::assumptions::Assumptions;
use super::finding::Finding;
use crate::delivery::{DeliveryGuarantee, Jitter};
use crate::flow::RateLimitPolicy;
use crate::health::PendingOnDisable;
use crate::policy::endpoint_policy::EndpointPolicy;
use crate::policy::load::Load;
use crate::policy::order::OrderScope;
use crate::policy::reach::unprompted_span;
use crate::time::micros;

const HOUR: Duration = Duration::from_secs(3_600);

/// With fewer failures, chance or a handful of messages that are never accepted can open a circuit.
const FEW_FAILURES: u32 = 10;

/// Head-of-line blocking that is shorter than this is not reported.
const DAY: Duration = Duration::from_secs(86_400);

pub(super) fn health(policies: &EndpointPolicy, found: &mut Vec<Finding>) {
    let (policy, health) = (&policies.retry, &policies.health);
    if let Some(shed_after) = health.shed_after() {
        let in_time = health.disable_after().is_none_or(|disable| shed_after < disable);
        if health.failures().is_none() || !in_time {
            found.push(Finding::NeverSheds);
        }
    }
    let Some(failures) = health.failures() else { return };
    if failures.get() < FEW_FAILURES {
        found.push(Finding::FewFailures { failures });
    }
    if policies.order.scope() == OrderScope::Strict && !skips(policies) && failures.get() > 1 {
        found.push(Finding::OrderHidesFailures { failures });
    }
    let timeout = policy.attempt_timeout();
    let wait = health.probe_wait(0);
    if let Some(window) = policy.window().filter(|window| wait >= *window) {
        found.push(Finding::ProbeAfterWindow { wait, window });
    }
    let span = unprompted_span(policy);
    match health.time_to_disable(timeout) {
        // Endless retries are not cut short: disabling is what ends them.
        Some(disabled) if health.pending_on_disable() == PendingOnDisable::Cancel => {
            let before = disabled < span && span != Duration::MAX;
            found.extend(before.then_some(Finding::DisabledBeforeRetriesEnd { disabled, span }));
        }
        _ if policy.window().is_none() => found.push(Finding::EndlessHold),
        _ => {}
    }
}

/// Whether messages wait for one another.
fn is_ordered(policies: &EndpointPolicy) -> bool {
    policies.order.scope() != OrderScope::None
}

/// Whether others may eventually skip a message that blocks them.
fn skips(policies: &EndpointPolicy) -> bool {
    policies.order.skip_after().is_some() || policies.order.skip_after_attempts().is_some()
}

pub(super) fn order(policies: &EndpointPolicy, found: &mut Vec<Finding>) {
    let skip_after = policies.order.skip_after().filter(|_| is_ordered(policies));
    let Some(skip_after) = skip_after else { return };
    let timeout = policies.retry.attempt_timeout();
    if skip_after.is_zero() {
        found.push(Finding::OrderWithoutEffect);
    } else if skip_after < timeout {
        found.push(Finding::SkipBeforeTimeout { skip_after, timeout });
    }
}

/// How long a message lives, if its lifetime is limited.
fn lifetime(policies: &EndpointPolicy, assumptions: &Assumptions) -> Option<Duration> {
    policies.retry.window().into_iter().chain(assumptions.lifetime()).min()
}

pub(super) fn timeout(
    policies: &EndpointPolicy,
    assumptions: &Assumptions,
    found: &mut Vec<Finding>,
) {
    let (policy, timeout) = (&policies.retry, policies.retry.attempt_timeout());
    let lifetime = lifetime(policies, assumptions);
    // At-most-once delivery does not retry after a timeout.
    let has_retries =
        policy.retries() != Some(0) && policy.guarantee() != DeliveryGuarantee::AtMostOnce;
    match lifetime.filter(|lifetime| has_retries && timeout >= *lifetime) {
        Some(lifetime) => found.push(Finding::TimeoutExceedsLifetime { timeout, lifetime }),
        None if timeout >= HOUR => found.push(Finding::LongTimeout { timeout }),
        None => {}
    }
}

pub(super) fn endless(policies: &EndpointPolicy, found: &mut Vec<Finding>) {
    let span = unprompted_span(&policies.retry);
    if span == Duration::MAX {
        found.push(Finding::EndlessRetries);
    }
    if is_ordered(policies) && !skips(policies) && span >= DAY {
        let strict = policies.order.scope() == OrderScope::Strict;
        found.push(Finding::HeadOfLineBlocking { span, strict });
    }
}

pub(super) fn load(policies: &EndpointPolicy, assumptions: &Assumptions, found: &mut Vec<Finding>) {
    let retry = &policies.retry;
    let span = unprompted_span(retry);
    if let Some(lifetime) = assumptions.lifetime()
        && span > lifetime
    {
        found.push(Finding::RetriedPastLifetime { lifetime, span });
    }
    let lifetime = lifetime(policies, assumptions);
    let outlived =
        assumptions.outage().zip(lifetime).filter(|(outage, lifetime)| outage >= lifetime);
    if let Some((outage, lifetime)) = outlived {
        found.push(Finding::OutageExceedsLifetime { outage, lifetime });
    }
    let Some(load) = assumptions.load() else { return };
    if let Some(rate) = policies.flow.rate_limit() {
        match assumptions.outage() {
            _ if is_below(rate, load) => found.push(Finding::RateBelowLoad {
                releases: rate.releases(),
                per: rate.per(),
                events: load.events(),
                every: load.per(),
            }),
            _ if surplus(rate, load) == Some(0) => {
                found.push(Finding::RateEqualsLoad { releases: rate.releases(), per: rate.per() })
            }
            Some(outage) if outlived.is_none() => {
                let drain = drain(rate, load, outage);
                if let Some(lifetime) = lifetime
                    && outage.saturating_add(drain) > lifetime
                {
                    found.push(Finding::BacklogExpires { outage, drain, lifetime });
                }
            }
            _ => {}
        }
    }
    if retry.retries() == Some(0) {
        return;
    }
    if *retry.jitter() == Jitter::NONE
        && load.per() <= Duration::from_secs(1).saturating_mul(load.events().get())
    {
        found.push(Finding::NoJitter { events: load.events(), every: load.per() });
    }
}

fn narrow(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// The rate minus the load, times both of their denominators; `None` if it is negative.
fn surplus(rate: &RateLimitPolicy, load: &Load) -> Option<u128> {
    let product = |count: u32, time: Duration| u128::from(count).saturating_mul(time.as_micros());
    let released = product(rate.releases().get(), load.per());
    released.checked_sub(product(load.events().get(), rate.per()))
}

fn is_below(rate: &RateLimitPolicy, load: &Load) -> bool {
    surplus(rate, load).is_none()
}

/// How long the backlog of an outage takes to drain beside new messages, rounded up.
fn drain(rate: &RateLimitPolicy, load: &Load, outage: Duration) -> Duration {
    let Some(surplus) = surplus(rate, load).filter(|surplus| *surplus > 0) else {
        return Duration::MAX;
    };
    // backlog / (rate - load), in which the load's denominator cancels out.
    let backlog = u128::from(load.events().get()).saturating_mul(u128::from(micros(outage)));
    Duration::from_micros(narrow(backlog.saturating_mul(rate.per().as_micros()).div_ceil(surplus)))
}
