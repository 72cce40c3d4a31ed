//! At-most-once and ask guarantees, through the outbox.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use labhook::delivery::{DeliveryGuarantee, Failure, Ignored, Resolution};
use labhook::health::PendingOnDisable;
use labhook::outbox::ReplayFilter;
use labhook::{Endpoint, HealthPolicy, Order, Outbox, Outcome, Ticket, Verdict};
use proptest::prelude::*;

use crate::support::{
    Host, answer, at, config, eid, endpoint, mid, policy, registry, replay_all, secs, show,
};

fn endpoint_with(id: &str, guarantee: DeliveryGuarantee) -> Endpoint {
    endpoint(id).with_retry(policy(&[5, 20]).with_guarantee(guarantee))
}

fn outbox(guarantee: DeliveryGuarantee) -> Outbox {
    Outbox::new(registry([endpoint_with("a", guarantee)]), 7)
}

fn broken() -> Outcome {
    Outcome::failed(Failure::Broken)
}

/// `m` has been in doubt since 10, when its first attempt timed out.
fn in_doubt() -> (Host, Ticket) {
    let mut host = Host::new(outbox(DeliveryGuarantee::Ask));
    host.publish("m");
    let ticket = host.send();
    host.now = at(10);
    assert!(host.sends().is_empty());
    assert_eq!(host.notice_texts(), ["m>a in doubt after 1"]);
    (host, ticket)
}

#[test]
fn at_most_once_ends_after_ambiguous_failures_only() {
    let mut host = Host::new(outbox(DeliveryGuarantee::AtMostOnce));
    for id in ["m1", "m2", "m3"] {
        host.publish(id);
    }
    let sends = host.sends();
    assert_eq!(host.resolve(&sends[0], &broken()), Resolution::Ended(Verdict::Unconfirmed));
    let refused = Outcome::failed(Failure::Connect);
    assert_eq!(host.resolve(&sends[1], &refused), Resolution::Retry { at: at(5) });
    host.now = at(5);
    assert_eq!(host.send_texts(), ["m2>a#2"]);
    host.now = at(10);
    assert!(host.sends().is_empty());
    assert_eq!(host.notice_texts(), ["m1>a unconfirmed after 1", "m3>a unconfirmed after 1"]);
    let counters = host.outbox.status(&eid("a")).unwrap().counters;
    assert_eq!((counters.unconfirmed, counters.unanswered), (2, 2));
}

#[test]
fn crash_during_an_attempt_sends_no_second_one() {
    for doubt in [DeliveryGuarantee::AtMostOnce, DeliveryGuarantee::Ask] {
        let mut host = Host::new(outbox(doubt));
        host.publish("m");
        host.send();
        host.restart(outbox(doubt));
        assert!(host.sends().is_empty());
        assert_eq!(host.wait, Some(at(10)));
        // Also when down for longer than the deadline.
        host.now = at(5_000);
        host.restart(outbox(doubt));
        assert!(host.sends().is_empty());
        if doubt == DeliveryGuarantee::AtMostOnce {
            assert_eq!(host.notice_texts(), ["m>a unconfirmed after 1"]);
        } else {
            assert_eq!(host.notice_texts(), ["m>a in doubt after 1"]);
            assert_eq!((host.outbox.pending(), host.wait), (1, None));
            // It stays that way over another crash, and nothing is notified twice.
            host.restart(outbox(doubt));
            assert!(host.sends().is_empty());
            assert!(host.notice_texts().is_empty());
        }
    }
}

#[test]
fn in_doubt_delivery_is_resent_or_given_up() {
    let (m, a) = (mid("m"), eid("a"));
    let (mut host, _) = in_doubt();
    assert!(!host.outbox.resend(&mid("n"), &a, at(11)));
    assert!(!host.outbox.resend(&m, &eid("b"), at(11)));
    assert!(host.outbox.resend(&m, &a, at(11)));
    assert!(!host.outbox.resend(&m, &a, at(11)));
    host.now = at(11);
    let second = host.send();
    assert_eq!(show(&second), "m>a#2");
    // In doubt again, which is notified again.
    assert_eq!(host.resolve(&second, &broken()), Resolution::InDoubt);
    assert!(host.sends().is_empty());
    assert_eq!(host.notice_texts(), ["m>a in doubt after 2"]);
    assert!(host.outbox.give_up(&m, &a, at(12)));
    assert!(!host.outbox.give_up(&m, &a, at(12)));
    assert!(!host.outbox.resend(&m, &a, at(12)));
    host.sends();
    assert_eq!(host.notice_texts(), ["m>a unconfirmed after 2"]);
    assert_eq!(host.outbox.pending(), 0);

    // Only a delivery in doubt can be given up.
    host.publish("n");
    assert!(!host.outbox.give_up(&mid("n"), &a, at(12)));
    let ticket = host.send();
    assert!(!host.outbox.give_up(&mid("n"), &a, at(12)));
    host.resolve(&ticket, &answer(500));
    assert!(!host.outbox.give_up(&mid("n"), &a, at(12)));
    assert!(!host.outbox.resend(&mid("n"), &a, at(12)));
}

