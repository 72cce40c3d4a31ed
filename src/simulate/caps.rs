//! What the linter reads in the delivery policy: responses, schedule and limits.

use http::StatusCode;

use super::policies::Policies;
use super::reach::Reach;
use super::warning::Warning;
use crate::delivery::Reaction;

/// The statuses from `from` to `to` that have this reaction.
fn reacting(
    policies: &Policies,
    from: u16,
    to: u16,
    reaction: Reaction,
) -> impl Iterator<Item = StatusCode> {
    let statuses = (from..=to).filter_map(|status| StatusCode::from_u16(status).ok());
    statuses.filter(move |status| policies.delivery.responses().reaction(*status) == reaction)
}

pub(super) fn responses(policies: &Policies, found: &mut Vec<Warning>) {
    if reacting(policies, 100, 999, Reaction::Deliver).next().is_none() {
        found.push(Warning::NothingDelivers);
    }
    let retried = reacting(policies, 200, 299, Reaction::Retry).next();
    found.extend(retried.map(|status| Warning::SuccessRetried { status }));
    let refusals = reacting(policies, 429, 429, Reaction::Deliver);
    let delivers = refusals.chain(reacting(policies, 500, 599, Reaction::Deliver)).next();
    found.extend(delivers.map(|status| Warning::FailureDelivers { status }));
    if policies.delivery.responses().reaction(StatusCode::GONE) == Reaction::Retry {
        found.push(Warning::GoneRetried);
    }
}

pub(super) fn schedule(policies: &Policies, found: &mut Vec<Warning>) {
    let policy = &policies.delivery;
    let reach = Reach(policy);
    if reach.retries() == Some(0) {
        found.push(Warning::NoRetry);
    }
    let scheduled = policy.schedule().retries().map(|retries| retries.saturating_add(1));
    if let (Some(limit), Some(attempts)) = (policy.max_attempts(), scheduled) {
        match limit.get() {
            most if most > attempts => found.push(Warning::LimitBeyondSchedule { limit, attempts }),
            most if most < attempts => found.push(Warning::LimitCutsSchedule { limit, attempts }),
            _ => {}
        }
    }
    let Some(window) = policy.window() else { return };
    let span = policy.clone().with_window(None).span();
    // A delivery that others or the endpoint's health hold up takes longer than its schedule in
    // any outage. What else makes it wait, such as a rate, may never come to that.
    let held = policies.health.failures().is_some() || policies.line().is_some();
    if window > span && !held {
        found.push(Warning::WindowBeyondSchedule { window, span });
    }
    let (Some(of), true) = (reach.retries(), reach.is_scheduled()) else { return };
    let fit = reach.within(window);
    match policy.max_attempts() {
        _ if fit >= of => {}
        // Where the schedule has an end, it is its retries that are lost.
        _ if scheduled.is_some() => found.push(Warning::WindowCutsSchedule { window, fit, of }),
        Some(limit) => {
            let attempts = fit.saturating_add(1);
            found.push(Warning::LimitBeyondWindow { limit, attempts, window });
        }
        None => {}
    }
}

pub(super) fn retry_after(policies: &Policies, found: &mut Vec<Warning>) {
    let policy = &policies.delivery;
    if Reach(policy).retries() == Some(0) {
        return;
    }
    let (delivery, endpoint) = (policy.retry_after_cap(), policies.flow.hold_cap());
    if delivery != endpoint {
        found.push(Warning::CapsApart { delivery, endpoint });
    }
    let cap = delivery.max(endpoint);
    if let Some(window) = policy.window().filter(|window| cap >= *window) {
        found.push(Warning::CapBeyondWindow { cap, window });
    }
}
