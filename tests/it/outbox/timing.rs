//! Slow storage, late and foreign responses, and extreme clocks.

use labhook::delivery::{Failure, Ignored, Resolution, Schedule};
use labhook::{Endpoint, Outbox, Outcome, RetryPolicy, Step, Ticket, Timestamp, Verdict};
use serde_json::json;

use crate::support::{Host, answer, at, eid, endpoint, message, registry, secs, show};

fn timeout() -> Outcome {
    Outcome::failed(Failure::Timeout)
}

#[test]
fn attempt_saved_past_its_deadline_restarts_uncounted() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m");
    let changes = host.unsaved();
    host.now = at(10);
    assert!(matches!(host.outbox.poll(at(10)), Step::Idle), "nothing to do except save");
    host.now = at(11);
    host.save(changes);
    let attempts = host.attempts();
    assert_eq!(show(attempts[0].ticket()), "m>a#1");
    assert_eq!(attempts[0].deadline(), at(21));
    let (_, _, delivery) = host.outbox.deliveries().next().unwrap();
    assert_eq!((delivery.attempts(), delivery.unanswered()), (1, 0));
    host.resolve(attempts[0].ticket(), &answer(200));
    host.sends();
    assert_eq!(host.notice_texts(), ["m>a delivered after 1"]);
}

#[test]
fn failed_save_past_a_deadline_counts_one_attempt() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m");
    let changes = host.unsaved();
    host.now = at(11);
    assert!(host.outbox.unsaved(changes.revision()));
    // One attempt, although it was started twice.
    assert_eq!(host.send_texts(), ["m>a#1"]);
}

#[test]
fn endpoint_change_before_handout_counts_no_attempt() {
    // A change of the endpoint reconciles its deliveries too.
    let mut host = Host::with([endpoint("a")]);
    host.publish("m");
    let changes = host.unsaved();
    host.now = at(11);
    host.outbox.replace_endpoint(endpoint("a"), at(11)).unwrap();
    host.save(changes);
    assert_eq!(host.send_texts(), ["m>a#1"]);
    let (_, _, delivery) = host.outbox.deliveries().next().unwrap();
    assert_eq!((delivery.attempts(), delivery.unanswered()), (1, 0));
}

#[test]
fn outcome_before_handout_is_ignored() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m");
    let mut earlier = Host::with([endpoint("a")]);
    earlier.publish("m");
    let ticket = earlier.send();
    let changes = host.unsaved();
    let ignored = host.resolve(&ticket, &answer(200));
    assert_eq!(ignored, Resolution::Ignored(Ignored::NeverStarted));
    host.save(changes);
    assert_eq!(host.send_texts(), ["m>a#1"]);
    assert_eq!(host.resolve(&ticket, &answer(200)), Resolution::Ended(Verdict::Delivered));
}

#[test]
fn late_success_cancels_the_retry_in_any_phase() {
    // While it waits, while it is being saved, and while it is in flight.
    for stage in ["waiting", "saving", "in flight"] {
        let mut host = Host::with([endpoint("a")]);
        host.publish("m");
        let first = host.send();
        host.now = at(10);
        assert_eq!(host.resolve(&first, &timeout()), Resolution::Retry { at: at(15) });
        assert!(host.sends().is_empty());
        let mut second = None;
        match stage {
            "saving" => {
                host.now = at(15);
                let changes = host.unsaved();
                assert_eq!(host.resolve(&first, &answer(200)), Resolution::LateSuccess);
                host.save(changes);
            }
            "in flight" => {
                host.now = at(15);
                second = Some(host.send());
                assert_eq!(host.resolve(&first, &answer(200)), Resolution::LateSuccess);
            }
            _ => assert_eq!(host.resolve(&first, &answer(200)), Resolution::LateSuccess),
        }
        host.now = at(100);
        assert!(host.sends().is_empty(), "{stage}");
        assert_eq!(host.outbox.pending(), 0);
        let made = if stage == "in flight" { 2 } else { 1 };
        assert_eq!(host.notice_texts(), [format!("m>a delivered after {made}")]);
        if let Some(second) = second {
            let late = host.resolve(&second, &answer(500));
            assert_eq!(late, Resolution::Ignored(Ignored::Ended));
        }
    }
}

