//! What was tried to break the promises of the delivery engine, and did.

use std::num::NonZeroU32;
use std::time::Duration;

use http::StatusCode;
use labhook::delivery::{Doubt, Failure, Resolution};
use labhook::outbox::Selection;
use labhook::simulate::{Behaviour, Load, Policies, Receiver, Scenario};
use labhook::{FlowPolicy, HealthPolicy, Outbox, Outcome, Policy, Timestamp, Verdict};

use crate::support::{Host, answer, at, eid, endpoint, policy, registry, secs};

// The outbox promises that nothing accepted is lost. A message that was settled, and replayed, was
// forgotten while it was pending, where the time to keep it had been changed in between.
#[test]
fn what_is_replayed_is_not_forgotten_after_another_retention() {
    let mut host = Host::with([endpoint("e").policy(Policy::none())]);
    host.publish("m");
    let ticket = host.send();
    host.resolve(&ticket, &answer(500));
    assert_eq!(host.shown(), [""; 0]);
    host.outbox = std::mem::replace(&mut host.outbox, Outbox::new(registry([]), 7)).retain(secs(9));
    let plan = host.outbox.plan_replay(&Selection::all(), Duration::ZERO, host.now);
    host.outbox.pause_endpoint(&eid("e"), host.now);
    assert_eq!(host.outbox.replay(&plan, host.now), 1);
    assert_eq!(host.shown(), [""; 0]);
    host.now = at(90_000);
    assert_eq!(host.shown(), [""; 0]);
    assert_eq!(host.outbox.deliveries().count(), 1);
    host.outbox.resume_endpoint(&eid("e"), host.now);
    assert_eq!(host.shown(), ["m>e#2"]);
}

// A resolution says what became of the delivery. Of an endpoint that is disabled it said that the
// delivery stood in doubt, and it had ended.
#[test]
fn what_ends_for_a_disabled_endpoint_is_not_said_to_be_in_doubt() {
    let asking = endpoint("e").policy(policy(&[5]).with_doubt(Doubt::Ask));
    let mut host = Host::with([asking]);
    host.publish("m");
    let ticket = host.send();
    host.outbox.disable_endpoint(&eid("e"), None, host.now);
    let resolution = host.resolve(&ticket, &Outcome::failed(Failure::Timeout));
    assert_eq!(host.verdict("m", "e"), Some(Verdict::Unconfirmed));
    assert_eq!(resolution, Resolution::Ended(Verdict::Unconfirmed));
}

// Of health: what started before the endpoint was enabled says nothing ever. The outbox disabled it
// again by an answer from before.
#[test]
fn an_answer_from_before_an_endpoint_was_enabled_does_not_disable_it() {
    let mut host = Host::with([endpoint("e")]);
    host.publish("m");
    let ticket = host.send();
    host.outbox.disable_endpoint(&eid("e"), None, host.now);
    host.enable("e").unwrap();
    host.resolve(&ticket, &answer(410));
    assert_eq!(host.verdict("m", "e"), Some(Verdict::Gone));
    assert_eq!(host.disabled("e"), None);
}

// What is pending is what has not ended, and whatever ends is told. A replay that ended at once was
// counted as pending for ever.
#[test]
fn a_replay_at_the_end_of_time_leaves_the_count_right() {
    let mut host = Host::with([endpoint("e").policy(Policy::none().with_window(secs(60)))]);
    host.publish("m");
    let ticket = host.send();
    host.resolve(&ticket, &answer(500));
    host.outbox.replay(
        &host.outbox.plan_replay(&Selection::all(), Duration::ZERO, Timestamp::MAX),
        Timestamp::MAX,
    );
    let open = host.outbox.deliveries().filter(|it| it.2.verdict().is_none()).count();
    assert_eq!(host.outbox.pending(), open);
    assert_eq!(host.shown(), [""; 0]);
    assert_eq!(host.told(), ["m>e exhausted after 1", "m>e expired after 1"]);
}

// The most attempts since the end of the outage: those in the same second before it were counted.
#[test]
fn the_peak_of_a_recovery_leaves_out_what_was_before_it() {
    let load = Load::per_second(NonZeroU32::new(10).unwrap());
    let policies = Policies::new(Policy::none())
        .with_health(HealthPolicy::never())
        .with_flow(FlowPolicy::unlimited());
    let receiver = Receiver::new().outage(
        Duration::ZERO,
        Duration::from_millis(950),
        Behaviour::status(StatusCode::INTERNAL_SERVER_ERROR),
    );
    let report =
        Scenario::new(load, Duration::from_millis(1_000)).endpoint(policies, receiver).run();
    // Ten events at 0.0 to 0.9 s, none after the end of the outage at 0.95 s.
    assert_eq!(report[0].recovery.unwrap().peak_requests, 0);
    let receiver = Receiver::new().outage(
        Duration::ZERO,
        Duration::from_millis(850),
        Behaviour::status(StatusCode::INTERNAL_SERVER_ERROR),
    );
    let policies = Policies::new(Policy::none())
        .with_health(HealthPolicy::never())
        .with_flow(FlowPolicy::unlimited());
    let report =
        Scenario::new(load, Duration::from_millis(1_000)).endpoint(policies, receiver).run();
    assert_eq!(report[0].recovery.unwrap().peak_requests, 1);
}
