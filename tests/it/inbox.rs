//! Duplicate detection by the inbox: examples.

mod clocks;
mod memory;
mod model;
mod rows;

use std::num::NonZeroUsize;
use std::time::Duration;

use labhook::receive::{Admission, Claim};
use labhook::{Inbox, RetryPolicy, Timestamp};

use crate::support::{at, secs};

fn inbox(capacity: usize) -> Inbox {
    Inbox::new(NonZeroUsize::new(capacity).unwrap()).with_horizon(secs(100)).with_lease(secs(10))
}

fn begin(inbox: &mut Inbox, id: &str, seconds: i64) -> Claim {
    match inbox.begin("s", id, at(seconds)) {
        Admission::New(claim) => claim,
        other => panic!("{other:?}"),
    }
}

fn seen(inbox: &mut Inbox, id: &str, seconds: i64) {
    let claim = begin(inbox, id, seconds);
    assert!(inbox.done(&claim, at(seconds)));
}

fn is_new(inbox: &Inbox, id: &str, seconds: i64) -> bool {
    matches!(inbox.clone().begin("s", id, at(seconds)), Admission::New(_))
}

/// Takes a reading of the clock every 5 s. An event that is known already is added, which does
/// nothing else.
fn pass(inbox: &mut Inbox, from: i64, to: i64) {
    for seconds in (from..=to).step_by(5) {
        let known = inbox.begin("s", "m", at(seconds));
        assert_eq!(known, Admission::Seen, "{seconds}");
    }
}

fn saved(inbox: &Inbox) -> Inbox {
    let json = serde_json::to_string(inbox).unwrap();
    let read = serde_json::from_str(&json).unwrap();
    assert_eq!(*inbox, read, "{json}");
    read
}

#[test]
fn remember_adds_an_event_from_a_table() {
    let mut inbox = inbox(2);
    assert!(inbox.remember("s", "a", at(0)));
    assert!(!inbox.remember("s", "a", at(0)), "already handled");
    assert_eq!(inbox.begin("s", "a", at(99)), Admission::Seen);
    let Admission::New(_) = inbox.begin("s", "b", at(0)) else { panic!() };
    assert!(!inbox.remember("s", "b", at(0)), "in progress");
    assert!(matches!(inbox.begin("s", "b", at(0)), Admission::InProgress { .. }));
}

#[test]
fn handled_event_is_seen_until_its_horizon() {
    let mut inbox = inbox(8);
    assert!(inbox.is_empty());
    let claim = begin(&mut inbox, "m", 0);
    assert_eq!((claim.source(), claim.id(), inbox.len()), ("s", "m", 1));
    let until = at(10);
    assert_eq!(inbox.begin("s", "m", at(9)), Admission::InProgress { until });
    assert!(inbox.done(&claim, at(9)));
    assert!(!inbox.done(&claim, at(20)), "a second call does not extend the horizon");
    pass(&mut inbox, 20, 121);
    assert_eq!(inbox.begin("s", "m", at(121)), Admission::Seen);
    assert!(is_new(&inbox, "m", 122), "an eighth of the horizon later");
    assert_eq!(inbox.evictions(), 0);
}

#[test]
fn abandoned_event_is_new_at_once() {
    let mut inbox = inbox(8);
    let first = begin(&mut inbox, "m", 0);
    assert!(inbox.abandon(&first));
    assert!(!inbox.abandon(&first));
    assert!(inbox.is_empty());
    let second = begin(&mut inbox, "m", 0);
    assert_ne!(first, second);
    assert!(!inbox.abandon(&first), "another claim holds the lease");
    assert!(matches!(inbox.begin("s", "m", at(1)), Admission::InProgress { .. }));
    assert!(inbox.done(&second, at(1)));
    assert!(!inbox.abandon(&second), "a handled event stays handled");
}

#[test]
fn event_is_new_after_its_lease_expires() {
    let mut inbox = inbox(8);
    let dead = begin(&mut inbox, "m", 0);
    assert!(!is_new(&inbox, "m", 9));
    let alive = begin(&mut inbox, "m", 10);
    assert!(!inbox.abandon(&dead));
    assert_eq!(inbox.begin("s", "m", at(19)), Admission::InProgress { until: at(20) });
    assert!(inbox.done(&alive, at(19)));
}

#[test]
fn event_handled_after_its_lease_is_handled() {
    // No other handler has started.
    let mut late = inbox(8);
    let claim = begin(&mut late, "m", 0);
    seen(&mut late, "other", 20);
    assert_eq!(late.len(), 1, "the lease has expired");
    assert!(late.done(&claim, at(30)));
    pass(&mut late, 30, 142);
    assert!(is_new(&late, "m", 143));

    // Another handler has the lease, and its outcome no longer matters.
    let mut contended = inbox(8);
    let slow = begin(&mut contended, "m", 0);
    let quick = begin(&mut contended, "m", 10);
    assert!(contended.done(&slow, at(11)));
    assert_eq!(contended.begin("s", "m", at(11)), Admission::Seen);
    assert!(!contended.abandon(&quick));
    assert!(!contended.done(&quick, at(12)));
    pass(&mut contended, 12, 123);
    assert!(is_new(&contended, "m", 124));

    // Every entry is in progress.
    let mut full = inbox(1);
    let slow = begin(&mut full, "m", 0);
    let other = begin(&mut full, "other", 10);
    assert!(!full.done(&slow, at(11)));
    assert!(full.done(&other, at(11)));
}

