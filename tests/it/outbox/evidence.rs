//! What counts against an endpoint, and which delivery probes it.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use labhook::delivery::{DeliveryGuarantee, Failure, Ignored, Resolution};
use labhook::health::State;
use labhook::lab::{RunState, RunStateChanged};
use labhook::outbox::ReplayFilter;
use labhook::{Event, HealthPolicy, Order, Outcome, Ticket};
use proptest::prelude::*;

use super::health::{down, fast_health, host, next_probe, patient, probe};
use crate::support::{
    Host, answer, at, config, eid, endpoint, mid, policy, replay_all, secs, show,
};

const TIMEOUT: Outcome = Outcome::failed(Failure::Timeout);

/// Opens the circuit after this number of failures.
fn after(failures: u32) -> HealthPolicy {
    fast_health().with_failures(NonZeroU32::new(failures))
}

#[test]
fn probe_is_the_newest_message_never_tried() {
    let mut host = down(patient("a"));
    for id in ["n1", "n2", "n3"] {
        host.publish(id);
    }
    host.sends();
    assert_eq!(probe(&mut host, &answer(500)), "n3>a#1");
    host.publish("n4");
    host.sends();
    let rest = [
        // Never tried, newest first.
        "n4>a#1", "n2>a#1", "n1>a#1", // Then the retry that has been due longest.
        "m1>a#2", "m2>a#2", "n3>a#2", "n4>a#2", "n2>a#2",
    ];
    for sent in &rest[..6] {
        assert_eq!(probe(&mut host, &answer(500)), *sent);
    }
    // A restart changes nothing.
    host.restart(super::health::outbox([patient("a")]));
    host.sends();
    assert_eq!(probe(&mut host, &answer(500)), "n4>a#2");
}

#[test]
fn poisoned_message_does_not_keep_an_endpoint_down() {
    let mut host = down(patient("a").with_health(fast_health().with_disable_after(None)));
    // The receiver is back, except for m1, and no message comes.
    assert_eq!(probe(&mut host, &answer(500)), "m1>a#2");
    assert_eq!(probe(&mut host, &answer(200)), "m2>a#2");
    assert_eq!(host.health("a").state(), State::Healthy);
}

#[test]
fn ordered_endpoint_is_probed_with_heads_alone() {
    let mut host = host([patient("a").with_order(Order::per_key())]);
    let publish = |host: &mut Host, id: &str, run: &str| {
        let event = Event::new(RunStateChanged::new(run, RunState::Started), at(0));
        host.outbox.publish(event.into_message(mid(id)).unwrap(), host.now).unwrap();
    };
    for (id, run) in [("m1", "r1"), ("m2", "r2"), ("m3", "r1")] {
        publish(&mut host, id, run);
    }
    for ticket in host.sends() {
        host.resolve(&ticket, &answer(500));
    }
    assert_eq!(host.health("a").state(), State::Down);
    // The newest message is behind m1, and the one before it is first of its key.
    publish(&mut host, "m4", "r4");
    publish(&mut host, "m5", "r1");
    host.sends();
    for sent in ["m4>a#1", "m1>a#2", "m2>a#2", "m4>a#2", "m1>a#3"] {
        assert_eq!(probe(&mut host, &answer(500)), sent);
    }
    assert_eq!(probe(&mut host, &answer(200)), "m2>a#3");
}

