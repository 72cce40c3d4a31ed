//! The file form of a flow policy, and the saved form of a flow.

use std::time::Duration;

use labhook::flow::{
    AdaptiveRatePolicy, ConcurrencyLimitPolicy, Flow, FlowPolicy, FlowPolicyError, RateLimitPolicy,
};

use super::nz;

fn read(text: &str) -> Result<FlowPolicy, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn preset_is_written_with_every_field() {
    let fixed = r#"{"concurrency":{"max":8},"rate_limit":"none","adaptive_rate":"none"}"#;
    let adaptive = concat!(
        r#"{"concurrency":{"min":8,"max":256},"rate_limit":"none","#,
        r#""adaptive_rate":{"slowest_ms":10000}}"#,
    );
    for (name, policy, text) in
        [("fixed", FlowPolicy::fixed(), fixed), ("adaptive", FlowPolicy::adaptive(), adaptive)]
    {
        assert_eq!(FlowPolicy::named(name), Some(policy));
        assert_eq!(serde_json::to_string(&policy).unwrap(), text);
        assert_eq!(read(text).unwrap(), policy);
        assert_eq!(read(&format!("\"{name}\"")).unwrap(), policy);
        assert_eq!(read(&format!(r#"{{"preset": "{name}"}}"#)).unwrap(), policy);
    }
    assert_eq!(FlowPolicy::default(), FlowPolicy::adaptive());
    assert_eq!(read("{}").unwrap(), FlowPolicy::default());
}

#[test]
fn fields_replace_those_of_the_preset() {
    let text = r#"{
        "preset": "adaptive",
        "concurrency": {"max": 3},
        "rate_limit": {"releases": 100, "per_ms": 60000, "burst": 10},
        "adaptive_rate": null
    }"#;
    let rate = RateLimitPolicy::new(nz(100), Duration::from_secs(60)).with_burst(nz(10));
    let policy = FlowPolicy::fixed()
        .with_concurrency(ConcurrencyLimitPolicy::fixed(nz(3)))
        .with_rate_limit(rate);
    assert_eq!(read(text).unwrap(), policy);
    assert_eq!(read(&serde_json::to_string(&policy).unwrap()).unwrap(), policy);
    assert_eq!(policy.rate_limit(), Some(&rate));
    assert_eq!(policy.adaptive_rate(), None);
}

#[test]
fn invalid_value_has_its_error() {
    for (text, error) in [
        (r#""fast""#, "unknown preset `fast`, expected one of `fixed`, `adaptive`"),
        (r#"{"preset": ""}"#, "unknown preset ``, expected one of `fixed`, `adaptive`"),
        (
            r#"{"concurrency": {"min": 9, "max": 8}}"#,
            "`min` must be at most `max`, which is 8, got 9",
        ),
        (
            r#"{"rate_limit": {"releases": 1, "per_ms": 0}}"#,
            "`per_ms` must be between 1 and 86400000, got 0",
        ),
        (
            r#"{"adaptive_rate": {"slowest_ms": 86400001}}"#,
            "`slowest_ms` must be between 1 and 86400000, got 86400001",
        ),
        (r#"{"concurrency": {"max": 0}}"#, "`max` must be at least 1"),
        (r#"{"concurrency": {"min": 0, "max": 1}}"#, "`min` must be at least 1"),
        (r#"{"rate_limit": {"releases": 0, "per_ms": 1}}"#, "`releases` must be at least 1"),
        (
            r#"{"rate_limit": {"releases": 1, "per_ms": 1, "burst": 0}}"#,
            "`burst` must be at least 1",
        ),
        (r#"{"concurrency": {"initial": 1, "max": 2}}"#, "unknown field `initial`"),
        (r#"{"retry_budget": null}"#, "unknown field `retry_budget`"),
        (r#"{"rate_limit": {"per_ms": 1000}}"#, "missing field `releases`"),
        (r#"{"speed": 1}"#, "unknown field `speed`"),
        ("7", "expected the name of a flow policy preset, or a flow policy table"),
    ] {
        let found = read(text).unwrap_err();
        assert!(found.contains(error), "{found}");
    }
    let error = FlowPolicyError::NotWithinADay { field: "per_ms", millis: 0 };
    assert_eq!(error.to_string(), "`per_ms` must be between 1 and 86400000, got 0");
}

#[test]
fn setters_clamp_to_the_bounds() {
    assert_eq!(AdaptiveRatePolicy::new(Duration::ZERO).slowest(), Duration::from_millis(1));
    assert_eq!(AdaptiveRatePolicy::new(Duration::MAX).slowest(), Duration::from_secs(86_400));
    let limit = ConcurrencyLimitPolicy::adaptive(nz(9), nz(8));
    assert_eq!(limit.min(), Some(nz(8)));
    let rounded = RateLimitPolicy::new(nz(1), Duration::from_micros(1_001));
    assert_eq!(rounded.per(), Duration::from_millis(2));
}

#[test]
fn equal_bounds_of_concurrency_are_valid() {
    let limit = ConcurrencyLimitPolicy::adaptive(nz(8), nz(8));
    let text = r#"{"concurrency": {"min": 8, "max": 8}}"#;
    assert_eq!(read(text), Ok(FlowPolicy::adaptive().with_concurrency(limit)));
}

/// Every later version must read this.
#[test]
fn saved_state_has_this_form() {
    let text = concat!(
        r#"{"in_flight":0,"failing":0,"#,
        r#""pauses":{"answers":0,"refused":0,"granted":0,"patience":2,"useless":false},"#,
        r#""concurrency":{"cut":false,"since":-9223372036854775808,"answers":0,"#,
        r#""quickest":18446744073709551615,"peak":0},"#,
        r#""rate_limit":{"level":0,"cost":1,"at":-9223372036854775808},"#,
        r#""adaptive_rate":{"ceiling":0,"refused":0,"step":6,"stable":0,"clean":0,"#,
        r#""hold":64,"held":0,"excused":0,"proved":0,"rest":0,"left":0,"sample":{"since":-9223372036854775808,"#,
        r#""last_start":-9223372036854775808,"starts":0,"active":0,"answers":0,"refused":0,"#,
        r#""first_refused":0,"last_refused":0},"#,
        r#""spacing":{"level":0,"cost":1,"at":-9223372036854775808}}}"#,
    );
    assert_eq!(serde_json::to_string(&Flow::new()).unwrap(), text);
    assert_eq!(serde_json::from_str::<Flow>(text).unwrap(), Flow::default());
}
