//! Saved state is input: whatever reads as a record, a delivery, an endpoint's health and flow or
//! an inbox is written as it was read, and goes on without a panic and without a wait for ever.

use std::fmt::Debug;
use std::num::NonZeroUsize;
use std::time::Duration;

use http::StatusCode;
use labhook::delivery::{Delivery, Failure, JitterSeed, Progress};
use labhook::flow::{Flow, FlowDecision};
use labhook::health::{EnabledBy, Gate, Health, SenderOutage, Signal};
use labhook::outbox::Record;
use labhook::receive::{Admission, InboxEvent, InboxState};
use labhook::{
    EndpointId, FlowPolicy, HealthPolicy, Inbox, MessageId, Outcome, RetryPolicy, Timestamp,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::reader::Reader;
use crate::damaged_state::assert_correct;
use crate::saved_state::records_of_0_1_0;

/// More records than this would only take time.
const MAX_RECORDS: usize = 32;
const NOW: Timestamp = Timestamp::from_unix_seconds(1_744_882_200);
/// No policy here asks for a longer wait.
const LONGEST: Duration = Duration::from_secs(32 * 86_400);

/// The first byte selects the kind of state, and the rest is the state.
pub(crate) fn run(data: &[u8]) {
    let mut input = Reader::new(data);
    match input.below(9) {
        0 => {
            let mut records: Vec<Record> = Vec::new();
            while !input.is_empty() && records.len() < MAX_RECORDS {
                records.extend(json(input.line()));
            }
            let _ = assert_correct(&records);
        }
        1 | 2 => damaged_records(&mut input),
        3 => {
            let Ok(record) = postcard::from_bytes::<Record>(input.rest()) else { return };
            let written = postcard::to_allocvec(&record).unwrap();
            assert_eq!(postcard::from_bytes::<Record>(&written).unwrap(), record);
            let _ = assert_correct(&[record]);
        }
        4 => {
            let Ok(record) = ciborium::from_reader::<Record, _>(input.rest()) else { return };
            let mut written = Vec::new();
            ciborium::into_writer(&record, &mut written).unwrap();
            assert_eq!(ciborium::from_reader::<Record, _>(&written[..]).unwrap(), record);
            let _ = assert_correct(&[record]);
        }
        5 => delivery(&mut input),
        6 => health(&mut input),
        7 => flow(&mut input),
        _ => inbox(&mut input),
    }
}

/// Reads a value, if it is one, and checks that it is written and read the same.
fn json<T: Serialize + DeserializeOwned + PartialEq + Debug>(text: &[u8]) -> Option<T> {
    let read: T = serde_json::from_slice(text).ok()?;
    let written = serde_json::to_vec(&read).unwrap();
    assert_eq!(serde_json::from_slice::<T>(&written).unwrap(), read);
    Some(read)
}

/// Changes the records of the first version: any number, any text, none or twice.
fn damaged_records(input: &mut Reader<'_>) {
    let mut records = records_of_0_1_0();
    for _ in 0..8 {
        if input.is_empty() || records.is_empty() {
            break;
        }
        let at = input.below(records.len());
        match input.below(6) {
            0 => _ = records.remove(at),
            1 => records.push(records[at].clone()),
            2 => {
                let last = records.len() - 1;
                records.swap(at, last);
            }
            kind => {
                let mut record = serde_json::to_value(&records[at]).unwrap();
                let mut leaves = Vec::new();
                collect_leaves(&mut record, kind == 3, &mut leaves);
                if leaves.is_empty() {
                    continue;
                }
                let leaf = input.below(leaves.len());
                *leaves[leaf] = match (kind, input.byte()) {
                    (3, which) => {
                        let ids = ["down", "gone", "m1", "m2", "own", "", "absent"];
                        ids[usize::from(which) % ids.len()].into()
                    }
                    (_, 0) => 0.into(),
                    (_, 1) => u64::MAX.into(),
                    (_, 2) => i64::MAX.into(),
                    (_, 3) => i64::MIN.into(),
                    (_, 4) => (NOW.unix_micros() + i64::from(input.u32())).into(),
                    (_, 5) => (NOW.unix_micros() - i64::from(input.u32())).into(),
                    (_, 6) => input.u32().into(),
                    (_, 7) => Value::Null,
                    (_, 8..=15) => input.u64().into(),
                    (_, small) => small.into(),
                };
                if let Ok(record) = serde_json::from_value(record) {
                    records[at] = record;
                }
            }
        }
    }
    let _ = assert_correct(&records);
}

/// All texts, or all numbers.
fn collect_leaves<'a>(json: &'a mut Value, texts: bool, found: &mut Vec<&'a mut Value>) {
    match json {
        Value::Object(members) => {
            members.values_mut().for_each(|it| collect_leaves(it, texts, found));
        }
        Value::Array(items) => items.iter_mut().for_each(|it| collect_leaves(it, texts, found)),
        Value::String(_) if texts => found.push(json),
        Value::Number(_) if !texts => found.push(json),
        _ => {}
    }
}

fn retry_policy(which: u8) -> RetryPolicy {
    match which % 6 {
        0 => RetryPolicy::standard_webhooks(),
        1 => RetryPolicy::svix(),
        2 => RetryPolicy::strike(),
        3 => RetryPolicy::hook0(),
        4 => RetryPolicy::none(),
        _ => RetryPolicy::shopware(),
    }
}

