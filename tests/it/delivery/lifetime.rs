//! The lifetime of a message: past it no attempt starts, whatever the policy.

use std::time::Duration;

use labhook::delivery::{Delivery, DeliveryGuarantee, JitterSeed, Progress, Resolution};
use labhook::{Message, Outbox, RetryPolicy, Timestamp, Verdict};

use crate::support::{answer, at, eid, endpoint, message, mid, policy, registry};

fn poll(delivery: &mut Delivery, policy: &RetryPolicy, now: Timestamp) -> Progress {
    delivery.poll(policy, JitterSeed::new(7, &mid("m"), &eid("e")), now)
}

fn resolve(
    delivery: &mut Delivery,
    policy: &RetryPolicy,
    status: u16,
    now: Timestamp,
) -> Resolution {
    let number = delivery.attempts();
    delivery.resolve(policy, JitterSeed::new(7, &mid("m"), &eid("e")), number, &answer(status), now)
}

const EXPIRED: Progress = Progress::Ended { verdict: Verdict::Expired };

#[test]
fn earlier_of_window_and_lifetime_applies() {
    // The first attempt has failed, and the retry is due.
    let lived = |seconds: Option<i64>| {
        let policy = policy(&[5, 5]);
        let mut delivery = Delivery::new(at(0)).with_expires_at(seconds.map(at));
        assert!(delivery.start(&policy, at(0)).is_some());
        assert_eq!(resolve(&mut delivery, &policy, 503, at(0)), Resolution::Retry { at: at(5) });
        assert_eq!(poll(&mut delivery, &policy, at(5)), Progress::Due);
        delivery
    };
    let endless = policy(&[5, 5]);
    let window = policy(&[5, 5]).with_window(Duration::from_secs(30));
    for (delivery, policy, end) in [
        (lived(None), &endless, None),
        (lived(Some(20)), &endless, Some(20)),
        (lived(None), &window, Some(30)),
        (lived(Some(20)), &window, Some(20)),
        (lived(Some(40)), &window, Some(30)),
    ] {
        assert_eq!(delivery.window_end(policy), end.map(at));
        assert_eq!(delivery.wake_at(policy), end.map(at));
        let Some(end) = end else { continue };
        let mut late = delivery.clone();
        assert_eq!(late.start(policy, at(end)), None);
        assert_eq!(poll(&mut late, policy, at(end + 3)), EXPIRED);
        assert_eq!(late.ended_at(), Some(at(end)));
        let mut prompt = delivery;
        assert_eq!(poll(&mut prompt, policy, at(end - 1)), Progress::Due);
        // The attempt keeps its whole timeout, also past the end.
        let started = prompt.start(policy, at(end - 1)).unwrap();
        assert_eq!((started.at, started.deadline), (at(end - 1), at(end + 9)));
        let delivered = Resolution::Ended(Verdict::Delivered);
        assert_eq!(resolve(&mut prompt, policy, 200, at(end + 8)), delivered);
    }
    assert_eq!(lived(Some(20)).expires_at(), Some(at(20)));
    assert_eq!(lived(Some(20)).with_expires_at(None).expires_at(), None);
}

#[test]
fn first_attempt_is_bound_by_the_lifetime_alone() {
    let policy = policy(&[5]).with_window(Duration::from_secs(10));
    for (expires_at, start) in [(None, 1_000), (Some(40), 39)] {
        let mut delivery = Delivery::new(at(0)).with_expires_at(expires_at.map(at));
        assert_eq!(delivery.window_end(&policy), expires_at.map(at));
        assert_eq!(delivery.wake_at(&policy), expires_at.map(at));
        assert_eq!(poll(&mut delivery, &policy, at(start)), Progress::Due);
        assert!(delivery.start(&policy, at(start)).is_some());
        assert_eq!(delivery.window_end(&policy), expires_at.map(at), "of this attempt");
        // Then it expires as usual.
        let expired = Resolution::Ended(Verdict::Expired);
        assert_eq!(resolve(&mut delivery, &policy, 503, at(start)), expired);
    }
    let mut late = Delivery::new(at(0)).with_expires_at(at(40));
    assert_eq!(late.start(&policy, at(40)), None);
    assert_eq!(poll(&mut late, &policy, at(50)), EXPIRED);
    assert_eq!(late.ended_at(), Some(at(40)));
}

