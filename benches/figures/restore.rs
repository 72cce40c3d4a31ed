//! Restoring what was saved.

use std::collections::BTreeMap;

use criterion::Criterion;
use labhook::outbox::{Change, Record};
use labhook::{Outbox, Step};

use crate::fixture;

const DELIVERIES: usize = 10_000;

pub(crate) fn restore(criterion: &mut Criterion) {
    let registry = fixture::registry([fixture::endpoint(0).with_policy(fixture::patient())]);
    let records = saved(Outbox::new(registry.clone(), fixture::SEED));
    criterion.bench_function("restore 10 000 deliveries from JSON", |bencher| {
        bencher.iter_with_large_drop(|| {
            let records = records.iter().filter_map(|json| serde_json::from_str(json).ok());
            let outbox = Outbox::new(registry.clone(), fixture::SEED);
            outbox.restore(records, fixture::start()).is_ok_and(|it| it.pending() == DELIVERIES)
        });
    });
}

/// The records of deliveries that wait for a retry.
fn saved(mut outbox: Outbox) -> Vec<String> {
    let now = fixture::start();
    let mut random = fastrand::Rng::with_seed(fixture::SEED);
    for _ in 0..DELIVERIES {
        let message = fixture::message(&mut random);
        outbox.publish(message, now).expect("ids need not be strict");
    }
    let mut records: BTreeMap<_, Record> = BTreeMap::new();
    loop {
        match outbox.poll(now) {
            Step::Save(changes) => {
                let revision = changes.revision();
                for change in changes {
                    match change {
                        Change::Put(record) => _ = records.insert(record.key(), record),
                        Change::Delete(key) => _ = records.remove(&key),
                    }
                }
                outbox.saved(revision);
            }
            Step::Send(attempt) => {
                outbox.resolve(attempt.ticket(), &fixture::failure(), now);
            }
            Step::Notify(_) => {}
            Step::Wait(_) | Step::Idle => break,
        }
    }
    let json = |record: &Record| serde_json::to_string(record).expect("a record is JSON");
    records.values().map(json).collect()
}
