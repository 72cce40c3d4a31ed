//! A call looks at a bounded number of deliveries, and the next ones go on with it.

use std::time::Duration;

use labhook::health::EnabledBy;
use labhook::{Endpoint, Order, Outbox, Step, Timestamp, Verdict};

use crate::support::{answer, at, eid, endpoint, message, policy, registry, secs};

/// More than one call looks at.
const MANY: usize = 2_500;

fn paused_with_many() -> Outbox {
    let mut outbox = Outbox::new(registry([endpoint("a")]), 7).without_storage();
    outbox.pause_endpoint(&eid("a"), at(0)).unwrap();
    for number in 0..MANY {
        outbox.publish(message(&format!("m{number:04}")), at(0)).unwrap();
    }
    outbox
}

/// Polls until the next wait is not for an instant, and returns the numbers of calls that waited
/// and of attempts that were sent meanwhile.
fn poll_on(outbox: &mut Outbox, now: Timestamp) -> (usize, usize) {
    let (mut calls, mut sent) = (0, 0);
    loop {
        match outbox.poll(now) {
            Step::Wait(until) if until <= now + Duration::from_micros(1) => calls += 1,
            Step::Send(_) => sent += 1,
            Step::Save(changes) => assert!(outbox.saved(changes.revision())),
            Step::Notify(_) => {}
            Step::Wait(_) | Step::Idle => return (calls, sent),
        }
    }
}

#[test]
fn disabling_cancels_a_large_backlog_in_parts() {
    let mut outbox = paused_with_many();
    assert_eq!(outbox.disable_endpoint(&eid("a"), None, at(1)), Ok(true));
    assert_eq!(outbox.pending(), MANY);
    // Nothing is lost between two parts: each is still there, or has ended.
    assert!(matches!(outbox.poll(at(1)), Step::Notify(_)));
    assert!(outbox.pending() < MANY && outbox.pending() > 0);
    assert_eq!(outbox.deliveries().count(), MANY);
    let (calls, sent) = poll_on(&mut outbox, at(1));
    assert!(calls <= MANY / 1_000, "{calls} calls");
    assert_eq!((outbox.pending(), sent), (0, 0));
    assert!(outbox.deliveries().all(|(.., it)| it.verdict() == Some(Verdict::Cancelled)));
}

#[test]
fn removal_of_a_large_backlog_takes_several_calls() {
    let mut outbox = paused_with_many();
    outbox.remove_endpoint(&eid("a"), at(1)).unwrap();
    assert!(outbox.status(&eid("a")).is_err());
    assert!(outbox.remove_endpoint(&eid("a"), at(1)).is_err());
    assert_eq!(outbox.pending(), MANY);
    assert_eq!(outbox.publish(message("late"), at(1)).unwrap().endpoints, []);
    poll_on(&mut outbox, at(1));
    assert_eq!(outbox.pending(), 0);
    assert!(outbox.deliveries().all(|(.., it)| it.verdict() == Some(Verdict::Cancelled)));
}

#[test]
fn endpoint_inserted_during_removal_starts_afresh() {
    let mut outbox = paused_with_many();
    outbox.remove_endpoint(&eid("a"), at(1)).unwrap();
    outbox.insert_endpoint(endpoint("a"), at(1)).unwrap();
    assert_eq!(outbox.pending(), 0);
    assert_eq!(outbox.status(&eid("a")).unwrap().health.paused_since(), None);
    outbox.publish(message("new"), at(1)).unwrap();
    let (_, sent) = poll_on(&mut outbox, at(1));
    assert_eq!((outbox.pending(), sent), (1, 1));
}

#[test]
fn replaced_endpoint_sends_once_all_follow_the_new_policy() {
    let plain = || -> Endpoint { endpoint("a").with_retry(policy(&[60])) };
    let mut outbox = Outbox::new(registry([plain()]), 7).without_storage();
    outbox.pause_endpoint(&eid("a"), at(0)).unwrap();
    for number in 0..MANY {
        outbox.publish(message(&format!("m{number:04}")), at(0)).unwrap();
    }
    outbox.replace_endpoint(plain().with_order(Order::strict()), at(1)).unwrap();
    outbox.resume_endpoint(&eid("a"), at(1)).unwrap();
    // In order, so one at a time, from the first.
    let (_, sent) = poll_on(&mut outbox, at(1));
    assert_eq!(sent, 1);
    let (_, _, first) = outbox.deliveries().next().unwrap();
    assert!(first.in_flight().is_some());
}

#[test]
fn clock_that_stepped_back_is_followed_in_parts() {
    let mut outbox =
        Outbox::new(registry([endpoint("a").with_retry(policy(&[60]))]), 7).without_storage();
    let ahead = at(86_400);
    for number in 0..MANY {
        outbox.publish(message(&format!("m{number:04}")), ahead).unwrap();
    }
    loop {
        match outbox.poll(ahead) {
            Step::Send(attempt) => _ = outbox.resolve(attempt.ticket(), &answer(500), ahead),
            Step::Wait(until) if until > ahead + secs(1) => break,
            step => panic!("{step:?}"),
        }
    }
    let waits = |outbox: &Outbox| {
        outbox.deliveries().filter(|(.., it)| it.next_at().is_some_and(|at| at > ahead)).count()
    };
    let before = waits(&outbox);
    assert!(before > 0);
    let (calls, _) = poll_on(&mut outbox, at(0));
    assert!(calls > 0 && calls <= MANY / 1_000 + 1, "{calls} calls");
    assert_eq!(waits(&outbox), 0);
}

#[test]
fn messages_whose_retention_ends_together_go_in_parts() {
    let mut outbox = Outbox::new(registry([]), 7).with_retention(secs(60));
    for number in 0..MANY {
        outbox.publish(message(&format!("m{number:04}")), at(0)).unwrap();
    }
    let mut saved = Vec::new();
    loop {
        match outbox.poll(at(60)) {
            Step::Save(changes) => {
                assert!(outbox.saved(changes.revision()));
                saved.push(changes.len());
            }
            Step::Idle => break,
            Step::Wait(_) => {}
            step => panic!("{step:?}"),
        }
    }
    // Published in parts, and forgotten in parts: each call forgets no more than one part has.
    assert_eq!(saved, [1_024, 1_024, 1_024, 1_024, 2 * MANY - 4 * 1_024]);
    assert_eq!(outbox.deliveries().count(), 0);
}

#[test]
fn enabling_again_cancels_the_rest_first() {
    let mut outbox = paused_with_many();
    outbox.disable_endpoint(&eid("a"), None, at(1)).unwrap();
    let _ = outbox.poll(at(1));
    assert!(outbox.pending() > 0);
    outbox.enable_endpoint(&eid("a"), EnabledBy::Operator, at(1)).unwrap();
    assert_eq!(outbox.pending(), 0);
    assert!(outbox.deliveries().all(|(.., it)| it.verdict() == Some(Verdict::Cancelled)));
}

#[test]
fn drained_outbox_has_cancelled_what_it_removed() {
    let mut outbox = paused_with_many();
    outbox.drain();
    outbox.remove_endpoint(&eid("a"), at(1)).unwrap();
    let mut calls = 0;
    while !outbox.is_drained() {
        let _ = outbox.poll(at(1));
        calls += 1;
    }
    assert_eq!(outbox.pending(), 0);
    assert!(calls > 2, "{calls} calls");
}
