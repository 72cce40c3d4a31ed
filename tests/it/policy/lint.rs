//! The linter: findings, presets, and the summary.

use std::num::NonZeroU32;
use std::time::Duration;

use http::StatusCode;
use labhook::delivery::{Jitter, ResponseAction, ResponseRules, Schedule};
use labhook::flow::RateLimitPolicy;
use labhook::health::PendingOnDisable;
use labhook::policy::lint::{Assumptions, Finding, Severity};
use labhook::policy::{Load, PolicySummary};
use labhook::{EndpointPolicy, FlowPolicy, HealthPolicy, Order, RetryPolicy};

use super::{DAY, HOUR, count, finds, hard, policies, policy, texts};
use crate::support::{endpoint, secs};

#[test]
fn sound_policy_has_no_findings() {
    let expected = Assumptions::new()
        .with_load(Load::per_second(count(20)))
        .with_outage(secs(600))
        .with_lifetime(secs(DAY));
    finds(&policies(policy()), &expected, &[]);
    let rate = RateLimitPolicy::per_second(count(50));
    let policies = policies(policy().with_window(secs(3 * HOUR)))
        .with_flow(FlowPolicy::adaptive().with_rate_limit(rate));
    finds(&policies, &expected, &[]);
}

#[test]
fn presets_have_only_known_findings() {
    let strike = "contradiction: a failing endpoint is disabled within 7 d 5 s, but \
                  deliveries are retried for 9 d 5 h 27 min 5 s";
    let hook0 = "contradiction: a failing endpoint is disabled within 7 d 20 s, but \
                 deliveries are retried for 7 d 16 h 35 min 55 s";
    let event_grid = "contradiction: the limit of 30 attempts exceeds the 11 that fit in the \
                      retry window of 1 d";
    for (name, what) in [
        ("standard_webhooks", vec![]),
        ("svix", vec![]),
        ("strike", vec![strike]),
        ("hook0", vec![hook0]),
        ("outpost", vec![]),
        ("event_grid", vec![event_grid, "risk: status 410 is retried"]),
        ("shopware", vec![]),
        ("none", vec!["risk: a failed attempt is never retried"]),
    ] {
        finds(&policies(RetryPolicy::named(name).unwrap()), &Assumptions::new(), &what);
    }
}

#[test]
fn summary_computes_the_bounds() {
    let summary = |policy| {
        let PolicySummary { span, attempts, .. } = policies(policy).summary();
        (span.map(|span| span.as_secs()), attempts)
    };
    // 12 waits of 3^n s, the first seven of which Retry-After can extend to an hour, and 13
    // timeouts.
    let strike = 797_160 - 3_279 + 7 * HOUR + 13 * 5;
    assert_eq!(summary(RetryPolicy::strike()), (Some(strike), Some(13)));
    assert_eq!(summary(RetryPolicy::none()), (Some(10), Some(1)));
    assert_eq!(summary(RetryPolicy::event_grid()), (Some(DAY + 30), Some(11)));
    let endless = || RetryPolicy::new(Schedule::list([secs(60)]).forever());
    assert_eq!(summary(endless()), (None, None));
    assert_eq!(summary(endless().with_window(secs(HOUR))), (Some(HOUR + 20), Some(60)));
    let jittered = endless().with_window(secs(HOUR)).with_jitter(Jitter::FULL);
    assert_eq!(summary(jittered), (Some(HOUR + 20), None));

    let health = |health: HealthPolicy| policies(policy()).with_health(health).summary();
    let default = health(HealthPolicy::default()).time_to_disable;
    assert_eq!(default, Some(secs(7 * DAY + 20)));
    assert_eq!(health(HealthPolicy::never()).time_to_disable, None);
}

#[test]
fn endpoint_setters_fill_its_policy() {
    let order = Order::per_key().with_skip_after(secs(60));
    let actual = endpoint("eln").with_order(order).policy;
    let expected = hard(crate::support::policy(&[5, 20])).with_order(order);
    assert_eq!(actual, expected);
}