proptest! {
    #![proptest_config(config())]

    /// No message is probed again before all that were due when it failed, and none that was tried
    /// while another was not.
    #[test]
    fn probes_take_turns(
        published in proptest::collection::vec(0..3_u8, 1..25),
        delays in proptest::collection::vec(1..200_u64, 20),
        ordered in any::<bool>(),
    ) {
        let order = if ordered { Order::per_key() } else { Order::none() };
        let health = after(1).with_disable_after(None);
        let retry = policy(&delays);
        let mut host = host([patient("a").with_health(health).with_retry(retry).with_order(order)]);
        host.publish("m");
        let first = host.send();
        host.resolve(&first, &answer(500));
        host.sends();
        let (mut before, mut due, mut number) = (String::new(), 0, 0);
        for count in published {
            for _ in 0..count {
                host.publish(&format!("n{number}"));
                number += 1;
            }
            host.sends();
            if host.outbox.pending() == 0 {
                break;
            }
            let ticket = next_probe(&mut host);
            let id = ticket.message().to_string();
            prop_assert!(due == 0 || id != before, "{id} again, and {due} were due");
            let tried: BTreeMap<_, _> = host
                .outbox
                .deliveries()
                .filter(|(.., it)| it.verdict().is_none())
                .map(|(message, _, it)| (message.id().clone(), it.attempts()))
                .collect();
            let newer = |id: &labhook::MessageId| {
                let at = |id: &str| id[1..].parse::<u32>().unwrap_or(0);
                at(id.as_str()) > at(ticket.message().as_str())
            };
            let passed_over = tried.iter().find(|(id, attempts)| {
                **attempts == 0 && (ticket.attempt() > 1 || newer(id))
            });
            prop_assert!(passed_over.is_none(), "{} and not {passed_over:?}", show(&ticket));
            host.resolve(&ticket, &answer(500));
            host.sends();
            due = host.outbox.status(&eid("a")).unwrap().due;
            before = id;
        }
    }
}

/// Three attempts that the outbox finds timed out at 10.
fn timed_out(retries: &[u64], guarantee: DeliveryGuarantee) -> (Host, Vec<Ticket>) {
    let retry = policy(retries).with_guarantee(guarantee);
    let mut host = host([endpoint("a").with_retry(retry).with_health(after(3))]);
    for id in ["m1", "m2", "m3"] {
        host.publish(id);
    }
    let sends = host.sends();
    host.now = at(10);
    assert!(host.sends().is_empty());
    (host, sends)
}

#[test]
fn timeout_that_the_outbox_finds_is_no_evidence() {
    for guarantee in [DeliveryGuarantee::AtLeastOnce, DeliveryGuarantee::AtMostOnce] {
        for retries in [&[600][..], &[]] {
            let (mut host, sends) = timed_out(retries, guarantee);
            assert_eq!(host.health("a").failures(), 0);
            assert!(host.outbox.deliveries().all(|(.., it)| it.unanswered() == 1));
            // The host's own report is evidence, late as it is, and only once.
            host.now = at(12);
            for (ticket, failures) in sends.iter().zip(1..) {
                let ignored = host.resolve(ticket, &TIMEOUT);
                assert!(matches!(ignored, Resolution::Ignored(_)), "{ignored:?}");
                host.resolve(ticket, &TIMEOUT);
                if failures < 3 {
                    assert_eq!(host.health("a").failures(), failures, "{guarantee:?}");
                }
            }
            assert_eq!(host.health("a").state(), State::Down, "{guarantee:?} {retries:?}");
        }
    }
}

#[test]
fn late_failure_that_ends_the_doubt_is_evidence() {
    let (mut host, sends) = timed_out(&[600], DeliveryGuarantee::Ask);
    for (ticket, failures) in sends.iter().zip(1..3) {
        let resolution = host.resolve(ticket, &answer(500));
        assert!(matches!(resolution, Resolution::Retry { .. }), "{resolution:?}");
        assert_eq!(host.health("a").failures(), failures);
        assert_eq!(host.resolve(ticket, &TIMEOUT), Resolution::Ignored(Ignored::AlreadyResolved));
        assert_eq!(host.health("a").failures(), failures, "it was heard before");
    }
}

#[test]
fn timeout_after_a_late_success_is_not_heard() {
    let (mut host, sends) = timed_out(&[600], DeliveryGuarantee::AtLeastOnce);
    assert_eq!(host.resolve(&sends[0], &answer(200)), Resolution::LateSuccess);
    assert_eq!(host.resolve(&sends[0], &TIMEOUT), Resolution::Ignored(Ignored::Ended));
    assert_eq!(host.health("a").failures(), 0);
}

#[test]
fn timeout_reported_at_its_deadline_is_evidence() {
    let mut host = host([endpoint("a").with_health(after(2))]);
    host.publish("m1");
    host.publish("m2");
    let sends = host.sends();
    host.now = at(10);
    for ticket in sends {
        assert_eq!(host.resolve(&ticket, &TIMEOUT), Resolution::Retry { at: at(15) });
    }
    assert_eq!(host.health("a").state(), State::Down);
}

