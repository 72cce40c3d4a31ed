//! The receiver's inbox.

use std::num::NonZeroUsize;

use criterion::{BatchSize, Criterion};
use labhook::Inbox;

use crate::fixture;

pub(crate) fn inbox(criterion: &mut Criterion) {
    let capacity = NonZeroUsize::new(100_000).expect("not zero");
    let mut inbox = Inbox::new(capacity);
    let mut random = fastrand::Rng::with_seed(fixture::SEED);
    let now = fixture::start();
    for _ in 0..capacity.get() {
        inbox.remember("scheduler", &fixture::id(&mut random), now);
    }
    criterion.bench_function("inbox: begin and done, full with 100 000 ids", |bencher| {
        let handle = |id: String| {
            let claim = inbox.begin("scheduler", &id, now).claim(now);
            claim.is_ok_and(|claim| inbox.done(&claim, now))
        };
        bencher.iter_batched(|| fixture::id(&mut random), handle, BatchSize::SmallInput);
    });
}
