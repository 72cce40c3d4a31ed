//! The outbox and its storage: what is saved when, and what each save releases.

use std::num::NonZeroUsize;

use labhook::delivery::Schedule;
use labhook::outbox::{Change, Record, RestoreError};
use labhook::{Outbox, RetryPolicy, Step, Subscription};

use crate::support::{
    Host, answer, at, eid, endpoint, message, mid, number, policy, registry, secs, show,
};

fn batch(attempts: usize) -> Outbox {
    let all = registry(["a", "b"].map(endpoint));
    Outbox::new(all, 7).with_batch(NonZeroUsize::new(attempts).unwrap())
}

#[test]
fn duplicate_is_a_no_op_whatever_its_content() {
    let mut host = Host::with(["a", "b"].map(endpoint));
    let first = host.publish("m");
    assert!(!first.duplicate);
    assert_eq!(first.endpoints, [eid("a"), eid("b")]);

    let again = host.publish("m");
    assert!(again.duplicate);
    assert_eq!(again.endpoints, first.endpoints);
    assert!(again.render_failures.is_empty());
    assert_eq!(host.outbox.pending(), 2);

    let mut other = serde_json::to_value(message("n")).unwrap();
    other["id"] = "m".into();
    let other = serde_json::from_value(other).unwrap();
    assert!(host.outbox.publish(other, at(0)).unwrap().differs);
    assert_eq!(host.send_texts(), ["m>a#1", "m>b#1"]);

    // Endpoints added later do not change the endpoints of a known message.
    host.outbox.insert_endpoint(endpoint("c"), at(1)).unwrap();
    assert_eq!(host.publish("m").endpoints, first.endpoints);
    // Nor does a restart make it new.
    host.restart(batch(64));
    assert!(host.publish("m").duplicate);
}

#[test]
fn message_without_endpoints_is_kept_and_unsettled() {
    let nobody = endpoint("a").with_subscription(Subscription::all().runs(["other".into()]));
    let mut host = Host::new(Outbox::new(registry([nobody]), 7).with_retention(secs(60)));
    assert!(host.publish("m").endpoints.is_empty());
    assert_eq!(host.outbox.pending(), 0);
    assert!(host.sends().is_empty());
    assert_eq!(host.keys(), ["message/m"]);
    assert_eq!(host.wait, Some(at(60)));
    assert!(host.publish("m").duplicate);

    host.now = at(60);
    assert!(host.sends().is_empty());
    assert!(host.keys().is_empty());
    assert_eq!(host.wait, None);
    assert!(!host.publish("m").duplicate);
    assert!(host.notice_texts().is_empty());
}

