//! Failures by chance, poisoned messages, flapping, queues, and messages in progress.

use std::time::Duration;

use labhook::delivery::Schedule;
use labhook::policy::Load;
use labhook::simulate::{Behaviour, Chance, Poison, Processing, Queue, Receiver, Report, Scenario};
use labhook::{RetryPolicy, Verdict};

use super::{count, millis, one, plain, run, run_one, unavailable};
use crate::support::{answer, secs};

fn hour(per_second: u32, policy: RetryPolicy, receiver: Receiver) -> Report {
    let load = Load::per_second(count(per_second));
    run(&Scenario::new(load, secs(3_600)).add_endpoint(plain(policy), receiver))
}

fn error() -> Behaviour {
    Behaviour::Responds(answer(500))
}

#[test]
fn chance_failures_add_up() {
    let receiver = Receiver::new()
        .add_chance(Chance::share(100_000, unavailable()))
        .add_chance(Chance::share(50_000, Behaviour::refuses_connections()));
    let report = hour(10, RetryPolicy::none(), receiver.clone());
    assert_eq!(report.failed, FAILED);
    assert_eq!(report.ended(Verdict::Delivered), 36_000 - FAILED);
    // A retry has a chance of its own.
    let retried = hour(10, RetryPolicy::new(Schedule::list([secs(1); 12])), receiver);
    assert_eq!(retried.ended(Verdict::Delivered), 36_000);
    assert_eq!((retried.good.published, retried.good.delivered), (36_000, 36_000));
    assert_eq!(retried.failed, retried.retries);
}

/// About 15 % of 36 000, which is 5 400.
const FAILED: u64 = 5_409;

#[test]
fn chance_depends_on_the_seed_and_the_endpoint() {
    let receiver = Receiver::new().add_chance(Chance::share(500_000, error()));
    let scenario = Scenario::new(Load::per_second(count(10)), secs(100))
        .add_endpoint(plain(RetryPolicy::none()), receiver.clone())
        .add_endpoint(plain(RetryPolicy::none()), receiver);
    let failed = |seed| {
        let reports = scenario.clone().with_seed(seed).run();
        reports.iter().map(|report| report.failed).collect::<Vec<_>>()
    };
    assert_eq!(failed(1), failed(1));
    assert_ne!(failed(1), failed(2));
    assert_ne!(failed(1)[0], failed(1)[1]);
}

#[test]
fn dead_backend_gets_every_third_request() {
    let receiver = Receiver::new().add_chance(Chance::one_in(count(3), unavailable()));
    let report = hour(10, RetryPolicy::none(), receiver);
    assert_eq!((report.failed, report.ended(Verdict::Delivered)), (12_000, 24_000));
}

#[test]
fn brown_out_ends() {
    let brown_out = Chance::share(1_000_000, Behaviour::Hangs).within(secs(60), secs(120));
    let report = hour(1, RetryPolicy::none(), Receiver::new().add_chance(brown_out));
    assert_eq!((report.failed, report.ended(Verdict::Delivered)), (60, 3_540));
    assert_eq!((report.while_down, report.recovery), (0, None));
}

#[test]
fn poisoned_messages_fail_at_each_attempt() {
    let policy = || RetryPolicy::new(Schedule::list([secs(1); 2]));
    let numbers = Receiver::new().add_poison(Poison::numbers(5..8, error()));
    let report = hour(1, policy(), numbers);
    assert_eq!((report.failed, report.ended(Verdict::Exhausted)), (9, 3));
    assert_eq!((report.good.published, report.good.delivered), (3_597, 3_597));
    assert_eq!(report.good.latency, report.latency);

    // A hundredth of the second half hangs.
    let hanging = Poison::share(10_000, Behaviour::Hangs).among(18_000..36_000);
    let receiver = Receiver::new().add_poison(hanging);
    let running = receiver.start(7);
    let report = hour(10, policy(), receiver);
    let poisoned = report.ended(Verdict::Exhausted);
    assert_eq!(poisoned, 162);
    assert_eq!((report.failed, report.good.published), (3 * poisoned, 36_000 - poisoned));
    assert!((0..18_000).all(|message| !running.is_poisoned(message)));
    let is_poisoned = |message: &u64| running.is_poisoned(*message);
    for message in (0..36_000).filter(is_poisoned) {
        assert!(!running.would_accept(message, Duration::ZERO));
    }
}

