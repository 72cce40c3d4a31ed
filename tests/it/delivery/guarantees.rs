//! Delivery guarantees: what happens to a delivery whose attempt ended without a response.

use std::num::NonZeroU32;
use std::time::Duration;

use labhook::delivery::{Delivery, DeliveryGuarantee, Failure, Ignored, Progress, Resolution};
use labhook::{Outcome, RetryPolicy, Timestamp, Verdict};
use proptest::collection::vec;
use proptest::prelude::*;

use super::fixture::{Ids, poll, resolve, restored};
use crate::support::{answer, answer_with, at, config, policy};

/// Retries after 5 s and after 20 s, with 10 s for each attempt.
fn with(guarantee: DeliveryGuarantee) -> RetryPolicy {
    policy(&[5, 20]).with_guarantee(guarantee)
}

/// A delivery whose first attempt started at 0 s.
fn started(policy: &RetryPolicy) -> Delivery {
    let mut delivery = Delivery::new(at(0));
    assert_eq!(delivery.start(policy, at(0)).unwrap().number, 1);
    delivery
}

/// A delivery in doubt since its first attempt's deadline at 10 s.
fn in_doubt(policy: &RetryPolicy) -> Delivery {
    let mut delivery = started(policy);
    assert_eq!(poll(&mut delivery, policy, 12), Progress::InDoubt { since: at(10) });
    delivery
}

