//! Limiters, capacity steps and slow starts.

use std::time::Duration;

use http::StatusCode;
use labhook::policy::Load;
use labhook::simulate::{Behaviour, Limiter, Receiver, Report, Scenario};
use labhook::{Outcome, RetryPolicy, Verdict};

use super::{count, millis, plain, run};
use crate::support::{answer, secs};

/// Attempts each message of the load once.
fn once(per_second: u32, duration: u64, receiver: Receiver) -> Report {
    let load = Load::per_second(count(per_second));
    run(&Scenario::new(load, secs(duration)).add_endpoint(plain(RetryPolicy::none()), receiver))
}

fn limited(limiter: Limiter) -> Receiver {
    Receiver::new().add_limiter(limiter)
}

fn retry_after(status: u16, seconds: u64) -> Outcome {
    let status = StatusCode::from_u16(status).unwrap();
    match Behaviour::retry_after(status, secs(seconds)) {
        Behaviour::Responds(outcome) => outcome,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_limiter_accepts_its_share() {
    let fixed = Limiter::fixed_window(count(50), secs(5));
    let sliding = Limiter::sliding_window(count(10), secs(1));
    let bucket = Limiter::token_bucket(count(10), secs(1), count(10));
    let delivered = [
        fixed.clone(),
        fixed.counting_refused(),
        sliding.clone(),
        // The last ten requests are always less than a second old.
        sliding.counting_refused(),
        // Half a token a request: 19 until the bucket is empty, then each second one.
        bucket.clone(),
        bucket.counting_refused(),
    ]
    .map(|limiter| {
        let report = once(20, 10, limited(limiter));
        let delivered = report.ended(Verdict::Delivered);
        assert_eq!((report.overloaded, report.failed), (200 - delivered, 200 - delivered));
        delivered
    });
    assert_eq!(delivered, [100, 100, 100, 10, 109, 19]);
}

#[test]
fn all_limiters_must_accept_a_request() {
    let receiver = limited(Limiter::sliding_window(count(5), secs(1)))
        .add_limiter(Limiter::fixed_window(count(12), secs(60)).with_outcome(answer(503)));
    let mut running = receiver.start(0);
    let mut statuses = Vec::new();
    for request in 0..40 {
        let (_, outcome) = running.handle(request, millis(request * 100)).response.unwrap();
        statuses.push(outcome.status().unwrap().as_u16());
    }
    let count = |status| statuses.iter().filter(|it| **it == status).count();
    // Five in each of two seconds, and two in the third.
    assert_eq!([200, 429, 503].map(count), [12, 10, 18]);
    assert_eq!(once(10, 100, receiver).ended(Verdict::Delivered), 24);
}

#[test]
fn retry_after_is_the_time_until_acceptance() {
    let fixed = Limiter::fixed_window(count(1), secs(60)).with_retry_after();
    let sliding = Limiter::sliding_window(count(1), secs(60)).with_retry_after();
    let bucket = Limiter::token_bucket(count(6), secs(60), count(1)).with_retry_after();
    for (limiter, pause) in [
        (fixed.clone(), 50),
        (sliding.clone(), 55),
        // A token in ten seconds.
        (bucket.clone(), 5),
        // Counted, a refused request takes the place of another.
        (fixed.counting_refused(), 50),
        (sliding.counting_refused(), 60),
        (bucket.counting_refused(), 10),
    ] {
        let mut running = limited(limiter.with_outcome(answer(503))).start(0);
        assert!(running.handle(0, secs(5)).accepted);
        let now = millis(10_001);
        assert!(!running.would_accept(1, now));
        let reaction = running.handle(1, now);
        assert!(reaction.refused && !reaction.accepted);
        assert_eq!(reaction.response, Some((millis(20), retry_after(503, pause))));
        // It is rounded up, and holds.
        assert!(!running.would_accept(2, now + secs(pause) - secs(1)));
        assert!(running.would_accept(2, now + secs(pause)));
        assert!(running.handle(2, now + secs(pause)).accepted);
    }
    // A failure without a response has no headers.
    let closes = Outcome::failed(labhook::delivery::Failure::Connect);
    let limiter = Limiter::fixed_window(count(1), secs(60)).with_retry_after();
    let mut running = limited(limiter.with_outcome(closes.clone())).start(0);
    assert!(running.handle(0, secs(0)).accepted);
    assert_eq!(running.handle(1, secs(0)).response, Some((millis(20), closes)));
}

#[test]
fn limit_follows_its_steps() {
    let limiter = Limiter::fixed_window(count(100), secs(1))
        .add_step(secs(5), count(10))
        .add_step(secs(10), count(100));
    let report = once(60, 15, limited(limiter));
    assert_eq!(report.ended(Verdict::Delivered), 300 + 50 + 300);
    // It may also rise beyond the first limit.
    let limiter = Limiter::sliding_window(count(1), secs(1)).add_step(secs(5), count(50));
    assert_eq!(once(60, 10, limited(limiter)).ended(Verdict::Delivered), 5 + 5 * 50);
}

#[test]
fn slow_start_follows_each_outage() {
    let limiter = Limiter::fixed_window(count(100), secs(1)).with_slow_start(count(10), secs(9));
    let refuses = Behaviour::refuses_connections;
    let receiver = limited(limiter).add_outage(secs(10), secs(20), refuses());
    let report = once(100, 30, receiver.clone());
    // 19 in the first second after the outage, 29 in the next one, and so on: a limit that rises
    // by ten a second.
    let slow: u64 = (1..=9).map(|second| second * 10 + 9).sum();
    assert_eq!(report.ended(Verdict::Delivered), 1_000 + slow + 100);
    assert_eq!((report.while_down, report.overloaded), (1_000, 900 - slow));
    assert_eq!(report.recovery.unwrap().first_success_after, Some(Duration::ZERO));
    // Down for 1 s in 10, four times.
    let flapping = receiver.add_flapping(secs(30), secs(70), secs(10), secs(1), refuses());
    let report = once(100, 70, flapping);
    assert_eq!(report.ended(Verdict::Delivered), 1_000 + slow + 100 + 4 * slow);
}