#[test]
fn stale_and_foreign_tickets_are_ignored() {
    let mut host = Host::with([endpoint("a"), endpoint("b")]);
    host.publish("m");
    host.publish("n");
    let sends = host.sends();
    let ticket = sends.iter().find(|it| show(it) == "m>a#1").unwrap().clone();

    /// The ticket of the first message, accepted at `at(0)`.
    const FIRST: u64 = 1_744_882_200_000_000;
    let text = serde_json::to_value(&ticket).unwrap();
    let expected = json!({
        "sequence": FIRST, "message": "m", "endpoint": "a", "attempt": 1,
        "permit": {"serial": 0, "first": true, "deadline": null},
    });
    assert_eq!(text, expected, "the serialized form of a ticket is stable");
    let changed = |member: &str, value: serde_json::Value| -> Ticket {
        let mut text = text.clone();
        text[member] = value;
        serde_json::from_value(text).unwrap()
    };
    let foreign = [
        changed("sequence", json!(0)),
        changed("sequence", json!(FIRST + 1)),
        changed("sequence", json!(FIRST + 7)),
        changed("sequence", json!(u64::MAX)),
        changed("message", json!("n")),
        changed("message", json!("nobody")),
        changed("endpoint", json!("nobody")),
        changed("attempt", json!(0)),
        changed("attempt", json!(2)),
        changed("attempt", json!(u32::MAX)),
    ];
    let before = format!("{:?}", host.outbox);
    for ticket in &foreign {
        for outcome in [answer(200), answer(410), timeout()] {
            assert_eq!(
                host.resolve(ticket, &outcome),
                Resolution::Ignored(Ignored::NeverStarted),
                "{ticket:?}"
            );
        }
    }
    assert_eq!(format!("{:?}", host.outbox), before);
    assert!(serde_json::from_value::<Ticket>(json!({"sequence": 0, "message": "m"})).is_err());

    // The ticket survives a round trip through text.
    let ticket: Ticket = serde_json::from_value(text.clone()).unwrap();
    assert_eq!(host.resolve(&ticket, &answer(500)), Resolution::Retry { at: at(5) });
    let repeated = [answer(500), answer(200), answer(410), timeout()];
    for outcome in &repeated {
        let ignored = Resolution::Ignored(Ignored::AlreadyResolved);
        assert_eq!(host.resolve(&ticket, outcome), ignored);
    }
    host.now = at(5);
    let second = host.send();
    assert_eq!((second.attempt(), second.message().as_str()), (2, "m"));
    assert_eq!(second.endpoint(), &eid("a"));
    for outcome in &repeated {
        let ignored = Resolution::Ignored(Ignored::AlreadyResolved);
        assert_eq!(host.resolve(&ticket, outcome), ignored);
    }
    host.resolve(&second, &answer(200));
    for ticket in [&ticket, &second] {
        assert_eq!(host.resolve(ticket, &answer(410)), Resolution::Ignored(Ignored::Ended));
    }
    assert_eq!(host.disabled("a"), None, "no late 410 counts");
}

#[test]
fn late_failure_of_an_unanswered_attempt_is_ignored() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m");
    let first = host.send();
    host.now = at(10);
    host.sends();
    for outcome in [answer(500), answer(410), timeout()] {
        let late = host.resolve(&first, &outcome);
        assert_eq!(late, Resolution::Ignored(Ignored::LateFailure));
    }
    host.now = at(15);
    assert_eq!(host.send_texts(), ["m>a#2"]);
}

#[test]
fn ticket_of_a_forgotten_message_is_foreign() {
    let mut host = Host::new(Outbox::new(registry([endpoint("a")]), 7).with_retention(secs(60)));
    host.publish("m");
    let old = host.send();
    host.resolve(&old, &answer(200));
    host.sends();
    host.now = at(60);
    host.sends();
    assert!(!host.publish("m").duplicate);
    let new = host.send();
    assert_eq!(show(&old), show(&new));
    let foreign = host.resolve(&old, &answer(200));
    assert_eq!(foreign, Resolution::Ignored(Ignored::NeverStarted));
    assert_eq!(host.outbox.pending(), 1);
}

