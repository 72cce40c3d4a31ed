//! Replay of one delivery: reopened, or its pending retry superseded, in one change.

use std::num::NonZeroU32;
use std::time::Duration;

use labhook::delivery::{
    Delivery, DeliveryGuarantee, Failure, Ignored, Jitter, Progress, Resolution, Schedule,
};
use labhook::{Outcome, RetryPolicy, Timestamp, Verdict};
use proptest::collection::vec;
use proptest::prelude::*;

use super::fixture::{Ids, poll, resolve, restored};
use crate::support::{answer, answer_with, at, config, policy, secs};

/// Makes the attempt that is due at `seconds`, with an immediate response.
fn attempt(delivery: &mut Delivery, policy: &RetryPolicy, status: u16, seconds: i64) -> Resolution {
    assert_eq!(poll(delivery, policy, seconds), Progress::Due);
    let started = delivery.start(policy, at(seconds)).unwrap();
    resolve(delivery, policy, started.number, &answer(status), seconds)
}

const fn ended(verdict: Verdict) -> Progress {
    Progress::Ended { verdict }
}

#[test]
fn replay_of_an_ended_delivery_restarts_its_schedule() {
    let policy = policy(&[5, 20]).with_window(secs(60));
    let mut delivery = Delivery::new(at(0));
    attempt(&mut delivery, &policy, 503, 0);
    attempt(&mut delivery, &policy, 503, 5);
    let exhausted = Resolution::Ended(Verdict::Exhausted);
    assert_eq!(attempt(&mut delivery, &policy, 503, 25), exhausted);

    assert_eq!(delivery.replays(), 0);
    assert!(delivery.replay(at(1_000)));
    assert_eq!((delivery.verdict(), delivery.ended_at()), (None, None));
    assert_eq!((delivery.attempts(), delivery.replays()), (3, 1));
    assert_eq!(delivery.wake_at(&policy), Some(at(1_000)));
    assert_eq!(delivery.claim_at(&policy), Some(at(1_000)));
    assert_eq!(delivery.window_end(&policy), None, "no attempt since then");
    assert_eq!(delivery.accepted_at(), at(0));
    assert_eq!(poll(&mut delivery, &policy, 999), Progress::Wait { until: at(1_000) });
    assert_eq!(delivery.start(&policy, at(999)), None);

    // Only the attempt numbers continue.
    let retry = |seconds| Resolution::Retry { at: at(seconds) };
    assert_eq!(attempt(&mut delivery, &policy, 503, 1_000), retry(1_005));
    assert_eq!(delivery.attempts(), 4);
    // The window counts from when it was due.
    assert_eq!(delivery.window_end(&policy), Some(at(1_060)));
    assert_eq!(attempt(&mut delivery, &policy, 503, 1_005), retry(1_025));
    assert_eq!(attempt(&mut delivery, &policy, 503, 1_025), exhausted);
    assert_eq!((delivery.attempts(), delivery.replays()), (6, 1));
    assert_eq!(delivery.ended_at(), Some(at(1_025)));
}

#[test]
fn replay_supersedes_the_pending_retry() {
    let policy = policy(&[500, 20]);
    let mut delivery = Delivery::new(at(0));
    let asked = answer_with(503, "retry-after", "900");
    assert!(delivery.start(&policy, at(0)).is_some());
    let retry = Resolution::Retry { at: at(900) };
    assert_eq!(resolve(&mut delivery, &policy, 1, &asked, 0), retry);
    assert!(delivery.replay(at(7)));
    assert_eq!(poll(&mut delivery, &policy, 6), Progress::Wait { until: at(7) });
    let retry = Resolution::Retry { at: at(507) };
    assert_eq!(attempt(&mut delivery, &policy, 503, 7), retry, "the first delay again");
    // The superseded retry is gone for good.
    assert_eq!(poll(&mut delivery, &policy, 506), Progress::Wait { until: at(507) });
    // A due delivery can be postponed.
    assert_eq!(poll(&mut delivery, &policy, 507), Progress::Due);
    assert!(delivery.replay(at(600)));
    assert_eq!(poll(&mut delivery, &policy, 599), Progress::Wait { until: at(600) });
    assert_eq!((delivery.attempts(), delivery.replays()), (2, 2));
}

