//! Messages that their application takes back, and ids that it uses twice.

use std::time::Duration;

use labhook::delivery::{DeliveryGuarantee, Ignored, Resolution};
use labhook::lab::{RunState, RunStateChanged};
use labhook::outbox::{PublishError, ReplayFilter};
use labhook::{Event, Failure, Message, Order, Outbox, Outcome, Step, Verdict};

use crate::support::{
    Host, answer, at, drain, eid, endpoint, message, mid, policy, registry, replay_all, secs,
};

#[test]
fn withdrawn_message_is_not_sent_again() {
    let mut host = Host::with([endpoint("a"), endpoint("b"), endpoint("c")]);
    host.publish("m");
    let sends = host.sends();
    host.resolve(&sends[0], &answer(200));
    host.resolve(&sends[1], &answer(500));
    host.sends();
    host.notice_texts();
    // One is delivered, one waits for its retry, and one is in flight.
    assert_eq!(host.outbox.withdraw(&mid("m"), at(1)), 2);
    assert_eq!(host.outbox.withdraw(&mid("m"), at(1)), 0);
    assert_eq!(host.resolve(&sends[2], &answer(200)), Resolution::Ignored(Ignored::Ended));
    host.now = at(60);
    assert!(host.sends().is_empty());
    assert_eq!(host.notice_texts(), ["m>b withdrawn after 1", "m>c withdrawn after 1"]);
    assert_eq!(host.verdict("m", "a"), Some(Verdict::Delivered));
    assert_eq!(host.outbox.pending(), 0);
    // Also after a restart, and it is no dead letter.
    host.restart(Outbox::new(registry([endpoint("a"), endpoint("b"), endpoint("c")]), 7));
    assert!(host.sends().is_empty());
    let failed = ReplayFilter::all().only_failed();
    assert!(host.outbox.plan_replay(&failed, Duration::ZERO, host.now).is_empty());
    let all = ReplayFilter::all().with_endpoint(eid("b"));
    assert!(host.outbox.plan_replay(&all, Duration::ZERO, host.now).is_empty());
}

#[test]
fn plan_from_before_the_withdrawal_leaves_it_out() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m");
    let ticket = host.send();
    host.resolve(&ticket, &answer(500));
    let plan = host.outbox.plan_replay(&ReplayFilter::all(), Duration::ZERO, host.now);
    assert_eq!(plan.len(), 1);
    host.outbox.withdraw(&mid("m"), host.now);
    assert_eq!(replay_all(&mut host.outbox, &plan, host.now), 0);
    assert!(host.sends().is_empty());
}

#[test]
fn unpublish_keeps_what_it_knows_of_an_earlier_message() {
    let mut host = Host::new(Outbox::new(registry([endpoint("a")]), 7).with_retention(secs(0)));
    host.publish("m");
    let ticket = host.send();
    host.publish("k");
    let changes = host.unsaved();
    host.resolve(&ticket, &answer(200));
    // The retention of the first message ends while the save is outstanding.
    assert!(matches!(host.outbox.poll(host.now), Step::Wait(_) | Step::Idle));
    assert!(!host.publish("m").duplicate);
    assert!(host.outbox.unsaved(changes.revision()));
    assert!(host.outbox.unpublish(&mid("m"), host.now));
    host.sends();
    assert_eq!(host.notice_texts(), ["m>a delivered after 1"]);
}

#[test]
fn one_endpoint_is_spared_and_its_group_goes_on() {
    let strict = endpoint("a").with_order(Order::strict()).with_retry(policy(&[600]));
    let mut host = Host::with([strict, endpoint("b")]);
    for id in ["m1", "m2"] {
        host.publish(id);
    }
    let first = host.sends().into_iter().find(|it| it.endpoint().as_str() == "a").unwrap();
    host.resolve(&first, &answer(500));
    assert!(host.sends().is_empty());
    assert!(host.outbox.withdraw_from(&mid("m1"), &eid("a"), at(1)));
    assert!(!host.outbox.withdraw_from(&mid("m1"), &eid("a"), at(1)));
    assert!(!host.outbox.withdraw_from(&mid("m1"), &eid("x"), at(1)));
    assert_eq!(host.send_texts(), ["m2>a#1"]);
    assert_eq!(host.verdict("m1", "b"), None);
}

#[test]
fn withdrawn_start_is_not_handed_out() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m");
    let changes = host.unsaved();
    host.outbox.withdraw(&mid("m"), at(0));
    host.save(changes);
    assert!(host.sends().is_empty());
    assert_eq!(host.notice_texts(), ["m>a withdrawn after 0"]);
    assert_eq!(host.outbox.in_flight(), 0);
}