#[test]
fn full_inbox_evicts_handled_events_by_age() {
    let mut inbox = inbox(3);
    seen(&mut inbox, "sooner", 1);
    seen(&mut inbox, "later", 2);
    let _claim = begin(&mut inbox, "busy", 3);
    assert_eq!((inbox.len(), inbox.evictions()), (3, 0));
    assert!(!is_new(&inbox, "later", 4));

    let _claim = begin(&mut inbox, "a", 4);
    assert_eq!((inbox.len(), inbox.evictions()), (3, 1));
    assert!(is_new(&inbox, "sooner", 4));
    assert!(!is_new(&inbox, "later", 4));
    let claim = begin(&mut inbox, "b", 5);
    assert_eq!((inbox.len(), inbox.evictions()), (3, 2));

    // All three are in progress until the first lease expires.
    for id in ["later", "sooner", "c"] {
        assert_eq!(inbox.begin("s", id, at(12)), Admission::Full { until: at(13) });
    }
    assert!(matches!(inbox.begin("s", "busy", at(12)), Admission::InProgress { .. }));
    assert!(is_new(&inbox, "c", 13));
    assert!(inbox.abandon(&claim));
    assert!(is_new(&inbox, "c", 12));
}

#[test]
fn same_id_of_two_sources_is_two_events() {
    let mut inbox = inbox(8);
    let Admission::New(claim) = inbox.begin("a", "m", at(0)) else { panic!() };
    assert!(matches!(inbox.begin("b", "m", at(0)), Admission::New(_)));
    assert!(inbox.done(&claim, at(0)));
    assert_eq!(inbox.begin("a", "m", at(0)), Admission::Seen);
    assert!(matches!(inbox.begin("b", "m", at(0)), Admission::InProgress { .. }));
    // Source and id are separate parts of the key.
    assert!(matches!(inbox.begin("am", "", at(0)), Admission::New(_)));
    assert!(matches!(inbox.begin("", "am", at(0)), Admission::New(_)));
}

#[test]
fn default_horizon_and_lease() {
    let span = RetryPolicy::default().span();
    let mut inbox = Inbox::new(NonZeroUsize::MIN);
    let Admission::New(claim) = inbox.begin("s", "m", at(0)) else { panic!() };
    let until = at(300);
    assert_eq!(inbox.begin("s", "m", at(0)), Admission::InProgress { until });
    inbox.done(&claim, at(0));
    for eighth in 1..9 {
        assert_eq!(inbox.begin("s", "m", at(0) + span / 8 * eighth), Admission::Seen);
    }
    let last = at(0) + span / 8 * 9;
    assert_eq!(inbox.begin("s", "m", last - Duration::from_micros(1)), Admission::Seen);
    assert!(matches!(inbox.begin("s", "m", last), Admission::New(_)));
    assert!(span > secs(75 * 3600), "{span:?}");
}

#[test]
fn extreme_times_do_not_panic() {
    for horizon in [Duration::ZERO, Duration::MAX] {
        for now in [Timestamp::MIN, Timestamp::MAX] {
            let mut inbox = inbox(1).with_horizon(horizon).with_lease(horizon);
            if let Admission::New(claim) = inbox.begin("s", "m", now) {
                inbox.done(&claim, Timestamp::MAX);
            }
            for then in [Timestamp::MAX, Timestamp::MIN] {
                let _admission = inbox.begin("s", "n", then);
            }
            saved(&inbox);
        }
    }
}

#[test]
fn saved_form_is_as_documented() {
    let mut inbox = inbox(4);
    seen(&mut inbox, "m1", 0);
    begin(&mut inbox, "m2", 1);
    let json = concat!(
        r#"{"capacity":4,"horizon_ms":100000,"lease_ms":10000,"state":{"next_number":3,"#,
        r#""evictions":0,"clock":{"time":1744882201000000,"read_at":1744882201000000}},"#,
        r#""events":[{"source":"s","id":"m1","expires_at":1744882312500000,"number":1,"#,
        r#""handled":true},{"source":"s","id":"m2","expires_at":1744882211000000,"number":2,"#,
        r#""handled":false}]}"#
    );
    assert_eq!(serde_json::to_string(&inbox).unwrap(), json);
    assert_eq!(serde_json::from_str::<Inbox>(json).unwrap(), inbox);
    for bad in [json.replace("lease_ms", "lease"), json.replace("4,", "0,")] {
        assert!(serde_json::from_str::<Inbox>(&bad).is_err(), "{bad}");
    }
}

#[test]
fn partial_milliseconds_are_rounded_up_on_save() {
    let odd = Duration::from_micros(1_500);
    let mut inbox = saved(&inbox(4).with_horizon(odd).with_lease(odd));
    let claim = begin(&mut inbox, "m", 0);
    assert!(inbox.done(&claim, at(0)));
    assert_eq!(inbox.begin("s", "m", at(0) + odd), Admission::Seen, "not shorter than requested");
    saved(&saved(&inbox.with_horizon(Duration::MAX)));
}

#[test]
fn restored_inbox_shrinks_to_its_capacity() {
    let mut inbox = inbox(8);
    for (seconds, id) in ["m1", "m2", "m3", "m4"].into_iter().enumerate() {
        seen(&mut inbox, id, i64::try_from(seconds).unwrap());
    }
    let json = serde_json::to_string(&inbox).unwrap().replace(r#""capacity":8"#, r#""capacity":2"#);
    let mut smaller: Inbox = serde_json::from_str(&json).unwrap();
    begin(&mut smaller, "m5", 9);
    assert_eq!((smaller.len(), smaller.evictions()), (2, 3));
    assert_eq!(smaller.begin("s", "m4", at(9)), Admission::Seen);
}
