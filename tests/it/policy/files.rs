//! Policies in configuration files: durations as text, and what must not pass silently.

use std::num::NonZeroU32;
use std::time::Duration;

use labhook::delivery::{Jitter, Schedule};
use labhook::flow::RateLimitPolicy;
use labhook::{EndpointPolicy, FlowPolicy, HealthPolicy, Order, RetryPolicy};
use proptest::prelude::*;
use serde::Deserialize;

use crate::support::{config, secs};

fn json(file: &str) -> Result<EndpointPolicy, String> {
    serde_json::from_str(file).map_err(|error| error.to_string())
}

fn toml(file: &str) -> Result<EndpointPolicy, String> {
    toml::from_str(file).map_err(|error| error.message().to_owned())
}

/// The same policy, with durations as text and as milliseconds.
const TEXT: &str = r#"
    [retry]
    schedule = { delays = ["5s", "5m", "1h 30m"], then = "repeat_last" }
    jitter = { added = { percent = 10, min = "2s", max = "15m" } }
    attempt_timeout = "20s"
    window = "3d"
    retry_after_cap = "10m"
    [health]
    refused_for = "1m"
    first_probe = "5s"
    longest_wait = "10m"
    shed_after = "1d"
    disable_after = "7d"
    [flow]
    rate_limit = { releases = 100, per = "1m" }
    adaptive_rate = { slowest = "10s" }
    [order]
    scope = "per_key"
    skip_after = "10m"
"#;

const MILLIS: &str = r#"{
    "retry": {
        "schedule": {"delays_ms": [5000, 300000, 5400000], "then": "repeat_last"},
        "jitter": {"added": {"percent": 10, "min_ms": 2000, "max_ms": 900000}},
        "attempt_timeout_ms": 20000, "window_ms": 259200000, "retry_after_cap_ms": 600000
    },
    "health": {
        "refused_for_ms": 60000, "first_probe_ms": 5000, "longest_wait_ms": 600000,
        "shed_after_ms": 86400000, "disable_after_ms": 604800000
    },
    "flow": {
        "rate_limit": {"releases": 100, "per_ms": 60000}, "adaptive_rate": {"slowest_ms": 10000}
    },
    "order": {"scope": "per_key", "skip_after_ms": 600000}
}"#;

#[test]
fn durations_are_text_or_milliseconds() {
    assert_eq!(toml(TEXT), json(MILLIS));
    assert_eq!(toml(TEXT).unwrap().retry.window(), Some(secs(3 * 86_400)));
    let exponential = r#"retry.schedule.exponential = { base = "1s", factor = 2, cap = "1m" }"#;
    let base = r#"{"retry": {"schedule": {"exponential":
        {"base_ms": 1000, "factor": 2, "cap_ms": 60000}}}}"#;
    assert_eq!(toml(exponential), json(base));
    let decorrelated = r#"retry.jitter.decorrelated = { base = "1s", cap = "1m" }"#;
    let base = r#"{"retry": {"jitter": {"decorrelated": {"base_ms": 1000, "cap_ms": 60000}}}}"#;
    assert_eq!(toml(decorrelated), json(base));
}