#[test]
fn publish_returns_the_revision_that_makes_it_durable() {
    let mut host = Host::with([endpoint("a")]);
    // New; known and not yet saved; being saved; saved.
    assert_eq!(number(host.publish("m").revision), 1);
    assert_eq!(number(host.publish("m").revision), 1);
    let changes = host.unsaved();
    assert_eq!(number(changes.revision()), 1);
    assert_eq!(number(host.publish("m").revision), 1);
    assert_eq!(number(host.publish("n").revision), 2, "too late for the save under way");
    host.save(changes);
    assert_eq!(number(host.publish("m").revision), 1);
    assert_eq!(number(host.publish("n").revision), 2);

    // Changes that could not be saved are part of the next revision, whatever was returned before.
    let failed = loop {
        match host.outbox.poll(host.now) {
            Step::Save(changes) => break changes,
            Step::Send(_) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(number(failed.revision()), 2);
    assert!(host.outbox.unsaved(failed.revision()));
    assert_eq!(number(host.publish("n").revision), 3);
    let changes = host.unsaved();
    assert_eq!(number(changes.revision()), 3);
    host.save(changes);
    assert_eq!(number(host.publish("n").revision), 3);

    // A restored message is already durable.
    host.restart(Outbox::new(registry([endpoint("a")]), 7));
    assert_eq!(number(host.publish("n").revision), 0);
}

#[test]
fn attempt_is_saved_as_in_flight_before_it_is_sent() {
    let mut host = Host::with(["a", "b"].map(endpoint));
    host.publish("m");
    let changes = host.unsaved();
    let kinds: Vec<String> = changes
        .iter()
        .map(|change| match change {
            Change::Put(Record::Delivery(record)) => {
                assert_eq!(record.delivery().in_flight().unwrap().number, 1);
                format!("{} in flight", record.endpoint())
            }
            Change::Put(record) => record.key().to_string(),
            Change::Delete(key) => format!("delete {key}"),
        })
        .collect();
    // The message is written before its rows.
    assert_eq!(kinds, ["message/m", "a in flight", "b in flight"]);
    for _ in 0..3 {
        let step = host.outbox.poll(at(1));
        assert!(matches!(step, Step::Wait(until) if until == at(10)), "{step:?}");
    }
    host.save(changes);
    assert_eq!(host.send_texts(), ["m>a#1", "m>b#1"]);
}

#[test]
fn verdict_is_notified_only_after_it_is_saved() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m");
    let ticket = host.send();
    host.resolve(&ticket, &answer(200));
    let changes = host.unsaved();
    assert!(matches!(
        changes.iter().next(),
        Some(Change::Put(Record::Delivery(record))) if record.delivery().verdict().is_some()
    ));
    assert!(matches!(host.outbox.poll(at(0)), Step::Wait(_)), "the verdict may still be lost");
    assert!(host.outbox.unsaved(changes.revision()));
    assert!(host.sends().is_empty());
    assert_eq!(host.notice_texts(), ["m>a delivered after 1"]);
}

#[test]
fn confirming_another_revision_changes_nothing() {
    let mut host = Host::with([endpoint("a")]);
    let early = host.publish("m").revision;
    assert!(!host.outbox.saved(early), "not handed out yet");
    assert!(!host.outbox.unsaved(early));
    let changes = host.unsaved();
    let later = host.publish("n").revision;
    assert!(later > changes.revision());
    assert!(!host.outbox.saved(later));
    assert!(!host.outbox.unsaved(later));
    assert!(matches!(host.outbox.poll(at(0)), Step::Wait(_)), "nothing was released");
    let revision = changes.revision();
    host.save(changes);
    assert!(!host.outbox.saved(revision));
    assert!(!host.outbox.unsaved(revision));
    assert_eq!(host.send_texts(), ["m>a#1", "n>a#1"]);
}

#[test]
fn failed_save_becomes_part_of_the_next_one() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m");
    let first = host.unsaved();
    host.publish("n");
    assert!(host.outbox.unsaved(first.revision()));
    let second = host.unsaved();
    assert!(second.revision() > first.revision());
    let keys = |changes: &labhook::outbox::Changes| -> Vec<String> {
        let put = |change: &Change| match change {
            Change::Put(record) => record.key().to_string(),
            Change::Delete(key) => panic!("delete {key}"),
        };
        changes.iter().map(put).collect()
    };
    assert_eq!(keys(&first), ["message/m", "delivery/m/a"]);
    assert_eq!(keys(&second), ["message/m", "message/n", "delivery/m/a", "delivery/n/a"]);
    assert_eq!((second.len(), second.is_empty()), (4, false));
    assert!(!host.outbox.saved(first.revision()));
    host.save(second);
    assert_eq!(host.send_texts(), ["m>a#1", "n>a#1"]);
}

#[test]
fn one_save_starts_at_most_one_batch() {
    let mut host = Host::new(batch(3));
    for id in ["m1", "m2", "m3", "m4"] {
        host.publish(id);
    }
    let mut sizes = Vec::new();
    let mut sent = Vec::new();
    loop {
        match host.outbox.poll(at(0)) {
            Step::Save(changes) => {
                let rows = changes
                    .iter()
                    .filter(|change| matches!(change, Change::Put(Record::Delivery(_))))
                    .count();
                sizes.push(rows);
                host.save(changes);
            }
            Step::Send(attempt) => sent.push(show(attempt.ticket())),
            _ => break,
        }
    }
    assert_eq!(sizes, [3, 3, 2]);
    assert_eq!(
        sent,
        ["m1>a#1", "m1>b#1", "m2>a#1", "m2>b#1", "m3>a#1", "m3>b#1", "m4>a#1", "m4>b#1"]
    );
}

