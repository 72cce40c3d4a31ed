//! A lone delivery driven to its end: neither early nor late, however it is woken.

use proptest::collection::vec;
use proptest::prelude::*;

use super::strategies::{outcomes, policies};
use super::*;

/// What the host of a lone delivery saw: when each attempt started, and how and when it ended.
#[derive(Debug, PartialEq)]
struct Trace {
    starts: Vec<i64>,
    ends: Vec<i64>,
    verdict: Verdict,
    ended_at: Timestamp,
    unanswered: u32,
}

/// Microseconds that a person takes to decide.
const ASKED: i64 = 500;

/// Drives a lone delivery against a receiver with the given outcomes, each after its latency
/// (`None`: never). A delivery in doubt is resent [`ASKED`] later. It is polled at its wake-ups and
/// when a response arrives, or at every tick.
fn lone(
    policy: &RetryPolicy,
    seed: JitterSeed<'_>,
    receiver: &[(Outcome, Option<i64>)],
    tick: Option<i64>,
) -> Trace {
    let mut delivery = Delivery::new(Timestamp::from_unix_micros(0));
    let (mut starts, mut ends, mut now) = (Vec::new(), Vec::new(), 0);
    let mut answers: Vec<(i64, u32, Outcome)> = Vec::new();
    loop {
        let time = Timestamp::from_unix_micros(now);
        while let Some(index) = answers.iter().position(|(at, ..)| *at <= now) {
            let (_, number, outcome) = answers.remove(index);
            if delivery.in_flight().is_some_and(|live| live.number == number) {
                ends.push(now);
            }
            delivery.resolve(policy, seed, number, &outcome, time);
        }
        if let Some(live) = delivery.in_flight()
            && live.deadline <= time
        {
            ends.push(live.deadline.unix_micros());
        }
        if delivery.poll(policy, seed, time) == Progress::Due {
            let started = delivery.start(policy, time).unwrap();
            starts.push(now);
            let index = usize::try_from(started.number - 1).unwrap();
            if let Some((outcome, Some(latency))) = receiver.get(index) {
                answers.push((now + latency, started.number, outcome.clone()));
            }
            // Zero latency is a response at the same instant.
            continue;
        }
        if let Some(verdict) = delivery.verdict() {
            return Trace {
                starts,
                ends,
                verdict,
                ended_at: delivery.ended_at().unwrap(),
                unanswered: delivery.unanswered(),
            };
        }
        let decided_at = delivery.in_doubt().map(|since| since.unix_micros() + ASKED);
        if decided_at.is_some_and(|decided_at| decided_at <= now) {
            assert!(delivery.resend(time));
            continue;
        }
        let wake = delivery.wake_at(policy).map(Timestamp::unix_micros);
        assert_eq!(wake.is_none(), decided_at.is_some(), "only a delivery in doubt has no wake-up");
        let wake = wake.or(decided_at).unwrap();
        let next = answers.iter().map(|(at, ..)| *at).min().unwrap_or(wake).min(wake);
        now = match tick {
            Some(tick) => now + tick,
            None => next,
        };
    }
}

proptest! {
    #[test]
    fn lone_delivery_is_neither_early_nor_late(
        // `Retry-After` and late responses have tests of their own.
        policy in policies(2_000).prop_filter("on its own", |it| it.guarantee() != DeliveryGuarantee::Ask),
        seed: u64,
        receiver in vec((outcomes(), proptest::option::of(0..3_000_000_i64)), 6),
    ) {
        let (message, endpoint) = ids();
        let seed = JitterSeed::new(seed, &message, &endpoint);
        let trace = lone(&policy, seed, &receiver, None);
        prop_assert_eq!(trace.starts[0], 0);
        for (index, start) in trace.starts.iter().enumerate().skip(1) {
            let (failed, end) = (u32::try_from(index).unwrap(), trace.ends[index - 1]);
            let delay = policy.schedule().delay(failed).unwrap();
            let longest = policy.jitter().longest(delay);
            let delay = policy.jitter().apply(delay, failed, seed);
            prop_assert!(delay <= longest);
            let timeout = i64::try_from(policy.attempt_timeout().as_micros()).unwrap();
            // A response exactly at the deadline is passed in before the poll there.
            let answered = receiver[index - 1].1.is_some_and(|latency| latency <= timeout);
            let took = receiver[index - 1].1.filter(|_| answered).unwrap_or(timeout);
            prop_assert_eq!(end, trace.starts[index - 1] + took);
            let asked = match &receiver[index - 1] {
                (Outcome::Response(response), Some(_)) if answered => response.retry_after(),
                _ => None,
            };
            let asked = match asked {
                Some(RetryAfter::Wait(asked)) => asked.min(policy.retry_after_cap()),
                _ => Duration::ZERO,
            };
            let wait = i64::try_from(delay.max(asked).as_micros()).unwrap();
            prop_assert_eq!(*start, end + wait);
        }
        let span = i64::try_from(policy.span().as_micros()).unwrap();
        prop_assert!(trace.ends.iter().all(|end| *end <= span), "the span covers it");
        // The receiver responds with a success to each of these, whether or not the response
        // arrives.
        let copies = trace
            .starts
            .iter()
            .zip(&receiver)
            .filter(|(_, (outcome, _))| outcome.status() == Some(StatusCode::OK))
            .count();
        let unanswered = usize::try_from(trace.unanswered).unwrap();
        prop_assert!(copies.saturating_sub(1) <= unanswered, "copies are bounded");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn waking_on_time_equals_waking_at_every_tick(
        policy in policies(3),
        seed: u64,
        receiver in vec((outcomes(), proptest::option::of(0..5_000_i64)), 6),
    ) {
        let (message, endpoint) = ids();
        let seed = JitterSeed::new(seed, &message, &endpoint);
        let trace = lone(&policy, seed, &receiver, None);
        prop_assert_eq!(lone(&policy, seed, &receiver, Some(1)), trace);
    }
}