#[test]
fn replay_of_a_delivery_in_flight_does_nothing() {
    let policy = policy(&[5]);
    let mut delivery = Delivery::new(at(0));
    assert!(delivery.start(&policy, at(0)).is_some());
    let before = delivery.clone();
    assert!(!delivery.replay(at(0)));
    assert!(!delivery.replay(Timestamp::MAX));
    assert_eq!(delivery, before);
    // Also past its deadline, until a poll has seen that.
    assert!(!delivery.replay(at(100)));
    assert_eq!(poll(&mut delivery, &policy, 100), Progress::Due);
    assert!(delivery.replay(at(100)));
}

#[test]
fn replay_postpones_an_unstarted_delivery() {
    let policy = policy(&[5]).with_window(secs(10));
    let mut delivery = Delivery::new(at(0));
    assert!(delivery.replay(at(50)));
    assert_eq!(poll(&mut delivery, &policy, 20), Progress::Wait { until: at(50) });
    assert_eq!(delivery.start(&policy, at(50)).unwrap().number, 1);
    assert!(delivery.cancel_start(1));
    assert_eq!((delivery.attempts(), delivery.replays()), (0, 1));
    // The window does not bound its first attempt.
    assert_eq!(attempt(&mut delivery, &policy, 503, 59), Resolution::Ended(Verdict::Expired));
    assert_eq!(delivery.ended_at(), Some(at(59)));
}

#[test]
fn every_verdict_can_be_replayed_repeatedly() {
    let policy = RetryPolicy::none();
    for verdict in [
        Verdict::Delivered,
        Verdict::Rejected,
        Verdict::Gone,
        Verdict::Stopped,
        Verdict::Exhausted,
        Verdict::Expired,
        Verdict::Unconfirmed,
        Verdict::Cancelled,
    ] {
        let mut delivery = Delivery::new(at(0));
        assert!(delivery.end(verdict, at(1)));
        assert!(delivery.replay(at(90)));
        assert!(delivery.replay(at(70)));
        assert!(delivery.replay(at(80)));
        delivery = restored(&delivery);
        assert_eq!(delivery.replays(), 3);
        assert_eq!(poll(&mut delivery, &policy, 79), Progress::Wait { until: at(80) });
        let exhausted = Resolution::Ended(Verdict::Exhausted);
        assert_eq!(attempt(&mut delivery, &policy, 500, 80), exhausted);
        assert_eq!(delivery.attempts(), 1);
    }
}

#[test]
fn replay_resolves_an_in_doubt_delivery() {
    let policy = policy(&[]).with_guarantee(DeliveryGuarantee::Ask);
    let mut delivery = Delivery::new(at(0));
    assert!(delivery.start(&policy, at(0)).is_some());
    assert_eq!(poll(&mut delivery, &policy, 10), Progress::InDoubt { since: at(10) });
    assert!(delivery.replay(at(30)));
    assert_eq!(delivery.in_doubt(), None);
    assert!(!delivery.resend(at(30)));
    // One more, although the schedule has none: the replay restarted it.
    assert_eq!(poll(&mut delivery, &policy, 30), Progress::Due);
    assert_eq!(delivery.start(&policy, at(30)).unwrap().number, 2);
    assert_eq!(poll(&mut delivery, &policy, 40), Progress::InDoubt { since: at(40) });
    assert_eq!(delivery.unanswered(), 2);
    // A resend after it keeps the restarted limit.
    assert!(delivery.resend(at(41)));
    assert_eq!(poll(&mut delivery, &policy, 41), ended(Verdict::Exhausted));
}

