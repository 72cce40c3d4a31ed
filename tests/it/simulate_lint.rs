//! The linter: what it says of each fault, and what it says of the presets.

use std::num::{NonZeroU8, NonZeroU32};
use std::time::Duration;

use http::StatusCode;
use labhook::delivery::{Jitter, ResponseAction, ResponseRules, Schedule};
use labhook::flow::{RateLimitPolicy, RetryBudgetPolicy};
use labhook::health::PendingOnDisable;
use labhook::policy::lint::{Assumptions, Finding, Severity};
use labhook::policy::{Load, PolicySummary};
use labhook::{EndpointPolicy, FlowPolicy, HealthPolicy, Order, RetryPolicy};

use crate::support::{endpoint, secs};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

fn count(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

/// Retries after 1 min and after 10 min, jittered, and nothing that could be found fault with.
pub(crate) fn policy() -> RetryPolicy {
    let delays = [60, 600].map(secs);
    RetryPolicy::new(Schedule::list(delays)).with_jitter(Jitter::plus_minus(20))
}

pub(crate) fn policies(policy: RetryPolicy) -> EndpointPolicy {
    EndpointPolicy::new(policy)
}

/// The same with an endpoint that is never given a rest.
pub(crate) fn hard(policy: RetryPolicy) -> EndpointPolicy {
    EndpointPolicy::new(policy).with_health(HealthPolicy::never()).with_flow(FlowPolicy::fixed())
}

pub(crate) fn texts(policies: &EndpointPolicy, expected: &Assumptions) -> Vec<String> {
    let warnings = policies.lint(expected);
    warnings.iter().map(|it| format!("{}: {it}", it.severity())).collect()
}

#[track_caller]
pub(crate) fn finds(policies: &EndpointPolicy, expected: &Assumptions, what: &[&str]) {
    assert_eq!(texts(policies, expected), what);
}

#[test]
fn a_sound_endpoint_is_not_found_fault_with() {
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
fn the_presets_are_sound_but_for_what_is_true_of_them() {
    const DISABLED: &str = "contradiction: a failing endpoint is disabled within \
                            7 d 6 h 18 min 30 s, and a delivery is retried for ";
    let strike = format!("{DISABLED}9 d 5 h 27 min 5 s");
    let hook0 = format!("{DISABLED}7 d 16 h 35 min 55 s");
    let event_grid = "contradiction: the limit of 30 attempts is above the 11 that the window of \
                      1 d leaves";
    for (name, what) in [
        ("standard_webhooks", vec![]),
        ("svix", vec![]),
        ("strike", vec![&*strike]),
        ("hook0", vec![&*hook0]),
        ("outpost", vec![]),
        ("event_grid", vec![event_grid, "risk: a 410 is retried"]),
        ("shopware", vec![]),
        ("none", vec!["risk: there is no retry"]),
    ] {
        finds(&policies(RetryPolicy::named(name).unwrap()), &Assumptions::new(), &what);
    }
}

#[test]
fn the_summary_holds_the_bounds() {
    let summary = |policy| {
        let PolicySummary { span, attempts, .. } = policies(policy).summary();
        (span.map(|span| span.as_secs()), attempts)
    };
    // 12 waits of 3^n s, the first seven of which Retry-After can make an hour, and 13 timeouts.
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
    assert_eq!(default, Some(secs(7 * DAY + 22_500 + 7 * 20)));
    assert_eq!(health(HealthPolicy::never()).time_to_disable, None);
}

#[test]
fn policies_are_those_of_an_endpoint() {
    let order = Order::per_key().with_skip_after(secs(60));
    let made = endpoint("eln").with_order(order).policy;
    let wanted = hard(crate::support::policy(&[5, 20])).with_order(order);
    assert_eq!(made, wanted);
}

#[test]
fn a_probe_fits_to_the_attempts() {
    let health = HealthPolicy::default().with_probes(secs(20), [secs(60)]);
    let what = [
        "contradiction: a probe comes after 20 s, which is no longer than the attempt timeout of \
         20 s",
    ];
    finds(&policies(policy()).with_health(health.clone()), &Assumptions::new(), &what);
    // One that never probes is not asked.
    finds(&policies(policy()).with_health(health.with_failures(None)), &Assumptions::new(), &[]);

    let what = [
        "contradiction: the first probe comes after 5 min, and the window ends after 4 min",
        "contradiction: the window of 4 min leaves 1 of 2 retries",
        "risk: Retry-After is heeded for up to 1 h, and the window is 4 min",
    ];
    let mut found = texts(&policies(policy().with_window(secs(240))), &Assumptions::new());
    found.sort();
    assert_eq!(found, what);
}

#[test]
fn a_window_and_a_schedule_fit() {
    let windowed = |hours| policy().with_window(secs(hours * HOUR));
    // The schedule takes 3 attempts of 20 s, and two waits that Retry-After can make an hour.
    let what = ["note: the window of 3 h is longer than the 2 h 1 min that the schedule can fill"];
    finds(&hard(windowed(3)), &Assumptions::new(), &what);
    finds(&hard(windowed(2)), &Assumptions::new(), &[]);
    // What is held up can need it.
    finds(&policies(windowed(3)), &Assumptions::new(), &[]);
    finds(&hard(windowed(3)).with_order(Order::strict()), &Assumptions::new(), &[]);

    let what = ["contradiction: the window of 1 d leaves 6 of 9 retries"];
    finds(&hard(RetryPolicy::default().with_window(secs(DAY))), &Assumptions::new(), &what);
    // Delays that are not the schedule's are not reckoned with.
    let jitter = Jitter::decorrelated(secs(1), secs(5 * HOUR));
    finds(
        &hard(RetryPolicy::default().with_window(secs(DAY)).with_jitter(jitter)),
        &Assumptions::new(),
        &[],
    );
}

#[test]
fn an_attempt_limit_and_a_schedule_fit() {
    for (limit, what) in [
        (2, Some("contradiction: the limit of 2 attempts is below the 3 that the schedule gives")),
        (3, None),
        (4, Some("contradiction: the limit of 4 attempts is above the 3 that the schedule gives")),
    ] {
        let limited = hard(policy().with_max_attempts(count(limit)));
        finds(&limited, &Assumptions::new(), what.as_slice());
    }
}

#[test]
fn the_pauses_that_a_receiver_asks_for_fit() {
    let capped = policy().with_retry_after_cap(secs(7_200)).with_window(secs(7_200));
    let what = ["risk: Retry-After is heeded for up to 2 h, and the window is 2 h"];
    finds(&policies(capped), &Assumptions::new(), &what);
}

#[test]
fn a_response_table_delivers_what_was_delivered() {
    let lint =
        |responses| texts(&policies(policy().with_responses(responses)), &Assumptions::new());
    let gone = || ResponseRules::standard_webhooks();
    assert_eq!(
        lint(gone().with_successes(ResponseAction::Retry)),
        [
            "contradiction: no response counts as delivered",
            "contradiction: a 200 is retried, although it is a success",
        ]
    );
    assert_eq!(
        lint(gone().with_status(StatusCode::ACCEPTED, ResponseAction::Retry)),
        ["contradiction: a 202 is retried, although it is a success"]
    );
    assert_eq!(
        lint(gone().with_server_errors(ResponseAction::Deliver)),
        ["risk: a 500 counts as delivered"]
    );
    assert_eq!(lint(ResponseRules::new()), ["risk: a 410 is retried"]);
}

#[test]
fn an_end_is_in_sight() {
    let endless = || policy().with_schedule(Schedule::list([secs(60)]).forever());
    finds(&policies(endless()), &Assumptions::new(), &["risk: nothing ends the retries"]);
    finds(&policies(endless().with_window(secs(DAY))), &Assumptions::new(), &[]);

    let never = [
        HealthPolicy::default().with_suspend_after(None),
        HealthPolicy::default().with_disable_after(None),
        HealthPolicy::default().with_pending_on_disable(PendingOnDisable::Keep),
    ];
    for health in never {
        let held = policies(policy()).with_health(health.clone());
        finds(
            &held,
            &Assumptions::new(),
            &["risk: nothing ends what waits for a failing endpoint"],
        );
        let windowed = policies(policy().with_window(secs(DAY))).with_health(health);
        finds(&windowed, &Assumptions::new(), &[]);
    }
    let health = HealthPolicy::default()
        .with_failures(NonZeroU8::new(1))
        .with_disable_after(secs(HOUR))
        .with_suspend_after(count(1));
    finds(
        &policies(RetryPolicy::svix()).with_health(health),
        &Assumptions::new(),
        &["contradiction: a failing endpoint is disabled within 1 h 6 min, and a delivery is \
           retried for 1 d 9 h 8 min 6 s"],
    );
}

#[test]
fn a_line_does_not_stand_for_days() {
    for (order, what) in [
        (Order::none(), None),
        (Order::strict(), Some("risk: one message can hold up all others for 3 d 3 h 38 min 25 s")),
        (Order::per_key(), {
            Some("risk: one message can hold up all others of its key for 3 d 3 h 38 min 25 s")
        }),
        (Order::strict().with_skip_after(secs(60)), None),
        (Order::strict().with_skip_after_attempts(count(3)), None),
    ] {
        let policies = policies(RetryPolicy::default()).with_order(order);
        finds(&policies, &Assumptions::new(), what.as_slice());
        // A quarter of an hour is no matter.
        finds(&self::policies(policy()).with_order(order), &Assumptions::new(), &[]);
    }
    let endless = RetryPolicy::svix().with_schedule(Schedule::list([secs(60)]).forever());
    let what =
        ["risk: nothing ends the retries", "risk: one message can hold up all others for ever"];
    finds(&policies(endless).with_order(Order::strict()), &Assumptions::new(), &what);
}

#[test]
fn a_rate_is_enough_for_the_load_and_its_backlog() {
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
        &["contradiction: the rate of 30 in 1 s is below the load of 40 in 1 s"],
    );
    // 144 000 messages at 10 a second beside the new ones.
    let what =
        ["contradiction: the backlog of an outage of 1 h takes 4 h to drain, and a message \
                 lives for 4 h"];
    finds(&at(50, Some(secs(4 * HOUR))), &expected, &what);
    finds(&at(50, Some(secs(5 * HOUR))), &expected, &[]);
    let what = ["risk: the rate of 40 in 1 s is no more than the load, and drains no backlog"];
    finds(&at(40, Some(secs(5 * HOUR))), &expected, &what);

    let day = Assumptions::new().with_load(load).with_outage(secs(DAY));
    let what = ["risk: an outage of 1 d outlasts the 5 h for which a message lives"];
    finds(&at(50, Some(secs(5 * HOUR))), &day, &what);
    let short = Assumptions::new().with_lifetime(secs(600));
    let what = ["note: a message is of use for 10 min, and is retried for 14 min 12 s"];
    finds(&policies(policy()), &short, &what);
}

#[test]
fn retries_are_spread_and_within_the_budget() {
    let load = |number| Assumptions::new().with_load(Load::per_second(count(number)));
    let what = ["risk: nothing spreads the retries of 200 events in 1 s"];
    finds(&policies(policy().with_jitter(Jitter::NONE)), &load(200), &what);
    finds(&policies(RetryPolicy::none()), &load(200), &["risk: there is no retry"]);
    let minutely = Assumptions::new().with_load(Load::new(count(1), secs(60)));
    finds(&policies(policy().with_jitter(Jitter::NONE)), &minutely, &[]);

    let flow = |trickle| {
        let budget = RetryBudgetPolicy::new(20, trickle);
        hard(policy()).with_flow(FlowPolicy::adaptive().with_retry_budget(budget))
    };
    // A fifth of 36 000, and one a second; two retries for each.
    let what = ["note: the retry budget gives 10800 retries an hour in an outage, and 72000 fall \
                 due"];
    finds(&flow(secs(1)), &load(10), &what);
    let minutes = load(10).with_outage(secs(600));
    let what = ["note: the retry budget gives 10800 retries an hour in an outage, and 36000 fall \
                 due"];
    finds(&flow(secs(1)), &minutes, &what);
    // A degraded endpoint gets none.
    finds(&flow(secs(1)).with_health(HealthPolicy::default()), &load(10), &[]);
    let what = ["risk: the retry budget trickles one retry in 2 min, and the schedule waits 1 min"];
    finds(&flow(secs(120)), &Assumptions::new(), &what);
}

#[test]
fn the_weightiest_come_first() {
    assert!(Severity::Contradiction > Severity::Risk && Severity::Risk > Severity::Note);
    assert_eq!(Finding::NoRetry.severity().to_string(), "risk");
    let expected = Assumptions::new().with_lifetime(secs(1)).with_outage(Duration::MAX);
    let found = hard(RetryPolicy::event_grid()).lint(&expected);
    let weights: Vec<_> = found.iter().map(Finding::severity).collect();
    assert!(weights.is_sorted_by(|a, b| a >= b) && weights.len() == 5, "{found:?}");
}

/// Whatever the policies, the linter comes to an end.
#[test]
fn nothing_is_too_large() {
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
fn the_policies_in_the_readme_are_read_and_do_not_contradict_each_other() {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("```json\n").unwrap();
    let policies: EndpointPolicy = serde_json::from_str(rest.split_once("```").unwrap().0).unwrap();
    assert_eq!(policies.retry.guarantee(), labhook::delivery::DeliveryGuarantee::Ask);
    let warnings = policies.lint(&Assumptions::new());
    assert!(warnings.iter().all(|it| it.severity() < Severity::Risk), "{warnings:?}");
    let again = serde_json::to_string(&policies).unwrap();
    assert_eq!(serde_json::from_str::<EndpointPolicy>(&again).unwrap(), policies);
}

#[test]
fn a_rate_that_is_no_more_than_the_load_drains_nothing() {
    let rate = RateLimitPolicy::per_second(NonZeroU32::new(50).unwrap());
    let policies =
        EndpointPolicy::default().with_flow(FlowPolicy::adaptive().with_rate_limit(rate));
    let texts = |events| {
        let load = Load::per_second(NonZeroU32::new(events).unwrap());
        let warnings = policies.lint(&Assumptions::new().with_load(load));
        warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let equal = "the rate of 50 in 1 s is no more than the load, and drains no backlog";
    assert!(texts(50).iter().any(|it| it == equal), "{:?}", texts(50));
    assert!(!texts(49).iter().any(|it| it.starts_with("the rate")), "{:?}", texts(49));
}

#[test]
fn a_file_that_is_wrong_is_told_so_in_its_own_words() {
    for (file, text) in [
        (r#"{"health": "never"}"#, "expected the table of a health policy"),
        (r#"{"flow": {"window": 8}}"#, "expected the table of a window"),
        (r#"{"flow": {"rate": 50}}"#, "expected the table of a rate"),
        (r#"{"flow": {"pace": 1}}"#, "expected the table of a pace"),
        (r#"{"flow": {"retry_budget": 20}}"#, "expected the table of a retry budget"),
        (r#"{"order": "per_key"}"#, "expected the table of an order"),
    ] {
        let error = serde_json::from_str::<EndpointPolicy>(file).unwrap_err().to_string();
        assert!(error.contains(text), "{file}: {error}");
    }
}