#[test]
fn flapping_receiver_is_down_by_turns() {
    let receiver = Receiver::new().add_flapping(
        secs(100),
        secs(200),
        secs(20),
        secs(5),
        Behaviour::refuses_connections(),
    );
    let report = hour(1, RetryPolicy::none(), receiver);
    assert_eq!((report.failed, report.while_down), (25, 25));
    assert_eq!(report.outage_start, Some(secs(100)));
    assert_eq!(report.recovery.unwrap().at, secs(185));
}

#[test]
fn latency_follows_its_steps() {
    let receiver = Receiver::new()
        .with_latency(millis(50))
        .add_latency_step(secs(1_800), millis(400))
        .add_latency_step(secs(3_590), millis(100));
    let latency = hour(1, RetryPolicy::none(), receiver).latency.unwrap();
    assert_eq!([latency.p50, latency.p99, latency.max], [50, 400, 400].map(millis));
}

#[test]
fn queue_answers_late_and_serves_everybody() {
    let policy = || RetryPolicy::none().with_attempt_timeout(secs(5));
    let run = |queue| {
        let load = Load::per_second(count(60));
        let receiver = Receiver::new().with_queue(queue);
        run(&Scenario::new(load, secs(100)).add_endpoint(plain(policy()), receiver))
    };
    // Message k comes after k/60 s and is served after (k + 1)/50 s: in time up to k = 1487.
    let report = run(Queue::new(count(50)));
    assert_eq!((report.ended(Verdict::Delivered), report.failed), (1_488, 6_000 - 1_488));
    assert_eq!((report.overloaded, report.duplicates), (0, 0));
    // With a short queue nobody waits for long, and the server is never idle.
    let report = run(Queue::new(count(50)).with_max_waiting(20));
    assert_eq!(report.ended(Verdict::Delivered), 5_020);
    assert_eq!((report.failed, report.overloaded), (980, 980));
    assert_eq!(report.latency.unwrap().max, millis(20 + 21 * 20));
    // A server that thrashes falls behind for good: later messages wait longer and longer.
    let report = run(Queue::new(count(50)).with_thrashing(count(50)));
    assert_eq!(report.ended(Verdict::Delivered), 549);
}

#[test]
fn repeat_in_progress_is_refused_until_done() {
    let policy = || RetryPolicy::new(Schedule::list([secs(5); 8])).with_attempt_timeout(secs(10));
    let processing = Processing::new(secs(30), unavailable());
    let receiver = Receiver::new().with_processing(processing.clone());
    // Times out after 10 s; repeats after 15, 20.02, 25.04 and 30.06 s.
    let report = run_one(policy(), receiver);
    assert_eq!((report.attempts, report.failed, report.ended_at), (5, 4, millis(30_080)));
    assert_eq!((report.duplicates, report.overloaded), (1, 0));
    // An attempt that waits long enough gets the response.
    let receiver = Receiver::new().with_processing(processing.clone());
    let report = run_one(policy().with_attempt_timeout(secs(31)), receiver);
    assert_eq!((report.attempts, report.ended_at), (1, millis(30_020)));
    // A tenth of the messages only.
    let receiver = Receiver::new().with_processing(processing.with_share(100_000));
    let report = hour(10, policy(), receiver);
    assert_eq!(report.ended(Verdict::Delivered), 36_000);
    assert_eq!((report.duplicates, report.failed), (3_659, 4 * 3_659));
    assert_eq!(report.latency.unwrap().p50, millis(20));
}

#[test]
fn oracle_changes_nothing() {
    let receiver = Receiver::new()
        .with_capacity(count(1))
        .with_queue(Queue::new(count(1)).with_max_waiting(0))
        .with_processing(Processing::new(secs(9), error()))
        .add_outage(secs(20), secs(30), Behaviour::AcceptsSilently);
    let mut running = receiver.start(0);
    assert_eq!((0..9).filter(|_| running.would_accept(1, secs(1))).count(), 9);
    assert!(running.handle(1, secs(1)).accepted);
    // In progress; another one is accepted once there is room.
    assert!(!running.would_accept(1, secs(2)) && running.would_accept(2, secs(2)));
    assert!(!running.would_accept(2, millis(1_500)));
    assert!(running.would_accept(1, secs(10)));
    assert!(running.would_accept(1, secs(20)));
    assert_eq!([19, 20, 30].map(|at| running.down_until(secs(at))), [None, Some(secs(30)), None]);
    assert!(one().run().is_empty());
}
