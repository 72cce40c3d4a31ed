//! Decoding lab events.

use criterion::Criterion;
use labhook::decode::Decode;
use labhook::provider::{linq, segments, strateos, strike};
use labhook::{LabEvent, Timestamp, danger};

const OWN: &str = include_str!("../../tests/data/lab/run.state_changed.json");
const STRATEOS: &str = include_str!("../../tests/data/strateos/run_completed.json");
const LINQ: &str = include_str!("../../tests/data/linq/run_state_change.json");
const STRIKE: &str = include_str!("../../tests/data/strike/invoice.updated.json");
const SEGMENTS: &str = include_str!("../../tests/data/segments/by_package/sample.created.json");

pub(crate) fn decode(criterion: &mut Criterion) {
    one(criterion, "own envelope", OWN, |event: LabEvent| Some(event));
    let at = Timestamp::UNIX_EPOCH;
    one(criterion, "Strateos", STRATEOS, |it: strateos::Webhook| it.to_event(at).ok());
    one(criterion, "LINQ", LINQ, |it: linq::RunStateChange| it.to_event().ok());
    one(criterion, "Strike", STRIKE, |it: strike::Webhook| it.to_event().ok());
    one(criterion, "Segments", SEGMENTS, |it: segments::Webhook| it.to_event().ok());
}

fn one<T: Decode, Event>(
    criterion: &mut Criterion,
    name: &str,
    body: &str,
    map: impl Fn(T) -> Option<Event>,
) {
    let event = || map(danger::unsigned(body.as_bytes()).decode().ok()?);
    assert!(event().is_some(), "{name}");
    criterion.bench_function(&format!("decode/{name}"), |bencher| bencher.iter(event));
}
