//! Delivery tests on a virtual clock: properties, an exhaustive search, and known faults.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "the tests' own numbers are small, and an overflow fails the test"
)]

mod clocks;
mod exhaustive;
mod lone;
mod properties;
mod regressions;
mod retry_policy;
mod strategies;

use std::time::Duration;

use http::{HeaderMap, StatusCode};

use super::*;
use crate::id::{EndpointId, MessageId};

fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(millis)
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn ids() -> (MessageId, EndpointId) {
    (MessageId::new("msg_1").unwrap(), EndpointId::new("eln").unwrap())
}

fn answer(status: u16) -> Outcome {
    Outcome::bare(StatusCode::from_u16(status).unwrap())
}

fn answer_with(status: u16, name: &'static str, value: &str) -> Outcome {
    let mut headers = HeaderMap::new();
    headers.insert(name, value.parse().unwrap());
    Outcome::response(StatusCode::from_u16(status).unwrap(), &headers, at(0))
}

fn restored(delivery: &Delivery) -> Delivery {
    serde_json::from_str(&serde_json::to_string(delivery).unwrap()).unwrap()
}

#[test]
fn everything_can_be_sent_and_shared() {
    fn check<T: Send + Sync>() {}
    check::<(Delivery, RetryPolicy, Outcome, JitterSeed<'_>, RetryPolicyError)>();
    check::<(Progress, Resolution, Started, Verdict)>();
}
