//! Shared by the tests of one delivery.

use labhook::delivery::{Delivery, JitterSeed, Progress, Resolution};
use labhook::{EndpointId, MessageId, Outcome, RetryPolicy};

use crate::support::{at, eid, mid};

pub(crate) struct Ids(MessageId, EndpointId);

impl Ids {
    pub(crate) fn new() -> Self {
        Self(mid("m"), eid("e"))
    }

    pub(crate) fn jitter_seed(&self) -> JitterSeed<'_> {
        JitterSeed::new(7, &self.0, &self.1)
    }
}

pub(crate) fn poll(delivery: &mut Delivery, policy: &RetryPolicy, seconds: i64) -> Progress {
    delivery.poll(policy, Ids::new().jitter_seed(), at(seconds))
}

pub(crate) fn resolve(
    delivery: &mut Delivery,
    policy: &RetryPolicy,
    number: u32,
    outcome: &Outcome,
    seconds: i64,
) -> Resolution {
    delivery.resolve(policy, Ids::new().jitter_seed(), number, outcome, at(seconds))
}

pub(crate) fn restored(delivery: &Delivery) -> Delivery {
    serde_json::from_str(&serde_json::to_string(delivery).unwrap()).unwrap()
}
