//! Restoring what was saved.

use std::collections::BTreeMap;

use labhook::outbox::{Change, Record};
use labhook::{Outbox, Registry, Step};
use serde::Deserialize;

use super::outbox::{count, endpoints_of};
use crate::backlog::Backlog;
use crate::fixture::{self, SEED};
use crate::measure::{Effort, Side, compare_once};
use crate::row::{Row, Unit};

/// Rows of the same shape as the records, without meaning.
mod plain {
    #![expect(dead_code, reason = "only decoded")]

    use super::*;

    #[derive(Deserialize)]
    pub struct Message {
        sequence: u64,
        accepted_at: i64,
        fan_out: BTreeMap<String, String>,
        message: Content,
    }

    #[derive(Deserialize)]
    struct Content {
        id: String,
        r#type: String,
        timestamp: i64,
        keys: BTreeMap<String, String>,
        renderings: BTreeMap<String, Rendering>,
    }

    #[derive(Deserialize)]
    struct Rendering {
        content_type: String,
        body: Body,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Body {
        Text(String),
    }

    #[derive(Deserialize)]
    pub struct Delivery {
        sequence: u64,
        message: String,
        endpoint: String,
        delivery: Progress,
    }

    #[derive(Deserialize)]
    struct Progress {
        accepted_at: i64,
        attempts: u32,
        state: State,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum State {
        Waiting { due: i64 },
    }
}

/// The records of an outbox, as JSON.
#[derive(Default)]
struct Saved {
    messages: Vec<Box<[u8]>>,
    deliveries: Vec<Box<[u8]>>,
}

impl Saved {
    /// Deliveries that wait for a retry. The endpoints' records are left out: they are few.
    fn new(pending: usize, endpoints: usize) -> Self {
        let mut saved = Self::default();
        let mut backlog = Backlog::empty(endpoints);
        for _ in 0..pending / endpoints {
            let message = backlog.message();
            backlog.publish(message);
            let mut last = BTreeMap::new();
            loop {
                match backlog.outbox.poll(backlog.now) {
                    Step::Save(changes) => {
                        let revision = changes.revision();
                        for change in changes {
                            if let Change::Put(record) = change {
                                last.insert(record.key(), record);
                            }
                        }
                        backlog.outbox.saved(revision);
                    }
                    Step::Send(attempt) => {
                        let failed = fixture::failure();
                        backlog.outbox.resolve(attempt.ticket(), &failed, backlog.now);
                    }
                    Step::Notify(_) => {}
                    Step::Wait(_) | Step::Idle => break,
                }
            }
            for record in last.into_values() {
                let json = serde_json::to_vec(&record).expect("a record is JSON").into();
                match record {
                    Record::Message(_) => saved.messages.push(json),
                    Record::Delivery(_) => saved.deliveries.push(json),
                    _ => {}
                }
            }
        }
        saved
    }
}

struct Ours<'a> {
    saved: &'a Saved,
    registry: Registry,
    restored: Option<Outbox>,
}

impl Side for Ours<'_> {
    fn prepare(&mut self, _: usize) {
        self.restored = None;
    }

    fn run(&mut self, _: usize) {
        let rows = self.saved.messages.iter().chain(&self.saved.deliveries);
        let records = rows
            .map(|json| -> Record { serde_json::from_slice(json).expect("the record was saved") });
        let outbox = Outbox::new(self.registry.clone(), SEED);
        let restored = outbox.restore(records, fixture::start()).expect("the records are whole");
        assert_eq!(restored.pending(), self.saved.deliveries.len(), "each delivery is restored");
        self.restored = Some(restored);
    }
}

struct Plain<'a> {
    saved: &'a Saved,
    decoded: (Vec<plain::Message>, Vec<plain::Delivery>),
}

impl Side for Plain<'_> {
    fn prepare(&mut self, _: usize) {
        self.decoded = (Vec::new(), Vec::new());
    }

    fn run(&mut self, _: usize) {
        let messages = self.saved.messages.iter();
        let messages =
            messages.map(|json| serde_json::from_slice(json).expect("the shape is plain"));
        let deliveries = self.saved.deliveries.iter();
        let deliveries =
            deliveries.map(|json| serde_json::from_slice(json).expect("the shape is plain"));
        self.decoded = (messages.collect(), deliveries.collect());
    }
}

pub fn restore(effort: Effort) -> Vec<Row> {
    let pending = effort.size(1_000_000, 10_000);
    let work = format!("restore {} deliveries from JSON", count(pending));
    let mut row = Row::new(work, "decoding it into plain structs of that shape", Unit::Times);
    row = row.drawn("restore");
    let many = effort.size(1_000, 100);
    for endpoints in [many, 3, 1] {
        let saved = Saved::new(pending, endpoints);
        let policies =
            (0..endpoints).map(|it| fixture::endpoint(it).with_policy(fixture::patient()));
        let registry = fixture::registry(policies);
        let mut ours = Ours { saved: &saved, registry, restored: None };
        let mut theirs = Plain { saved: &saved, decoded: Default::default() };
        let name = format!("each message to {}", endpoints_of(endpoints));
        row.push(name, compare_once(effort, &mut ours, &mut theirs).ratio);
    }
    vec![row]
}
