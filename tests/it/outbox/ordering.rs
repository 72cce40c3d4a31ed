//! Ordered delivery, per key and strict.

use std::num::NonZeroU32;
use std::time::Duration;

use labhook::lab::{RunState, RunStateChanged};
use labhook::{Endpoint, Event, Order, Outbox, RetryPolicy};
use proptest::prelude::*;

use crate::support::{Host, answer, at, config, eid, endpoint, mid, policy, registry, secs};

/// Publishes a message of this run.
fn publish(host: &mut Host, run: &str, id: &str) {
    let event = Event::new(RunStateChanged::new(run, RunState::Started), host.now);
    host.outbox.publish(event.into_message(mid(id)).unwrap(), host.now).unwrap();
}

fn ordered(order: Order) -> Endpoint {
    endpoint("a").with_order(order)
}

#[test]
fn message_waits_only_for_the_one_before_in_its_key() {
    let mut host = Host::with([ordered(Order::per_key())]);
    publish(&mut host, "r1", "r1-1");
    publish(&mut host, "r1", "r1-2");
    publish(&mut host, "r2", "r2-1");
    let sends = host.sends();
    assert_eq!(host.wait, Some(at(10)));
    assert_eq!(sends.iter().map(|it| it.message().as_str()).collect::<Vec<_>>(), ["r1-1", "r2-1"]);

    host.resolve(&sends[0], &answer(503));
    host.resolve(&sends[1], &answer(200));
    assert!(host.sends().is_empty(), "r1-2 waits for the retry of r1-1");
    host.now = at(5);
    let retry = host.send();
    assert_eq!((retry.message().as_str(), retry.attempt()), ("r1-1", 2));
    host.resolve(&retry, &answer(200));
    assert_eq!(host.send_texts(), ["r1-2>a#1"]);
}

#[test]
fn strict_order_continues_however_the_first_ends() {
    let narrow =
        || ordered(Order::strict()).with_retry(policy(&[1]).with_window(Duration::from_secs(9)));
    for end in ["rejected", "exhausted", "expired"] {
        let mut host = Host::with([narrow()]);
        publish(&mut host, "r1", "m1");
        publish(&mut host, "r2", "m2");
        let first = host.send();
        match end {
            "rejected" => {
                let strict = policy(&[1]).with_responses(
                    labhook::delivery::ResponseRules::new()
                        .with_client_errors(labhook::delivery::ResponseAction::Fail),
                );
                host.outbox.replace_endpoint(narrow().with_retry(strict), host.now).unwrap();
                host.resolve(&first, &answer(400));
            }
            "exhausted" => {
                host.resolve(&first, &answer(503));
                host.now = at(1);
                let second = host.send();
                host.resolve(&second, &answer(503));
            }
            _ => {
                host.now = at(8);
                host.resolve(&first, &answer(503));
                host.now = at(9);
                // The window of m2 is over too, but m2 was never tried.
            }
        }
        assert_eq!(host.send_texts(), ["m2>a#1"], "{end}");
    }
}

#[test]
fn message_is_skipped_after_its_attempts_or_time() {
    let two = NonZeroU32::new(2).unwrap();
    let mut host = Host::with([ordered(Order::strict().with_skip_after_attempts(two))]);
    publish(&mut host, "r1", "m1");
    publish(&mut host, "r1", "m2");
    let first = host.send();
    host.resolve(&first, &answer(503));
    assert!(host.sends().is_empty());
    host.now = at(5);
    let second = host.send();
    assert!(host.sends().is_empty(), "the second attempt may still succeed");
    host.resolve(&second, &answer(503));
    assert_eq!(host.send_texts(), ["m2>a#1"]);
    host.now = at(25);
    assert_eq!(host.send_texts(), ["m2>a#2", "m1>a#3"], "m1 is still retried");

    let skip = Order::strict().with_skip_after(Duration::from_secs(3));
    let mut host = Host::with([ordered(skip)]);
    publish(&mut host, "r1", "m1");
    publish(&mut host, "r1", "m2");
    host.send();
    assert_eq!(host.wait, Some(at(3)), "the wake-up is when the others may skip it");
    host.now = at(3);
    assert_eq!(host.send_texts(), ["m2>a#1"]);
}