#[test]
fn first_probe_is_checked_against_the_window() {
    let probes = |seconds| HealthPolicy::default().with_probes(secs(seconds), secs(600));
    let windowed = |seconds| policies(policy().with_window(secs(240))).with_health(probes(seconds));
    let others = [
        "contradiction: the retry window of 4 min allows 1 of 2 retries",
        "risk: the Retry-After cap of 1 h is not shorter than the retry window of 4 min",
    ];
    let what = [
        others[0],
        "contradiction: the first probe comes after 4 min, but the retry window ends after 4 min",
        others[1],
    ];
    finds(&windowed(240), &Assumptions::new(), &what);
    finds(&windowed(239), &Assumptions::new(), &others);
    // Without health there are no probes.
    let never = policies(policy().with_window(secs(240)));
    let never = never.with_health(probes(240).with_failures(None));
    finds(&never, &Assumptions::new(), &others);
}

#[test]
fn window_is_checked_against_the_schedule() {
    let windowed = |hours| policy().with_window(secs(hours * HOUR));
    // The schedule takes 3 attempts of 20 s, and two waits that Retry-After can extend to an hour.
    let what = [
        "note: the retry window of 3 h is longer than the schedule, which takes at most 2 h 1 min",
    ];
    finds(&hard(windowed(3)), &Assumptions::new(), &what);
    finds(&hard(windowed(2)), &Assumptions::new(), &[]);
    // Deliveries that are held back can need it.
    finds(&policies(windowed(3)), &Assumptions::new(), &[]);
    finds(&hard(windowed(3)).with_order(Order::strict()), &Assumptions::new(), &[]);

    let what = ["contradiction: the retry window of 1 d allows 6 of 9 retries"];
    finds(&hard(RetryPolicy::default().with_window(secs(DAY))), &Assumptions::new(), &what);
    // Decorrelated delays are not the schedule's.
    let jitter = Jitter::decorrelated(secs(1), secs(5 * HOUR));
    finds(
        &hard(RetryPolicy::default().with_window(secs(DAY)).with_jitter(jitter)),
        &Assumptions::new(),
        &[],
    );
}

#[test]
fn attempt_limit_is_checked_against_the_schedule() {
    for (limit, what) in [
        (2, Some("contradiction: the limit of 2 attempts is below the schedule's 3")),
        (3, None),
        (4, Some("contradiction: the limit of 4 attempts exceeds the schedule's 3")),
    ] {
        let limited = hard(policy().with_max_attempts(count(limit)));
        finds(&limited, &Assumptions::new(), what.as_slice());
    }
}

#[test]
fn retry_after_cap_is_checked_against_the_window() {
    let capped = policy().with_retry_after_cap(secs(7_200)).with_window(secs(7_200));
    let what = ["risk: the Retry-After cap of 2 h is not shorter than the retry window of 2 h"];
    finds(&policies(capped), &Assumptions::new(), &what);
}

#[test]
fn response_rules_are_checked() {
    let lint =
        |responses| texts(&policies(policy().with_responses(responses)), &Assumptions::new());
    let standard = || ResponseRules::standard_webhooks();
    assert_eq!(
        lint(standard().with_successes(ResponseAction::Retry)),
        [
            "contradiction: no response counts as delivered",
            "contradiction: status 200 is retried, although it is a success",
        ]
    );
    assert_eq!(
        lint(standard().with_status(StatusCode::ACCEPTED, ResponseAction::Retry)),
        ["contradiction: status 202 is retried, although it is a success"]
    );
    assert_eq!(
        lint(standard().with_server_errors(ResponseAction::Deliver)),
        ["risk: status 500 counts as delivered"]
    );
    assert_eq!(lint(ResponseRules::new()), ["risk: status 410 is retried"]);
}