#[test]
fn withdrawn_doubt_stays_unconfirmed() {
    let retry = policy(&[5]).with_guarantee(DeliveryGuarantee::Ask);
    let mut host = Host::with([endpoint("a").with_retry(retry)]);
    host.publish("m");
    let ticket = host.send();
    host.resolve(&ticket, &Outcome::failed(Failure::Broken));
    assert_eq!(host.outbox.withdraw(&mid("m"), at(1)), 1);
    assert_eq!(host.verdict("m", "a"), Some(Verdict::Unconfirmed));
}

#[test]
fn rolled_back_publish_leaves_no_trace() {
    let mut host = Host::with([endpoint("a"), endpoint("b")]);
    host.publish("m");
    let changes = host.unsaved();
    assert!(!host.outbox.unpublish(&mid("m"), at(0)), "the save may still succeed");
    assert!(host.outbox.unsaved(changes.revision()));
    assert!(host.outbox.unpublish(&mid("m"), at(0)));
    assert!(!host.outbox.unpublish(&mid("m"), at(0)));
    assert!(host.sends().is_empty());
    assert!(host.notice_texts().is_empty());
    assert_eq!((host.outbox.pending(), host.outbox.in_flight()), (0, 0));
    assert!(host.outbox.deliveries().next().is_none());
    assert!(host.disk.is_empty());
    assert_eq!(host.wait, None);
    // The id is free.
    let published = host.publish("m");
    assert!(!published.duplicate);
    assert_eq!(host.sends().len(), 2);
    // Now it is durable, and can only be withdrawn.
    assert!(!host.outbox.unpublish(&mid("m"), at(0)));
}

#[test]
fn rolled_back_publish_is_gone_after_half_a_save() {
    // A storage without transactions has written some of the changes when it fails.
    let mut host = Host::with([endpoint("a")]);
    host.publish("m1");
    host.publish("m2");
    let changes = host.unsaved();
    let revision = changes.revision();
    host.write(changes);
    host.outbox.unsaved(revision);
    assert!(host.outbox.unpublish(&mid("m1"), at(0)));
    assert_eq!(host.send_texts(), ["m2>a#1"]);
    assert!(host.keys().iter().all(|key| !key.contains("m1")), "{:?}", host.keys());
}

#[test]
fn save_names_the_messages_that_it_makes_durable() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m1");
    host.publish("m2");
    let changes = host.unsaved();
    let accepted: Vec<_> = changes.accepted().map(|id| id.as_str().to_owned()).collect();
    assert_eq!(accepted, ["m1", "m2"]);
    host.save(changes);
    let ticket = host.sends().remove(0);
    host.resolve(&ticket, &answer(200));
    assert_eq!(host.unsaved().accepted().count(), 0);
}

/// The same run in another state.
fn other() -> Message {
    let event = Event::new(RunStateChanged::new("m", RunState::Failed), at(-60));
    event.into_message(mid("m")).unwrap()
}

#[test]
fn first_message_of_an_id_stands() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m");
    assert!(!host.publish("m").differs);
    let published = host.outbox.publish(other(), at(0)).unwrap();
    assert!(published.duplicate && published.differs);
    assert_eq!(published.endpoints, [eid("a")]);
    let attempt = host.attempts().remove(0);
    assert_eq!(attempt.message().renderings().next(), message("m").renderings().next());
}

#[test]
fn strict_ids_refuse_other_content() {
    let mut outbox = Outbox::new(registry([endpoint("a")]), 7).with_strict_ids();
    outbox.publish(message("m"), at(0)).unwrap();
    assert!(outbox.publish(message("m"), at(0)).unwrap().duplicate);
    let refused = outbox.publish(other(), at(0)).unwrap_err();
    assert!(matches!(&refused, PublishError::Conflict { id } if *id == mid("m")));
    assert_eq!(refused.to_string(), "message id m was already published with different content");
}

#[test]
fn attempt_past_its_deadline_gives_no_request() {
    let mut outbox = Outbox::new(registry([endpoint("a")]), 7);
    outbox.publish(message("m"), at(0)).unwrap();
    let attempt = drain(&mut outbox, at(0)).remove(0);
    assert!(attempt.request(at(9)).is_ok());
    for late in [attempt.deadline(), attempt.deadline() + secs(3_600)] {
        let refused = attempt.request(late).unwrap_err();
        assert_eq!(refused.to_string(), "deadline of the attempt has passed");
    }
    assert!(matches!(outbox.poll(at(0)), Step::Wait(_)));
}
