//! Saves in parts: each has a limited number of records, and each promise of a revision is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::num::{NonZeroU32, NonZeroUsize};

use labhook::delivery::DeliveryGuarantee;
use labhook::outbox::{Change, Changes, Record, Revision};
use labhook::{Endpoint, MessageId, Outbox, Step, Ticket};
use proptest::prelude::*;

use crate::support::{
    Host, answer, at, config, eid, endpoint, message, mid, number, policy, registry, secs,
};

fn limited(records: usize) -> Outbox {
    let limit = NonZeroUsize::new(records).unwrap();
    Outbox::new(registry([endpoint("a")]), 7).with_save_limit(limit)
}

fn keys(changes: &Changes) -> Vec<String> {
    let keys = changes.iter().map(|change| match change {
        Change::Put(record) => record.key().to_string(),
        Change::Delete(key) => format!("delete {key}"),
    });
    keys.collect()
}

fn save_all(host: &mut Host) -> Vec<(u64, String)> {
    let mut parts = Vec::new();
    loop {
        match host.outbox.poll(host.now) {
            Step::Save(part) => {
                parts.push((number(part.revision()), keys(&part).join(" ")));
                host.save(part);
            }
            Step::Notify(_) => {}
            _ => return parts,
        }
    }
}

fn parts(expected: &[(u64, &str)]) -> Vec<(u64, String)> {
    expected.iter().map(|(revision, keys)| (*revision, (*keys).to_owned())).collect()
}

fn paused(records: usize) -> Host {
    let mut host = Host::new(limited(records));
    host.outbox.pause_endpoint(&eid("a"), at(0)).unwrap();
    save_all(&mut host);
    host
}

#[test]
fn messages_are_saved_in_parts_in_their_order() {
    let mut host = paused(2);
    let revisions = ["m1", "m2", "m3", "m4", "m5"].map(|id| number(host.publish(id).revision));
    assert_eq!(revisions, [2, 2, 3, 3, 4]);
    let first = host.unsaved();
    assert_eq!(keys(&first), ["message/m1", "message/m2"]);
    // What is published while a part is being saved is behind what waits already.
    assert_eq!(number(host.publish("m6").revision), 4);
    assert_eq!(number(host.publish("m7").revision), 5);
    // A duplicate is durable no later than the last part.
    assert_eq!(number(host.publish("m3").revision), 4);
    host.save(first);
    let expected = [(3, "message/m3 message/m4"), (4, "message/m5 message/m6"), (5, "message/m7")];
    assert_eq!(save_all(&mut host), parts(&expected));
}

#[test]
fn failed_part_is_repeated_with_the_next_one() {
    let mut host = paused(1);
    let revisions = ["m1", "m2", "m3"].map(|id| number(host.publish(id).revision));
    assert_eq!(revisions, [2, 3, 4]);
    for (revision, expected) in [
        (2, "message/m1"),
        (3, "message/m1 message/m2"),
        (4, "message/m1 message/m2 message/m3"),
        // There is no next one, but an answer about the save before is not one about this.
        (5, "message/m1 message/m2 message/m3"),
    ] {
        let part = host.unsaved();
        assert_eq!((number(part.revision()), &*keys(&part).join(" ")), (revision, expected));
        assert!(host.outbox.unsaved(part.revision()));
    }
    assert_eq!(save_all(&mut host), parts(&[(6, "message/m1 message/m2 message/m3")]));
}

#[test]
fn endpoint_is_deleted_after_its_last_delivery_ended() {
    let mut host = paused(1);
    for id in ["m1", "m2", "m3"] {
        host.publish(id);
    }
    save_all(&mut host);
    host.outbox.remove_endpoint(&eid("a"), at(0)).unwrap();
    let keys: Vec<_> = save_all(&mut host).into_iter().map(|(_, keys)| keys).collect();
    assert_eq!(keys, ["delivery/m1/a delivery/m2/a delivery/m3/a delete endpoint/a"]);
}

#[test]
fn endpoint_whose_save_failed_is_deleted_last() {
    let mut host = Host::new(limited(1));
    for id in ["m1", "m2"] {
        host.publish(id);
    }
    host.outbox.pause_endpoint(&eid("a"), at(0)).unwrap();
    let saved = host.unsaved();
    host.save(saved);
    let saved = host.unsaved();
    host.save(saved);
    let failed = host.unsaved();
    assert_eq!(keys(&failed), ["endpoint/a"]);
    host.outbox.remove_endpoint(&eid("a"), at(0)).unwrap();
    assert!(host.outbox.unsaved(failed.revision()));
    let keys: Vec<_> = save_all(&mut host).into_iter().map(|(_, keys)| keys).collect();
    assert_eq!(keys, ["delivery/m1/a delivery/m2/a delete endpoint/a"]);
}