#[test]
fn order_survives_restart_and_follows_a_policy_change() {
    let orderly = || Outbox::new(registry([ordered(Order::strict())]), 7);
    let mut host = Host::new(orderly());
    for id in ["m1", "m2", "m3"] {
        publish(&mut host, "r1", id);
    }
    let first = host.send();
    host.restart(orderly());
    assert!(host.sends().is_empty());
    host.resolve(&first, &answer(200));
    assert_eq!(host.send_texts(), ["m2>a#1"]);

    host.outbox.replace_endpoint(ordered(Order::none()), host.now).unwrap();
    assert_eq!(host.send_texts(), ["m3>a#1"], "the order no longer applies");
    publish(&mut host, "r1", "m4");
    host.outbox.replace_endpoint(ordered(Order::strict()), host.now).unwrap();
    assert_eq!(host.send_texts(), [""; 0], "m2 and m3 are in flight");
}

/// An endpoint whose failed deliveries are retried a day later.
fn retried_a_day_later(order: Order) -> Endpoint {
    ordered(order).with_retry(policy(&[86_400, 86_400]))
}

// Comparing every pair of messages would take hours here, and gigabytes.
#[test]
fn policy_change_scans_a_long_group_once() {
    const MANY: u32 = 100_000;
    let passing = retried_a_day_later(Order::strict().with_skip_after(secs(60)));
    let mut host = Host::new(Outbox::new(registry([passing]), 7).without_storage());
    host.outbox.pause_endpoint(&eid("a"), host.now).unwrap();
    for number in 0..MANY {
        host.publish(&format!("m{number}"));
    }
    host.now = at(60);
    assert_eq!(host.catch_up().len(), 0);
    assert_eq!(host.outbox.status(&eid("a")).unwrap().due, 100_000);
    host.outbox.replace_endpoint(retried_a_day_later(Order::strict()), host.now).unwrap();
    assert_eq!(host.catch_up().len(), 0);
    assert_eq!(host.outbox.status(&eid("a")).unwrap().due, 1);
}

proptest! {
    #![proptest_config(config())]

    /// Per key, a message is sent only after all before it have ended; and everything ends.
    #[test]
    fn each_key_keeps_its_order(
        runs in proptest::collection::vec(0..3_u8, 1..12),
        statuses in proptest::collection::vec(prop_oneof![Just(200_u16), Just(503)], 1..8),
    ) {
        let schedule = RetryPolicy::new(labhook::delivery::Schedule::list(
            [1, 2].map(Duration::from_secs),
        ));
        let mut host = Host::with([ordered(Order::per_key()).with_retry(schedule)]);
        for (number, run) in runs.iter().enumerate() {
            publish(&mut host, &format!("r{run}"), &format!("m{number:02}"));
        }
        let mut answers = statuses.iter().cycle();
        let mut live = std::collections::BTreeMap::new();
        while host.outbox.pending() > 0 {
            let sends = host.sends();
            for ticket in &sends {
                let number: usize = ticket.message().as_str()[1..].parse().unwrap();
                let run = runs[number];
                prop_assert!(live.insert(run, number).is_none_or(|it| it == number), "one at a time");
                for before in (0..number).filter(|before| runs[*before] == run) {
                    let before = host.verdict(&format!("m{before:02}"), "a");
                    prop_assert!(before.is_some());
                }
            }
            for ticket in &sends {
                host.resolve(ticket, &answer(*answers.next().unwrap()));
                let number: usize = ticket.message().as_str()[1..].parse().unwrap();
                if host.verdict(ticket.message().as_str(), "a").is_some() {
                    live.remove(&runs[number]);
                }
            }
            if sends.is_empty() {
                host.now = host.wait.unwrap();
            }
        }
    }
}
