//! Expiry and retention: which deliveries end by time, and when ended ones are forgotten.

use std::time::Duration;

use labhook::outbox::{Change, ReplayFilter};
use labhook::{Outbox, RetryPolicy, Verdict};

use crate::support::{
    Host, answer, at, eid, endpoint, message, policy, registry, replay_all, secs,
};

/// Publishes a message that lives this many seconds.
fn publish_for(host: &mut Host, id: &str, seconds: i64) {
    host.outbox.publish(message(id).with_expires_at(at(seconds)), host.now).unwrap();
}

#[test]
fn no_attempt_is_handed_out_at_or_past_the_lifetime() {
    for (saved_at, sent) in [(7, true), (8, false), (9, false)] {
        let mut host = Host::with([endpoint("a").with_retry(policy(&[5]))]);
        publish_for(&mut host, "m", 8);
        let changes = host.unsaved();
        host.now = at(saved_at);
        host.save(changes);
        assert_eq!(host.sends().len(), usize::from(sent), "{saved_at}");
        if !sent {
            // It was never sent, so it does not count as an attempt.
            assert_eq!(host.notice_texts(), ["m>a expired after 0"]);
        }
    }
    // The same if it is released in time and fetched too late.
    let mut host = Host::with([endpoint("a").with_retry(policy(&[5]))]);
    publish_for(&mut host, "m", 8);
    let changes = host.unsaved();
    host.save(changes);
    host.now = at(8);
    assert!(host.sends().is_empty());
    assert_eq!(host.notice_texts(), ["m>a expired after 0"]);
}

#[test]
fn no_retry_is_handed_out_at_or_past_the_window() {
    for (saved_at, sent) in [(7, true), (8, false), (9, false)] {
        let mut host = Host::with([endpoint("a").with_retry(policy(&[5]).with_window(secs(8)))]);
        host.publish("m");
        let ticket = host.send();
        host.resolve(&ticket, &answer(503));
        assert!(host.sends().is_empty());
        host.now = at(5);
        let changes = host.unsaved();
        host.now = at(saved_at);
        host.save(changes);
        assert_eq!(host.sends().len(), usize::from(sent), "{saved_at}");
        if !sent {
            assert_eq!(host.notice_texts(), ["m>a expired after 1"]);
        }
    }
}

// A clock that is wrong at boot, before the time service answers, expired all that was pending.
#[test]
fn window_does_not_expire_what_was_never_tried() {
    let window = || endpoint("a").with_retry(policy(&[5]).with_window(secs(8)));
    for late in [8, 9, 365 * 86_400] {
        let mut host = Host::with([window()]);
        host.publish("m");
        let changes = host.unsaved();
        host.now = at(late);
        host.save(changes);
        let ticket = host.send();
        assert_eq!((ticket.attempt(), host.notice_texts().len()), (1, 0));
        host.resolve(&ticket, &answer(503));
        assert!(host.sends().is_empty());
        assert_eq!(host.notice_texts(), ["m>a expired after 1"]);

        // The same over a restart while it waits. (If its start had been saved, it would count as
        // tried: it may have been sent.)
        let mut host = Host::with([window()]);
        host.publish("m");
        host.outbox.replace_endpoint(window().with_enabled(false), at(0)).unwrap();
        assert!(host.sends().is_empty());
        host.now = at(late);
        host.restart(Outbox::new(registry([window()]), 7));
        assert_eq!(host.send_texts(), ["m>a#1"]);
    }
}

#[test]
fn held_delivery_still_expires() {
    let with = |enabled| endpoint("a").with_retry(policy(&[5, 20])).with_enabled(enabled);
    let mut host = Host::with([with(true)]);
    publish_for(&mut host, "m", 60);
    host.outbox.replace_endpoint(with(false), at(0)).unwrap();
    assert!(host.sends().is_empty());
    assert_eq!(host.wait, Some(at(60)));
    host.now = at(60);
    assert!(host.sends().is_empty());
    assert_eq!(host.notice_texts(), ["m>a expired after 0"]);
}

#[test]
fn settled_message_is_new_again_after_its_retention() {
    let outbox = || Outbox::new(registry(["a", "b"].map(endpoint)), 7).with_retention(secs(100));
    let mut host = Host::new(outbox());
    host.publish("m");
    let [a, b] = <[_; 2]>::try_from(host.sends()).unwrap();
    host.now = at(1);
    host.resolve(&a, &answer(200));
    host.now = at(4);
    host.resolve(&b, &answer(200));
    host.sends();
    assert_eq!(host.wait, Some(at(104)), "from when the last delivery ended");
    assert_eq!(host.keys(), ["delivery/m/a", "delivery/m/b", "message/m"]);

    // The same after a restart.
    host.restart(outbox());
    assert!(host.sends().is_empty());
    assert_eq!(host.wait, Some(at(104)));

    host.now = at(104);
    let changes = host.unsaved();
    let deleted: Vec<String> = changes
        .iter()
        .map(|change| match change {
            Change::Delete(key) => key.to_string(),
            Change::Put(record) => panic!("put {record:?}"),
        })
        .collect();
    // Without its rows a message would be delivered again, so it is deleted first.
    assert_eq!(deleted, ["message/m", "delivery/m/a", "delivery/m/b"]);
    assert_eq!(host.outbox.deliveries().count(), 0);

    let again = host.publish("m");
    assert!(!again.duplicate);
    host.save(changes);
    assert_eq!(host.send_texts(), ["m>a#1", "m>b#1"]);
    assert_eq!(host.keys(), ["delivery/m/a", "delivery/m/b", "message/m"]);
}

