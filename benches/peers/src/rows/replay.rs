//! Planning the redelivery of one endpoint among many deliveries elsewhere.

use std::time::Duration;

use labhook::Outbox;
use labhook::outbox::ReplayFilter;
use labhook::{Keys, Subscription};

use super::outbox::count;
use crate::backlog::Backlog;
use crate::fixture::{self, SEED};
use crate::measure::{Effort, Work, compare};
use crate::row::{Row, Unit};

/// Deliveries of the endpoint that is replayed.
const OWN: usize = 100;

/// An endpoint with a hundred deliveries, and others elsewhere.
fn backlog(elsewhere: usize) -> Backlog {
    let endpoints = (0..2).map(|it| {
        let of_project = Subscription::all().projects([format!("project-{it}").as_str().into()]);
        fixture::endpoint(it).with_policy(fixture::patient()).with_subscription(of_project)
    });
    let mut backlog = Backlog::of(Outbox::new(fixture::registry(endpoints), SEED));
    let mut random = fastrand::Rng::with_seed(SEED);
    for (endpoint, messages) in [(0, OWN), (1, elsewhere)] {
        for _ in 0..messages {
            let keys = Keys::new().with_project(format!("project-{endpoint}").as_str());
            backlog.publish(fixture::message_with(&mut random, keys, 200));
            backlog.fail_all();
        }
    }
    backlog
}

pub fn plan(effort: Effort) -> Vec<Row> {
    let elsewhere = effort.size(1_000_000, 10_000);
    let (with, without) = (backlog(elsewhere), backlog(0));
    let filter = ReplayFilter::all().with_endpoint(fixture::endpoint_id(0));
    let plan = |backlog: &Backlog| {
        let plan = backlog.outbox.plan_replay(&filter, Duration::from_millis(10), backlog.now);
        assert_eq!(plan.len(), OWN);
    };
    let mut ours = Work(|| plan(&with));
    let mut alone = Work(|| plan(&without));
    let compared = compare(effort, &mut ours, &mut alone);
    let work = format!("`plan_replay` of {OWN} deliveries, {} elsewhere", count(elsewhere));
    vec![Row::new(work, "the same with none elsewhere", Unit::Times).one(compared.ratio)]
}