#[test]
fn saved_decision_survives_a_restart() {
    let (mut host, _) = in_doubt();
    assert!(host.outbox.resend(&mid("m"), &eid("a"), at(11)));
    // Not saved yet, so it is in doubt again.
    host.restart(outbox(DeliveryGuarantee::Ask));
    assert!(host.sends().is_empty());
    assert!(host.outbox.resend(&mid("m"), &eid("a"), at(11)));
    let changes = host.unsaved();
    host.write(changes);
    host.restart(outbox(DeliveryGuarantee::Ask));
    // The attempt was saved as started, so it is in doubt at its deadline.
    assert!(host.sends().is_empty());
    host.now = at(100);
    assert!(host.sends().is_empty());
    assert_eq!(host.notice_texts(), ["m>a in doubt after 2"]);
}

#[test]
fn late_response_resolves_an_in_doubt_delivery() {
    let (mut host, ticket) = in_doubt();
    assert_eq!(host.resolve(&ticket, &answer(200)), Resolution::LateSuccess);
    host.sends();
    assert_eq!(host.notice_texts(), ["m>a delivered after 1"]);

    let (mut host, ticket) = in_doubt();
    assert_eq!(host.resolve(&ticket, &answer(503)), Resolution::Retry { at: at(15) });
    host.now = at(15);
    let second = host.send();
    assert_eq!(host.resolve(&ticket, &answer(503)), Resolution::Ignored(Ignored::AlreadyResolved));
    host.resolve(&second, &answer(200));
    host.sends();
    assert_eq!(host.notice_texts(), ["m>a delivered after 2"]);

    // Another broken connection proves nothing.
    let (mut host, ticket) = in_doubt();
    assert_eq!(host.resolve(&ticket, &broken()), Resolution::Ignored(Ignored::LateFailure));
    assert_eq!(host.outbox.pending(), 1);

    // A receiver that asks to stop is obeyed, late or not.
    let (mut host, ticket) = in_doubt();
    assert_eq!(host.resolve(&ticket, &answer(410)), Resolution::Ended(Verdict::Gone));
    host.sends();
    assert_eq!(host.notice_texts(), ["m>a gone after 1", "a disabled"]);
}

#[test]
fn in_doubt_delivery_blocks_order_but_not_concurrency() {
    let strict = endpoint_with("a", DeliveryGuarantee::Ask).with_order(Order::strict());
    let mut host = Host::with([strict.with_max_in_flight(std::num::NonZeroU32::MIN)]);
    host.publish("m1");
    host.publish("m2");
    let m1 = host.send();
    host.resolve(&m1, &broken());
    host.now = at(1_000);
    assert!(host.sends().is_empty());
    assert_eq!(host.outbox.status(&eid("a")).unwrap().flow.in_flight(), 0);
    host.outbox.give_up(&mid("m1"), &eid("a"), at(1_000));
    assert_eq!(host.send_texts(), ["m2>a#1"]);
}

