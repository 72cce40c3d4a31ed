//! A flow policy as it stands in a file.

use std::num::NonZeroU32;
use std::time::Duration;

use labhook::flow::{
    AdaptiveRatePolicy, ConcurrencyLimitPolicy, Flow, FlowPolicy, FlowPolicyError, RateLimitPolicy,
    RetryBudgetPolicy,
};

fn nz(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

fn read(text: &str) -> Result<FlowPolicy, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn presets_are_written_in_full() {
    let unlimited = concat!(
        r#"{"window":{"max":8},"rate":null,"pace":null,"retry_budget":null,"#,
        r#""hold_cap_ms":3600000}"#,
    );
    let adaptive = concat!(
        r#"{"window":{"initial":8,"max":64},"rate":null,"pace":{"slowest_ms":10000},"#,
        r#""retry_budget":{"percent":20,"trickle_ms":1000,"saved":100},"hold_cap_ms":3600000}"#,
    );
    for (name, policy, text) in
        [("fixed", FlowPolicy::fixed(), unlimited), ("adaptive", FlowPolicy::adaptive(), adaptive)]
    {
        assert_eq!(serde_json::to_string(&policy).unwrap(), text);
        assert_eq!(read(text).unwrap(), policy);
        assert_eq!(read(&format!("\"{name}\"")).unwrap(), policy);
        assert_eq!(read(&format!(r#"{{"preset": "{name}"}}"#)).unwrap(), policy);
    }
    assert_eq!(FlowPolicy::default(), FlowPolicy::adaptive());
    assert_eq!(read("{}").unwrap(), FlowPolicy::default());
}

#[test]
fn members_replace_those_of_the_preset() {
    let text = r#"{
        "preset": "adaptive",
        "window": {"max": 3},
        "rate": {"releases": 100, "per_ms": 60000, "burst": 10},
        "pace": null,
        "retry_budget": {"percent": 0, "trickle_ms": 5},
        "hold_cap_ms": 0
    }"#;
    let rate = RateLimitPolicy::new(nz(100), Duration::from_secs(60)).with_burst(nz(10));
    let policy = FlowPolicy::fixed()
        .with_concurrency(ConcurrencyLimitPolicy::fixed(nz(3)))
        .with_rate_limit(rate)
        .with_retry_budget(RetryBudgetPolicy::new(0, Duration::from_millis(5)))
        .with_hold_cap(Duration::ZERO);
    assert_eq!(read(text).unwrap(), policy);
    assert_eq!(read(&serde_json::to_string(&policy).unwrap()).unwrap(), policy);
    assert_eq!(policy.rate_limit(), Some(&rate));
    assert_eq!((policy.adaptive_rate(), policy.hold_cap()), (None, Duration::ZERO));
}

#[test]
fn contradictions_are_refused() {
    for (text, error) in [
        (r#""fast""#, "there is no preset named `fast`, only fixed and adaptive"),
        (r#"{"preset": ""}"#, "there is no preset named ``, only fixed and adaptive"),
        (
            r#"{"window": {"initial": 9, "max": 8}}"#,
            "the window starts at 9, over its maximum of 8",
        ),
        (
            r#"{"rate": {"releases": 1, "per_ms": 0}}"#,
            "a time of 0 ms is not between 1 ms and a day",
        ),
        (
            r#"{"pace": {"slowest_ms": 86400001}}"#,
            "a time of 86400001 ms is not between 1 ms and a day",
        ),
        (
            r#"{"retry_budget": {"percent": 20, "trickle_ms": 0}}"#,
            "a time of 0 ms is not between 1 ms and a day",
        ),
        (r#"{"window": {"max": 0}}"#, "invalid value: integer `0`, expected a nonzero u32"),
        (r#"{"window": {"min": 1, "max": 2}}"#, "unknown field `min`"),
        (r#"{"rate": {"per_ms": 1000}}"#, "missing field `releases`"),
        (r#"{"speed": 1}"#, "unknown field `speed`"),
        ("7", "expected the name of a flow policy or its table"),
    ] {
        let found = read(text).unwrap_err();
        assert!(found.contains(error), "{found}");
    }
    let error = FlowPolicyError::NotWithinADay { millis: 0 };
    assert_eq!(error.to_string(), "a time of 0 ms is not between 1 ms and a day");
}

#[test]
fn code_is_held_within_the_bounds() {
    assert_eq!(AdaptiveRatePolicy::new(Duration::ZERO).slowest(), Duration::from_millis(1));
    assert_eq!(AdaptiveRatePolicy::new(Duration::MAX).slowest(), Duration::from_secs(86_400));
    assert_eq!(RetryBudgetPolicy::new(1, Duration::ZERO).min_interval(), Duration::from_millis(1));
    let window = ConcurrencyLimitPolicy::adaptive(nz(9), nz(8));
    assert_eq!(window.initial(), Some(nz(8)));
    let rounded = RateLimitPolicy::new(nz(1), Duration::from_micros(1_001));
    assert_eq!(rounded.per(), Duration::from_millis(2));
}

/// What is saved today is read by every later version.
#[test]
fn a_state_is_saved_as_it_was() {
    let text = concat!(
        r#"{"in_flight":0,"held_until":-9223372036854775808,"#,
        r#""window":{"limit":null,"threshold":4294967295,"credit":0,"peak":0,"left":0,"#,
        r#""fell_at":-9223372036854775808},"#,
        r#""rate":{"level":0,"cost":1,"at":-9223372036854775808},"#,
        r#""pace":{"rate":null,"ceiling":0,"step":0,"fell_at":-9223372036854775808,"#,
        r#""since":-9223372036854775808,"successes":0,"refusals":0,"before":0,"#,
        r#""spacing":{"level":0,"cost":1,"at":-9223372036854775808}},"#,
        r#""budget":{"credit":0,"trickle":{"level":0,"cost":1,"at":-9223372036854775808}}}"#,
    );
    assert_eq!(serde_json::to_string(&Flow::new()).unwrap(), text);
    assert_eq!(serde_json::from_str::<Flow>(text).unwrap(), Flow::default());
}
