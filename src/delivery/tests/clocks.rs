//! Clocks that are wrong for a while, with the exact instants.

use super::*;

const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

const EXPIRED: Progress = Progress::Ended { verdict: Verdict::Expired };

/// 5 s, then 20 s; 10 s for each attempt, and up to a minute of `Retry-After`.
fn policy() -> RetryPolicy {
    RetryPolicy::new(Schedule::list([ms(5_000), ms(20_000)]))
        .with_attempt_timeout(ms(10_000))
        .with_retry_after_cap(ms(60_000))
}

fn day_window() -> RetryPolicy {
    policy().with_window(Duration::from_secs(86_400))
}

fn poll(delivery: &mut Delivery, policy: &RetryPolicy, now: i64) -> Progress {
    let (message, endpoint) = ids();
    let seed = JitterSeed::new(7, &message, &endpoint);
    let progress = delivery.poll(policy, seed, at(now));
    let after = delivery.clone();
    assert_eq!(delivery.poll(policy, seed, at(now)), progress);
    assert_eq!(*delivery, after, "polling again changes nothing");
    *delivery = restored(delivery);
    assert_eq!(*delivery, after);
    progress
}

fn fail(delivery: &mut Delivery, policy: &RetryPolicy, now: i64) -> Resolution {
    let (message, endpoint) = ids();
    let number = delivery.attempts();
    delivery.resolve(policy, JitterSeed::new(7, &message, &endpoint), number, &answer(503), at(now))
}

/// Makes the attempt that is due, which fails at once.
fn attempt(delivery: &mut Delivery, policy: &RetryPolicy, now: i64) -> Resolution {
    assert_eq!(poll(delivery, policy, now), Progress::Due);
    assert!(delivery.start(policy, at(now)).is_some());
    fail(delivery, policy, now)
}

fn wait(until: i64) -> Progress {
    Progress::Wait { until: at(until) }
}

fn retry(due: i64) -> Resolution {
    Resolution::Retry { at: at(due) }
}

#[test]
fn wait_planned_a_day_ahead_is_pulled_in() {
    let policy = policy();
    let mut delivery = Delivery::new(at(0));
    assert_eq!(attempt(&mut delivery, &policy, DAY), retry(DAY + 5_000));
    // Three seconds later the clock is right again. The longest possible wait is `Retry-After`'s.
    assert_eq!(poll(&mut delivery, &policy, 3_000), wait(63_000));
    assert_eq!(delivery.wake_at(&policy), Some(at(63_000)));
    assert_eq!(delivery.next_at(), Some(at(63_000)));
    assert_eq!(delivery.start(&policy, at(62_999)), None);
    assert_eq!(poll(&mut delivery, &policy, 62_999), wait(63_000));
    assert_eq!(poll(&mut delivery, &policy, 63_000), Progress::Due);
    assert_eq!(delivery.due_since(), Some(at(63_000)));
    // Without heed to `Retry-After` it is the delay of that step.
    let strict = policy.with_retry_after_cap(Duration::ZERO).with_jitter(Jitter::plus_minus(20));
    let mut delivery = Delivery::new(at(0));
    attempt(&mut delivery, &strict, DAY);
    assert_eq!(poll(&mut delivery, &strict, 3_000), wait(9_000));
    assert_eq!(poll(&mut delivery, &strict, 9_000), Progress::Due);
    assert!(delivery.start(&strict, at(DAY)).is_some());
    fail(&mut delivery, &strict, DAY);
    assert_eq!(poll(&mut delivery, &strict, 10_000), wait(34_000));
}

#[test]
fn possible_wait_is_kept_by_a_clock_step_back() {
    let policy = policy();
    let mut delivery = Delivery::new(at(0));
    assert_eq!(attempt(&mut delivery, &policy, 100_000), retry(105_000));
    for now in [100_000, 90_000, 45_000] {
        assert_eq!(poll(&mut delivery, &policy, now), wait(105_000));
    }
    assert_eq!(poll(&mut delivery, &policy, 44_000), wait(104_000));
    assert_eq!(poll(&mut delivery, &policy, 104_000), Progress::Due);
    // What was found due stays due, and not since the future.
    assert_eq!(poll(&mut delivery, &policy, 50_000), Progress::Due);
    assert_eq!(delivery.due_since(), Some(at(50_000)));
}