#[test]
fn late_success_clears_the_failures() {
    for retries in [&[600][..], &[]] {
        let (mut host, sends) = timed_out(retries, DeliveryGuarantee::AtLeastOnce);
        host.resolve(&sends[0], &TIMEOUT);
        host.resolve(&sends[1], &TIMEOUT);
        assert_eq!(host.health("a").failures(), 2);
        let late = host.resolve(&sends[2], &answer(200));
        let ended = Resolution::Ignored(Ignored::Ended);
        assert_eq!(late, if retries.is_empty() { ended } else { Resolution::LateSuccess });
        assert_eq!(host.health("a").failures(), 0);
    }
}

#[test]
fn late_success_of_a_probe_recovers_the_endpoint() {
    // The delivery may have ended with the deadline, or the next probe may be in flight.
    for (retries, waits) in [(&[1; 9][..], false), (&[1; 9], true), (&[], false), (&[], true)] {
        let mut host = down(patient("a").with_retry(policy(retries)));
        host.publish("n1");
        host.sends();
        let late = next_probe(&mut host);
        assert_eq!(show(&late), "n1>a#1");
        host.now += secs(10);
        host.publish("n2");
        assert!(host.sends().is_empty());
        assert_eq!((host.health("a").state(), host.health("a").failed_probes()), (State::Down, 0));
        if waits {
            assert_eq!(show(&next_probe(&mut host)), "n2>a#1");
        }
        host.notice_texts();
        host.resolve(&late, &answer(204));
        assert_eq!(host.health("a").state(), State::Healthy, "{retries:?} {waits}");
        host.sends();
        assert!(host.notice_texts().contains(&"a recovered".to_owned()));
    }
}

#[test]
fn late_timeout_of_a_probe_moves_the_schedule_once() {
    let mut host = down(patient("a"));
    let late = next_probe(&mut host);
    host.now += secs(10);
    assert!(host.sends().is_empty());
    host.now += secs(2);
    assert_eq!(host.resolve(&late, &TIMEOUT), Resolution::Ignored(Ignored::LateFailure));
    assert_eq!(host.health("a").failed_probes(), 1);
    host.resolve(&late, &TIMEOUT);
    assert_eq!(host.health("a").failed_probes(), 1);
    // Once the next probe is in flight, it says nothing.
    let late = {
        host.sends();
        next_probe(&mut host)
    };
    host.now += secs(10);
    assert!(host.sends().is_empty());
    next_probe(&mut host);
    host.resolve(&late, &TIMEOUT);
    assert_eq!(host.health("a").failed_probes(), 1);
}

#[test]
fn first_attempt_of_a_replay_is_evidence_again() {
    let mut host = host([endpoint("a").with_retry(policy(&[1])).with_health(after(3))]);
    host.publish("m");
    for failures in 1..=3 {
        let number = 2 * failures - 1;
        let ticket = host.send();
        assert_eq!(ticket.attempt(), number);
        host.resolve(&ticket, &answer(500));
        if failures == 3 {
            break;
        }
        assert_eq!(host.health("a").failures(), failures);
        // Its retry says nothing new.
        host.now += secs(1);
        let ticket = host.send();
        host.resolve(&ticket, &answer(500));
        assert_eq!(host.health("a").failures(), failures);
        host.sends();
        assert_eq!(host.outbox.pending(), 0);
        let plan = host.outbox.plan_replay(&ReplayFilter::all(), secs(0), host.now);
        assert_eq!(replay_all(&mut host.outbox, &plan, host.now), 1);
    }
    assert_eq!(host.health("a").state(), State::Down);
}

#[test]
fn retries_that_fail_again_are_no_evidence() {
    let mut host = host([endpoint("a").with_retry(policy(&[1; 100])).with_health(after(3))]);
    host.publish("m1");
    host.publish("m2");
    for seconds in 0..=100 {
        host.now = at(seconds);
        for ticket in host.sends() {
            host.resolve(&ticket, &answer(500));
        }
        assert_eq!(host.health("a").failures(), 2);
    }
    assert_eq!(host.health("a").state(), State::Healthy);
    host.publish("m3");
    let ticket = host.send();
    host.resolve(&ticket, &answer(500));
    assert_eq!(host.health("a").state(), State::Down);
}
