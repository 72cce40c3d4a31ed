//! What the linter reads in the policies together, and beside the load.

use std::time::Duration;

use super::figures::micros;
use super::load::{Expected, Load};
use super::policies::Policies;
use super::reach::Reach;
use super::warning::Warning;
use crate::flow::RatePolicy;
use crate::health::Waiting;
use crate::timestamp::Timestamp;

const HOUR: Duration = Duration::from_secs(3_600);

/// A message that holds up others for less than this is no matter.
const DAY: Duration = Duration::from_secs(86_400);

pub(super) fn health(policies: &Policies, found: &mut Vec<Warning>) {
    let (policy, health) = (&policies.delivery, &policies.health);
    if health.failures().is_none() {
        return;
    }
    let (timeout, probe) = (policy.attempt_timeout(), health.probe_timeout());
    if let Some(wait) = health.probes().min().filter(|wait| *wait <= timeout) {
        found.push(Warning::ProbeWithinAttempt { wait, timeout });
    }
    if probe < timeout {
        found.push(Warning::ProbeGivesUpFirst { probe, attempt: timeout });
    }
    let wait = health.probe_wait(0);
    if let Some(window) = policy.window().filter(|window| wait >= *window) {
        found.push(Warning::ProbeAfterWindow { wait, window });
    }
    let span = Reach(policy).span();
    match health.time_to_disable() {
        // Retries without an end need one, and this is it.
        Some(disabled) if health.waiting() == Waiting::Cancel => {
            let within = disabled < span && span != Duration::MAX;
            found.extend(within.then_some(Warning::DisabledWithinSpan { disabled, span }));
        }
        _ if policy.window().is_none() => found.push(Warning::HeldWithoutEnd),
        _ => {}
    }
}

pub(super) fn endless(policies: &Policies, found: &mut Vec<Warning>) {
    let span = Reach(&policies.delivery).span();
    if span == Duration::MAX {
        found.push(Warning::Endless);
    }
    let order = &policies.order;
    let skips = order.skip_at(Timestamp::UNIX_EPOCH).is_some() || order.skips(u32::MAX);
    if let Some(strict) = policies.line().filter(|_| !skips && span >= DAY) {
        found.push(Warning::HeadOfLine { span, strict });
    }
    let delay = policies.delivery.schedule().delay(1);
    let budget = policies.flow.retry_budget();
    if let (Some(budget), Some(delay)) = (budget, delay)
        && budget.trickle() > delay
    {
        found.push(Warning::TrickleBelowSchedule { trickle: budget.trickle(), delay });
    }
}

pub(super) fn load(policies: &Policies, expected: &Expected, found: &mut Vec<Warning>) {
    let (policy, reach) = (&policies.delivery, Reach(&policies.delivery));
    if let Some(lifetime) = expected.lifetime()
        && reach.span() > lifetime
    {
        found.push(Warning::RetriedPastLifetime { lifetime, span: reach.span() });
    }
    let limit = policy.window().into_iter().chain(expected.lifetime()).min();
    let outlived = expected.outage().zip(limit).filter(|(outage, limit)| outage >= limit);
    if let Some((outage, limit)) = outlived {
        found.push(Warning::OutageOutlivesMessages { outage, limit });
    }
    let Some(load) = expected.load() else { return };
    if let Some(rate) = policies.flow.rate() {
        match expected.outage() {
            _ if is_below(rate, load) => found.push(Warning::RateBelowLoad {
                releases: rate.releases(),
                per: rate.per(),
                events: load.events(),
                every: load.per(),
            }),
            _ if surplus(rate, load) == Some(0) => {
                found.push(Warning::RateEqualsLoad { releases: rate.releases(), per: rate.per() })
            }
            Some(outage) if outlived.is_none() => {
                let drain = drain(rate, load, outage);
                if let Some(limit) = limit
                    && outage.saturating_add(drain) > limit
                {
                    found.push(Warning::BacklogOutlivesMessages { outage, drain, limit });
                }
            }
            _ => {}
        }
    }
    let retries = match (reach.retries(), expected.outage()) {
        (Some(0), _) => return,
        (_, Some(outage)) if reach.is_scheduled() => Some(reach.within(outage)),
        (retries, _) => retries,
    };
    if !reach.has_jitter()
        && load.per() <= Duration::from_secs(1).saturating_mul(load.events().get())
    {
        found.push(Warning::NoJitter { events: load.events(), every: load.per() });
    }
    if let (Some(budget), Some(retries), None) =
        (policies.flow.retry_budget(), retries, policies.health.failures())
    {
        let firsts = in_an_hour(u64::from(load.events().get()), load.per());
        let share = u128::from(firsts).saturating_mul(u128::from(budget.percent())) / 100;
        let given = narrow(share).saturating_add(in_an_hour(1, budget.trickle()));
        let due = firsts.saturating_mul(u64::from(retries));
        if given < due {
            found.push(Warning::BudgetBelowLoad { given, due });
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
fn surplus(rate: &RatePolicy, load: &Load) -> Option<u128> {
    let product = |count: u32, time: Duration| u128::from(count).saturating_mul(time.as_micros());
    let gives = product(rate.releases().get(), load.per());
    gives.checked_sub(product(load.events().get(), rate.per()))
}

fn is_below(rate: &RatePolicy, load: &Load) -> bool {
    surplus(rate, load).is_none()
}

/// How long the backlog of an outage takes to go out beside what comes meanwhile, rounded up.
fn drain(rate: &RatePolicy, load: &Load, outage: Duration) -> Duration {
    let Some(surplus) = surplus(rate, load).filter(|surplus| *surplus > 0) else {
        return Duration::MAX;
    };
    // backlog / (rate - load), in which the load's time stands above and below.
    let backlog = u128::from(load.events().get()).saturating_mul(u128::from(micros(outage)));
    Duration::from_micros(narrow(backlog.saturating_mul(rate.per().as_micros()).div_ceil(surplus)))
}
