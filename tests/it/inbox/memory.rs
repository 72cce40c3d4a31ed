//! What the inbox keeps: long ids, order of eviction, and events to be handled again.

use labhook::Inbox;
use labhook::receive::Admission;

use super::{begin, inbox, is_new, saved, seen};
use crate::support::at;

#[test]
fn forgotten_event_is_new_again() {
    let mut inbox = inbox(8);
    seen(&mut inbox, "m", 0);
    assert!(!inbox.forget("s", "other"));
    assert!(!inbox.forget("t", "m"));
    assert!(inbox.forget("s", "m"));
    assert!(!inbox.forget("s", "m"), "once");
    assert!(inbox.is_empty());
    let claim = begin(&mut inbox, "m", 1);
    assert!(!inbox.forget("s", "m"), "in progress");
    assert!(inbox.done(&claim, at(1)), "the lease is still valid");
    assert_eq!((inbox.len(), inbox.evictions()), (1, 0));
}

#[test]
fn long_ids_do_not_fill_the_memory() {
    let mut inbox = inbox(1_000);
    let id = |number: u32| format!("{}{number}", "x".repeat(1 << 20));
    for number in 0..300 {
        seen(&mut inbox, &id(number), 0);
    }
    assert!(serde_json::to_string(&inbox).unwrap().len() < 300 * 400);
    let mut inbox = saved(&inbox);
    for number in [0, 299] {
        assert_eq!(inbox.begin("s", &id(number), at(1)), Admission::Seen);
    }
    assert!(is_new(&inbox, &id(300), 1));
    let long = "s".repeat(257);
    assert!(matches!(inbox.begin(&long, "m", at(1)), Admission::New(_)));
    assert!(matches!(inbox.begin(&long, "m", at(1)), Admission::InProgress { .. }));
    assert!(inbox.forget("s", &id(0)));
}

#[test]
fn event_is_forgotten_by_its_row() {
    let long = "x".repeat(300);
    for (source, id) in [("s", "m"), ("s", &*long), (&*long, "m"), (&*long, &*long)] {
        let mut inbox = inbox(8);
        assert!(inbox.remember(source, id, at(0)));
        let row = inbox.rows().1.next().unwrap();
        assert!(!inbox.forget(row.source(), "other"));
        assert!(inbox.forget(row.source(), row.id()));
        assert!(inbox.is_empty());
        // The id of a row is no other id of the event: a sender may write it as its own.
        assert!(inbox.remember(source, id, at(0)));
        let is_digested = source == long || id == long;
        assert_eq!(inbox.remember(row.source(), row.id(), at(0)), is_digested);
    }
}

/// With a clock that stands still, or is behind for a while, age is the order of handling.
#[test]
fn eviction_follows_the_order_of_handling() {
    for seconds in [|_| 0, |number: i64| -number] {
        let mut inbox = inbox(3);
        for (number, id) in ["z", "y", "x", "w", "v"].into_iter().enumerate() {
            inbox = saved(&inbox);
            seen(&mut inbox, id, seconds(i64::try_from(number).unwrap()));
        }
        let known = |id: &&str| !is_new(&inbox, id, 0);
        assert!(["x", "w", "v"].iter().all(known));
        assert_eq!(inbox.evictions(), 2);
    }
}

#[test]
fn changes_without_a_recorder_are_empty() {
    let mut inbox: Inbox = inbox(3);
    seen(&mut inbox, "m", 0);
    assert!(inbox.take_changes().is_empty());
}
