//! What the linter reads in the policies together, and beside the load.

use std::time::Duration;

use super::assumptions::Assumptions;
use super::finding::Finding;
use crate::delivery::DeliveryGuarantee;
use crate::flow::RateLimitPolicy;
use crate::health::{NewMessages, PendingOnDisable};
use crate::policy::endpoint_policy::EndpointPolicy;
use crate::policy::load::Load;
use crate::policy::order::OrderScope;
use crate::policy::reach::Reach;
use crate::time::micros;

const HOUR: Duration = Duration::from_secs(3_600);

/// A message that holds up others for less than this is no matter.
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
        found.push(Finding::ProbeWithinAttempt { wait, timeout });
    }
    if let Some(window) = health.failure_window() {
        let timeouts = timeouts(policies, window);
        let apart = timeouts < u64::from(failures.get());
        found.extend(apart.then_some(Finding::FailuresBeyondTimeouts {
            failures,
            window,
            timeouts,
        }));
    }
    let wait = health.probe_wait(0);
    if let Some(window) = policy.window().filter(|window| wait >= *window) {
        found.push(Finding::ProbeAfterWindow { wait, window });
    }
    let span = Reach(policy).span();
    match health.time_to_disable(timeout) {
        // Retries without an end need one, and this is it.
        Some(disabled) if health.pending_on_disable() == PendingOnDisable::Cancel => {
            let within = disabled < span && span != Duration::MAX;
            found.extend(within.then_some(Finding::DisabledWithinSpan { disabled, span }));
        }
        _ if policy.window().is_none() => found.push(Finding::HeldWithoutEnd),
        _ => {}
    }
}

/// How many attempts can time out within so much time, the instants at both its ends included.
fn timeouts(policies: &EndpointPolicy, window: Duration) -> u64 {
    // In strict order the next one waits until this one has ended, unless it may pass.
    let one_by_one = policies.order.scope() == OrderScope::Strict && !skips(policies);
    let places = if one_by_one { 1 } else { u64::from(policies.flow.concurrency().max().get()) };
    // One at the beginning in each place, and whenever a timeout has passed another one.
    let timeouts = times(window, policies.retry.attempt_timeout()).saturating_add(1);
    let places = places.saturating_mul(timeouts);
    // They end as far apart as they began.
    let released = policies.flow.rate_limit().map(|rate| {
        let released = times(window.saturating_mul(rate.releases().get()), rate.per());
        released.saturating_add(u64::from(rate.burst().get()))
    });
    released.map_or(places, |released| released.min(places))
}

/// How many times one fits into the other.
fn times(whole: Duration, part: Duration) -> u64 {
    narrow(whole.as_micros().checked_div(part.as_micros()).unwrap_or(u128::MAX))
}

/// Whether a message waits for others.
fn is_ordered(policies: &EndpointPolicy) -> bool {
    policies.order.scope() != OrderScope::None
}

/// Whether others may at some time pass the one at the head of the line.
fn skips(policies: &EndpointPolicy) -> bool {
    policies.order.skip_after().is_some() || policies.order.skip_after_attempts().is_some()
}

pub(super) fn order(policies: &EndpointPolicy, found: &mut Vec<Finding>) {
    let Some(skip) = policies.order.skip_after().filter(|_| is_ordered(policies)) else { return };
    let timeout = policies.retry.attempt_timeout();
    if skip.is_zero() {
        found.push(Finding::PassedAtOnce);
    } else if skip < timeout {
        found.push(Finding::PassedInFlight { skip, timeout });
    }
}

/// How long a message lives, where something ends it.
fn limit(policies: &EndpointPolicy, expected: &Assumptions) -> Option<Duration> {
    policies.retry.window().into_iter().chain(expected.lifetime()).min()
}

pub(super) fn timeout(policies: &EndpointPolicy, expected: &Assumptions, found: &mut Vec<Finding>) {
    let (policy, timeout) = (&policies.retry, policies.retry.attempt_timeout());
    let limit = limit(policies, expected);
    // At most once there is none after a timeout.
    let has_retries =
        Reach(policy).retries() != Some(0) && policy.guarantee() != DeliveryGuarantee::AtMostOnce;
    match limit.filter(|limit| has_retries && timeout >= *limit) {
        Some(limit) => found.push(Finding::TimeoutOutlivesMessages { timeout, limit }),
        None if timeout >= HOUR => found.push(Finding::LongTimeout { timeout }),
        None => {}
    }
}

