//! Checks of the retry policy: response rules, schedule and limits.

use http::StatusCode;

use super::finding::Finding;
use crate::delivery::ResponseAction;
use crate::policy::endpoint_policy::EndpointPolicy;
use crate::policy::order::OrderScope;
use crate::policy::reach::retries_within;

/// The statuses from `from` to `to` that have this action.
fn statuses_with(
    policies: &EndpointPolicy,
    from: u16,
    to: u16,
    action: ResponseAction,
) -> impl Iterator<Item = StatusCode> {
    let statuses = (from..=to).filter_map(|status| StatusCode::from_u16(status).ok());
    statuses.filter(move |status| policies.retry.responses().action(*status) == action)
}

pub(super) fn responses(policies: &EndpointPolicy, found: &mut Vec<Finding>) {
    if statuses_with(policies, 100, 999, ResponseAction::Deliver).next().is_none() {
        found.push(Finding::NothingCountsAsDelivered);
    }
    let retried = statuses_with(policies, 200, 299, ResponseAction::Retry).next();
    found.extend(retried.map(|status| Finding::SuccessRetried { status }));
    let rate_limited = statuses_with(policies, 429, 429, ResponseAction::Deliver);
    let server_errors = statuses_with(policies, 500, 599, ResponseAction::Deliver);
    let delivered = rate_limited.chain(server_errors).next();
    found.extend(delivered.map(|status| Finding::FailureCountsAsDelivered { status }));
    if policies.retry.responses().action(StatusCode::GONE) == ResponseAction::Retry {
        found.push(Finding::GoneRetried);
    }
}

pub(super) fn schedule(policies: &EndpointPolicy, found: &mut Vec<Finding>) {
    let policy = &policies.retry;
    if policy.retries() == Some(0) {
        found.push(Finding::NoRetries);
    }
    let scheduled = policy.schedule().retries().map(|retries| retries.saturating_add(1));
    if let (Some(limit), Some(attempts)) = (policy.max_attempts(), scheduled) {
        match limit.get() {
            limited if limited > attempts => {
                found.push(Finding::LimitExceedsSchedule { limit, attempts })
            }
            limited if limited < attempts => {
                found.push(Finding::LimitCutsSchedule { limit, attempts })
            }
            _ => {}
        }
    }
    let Some(window) = policy.window() else { return };
    let span = policy.span_with(policy.retry_after_cap(), None);
    // In any outage, health or an order delays a delivery beyond its schedule. Other delays, such
    // as a rate limit, may never get that long.
    let held = policies.health.failures().is_some() || policies.order.scope() != OrderScope::None;
    if window > span && !held {
        found.push(Finding::WindowExceedsSchedule { window, span });
    }
    // Decorrelated delays are not those of the schedule.
    let Some(retries) = policy.retries().filter(|_| !policy.jitter().is_decorrelated()) else {
        return;
    };
    let allowed = retries_within(policy, window);
    match policy.max_attempts() {
        _ if allowed >= retries => {}
        // If the schedule has an end, its own retries are lost.
        _ if scheduled.is_some() => {
            found.push(Finding::WindowCutsRetries { window, allowed, retries });
        }
        Some(limit) => {
            let attempts = allowed.saturating_add(1);
            found.push(Finding::LimitExceedsWindow { limit, attempts, window });
        }
        None => {}
    }
}

pub(super) fn retry_after(policies: &EndpointPolicy, found: &mut Vec<Finding>) {
    let policy = &policies.retry;
    if policy.retries() == Some(0) {
        return;
    }
    let cap = policy.retry_after_cap();
    if let Some(window) = policy.window().filter(|window| cap >= *window) {
        found.push(Finding::RetryAfterExceedsWindow { cap, window });
    }
}
