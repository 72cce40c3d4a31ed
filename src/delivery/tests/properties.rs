//! The invariants of a delivery, over random policies, outcomes and clocks.

use proptest::collection::vec;
use proptest::prelude::*;

use super::strategies::{outcomes, policies};
use super::*;

/// What a host or a clock may do, in any order.
#[derive(Clone, Debug)]
enum Step {
    Clock(i64),
    Poll,
    Start,
    Resolve(u32, Outcome),
    ResolveLive(Outcome),
    CancelStart(u32),
    CancelLiveStart,
    End,
    Resend,
    /// In this number of microseconds.
    Replay(i64),
}

fn steps(clock: impl Strategy<Value = i64> + 'static) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        1 => Just(Step::Resend),
        1 => (-5_000..20_000_i64).prop_map(Step::Replay),
        4 => clock.prop_map(Step::Clock),
        4 => Just(Step::Poll),
        4 => Just(Step::Start),
        1 => (0..7_u32, outcomes()).prop_map(|(number, outcome)| Step::Resolve(number, outcome)),
        3 => outcomes().prop_map(Step::ResolveLive),
        1 => (0..7_u32).prop_map(Step::CancelStart),
        1 => Just(Step::CancelLiveStart),
        1 => prop_oneof![9 => Just(Step::Poll), 1 => Just(Step::End)],
    ];
    vec(step, 0..60)
}

/// Takes one step and checks what holds for every step. `latest` is the latest time passed to the
/// delivery, and `due` the time promised for its last retry.
fn take(
    delivery: &mut Delivery,
    policy: &RetryPolicy,
    seed: JitterSeed<'_>,
    step: &Step,
    now: Timestamp,
    latest: &mut Timestamp,
    due: &mut Option<Timestamp>,
) -> String {
    let before = delivery.clone();
    let live = before.in_flight().map(|started| started.number);
    let close = before.window_end(policy);
    let answer = match step {
        Step::Clock(_) => String::new(),
        Step::Poll => {
            let progress = delivery.poll(policy, seed, now);
            match progress {
                Progress::Wait { until } => {
                    assert!(until > now, "a wait is positive");
                    assert_eq!(delivery.wake_at(policy), Some(until), "a wait is exact");
                    *due = Some(until);
                }
                Progress::InFlight { number, deadline } => {
                    assert!(deadline > now);
                    assert_eq!(Some(number), live);
                    assert_eq!(delivery.wake_at(policy), Some(deadline));
                }
                Progress::InDoubt { since } => {
                    assert_eq!(policy.guarantee(), DeliveryGuarantee::Ask);
                    assert_eq!(delivery.in_doubt(), Some(since));
                    assert_eq!(delivery.wake_at(policy), None);
                    assert_eq!(delivery.claim_at(policy), None);
                }
                Progress::Due => {
                    assert!(delivery.window_end(policy).is_none_or(|close| now < close));
                    assert!(delivery.due_since().is_some_and(|since| since <= now));
                    assert_eq!(delivery.wake_at(policy), delivery.window_end(policy));
                }
                Progress::Ended { verdict } => assert_eq!(delivery.verdict(), Some(verdict)),
            }
            let again = delivery.clone();
            assert_eq!(delivery.poll(policy, seed, now), progress);
            assert_eq!(*delivery, again, "polling again changes nothing");
            format!("{progress:?}")
        }
        Step::Start => {
            let started = delivery.start(policy, now);
            if let Some(started) = started {
                assert_eq!(live, None, "one live attempt");
                assert_eq!(started.number, before.attempts() + 1, "attempt numbers rise by one");
                assert_eq!(started.at, now);
                assert_eq!(started.deadline, now + policy.attempt_timeout());
                let tries = started.number - before.before_replay();
                assert!(policy.max_attempts().is_none_or(|most| tries <= most.get()));
                assert!(policy.schedule().retries().is_none_or(|retries| tries - 1 <= retries));
                assert!(close.is_none_or(|close| now < close), "started within the window");
                assert!(due.is_none_or(|due| *latest >= due), "never early");
            } else {
                assert_eq!(*delivery, before);
            }
            format!("{started:?}")
        }
        Step::Resolve(..) | Step::ResolveLive(_) => {
            let (number, outcome) = match step {
                Step::Resolve(number, outcome) => (*number, outcome),
                Step::ResolveLive(outcome) => (live.unwrap_or(1), outcome),
                _ => unreachable!(),
            };
            let resolution = delivery.resolve(policy, seed, number, outcome, now);
            match resolution {
                Resolution::Ignored(_) => {
                    assert_eq!(*delivery, before, "an ignored outcome changes nothing")
                }
                Resolution::Retry { at } => {
                    assert!(at >= now, "never before the attempt's end");
                    let close = delivery.window_end(policy);
                    assert!(close.is_none_or(|close| at < close));
                    *due = Some(at);
                }
                Resolution::Ended(verdict) => assert_eq!(delivery.verdict(), Some(verdict)),
                Resolution::InDoubt => assert_eq!(delivery.in_doubt(), Some(now)),
                Resolution::LateSuccess => assert_ne!(live, Some(number)),
            }
            if outcome.status() == Some(StatusCode::OK)
                && (Some(number) == live || before.unanswered.contains(number))
                && before.verdict().is_none()
            {
                assert_eq!(delivery.verdict(), Some(Verdict::Delivered), "a success ends it");
            }
            format!("{resolution:?}")
        }
        Step::CancelStart(_) | Step::CancelLiveStart => {
            let number = match step {
                Step::CancelStart(number) => *number,
                _ => live.unwrap_or(0),
            };
            let taken_back = delivery.cancel_start(number);
            assert_eq!(taken_back, live == Some(number));
            assert_eq!(delivery.attempts() + u32::from(taken_back), before.attempts());
            format!("{taken_back}")
        }
        Step::End => format!("{}", delivery.end(Verdict::Cancelled, now)),
        Step::Resend => {
            let resent = delivery.resend(now);
            assert_eq!(resent, before.in_doubt().is_some());
            assert_eq!(resent, *delivery != before);
            if resent {
                *due = Some(now);
            }
            format!("{resent}")
        }
        Step::Replay(micros) => {
            let first = Timestamp::from_unix_micros(now.unix_micros().saturating_add(*micros));
            let replayed = delivery.replay(first);
            let lives = before.expires_at().is_none_or(|expires_at| first < expires_at);
            assert_eq!(replayed, live.is_none() && lives);
            assert_eq!(delivery.replays(), before.replays() + u32::from(replayed));
            if replayed {
                assert_eq!(delivery.wake_at(policy), Some(first));
                assert_eq!((delivery.verdict(), delivery.ended_at()), (None, None));
                // Earlier promises are void, even later ones.
                *due = Some(first);
                *latest = now;
            } else {
                assert_eq!(*delivery, before, "a rejected replay is a no-op");
            }
            assert_eq!(delivery.attempts(), before.attempts(), "attempt numbers continue");
            assert_eq!(delivery.unanswered, before.unanswered, "late responses can still arrive");
            assert_eq!(
                delivery.unanswered(),
                before.unanswered(),
                "the count of unanswered attempts continues"
            );
            format!("{replayed}")
        }
    };
    if before.verdict().is_some() && before.replays() == delivery.replays() {
        assert_eq!(*delivery, before, "terminal states absorb");
        assert_eq!(delivery.wake_at(policy), None);
    }
    assert!(delivery.unanswered() <= delivery.attempts());
    assert!(delivery.unanswered().abs_diff(before.unanswered()) <= 1);
    answer
}

