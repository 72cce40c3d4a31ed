//! The endpoints and messages of a byte program.

use std::num::NonZeroU32;
use std::time::Duration;

use http::StatusCode;
use labhook::delivery::{DeliveryGuarantee, Jitter, ResponseAction, ResponseRules, Schedule};
use labhook::health::PendingOnDisable;
use labhook::lab::{RunState, RunStateChanged};
use labhook::{
    Endpoint, EndpointId, Event, FlowPolicy, HealthPolicy, Message, MessageId, Order, RetryPolicy,
    Secret, Signer, Timestamp,
};

pub(super) const START: Timestamp = Timestamp::from_unix_seconds(1_744_882_200);

pub(super) const ENDPOINTS: usize = 4;
pub(super) const MESSAGES: usize = 6;
/// The message that expires.
const EXPIRING: usize = MESSAGES - 1;
/// The endpoint of which the order is strict.
pub(super) const STRICT: usize = 1;

pub(super) const GUARANTEES: [DeliveryGuarantee; ENDPOINTS] = [
    DeliveryGuarantee::AtLeastOnce,
    DeliveryGuarantee::AtLeastOnce,
    DeliveryGuarantee::AtMostOnce,
    DeliveryGuarantee::Ask,
];

pub(super) fn endpoint_id(which: usize) -> EndpointId {
    EndpointId::new(["plain", "strict", "once", "ask"][which]).unwrap()
}

pub(super) fn index_of(endpoint: &EndpointId) -> usize {
    (0..ENDPOINTS).find(|which| endpoint_id(*which) == *endpoint).unwrap()
}

pub(super) fn message_id(which: usize) -> MessageId {
    MessageId::new(["m0", "m1", "m2", "m3", "m4", "m5"][which]).unwrap()
}

pub(super) fn message(which: usize) -> Message {
    let run = ["r0", "r1", "r0", "r1", "r0", "r1"][which];
    let event = Event::new(RunStateChanged::new(run, RunState::Started), START);
    let message = event.into_message(message_id(which)).unwrap();
    message.with_expires_at((which == EXPIRING).then(|| START + Duration::from_secs(120)))
}

pub(super) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// An endpoint. Bit 0 of the variant is whether it is not enabled, bit 1 another retry policy.
pub(super) fn endpoint(which: usize, variant: u8) -> Endpoint {
    let delays: &[u64] = match (which, variant & 2 == 0) {
        (0, true) => &[1, 5, 20],
        (1, true) => &[0, 1, 4],
        (2, true) => &[2, 9],
        (_, true) => &[1, 30],
        (_, false) => &[3],
    };
    let rules = ResponseRules::new()
        .with_client_errors(ResponseAction::Fail)
        .with_status(StatusCode::TOO_MANY_REQUESTS, ResponseAction::Retry)
        .with_status(StatusCode::GONE, ResponseAction::Disable);
    let retry = RetryPolicy::new(Schedule::list(delays.iter().copied().map(secs)))
        .with_attempt_timeout(secs(10))
        .with_retry_after_cap(secs(30))
        .with_responses(rules)
        .with_guarantee(GUARANTEES[which]);
    let health = HealthPolicy::default()
        .with_failures(NonZeroU32::new(2))
        .with_refused_for(Duration::ZERO)
        .with_probes(secs(3), secs(5))
        .with_disable_after(secs(20));
    let signer = match which {
        0 => Signer::standard_webhooks(Secret::from_bytes(&[7; 24]).unwrap()),
        _ => Signer::unsigned(),
    };
    let id = endpoint_id(which);
    let url = format!("https://{id}.example/in");
    let endpoint = Endpoint::new(id, &url, signer).unwrap().with_enabled(variant & 1 == 0);
    match which {
        0 => endpoint
            .with_retry(retry.with_jitter(Jitter::plus_minus(20)))
            .with_health(HealthPolicy::never())
            .with_flow(FlowPolicy::fixed()),
        STRICT => endpoint.with_retry(retry).with_order(Order::strict()).with_health(health),
        2 => endpoint
            .with_retry(retry.with_window(secs(60)))
            .with_health(health.with_shed_after(secs(10)))
            .with_max_in_flight(NonZeroU32::MIN),
        _ => endpoint
            .with_retry(retry)
            .with_flow(FlowPolicy::adaptive())
            .with_health(health.with_pending_on_disable(PendingOnDisable::Keep)),
    }
}