#[test]
fn late_success_from_before_a_replay_ends_it() {
    let policy = policy(&[5]);
    let mut delivery = Delivery::new(at(0));
    assert!(delivery.start(&policy, at(0)).is_some());
    assert_eq!(poll(&mut delivery, &policy, 10), Progress::Wait { until: at(15) });
    attempt(&mut delivery, &policy, 500, 15);
    assert_eq!(delivery.verdict(), Some(Verdict::Exhausted));
    let early = resolve(&mut delivery, &policy, 1, &answer(200), 16);
    assert_eq!(early, Resolution::Ignored(Ignored::Ended));
    assert!(delivery.replay(at(100)));
    assert_eq!(delivery.unanswered(), 1);
    for in_flight in [false, true] {
        let mut delivery = delivery.clone();
        if in_flight {
            assert!(delivery.start(&policy, at(100)).is_some());
        }
        let failure = resolve(&mut delivery, &policy, 1, &answer(500), 100);
        assert_eq!(failure, Resolution::Ignored(Ignored::LateFailure));
        let resolution = resolve(&mut delivery, &policy, 2, &answer(200), 100);
        assert_eq!(resolution, Resolution::Ignored(Ignored::AlreadyResolved));
        let late = resolve(&mut delivery, &policy, 1, &answer(200), 100);
        assert_eq!(late, Resolution::LateSuccess);
        assert_eq!(delivery.verdict(), Some(Verdict::Delivered));
        assert_eq!(delivery.unanswered(), if in_flight { 2 } else { 1 });
    }
}

#[test]
fn abandoned_attempt_can_still_succeed() {
    let policy = policy(&[5]);
    let mut delivery = Delivery::new(at(0));
    assert!(delivery.start(&policy, at(0)).is_some());
    assert!(delivery.end(Verdict::Cancelled, at(3)));
    assert_eq!(delivery.unanswered(), 1, "its response is no longer expected");
    assert!(delivery.replay(at(4)));
    let mut again = delivery.clone();
    assert_eq!(resolve(&mut again, &policy, 1, &answer(200), 4), Resolution::LateSuccess);
    // So the copies beyond the first stay bounded by the attempts without a response.
    attempt(&mut delivery, &policy, 200, 4);
    assert_eq!((delivery.attempts(), delivery.unanswered()), (2, 1));
}

#[test]
fn replay_resets_the_attempt_limit() {
    let policy = policy(&[1, 1, 1]).with_max_attempts(NonZeroU32::MIN);
    let mut delivery = Delivery::new(at(0));
    for round in 1..=3 {
        let exhausted = Resolution::Ended(Verdict::Exhausted);
        let seconds = i64::from(round) * 10;
        assert_eq!(attempt(&mut delivery, &policy, 500, seconds), exhausted);
        assert_eq!(delivery.attempts(), round);
        assert!(delivery.replay(at(seconds + 10)));
    }
}

#[test]
fn replay_keeps_the_message_lifetime() {
    let policy = policy(&[5]).with_window(secs(60));
    let mut delivery = Delivery::new(at(0)).with_expires_at(at(100));
    assert!(delivery.end(Verdict::Rejected, at(1)));
    let before = delivery.clone();
    for late in [at(100), at(101), Timestamp::MAX] {
        assert!(!delivery.replay(late));
    }
    assert_eq!(delivery, before, "the verdict stays, and no replay is counted");
    assert!(delivery.replay(at(99)));
    assert_eq!(delivery.window_end(&policy), Some(at(100)));
    let expired = Resolution::Ended(Verdict::Expired);
    assert_eq!(attempt(&mut delivery, &policy, 500, 99), expired);
}

