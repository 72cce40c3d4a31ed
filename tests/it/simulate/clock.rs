//! The virtual clock advances, and every run ends.

use std::time::Duration;

use labhook::delivery::{Failure, Jitter, Schedule};
use labhook::policy::Load;
use labhook::simulate::{Behaviour, ClockShift, Receiver, Scenario};
use labhook::{Order, Outcome, RetryPolicy, Verdict};

use super::{count, down, millis, one, plain, run, unavailable};
use crate::support::secs;

#[test]
fn limit_ends_endless_retries() {
    let endless = RetryPolicy::new(Schedule::list([secs(60)]).forever());
    let receiver = down(u64::from(u32::MAX), unavailable()).with_latency(Duration::ZERO);
    let scenario = one().with_limit(secs(3_600)).add_endpoint(plain(endless), receiver);
    let report = run(&scenario);
    assert_eq!((report.attempts, report.pending, report.ended_at), (61, 1, secs(3_600)));
    assert_eq!(report.recovery.unwrap().drained_after, None);
    // Without endpoints nothing happens.
    assert!(one().run().is_empty());
}

// Found in review: the clock could stand still.
#[test]
fn time_advances_without_latency_or_delays() {
    let zero = Duration::ZERO;
    let resolver = Behaviour::Responds(Outcome::failed(Failure::Sender));
    for behaviour in [unavailable(), Behaviour::refuses_connections(), resolver] {
        // The mean delay, in tenths of a millisecond.
        for (jitter, mean) in [
            (Jitter::NONE, 10),
            (Jitter::plus_minus(100), 10),
            (Jitter::FULL, 5),
            (Jitter::EQUAL, 7),
            (Jitter::decorrelated(zero, zero), 10),
        ] {
            let attempts = 5_000 / mean;
            let policy = RetryPolicy::new(Schedule::list([zero]).forever()).with_jitter(jitter);
            let refuses = down(60, behaviour.clone()).with_latency(zero);
            let report = run(&one().with_limit(millis(499)).add_endpoint(plain(policy), refuses));
            let near = attempts * 9 / 10..attempts * 11 / 10;
            assert!(near.contains(&report.attempts), "{mean}: {}", report.attempts);
            assert_eq!(report.pending, 1);
        }
    }
    // Retries that end do so at once, one after another.
    let crowd = Scenario::new(Load::new(count(300), zero), Duration::from_micros(1));
    let policies = plain(RetryPolicy::new(Schedule::list([zero; 20]))).with_order(Order::strict());
    let report = run(&crowd.add_endpoint(policies, down(60, unavailable()).with_latency(zero)));
    assert_eq!((report.attempts, report.ended(Verdict::Exhausted)), (300 * 21, 300));
    assert_eq!(report.ended_at, zero);
}

// Found in review: at the end of time there was always one more event.
#[test]
fn run_stops_at_the_end_of_time() {
    let rare = Load::new(count(1), Duration::MAX);
    let endless = RetryPolicy::new(Schedule::list([Duration::MAX]).forever());
    let scenario = Scenario::new(rare, Duration::MAX).with_limit(Duration::MAX);
    let report = run(&scenario.add_endpoint(plain(endless), down(1, unavailable())));
    assert_eq!((report.accepted, report.attempts, report.pending), (1, 1, 1));
}

#[test]
fn clock_jump_shifts_the_waits_of_the_sender() {
    let run = |shift, at, lasts| {
        let policy = RetryPolicy::new(Schedule::list([secs(60); 2]));
        let receiver = down(1, unavailable());
        let scenario = one().add_endpoint(plain(policy), receiver);
        let report = run(&scenario.add_clock_jump(secs(at), secs(lasts), shift));
        assert_eq!((report.ended(Verdict::Delivered), report.attempts), (1, 2));
        report.ended_at
    };
    let (ahead, behind) = (ClockShift::Ahead(secs(30)), ClockShift::Behind(secs(30)));
    // Due 60.02 s after the start, by the sender's clock.
    assert_eq!(run(ahead, 10, 1_000), millis(30_040));
    assert_eq!(run(ClockShift::Ahead(secs(86_400)), 10, 1), millis(10_020));
    // The clock is right again when it is due.
    assert_eq!(run(ahead, 10, 20), millis(60_040));
    assert_eq!(run(behind, 10, 20), millis(60_040));
    // A step back lengthens a wait by no more than itself.
    assert_eq!(run(behind, 10, 1_000), millis(90_040));
}

#[test]
fn timeout_is_measured_in_true_time() {
    // The clock jumps while an attempt is in flight: the response still arrives.
    for shift in [ClockShift::Ahead(secs(86_400)), ClockShift::Behind(secs(86_400))] {
        let receiver = Receiver::new().with_latency(secs(4));
        let scenario = Scenario::new(Load::per_second(count(1)), secs(10))
            .add_endpoint(plain(RetryPolicy::none()), receiver)
            .add_clock_jump(secs(5), secs(3), shift);
        let report = run(&scenario);
        assert_eq!((report.accepted, report.failed, report.duplicates), (10, 0, 0));
        assert_eq!(report.latency.unwrap().max, secs(4));
        assert_eq!(report.ended_at, secs(13));
    }
}

#[test]
fn clock_at_the_end_of_time_ends_the_run() {
    for shift in [ClockShift::Ahead(Duration::MAX), ClockShift::Behind(Duration::MAX)] {
        let policy = plain(RetryPolicy::new(Schedule::list([secs(60)]).forever()));
        let scenario = one().with_limit(secs(600)).add_endpoint(policy, down(60, unavailable()));
        let report = run(&scenario.add_clock_jump(secs(30), Duration::MAX, shift));
        assert!(report.ended_at <= secs(600));
    }
}