/// An attempt that is started again while its first start waits to be saved has the same number.
#[test]
fn restarted_attempt_waits_for_its_new_start() {
    let once = policy(&[5]).with_guarantee(DeliveryGuarantee::AtMostOnce);
    let outbox = Outbox::new(registry([endpoint("a").with_retry(once)]), 7);
    let mut host = Host::new(outbox.with_save_limit(NonZeroUsize::MIN));
    for id in ["m1", "m2", "m3"] {
        host.publish(id);
    }
    let (mut sent, mut polls) = (0, 0);
    while sent < 3 {
        polls += 1;
        assert!(polls < 100);
        // The attempts' deadlines pass again and again while parts are saved.
        match host.outbox.poll(host.now) {
            Step::Save(changes) => {
                host.save(changes);
                if polls % 2 == 0 && polls < 20 {
                    host.outbox.drain();
                    host.now += secs(11);
                } else {
                    host.outbox.undrain();
                }
            }
            Step::Send(attempt) => {
                let key = format!("delivery/{}/a", attempt.ticket().message());
                let Some(Record::Delivery(saved)) = host.disk.get(&key) else { panic!("{key}") };
                let started = saved.delivery().in_flight().unwrap();
                assert_eq!(started.deadline, attempt.deadline());
                sent += 1;
            }
            _ => host.now += secs(1),
        }
    }
}

/// A clock that is set back meanwhile renews the deadline, and the start is still the same.
#[test]
fn start_is_sent_after_the_clock_was_set_back() {
    let mut host = Host::new(limited(2));
    host.now = at(100);
    host.publish("m1");
    let start = host.unsaved();
    assert_eq!(keys(&start), ["message/m1", "delivery/m1/a"]);
    host.now = at(99);
    host.save(start);
    let attempts = host.attempts();
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0].deadline(), at(109));
}

/// The same, where the clock stands still, so that even the deadline is the same.
#[test]
fn attempt_restarted_at_once_waits_for_its_start() {
    let one_at_a_time = endpoint("a").with_max_in_flight(NonZeroU32::MIN);
    let limit = NonZeroUsize::new(2).unwrap();
    let outbox = Outbox::new(registry([one_at_a_time.clone()]), 7).with_save_limit(limit);
    let mut host = Host::new(outbox);
    host.publish("m1");
    host.publish("m2");
    let messages = host.unsaved();
    assert_eq!(keys(&messages), ["message/m1", "message/m2"]);
    // The first start waits for the next part, which is closed without it.
    let off = one_at_a_time.clone().with_enabled(false);
    host.outbox.replace_endpoint(off, host.now).unwrap();
    host.publish("m3");
    host.outbox.replace_endpoint(one_at_a_time, host.now).unwrap();
    host.save(messages);
    let attempt = loop {
        match host.outbox.poll(host.now) {
            Step::Save(part) => host.save(part),
            Step::Send(attempt) => break attempt,
            other => panic!("{other:?}"),
        }
    };
    let Some(Record::Delivery(saved)) = host.disk.get("delivery/m1/a") else { panic!() };
    let started = saved.delivery().in_flight().unwrap();
    assert_eq!(started.number, attempt.ticket().attempt());
}

#[test]
fn rows_outlive_a_message_that_came_back_and_went() {
    let outbox = || limited(1).with_retention(secs(60));
    let mut host = Host::new(outbox());
    for id in ["m1", "m2"] {
        host.publish(id);
        let ticket = host.send();
        host.resolve(&ticket, &answer(200));
        host.sends();
    }
    host.now = at(60);
    // Both are forgotten, and one comes back before its records are deleted.
    let part = host.unsaved();
    assert_eq!(keys(&part), ["delete message/m1", "delete delivery/m1/a"]);
    assert!(!host.publish("m2").duplicate);
    assert!(host.outbox.unsaved(part.revision()));
    assert!(host.outbox.unpublish(&mid("m2"), host.now));
    while let Step::Save(part) = host.outbox.poll(host.now) {
        for written in 0..=part.len() {
            let mut disk = host.disk.clone();
            for change in part.iter().take(written) {
                match change {
                    Change::Put(record) => {
                        _ = disk.insert(record.key().to_string(), record.clone())
                    }
                    Change::Delete(key) => _ = disk.remove(&key.to_string()),
                }
            }
            let restored = outbox().restore(disk.into_values(), host.now).unwrap();
            assert_eq!(restored.pending(), 0, "what was delivered is not sent again");
        }
        host.save(part);
    }
    assert_eq!(host.keys(), [""; 0]);
}

