//! What was tried to break the promises of the delivery engine, and did.

use std::time::Duration;

use labhook::outbox::Selection;
use labhook::{Outbox, Policy};

use crate::support::{Host, answer, at, eid, endpoint, registry, secs};

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
