//! The invariants of a delivery, over random policies, outcomes and clocks.

use std::num::NonZeroU32;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn jitters() -> impl Strategy<Value = Jitter> {
    prop_oneof![
        Just(Jitter::NONE),
        Just(Jitter::FULL),
        Just(Jitter::EQUAL),
        any::<u8>().prop_map(Jitter::plus_minus),
        (any::<u8>(), 0..4_u64, 0..4_u64).prop_map(|(percent, min, max)| Jitter::added(
            percent,
            ms(min),
            ms(max)
        )),
        (0..4_u64, 0..9_u64).prop_map(|(base, cap)| Jitter::decorrelated(ms(base), ms(cap))),
    ]
}

fn schedules(longest: u64) -> impl Strategy<Value = Schedule> {
    prop_oneof![
        vec(0..=longest, 0..4).prop_map(|delays| Schedule::list(delays.into_iter().map(ms))),
        (vec(0..=longest, 1..3))
            .prop_map(|delays| Schedule::list(delays.into_iter().map(ms)).for_ever()),
        (0..=longest, 0..4_u32, 0..=longest, 0..5_u32).prop_map(|(base, factor, cap, retries)| {
            Schedule::exponential(ms(base), factor, ms(cap), retries)
        }),
    ]
}

/// Policies whose times are at most `longest` milliseconds, and which come to an end.
fn policies(longest: u64) -> impl Strategy<Value = Policy> {
    (
        schedules(longest),
        jitters(),
        1..=longest,
        proptest::option::of(1..=longest.saturating_mul(4)),
        1..6_u32,
        0..=longest,
    )
        .prop_map(|(schedule, jitter, timeout, window, attempts, cap)| {
            Policy::new(schedule)
                .with_jitter(jitter)
                .with_attempt_timeout(ms(timeout))
                .with_window(window.map(ms))
                .with_max_attempts(NonZeroU32::new(attempts))
                .with_retry_after_cap(ms(cap))
        })
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        2 => Just(answer(200)),
        6 => Just(answer(503)),
        1 => Just(answer(410)),
        1 => Just(answer(302)),
        4 => prop_oneof!["[0-9]{1,2}", "-?[0-9]{1,30}", "[a-zA-Z0-9 :,-]{0,30}"]
            .prop_map(|asked| answer_with(503, "retry-after", &asked)),
        1 => Just(answer_with(500, "webhook-delivery", "disable")),
        4 => prop_oneof![
            Just(Failure::Dns),
            Just(Failure::Connect),
            Just(Failure::Tls),
            Just(Failure::Timeout),
            Just(Failure::Broken),
            Just(Failure::Sender),
        ]
        .prop_map(Outcome::failed),
    ]
}

/// What a host or a clock may do, in any order.
#[derive(Clone, Debug)]
enum Step {
    Clock(i64),
    Poll,
    Start,
    Resolve(u32, Outcome),
    ResolveLive(Outcome),
    Unstart(u32),
    UnstartLive,
    End,
}

fn steps(clock: impl Strategy<Value = i64> + 'static) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => clock.prop_map(Step::Clock),
        4 => Just(Step::Poll),
        4 => Just(Step::Start),
        1 => (0..7_u32, outcomes()).prop_map(|(number, outcome)| Step::Resolve(number, outcome)),
        3 => outcomes().prop_map(Step::ResolveLive),
        1 => (0..7_u32).prop_map(Step::Unstart),
        1 => Just(Step::UnstartLive),
        1 => prop_oneof![9 => Just(Step::Poll), 1 => Just(Step::End)],
    ];
    vec(step, 0..60)
}