#[test]
fn retry_past_the_lifetime_expires_at_once() {
    let policy = policy(&[5]);
    for (failed, resolution) in [
        (14, Resolution::Retry { at: at(19) }),
        (15, Resolution::Ended(Verdict::Expired)),
        (16, Resolution::Ended(Verdict::Expired)),
    ] {
        let mut delivery = Delivery::new(at(0)).with_expires_at(at(20));
        assert!(delivery.start(&policy, at(14)).is_some());
        assert_eq!(resolve(&mut delivery, &policy, 503, at(failed)), resolution);
    }
}

#[test]
fn in_doubt_delivery_outlives_its_lifetime_unsent() {
    let policy = policy(&[5]).with_guarantee(DeliveryGuarantee::Ask);
    let mut delivery = Delivery::new(at(0)).with_expires_at(at(20));
    assert!(delivery.start(&policy, at(0)).is_some());
    assert_eq!(poll(&mut delivery, &policy, at(50)), Progress::InDoubt { since: at(10) });
    assert!(delivery.resend(at(50)));
    assert_eq!(delivery.start(&policy, at(50)), None);
    assert_eq!(poll(&mut delivery, &policy, at(50)), EXPIRED);
    assert_eq!(delivery.ended_at(), Some(at(50)));
}

#[test]
fn extreme_lifetimes_are_accepted() {
    let policy = policy(&[5]);
    let mut unborn = Delivery::new(at(0)).with_expires_at(Timestamp::MIN);
    assert_eq!(poll(&mut unborn, &policy, at(0)), EXPIRED);
    assert_eq!(unborn.attempts(), 0);
    let mut late = Delivery::new(at(0)).with_expires_at(Timestamp::MAX);
    assert_eq!(poll(&mut late, &policy, at(0)), Progress::Due);
    assert_eq!(poll(&mut late, &policy, Timestamp::MAX), EXPIRED);
}

#[test]
fn lifetime_is_saved_only_if_set() {
    let delivery = Delivery::new(at(0)).with_expires_at(at(20));
    let json = serde_json::to_string(&delivery).unwrap();
    assert_eq!(
        json,
        concat!(
            r#"{"accepted_at":1744882200000000,"attempts":0,"expires_at":1744882220000000,"#,
            r#""state":{"due":{"since":1744882200000000}}}"#
        )
    );
    assert_eq!(serde_json::from_str::<Delivery>(&json).unwrap(), delivery);

    let plain = message("r1");
    let lived = plain.clone().with_expires_at(at(20));
    assert_eq!((plain.expires_at(), lived.expires_at()), (None, Some(at(20))));
    assert_eq!(lived.clone().with_expires_at(None), plain);
    let value = |message: &Message| serde_json::to_value(message).unwrap();
    assert!(value(&plain).get("expires_at").is_none());
    let mut json = value(&lived);
    assert_eq!(serde_json::from_value::<Message>(json.clone()).unwrap(), lived);
    let end = json.as_object_mut().unwrap().remove("expires_at").unwrap();
    assert_eq!(end, at(20).unix_micros());
    assert_eq!(json, value(&plain), "no rendering contains it");
}

#[test]
fn lifetime_does_not_affect_message_identity() {
    let mut outbox = Outbox::new(registry([endpoint("a")]), 7);
    outbox.publish(message("m1").with_expires_at(at(20)), at(0)).unwrap();
    for again in [message("m1"), message("m1").with_expires_at(at(99))] {
        let published = outbox.publish(again, at(1)).unwrap();
        assert!(published.duplicate);
    }
    let (kept, ..) = outbox.deliveries().next().unwrap();
    assert_eq!(kept.expires_at(), Some(at(20)));
}