pub(super) fn endless(policies: &EndpointPolicy, found: &mut Vec<Finding>) {
    let span = Reach(&policies.retry).span();
    if span == Duration::MAX {
        found.push(Finding::Endless);
    }
    if is_ordered(policies) && !skips(policies) && span >= DAY {
        let strict = policies.order.scope() == OrderScope::Strict;
        found.push(Finding::HeadOfLine { span, strict });
    }
    let delay = policies.retry.schedule().delay(1);
    let budget = policies.flow.retry_budget();
    if let (Some(budget), Some(delay)) = (budget, delay)
        && budget.min_interval() > delay
    {
        found.push(Finding::TrickleBelowSchedule { trickle: budget.min_interval(), delay });
    }
}

pub(super) fn load(policies: &EndpointPolicy, expected: &Assumptions, found: &mut Vec<Finding>) {
    let reach = Reach(&policies.retry);
    if let Some(lifetime) = expected.lifetime()
        && reach.span() > lifetime
    {
        found.push(Finding::RetriedPastLifetime { lifetime, span: reach.span() });
    }
    let limit = limit(policies, expected);
    let outlived = expected.outage().zip(limit).filter(|(outage, limit)| outage >= limit);
    if let Some((outage, limit)) = outlived {
        found.push(Finding::OutageOutlivesMessages { outage, limit });
    }
    let Some(load) = expected.load() else { return };
    if let Some(rate) = policies.flow.rate_limit() {
        match expected.outage() {
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
                if let Some(limit) = limit
                    && outage.saturating_add(drain) > limit
                {
                    found.push(Finding::BacklogOutlivesMessages { outage, drain, limit });
                }
            }
            _ => {}
        }
    }
    if let (Some(failures), Some(window), Some(retries)) =
        (policies.health.failures(), policies.health.failure_window(), reach.retries())
        && !is_ordered(policies)
    {
        // Of each attempt that a message gets, those of all messages are as far apart as these.
        let messages = times(window.saturating_mul(load.events().get()), load.per());
        let each = u64::from(retries).saturating_add(1);
        let attempts = messages.saturating_add(1).saturating_mul(each);
        let apart = attempts < u64::from(failures.get());
        found.extend(apart.then_some(Finding::FailuresBeyondLoad { failures, window, attempts }));
    }
    let retries = match (reach.retries(), expected.outage()) {
        (Some(0), _) => return,
        (_, Some(outage)) if reach.is_scheduled() => Some(reach.within(outage)),
        (retries, _) => retries,
    };
    if !reach.has_jitter()
        && load.per() <= Duration::from_secs(1).saturating_mul(load.events().get())
    {
        found.push(Finding::NoJitter { events: load.events(), every: load.per() });
    }
    if let (Some(budget), Some(retries), None) =
        (policies.flow.retry_budget(), retries, policies.health.failures())
    {
        let firsts = in_an_hour(u64::from(load.events().get()), load.per());
        let share = u128::from(firsts).saturating_mul(u128::from(budget.percent())) / 100;
        let given = narrow(share).saturating_add(in_an_hour(1, budget.min_interval()));
        let due = firsts.saturating_mul(u64::from(retries));
        if given < due {
            found.push(Finding::BudgetBelowLoad { given, due });
        }
    }
}

fn narrow(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// So many in `per`: how many in an hour.
fn in_an_hour(number: u64, per: Duration) -> u64 {
    let all = u128::from(number).saturating_mul(HOUR.as_micros());
    narrow(all.checked_div(per.as_micros()).unwrap_or(u128::MAX))
}

/// What the rate has over the load, in events per time over both their times; negative is `None`.
fn surplus(rate: &RateLimitPolicy, load: &Load) -> Option<u128> {
    let product = |count: u32, time: Duration| u128::from(count).saturating_mul(time.as_micros());
    let gives = product(rate.releases().get(), load.per());
    gives.checked_sub(product(load.events().get(), rate.per()))
}

fn is_below(rate: &RateLimitPolicy, load: &Load) -> bool {
    surplus(rate, load).is_none()
}

/// How long the backlog of an outage takes to go out beside what comes meanwhile, rounded up.
fn drain(rate: &RateLimitPolicy, load: &Load, outage: Duration) -> Duration {
    let Some(surplus) = surplus(rate, load).filter(|surplus| *surplus > 0) else {
        return Duration::MAX;
    };
    // backlog / (rate - load), in which the load's time stands above and below.
    let backlog = u128::from(load.events().get()).saturating_mul(u128::from(micros(outage)));
    Duration::from_micros(narrow(backlog.saturating_mul(rate.per().as_micros()).div_ceil(surplus)))
}