#[test]
fn response_before_the_next_poll_counts() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m");
    let ticket = host.send();
    // Past its deadline, but the first result to be reported.
    host.now = at(60);
    assert_eq!(host.resolve(&ticket, &answer(200)), Resolution::Ended(Verdict::Delivered));
}

#[test]
fn backward_clock_shortens_no_wait() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m");
    let ticket = host.send();
    host.resolve(&ticket, &answer(503));
    assert!(host.sends().is_empty());
    for back in [4, 0, -1_000] {
        host.now = at(back);
        assert!(host.sends().is_empty());
        assert_eq!(host.wait, Some(at(5)));
    }
    host.now = at(5);
    assert_eq!(host.send_texts(), ["m>a#2"]);
}

/// Endpoints with endless retries: immediate, later, and with jitter and a window.
fn endless() -> [Endpoint; 3] {
    let for_ever = |delay| RetryPolicy::new(Schedule::list([secs(delay)]).forever());
    [
        endpoint("a").with_retry(for_ever(0)),
        endpoint("b").with_retry(for_ever(5)),
        endpoint("c").with_retry(for_ever(0).with_window(secs(60))),
    ]
}

#[test]
fn extreme_times_neither_panic_nor_spin() {
    let almost = |micros| Timestamp::from_unix_micros(i64::MAX - micros);
    let ends = [Timestamp::MIN, almost(1), Timestamp::MAX];
    for start in ends {
        for then in ends {
            for storage in [true, false] {
                let mut outbox = Outbox::new(registry(endless()), 7);
                if !storage {
                    outbox = outbox.without_storage();
                }
                let mut host = Host::new(outbox);
                host.now = start;
                host.publish("m");
                for now in [start, then, then, start] {
                    host.now = now;
                    for ticket in host.sends() {
                        host.resolve(&ticket, &answer(503));
                    }
                    host.sends();
                }
                if storage {
                    host.restart(Outbox::new(registry(endless()), 7));
                    host.sends();
                }
                host.outbox.remove_endpoint(&eid("a"), Timestamp::MAX).unwrap();
                host.sends();
            }
        }
    }
}

#[test]
fn outbox_works_after_the_clock_leaves_the_maximum() {
    let [endless, ..] = endless();
    let mut host =
        Host::new(Outbox::new(registry([endless]), 7).with_batch(std::num::NonZeroUsize::MIN));
    host.now = Timestamp::MAX;
    host.publish("m");
    for _ in 0..3 {
        assert!(host.sends().is_empty(), "no deadline could be after now");
    }
    assert_eq!(host.outbox.pending(), 1);
    host.now = at(0);
    assert_eq!(host.send_texts(), ["m>a#1"]);
}

#[test]
fn message_accepted_at_the_minimum_time_is_sent() {
    let mut host = Host::with([endpoint("a")]);
    host.now = Timestamp::MIN;
    host.outbox.publish(message("m"), Timestamp::MIN).unwrap();
    let ticket = host.send();
    assert_eq!(host.wait, Some(Timestamp::MIN + secs(10)));
    host.now = Timestamp::MAX;
    assert_eq!(host.resolve(&ticket, &answer(200)), Resolution::Ended(Verdict::Delivered));
    host.sends();
}

/// A late success arrives while the next attempt is being saved.
#[test]
fn attempt_never_handed_out_is_not_unanswered() {
    let mut host = Host::with([endpoint("e")]);
    host.publish("m");
    let first = host.send();
    host.now = at(10);
    assert_eq!(host.send_texts(), [""; 0]);
    host.now = at(15);
    let changes = host.unsaved();
    assert_eq!(host.resolve(&first, &answer(200)), Resolution::LateSuccess);
    host.save(changes);
    assert_eq!(host.send_texts(), [""; 0]);
    let counters = host.outbox.status(&eid("e")).unwrap().counters;
    assert_eq!((counters.attempts, counters.unanswered), (1, 1));
    let (.., delivery) = host.outbox.deliveries().next().unwrap();
    assert_eq!((delivery.attempts(), delivery.unanswered()), (1, 1));
    assert_eq!(host.notice_texts(), ["m>e delivered after 1"]);
}
