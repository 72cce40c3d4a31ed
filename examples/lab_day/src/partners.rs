//! Whom the scheduler tells: seven systems, each with its own signature, policy and wishes.
//!
//! An [`Endpoint`] holds a URL and secrets, so it is not in the saved state: the host makes it from
//! its own configuration at every start, and the records name it by id. Here the configuration is
//! this file.

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

/// How long the dashboard, which sometimes hangs, is waited for.
pub const DASHBOARD_TIMEOUT: Duration = Duration::from_millis(300);

/// When the scheduler begins to sign with the warehouse's new secret beside the old one, and when
/// it stops signing with the old one.
const ROTATION: [Timestamp; 2] = [day::at(11, 0), day::at(15, 0)];

/// How far the rotation of the warehouse's secret has come at this time.
pub fn rotation_stage(now: Timestamp) -> usize {
    ROTATION.iter().filter(|start| **start <= now).count()
}

/// The secret that is shared with a partner. `old` is the one from before the rotation, which only
/// the warehouse's goes through.
pub fn secret(partner: &str, old: bool) -> anyhow::Result<Secret> {
    let year = if old { 2025 } else { 2026 };
    Ok(Secret::from_text(&format!("{partner}-{year}-not-a-real-secret"))?)
}

/// How stubbornly a partner is told.
pub fn policy(partner: &str) -> RetryPolicy {
    match partner {
        ELN => RetryPolicy::svix(),
        DASHBOARD => RetryPolicy::standard_webhooks().with_attempt_timeout(DASHBOARD_TIMEOUT),
        ARCHIVE => RetryPolicy::outpost(),
        BILLING => RetryPolicy::strike(),
        _ => RetryPolicy::standard_webhooks(),
    }
}

/// A partner as it is configured at this time.
pub fn endpoint(partner: &str, url: &str, now: Timestamp) -> anyhow::Result<Endpoint> {
    let current = secret(partner, false)?;
    let signer = match partner {
        ELN => Signer::svix(current),
        BILLING => Signer::strike(current),
        WAREHOUSE => match rotation_stage(now) {
            0 => Signer::standard_webhooks(secret(partner, true)?),
            // Both, so that the warehouse may change over whenever it likes.
            1 => Signer::standard_webhooks(current).add_secret(secret(partner, true)?),
            _ => Signer::standard_webhooks(current),
        },
        _ => Signer::standard_webhooks(current),
    };
    let wishes: &[&str] = match partner {
        ELN => &["run.*", "instruction.*", "sample.*", "dataset.*"],
        PLANNER => &["run.*", "plan.*", "task.*", "safety.*"],
        BILLING => &["run.*", "plan.*", "instruction.*"],
        WAREHOUSE => &["labware.*", "sample.*"],
        _ => &["*"],
    };
    let patterns: Result<Vec<EventPattern>, _> = wishes.iter().map(|it| it.parse()).collect();
    // Loopback; beyond it, `Endpoint::new` demands HTTPS.
    Ok(Endpoint::plain_http(EndpointId::new(partner)?, url, signer)?
        .with_subscription(Subscription::all().event_types(patterns?))
        .with_retry(policy(partner)))
}

/// All partners; `urls` are in the order of [`ALL`].
pub fn registry(urls: &[String], now: Timestamp) -> anyhow::Result<Registry> {
    let mut registry = Registry::new();
    for (partner, url) in ALL.iter().zip(urls) {
        registry.insert(endpoint(partner, url, now)?)?;
    }
    Ok(registry)
}