#[test]
fn replay_planned_far_ahead_keeps_its_instant() {
    let policy = day_window();
    let mut delivery = Delivery::new(at(0));
    assert_eq!(attempt(&mut delivery, &policy, 0), retry(5_000));
    assert!(delivery.replay(at(30 * DAY)));
    for now in [0, -YEAR, 30 * DAY - 1] {
        assert_eq!(poll(&mut delivery, &policy, now), wait(30 * DAY));
        assert_eq!(delivery.wake_at(&policy), Some(at(30 * DAY)));
    }
    // Its first attempt has no window, its retries have.
    assert_eq!(poll(&mut delivery, &policy, 40 * DAY), Progress::Due);
    assert_eq!((delivery.window_end(&policy), delivery.wake_at(&policy)), (None, None));
    let expired = Resolution::Ended(Verdict::Expired);
    assert_eq!(attempt(&mut delivery, &policy, 40 * DAY), expired);
    // The retry of a replay is the policy's again.
    assert!(delivery.replay(at(YEAR)));
    assert_eq!(attempt(&mut delivery, &policy, YEAR), retry(YEAR + 5_000));
    assert_eq!(poll(&mut delivery, &policy, 41 * DAY), wait(41 * DAY + 60_000));
}

/// As a damaged record has it. Without a limit the attempt would time out in 200,000 years.
#[test]
fn start_and_deadline_far_ahead_time_out() {
    let state = State::InFlight { at: at(YEAR), deadline: Timestamp::MAX };
    let mut delivery = Delivery { attempts: 1, state, ..Delivery::new(at(0)) };
    let deadline = at(DAY);
    assert_eq!(poll(&mut delivery, &policy(), 0), Progress::InFlight { number: 1, deadline });
    assert_eq!(poll(&mut delivery, &policy(), DAY), wait(DAY + 5_000));
}

/// As a damaged record has it: only a replay lets a first attempt wait.
#[test]
fn first_attempt_that_waits_without_a_replay_is_due() {
    let state = State::Waiting { due: Timestamp::MAX };
    let mut delivery = Delivery { state, ..Delivery::new(at(0)) };
    assert_eq!(poll(&mut delivery, &policy(), 0), Progress::Due);
    assert_eq!(delivery.due_since(), Some(at(0)));
}

/// As a damaged record has it: a replay says itself when it is due.
#[test]
fn first_attempt_of_a_replay_is_due_as_planned() {
    let mut delivery = Delivery::new(at(0));
    attempt(&mut delivery, &policy(), 0);
    assert!(delivery.replay(at(DAY)));
    delivery.state = State::Waiting { due: Timestamp::MAX };
    assert_eq!(poll(&mut delivery, &policy(), 0), wait(DAY));
    assert_eq!(poll(&mut delivery, &policy(), DAY), Progress::Due);
}

#[test]
fn attempt_started_a_day_ahead_times_out_on_time() {
    let policy = policy();
    let mut delivery = Delivery::new(at(0));
    assert_eq!(poll(&mut delivery, &policy, DAY), Progress::Due);
    assert_eq!(delivery.start(&policy, at(DAY)).unwrap().deadline, at(DAY + 10_000));
    // The sender crashes, and its clock is right again 3 s later.
    let deadline = at(13_000);
    assert_eq!(poll(&mut delivery, &policy, 3_000), Progress::InFlight { number: 1, deadline });
    assert_eq!(delivery.wake_at(&policy), Some(deadline));
    let started = delivery.in_flight().unwrap();
    assert_eq!((started.number, started.at, started.deadline), (1, at(3_000), deadline));
    assert_eq!(poll(&mut delivery, &policy, 12_999), Progress::InFlight { number: 1, deadline });
    // The wait is from the deadline.
    assert_eq!(poll(&mut delivery, &policy, 13_000), wait(18_000));
    assert_eq!(delivery.unanswered(), 1);
    assert_eq!(poll(&mut delivery, &policy, 18_000), Progress::Due);
}

#[test]
fn attempt_renewed_a_year_ahead_times_out_on_time() {
    let policy = policy();
    let mut delivery = Delivery::new(at(0));
    assert!(delivery.start(&policy, at(0)).is_some());
    delivery.renew_attempt(at(YEAR));
    let in_flight = |deadline| Progress::InFlight { number: 1, deadline: at(deadline) };
    assert_eq!(poll(&mut delivery, &policy, YEAR + 9_999), in_flight(YEAR + 10_000));
    // The clock is right again, and later than when the attempt started.
    assert_eq!(poll(&mut delivery, &policy, 3_000), in_flight(13_000));
}

