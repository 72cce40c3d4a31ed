//! Presets, spans, and policies in files.

use std::num::NonZeroU32;

use super::*;

const NAMES: [&str; 8] =
    ["standard_webhooks", "svix", "strike", "hook0", "outpost", "event_grid", "shopware", "none"];

fn read(json: &str) -> Result<RetryPolicy, String> {
    serde_json::from_str(json).map_err(|error| {
        let text = error.to_string();
        let end = text.find(" at line").unwrap_or(text.len());
        text[..end].to_owned()
    })
}

fn hms(hours: u64, minutes: u64, seconds: u64) -> Duration {
    Duration::from_secs(hours * 3_600 + minutes * 60 + seconds)
}

#[test]
fn preset_spans_match_the_published_ones() {
    for (schedule, retries, total) in [
        (Schedule::STANDARD_WEBHOOKS, 9, hms(75, 35, 5)),
        (Schedule::SVIX, 7, hms(27, 35, 5)),
        (Schedule::STRIKE, 12, Duration::from_secs(797_160)),
        (Schedule::HOOK0, 24, hms(7 * 24 + 11, 33, 13)),
        (Schedule::OUTPOST, 10, hms(8, 31, 30)),
        (Schedule::SHOPWARE, 5, hms(4, 35, 35)),
        (Schedule::NONE, 0, Duration::ZERO),
    ] {
        assert_eq!(schedule.retries(), Some(retries), "{schedule:?}");
        assert_eq!(schedule.total(), Some(total), "{schedule:?}");
        assert_eq!(schedule.delay(retries + 1), None);
    }
    assert_eq!(Schedule::EVENT_GRID.total(), None);
    assert_eq!(Schedule::STRIKE.delay(5), Some(Duration::from_secs(243)));
    assert_eq!(Schedule::OUTPOST.delay(10), Some(Duration::from_secs(15_360)));
}

#[test]
fn span_is_the_longest_path_to_the_last_deadline() {
    // Strike's seven waits from 3 s to 2187 s are below the `Retry-After` cap, and count as an hour
    // each.
    let waits: u64 = 7 * 3_600 + 6_561 + 19_683 + 59_049 + 177_147 + 531_441;
    assert_eq!(RetryPolicy::strike().span(), Duration::from_secs(waits + 13 * 5));
    assert_eq!(
        RetryPolicy::strike().with_retry_after_cap(Duration::ZERO).span(),
        Duration::from_secs(797_160 + 13 * 5)
    );
    let ignoring = RetryPolicy::svix().with_retry_after_cap(Duration::ZERO);
    assert_eq!(
        ignoring.span(),
        Duration::from_secs((27 * 3_600 + 35 * 60 + 5) * 120 / 100 + 8 * 15)
    );
    assert_eq!(RetryPolicy::none().span(), Duration::from_secs(10));
    assert_eq!(RetryPolicy::event_grid().span(), hms(24, 0, 30));
    let endless = RetryPolicy::new(Schedule::STRIKE.forever());
    assert_eq!(endless.span(), Duration::MAX);
    let limited =
        endless.with_max_attempts(NonZeroU32::new(3)).with_retry_after_cap(Duration::ZERO);
    assert_eq!(limited.span(), Duration::from_secs(3 + 9 + 60));
    assert_eq!(
        limited.with_max_attempts(NonZeroU32::MAX).with_attempt_timeout(Duration::MAX).span(),
        Duration::MAX
    );
}