/// It is kept from when the end was found, over one more crash before the notice.
#[test]
fn retention_starts_when_an_unseen_end_is_found() {
    let outbox = || {
        let endpoint = endpoint("e").with_retry(policy(&[5]).with_window(secs(60)));
        Outbox::new(registry([endpoint]), 7).with_retention(secs(100))
    };
    let expired = || {
        let mut host = Host::new(outbox());
        host.publish("m");
        let ticket = host.send();
        host.resolve(&ticket, &answer(503));
        host.outbox.pause_endpoint(&eid("e"), host.now).unwrap();
        assert!(host.sends().is_empty());
        host.now = at(1_000);
        host.restart(outbox());
        host
    };
    let mut host = expired();
    let changes = host.unsaved();
    host.write(changes);
    for (seconds, is_kept) in [(1_000, true), (1_099, true), (1_100, false)] {
        host.now = at(seconds);
        host.restart(outbox());
        assert!(host.sends().is_empty());
        assert_eq!(host.keys().contains(&"delivery/m/e"), is_kept, "{seconds}");
    }

    // A replay restarts it.
    let mut host = expired();
    assert!(host.sends().is_empty());
    host.outbox.resume_endpoint(&eid("e"), host.now).unwrap();
    let plan = host.outbox.plan_replay(&ReplayFilter::all(), secs(0), host.now);
    assert_eq!(replay_all(&mut host.outbox, &plan, host.now), 1);
    let ticket = host.send();
    host.resolve(&ticket, &answer(200));
    assert!(host.sends().is_empty());
    let record = serde_json::to_value(&host.disk["delivery/m/e"]).unwrap();
    assert_eq!(record.get("found_at"), None);
}

// The rows are also the host's history. A message that had expired while the host was down was
// forgotten in the same poll that found it, so no row ever said how it had ended.
#[test]
fn retention_starts_when_a_missed_expiry_is_found() {
    let hasty = || endpoint("e").with_retry(policy(&[5]));
    let mut host = Host::with([hasty()]);
    publish_for(&mut host, "m", 60);
    host.outbox.pause_endpoint(&eid("e"), host.now).unwrap();
    assert_eq!(host.send_texts(), [""; 0]);
    host.now = at(3 * 86_400);
    host.restart(Outbox::new(registry([hasty()]), 7));
    assert_eq!(host.send_texts(), [""; 0]);
    assert!(host.keys().contains(&"delivery/m/e"), "{:?}", host.keys());
    assert_eq!(host.notice_texts(), ["m>e expired after 0"]);
    // And no longer than that, also over a restart.
    host.now = at(4 * 86_400 - 1);
    host.restart(Outbox::new(registry([hasty()]), 7));
    assert_eq!(host.verdict("m", "e"), Some(Verdict::Expired));
    host.now = at(5 * 86_400);
    assert_eq!(host.send_texts(), [""; 0]);
    assert_eq!(host.outbox.deliveries().count(), 0);
}

// The outbox guarantees that nothing accepted is lost. A settled message that was replayed was
// forgotten while it was pending, if the retention had been changed in between.
#[test]
fn replayed_message_survives_a_changed_retention() {
    let mut host = Host::with([endpoint("e").with_retry(RetryPolicy::none())]);
    host.publish("m");
    let ticket = host.send();
    host.resolve(&ticket, &answer(500));
    assert_eq!(host.send_texts(), [""; 0]);
    host.outbox =
        std::mem::replace(&mut host.outbox, Outbox::new(registry([]), 7)).with_retention(secs(9));
    let plan = host.outbox.plan_replay(&ReplayFilter::all(), Duration::ZERO, host.now);
    host.outbox.pause_endpoint(&eid("e"), host.now).unwrap();
    assert_eq!(replay_all(&mut host.outbox, &plan, host.now), 1);
    assert_eq!(host.send_texts(), [""; 0]);
    host.now = at(90_000);
    assert_eq!(host.send_texts(), [""; 0]);
    assert_eq!(host.outbox.deliveries().count(), 1);
    host.outbox.resume_endpoint(&eid("e"), host.now).unwrap();
    assert_eq!(host.send_texts(), ["m>e#2"]);
}