/// Takes one step and checks what holds in every one of them. `latest` is the latest time that the
/// delivery was shown, and `due` what its last retry was promised for.
fn take(
    delivery: &mut Delivery,
    policy: &Policy,
    dice: Dice<'_>,
    step: &Step,
    now: Timestamp,
    latest: Timestamp,
    due: &mut Option<Timestamp>,
) -> String {
    let before = delivery.clone();
    let live = before.in_flight().map(|started| started.number);
    let close = policy.window().map(|window| before.accepted_at() + window);
    let answer = match step {
        Step::Clock(_) => String::new(),
        Step::Poll => {
            let progress = delivery.poll(policy, dice, now);
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
                Progress::Due => assert!(close.is_none_or(|close| now < close)),
                Progress::Ended { verdict } => assert_eq!(delivery.verdict(), Some(verdict)),
            }
            let again = delivery.clone();
            assert_eq!(delivery.poll(policy, dice, now), progress);
            assert_eq!(*delivery, again, "polling again changes nothing");
            format!("{progress:?}")
        }
        Step::Start => {
            let started = delivery.start(policy, now);
            if let Some(started) = started {
                assert_eq!(live, None, "one live attempt");
                assert_eq!(started.number, before.attempts() + 1, "numbers rise by one");
                assert_eq!(started.deadline, now + policy.attempt_timeout());
                assert!(
                    close.is_none_or(|close| now < close),
                    "released in the window"
                );
                assert!(due.is_none_or(|due| latest >= due), "never early");
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
            let resolution = delivery.resolve(policy, dice, number, outcome, now);
            match resolution {
                Resolution::Ignored(_) => assert_eq!(*delivery, before, "a no-op is one"),
                Resolution::Retry { at } => {
                    assert!(at >= now, "never before the attempt's end");
                    assert!(close.is_none_or(|close| at < close));
                    *due = Some(at);
                }
                Resolution::Ended(verdict) => assert_eq!(delivery.verdict(), Some(verdict)),
                Resolution::LateSuccess => assert_ne!(live, Some(number)),
            }
            if outcome.status() == Some(StatusCode::OK)
                && (Some(number) == live || before.unanswered.contains(&number))
                && before.verdict().is_none()
            {
                assert_eq!(
                    delivery.verdict(),
                    Some(Verdict::Delivered),
                    "a success ends it"
                );
            }
            format!("{resolution:?}")
        }
        Step::Unstart(_) | Step::UnstartLive => {
            let number = match step {
                Step::Unstart(number) => *number,
                _ => live.unwrap_or(0),
            };
            let taken_back = delivery.unstart(number);
            assert_eq!(taken_back, live == Some(number));
            assert_eq!(
                delivery.attempts() + u32::from(taken_back),
                before.attempts()
            );
            format!("{taken_back}")
        }
        Step::End => format!("{}", delivery.end(Verdict::Cancelled, now)),
    };
    if before.verdict().is_some() {
        assert_eq!(*delivery, before, "terminal states absorb");
        assert_eq!(delivery.wake_at(policy), None);
    }
    assert!(delivery.unanswered() <= delivery.attempts());
    assert!(delivery.unanswered().abs_diff(before.unanswered()) <= 1);
    answer
}

/// Runs the steps, saving and restoring before each one if asked to, and gives all answers.
fn run(
    policy: &Policy,
    seed: u64,
    start: i64,
    steps: &[Step],
    restore: bool,
) -> (Vec<String>, Delivery, Timestamp) {
    let (message, endpoint) = ids();
    let dice = Dice::new(seed, &message, &endpoint);
    let mut now = Timestamp::from_unix_micros(start);
    let (mut latest, mut due) = (now, None);
    let mut delivery = Delivery::new(now);
    let mut answers = Vec::new();
    for step in steps {
        if let Step::Clock(micros) = step {
            now = Timestamp::from_unix_micros(now.unix_micros().saturating_add(*micros));
        } else {
            // What a delivery was never shown, it cannot have counted.
            latest = latest.max(now);
        }
        if restore {
            delivery = restored(&delivery);
        }
        answers.push(take(
            &mut delivery,
            policy,
            dice,
            step,
            now,
            latest,
            &mut due,
        ));
    }
    (answers, delivery, now)
}

/// Drives a delivery with crashes only, to its verdict.
fn drain(mut delivery: Delivery, policy: &Policy, seed: u64, mut now: Timestamp) -> Verdict {
    let (message, endpoint) = ids();
    let dice = Dice::new(seed, &message, &endpoint);
    for _ in 0..100 {
        match delivery.poll(policy, dice, now) {
            Progress::Due => assert!(delivery.start(policy, now).is_some()),
            Progress::InFlight { deadline, .. } => now = deadline,
            Progress::Wait { until } => now = until,
            Progress::Ended { verdict } => return verdict,
        }
    }
    panic!("no verdict: {delivery:?}")
}

/// What a lone host saw: when each attempt started, and how and when the delivery ended.
#[derive(Debug, PartialEq)]
struct Trace {
    starts: Vec<i64>,
    ends: Vec<i64>,
    verdict: Verdict,
    ended_at: Timestamp,
    unanswered: u32,
}

/// Drives a delivery on its own against a receiver which gives the outcomes, each after its
/// latency (`None`: never). It is looked at when it says so and when an answer comes, or at every
/// tick.
fn lone(
    policy: &Policy,
    dice: Dice<'_>,
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
            if delivery
                .in_flight()
                .is_some_and(|live| live.number == number)
            {
                ends.push(now);
            }
            delivery.resolve(policy, dice, number, &outcome, time);
        }
        if let Some(live) = delivery.in_flight()
            && live.deadline <= time
        {
            ends.push(live.deadline.unix_micros());
        }
        if delivery.poll(policy, dice, time) == Progress::Due {
            let started = delivery.start(policy, time).unwrap();
            starts.push(now);
            let turn = usize::try_from(started.number - 1).unwrap();
            if let Some((outcome, Some(latency))) = receiver.get(turn) {
                answers.push((now + latency, started.number, outcome.clone()));
            }
            // A latency of nothing is an answer at the same instant.
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
        let wake = delivery.wake_at(policy).unwrap().unix_micros();
        let next = answers
            .iter()
            .map(|(at, ..)| *at)
            .min()
            .unwrap_or(wake)
            .min(wake);
        now = match tick {
            Some(tick) => now + tick,
            None => next,
        };
    }
}

