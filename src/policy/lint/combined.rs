//! Checks of the policies in combination, and against the assumed load.

use std::time::Duration;

use super::assumptions::Assumptions;
use super::finding::Finding;
use crate::delivery::{DeliveryGuarantee, Jitter};
use crate::flow::RateLimitPolicy;
use crate::health::{NewMessages, PendingOnDisable};
use crate::policy::endpoint_policy::EndpointPolicy;
use crate::policy::load::Load;
use crate::policy::order::OrderScope;
use crate::policy::reach::{retries_within, unprompted_span};
use crate::time::micros;

const HOUR: Duration = Duration::from_secs(3_600);

/// Head-of-line blocking that is shorter than this is not reported.
const DAY: Duration = Duration::from_secs(86_400);

pub(super) fn health(policies: &EndpointPolicy, found: &mut Vec<Finding>) {
    let (policy, health) = (&policies.retry, &policies.health);
    let suspends = health.failures().and(health.suspend_after()).is_some();
    if health.new_messages() == NewMessages::Shed && !suspends {
        found.push(Finding::NeverSheds);
    }
    let Some(failures) = health.failures() else { return };
    let timeout = policy.attempt_timeout();
    if let Some(wait) = health.probes().min().filter(|wait| *wait <= timeout) {
        found.push(Finding::ProbeBeforeTimeout { wait, timeout });
    }
    if let Some(window) = health.failure_window() {
        let timeouts = timeouts(policies, window);
        let too_few = timeouts < u64::from(failures.get());
        found.extend(too_few.then_some(Finding::TooFewTimeoutsToDegrade {
            failures,
            window,
            timeouts,
        }));
    }
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

/// The most attempts that can time out within `window`, both of its ends included.
fn timeouts(policies: &EndpointPolicy, window: Duration) -> u64 {
    // In strict order an attempt waits until the one before it has ended, unless it may skip it.
    let one_by_one = policies.order.scope() == OrderScope::Strict && !skips(policies);
    let at_once = if one_by_one { 1 } else { u64::from(policies.flow.concurrency().max().get()) };
    // Each concurrent attempt times out at the start of the window and once per timeout after.
    let rounds = times(window, policies.retry.attempt_timeout()).saturating_add(1);
    let timeouts = at_once.saturating_mul(rounds);
    // A rate limit spaces the timeouts as it spaced the starts.
    let released = policies.flow.rate_limit().map(|rate| {
        let released = times(window.saturating_mul(rate.releases().get()), rate.per());
        released.saturating_add(u64::from(rate.burst().get()))
    });
    released.map_or(timeouts, |released| released.min(timeouts))
}

/// How many times `part` fits into `whole`.
fn times(whole: Duration, part: Duration) -> u64 {
    narrow(whole.as_micros().checked_div(part.as_micros()).unwrap_or(u128::MAX))
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
    let delay = policies.retry.schedule().delay(1);
    let budget = policies.flow.retry_budget();
    if let (Some(budget), Some(delay)) = (budget, delay)
        && budget.min_interval() > delay
    {
        let min_interval = budget.min_interval();
        found.push(Finding::BudgetSlowerThanSchedule { min_interval, delay });
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
    if let (Some(failures), Some(window), Some(retries)) =
        (policies.health.failures(), policies.health.failure_window(), retry.retries())
        && !is_ordered(policies)
    {
        // The first attempts of all messages are as far apart as the messages, and so are the
        // second ones, and so on: each number counts once per message in the window.
        let messages = times(window.saturating_mul(load.events().get()), load.per());
        let each = u64::from(retries).saturating_add(1);
        let attempts = messages.saturating_add(1).saturating_mul(each);
        let too_few = attempts < u64::from(failures.get());
        found.extend(too_few.then_some(Finding::TooFewAttemptsToDegrade {
            failures,
            window,
            attempts,
        }));
    }
    let retries = match (retry.retries(), assumptions.outage()) {
        (Some(0), _) => return,
        // Decorrelated delays are not those of the schedule.
        (_, Some(outage)) if !retry.jitter().is_decorrelated() => {
            Some(retries_within(retry, outage))
        }
        (retries, _) => retries,
    };
    if *retry.jitter() == Jitter::NONE
        && load.per() <= Duration::from_secs(1).saturating_mul(load.events().get())
    {
        found.push(Finding::NoJitter { events: load.events(), every: load.per() });
    }
    if let (Some(budget), Some(retries), None) =
        (policies.flow.retry_budget(), retries, policies.health.failures())
    {
        let messages = per_hour(u64::from(load.events().get()), load.per());
        let share = u128::from(messages).saturating_mul(u128::from(budget.percent())) / 100;
        let allowed = narrow(share).saturating_add(per_hour(1, budget.min_interval()));
        let due = messages.saturating_mul(u64::from(retries));
        if allowed < due {
            found.push(Finding::RetryBudgetTooSmall { allowed, due });
        }
    }
}

fn narrow(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Converts `number` per `per` to a number per hour.
fn per_hour(number: u64, per: Duration) -> u64 {
    let scaled = u128::from(number).saturating_mul(HOUR.as_micros());
    narrow(scaled.checked_div(per.as_micros()).unwrap_or(u128::MAX))
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