#[test]
fn replay_works_at_extreme_times() {
    let (policy, ids) = (policy(&[5]), Ids::new());
    let mut delivery = Delivery::new(at(0));
    assert!(delivery.replay(Timestamp::MAX));
    let wait = Progress::Wait { until: Timestamp::MAX };
    assert_eq!(poll(&mut delivery, &policy, 0), wait);
    assert_eq!(delivery.poll(&policy, ids.jitter_seed(), Timestamp::MAX), Progress::Due);
    let windowed = policy.clone().with_window(secs(1));
    let started = delivery.start(&windowed, Timestamp::MAX).unwrap();
    let end = delivery.poll(&windowed, ids.jitter_seed(), started.deadline);
    assert_eq!(end, ended(Verdict::Expired), "no instant is left before the end");
    assert!(delivery.replay(Timestamp::MIN));
    assert_eq!(delivery.poll(&windowed, ids.jitter_seed(), Timestamp::MIN), Progress::Due);
    assert!(delivery.start(&windowed, Timestamp::MIN).is_some());
    assert_eq!(poll(&mut delivery, &windowed, 0), ended(Verdict::Expired));
    assert_eq!(delivery.ended_at(), Some(Timestamp::MIN + secs(10)));
}

#[test]
fn backward_clock_after_a_replay_lengthens_the_wait() {
    let policy = policy(&[5]);
    let mut delivery = Delivery::new(at(0));
    assert!(delivery.end(Verdict::Cancelled, at(100)));
    assert!(delivery.replay(at(100)));
    assert_eq!(poll(&mut delivery, &policy, 40), Progress::Wait { until: at(100) });
    assert_eq!(delivery.start(&policy, at(40)), None);
    assert_eq!(poll(&mut delivery, &policy, 100), Progress::Due);
    assert_eq!(poll(&mut delivery, &policy, 40), Progress::Due);
}

#[test]
fn replay_draws_new_jitter() {
    let ids = Ids::new();
    let hour = Duration::from_secs(3_600);
    let full = RetryPolicy::new(Schedule::list([hour, hour])).with_jitter(Jitter::FULL);
    let base = Duration::from_secs(1);
    let jitter = Jitter::decorrelated(base, hour);
    let decorrelated = RetryPolicy::new(Schedule::list(vec![hour; 40])).with_jitter(jitter);
    let waits = |policy: &RetryPolicy, delivery: &mut Delivery, count: usize| {
        let mut now = at(0);
        let mut waits = Vec::new();
        for _ in 0..count {
            now += hour * 2;
            assert_eq!(delivery.poll(policy, ids.jitter_seed(), now), Progress::Due);
            let started = delivery.start(policy, now).unwrap();
            let number = started.number;
            match delivery.resolve(policy, ids.jitter_seed(), number, &answer(503), now) {
                Resolution::Retry { at } => waits.push(at.saturating_since(now)),
                other => panic!("{other:?}"),
            }
        }
        waits
    };
    let mut delivery = Delivery::new(at(0));
    let first = waits(&full, &mut delivery, 1);
    assert!(delivery.replay(at(0)));
    assert_ne!(waits(&full, &mut delivery, 1), first, "another draw for the same delay");

    let mut delivery = Delivery::new(at(0));
    let grown = waits(&decorrelated, &mut delivery, 40);
    assert!(grown.iter().any(|wait| *wait > base * 100), "{grown:?}");
    assert!(delivery.replay(at(0)));
    let again = waits(&decorrelated, &mut restored(&delivery), 30);
    let mut before = base;
    for wait in &again {
        assert!(base <= *wait && *wait <= before * 3, "{again:?}");
        before = *wait;
    }
    assert_ne!(again, grown);
}

#[test]
fn replayed_delivery_has_a_stable_serialized_form() {
    let mut delivery = Delivery::new(at(0));
    assert!(delivery.replay(at(10)));
    let json = serde_json::to_string(&delivery).unwrap();
    assert_eq!(
        json,
        concat!(
            r#"{"accepted_at":1744882200000000,"attempts":0,"#,
            r#""replayed":{"times":1,"after":0,"due":1744882210000000},"#,
            r#""state":{"waiting":{"due":1744882210000000}}}"#
        )
    );
    assert_eq!(restored(&delivery), delivery);
}

