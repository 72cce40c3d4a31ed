//! Saves in parts: each has a limited number of records, and each promise of a revision is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::num::{NonZeroU32, NonZeroUsize};

use labhook::outbox::{Change, Changes, Record, Revision};
use labhook::{Endpoint, HealthPolicy, MessageId, Outbox, Step, Ticket};
use proptest::prelude::*;

use crate::support::{
    Host, answer, at, config, eid, endpoint, message, mid, number, policy, registry, secs, show,
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

#[test]
fn messages_are_saved_in_parts_in_their_order() {
    let mut host = Host::new(limited(2));
    host.outbox.pause_endpoint(&eid("a"), at(0)).unwrap();
    let revisions = ["m1", "m2", "m3", "m4", "m5"].map(|id| number(host.publish(id).revision));
    assert_eq!(revisions, [1, 1, 2, 2, 3]);
    let first = host.unsaved();
    assert_eq!(keys(&first), ["endpoint/a", "message/m1", "message/m2"]);
    // What is published while a part is being saved is behind what waits already.
    assert_eq!(number(host.publish("m6").revision), 3);
    assert_eq!(number(host.publish("m7").revision), 4);
    host.save(first);
    let mut parts = Vec::new();
    while let Step::Save(part) = host.outbox.poll(at(0)) {
        parts.push((number(part.revision()), keys(&part).join(" ")));
        host.save(part);
    }
    let parts: Vec<_> = parts.iter().map(|(revision, keys)| (*revision, keys.as_str())).collect();
    let expected = [(2, "message/m3 message/m4"), (3, "message/m5 message/m6"), (4, "message/m7")];
    assert_eq!(parts, expected);
}

#[test]
fn attempt_waits_only_for_its_own_records() {
    let mut host = Host::new(limited(2).with_batch(NonZeroUsize::MIN));
    for id in ["m1", "m2", "m3", "m4", "m5"] {
        host.publish(id);
    }
    let part = host.unsaved();
    assert_eq!(keys(&part), ["message/m1", "message/m2", "delivery/m1/a"]);
    host.save(part);
    let Step::Send(attempt) = host.outbox.poll(at(0)) else { panic!("the rest can wait") };
    assert_eq!(show(attempt.ticket()), "m1>a#1");
}

#[test]
fn delivery_is_saved_with_its_message_and_endpoint() {
    // The newest message is tried first, as a probe, and its turn to be saved is last.
    let health = HealthPolicy::new()
        .with_failures(NonZeroU32::MIN)
        .with_refused_for(secs(0))
        .with_probes(secs(5), secs(5));
    let failing = endpoint("a").with_retry(policy(&[60])).with_health(health);
    let limit = NonZeroUsize::MIN;
    let mut host = Host::new(Outbox::new(registry([failing]), 7).with_save_limit(limit));
    host.publish("early");
    let ticket = host.send();
    host.resolve(&ticket, &answer(500));
    host.sends();
    for id in ["m1", "m2", "m3"] {
        host.publish(id);
    }
    host.now = at(5);
    let part = host.unsaved();
    assert_eq!(keys(&part), ["endpoint/a", "message/m1", "message/m3", "delivery/m3/a"]);
}

#[test]
fn failed_part_is_repeated_with_the_next_one() {
    let mut host = Host::new(limited(1));
    host.outbox.pause_endpoint(&eid("a"), at(0)).unwrap();
    let revisions = ["m1", "m2", "m3"].map(|id| number(host.publish(id).revision));
    assert_eq!(revisions, [1, 2, 3]);
    let part = host.unsaved();
    assert!(host.outbox.unsaved(part.revision()));
    let part = host.unsaved();
    assert_eq!(number(part.revision()), 2);
    assert_eq!(keys(&part), ["endpoint/a", "message/m1", "message/m2"]);
    assert!(host.outbox.unsaved(part.revision()));
    let part = host.unsaved();
    assert_eq!(number(part.revision()), 3);
    assert_eq!(keys(&part), ["endpoint/a", "message/m1", "message/m2", "message/m3"]);
    host.save(part);
    assert!(matches!(host.outbox.poll(at(0)), Step::Idle));
}

#[test]
fn endpoint_is_deleted_after_its_last_delivery_ended() {
    let mut host = Host::new(limited(1));
    host.outbox.pause_endpoint(&eid("a"), at(0)).unwrap();
    for id in ["m1", "m2", "m3"] {
        host.publish(id);
    }
    host.sends();
    host.outbox.remove_endpoint(&eid("a"), at(0)).unwrap();
    let mut order = Vec::new();
    loop {
        match host.outbox.poll(at(0)) {
            Step::Save(changes) => {
                order.extend(keys(&changes));
                host.save(changes);
            }
            Step::Notify(_) => {}
            _ => break,
        }
    }
    assert_eq!(order, ["delivery/m1/a", "delivery/m2/a", "delivery/m3/a", "delete endpoint/a"]);
}

#[test]
fn message_published_again_replaces_its_old_rows() {
    let mut host = Host::new(limited(1).with_retention(secs(60)));
    for id in ["m1", "m2"] {
        host.publish(id);
        let ticket = host.send();
        host.resolve(&ticket, &answer(200));
    }
    host.sends();
    host.now = at(60);
    // Both are forgotten, and one comes back before its records are deleted.
    let part = host.unsaved();
    assert_eq!(keys(&part), ["delete message/m1"]);
    host.save(part);
    host.outbox.pause_endpoint(&eid("a"), at(60)).unwrap();
    assert!(!host.publish("m2").duplicate);
    let part = host.unsaved();
    assert_eq!(keys(&part), ["endpoint/a", "message/m2", "delete delivery/m1/a"]);
    host.save(part);
    host.sends();
    // A new delivery, and not the old one that was delivered.
    host.restart(limited(1));
    assert_eq!(host.outbox.pending(), 1);
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
            prop_assert!(len <= (failures + 1) * 8 * limit.get(), "{len} changes");
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
