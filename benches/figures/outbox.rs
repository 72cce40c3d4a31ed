//! Cycles of the outbox, and publishing.

use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion};
use labhook::{Outbox, Subscription};

use crate::backlog::Backlog;
use crate::fixture;

pub(crate) fn retry(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("retry cycle");
    for (pending, endpoints) in [(1_000, 1), (100_000, 1), (100_000, 1_000)] {
        let mut backlog = Backlog::new(pending, endpoints);
        let case = BenchmarkId::new(format!("{pending} pending"), endpoints);
        group.bench_function(case, |bencher| bencher.iter(|| backlog.retry(1)));
    }
}

pub(crate) fn first(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("first cycle");
    for pending in [1_000, 100_000] {
        let mut backlog = Backlog::new(pending, 1);
        let mut random = fastrand::Rng::with_seed(fixture::SEED + 1);
        group.bench_function(format!("{pending} pending"), |bencher| {
            let message = || fixture::message(&mut random);
            let cycle = |message| {
                backlog.publish(message);
                backlog.deliver_all();
            };
            bencher.iter_batched(message, cycle, BatchSize::SmallInput);
        });
    }
}

pub(crate) fn publish(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("publish");
    for (endpoints, matching) in [(10, 10), (10_000, 10), (1_000, 1_000)] {
        let endpoints_of = (0..endpoints).map(|it| {
            let run = format!("run-{}", if it < matching { 17 } else { it + 1_000 });
            let of_run = Subscription::all().runs([run.as_str().into()]);
            fixture::endpoint(it).with_policy(fixture::patient()).with_subscription(of_run)
        });
        let outbox = Outbox::new(fixture::registry(endpoints_of), fixture::SEED);
        let outbox = std::cell::RefCell::new(Backlog::of(outbox.with_retention(Duration::ZERO)));
        let mut random = fastrand::Rng::with_seed(fixture::SEED);
        group.bench_function(format!("{matching} of {endpoints}"), |bencher| {
            let message = || {
                outbox.borrow_mut().deliver_all();
                fixture::message(&mut random)
            };
            let publish = |message| outbox.borrow_mut().publish(message);
            bencher.iter_batched(message, publish, BatchSize::PerIteration);
        });
    }
}