#[test]
fn every_preset_defaults_to_at_least_once() {
    assert_eq!(DeliveryGuarantee::default(), DeliveryGuarantee::AtLeastOnce);
    for name in ["standard_webhooks", "svix", "strike", "hook0", "outpost", "event_grid"] {
        assert_eq!(
            RetryPolicy::named(name).unwrap().guarantee(),
            DeliveryGuarantee::AtLeastOnce,
            "{name}"
        );
    }
    for (doubt, text) in [
        (DeliveryGuarantee::AtLeastOnce, "at_least_once"),
        (DeliveryGuarantee::AtMostOnce, "at_most_once"),
        (DeliveryGuarantee::Ask, "ask"),
    ] {
        let read: RetryPolicy =
            serde_json::from_str(&format!(r#"{{"guarantee":"{text}"}}"#)).unwrap();
        assert_eq!(read, RetryPolicy::default().with_guarantee(doubt));
        let written = serde_json::to_value(&read).unwrap();
        assert_eq!(written["guarantee"], text);
        assert_eq!(serde_json::from_value::<RetryPolicy>(written).unwrap(), read);
    }
}

#[test]
fn missing_response_follows_the_guarantee() {
    // A deadline that passed, as after a crash.
    for (doubt, progress) in [
        (DeliveryGuarantee::AtLeastOnce, Progress::Wait { until: at(15) }),
        (DeliveryGuarantee::AtMostOnce, Progress::Ended { verdict: Verdict::Unconfirmed }),
        (DeliveryGuarantee::Ask, Progress::InDoubt { since: at(10) }),
    ] {
        let mut delivery = restored(&started(&with(doubt)));
        assert_eq!(poll(&mut delivery, &with(doubt), 12), progress);
        assert_eq!(delivery.unanswered(), 1);
    }
    // Failures the host observed.
    for failure in [Failure::Timeout, Failure::Broken] {
        for (doubt, resolution) in [
            (DeliveryGuarantee::AtLeastOnce, Resolution::Retry { at: at(8) }),
            (DeliveryGuarantee::AtMostOnce, Resolution::Ended(Verdict::Unconfirmed)),
            (DeliveryGuarantee::Ask, Resolution::InDoubt),
        ] {
            let mut delivery = started(&with(doubt));
            let outcome = Outcome::failed(failure);
            assert_eq!(resolve(&mut delivery, &with(doubt), 1, &outcome, 3), resolution);
            assert_eq!(delivery.unanswered(), 1);
            assert_eq!(delivery.in_doubt(), (doubt == DeliveryGuarantee::Ask).then(|| at(3)));
            let ended_at = (doubt == DeliveryGuarantee::AtMostOnce).then(|| at(3));
            assert_eq!(delivery.ended_at(), ended_at);
        }
    }
    // In these cases nothing arrived, or a response did.
    for doubt in
        [DeliveryGuarantee::AtLeastOnce, DeliveryGuarantee::AtMostOnce, DeliveryGuarantee::Ask]
    {
        let failures = [Failure::Dns, Failure::Connect, Failure::Tls, Failure::Sender];
        let failures = failures.map(Outcome::failed).into_iter();
        for outcome in failures.chain([answer(503), answer(302)]) {
            let mut delivery = started(&with(doubt));
            let retry = Resolution::Retry { at: at(8) };
            assert_eq!(resolve(&mut delivery, &with(doubt), 1, &outcome, 3), retry, "{outcome:?}");
            assert_eq!(delivery.unanswered(), 0);
        }
    }
}

#[test]
fn last_attempt_can_be_in_doubt() {
    for (doubt, verdict) in [
        (DeliveryGuarantee::AtLeastOnce, Some(Verdict::Exhausted)),
        (DeliveryGuarantee::AtMostOnce, Some(Verdict::Unconfirmed)),
        (DeliveryGuarantee::Ask, None),
    ] {
        let policy = policy(&[]).with_guarantee(doubt);
        let mut delivery = started(&policy);
        poll(&mut delivery, &policy, 10);
        assert_eq!(delivery.verdict(), verdict);
    }
}

#[test]
fn in_doubt_delivery_ignores_time_and_policy() {
    let policy = with(DeliveryGuarantee::Ask).with_window(Duration::from_secs(30));
    let mut delivery = in_doubt(&policy);
    for seconds in [12, 0, 29, 30, 31, 1_000_000] {
        let since = at(10);
        assert_eq!(poll(&mut delivery, &policy, seconds), Progress::InDoubt { since });
        assert_eq!(poll(&mut delivery, &RetryPolicy::svix(), seconds), Progress::InDoubt { since });
        assert_eq!(delivery.start(&policy, at(seconds)), None);
        assert_eq!(delivery.in_doubt(), Some(since));
        assert_eq!((delivery.verdict(), delivery.in_flight()), (None, None));
        assert_eq!((delivery.wake_at(&policy), delivery.claim_at(&policy)), (None, None));
        assert!(!delivery.cancel_start(1));
        delivery = restored(&delivery);
    }
    let now = Timestamp::MAX;
    let progress = delivery.poll(&policy, Ids::new().jitter_seed(), now);
    assert_eq!(progress, Progress::InDoubt { since: at(10) });
    assert_eq!(
        serde_json::to_string(&delivery).unwrap(),
        concat!(
            r#"{"accepted_at":1744882200000000,"attempts":1,"unanswered":[[1,1]],"#,
            r#""state":{"in_doubt":{"since":1744882210000000}}}"#
        )
    );
}

#[test]
fn resend_makes_an_in_doubt_delivery_due() {
    let policy = with(DeliveryGuarantee::Ask);
    let mut delivery = in_doubt(&policy);
    assert!(delivery.resend(at(100)));
    assert!(!delivery.resend(at(100)), "no longer in doubt");
    assert_eq!(delivery.in_doubt(), None);
    assert_eq!(delivery.claim_at(&policy), Some(at(100)));
    // A clock that goes back only lengthens the wait.
    assert_eq!(poll(&mut delivery, &policy, 90), Progress::Wait { until: at(100) });
    assert_eq!(poll(&mut delivery, &policy, 100), Progress::Due);
    assert_eq!(delivery.start(&policy, at(100)).unwrap().number, 2);
    // It was a retry like any other: the second scheduled delay is next.
    let retry = Resolution::Retry { at: at(121) };
    assert_eq!(resolve(&mut delivery, &policy, 2, &answer(503), 101), retry);
    assert_eq!((delivery.unanswered(), delivery.replays()), (1, 0));
}

#[test]
fn giving_up_ends_an_in_doubt_delivery() {
    let policy = with(DeliveryGuarantee::Ask);
    let mut delivery = in_doubt(&policy);
    assert!(delivery.end(Verdict::Unconfirmed, at(60)));
    assert!(!delivery.end(Verdict::Cancelled, at(61)));
    assert!(!delivery.resend(at(61)));
    assert_eq!(delivery.verdict(), Some(Verdict::Unconfirmed));
    assert_eq!((delivery.ended_at(), delivery.in_doubt()), (Some(at(60)), None));
    assert_eq!(delivery.unanswered(), 1, "counted once");
    let late = resolve(&mut delivery, &policy, 1, &answer(200), 62);
    assert_eq!(late, Resolution::Ignored(Ignored::Ended));
    assert!(!Verdict::Unconfirmed.is_delivered());
}

#[test]
fn resend_without_doubt_does_nothing() {
    let policy = with(DeliveryGuarantee::Ask);
    let mut delivery = Delivery::new(at(0));
    let check = |delivery: &mut Delivery| {
        let before = delivery.clone();
        assert!(!delivery.resend(at(1)));
        assert_eq!(*delivery, before);
    };
    check(&mut delivery);
    assert!(delivery.start(&policy, at(0)).is_some());
    check(&mut delivery);
    resolve(&mut delivery, &policy, 1, &answer(503), 1);
    check(&mut delivery);
    delivery.end(Verdict::Cancelled, at(2));
    check(&mut delivery);
}

#[test]
fn resend_keeps_the_attempt_limit() {
    let two = NonZeroU32::new(2).unwrap();
    for policy in [
        policy(&[]).with_guarantee(DeliveryGuarantee::Ask),
        with(DeliveryGuarantee::Ask).with_max_attempts(NonZeroU32::MIN),
        policy(&[5]).with_max_attempts(two).with_guarantee(DeliveryGuarantee::Ask),
    ] {
        let mut delivery = in_doubt(&policy);
        let mut seconds = 10;
        if policy.schedule().retries() == Some(1) {
            assert!(delivery.resend(at(20)));
            assert!(delivery.start(&policy, at(20)).is_some());
            seconds = 30;
            poll(&mut delivery, &policy, seconds);
        }
        assert_eq!(delivery.in_doubt(), Some(at(seconds)));
        assert!(delivery.resend(at(100)));
        let before = delivery.clone();
        assert_eq!(delivery.start(&policy, at(100)), None);
        assert_eq!(delivery, before);
        let exhausted = Progress::Ended { verdict: Verdict::Exhausted };
        assert_eq!(poll(&mut delivery, &policy, 105), exhausted);
        assert_eq!(delivery.ended_at(), Some(at(100)));
    }
}

#[test]
fn resend_keeps_the_window() {
    let policy = with(DeliveryGuarantee::Ask).with_window(Duration::from_secs(30));
    for (resent, released) in [(29, true), (30, false), (100, false)] {
        let mut delivery = in_doubt(&policy);
        assert!(delivery.resend(at(resent)));
        assert_eq!(delivery.start(&policy, at(resent)).is_some(), released);
        if !released {
            let expired = Progress::Ended { verdict: Verdict::Expired };
            assert_eq!(poll(&mut delivery, &policy, resent + 7), expired);
            // Not at the end of the window, when it was still in doubt.
            assert_eq!(delivery.ended_at(), Some(at(resent)));
        }
    }
}

#[test]
fn late_response_resolves_the_doubt() {
    let policy = with(DeliveryGuarantee::Ask);
    for (outcome, resolution, unanswered) in [
        (answer(204), Resolution::LateSuccess, 1),
        (answer(410), Resolution::Ended(Verdict::Gone), 0),
        (answer_with(503, "retry-after", "-1"), Resolution::Ended(Verdict::Stopped), 0),
        (answer(503), Resolution::Retry { at: at(25) }, 0),
        (answer_with(429, "retry-after", "60"), Resolution::Retry { at: at(80) }, 0),
        // Nothing was sent after all.
        (Outcome::failed(Failure::Connect), Resolution::Retry { at: at(25) }, 0),
    ] {
        let mut delivery = restored(&in_doubt(&policy));
        assert_eq!(resolve(&mut delivery, &policy, 1, &outcome, 20), resolution, "{outcome:?}");
        assert_eq!(delivery.in_doubt(), None);
        assert_eq!(delivery.unanswered(), unanswered);
        let ended = matches!(resolution, Resolution::LateSuccess | Resolution::Ended(_));
        assert_eq!(delivery.ended_at(), ended.then(|| at(20)));
        let again = resolve(&mut delivery, &policy, 1, &outcome, 21);
        let why = if ended { Ignored::Ended } else { Ignored::AlreadyResolved };
        assert_eq!(again, Resolution::Ignored(why));
    }
    // These leave the doubt as it is.
    for failure in [Failure::Timeout, Failure::Broken] {
        let mut delivery = in_doubt(&policy);
        let ignored = Resolution::Ignored(Ignored::LateFailure);
        assert_eq!(resolve(&mut delivery, &policy, 1, &Outcome::failed(failure), 20), ignored);
        assert_eq!(delivery, in_doubt(&policy));
    }
}

#[test]
fn late_failure_past_the_limits_ends_the_delivery() {
    let once = policy(&[]).with_guarantee(DeliveryGuarantee::Ask);
    let exhausted = Resolution::Ended(Verdict::Exhausted);
    assert_eq!(resolve(&mut in_doubt(&once), &once, 1, &answer(503), 20), exhausted);
    let window = with(DeliveryGuarantee::Ask).with_window(Duration::from_secs(25));
    let expired = Resolution::Ended(Verdict::Expired);
    assert_eq!(resolve(&mut in_doubt(&window), &window, 1, &answer(503), 20), expired);
    let retry = Resolution::Retry { at: at(24) };
    assert_eq!(resolve(&mut in_doubt(&window), &window, 1, &answer(503), 19), retry);
}

#[test]
fn late_failure_counts_only_for_the_attempt_in_doubt() {
    let policy = with(DeliveryGuarantee::Ask);
    let mut delivery = in_doubt(&policy);
    assert!(delivery.resend(at(20)));
    // The host has decided, so a rejection arrives too late.
    let ignored = Resolution::Ignored(Ignored::LateFailure);
    assert_eq!(resolve(&mut delivery, &policy, 1, &answer(503), 20), ignored);
    assert!(delivery.start(&policy, at(20)).is_some());
    assert_eq!(poll(&mut delivery, &policy, 30), Progress::InDoubt { since: at(30) });
    assert_eq!(delivery.unanswered(), 2);
    let doubtful = delivery.clone();
    assert_eq!(resolve(&mut delivery, &policy, 1, &answer(410), 31), ignored);
    assert_eq!(delivery, doubtful);
    // A success of either ends it.
    for number in [1, 2] {
        let mut delivery = doubtful.clone();
        let late = resolve(&mut delivery, &policy, number, &answer(200), 32);
        assert_eq!(late, Resolution::LateSuccess);
    }
}

#[derive(Clone, Debug)]
enum Event {
    /// Advance the clock, in seconds.
    Advance(i64),
    /// Make an attempt if one is due; the response arrives at once.
    Answered(u16),
    /// Make an attempt if one is due. Nothing reaches the receiver.
    Unsent,
    /// Make an attempt if one is due; its response is under way, and the flag says whether it
    /// arrives.
    Slow(u16, bool),
    /// The connection of the attempt in flight breaks.
    Break,
    /// The responses under way arrive, in the order of their attempts.
    Arrive,
    /// The host loses what it does not save, including responses.
    Crash,
}

fn statuses() -> impl Strategy<Value = u16> {
    prop_oneof![2 => Just(200_u16), 3 => Just(503), 1 => Just(429), 1 => Just(410)]
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        3 => (-5..30_i64).prop_map(Event::Advance),
        2 => statuses().prop_map(Event::Answered),
        1 => Just(Event::Unsent),
        4 => (statuses(), any::<bool>()).prop_map(|(status, comes)| Event::Slow(status, comes)),
        1 => Just(Event::Break),
        2 => Just(Event::Arrive),
        2 => Just(Event::Crash),
    ];
    vec(event, 0..60)
}

/// What the receiver and an outside observer know.
#[derive(Default)]
struct World {
    /// The receiver's response statuses by attempt; `None` if nothing reached it.
    given: Vec<Option<u16>>,
    under_way: Vec<(u32, u16)>,
    /// The attempts without a response, and without proof that nothing was sent.
    unconfirmed: Vec<u32>,
}

impl World {
    fn start(
        &mut self,
        delivery: &mut Delivery,
        policy: &RetryPolicy,
        now: Timestamp,
    ) -> Option<u32> {
        let progress = delivery.poll(policy, Ids::new().jitter_seed(), now);
        let started = delivery.start(policy, now)?;
        assert_eq!(progress, Progress::Due);
        let number = started.number;
        assert_eq!(
            usize::try_from(number).unwrap(),
            self.given.len() + 1,
            "attempt numbers rise by one"
        );
        if policy.guarantee() != DeliveryGuarantee::AtLeastOnce {
            assert_eq!(self.unconfirmed, [0_u32; 0], "no attempt follows an unconfirmed one");
        }
        self.given.push(None);
        self.unconfirmed.push(number);
        Some(number)
    }

    fn resolve(
        &mut self,
        delivery: &mut Delivery,
        policy: &RetryPolicy,
        number: u32,
        outcome: &Outcome,
        now: Timestamp,
    ) {
        let resolution = delivery.resolve(policy, Ids::new().jitter_seed(), number, outcome, now);
        if !outcome.is_in_doubt() && !matches!(resolution, Resolution::Ignored(_)) {
            self.unconfirmed.retain(|it| *it != number);
        }
    }

    fn accepted(&self) -> usize {
        self.given.iter().filter(|it| **it == Some(200)).count()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_history_keeps_at_most_once(
        doubt in prop_oneof![Just(DeliveryGuarantee::AtLeastOnce), Just(DeliveryGuarantee::AtMostOnce), Just(DeliveryGuarantee::Ask)],
        window in proptest::option::of(1..200_u64),
        events in events(),
    ) {
        let window = window.map(Duration::from_secs);
        let policy = policy(&[5, 20, 0, 7]).with_guarantee(doubt).with_window(window);
        let (mut world, mut delivery) = (World::default(), Delivery::new(at(0)));
        let mut now = at(0);
        for event in events {
            let mut doubts = delivery.in_doubt();
            match event {
                Event::Advance(seconds) => {
                    now = at(now.unix_seconds() - at(0).unix_seconds() + seconds);
                }
                Event::Answered(status) => {
                    if let Some(number) = world.start(&mut delivery, &policy, now) {
                        *world.given.last_mut().unwrap() = Some(status);
                        world.resolve(&mut delivery, &policy, number, &answer(status), now);
                    }
                }
                Event::Unsent => {
                    if let Some(number) = world.start(&mut delivery, &policy, now) {
                        let unsent = Outcome::failed(Failure::Connect);
                        world.resolve(&mut delivery, &policy, number, &unsent, now);
                    }
                }
                Event::Slow(status, comes) => {
                    if let Some(number) = world.start(&mut delivery, &policy, now) {
                        *world.given.last_mut().unwrap() = Some(status);
                        world.under_way.extend(comes.then_some((number, status)));
                    }
                }
                Event::Break => {
                    if let Some(live) = delivery.in_flight() {
                        world.under_way.retain(|(number, _)| *number != live.number);
                        let broken = Outcome::failed(Failure::Broken);
                        world.resolve(&mut delivery, &policy, live.number, &broken, now);
                    }
                }
                Event::Arrive => {
                    doubts = None;
                    for (number, status) in std::mem::take(&mut world.under_way) {
                        world.resolve(&mut delivery, &policy, number, &answer(status), now);
                    }
                }
                Event::Crash => {
                    world.under_way.clear();
                    delivery = restored(&delivery);
                }
            }
            delivery.poll(&policy, Ids::new().jitter_seed(), now);
            if doubts.is_some() {
                prop_assert_eq!(delivery.in_doubt(), doubts, "only a response ends the doubt");
            }
            let accepted = world.accepted();
            let unanswered = usize::try_from(delivery.unanswered()).unwrap();
            prop_assert!(accepted.saturating_sub(1) <= unanswered, "copies are bounded");
            if doubt != DeliveryGuarantee::AtLeastOnce {
                prop_assert!(accepted <= 1, "at most once");
                prop_assert!(unanswered <= 1);
            }
            if doubt == DeliveryGuarantee::AtMostOnce && unanswered == 1 {
                let verdict = delivery.verdict();
                prop_assert_eq!(verdict, Some(Verdict::Unconfirmed));
            }
        }
    }
}
