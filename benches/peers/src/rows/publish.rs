//! Publishing to few of many endpoints.

use std::mem;

use labhook::outbox::Change;
use labhook::{Endpoint, EventType, Keys, Message, Outbox, Step, Subscription};

use super::outbox::count;
use crate::backlog::Backlog;
use crate::fixture::{self, SEED};
use crate::measure::{Effort, Side, compare};
use crate::row::{Row, Unit};

/// How many endpoints match.
const MATCHING: usize = 10;

#[derive(Clone, Copy)]
enum By {
    Type,
    Key,
}

struct Publish {
    backlog: Backlog,
    messages: Vec<Message>,
}

impl Publish {
    fn new(by: By, endpoints: usize) -> Self {
        let endpoints = (0..endpoints).map(|it| {
            fixture::endpoint(it)
                .with_policy(fixture::patient())
                .with_subscription(subscription(by, it / MATCHING))
        });
        let outbox = Outbox::new(fixture::registry(endpoints), SEED);
        // What is delivered is forgotten at once, so that no publish is dearer than the one before.
        let outbox = outbox.with_retention(std::time::Duration::ZERO);
        Self { backlog: Backlog::of(outbox), messages: Vec::new() }
    }
}

/// Of the tenth that is number 0, what the messages are about; of each other, something else.
fn subscription(by: By, tenth: usize) -> Subscription {
    match by {
        By::Type if tenth == 0 => {
            Subscription::all().event_types(["run.*".parse().expect("the pattern is valid")])
        }
        By::Type => {
            let other = EventType::new(format!("sample{tenth}.created")).expect("it is valid");
            Subscription::all().event_types([other.as_str().parse().expect("it is a pattern")])
        }
        By::Key => Subscription::all().projects([format!("project-{tenth}").as_str().into()]),
    }
}

impl Side for Publish {
    fn prepare(&mut self, calls: usize) {
        self.backlog.deliver_all();
        let mut random = fastrand::Rng::new();
        let keys = || Keys::new().with_run("run-17").with_project("project-0");
        self.messages =
            (0..calls).map(|_| fixture::message_with(&mut random, keys(), 200)).collect();
    }

    fn run(&mut self, _: usize) {
        for message in mem::take(&mut self.messages) {
            self.backlog.publish(message);
        }
    }
}

pub fn publish(effort: Effort) -> Vec<Row> {
    let endpoints = effort.size(10_000, 1_000);
    let work = format!("publish to {} endpoints of which {MATCHING} match", count(endpoints));
    let against = format!("the same with {MATCHING} of {MATCHING}");
    let mut row = Row::new(work, against, Unit::Times).drawn("publish to few of many");
    for (name, by) in [("by event type", By::Type), ("by project", By::Key)] {
        let mut ours = Publish::new(by, endpoints);
        let mut fewer = Publish::new(by, MATCHING);
        row.push(name, compare(effort, &mut ours, &mut fewer).ratio);
    }
    vec![row]
}

/// What is written for each message under the default policies: each to one of many endpoints.
pub fn records(effort: Effort) -> Vec<Row> {
    let endpoints = effort.size(1_000, 100);
    let project = |it: usize| format!("project-{it}");
    let registry = fixture::registry((0..endpoints).map(|it| -> Endpoint {
        let of_project = Subscription::all().projects([project(it).as_str().into()]);
        fixture::endpoint(it).with_subscription(of_project)
    }));
    let mut outbox = Outbox::new(registry, SEED);
    let mut random = fastrand::Rng::with_seed(SEED);
    let (mut bytes, mut records) = (0, 0);
    let messages = 10 * endpoints;
    let mut now = fixture::start();
    for number in 0..messages {
        now += std::time::Duration::from_millis(10);
        let keys =
            Keys::new().with_run("run-17").with_project(project(number % endpoints).as_str());
        let message = fixture::message_with(&mut random, keys, 200);
        outbox.publish(message, now).expect("ids need not be strict");
        loop {
            match outbox.poll(now) {
                Step::Save(changes) => {
                    for change in changes.iter() {
                        if let Change::Put(record) = change {
                            bytes += serde_json::to_vec(record).expect("a record is JSON").len();
                            records += 1;
                        }
                    }
                    outbox.saved(changes.revision());
                }
                Step::Send(attempt) => {
                    // The response takes a moment.
                    now += std::time::Duration::from_millis(5);
                    outbox.resolve(attempt.ticket(), &fixture::success(), now);
                }
                Step::Notify(_) => {}
                Step::Wait(_) | Step::Idle => break,
            }
        }
    }
    let work = |what: &str| format!("{what} written for each delivered message of 200 B");
    let how = format!("default policies, {} endpoints, as JSON", count(endpoints));
    let each = |total: usize| total as f64 / messages as f64;
    vec![
        Row::new(work("bytes"), how.clone(), Unit::Bytes).one(each(bytes).round()),
        Row::new(work("records"), how, Unit::Records).one(each(records)),
    ]
}