#[test]
fn damaged_deadline_ends_within_a_day() {
    let day = Duration::from_secs(24 * 60 * 60);
    // An attempt of more than a day is possible as well.
    for (timeout, expected) in [(ms(10_000), DAY), (2 * day, 2 * DAY)] {
        let policy = policy().with_attempt_timeout(timeout);
        let mut delivery = Delivery::new(at(0));
        assert!(delivery.start(&policy, at(0)).is_some());
        let mut json = serde_json::to_value(&delivery).unwrap();
        json["state"]["in_flight"]["deadline"] = i64::MAX.into();
        let mut damaged = serde_json::from_value(json).unwrap();
        let deadline = at(3_000 + expected);
        let in_flight = Progress::InFlight { number: 1, deadline };
        assert_eq!(poll(&mut damaged, &policy, 3_000), in_flight);
        assert_eq!(poll(&mut damaged, &policy, 9_000), in_flight);
    }
}

#[test]
fn boot_a_year_ahead_expires_nothing_untried() {
    let policy = day_window();
    let mut delivery = Delivery::new(at(0));
    assert_eq!((delivery.window_end(&policy), delivery.wake_at(&policy)), (None, None));
    assert_eq!(delivery.claim_at(&policy), Some(at(0)));
    assert_eq!(poll(&mut delivery, &policy, YEAR), Progress::Due);
    // The time service answers: nothing has happened.
    assert_eq!(poll(&mut delivery, &policy, 1_000), Progress::Due);
    assert_eq!(attempt(&mut delivery, &policy, 1_000), retry(6_000));
    assert_eq!(delivery.window_end(&policy), Some(at(DAY)));
    // Or the first attempt is made before it answers. A cancelled one leaves no trace.
    let mut early = Delivery::new(at(0));
    assert!(early.start(&policy, at(YEAR)).is_some());
    assert_eq!(early.window_end(&policy), None, "it may start");
    assert!(early.cancel_start(1));
    assert_eq!(poll(&mut early, &policy, YEAR), Progress::Due);
    assert_eq!(attempt(&mut early, &policy, YEAR), Resolution::Ended(Verdict::Expired));
    assert_eq!(early.ended_at(), Some(at(YEAR)));
}

#[test]
fn message_accepted_a_year_ahead_is_retried() {
    let policy = day_window();
    let mut delivery = Delivery::new(at(YEAR));
    assert_eq!(attempt(&mut delivery, &policy, YEAR), retry(YEAR + 5_000));
    assert_eq!(poll(&mut delivery, &policy, 1_000), wait(61_000));
    assert_eq!(attempt(&mut delivery, &policy, 61_000), retry(81_000));
    // The limit of this rule: the window ends later by what the clock was ahead.
    assert_eq!(delivery.window_end(&policy), Some(at(YEAR + DAY)));
    assert_eq!(attempt(&mut delivery, &policy, 81_000), Resolution::Ended(Verdict::Exhausted));
}

#[test]
fn weeks_forward_end_the_window_of_retries_only() {
    let policy = day_window();
    let (mut untried, mut tried, mut live) =
        (Delivery::new(at(0)), Delivery::new(at(0)), Delivery::new(at(0)));
    assert_eq!(attempt(&mut tried, &policy, 0), retry(5_000));
    assert!(live.start(&policy, at(0)).is_some());
    let later = 21 * DAY;
    assert_eq!(poll(&mut untried, &policy, later), Progress::Due);
    assert_eq!(poll(&mut tried, &policy, later), EXPIRED);
    assert_eq!(tried.ended_at(), Some(at(DAY)));
    // Its deadline came first, and its retry is too late.
    assert_eq!(poll(&mut live, &policy, later), EXPIRED);
    assert_eq!((live.ended_at(), live.unanswered()), (Some(at(DAY)), 1));
    // The lifetime is strict.
    let mut lived = Delivery::new(at(0)).with_expires_at(at(2 * DAY));
    assert_eq!(lived.window_end(&policy), Some(at(2 * DAY)));
    assert_eq!(lived.wake_at(&policy), Some(at(2 * DAY)));
    assert_eq!(lived.start(&policy, at(2 * DAY)), None);
    assert_eq!(poll(&mut lived, &policy, 2 * DAY - 1), Progress::Due);
    assert_eq!(poll(&mut lived, &policy, later), EXPIRED);
    assert_eq!(lived.ended_at(), Some(at(2 * DAY)));
}