#[test]
fn endless_retries_and_holds_are_reported() {
    let endless = || policy().with_schedule(Schedule::list([secs(60)]).forever());
    finds(&policies(endless()), &Assumptions::new(), &["risk: retries never end"]);
    finds(&policies(endless().with_window(secs(DAY))), &Assumptions::new(), &[]);

    let never = [
        HealthPolicy::default().with_disable_after(None),
        HealthPolicy::default().with_pending_on_disable(PendingOnDisable::Keep),
    ];
    for health in never {
        let held = policies(policy()).with_health(health);
        finds(
            &held,
            &Assumptions::new(),
            &["risk: deliveries can wait for a failing endpoint forever"],
        );
        let windowed = policies(policy().with_window(secs(DAY))).with_health(health);
        finds(&windowed, &Assumptions::new(), &[]);
    }
    let health = HealthPolicy::default().with_disable_after(secs(HOUR));
    finds(
        &policies(RetryPolicy::svix()).with_health(health),
        &Assumptions::new(),
        &["contradiction: a failing endpoint is disabled within 1 h 15 s, but deliveries are \
           retried for 1 d 9 h 8 min 6 s"],
    );
}

const HIDES: &str = "note: 20 messages in a row open the circuit, but in strict order one is tried \
                     at a time";

#[test]
fn long_head_of_line_blocking_is_reported() {
    const BLOCKING: &str = "risk: head-of-line blocking: one message can block all others";
    let strict = format!("{BLOCKING} for 3 d 3 h 38 min 25 s");
    let per_key = format!("{BLOCKING} with its key for 3 d 3 h 38 min 25 s");
    for (order, what, short) in [
        (Order::none(), vec![], vec![]),
        (Order::strict(), vec![&*strict, HIDES], vec![HIDES]),
        (Order::per_key(), vec![&*per_key], vec![]),
        (Order::strict().with_skip_after(secs(60)), vec![], vec![]),
        (Order::strict().with_skip_after_attempts(count(3)), vec![], vec![]),
    ] {
        let policies = policies(RetryPolicy::default()).with_order(order);
        finds(&policies, &Assumptions::new(), &what);
        // A quarter of an hour is not reported.
        finds(&self::policies(policy()).with_order(order), &Assumptions::new(), &short);
    }
    let endless = RetryPolicy::svix().with_schedule(Schedule::list([secs(60)]).forever());
    let forever = format!("{BLOCKING} forever");
    let what = ["risk: retries never end", &*forever, HIDES];
    finds(&policies(endless).with_order(Order::strict()), &Assumptions::new(), &what);
}

#[test]
fn rate_limit_is_checked_against_the_load() {
    let at = |rate, window| {
        let rate = RateLimitPolicy::per_second(count(rate));
        let policy = policy().with_window(window);
        policies(policy).with_flow(FlowPolicy::adaptive().with_rate_limit(rate))
    };
    let load = Load::per_second(count(40));
    let expected = Assumptions::new().with_load(load).with_outage(secs(HOUR));
    finds(
        &at(30, None),
        &expected,
        &["contradiction: the rate limit of 30/s is below the load of 40 events/s"],
    );
    // 144 000 messages at 10/s beside the new ones.
    let what =
        ["contradiction: the backlog of an outage of 1 h takes 4 h to drain, but messages live \
          for 4 h"];
    finds(&at(50, Some(secs(4 * HOUR))), &expected, &what);
    finds(&at(50, Some(secs(5 * HOUR))), &expected, &[]);
    let what = ["risk: the rate limit of 40/s equals the load, so a backlog never drains"];
    finds(&at(40, Some(secs(5 * HOUR))), &expected, &what);

    let day = Assumptions::new().with_load(load).with_outage(secs(DAY));
    let what = ["risk: messages live for 5 h, which does not outlast an outage of 1 d"];
    finds(&at(50, Some(secs(5 * HOUR))), &day, &what);
    let short = Assumptions::new().with_lifetime(secs(600));
    let what = ["note: messages are useful for 10 min, but are retried for 14 min 12 s"];
    finds(&policies(policy()), &short, &what);
}

#[test]
fn jitter_is_checked_against_the_load() {
    let load = |number| Assumptions::new().with_load(Load::per_second(count(number)));
    let what = ["risk: no jitter: the retries of 200 events/s arrive together"];
    finds(&policies(policy().with_jitter(Jitter::NONE)), &load(200), &what);
    finds(&policies(RetryPolicy::none()), &load(200), &["risk: a failed attempt is never retried"]);
    let minutely = Assumptions::new().with_load(Load::new(count(1), secs(60)));
    finds(&policies(policy().with_jitter(Jitter::NONE)), &minutely, &[]);
}