#[test]
fn message_published_again_replaces_its_old_rows() {
    let mut host = Host::new(limited(3).with_retention(secs(60)));
    host.publish("m1");
    let ticket = host.send();
    host.resolve(&ticket, &answer(200));
    host.sends();
    host.now = at(60);
    host.outbox.drain();
    let part = host.unsaved();
    assert_eq!(keys(&part), ["delete message/m1", "delete delivery/m1/a"]);
    assert!(!host.publish("m1").duplicate);
    assert!(host.outbox.unsaved(part.revision()));
    let part = host.unsaved();
    assert_eq!(keys(&part), ["message/m1", "delete delivery/m1/a"]);
    host.save(part);
    host.restart(limited(3));
    assert_eq!(host.outbox.pending(), 1);
}

#[test]
fn storage_turned_off_late_saves_nothing() {
    let mut host = paused(1);
    for id in ["m1", "m2", "m3"] {
        host.publish(id);
    }
    let failed = host.unsaved();
    host.outbox.remove_endpoint(&eid("a"), at(0)).unwrap();
    let mut outbox = host.outbox.clone().without_storage();
    assert!(outbox.unsaved(failed.revision()));
    outbox.drain();
    while !outbox.is_drained() {
        assert!(matches!(outbox.poll(at(0)), Step::Notify(_)));
    }
    assert_eq!(outbox.pending(), 0);
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Publish(u8),
    Unpublish(u8),
    Withdraw(u8),
    Sleep(u8),
    /// The next part is saved; or this number of its changes, and then it fails.
    Save(Option<u8>),
    Answer(u8, u16),
    Disable,
    Enable,
    Remove,
    Insert,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let id = 0..12_u8;
    let act = prop_oneof![
        8 => id.clone().prop_map(Act::Publish),
        2 => id.clone().prop_map(Act::Unpublish),
        1 => id.prop_map(Act::Withdraw),
        2 => (1..30_u8).prop_map(Act::Sleep),
        6 => Just(Act::Save(None)),
        2 => (0..9_u8).prop_map(|written| Act::Save(Some(written))),
        6 => (0..4_u8, prop_oneof![Just(200), Just(500), Just(410)])
            .prop_map(|(index, status)| Act::Answer(index, status)),
        1 => Just(Act::Disable),
        1 => Just(Act::Enable),
        1 => Just(Act::Remove),
        1 => Just(Act::Insert),
    ];
    proptest::collection::vec(act, 1..120)
}

/// A host that saves part by part, and knows what was promised to be durable when.
struct PartHost {
    host: Host,
    saving: Option<Changes>,
    wire: Vec<Ticket>,
    promises: BTreeMap<MessageId, Revision>,
    confirmed: Revision,
}

impl PartHost {
    fn endpoints() -> [Endpoint; 2] {
        ["a", "b"].map(|id| endpoint(id).with_retry(policy(&[5, 9])))
    }

    fn poll(&mut self) {
        loop {
            match self.host.outbox.poll(self.host.now) {
                Step::Save(changes) => {
                    assert!(!changes.is_empty());
                    self.saving = Some(changes);
                }
                Step::Send(attempt) => {
                    let ticket = attempt.ticket().clone();
                    // Write-ahead.
                    let key = format!("delivery/{}/{}", ticket.message(), ticket.endpoint());
                    let Some(Record::Delivery(saved)) = self.host.disk.get(&key) else {
                        panic!("{key} was not saved")
                    };
                    let started = saved.delivery().in_flight().map(|it| it.number);
                    assert_eq!(started, Some(ticket.attempt()));
                    assert!(self.host.disk.contains_key(&format!("message/{}", ticket.message())));
                    self.wire.push(ticket);
                }
                Step::Notify(_) => {}
                Step::Wait(until) => return self.host.wait = Some(until),
                Step::Idle => return self.host.wait = None,
            }
        }
    }

