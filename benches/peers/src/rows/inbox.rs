//! The receiver's inbox.

use std::collections::HashMap;
use std::mem;
use std::num::NonZeroUsize;

use labhook::Inbox;

use super::outbox::count;
use crate::fixture::{self, SEED};
use crate::measure::{Effort, Side, compare};
use crate::row::{Row, Unit};

/// An inbox with room for what comes, in which this number of ids was handled.
pub fn handled(ids: usize) -> Inbox {
    let room = NonZeroUsize::new(4 * ids).expect("there are ids");
    let mut inbox = Inbox::new(room);
    let mut random = fastrand::Rng::with_seed(SEED);
    for _ in 0..ids {
        inbox.remember("scheduler", &fixture::id(&mut random), fixture::start());
    }
    inbox
}

struct Ours {
    inbox: Inbox,
    random: fastrand::Rng,
    ids: Vec<String>,
}

impl Side for Ours {
    fn prepare(&mut self, calls: usize) {
        self.ids = (0..calls).map(|_| fixture::id(&mut self.random)).collect();
    }

    fn run(&mut self, _: usize) {
        let now = fixture::start();
        for id in mem::take(&mut self.ids) {
            let admission = self.inbox.begin("scheduler", &id, now);
            let claim = admission.claim(now).expect("the id is new");
            self.inbox.done(&claim, now);
        }
    }
}

struct Map {
    map: HashMap<String, ()>,
    random: fastrand::Rng,
    ids: Vec<String>,
}

impl Side for Map {
    fn prepare(&mut self, calls: usize) {
        self.ids = (0..calls).map(|_| fixture::id(&mut self.random)).collect();
    }

    fn run(&mut self, _: usize) {
        for id in mem::take(&mut self.ids) {
            self.map.insert(id, ());
        }
    }
}

pub fn inbox(effort: Effort) -> Vec<Row> {
    let ids = effort.size(1_000_000, 10_000);
    let random = || fastrand::Rng::with_seed(SEED + 1);
    let mut ours = Ours { inbox: handled(ids), random: random(), ids: Vec::new() };
    let mut first = fastrand::Rng::with_seed(SEED);
    let map = (0..ids).map(|_| (fixture::id(&mut first), ())).collect();
    let mut theirs = Map { map, random: random(), ids: Vec::new() };
    let work = format!("inbox: begin and done, {} ids", count(ids));
    let against = "an insert into a `HashMap` of the same ids";
    vec![
        Row::new(work, against, Unit::Times)
            .drawn("inbox")
            .one(compare(effort, &mut ours, &mut theirs).ratio),
    ]
}