proptest! {
    #[test]
    fn any_calls_in_any_order_keep_the_invariants(
        policy in policies(20),
        seed: u64,
        steps in steps(prop_oneof![4 => 0..20_000_i64, 1 => -20_000..0_i64, 1 => Just(0)]),
    ) {
        let (answers, delivery, now) = run(&policy, seed, 0, &steps, false);
        let saved = run(&policy, seed, 0, &steps, true);
        prop_assert_eq!((answers, delivery.clone(), now), saved, "as if it had never stopped");
        let verdict = drain(delivery.clone(), &policy, seed, now);
        prop_assert!(delivery.verdict().is_none_or(|ended| ended == verdict));
    }

    #[test]
    fn the_extremes_do_not_overflow(
        policy in prop_oneof![policies(u64::MAX), policies(3)],
        seed: u64,
        start in prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(0), any::<i64>()],
        steps in steps(prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(1), any::<i64>()]),
    ) {
        let (_, delivery, _) = run(&policy, seed, start, &steps, true);
        prop_assert!(policy.span() >= policy.attempt_timeout());
        prop_assert_eq!(restored(&delivery), delivery);
    }

    #[test]
    fn a_clock_that_goes_back_lengthens_a_wait_by_no_more(
        policy in policies(1_000),
        seed: u64,
        back in 0..10_000_000_i64,
    ) {
        let (message, endpoint) = ids();
        let dice = Dice::new(seed, &message, &endpoint);
        let mut delivery = Delivery::new(at(0));
        let started = delivery.start(&policy, at(0)).unwrap();
        delivery.resolve(&policy, dice, started.number, &answer(503), at(0));
        if let Progress::Wait { until } = delivery.poll(&policy, dice, at(0)) {
            let earlier = Timestamp::from_unix_micros(-back);
            prop_assert_eq!(delivery.poll(&policy, dice, earlier), Progress::Wait { until });
            prop_assert_eq!(delivery.start(&policy, earlier), None);
            // Found due, it stays due.
            if delivery.poll(&policy, dice, until) == Progress::Due {
                prop_assert_eq!(delivery.poll(&policy, dice, earlier), Progress::Due);
            }
        }
    }

    #[test]
    fn on_its_own_it_is_neither_early_nor_late(
        policy in policies(2_000),
        seed: u64,
        receiver in vec((outcomes(), proptest::option::of(0..3_000_000_i64)), 6),
    ) {
        let (message, endpoint) = ids();
        let dice = Dice::new(seed, &message, &endpoint);
        let trace = lone(&policy, dice, &receiver, None);
        prop_assert_eq!(trace.starts[0], 0);
        for (index, start) in trace.starts.iter().enumerate().skip(1) {
            let (failed, end) = (u32::try_from(index).unwrap(), trace.ends[index - 1]);
            let delay = policy.schedule().delay(failed).unwrap();
            let longest = policy.jitter().longest(delay);
            let delay = policy.jitter().apply(delay, failed, dice);
            prop_assert!(delay <= longest);
            let answered = trace.ends[index - 1] - trace.starts[index - 1]
                < i64::try_from(policy.attempt_timeout().as_micros()).unwrap();
            let asked = match &receiver[index - 1] {
                (Outcome::Response(response), Some(_)) if answered => response.retry_after(),
                _ => None,
            };
            let asked = match asked {
                Some(RetryAfter::Wait(asked)) => asked.min(policy.retry_after_cap()),
                _ => Duration::ZERO,
            };
            let wait = i64::try_from(delay.max(asked).as_micros()).unwrap();
            // An answer at the very deadline may count as either.
            if answered {
                prop_assert_eq!(*start, end + wait);
            } else {
                prop_assert!(*start >= end + wait);
            }
        }
        let span = i64::try_from(policy.span().as_micros()).unwrap();
        prop_assert!(trace.ends.iter().all(|end| *end <= span), "the span covers it");
        prop_assert!(trace.unanswered <= u32::try_from(trace.starts.len()).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn waking_when_told_equals_waking_at_every_tick(
        policy in policies(3),
        seed: u64,
        receiver in vec((outcomes(), proptest::option::of(0..5_000_i64)), 6),
    ) {
        let (message, endpoint) = ids();
        let dice = Dice::new(seed, &message, &endpoint);
        let told = lone(&policy, dice, &receiver, None);
        prop_assert_eq!(lone(&policy, dice, &receiver, Some(1)), told);
    }
}
