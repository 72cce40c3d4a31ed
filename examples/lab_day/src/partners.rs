//! The scheduler's seven endpoints, each with its own signature, retry policy and subscription.
//!
//! An [`Endpoint`] contains a URL and secrets, so it is not part of the saved state: the host
//! creates it from its own configuration at every start, and records refer to it by id. Here the
//! configuration is this file.

use std::time::Duration;

use labhook::endpoint::EventPattern;
use labhook::{
    Endpoint, EndpointId, Registry, RetryPolicy, Secret, Signer, Subscription, Timestamp,
};

use crate::day;

pub const LIMS: &str = "lims";
pub const ELN: &str = "eln";
pub const DASHBOARD: &str = "dashboard";
pub const ARCHIVE: &str = "archive";
pub const PLANNER: &str = "planner";
pub const BILLING: &str = "billing";
pub const WAREHOUSE: &str = "warehouse";

pub const ALL: [&str; 7] = [LIMS, ELN, DASHBOARD, ARCHIVE, PLANNER, BILLING, WAREHOUSE];

/// The attempt timeout for the dashboard, which sometimes hangs.
pub const DASHBOARD_TIMEOUT: Duration = Duration::from_millis(300);

/// When the scheduler starts to sign with the warehouse's new secret as well, and when it stops
/// signing with the old one.
const ROTATION: [Timestamp; 2] = [day::at(11, 0), day::at(15, 0)];

/// Returns the stage of the warehouse's secret rotation at this time.
pub fn rotation_stage(now: Timestamp) -> usize {
    ROTATION.iter().filter(|start| **start <= now).count()
}

/// Returns the secret shared with a partner. `old` is the one before the rotation; only the
/// warehouse's is rotated.
pub fn secret(partner: &str, old: bool) -> anyhow::Result<Secret> {
    let year = if old { 2025 } else { 2026 };
    Ok(Secret::from_text(&format!("{partner}-{year}-not-a-real-secret"))?)
}

/// Returns a partner's retry policy.
pub fn retry_policy(partner: &str) -> RetryPolicy {
    match partner {
        ELN => RetryPolicy::svix(),
        DASHBOARD => RetryPolicy::standard_webhooks().with_attempt_timeout(DASHBOARD_TIMEOUT),
        ARCHIVE => RetryPolicy::outpost(),
        BILLING => RetryPolicy::strike(),
        _ => RetryPolicy::standard_webhooks(),
    }
}

/// Returns a partner's endpoint, as configured at this time.
pub fn endpoint(partner: &str, url: &str, now: Timestamp) -> anyhow::Result<Endpoint> {
    let current = secret(partner, false)?;
    let signer = match partner {
        ELN => Signer::svix(current),
        BILLING => Signer::strike(current),
        WAREHOUSE => match rotation_stage(now) {
            0 => Signer::standard_webhooks(secret(partner, true)?),
            // Both, so that the warehouse can switch at any time.
            1 => Signer::standard_webhooks(current).add_secret(secret(partner, true)?),
            _ => Signer::standard_webhooks(current),
        },
        _ => Signer::standard_webhooks(current),
    };
    let subscribed: &[&str] = match partner {
        ELN => &["run.*", "instruction.*", "sample.*", "dataset.*"],
        PLANNER => &["run.*", "plan.*", "task.*", "safety.*"],
        BILLING => &["run.*", "plan.*", "instruction.*"],
        WAREHOUSE => &["labware.*", "sample.*"],
        _ => &["*"],
    };
    let patterns: Result<Vec<EventPattern>, _> = subscribed.iter().map(|it| it.parse()).collect();
    // Plain HTTP for loopback only; `Endpoint::new` requires HTTPS.
    Ok(Endpoint::plain_http(EndpointId::new(partner)?, url, signer)?
        .with_subscription(Subscription::all().event_types(patterns?))
        .with_retry(retry_policy(partner)))
}

/// Returns the registry of all partners. `urls` are in the order of [`ALL`].
pub fn registry(urls: &[String], now: Timestamp) -> anyhow::Result<Registry> {
    let mut registry = Registry::new();
    for (partner, url) in ALL.iter().zip(urls) {
        registry.insert(endpoint(partner, url, now)?)?;
    }
    Ok(registry)
}
