//! Deliveries through outages.

use std::time::Duration;

use http::StatusCode;
use labhook::delivery::{Jitter, Schedule};
use labhook::policy::Load;
use labhook::simulate::{Behaviour, Receiver, Recovery, Scenario};
use labhook::{RetryPolicy, Verdict};

use super::{DAY, count, down, millis, one, plain, run, run_one, unavailable};
use crate::support::secs;

#[test]
fn message_is_delivered_at_the_computed_instant() {
    let policy = RetryPolicy::new(Schedule::list([secs(5), secs(300)]));
    let report = run_one(policy, down(60, unavailable()));
    // 20 ms, 5 s, 20 ms, 300 s, 20 ms.
    assert_eq!(report.ended_at, millis(305_060));
    assert_eq!(report.latency.unwrap().max, millis(305_060));
    assert_eq!((report.attempts, report.retries, report.most_attempts), (3, 2, 3));
    assert_eq!(report.ended(Verdict::Delivered), 1);
    assert_eq!(report.duplicates, 0);
    let Recovery { at, peak_requests, peak_retries, drained_after, .. } = report.recovery.unwrap();
    assert_eq!((at, peak_requests, peak_retries), (secs(60), 1, 1));
    assert_eq!(drained_after, Some(millis(245_060)));
}

#[test]
fn hanging_receiver_costs_a_timeout_per_attempt() {
    // Attempts time out after 20 s: at 20 s, 45 s and 365 s.
    let policy = RetryPolicy::new(Schedule::list([secs(5), secs(300)]));
    let report = run_one(policy, down(400, Behaviour::Hangs));
    assert_eq!((report.ended(Verdict::Exhausted), report.ended_at), (1, secs(365)));
    assert_eq!((report.latency, report.duplicates), (None, 0));
    assert_eq!(report.recovery.unwrap().drained_after, Some(Duration::ZERO));
}

#[test]
fn silently_accepted_message_arrives_twice() {
    let policy = RetryPolicy::new(Schedule::list([secs(5), secs(300)]));
    let report = run_one(policy, down(10, Behaviour::AcceptsSilently));
    // Accepted at 0 s, timed out at 20 s, sent again at 25 s.
    assert_eq!((report.duplicates, report.attempts), (1, 2));
    assert_eq!(report.latency.unwrap().p50, millis(25_020));
}

#[test]
fn response_at_the_deadline_is_a_timeout() {
    let policy = || RetryPolicy::none().with_attempt_timeout(secs(1));
    let report = run_one(policy(), Receiver::new().with_latency(millis(999)));
    assert_eq!((report.ended(Verdict::Delivered), report.ended_at), (1, millis(999)));
    let report = run_one(policy(), Receiver::new().with_latency(secs(1)));
    assert_eq!((report.ended(Verdict::Exhausted), report.ended_at), (1, secs(1)));
}

#[test]
fn message_expires_after_its_lifetime() {
    let policy = RetryPolicy::new(Schedule::list([secs(5), secs(300)]));
    let scenario = one().add_endpoint(plain(policy), down(3_600, unavailable()));
    // The second retry would start after it.
    let report = run(&scenario.clone().with_lifetime(secs(305)));
    assert_eq!((report.ended(Verdict::Expired), report.attempts), (1, 2));
    let report = run(&scenario.with_lifetime(secs(306)));
    assert_eq!((report.ended(Verdict::Exhausted), report.attempts), (1, 3));
}

#[test]
fn strike_schedule_spans_nine_days() {
    // The eleventh retry starts after 265 716 s, and the twelfth 531 441 s later.
    let report = run_one(RetryPolicy::strike(), down(10 * DAY, Behaviour::Hangs));
    assert_eq!((report.attempts, report.ended(Verdict::Exhausted)), (13, 1));
    assert_eq!(report.ended_at, secs(797_160 + 13 * 5));
    let report = run_one(RetryPolicy::strike(), down(9 * DAY, Behaviour::refuses_connections()));
    assert_eq!((report.attempts, report.ended(Verdict::Delivered)), (13, 1));
    assert_eq!(report.ended_at, secs(797_160) + 13 * millis(20));
}

#[test]
fn svix_schedule_spans_27_hours() {
    let policy = RetryPolicy::svix().with_jitter(Jitter::NONE);
    let receiver = down(30 * 3_600, unavailable()).with_latency(Duration::ZERO);
    let report = run_one(policy, receiver);
    assert_eq!((report.attempts, report.ended(Verdict::Exhausted)), (8, 1));
    assert_eq!(report.ended_at, secs(27 * 3_600 + 35 * 60 + 5));
}

#[test]
fn retry_after_is_honoured() {
    let policy = RetryPolicy::new(Schedule::list([secs(5)]));
    let busy = Behaviour::retry_after(StatusCode::TOO_MANY_REQUESTS, millis(89_001));
    let report = run_one(policy, down(60, busy));
    assert_eq!((report.attempts, report.ended_at), (2, secs(90) + millis(40)));
}

#[test]
fn week_of_outage_exhausts_early_messages() {
    let load = Load::new(count(1), secs(60));
    let scenario = Scenario::new(load, secs(8 * DAY))
        .add_endpoint(plain(RetryPolicy::default()), down(7 * DAY, unavailable()));
    let report = run(&scenario);
    assert_eq!(report.accepted, 8 * 1_440);
    assert_eq!(report.pending, 0);
    // Exhausted: messages from more than the schedule's 75:35:05 before the end of the outage.
    let exhausted = report.ended(Verdict::Exhausted);
    assert_eq!(exhausted, (7 * DAY - 272_105).div_ceil(60));
}