#[test]
fn changes_during_a_save_become_one_save() {
    let mut host = Host::new(batch(64));
    host.publish("m1");
    let busy = host.unsaved();
    for id in ["m2", "m3", "m4"] {
        host.publish(id);
        assert!(matches!(host.outbox.poll(at(0)), Step::Wait(_)));
    }
    host.save(busy);
    assert_eq!(host.sends().len(), 8);
    assert_eq!(host.saves, 2);
}

#[test]
fn stale_row_of_an_earlier_message_is_dropped() {
    let outbox = || Outbox::new(registry(["a", "b"].map(endpoint)), 7).with_retention(secs(100));
    let mut host = Host::new(outbox());
    host.publish("m");
    for ticket in host.sends() {
        host.resolve(&ticket, &answer(200));
    }
    host.sends();
    host.now = at(100);
    // Only the first change of the removal is written.
    let changes = host.unsaved();
    let Some(Change::Delete(key)) = changes.into_iter().next() else { panic!() };
    host.disk.remove(&key.to_string());
    assert_eq!(host.keys(), ["delivery/m/a", "delivery/m/b"]);
    host.restart(outbox());
    assert_eq!(host.outbox.pending(), 0);
    assert!(!host.publish("m").duplicate, "the message is gone");

    // And of the changes after it, only the message.
    let changes = host.unsaved();
    let Some(Change::Put(record)) = changes.into_iter().next() else { panic!() };
    host.disk.insert(record.key().to_string(), record);
    assert_eq!(host.keys(), ["delivery/m/a", "delivery/m/b", "message/m"]);
    host.restart(outbox());
    assert_eq!(host.outbox.pending(), 2, "the old delivered rows belong to the earlier message");
    assert_eq!(host.send_texts(), ["m>a#1", "m>b#1"]);
}

#[test]
fn rows_without_a_message_are_deleted() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m");
    host.sends();
    host.disk.remove("message/m");
    host.restart(Outbox::new(registry([endpoint("a")]), 7));
    assert!(host.sends().is_empty());
    assert!(host.keys().is_empty());
    assert_eq!(host.outbox.pending(), 0);
}

#[test]
fn deliveries_without_a_row_are_recreated() {
    let mut host = Host::new(batch(1));
    host.publish("m");
    let changes = host.unsaved();
    host.write(changes);
    assert_eq!(host.keys(), ["delivery/m/a", "message/m"], "b has not been started");
    host.now = at(3);
    host.restart(batch(1));
    assert_eq!(host.outbox.pending(), 2);
    // One may have been sent, and the other was not.
    assert_eq!(host.send_texts(), ["m>b#1"]);
    let accepted: Vec<_> = host.outbox.deliveries().map(|(_, _, it)| it.accepted_at()).collect();
    assert_eq!(accepted, [at(0), at(0)]);
    host.now = at(10);
    assert!(host.sends().is_empty());
    host.now = at(15);
    assert_eq!(host.send_texts(), ["m>a#2"], "a counts as timed out");
}

#[test]
fn restore_errors_have_exact_texts() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m");
    host.sends();
    let records: Vec<Record> = host.disk.values().cloned().collect();
    let fresh = || Outbox::new(registry([endpoint("a")]), 7);

    let mut busy = fresh();
    busy.publish(message("n"), at(0)).unwrap();
    let error = busy.restore(records.clone(), at(0)).unwrap_err();
    assert_eq!(error, RestoreError::NotFresh);
    assert_eq!(error.to_string(), "cannot restore into an outbox that already has messages");

    let twice = records.iter().chain(&records).cloned();
    let error = fresh().restore(twice, at(0)).unwrap_err();
    assert_eq!(error, RestoreError::Duplicate { id: mid("m") });
    assert_eq!(error.to_string(), "record of message m conflicts with another record");

    // Two messages with the same sequence number belong to two outboxes.
    let mut other = Host::with([endpoint("a")]);
    other.publish("n");
    other.sends();
    let mixed = records.iter().chain(other.disk.values()).cloned();
    assert_eq!(
        fresh().restore(mixed, at(0)).unwrap_err(),
        RestoreError::Duplicate { id: mid("n") }
    );
}

