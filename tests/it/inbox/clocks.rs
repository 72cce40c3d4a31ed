//! Clocks that are wrong for a while: what the inbox remembers, and for how long.

use std::num::NonZeroUsize;

use labhook::Inbox;
use labhook::receive::Admission;

use super::{begin, inbox, is_new, pass, saved, seen};
use crate::support::{at, secs};

/// 100 events, one handled each second.
fn hundred() -> Inbox {
    let mut inbox = inbox(1_000);
    for second in 0..100 {
        seen(&mut inbox, &format!("m{second}"), second);
    }
    inbox
}

/// The number of those that are known.
fn known(inbox: &Inbox, seconds: i64) -> usize {
    (0..100).filter(|number| !is_new(inbox, &format!("m{number}"), seconds)).count()
}

const DAY: i64 = 86_400;
const YEAR: i64 = 365 * DAY;

#[test]
fn readings_a_year_ahead_and_back_forget_nothing() {
    for readings in [1, 2, 1_000] {
        let mut inbox = hundred();
        for _ in 0..readings {
            assert_eq!(inbox.begin("s", "m0", at(YEAR)), Admission::Seen);
        }
        assert_eq!(known(&inbox, YEAR), 100, "{readings}");
        assert_eq!(known(&inbox, 99), 100, "{readings}");
        inbox = saved(&inbox);
        assert_eq!(inbox.begin("s", "m99", at(99)), Admission::Seen);
        assert_eq!((known(&inbox, 99), inbox.evictions()), (100, 0));
        // The eighth that was added is used up, so each is forgotten at its horizon.
        assert_eq!(known(&inbox, 100), 99);
    }
}

#[test]
fn reading_a_day_behind_makes_nothing_immortal() {
    for behind in [-DAY, -YEAR] {
        let mut inbox = hundred();
        seen(&mut inbox, "behind", behind);
        assert_eq!(known(&inbox, behind), 100);
        assert_eq!(known(&inbox, 99), 100, "nor does it forget any");
        for seconds in (100..=211).step_by(3) {
            _ = inbox.begin("s", "tick", at(seconds));
            let claim = begin(&mut inbox, "tock", seconds);
            assert!(inbox.abandon(&claim));
        }
        assert_eq!(inbox.len(), 1, "only the last lease");
        assert!(is_new(&inbox, "behind", 211));
    }
    // If the clock stays there, time passes there.
    let mut inbox = hundred();
    for seconds in (0..=120).step_by(10) {
        let claim = begin(&mut inbox, "tick", seconds - DAY);
        assert!(inbox.abandon(&claim));
    }
    assert!(inbox.is_empty());
}

#[test]
fn start_a_year_ahead_makes_nothing_immortal() {
    let mut inbox = inbox(8);
    seen(&mut inbox, "m", YEAR);
    let dead = begin(&mut inbox, "dead", YEAR);
    assert_eq!(inbox.begin("s", "dead", at(0)), Admission::InProgress { until: at(10) });
    pass(&mut inbox, 0, 112);
    assert!(is_new(&inbox, "m", 113));
    assert!(is_new(&inbox, "dead", 10), "its lease is over");
    assert!(!inbox.abandon(&dead));
}

#[test]
fn slow_thread_does_not_age_events() {
    // Readings of two threads, one of which is 3 s behind.
    let mut inbox = inbox(8);
    seen(&mut inbox, "m", 0);
    for seconds in 0..112 {
        assert_eq!(inbox.begin("s", "m", at(seconds)), Admission::Seen);
        assert_eq!(inbox.begin("s", "m", at(seconds - 3)), Admission::Seen);
    }
    assert!(is_new(&inbox, "m", 113));
}

#[test]
fn pause_of_the_receiver_lengthens_the_memory() {
    let mut inbox = inbox(2);
    seen(&mut inbox, "m", 0);
    // Each call counts at most 12.5 s, so the ninth call forgets it.
    for call in 1..9 {
        assert_eq!(inbox.begin("s", "m", at(call * DAY)), Admission::Seen);
    }
    assert!(is_new(&inbox, "m", 9 * DAY));
    // The capacity holds all the same.
    seen(&mut inbox, "n", 8 * DAY);
    seen(&mut inbox, "o", 8 * DAY);
    assert_eq!((inbox.len(), inbox.evictions()), (2, 1));
}

#[test]
fn rows_are_remembered_in_any_order() {
    let mut inbox = inbox(100);
    // In no order, and over more than the horizon.
    for number in 0..100 {
        assert!(inbox.remember("s", &format!("m{number}"), at(number * 37 % 100 * 9)));
    }
    assert_eq!(known(&inbox, 900), 100);
    // A busy event keeps its lease.
    let mut inbox = Inbox::new(NonZeroUsize::MIN).with_lease(secs(10));
    let _claim = begin(&mut inbox, "busy", 1_000);
    assert!(!inbox.remember("s", "old", at(0)), "every entry is in progress");
    let until = at(1_010);
    assert_eq!(inbox.begin("s", "busy", at(1_000)), Admission::InProgress { until });
}

#[test]
fn shorter_horizon_applies_to_a_restored_inbox() {
    let mut inbox = inbox(8);
    seen(&mut inbox, "m", 0);
    let mut shorter = saved(&inbox).with_horizon(secs(8));
    for seconds in 1..10 {
        assert_eq!(shorter.begin("s", "m", at(seconds)), Admission::Seen);
    }
    assert!(is_new(&shorter, "m", 10), "8 s and an eighth from the first call");
    // Rows without the row of the inbox, which has the clock.
    let json = r#"{"capacity":4,"horizon_ms":100000,"lease_ms":10000,
        "state":{"next_number":0,"evictions":0},"events":[{"source":"s","id":"m",
        "expires_at":1744882300000000,"number":0,"handled":true}]}"#;
    let mut old: Inbox = serde_json::from_str(json).unwrap();
    assert!(!is_new(&old, "m", 99));
    assert!(is_new(&old, "m", 100));
    let json = json.replace("1744882300000000", &i64::MAX.to_string());
    old = serde_json::from_str(&json).unwrap();
    pass(&mut old, 0, 112);
    assert!(is_new(&old, "m", 113), "nothing saved is immortal");
}