/// A host that polls the delivery at its wake-ups, or at every tick, and a receiver that responds to
/// each attempt after this number of seconds (`None`: never), through replays at their times. A
/// delivery in doubt is resent 3 s later. Returns a trace of what happened.
fn drive(
    policy: &RetryPolicy,
    receiver: &[(u16, Option<i64>)],
    replays: &[(i64, i64)],
    every_tick: bool,
) -> Vec<String> {
    let mut delivery = Delivery::new(at(0));
    let mut replays = replays.to_vec();
    let mut trace = Vec::new();
    let mut answers: Vec<(i64, u32, Outcome)> = Vec::new();
    let mut now = 0;
    while now < 400 {
        while let Some(index) = answers.iter().position(|(at, ..)| *at <= now) {
            let (_, number, outcome) = answers.remove(index);
            let resolution = resolve(&mut delivery, policy, number, &outcome, now);
            trace.push(format!("{now} {number} {resolution:?}"));
        }
        let mut ended = poll(&mut delivery, policy, now);
        while let Some(index) = replays.iter().position(|(time, _)| *time == now) {
            let (_, wait) = replays.remove(index);
            let was_in_flight = delivery.in_flight().is_some();
            let replayed = delivery.replay(at(now + wait));
            assert_ne!(replayed, was_in_flight, "never beside a live attempt");
            trace.push(format!("{now} replay {replayed}"));
            ended = poll(&mut delivery, policy, now);
        }
        let decided_at = delivery.in_doubt().map(|since| since + secs(3));
        if decided_at.is_some_and(|decided_at| decided_at <= at(now)) {
            assert!(delivery.resend(at(now)));
            ended = poll(&mut delivery, policy, now);
        }
        if ended == Progress::Due {
            let number = delivery.start(policy, at(now)).unwrap().number;
            trace.push(format!("{now} start {number}"));
            let index = usize::try_from(number).unwrap() - 1;
            match receiver.get(index) {
                Some((status, Some(latency))) => {
                    answers.push((now + latency, number, answer(*status)));
                }
                Some((_, None)) => {}
                None => answers.push((now, number, Outcome::failed(Failure::Broken))),
            }
            continue;
        }
        if let Some(ended_at) = delivery.ended_at() {
            let line = format!("{:?} {ended_at}", delivery.verdict());
            if trace.last() != Some(&line) {
                trace.push(line);
            }
        }
        let wake = delivery.wake_at(policy).or_else(|| delivery.in_doubt().map(|it| it + secs(3)));
        let wake = wake.map(|wake| wake.unix_seconds() - at(0).unix_seconds());
        let events = answers.iter().map(|(at, ..)| *at).chain(replays.iter().map(|(at, _)| *at));
        let next = events.filter(|at| *at > now).chain(wake).min().unwrap_or(400);
        assert!(next > now, "polling never spins");
        now = if every_tick { now + 1 } else { next };
        delivery = restored(&delivery);
    }
    trace
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn wake_ups_equal_every_tick_through_replays(
        doubt in prop_oneof![Just(DeliveryGuarantee::AtLeastOnce), Just(DeliveryGuarantee::AtMostOnce), Just(DeliveryGuarantee::Ask)],
        window in proptest::option::of(1..80_u64),
        receiver in vec(
            (
                prop_oneof![1 => Just(200_u16), 5 => Just(503), 1 => Just(410)],
                proptest::option::of(0..30_i64),
            ),
            12,
        ),
        replays in vec((0..200_i64, 0..40_i64), 0..5),
    ) {
        let policy = policy(&[5, 20]).with_guarantee(doubt).with_window(window.map(secs));
        let trace = drive(&policy, &receiver, &replays, false);
        prop_assert_eq!(drive(&policy, &receiver, &replays, true), trace);
    }
}