/// Runs the steps, saving and restoring before each one if asked to, and returns all results.
fn run(
    policy: &RetryPolicy,
    lifetime: Option<i64>,
    seed: u64,
    start: i64,
    steps: &[Step],
    restore: bool,
) -> (Vec<String>, Delivery, Timestamp) {
    let (message, endpoint) = ids();
    let seed = JitterSeed::new(seed, &message, &endpoint);
    let mut now = Timestamp::from_unix_micros(start);
    let (mut latest, mut due) = (now, None);
    let expires_at = lifetime.map(|it| Timestamp::from_unix_micros(start.saturating_add(it)));
    let mut delivery = Delivery::new(now).with_expires_at(expires_at);
    let mut answers = Vec::new();
    for step in steps {
        if let Step::Clock(micros) = step {
            now = Timestamp::from_unix_micros(now.unix_micros().saturating_add(*micros));
        } else {
            // A delivery cannot have counted what was never passed to it.
            latest = latest.max(now);
        }
        if restore {
            delivery = restored(&delivery);
        }
        answers.push(take(&mut delivery, policy, seed, step, now, &mut latest, &mut due));
    }
    (answers, delivery, now)
}

/// Drives a delivery to its verdict with crashes only; if in doubt it is resent.
fn drain(mut delivery: Delivery, policy: &RetryPolicy, seed: u64, mut now: Timestamp) -> Verdict {
    let (message, endpoint) = ids();
    let seed = JitterSeed::new(seed, &message, &endpoint);
    for _ in 0..100 {
        match delivery.poll(policy, seed, now) {
            Progress::Due => assert!(delivery.start(policy, now).is_some()),
            Progress::InFlight { deadline, .. } => now = deadline,
            Progress::Wait { until } => now = until,
            Progress::InDoubt { .. } => assert!(delivery.resend(now)),
            Progress::Ended { verdict } => return verdict,
        }
    }
    panic!("no verdict: {delivery:?}")
}