#[test]
fn policy_round_trips_and_reads_by_name() {
    for name in NAMES {
        let policy = RetryPolicy::named(name).unwrap();
        let json = serde_json::to_string(&policy).unwrap();
        assert_eq!(read(&json).unwrap(), policy, "{json}");
        assert_eq!(read(&format!("\"{name}\"")).unwrap(), policy);
        assert_eq!(read(&format!(r#"{{"preset":"{name}"}}"#)).unwrap(), policy);
        let schedule: Schedule = serde_json::from_str(&format!("\"{name}\"")).unwrap();
        assert_eq!(&schedule, policy.schedule());
    }
    assert_eq!(read("{}").unwrap(), RetryPolicy::default());
    for name in ["standard_webhooks", "svix", "strike", "event_bridge", "event_grid", "shopware"] {
        let table: ResponseRules = serde_json::from_str(&format!("\"{name}\"")).unwrap();
        let json = serde_json::to_string(&table).unwrap();
        assert_eq!(serde_json::from_str::<ResponseRules>(&json).unwrap(), table);
    }
}

#[test]
fn policy_file_parses_to_the_same_policy() {
    let policy = read(
        r#"{
            "preset": "event_grid",
            "schedule": {"exponential": {"base_ms": 3000, "factor": 3, "cap_ms": 60000}},
            "jitter": {"added": {"percent": 10, "min_ms": 2000, "max_ms": 900000}},
            "attempt_timeout_ms": 8000,
            "window_ms": null,
            "max_attempts": 4,
            "retry_after_cap_ms": 0,
            "responses": {"2xx": "deliver", "410": "disable", "501": "fail", "other": "retry"},
            "guarantee": "at_most_once"
        }"#,
    )
    .unwrap();
    let base = Schedule::exponential(ms(3_000), 3, ms(60_000), 1).forever();
    let responses = ResponseRules::new()
        .with_status(StatusCode::GONE, ResponseAction::Disable)
        .with_status(StatusCode::NOT_IMPLEMENTED, ResponseAction::Fail);
    let made = RetryPolicy::new(base)
        .with_jitter(Jitter::added(10, ms(2_000), ms(900_000)))
        .with_attempt_timeout(ms(8_000))
        .with_max_attempts(NonZeroU32::new(4))
        .with_retry_after_cap(Duration::ZERO)
        .with_responses(responses)
        .with_guarantee(DeliveryGuarantee::AtMostOnce);
    assert_eq!(policy, made);
    assert_eq!(
        serde_json::to_string(&RetryPolicy::svix()).unwrap(),
        concat!(
            r#"{"schedule":{"delays_ms":[5000,300000,1800000,7200000,18000000,36000000,36000000],"#,
            r#""then":"stop"},"jitter":{"plus_minus":{"percent":20}},"attempt_timeout_ms":15000,"#,
            r#""window_ms":"none","max_attempts":"none","retry_after_cap_ms":3600000,"#,
            r#""responses":{"410":"disable","2xx":"deliver","other":"retry"},"#,
            r#""guarantee":"at_least_once"}"#
        )
    );
}

#[test]
fn policy_errors_have_exact_texts() {
    for (json, text) in [
        (
            r#""stripe""#,
            concat!(
                "unknown preset `stripe`, expected one of `standard_webhooks`, `svix`, ",
                "`strike`, `hook0`, `outpost`, `event_grid`, `shopware`, `none`"
            ),
        ),
        (
            r#"{"preset":"stripe"}"#,
            concat!(
                "unknown preset `stripe`, expected one of `standard_webhooks`, `svix`, ",
                "`strike`, `hook0`, `outpost`, `event_grid`, `shopware`, `none`"
            ),
        ),
        (r#"{"attempt_timeout_ms":0}"#, "`attempt_timeout_ms` must be at least 1"),
        (r#"{"window_ms":0}"#, "`window_ms` must be at least 1, or `none` for no window"),
        (
            r#"{"schedule":{}}"#,
            concat!(
                "`schedule` must have either `delays_ms`, optionally with `then`, or ",
                "`exponential`"
            ),
        ),
        (
            r#"{"schedule":{"delays_ms":[],"then":"repeat_last"}}"#,
            "`delays_ms` must not be empty if `then` is `repeat_last`",
        ),
        (
            r#"{"schedule":{"delays_ms":[1,0],"then":"repeat_last"}}"#,
            "the last of `delays_ms` must be at least 1 if `then` is `repeat_last`",
        ),
        (
            r#"{"schedule":{"exponential":{"base_ms":1,"factor":0,"cap_ms":1}}}"#,
            "`factor` of an exponential schedule must be at least 1",
        ),
        (
            r#"{"schedule":{"exponential":{"base_ms":0,"factor":2,"cap_ms":1}}}"#,
            "`base_ms` and `cap_ms` of an exponential schedule must be at least 1",
        ),
        (
            r#"{"jitter":{"plus_minus":{"percent":101}}}"#,
            "`percent` of a `plus_minus` jitter must be at most 100, not 101",
        ),
        (
            r#"{"jitter":{"added":{"percent":1,"min_ms":2,"max_ms":1}}}"#,
            "`min_ms` of an `added` jitter must be at most its `max_ms` of 1, not 2",
        ),
        (
            r#"{"jitter":{"decorrelated":{"base_ms":2,"cap_ms":1}}}"#,
            "`base_ms` of a `decorrelated` jitter must be at most its `cap_ms` of 1, not 2",
        ),
        (
            r#"{"responses":{"1xx":"retry"}}"#,
            concat!(
                "unknown status `1xx` in `responses`, expected a status code, `2xx`, ",
                "`3xx`, `4xx`, `5xx` or `other`"
            ),
        ),
        (r#"{"responses":{"404":"retry","404":"fail"}}"#, "duplicate status `404` in `responses`"),
        (
            r#"{"responses":"hook0"}"#,
            concat!(
                "unknown preset `hook0`, expected one of `standard_webhooks`, `svix`, ",
                "`strike`, `event_bridge`, `event_grid`, `shopware`"
            ),
        ),
    ] {
        assert_eq!(read(json).unwrap_err(), text, "{json}");
    }
    for refused in [
        r#"{"timeout_ms":1}"#,
        r#"{"max_attempts":0}"#,
        r#"{"attempt_timeout_ms":-1}"#,
        r#"{"attempt_timeout_ms":1.5}"#,
        r#"{"schedule":{"delays_ms":[1],"repeat":true}}"#,
        r#"{"schedule":{"delays_ms":[1],"exponential":{"base_ms":1,"factor":1,"cap_ms":1}}}"#,
        r#"{"jitter":{"added":{"percent":1,"min_ms":2,"max_ms":3,"mode":4}}}"#,
        r#"{"responses":{"404":"forget"}}"#,
        r#"{"guarantee":"maybe"}"#,
        "7",
    ] {
        assert!(read(refused).is_err(), "{refused}");
    }
}

#[test]
fn setters_clamp_contradictory_values() {
    let policy = RetryPolicy::new(Schedule::exponential(Duration::ZERO, 0, Duration::ZERO, 2))
        .with_attempt_timeout(Duration::ZERO)
        .with_window(Duration::ZERO)
        .with_jitter(Jitter::decorrelated(ms(9), ms(5)));
    assert_eq!(policy.attempt_timeout(), ms(1));
    assert_eq!(policy.window(), Some(ms(1)));
    assert_eq!(policy.jitter(), &Jitter::decorrelated(ms(5), ms(5)));
    assert_eq!(Jitter::plus_minus(200), Jitter::plus_minus(100));
    assert_eq!(Jitter::added(1, ms(9), ms(5)), Jitter::added(1, ms(5), ms(5)));
    assert_eq!(Schedule::list([]).forever(), Schedule::NONE);
    for policy in [policy, RetryPolicy::none(), RetryPolicy::hook0().with_window(Duration::MAX)] {
        let json = serde_json::to_string(&policy).unwrap();
        assert_eq!(read(&json).unwrap(), policy, "{json}");
    }
    // Rounded up, so that nothing comes earlier than asked for.
    assert_eq!(Schedule::list([Duration::from_micros(1_001)]).delay(1), Some(ms(2)));
}

#[test]
fn most_specific_response_rule_applies() {
    let shopware = ResponseRules::shopware();
    for (status, reaction) in [
        (200, ResponseAction::Deliver),
        (302, ResponseAction::Retry),
        (400, ResponseAction::Fail),
        (401, ResponseAction::Fail),
        (404, ResponseAction::Retry),
        (410, ResponseAction::Disable),
        (429, ResponseAction::Retry),
        (500, ResponseAction::Retry),
        (100, ResponseAction::Retry),
        (999, ResponseAction::Retry),
    ] {
        let code = StatusCode::from_u16(status).unwrap();
        assert_eq!(shopware.action(code), reaction, "{status}");
    }
    let bridge = ResponseRules::event_bridge();
    for (status, reaction) in [
        (204, ResponseAction::Deliver),
        (301, ResponseAction::Fail),
        (401, ResponseAction::Retry),
        (404, ResponseAction::Fail),
        (429, ResponseAction::Retry),
        (503, ResponseAction::Retry),
    ] {
        let code = StatusCode::from_u16(status).unwrap();
        assert_eq!(bridge.action(code), reaction, "{status}");
    }
}

#[test]
fn delays_saturate_and_sums_are_constant_time() {
    let longest = Schedule::exponential(Duration::MAX, u32::MAX, Duration::MAX, u32::MAX);
    assert_eq!(longest.delay(u32::MAX), Some(ms(u64::MAX)));
    assert!(longest.total().unwrap() > ms(u64::MAX));
    let even = Schedule::exponential(ms(5), 1, ms(9), u32::MAX);
    assert_eq!(even.total(), Some(ms(5).saturating_mul(u32::MAX)));
    assert_eq!(even.delay(0), None);
    assert_eq!(even.delay(u32::MAX), Some(ms(5)));
    assert_eq!(Schedule::list([ms(1), ms(2)]).forever().sum(5), ms(1 + 4 * 2));
}
