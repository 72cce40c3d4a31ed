//! What the linter reads in the delivery policy: responses, schedule and limits.

use http::StatusCode;

use super::finding::Finding;
use crate::delivery::ResponseAction;
use crate::policy::endpoint_policy::EndpointPolicy;
use crate::policy::order::OrderScope;
use crate::policy::reach::Reach;

/// The statuses from `from` to `to` that have this reaction.
fn reacting(
    policies: &EndpointPolicy,
    from: u16,
    to: u16,
    reaction: ResponseAction,
) -> impl Iterator<Item = StatusCode> {
    let statuses = (from..=to).filter_map(|status| StatusCode::from_u16(status).ok());
    statuses.filter(move |status| policies.retry.responses().action(*status) == reaction)
}

pub(super) fn responses(policies: &EndpointPolicy, found: &mut Vec<Finding>) {
    if reacting(policies, 100, 999, ResponseAction::Deliver).next().is_none() {
        found.push(Finding::NothingDelivers);
    }
    let retried = reacting(policies, 200, 299, ResponseAction::Retry).next();
    found.extend(retried.map(|status| Finding::SuccessRetried { status }));
    let refusals = reacting(policies, 429, 429, ResponseAction::Deliver);
    let delivers = refusals.chain(reacting(policies, 500, 599, ResponseAction::Deliver)).next();
    found.extend(delivers.map(|status| Finding::FailureDelivers { status }));
    if policies.retry.responses().action(StatusCode::GONE) == ResponseAction::Retry {
        found.push(Finding::GoneRetried);
    }
}

pub(super) fn schedule(policies: &EndpointPolicy, found: &mut Vec<Finding>) {
    let policy = &policies.retry;
    let reach = Reach(policy);
    if reach.retries() == Some(0) {
        found.push(Finding::NoRetry);
    }
    let scheduled = policy.schedule().retries().map(|retries| retries.saturating_add(1));
    if let (Some(limit), Some(attempts)) = (policy.max_attempts(), scheduled) {
        match limit.get() {
            most if most > attempts => found.push(Finding::LimitBeyondSchedule { limit, attempts }),
            most if most < attempts => found.push(Finding::LimitCutsSchedule { limit, attempts }),
            _ => {}
        }
    }
    let Some(window) = policy.window() else { return };
    let span = policy.clone().with_window(None).span();
    // A delivery that others or the endpoint's health hold up takes longer than its schedule in
    // any outage. What else makes it wait, such as a rate, may never come to that.
    let held = policies.health.failures().is_some() || policies.order.scope() != OrderScope::None;
    if window > span && !held {
        found.push(Finding::WindowBeyondSchedule { window, span });
    }
    let (Some(of), true) = (reach.retries(), reach.is_scheduled()) else { return };
    let fit = reach.within(window);
    match policy.max_attempts() {
        _ if fit >= of => {}
        // Where the schedule has an end, it is its retries that are lost.
        _ if scheduled.is_some() => found.push(Finding::WindowCutsSchedule { window, fit, of }),
        Some(limit) => {
            let attempts = fit.saturating_add(1);
            found.push(Finding::LimitBeyondWindow { limit, attempts, window });
        }
        None => {}
    }
}

pub(super) fn retry_after(policies: &EndpointPolicy, found: &mut Vec<Finding>) {
    let policy = &policies.retry;
    if Reach(policy).retries() == Some(0) {
        return;
    }
    let cap = policy.retry_after_cap();
    if let Some(window) = policy.window().filter(|window| cap >= *window) {
        found.push(Finding::CapBeyondWindow { cap, window });
    }
}