#[test]
fn disabling_keeps_in_doubt_or_ends_it_unconfirmed() {
    for waiting in [PendingOnDisable::Cancel, PendingOnDisable::Keep] {
        let health = HealthPolicy::never().with_pending_on_disable(waiting);
        let with = || endpoint_with("a", DeliveryGuarantee::Ask).with_health(health);
        let mut host = Host::with([with()]);
        host.publish("m");
        host.publish("flying");
        let sends = host.sends();
        host.resolve(&sends[0], &broken());
        host.outbox.disable_endpoint(&eid("a"), None, at(1)).unwrap();
        host.now = at(10);
        host.sends();
        let notices = host.notice_texts();
        if waiting == PendingOnDisable::Cancel {
            assert_eq!(
                notices,
                [
                    "m>a in doubt after 1",
                    "a disabled",
                    "m>a unconfirmed after 1",
                    "flying>a unconfirmed after 1",
                ]
            );
            continue;
        }
        assert_eq!(notices, ["m>a in doubt after 1", "a disabled", "flying>a in doubt after 1"]);
        // A decision made while it is disabled takes effect when it is enabled.
        assert!(host.outbox.resend(&mid("m"), &eid("a"), at(10)));
        assert!(host.sends().is_empty());
        host.enable("a").unwrap();
        assert_eq!(host.send_texts(), ["m>a#2"]);
        // On removal it ends unconfirmed rather than cancelled: it may have arrived.
        host.outbox.remove_endpoint(&eid("a"), at(11)).unwrap();
        host.sends();
        let notices = host.notice_texts();
        assert_eq!(
            notices,
            ["a recovered", "m>a cancelled after 2", "flying>a unconfirmed after 1"]
        );
    }
}

#[test]
fn in_doubt_delivery_can_be_replayed() {
    let (mut host, _) = in_doubt();
    let plan = host.outbox.plan_replay(&ReplayFilter::all(), secs(1), at(20));
    assert_eq!(plan.len(), 1);
    host.now = at(20);
    assert_eq!(replay_all(&mut host.outbox, &plan, at(20)), 1);
    assert_eq!(host.send_texts(), ["m>a#2"]);
    assert!(!host.outbox.resend(&mid("m"), &eid("a"), at(20)));
}

proptest! {
    #![proptest_config(config())]

    /// Wherever it crashes: no attempt follows one with an unknown outcome, and a delivery that got
    /// a response, or cannot have arrived, goes on to a verdict.
    #[test]
    fn at_most_once_sends_nothing_after_an_unconfirmed(
        ask in any::<bool>(),
        responses in proptest::collection::vec(0..7_u8, 30),
        crashes in proptest::collection::vec(0..40_u32, 0..8),
        batch in 1..4_usize,
    ) {
        let doubt = if ask { DeliveryGuarantee::Ask } else { DeliveryGuarantee::AtMostOnce };
        let make = || {
            let batch = NonZeroUsize::new(batch).unwrap();
            Outbox::new(registry(["a", "b"].map(|id| endpoint_with(id, doubt))), 7)
                .with_batch(batch)
                .with_save_limit(batch)
        };
        let mut host = Host::new(make());
        // For each delivery: whether an attempt with an unknown outcome was sent.
        let mut unconfirmed: BTreeMap<String, bool> = BTreeMap::new();
        let mut responses = responses.into_iter().cycle();
        for id in ["m1", "m2", "m3"] {
            host.publish(id);
        }
        let mut changes = host.unsaved();
        let mut steps = 0_u32;
        'run: for _ in 0..200 {
            // A prefix of the changes, or all of them.
            host.save(changes);
            loop {
                steps += 1;
                if crashes.contains(&steps) {
                    host.restart(make());
                }
                match host.outbox.poll(host.now) {
                    labhook::Step::Save(next) => {
                        changes = next;
                        continue 'run;
                    }
                    labhook::Step::Send(attempt) => {
                        let ticket = attempt.ticket();
                        let key = format!("{}>{}", ticket.message(), ticket.endpoint());
                        let before = unconfirmed.insert(key.clone(), true);
                        prop_assert_ne!(before, Some(true), "{} was sent again", key);
                        let outcome = match responses.next().unwrap() {
                            0 => None,
                            1 => Some(broken()),
                            2 => Some(Outcome::failed(Failure::Connect)),
                            3 | 4 => Some(answer(500)),
                            _ => Some(answer(200)),
                        };
                        if let Some(outcome) = outcome {
                            unconfirmed.insert(key, outcome.is_in_doubt());
                            let ticket = ticket.clone();
                            host.resolve(&ticket, &outcome);
                        }
                    }
                    labhook::Step::Notify(_) => {}
                    labhook::Step::Wait(until) if host.outbox.pending() > 0 => host.now = until,
                    labhook::Step::Wait(_) | labhook::Step::Idle => break 'run,
                }
            }
        }
        for (message, endpoint, delivery) in host.outbox.deliveries() {
            let settled = delivery.verdict().is_some() || (ask && delivery.in_doubt().is_some());
            prop_assert!(settled, "{}>{endpoint} {delivery:?}", message.id());
        }
    }
}