#[test]
fn two_weeks_back_block_nothing() {
    let (policy, back) = (day_window(), -14 * DAY);
    let mut untried = Delivery::new(at(0));
    assert_eq!(poll(&mut untried, &policy, back), Progress::Due);
    assert_eq!(untried.due_since(), Some(at(back)));
    assert_eq!(attempt(&mut untried, &policy, back), retry(back + 5_000));

    let mut waiting = Delivery::new(at(0));
    assert_eq!(attempt(&mut waiting, &policy, 0), retry(5_000));
    assert_eq!(poll(&mut waiting, &policy, back), wait(back + 60_000));
    assert_eq!(attempt(&mut waiting, &policy, back + 60_000), retry(back + 80_000));

    let mut live = Delivery::new(at(0));
    assert!(live.start(&policy, at(0)).is_some());
    let deadline = at(back + 10_000);
    assert_eq!(poll(&mut live, &policy, back), Progress::InFlight { number: 1, deadline });
    assert_eq!(poll(&mut live, &policy, back + 10_000), wait(back + 15_000));

    // A response before any poll counts from when it arrives.
    let mut answered = Delivery::new(at(0));
    assert!(answered.start(&policy, at(0)).is_some());
    assert_eq!(fail(&mut answered, &policy, back), retry(back + 5_000));

    // A resend is due at once, and waits no longer than a retry.
    let ask = policy.with_guarantee(DeliveryGuarantee::Ask);
    let mut doubtful = Delivery::new(at(0));
    assert!(doubtful.start(&ask, at(0)).is_some());
    assert_eq!(poll(&mut doubtful, &ask, 10_000), Progress::InDoubt { since: at(10_000) });
    assert_eq!(poll(&mut doubtful, &ask, back), Progress::InDoubt { since: at(10_000) });
    assert!(doubtful.resend(at(10_000)));
    assert_eq!(poll(&mut doubtful, &ask, back), wait(back + 60_000));
}

#[test]
fn shorter_policy_shortens_a_pending_wait() {
    let policy = RetryPolicy::new(Schedule::list([Duration::from_secs(86_400)]));
    let mut delivery = Delivery::new(at(0));
    assert_eq!(attempt(&mut delivery, &policy, 0), retry(DAY));
    assert_eq!(poll(&mut delivery, &policy, SECOND), wait(DAY));
    let shorter = policy.with_schedule(Schedule::list([ms(5_000)]));
    assert_eq!(poll(&mut delivery, &shorter, SECOND), wait(SECOND + HOUR));
    assert_eq!(delivery.wake_at(&shorter), Some(at(SECOND + HOUR)));
    // A policy without retries exhausts it no later than that.
    let mut delivery = Delivery::new(at(0));
    assert_eq!(attempt(&mut delivery, &shorter, 0), retry(5_000));
    let none = shorter.with_schedule(Schedule::NONE);
    assert_eq!(poll(&mut delivery, &none, SECOND), wait(5_000));
    let exhausted = Progress::Ended { verdict: Verdict::Exhausted };
    assert_eq!(poll(&mut delivery, &none, 5_000), exhausted);
}

#[test]
fn due_delivery_knows_since_when() {
    let policy = policy();
    let mut delivery = Delivery::new(at(-5));
    assert_eq!(delivery.due_since(), Some(at(-5)));
    assert_eq!(poll(&mut delivery, &policy, 0), Progress::Due);
    assert_eq!(delivery.due_since(), Some(at(-5)));
    assert_eq!(attempt(&mut delivery, &policy, 0), retry(5_000));
    assert_eq!(delivery.due_since(), None);
    // No matter how late it is found, and over a restart.
    assert_eq!(poll(&mut delivery, &policy, 9_000), Progress::Due);
    assert_eq!(poll(&mut delivery, &policy, 9_500), Progress::Due);
    assert_eq!(restored(&delivery).due_since(), Some(at(5_000)));
    let number = delivery.start(&policy, at(9_600)).unwrap().number;
    assert_eq!(delivery.due_since(), None);
    assert!(delivery.cancel_start(number));
    assert_eq!(delivery.due_since(), Some(at(9_600)));
    assert!(delivery.end(Verdict::Cancelled, at(9_700)));
    assert_eq!(delivery.due_since(), None);
    assert!(delivery.replay(at(9_800)));
    assert_eq!(delivery.due_since(), None, "before the poll that finds it due");
    assert_eq!(poll(&mut delivery, &policy, 9_900), Progress::Due);
    assert_eq!(delivery.due_since(), Some(at(9_800)));
}
