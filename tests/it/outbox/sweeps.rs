//! Decisions about several endpoints with large backlogs, of which one call looks at a part.

use std::time::Duration;

use labhook::{Order, Outbox, Step, Verdict};

use crate::support::{Host, answer, at, eid, endpoint, message, registry};

/// The most deliveries that one call looks at.
const PER_CALL: usize = 1_024;

fn paused(endpoints: &[&str], messages: usize) -> Outbox {
    let all = registry(endpoints.iter().map(|id| endpoint(id)));
    let mut outbox = Outbox::new(all, 7).without_storage();
    for id in endpoints {
        outbox.pause_endpoint(&eid(id), at(0)).unwrap();
    }
    for number in 0..messages {
        outbox.publish(message(&format!("m{number:04}")), at(0)).unwrap();
    }
    outbox
}

/// Polls until nothing is left to do now.
fn poll_on(outbox: &mut Outbox) {
    for _ in 0..10_000 {
        match outbox.poll(at(1)) {
            Step::Wait(until) if until > at(1) + Duration::from_micros(1) => return,
            Step::Idle => return,
            _ => {}
        }
    }
    panic!("polling does not come to an end");
}

fn pending(outbox: &Outbox, endpoint: &str) -> usize {
    outbox.status(&eid(endpoint)).unwrap().pending
}

#[test]
fn backlog_that_one_call_can_end_ends_at_once() {
    let mut outbox = paused(&["a"], PER_CALL);
    outbox.disable_endpoint(&eid("a"), None, at(1)).unwrap();
    assert_eq!(outbox.pending(), 0);
    let mut outbox = paused(&["a"], PER_CALL + 1);
    outbox.disable_endpoint(&eid("a"), None, at(1)).unwrap();
    assert_eq!(outbox.pending(), PER_CALL + 1, "the next calls of `poll` end it");
}

#[test]
fn two_large_backlogs_both_end() {
    let mut outbox = paused(&["a", "b"], PER_CALL + 1);
    for id in ["a", "b"] {
        outbox.disable_endpoint(&eid(id), None, at(1)).unwrap();
    }
    poll_on(&mut outbox);
    assert_eq!(outbox.pending(), 0);
    assert!(outbox.deliveries().all(|(.., it)| it.verdict() == Some(Verdict::Cancelled)));
}

#[test]
fn second_decision_does_not_end_the_sweep_of_another() {
    let mut outbox = paused(&["a", "b"], PER_CALL + 1);
    for id in ["a", "b"] {
        outbox.disable_endpoint(&eid(id), None, at(1)).unwrap();
    }
    // The decision about `a` first ends what the earlier one left.
    outbox.remove_endpoint(&eid("a"), at(1)).unwrap();
    outbox.insert_endpoint(endpoint("a"), at(1)).unwrap();
    assert_eq!((pending(&outbox, "a"), pending(&outbox, "b")), (0, PER_CALL + 1));
    poll_on(&mut outbox);
    assert_eq!(pending(&outbox, "b"), 0);
}

#[test]
fn saved_starts_wait_for_the_sweep_of_a_replaced_endpoint() {
    let mut host = Host::with([endpoint("a")]);
    for number in 0..=PER_CALL {
        host.publish(&format!("m{number:04}"));
    }
    // The starts of several messages are saved, and the first is handed out.
    let first = loop {
        match host.outbox.poll(host.now) {
            Step::Save(changes) => host.save(changes),
            Step::Send(attempt) => break attempt.ticket().clone(),
            other => panic!("{other:?} where an attempt was to be sent"),
        }
    };
    let ordered = endpoint("a").with_order(Order::strict());
    host.outbox.replace_endpoint(ordered, host.now).unwrap();
    assert!(host.catch_up().is_empty(), "the first message blocks the others");
    host.resolve(&first, &answer(200));
    assert_eq!(host.send_texts(), ["m0001>a#1"]);
}