#[test]
fn findings_are_sorted_by_severity() {
    assert!(Severity::Contradiction > Severity::Risk && Severity::Risk > Severity::Note);
    assert_eq!(Finding::NoRetries.severity().to_string(), "risk");
    let expected = Assumptions::new().with_lifetime(secs(1)).with_outage(Duration::MAX);
    let found = hard(RetryPolicy::event_grid()).lint(&expected);
    let severities: Vec<_> = found.iter().map(Finding::severity).collect();
    assert!(severities.is_sorted_by(|a, b| a >= b) && severities.len() == 5, "{found:?}");
}

#[test]
fn extreme_values_are_linted() {
    let endless = Schedule::exponential(Duration::from_millis(1), 1, Duration::MAX, u32::MAX);
    let policy = RetryPolicy::new(endless.clone().forever()).with_window(Duration::MAX);
    let rate = RateLimitPolicy::new(count(u32::MAX), Duration::MAX);
    let load = Load::new(count(u32::MAX), Duration::ZERO);
    let all = EndpointPolicy::new(policy).with_flow(FlowPolicy::adaptive().with_rate_limit(rate));
    let expected =
        Assumptions::new().with_load(load).with_outage(Duration::MAX).with_lifetime(Duration::MAX);
    assert!(!all.lint(&expected).is_empty());
    assert!(!hard(RetryPolicy::new(endless)).lint(&expected).is_empty());
    assert_eq!(load.at(u64::MAX), Duration::from_micros(u64::MAX / u64::from(u32::MAX)));
}

#[test]
fn readme_policy_is_valid_and_sound() {
    let readme = include_str!("../../../README.md");
    let (_, rest) = readme.split_once("/// For example `").unwrap();
    let (file, _) = rest.split_once("`.").unwrap();
    let policies: EndpointPolicy = serde_json::from_str(file).unwrap();
    assert_eq!(policies.retry.guarantee(), labhook::delivery::DeliveryGuarantee::Ask);
    let warnings = policies.lint(&Assumptions::new());
    assert!(warnings.iter().all(|it| it.severity() < Severity::Risk), "{warnings:?}");
    let again = serde_json::to_string(&policies).unwrap();
    assert_eq!(serde_json::from_str::<EndpointPolicy>(&again).unwrap(), policies);
}

#[test]
fn rate_limit_equal_to_the_load_is_a_risk() {
    let rate = RateLimitPolicy::per_second(NonZeroU32::new(50).unwrap());
    let policies =
        EndpointPolicy::default().with_flow(FlowPolicy::adaptive().with_rate_limit(rate));
    let texts = |events| {
        let load = Load::per_second(NonZeroU32::new(events).unwrap());
        let warnings = policies.lint(&Assumptions::new().with_load(load));
        warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let equal = "the rate limit of 50/s equals the load, so a backlog never drains";
    assert!(texts(50).iter().any(|it| it == equal), "{:?}", texts(50));
    assert!(!texts(49).iter().any(|it| it.starts_with("the rate")), "{:?}", texts(49));
}

#[test]
fn file_of_the_wrong_type_names_the_expected_table() {
    for (file, text) in [
        (
            r#"{"health": 1}"#,
            "expected the name of a health policy preset, or a health policy table",
        ),
        (r#"{"flow": {"concurrency": 8}}"#, "expected a concurrency limit table"),
        (r#"{"flow": {"rate_limit": 50}}"#, "expected a rate limit table"),
        (r#"{"flow": {"adaptive_rate": 1}}"#, "expected an adaptive rate table"),
        (r#"{"order": "per_key"}"#, "expected an order table such as {\"scope\": \"per_key\"}"),
    ] {
        let error = serde_json::from_str::<EndpointPolicy>(file).unwrap_err().to_string();
        assert!(error.contains(text), "{file}: {error}");
    }
}