proptest! {
    #[test]
    fn any_sequence_of_calls_keeps_the_invariants(
        policy in policies(20),
        lifetime in proptest::option::of(1..100_000_i64),
        seed: u64,
        steps in steps(prop_oneof![4 => 0..20_000_i64, 1 => -20_000..0_i64, 1 => Just(0)]),
    ) {
        let (answers, delivery, now) = run(&policy, lifetime, seed, 0, &steps, false);
        let saved = run(&policy, lifetime, seed, 0, &steps, true);
        prop_assert_eq!((answers, delivery.clone(), now), saved, "same as without restarts");
        let verdict = drain(delivery.clone(), &policy, seed, now);
        prop_assert!(delivery.verdict().is_none_or(|ended| ended == verdict));
    }

    #[test]
    fn extreme_times_do_not_overflow(
        policy in prop_oneof![policies(u64::MAX), policies(3)],
        lifetime in proptest::option::of(any::<i64>()),
        seed: u64,
        start in prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(0), any::<i64>()],
        steps in steps(prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(1), any::<i64>()]),
    ) {
        let (_, delivery, _) = run(&policy, lifetime, seed, start, &steps, true);
        prop_assert!(policy.span() >= policy.attempt_timeout());
        prop_assert_eq!(restored(&delivery), delivery);
    }

    #[test]
    fn backward_clock_lengthens_waits_by_its_step(
        policy in policies(1_000),
        seed: u64,
        back in 0..10_000_000_i64,
    ) {
        let (message, endpoint) = ids();
        let seed = JitterSeed::new(seed, &message, &endpoint);
        let mut delivery = Delivery::new(at(0));
        let started = delivery.start(&policy, at(0)).unwrap();
        delivery.resolve(&policy, seed, started.number, &answer(503), at(0));
        if let Progress::Wait { until } = delivery.poll(&policy, seed, at(0)) {
            let earlier = Timestamp::from_unix_micros(-back);
            let delay = policy.schedule().delay(1).unwrap();
            let longest = policy.jitter().longest(delay).max(policy.retry_after_cap());
            let until = until.min(earlier + longest);
            let progress = delivery.poll(&policy, seed, earlier);
            if longest.is_zero() {
                prop_assert_eq!(progress, Progress::Due);
                return Ok(());
            }
            prop_assert_eq!(progress, Progress::Wait { until });
            prop_assert_eq!(delivery.start(&policy, earlier), None);
            // Once found due, it stays due.
            if delivery.poll(&policy, seed, until) == Progress::Due {
                prop_assert_eq!(delivery.poll(&policy, seed, earlier), Progress::Due);
            }
        }
    }
}

fn states() -> impl Strategy<Value = State> {
    let time = || any::<i64>().prop_map(Timestamp::from_unix_micros);
    prop_oneof![
        time().prop_map(|since| State::Due { since }),
        time().prop_map(|due| State::Waiting { due }),
        (time(), time()).prop_map(|(at, deadline)| State::InFlight { at, deadline }),
        time().prop_map(|since| State::InDoubt { since }),
        time().prop_map(|at| State::Ended { verdict: Verdict::Gone, at }),
    ]
}

fn replays() -> impl Strategy<Value = Replayed> {
    let count = || prop_oneof![0..3_u32, u32::MAX - 1..=u32::MAX];
    (count(), count(), any::<i64>()).prop_map(|(times, after, due)| Replayed {
        times,
        after,
        due: Timestamp::from_unix_micros(due),
    })
}

proptest! {
    #[test]
    fn forged_record_never_panics(
        policy in policies(20),
        attempts in prop_oneof![0..3_u32, u32::MAX - 1..=u32::MAX],
        unanswered in vec(any::<(u32, u32)>(), 0..20),
        forgotten in prop_oneof![Just(0), any::<u32>()],
        expires_at in proptest::option::of(any::<i64>().prop_map(Timestamp::from_unix_micros)),
        replayed in proptest::option::of(replays()),
        state in states(),
        steps in vec((0..7, 0..3_u32, outcomes(), any::<i64>()), 0..20),
    ) {
        let (message, endpoint) = ids();
        let seed = JitterSeed::new(7, &message, &endpoint);
        let unanswered = serde_json::from_value(serde_json::json!(unanswered)).unwrap();
        let accepted_at = at(0);
        let mut delivery = Delivery {
            accepted_at, attempts, unanswered, forgotten, expires_at, replayed, state,
        };
        for (call, number, outcome, now) in steps {
            let number = attempts.saturating_sub(number);
            let now = Timestamp::from_unix_micros(now);
            match call {
                0 => {
                    let progress = delivery.poll(&policy, seed, now);
                    let mut again = delivery.clone();
                    let starts = again.start(&policy, now).is_some();
                    prop_assert_eq!(starts, progress == Progress::Due, "what is due can start");
                }
                1 => drop(delivery.start(&policy, now)),
                2 => drop(delivery.cancel_start(number)),
                3 => drop(delivery.end(Verdict::Cancelled, now)),
                4 => drop(delivery.resend(now)),
                5 => drop(delivery.replay(now)),
                _ => drop(delivery.resolve(&policy, seed, number, &outcome, now)),
            }
            prop_assert_eq!(restored(&delivery), delivery.clone());
        }
    }
}
