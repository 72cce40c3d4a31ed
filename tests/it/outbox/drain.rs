//! A process that is to end.

use labhook::{Endpoint, Outbox, Signer, Step, Verdict};

use crate::support::{Host, answer, at, eid, endpoint, mid, registry, secs};

#[test]
fn draining_outbox_ends_what_is_in_flight_alone() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m1");
    let ticket = host.send();
    assert!(!host.outbox.is_drained());
    assert!(host.outbox.drain());
    assert!(!host.outbox.drain());
    host.publish("m2");
    assert!(host.sends().is_empty());
    assert_eq!(host.outbox.in_flight(), 1);
    let why = host.outbox.explain(&mid("m2"), &eid("a"), at(0)).unwrap();
    assert_eq!(why.to_string(), "no attempt starts, because the process is to end");
    assert!(!host.outbox.is_drained(), "a response is to come");
    host.now = at(3);
    host.resolve(&ticket, &answer(500));
    assert!(!host.outbox.is_drained(), "its record is to be saved");
    assert!(host.sends().is_empty());
    assert!(host.outbox.is_drained());
    // The retry is due, and waits, without a busy loop.
    host.now = at(60);
    assert!(host.sends().is_empty());
    assert_eq!(host.wait, None);
    // The next process goes on.
    host.restart(Outbox::new(registry([endpoint("a")]), 7));
    assert_eq!(host.send_texts(), ["m2>a#1", "m1>a#2"]);
}

#[test]
fn drain_saves_the_running_measurements() {
    let plain = || Endpoint::new(eid("a"), "https://a.example", Signer::unsigned()).unwrap();
    let mut host = Host::with([plain()]);
    host.publish("m1");
    let ticket = host.send();
    host.now = at(1);
    host.resolve(&ticket, &answer(200));
    assert!(host.sends().is_empty());
    assert_eq!(host.keys(), ["delivery/m1/a", "message/m1"]);
    // One more is in flight while it drains.
    host.publish("m2");
    let ticket = host.send();
    host.outbox.drain();
    assert!(host.sends().is_empty());
    assert!(host.keys().contains(&"endpoint/a"));
    host.now = at(2);
    host.resolve(&ticket, &answer(200));
    assert!(host.sends().is_empty());
    assert!(host.outbox.is_drained());
    let before = host.outbox.status(&eid("a")).unwrap().flow.clone();
    host.restart(Outbox::new(registry([plain()]), 7));
    assert_eq!(*host.outbox.status(&eid("a")).unwrap().flow, before);
    assert!(host.sends().is_empty());
    assert!(host.outbox.drain());
    assert!(host.outbox.is_drained(), "nothing is left to save");
}

#[test]
fn start_that_is_being_saved_is_cancelled() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m");
    let changes = host.unsaved();
    host.outbox.drain();
    host.save(changes);
    assert!(host.sends().is_empty());
    assert!(host.outbox.is_drained());
    assert!(host.outbox.undrain());
    assert!(!host.outbox.undrain());
    assert_eq!(host.send_texts(), ["m>a#1"], "the same attempt, which was not made");
}

#[test]
fn response_that_never_comes_ends_at_its_deadline() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m");
    host.send();
    host.outbox.drain();
    assert!(host.sends().is_empty());
    assert_eq!(host.wait, Some(at(10)));
    host.now += secs(10);
    assert!(host.sends().is_empty());
    assert!(host.outbox.is_drained());
}

#[test]
fn attempt_to_an_absent_endpoint_keeps_no_process() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m");
    host.send();
    host.restart(Outbox::new(registry([]), 7));
    host.outbox.drain();
    assert!(host.sends().is_empty());
    assert!(host.outbox.is_drained());
    assert_eq!(host.outbox.in_flight(), 0);
}

#[test]
fn message_that_expires_while_draining_is_reported() {
    let mut host = Host::with([endpoint("a")]);
    let expiring = crate::support::message("m").with_expires_at(at(5));
    host.outbox.drain();
    host.outbox.publish(expiring, at(0)).unwrap();
    assert!(host.sends().is_empty());
    host.now = at(5);
    assert!(host.sends().is_empty());
    assert_eq!(host.verdict("m", "a"), Some(Verdict::Expired));
    assert!(matches!(host.outbox.poll(at(5)), Step::Wait(_)));
}