#[test]
fn outbox_without_storage_saves_nothing() {
    let mut host = Host::new(batch(64).without_storage());
    host.publish("m");
    let tickets = host.sends();
    assert_eq!(tickets.len(), 2);
    host.resolve(&tickets[0], &answer(200));
    host.resolve(&tickets[1], &answer(500));
    assert!(host.sends().is_empty());
    assert_eq!(host.notice_texts(), ["m>a delivered after 1"]);
    host.now = at(5);
    assert_eq!(host.send_texts(), ["m>b#2"]);
    assert_eq!(host.saves, 0);
    assert!(host.keys().is_empty());
}

#[test]
fn restored_attempt_in_flight_accepts_a_response() {
    let outbox = || Outbox::new(registry([endpoint("a").with_retry(policy(&[5]))]), 7);
    let mut host = Host::new(outbox());
    host.publish("m");
    let ticket = host.send();
    host.now = at(2);
    host.restart(outbox());
    assert!(host.sends().is_empty());
    assert_eq!(host.wait, Some(at(10)));
    host.resolve(&ticket, &answer(200));
    host.sends();
    assert_eq!(host.notice_texts(), ["m>a delivered after 1"]);
}

#[test]
fn row_stays_small_despite_endless_timeouts() {
    let endless =
        RetryPolicy::new(Schedule::list([secs(1)]).forever()).with_attempt_timeout(secs(1));
    let mut host = Host::with([endpoint("e").with_retry(endless)]);
    host.publish("m");
    let mut sizes = Vec::new();
    for round in 0..1_000 {
        host.now = at(2 * round);
        let ticket = host.send();
        if round % 2 == 0 {
            host.resolve(&ticket, &answer(500));
        }
        sizes.push(serde_json::to_string(&host.disk["delivery/m/e"]).unwrap().len());
    }
    // All of them are counted nevertheless.
    let (.., delivery) = host.outbox.deliveries().next().unwrap();
    assert_eq!((delivery.attempts(), delivery.unanswered()), (1_000, 499));
    assert!(sizes[999] <= 2 * sizes[2], "{} and then {}", sizes[2], sizes[999]);
}

/// A record that is to be deleted, because it says nothing any more.
fn resumed_but_not_saved() -> Host {
    let mut host = Host::with([endpoint("a")]);
    host.outbox.pause_endpoint(&eid("a"), at(0)).unwrap();
    host.sends();
    assert_eq!(host.keys(), ["endpoint/a"]);
    host.outbox.resume_endpoint(&eid("a"), at(0)).unwrap();
    host
}

#[test]
fn endpoint_removed_before_the_save_leaves_no_record() {
    let mut host = resumed_but_not_saved();
    host.outbox.remove_endpoint(&eid("a"), at(0)).unwrap();
    host.sends();
    assert_eq!(host.keys(), [""; 0]);
}

#[test]
fn endpoint_removed_during_a_failed_save_leaves_no_record() {
    let mut host = resumed_but_not_saved();
    let changes = host.unsaved();
    host.outbox.remove_endpoint(&eid("a"), at(0)).unwrap();
    assert!(host.outbox.unsaved(changes.revision()));
    host.sends();
    assert_eq!(host.keys(), [""; 0]);
}

#[test]
fn endpoint_never_recorded_and_removed_saves_no_empty_list() {
    let mut host = Host::with([endpoint("a")]);
    host.outbox.pause_endpoint(&eid("a"), at(0)).unwrap();
    host.outbox.resume_endpoint(&eid("a"), at(0)).unwrap();
    host.outbox.remove_endpoint(&eid("a"), at(0)).unwrap();
    while let Step::Save(changes) = host.outbox.poll(at(0)) {
        assert!(!changes.is_empty());
        assert!(host.outbox.saved(changes.revision()));
    }
}

#[test]
fn message_published_again_has_one_change_for_each_record() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m");
    assert!(host.outbox.unpublish(&mid("m"), at(0)));
    host.publish("m");
    let changes = host.unsaved();
    let keys = changes.iter().map(|change| match change {
        Change::Put(record) => record.key().to_string(),
        Change::Delete(key) => key.to_string(),
    });
    let mut keys: Vec<_> = keys.collect();
    keys.sort();
    assert_eq!(keys, ["delivery/m/a", "message/m"]);
}