    fn confirm(&mut self) {
        let Some(changes) = self.saving.take() else { return };
        let revision = changes.revision();
        self.confirmed = revision;
        self.host.save(changes);
        let Self { host, promises, .. } = self;
        let known: BTreeSet<_> =
            host.outbox.deliveries().map(|(message, ..)| message.id().clone()).collect();
        promises.retain(|id, promised| {
            let is_due = *promised <= revision;
            let key = format!("message/{id}");
            assert!(!is_due || !known.contains(id) || host.disk.contains_key(&key), "{key}");
            !is_due
        });
    }

    fn act(&mut self, act: Act) {
        let Host { outbox, now, .. } = &mut self.host;
        let now = *now;
        match act {
            Act::Publish(it) => {
                let published = outbox.publish(message(&format!("m{it}")), now).unwrap();
                if !published.endpoints.is_empty() && published.revision > self.confirmed {
                    self.promises.insert(mid(&format!("m{it}")), published.revision);
                }
            }
            Act::Unpublish(it) => {
                if outbox.unpublish(&mid(&format!("m{it}")), now) {
                    self.promises.remove(&mid(&format!("m{it}")));
                }
            }
            Act::Withdraw(it) => _ = outbox.withdraw(&mid(&format!("m{it}")), now),
            Act::Sleep(seconds) => self.host.now = now + secs(seconds.into()),
            Act::Save(None) => self.confirm(),
            Act::Save(Some(written)) => {
                if let Some(changes) = self.saving.take() {
                    let revision = changes.revision();
                    for change in changes.into_iter().take(written.into()) {
                        match change {
                            Change::Put(record) => {
                                self.host.disk.insert(record.key().to_string(), record);
                            }
                            Change::Delete(key) => _ = self.host.disk.remove(&key.to_string()),
                        }
                    }
                    assert!(self.host.outbox.unsaved(revision));
                }
            }
            Act::Answer(index, status) => {
                if usize::from(index) < self.wire.len() {
                    let ticket = self.wire.remove(index.into());
                    self.host.resolve(&ticket, &answer(status));
                }
            }
            Act::Disable => _ = outbox.disable_endpoint(&eid("a"), None, now),
            Act::Enable => _ = self.host.enable("a"),
            Act::Remove => _ = outbox.remove_endpoint(&eid("b"), now),
            Act::Insert => _ = outbox.insert_endpoint(Self::endpoints()[1].clone(), now),
        }
        self.poll();
    }
}

proptest! {
    #![proptest_config(config())]

    /// Each part is small, what it was promised to make durable is durable, and once all parts are
    /// saved the records are those of the outbox, whatever was forgotten or failed meanwhile.
    #[test]
    fn parts_keep_every_promise(limit in 1..4_usize, batch in 1..3_usize, acts in acts()) {
        let [limit, batch] = [limit, batch].map(|it| NonZeroUsize::new(it).unwrap());
        let outbox = || {
            Outbox::new(registry(PartHost::endpoints()), 7)
                .with_save_limit(limit)
                .with_batch(batch)
                .with_retention(secs(20))
        };
        let host = Host::new(outbox());
        let mut parts =
            PartHost { host, saving: None, wire: Vec::new(), promises: BTreeMap::new(), confirmed: Revision::default() };
        let mut failures = 0;
        for act in acts {
            let fails = matches!(act, Act::Save(Some(_))) && parts.saving.is_some();
            failures = if fails { failures + 1 } else { failures };
            parts.act(act);
            let len = parts.saving.as_ref().map_or(0, Changes::len);
            prop_assert!(len <= (failures + 1) * 40 * limit.get(), "{len} changes");
            if matches!(act, Act::Save(None)) {
                failures = 0;
            }
        }
        while parts.saving.is_some() {
            parts.confirm();
            parts.poll();
        }
        prop_assert!(parts.promises.is_empty(), "{:?}", parts.promises);

        let Host { outbox: before, disk, now, .. } = &parts.host;
        let known = |outbox: &Outbox| -> BTreeMap<_, _> {
            let all = outbox.deliveries();
            all.map(|(message, endpoint, delivery)| {
                ((message.id().clone(), endpoint.clone()), delivery)
            })
            .collect()
        };
        let known_before = known(before);
        for (key, record) in disk {
            let is_known = match record {
                Record::Message(record) => before.clone().publish(message(record.message().id().as_str()), *now).unwrap().duplicate,
                Record::Delivery(record) => known_before.contains_key(&(record.message().clone(), record.endpoint().clone())),
                _ => true,
            };
            prop_assert!(is_known, "{key} was left behind");
        }
        let after = outbox().restore(disk.values().cloned(), *now).unwrap();
        prop_assert_eq!(known(&after), known_before);
    }
}