/// Drives a delivery to its end.
fn delivery(input: &mut Reader<'_>) {
    let policy = retry_policy(input.byte());
    let fails = input.byte();
    let Some(mut delivery) = json::<Delivery>(input.rest()) else { return };
    let (message, endpoint) = (MessageId::new("m").unwrap(), EndpointId::new("e").unwrap());
    let seed = JitterSeed::new(7, &message, &endpoint);
    let mut now = NOW;
    for round in 0..200_u8 {
        match delivery.poll(&policy, seed, now) {
            Progress::Due => {
                let started = delivery.start(&policy, now).unwrap();
                assert!(started.deadline > now);
                let outcome = match fails {
                    0..100 if round < fails => Outcome::bare(StatusCode::BAD_GATEWAY),
                    100..200 if round < fails - 100 => Outcome::failed(Failure::Timeout),
                    _ => Outcome::bare(StatusCode::OK),
                };
                let _ = delivery.resolve(&policy, seed, started.number, &outcome, now);
            }
            Progress::InFlight { deadline: until, .. } | Progress::Wait { until } => {
                assert!(until > now, "{until} at {now}");
                assert!(until.saturating_since(now) < LONGEST, "{until} at {now}");
                now = until;
            }
            Progress::InDoubt { .. } => assert!(delivery.resend(now)),
            Progress::Ended { verdict } => {
                assert_eq!(delivery.verdict(), Some(verdict));
                return;
            }
        }
    }
    panic!("{delivery:?} does not end");
}

/// A circuit with an available receiver closes.
fn health(input: &mut Reader<'_>) {
    let policy = match input.below(3) {
        0 => HealthPolicy::default(),
        1 => HealthPolicy::never(),
        _ => HealthPolicy::new().with_disable_after(None),
    };
    let Some(mut health) = json::<Health>(input.rest()) else { return };
    let mut now = NOW;
    let _ = (health.intake(&policy, now), health.claim_at(), health.wake_at());
    // As a host does after a restart.
    health.forget_in_flight();
    health.resume(now);
    if health.disabled().is_some() {
        health.enable(EnabledBy::Operator, now).unwrap();
    }
    for number in 1..20 {
        match health.poll(&policy, now) {
            Gate::Open | Gate::Probe => {
                let permit = health.start(number, now + Duration::from_secs(10), now);
                let permit = permit.expect("the gate is open");
                let outage = SenderOutage::default();
                let _ = health.record(&policy, outage, permit, Signal::Success, now);
                if health.state().is_healthy() {
                    return;
                }
            }
            Gate::Hold { until } | Gate::Probing { deadline: until } => {
                assert!(until > now, "{until} at {now}");
                assert!(until.saturating_since(now) < LONGEST, "{until} at {now}");
                now = until;
            }
            Gate::Paused | Gate::Disabled => panic!("{health:?}"),
        }
    }
    panic!("{health:?} does not recover");
}

/// A flow lets attempts start.
fn flow(input: &mut Reader<'_>) {
    let policy = if input.flag() { FlowPolicy::adaptive() } else { FlowPolicy::fixed() };
    let Some(mut flow) = json::<Flow>(input.rest()) else { return };
    let mut now = NOW;
    flow.set_in_flight(0);
    let _ = (flow.spacing(&policy), flow.concurrency_limit(&policy), flow.refused_percent());
    for _ in 0..8 {
        loop {
            match flow.check(&policy, now) {
                FlowDecision::Go => break,
                FlowDecision::Wait { until } => {
                    assert!(until > now, "{until} at {now}");
                    // Only the outbox knows the longest pause that a receiver can ask for.
                    if until.saturating_since(now) > LONGEST {
                        return;
                    }
                    now = until;
                }
                other => panic!("{other:?} with nothing in flight"),
            }
        }
        let _ = flow.start(&policy, now);
        let started = now;
        now += Duration::from_millis(20);
        flow.end(&policy, started, Signal::Success, None, now);
    }
}

/// Either a whole inbox, or the rows of one: the first line is its state.
fn inbox(input: &mut Reader<'_>) {
    let capacity = NonZeroUsize::new(1 + input.below(4)).unwrap();
    let mut inbox = if input.flag() {
        let Some(inbox) = json::<Inbox>(input.rest()) else { return };
        inbox
    } else {
        let Some(state) = json::<InboxState>(input.line()) else { return };
        let mut events: Vec<InboxEvent> = Vec::new();
        while !input.is_empty() && events.len() < MAX_RECORDS {
            events.extend(json(input.line()));
        }
        Inbox::new(capacity).restore(state, events)
    };
    let mut now = NOW;
    for id in ["1", "2", "m1"] {
        // A claim runs out in the end, and the event can be handled.
        for _ in 0..40 {
            match inbox.begin("lims", id, now) {
                Admission::New(claim) => {
                    assert!(inbox.done(&claim, now));
                    assert_eq!(inbox.begin("lims", id, now), Admission::Seen);
                    break;
                }
                Admission::Seen => break,
                Admission::InProgress { until } | Admission::Full { until } => {
                    assert!(until > now, "{until} at {now}");
                    now = until;
                }
            }
        }
        assert_eq!(inbox.begin("lims", id, now), Admission::Seen);
    }
}
