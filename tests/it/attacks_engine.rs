//! What was tried to break the promises of the delivery engine, and did.

use std::time::Duration;

use labhook::delivery::{Doubt, Failure, Resolution};
use labhook::outbox::Selection;
use labhook::{Outbox, Outcome, Policy, Verdict};

use crate::support::{Host, answer, at, eid, endpoint, message, policy, registry, secs};

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
