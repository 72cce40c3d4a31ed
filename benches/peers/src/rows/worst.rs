//! The worst single call: what one call can come to when a great deal is pending.

use std::time::Duration;

use labhook::outbox::ReplayFilter;
use labhook::{Endpoint, Outbox, Step, Timestamp};

use super::outbox::count;
use crate::backlog::Backlog;
use crate::fixture::{self, DAY};
use crate::measure::{Effort, median, millis};
use crate::row::{Row, Unit};

/// The pending deliveries of an endpoint on which a call is as it usually is.
const USUAL: usize = 100;

struct Worst {
    ratios: Row,
    millis: Row,
}

impl Worst {
    /// Adds the dearest of these calls, against the median of them or of usual ones.
    fn push(&mut self, name: &str, worst: f64, usual: f64) {
        self.ratios.push(name, worst / usual);
        self.millis.push(name, worst);
    }
}

/// Polls and answers until nothing is left to do now. Returns the milliseconds of each poll, and
/// of those that save.
fn polls(backlog: &mut Backlog) -> (Vec<f64>, Vec<f64>) {
    let (mut all, mut saves) = (Vec::new(), Vec::new());
    let failure = fixture::failure();
    loop {
        let (taken, step) = millis(|| backlog.outbox.poll(backlog.now));
        all.push(taken);
        match step {
            Step::Save(changes) => {
                saves.push(taken);
                backlog.outbox.saved(changes.revision());
            }
            Step::Send(attempt) => {
                backlog.outbox.resolve(attempt.ticket(), &failure, backlog.now);
            }
            Step::Notify(_) => {}
            Step::Wait(until) => {
                backlog.until = until;
                return (all, saves);
            }
            Step::Idle => return (all, saves),
        }
    }
}

fn worst_poll(backlog: &mut Backlog) -> f64 {
    polls(backlog).0.into_iter().fold(0.0, f64::max)
}

/// The median poll of retry cycles that saves.
fn usual_poll(backlog: &mut Backlog) -> f64 {
    let mut all = Vec::new();
    for _ in 0..1_000 {
        all.extend(polls(backlog).1);
        backlog.now = backlog.until;
    }
    median(all)
}

pub fn worst(effort: Effort) -> Vec<Row> {
    let pending = effort.size(1_000_000, 10_000);
    let work = format!("worst single call, {} pending", count(pending));
    let against = format!("the median poll that saves, or call with {USUAL} pending");
    let absolute = format!("{work}, on this machine");
    let mut rows = Worst {
        ratios: Row::new(work, against, Unit::Times),
        millis: Row::new(absolute, "thread CPU time", Unit::Millis),
    };

    let mut backlog = Backlog::new(pending, 1);
    let usual = usual_poll(&mut backlog);
    backlog.now += 2 * DAY;
    rows.push("poll after a clock jump", worst_poll(&mut backlog), usual);

    let mut backlog = Backlog::empty(1);
    for _ in 0..pending {
        let message = backlog.message();
        backlog.publish(message);
        backlog.deliver_all();
    }
    backlog.now += 2 * DAY;
    rows.push("poll that forgets all", worst_poll(&mut backlog), usual);

    let mut backlog = Backlog::empty(1);
    for _ in 0..pending {
        let message = backlog.message();
        backlog.publish(message);
    }
    rows.push("poll after publishing all", worst_poll(&mut backlog), usual);
    drop(backlog);

    let mut disabled = operate(&mut rows, pending, "disable", |outbox, now, endpoint| {
        outbox.disable_endpoint(endpoint.id(), None, now).expect("the endpoint is known");
    });
    rows.push("poll after disable", worst_poll(&mut disabled), usual);
    drop(disabled);
    operate(&mut rows, pending, "remove", |outbox, now, endpoint| {
        outbox.remove_endpoint(endpoint.id(), now).expect("the endpoint is known");
    });
    operate(&mut rows, pending, "replace", |outbox, now, endpoint| {
        outbox.replace_endpoint(endpoint, now).expect("the endpoint is known");
    });

    let plan = |outbox: &Outbox, now, endpoint: &Endpoint| {
        let filter = ReplayFilter::all().with_endpoint(endpoint.id().clone());
        outbox.plan_replay(&filter, Duration::ZERO, now)
    };
    let mut backlog = Backlog::new(pending, 1);
    let mut planned = plan(&backlog.outbox, backlog.now, &replacement(0));
    let mut worst = 0.0_f64;
    while !planned.is_empty() {
        worst = worst.max(millis(|| backlog.outbox.replay(&mut planned, backlog.now)).0);
    }
    let mut few = Backlog::new(USUAL * 100, 100);
    let each = |it| {
        let mut planned = plan(&few.outbox, few.now, &replacement(it));
        millis(|| few.outbox.replay(&mut planned, few.now)).0
    };
    rows.push("replay", worst, median((0..100).map(each).collect()));
    rows.push("poll after replay", worst_poll(&mut backlog), usual);
    vec![rows.ratios, rows.millis]
}

/// An operation on an endpoint to which all is pending, and on each of a hundred.
fn operate(
    rows: &mut Worst,
    pending: usize,
    name: &str,
    call: impl Fn(&mut Outbox, Timestamp, Endpoint),
) -> Backlog {
    let mut usual = Backlog::new(USUAL * 100, 100);
    let each = |it| millis(|| call(&mut usual.outbox, usual.now, replacement(it))).0;
    let usual = median((0..100).map(each).collect());
    let mut backlog = Backlog::new(pending, 1);
    let (worst, ()) = millis(|| call(&mut backlog.outbox, backlog.now, replacement(0)));
    rows.push(name, worst, usual);
    backlog
}

fn replacement(number: usize) -> Endpoint {
    fixture::endpoint(number).with_policy(fixture::patient())
}