#[test]
fn duration_of_an_unclear_unit_is_refused() {
    for (file, error) in [
        (r#"{"retry": {"window": 5}}"#, "a duration as text, such as `90s`, or milliseconds"),
        (r#"{"retry": {"window": "5"}}"#, "`5` is not a duration such as `90s`"),
        (r#"{"retry": {"window_ms": "5s"}}"#, "invalid type: string \"5s\", expected u64"),
        (r#"{"retry": {"window": "1d", "window_ms": 5}}"#, "duplicate field `window_ms`"),
        (r#"{"retry": {"windw": "1d"}}"#, "unknown field `windw`"),
        (r#"{"retry": {"schedule": {"delays": ["5s", 5]}}}"#, "a duration as text"),
        (r#"{"retry": {"attempt_timeout": "none"}}"#, "invalid type: string \"none\""),
    ] {
        let refused = json(file).unwrap_err();
        assert!(refused.contains(error), "{file}: {refused}");
    }
}

#[test]
fn none_lifts_a_limit_in_formats_without_null() {
    let lifted = r#"
        retry = { preset = "svix", window = "none", max_attempts = "none" }
        health = { failures = "none", shed_after = "none", disable_after_ms = "none" }
        flow = { rate_limit = "none", adaptive_rate = "none" }
    "#;
    let null = r#"{
        "retry": {"preset": "svix", "window_ms": null, "max_attempts": null},
        "health": {"failures": null, "shed_after": null, "disable_after_ms": null},
        "flow": {"rate_limit": null, "adaptive_rate": null}
    }"#;
    let read = toml(lifted).unwrap();
    assert_eq!(Ok(read.clone()), json(null));
    assert_eq!((read.retry.window(), read.health.disable_after()), (None, None));
    assert!(read.flow.adaptive_rate().is_none());
}

#[test]
fn skipping_needs_a_scope() {
    for skip in [r#"{"skip_after_attempts": 3}"#, r#"{"scope": "none", "skip_after": "1h"}"#] {
        let refused = json(&format!("{{\"order\": {skip}}}")).unwrap_err();
        assert!(refused.contains("nothing is skipped without a `scope`"), "{refused}");
    }
}

#[test]
fn array_is_no_table() {
    for file in [
        "[]",
        r#"{"order": ["strict"]}"#,
        r#"{"retry": []}"#,
        r#"{"flow": {"rate_limit": [100, 60000, 1]}}"#,
        r#"{"flow": {"concurrency": [8, 256]}}"#,
        r#"{"retry": {"schedule": {"exponential": [1000, 2, 60000]}}}"#,
        r#"{"retry": {"jitter": {"added": [10, 0, 5]}}}"#,
        r#"{"retry": {"jitter": {"plus_minus": [10]}}}"#,
    ] {
        let refused = json(file).unwrap_err();
        assert!(refused.contains("invalid type: sequence"), "{file}: {refused}");
    }
}

#[test]
fn typo_behind_flatten_is_refused() {
    #[derive(Debug, Deserialize)]
    struct Row {
        url: String,
        #[serde(flatten)]
        policy: EndpointPolicy,
    }
    let row = |file| serde_json::from_str::<Row>(file).map_err(|error| error.to_string());
    let good = row(r#"{"url": "u", "order": {"scope": "strict"}, "retry": {"window": "1d"}}"#);
    let good = good.unwrap();
    assert_eq!((&*good.url, good.policy.order), ("u", Order::strict()));
    assert_eq!(good.policy.retry.window(), Some(secs(86_400)));
    let refused = row(r#"{"url": "u", "ordr": {"scope": "strict"}}"#).unwrap_err();
    assert!(refused.contains("unknown field `ordr`"), "{refused}");
}

fn policies() -> impl Strategy<Value = EndpointPolicy> {
    let retry = (0..6_usize, any::<bool>(), any::<bool>(), 1..100_u8).prop_map(
        |(preset, window, attempts, percent)| {
            let mut policy = match preset {
                0 => RetryPolicy::svix(),
                1 => RetryPolicy::strike(),
                2 => RetryPolicy::new(Schedule::list([secs(1), secs(5)])),
                3 => RetryPolicy::standard_webhooks().with_jitter(Jitter::FULL),
                4 => RetryPolicy::outpost(),
                _ => RetryPolicy::default().with_jitter(Jitter::plus_minus(percent)),
            };
            if window {
                policy = policy.with_window(secs(3_600));
            }
            if attempts {
                policy = policy.with_max_attempts(NonZeroU32::MIN);
            }
            policy
        },
    );
    let health = prop_oneof![
        Just(HealthPolicy::never()),
        Just(HealthPolicy::default()),
        Just(HealthPolicy::default().with_shed_after(secs(60)).with_disable_after(None)),
    ];
    let limit = RateLimitPolicy::per_second(NonZeroU32::MIN);
    let flow = prop_oneof![
        Just(FlowPolicy::fixed()),
        Just(FlowPolicy::adaptive()),
        Just(FlowPolicy::fixed().with_rate_limit(limit)),
    ];
    let order = prop_oneof![
        Just(Order::none()),
        Just(Order::strict().with_skip_after(Duration::from_millis(7))),
    ];
    (retry, health, flow, order).prop_map(|(retry, health, flow, order)| {
        EndpointPolicy::new(retry).with_health(health).with_flow(flow).with_order(order)
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_policy_survives_json_and_toml(policy in policies()) {
        let written = serde_json::to_string(&policy).unwrap();
        prop_assert_eq!(json(&written), Ok(policy.clone()));
        let written = toml::to_string(&policy).unwrap();
        prop_assert_eq!(toml(&written), Ok(policy), "{}", written);
    }
}
