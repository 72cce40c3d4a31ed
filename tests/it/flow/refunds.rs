//! Refunds of what a cancelled attempt used up.

use std::num::NonZeroU32;

use labhook::flow::{
    AdaptiveRatePolicy, ConcurrencyLimitPolicy, Flow, FlowDecision, FlowPolicy, RateLimitPolicy,
};

use super::{ms, nz};
use crate::support::{Host, at, eid, endpoint, secs};

fn roomy() -> FlowPolicy {
    FlowPolicy::fixed().with_concurrency(ConcurrencyLimitPolicy::fixed(nz(1_000)))
}

#[test]
fn new_rate_limit_refunds_nothing_it_never_counted() {
    let rate = roomy().with_rate_limit(RateLimitPolicy::new(nz(1), secs(3_600)));
    let mut flow = Flow::new();
    let receipt = flow.start(&roomy(), at(0));
    flow.start(&rate, at(1));
    let wait = flow.check(&rate, at(2));
    assert_ne!(wait, FlowDecision::Go);
    flow.cancel_start(&rate, receipt, at(2));
    assert_eq!(flow.check(&rate, at(2)), wait, "the second one was made");
}

#[test]
fn slower_rate_limit_refunds_no_more_than_it_counted() {
    let fast = roomy().with_rate_limit(RateLimitPolicy::new(nz(10), secs(1)));
    let slow = roomy().with_rate_limit(RateLimitPolicy::new(nz(1), secs(3_600)));
    let mut flow = Flow::new();
    let receipt = flow.start(&fast, at(0));
    let mut alone = Flow::new();
    for flow in [&mut flow, &mut alone] {
        flow.start(&fast, at(1));
    }
    flow.cancel_start(&slow, receipt, at(2));
    let wait = alone.check(&slow, at(2));
    assert_ne!(wait, FlowDecision::Go);
    assert_eq!(flow.check(&slow, at(2)), wait, "the second one was made");
}

#[test]
fn attempt_from_before_the_rate_is_not_refunded() {
    let policy = roomy().with_adaptive_rate(AdaptiveRatePolicy::new(secs(10)));
    let mut flow = Flow::new();
    // One that is not sent yet, when a rate is set.
    let receipt = flow.start(&policy, at(0));
    flow.recovered(at(0));
    flow.start(&policy, at(0));
    let wait = flow.check(&policy, at(0));
    assert_eq!(wait, FlowDecision::Wait { until: at(0) + ms(100) });
    flow.cancel_start(&policy, receipt, at(0));
    assert_eq!(flow.check(&policy, at(0)), wait, "the last one was made");
}

#[test]
fn cancelled_attempt_gives_its_turn_back() {
    let policy = roomy().with_adaptive_rate(AdaptiveRatePolicy::new(secs(10)));
    let mut flow = Flow::new();
    flow.recovered(at(0));
    let receipt = flow.start(&policy, at(0));
    assert_ne!(flow.check(&policy, at(0)), FlowDecision::Go);
    flow.cancel_start(&policy, receipt, at(0));
    assert_eq!((flow.check(&policy, at(0)), flow.in_flight()), (FlowDecision::Go, 0));
    // Half of it has been replenished by time: no more than the rest is refunded.
    let receipt = flow.start(&policy, at(0));
    flow.start(&policy, at(0));
    flow.cancel_start(&policy, receipt, at(0) + ms(50));
    let wait = flow.check(&policy, at(0) + ms(50));
    assert_eq!(wait, FlowDecision::Wait { until: at(0) + ms(150) });
}

#[test]
fn cancelled_attempt_uses_up_no_rate() {
    let flow =
        FlowPolicy::fixed().with_rate_limit(RateLimitPolicy::new(NonZeroU32::MIN, secs(86_400)));
    let mut host = Host::with([endpoint("e").with_flow(flow)]);
    host.publish("m");
    let changes = host.unsaved();
    host.outbox.pause_endpoint(&eid("e"), host.now).unwrap();
    host.save(changes);
    assert_eq!(host.send_texts(), [""; 0]);
    host.outbox.resume_endpoint(&eid("e"), host.now).unwrap();
    assert_eq!(host.send_texts(), ["m>e#1"]);
}
