//! The crate's own figures: `cargo bench`. The package `peers` compares them.

#![allow(clippy::arithmetic_side_effects, clippy::panic)]
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};

#[path = "../shared/backlog.rs"]
mod backlog;
mod decode;
#[path = "../shared/fixture.rs"]
mod fixture;
mod inbox;
mod outbox;
mod restore;
mod signature;
mod simulate;

fn short() -> Criterion {
    let (warm_up, measured) = (Duration::from_millis(300), Duration::from_secs(1));
    Criterion::default().warm_up_time(warm_up).measurement_time(measured).sample_size(20)
}

criterion_group! {
    name = figures;
    config = short();
    targets =
        signature::verify,
        signature::sign,
        decode::decode,
        outbox::retry,
        outbox::first,
        outbox::publish,
        restore::restore,
        inbox::inbox,
        simulate::simulate,
}
criterion_main!(figures);
