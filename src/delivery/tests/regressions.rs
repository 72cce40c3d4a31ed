//! Faults of mature engines, and behaviour that hosts rely on, one by one.

use super::*;

/// Starts and resolves the attempt that is due at `now`.
fn attempt(
    delivery: &mut Delivery,
    policy: &RetryPolicy,
    outcome: &Outcome,
    now: i64,
) -> Resolution {
    let (message, endpoint) = ids();
    let seed = JitterSeed::new(7, &message, &endpoint);
    assert_eq!(delivery.poll(policy, seed, at(now)), Progress::Due);
    let started = delivery.start(policy, at(now)).unwrap();
    delivery.resolve(policy, seed, started.number, outcome, at(now))
}

fn poll(delivery: &mut Delivery, policy: &RetryPolicy, now: i64) -> Progress {
    let (message, endpoint) = ids();
    delivery.poll(policy, JitterSeed::new(7, &message, &endpoint), at(now))
}

fn resolve(
    delivery: &mut Delivery,
    policy: &RetryPolicy,
    number: u32,
    outcome: &Outcome,
    now: i64,
) -> Resolution {
    let (message, endpoint) = ids();
    let seed = JitterSeed::new(7, &message, &endpoint);
    delivery.resolve(policy, seed, number, outcome, at(now))
}

// Fault 1.
#[test]
fn retry_after_is_not_clamped_to_the_schedule() {
    let mut delivery = Delivery::new(at(0));
    let asked = answer_with(503, "retry-after", "120");
    assert_eq!(
        attempt(&mut delivery, &RetryPolicy::svix(), &asked, 0),
        Resolution::Retry { at: at(120_000) }
    );
    assert_eq!(
        poll(&mut delivery, &RetryPolicy::svix(), 119_999),
        Progress::Wait { until: at(120_000) }
    );
    assert_eq!(delivery.start(&RetryPolicy::svix(), at(119_999)), None);
}

// Fault 1.
#[test]
fn retry_after_applies_up_to_its_cap() {
    let policy = RetryPolicy::strike().with_retry_after_cap(ms(60_000));
    for (asked, due) in [
        ("59", 59_000),
        ("61", 60_000),
        ("99999999999999999999999", 60_000),
        ("1", 3_000),
        ("Thu, 01 Jan 1970 00:00:30 GMT", 30_000),
        ("Wed, 31 Dec 1969 00:00:00 GMT", 3_000),
        ("soon", 3_000),
    ] {
        let mut delivery = Delivery::new(at(0));
        assert_eq!(
            attempt(&mut delivery, &policy, &answer_with(503, "retry-after", asked), 0),
            Resolution::Retry { at: at(due) },
            "{asked}"
        );
    }
}

// Fault 2.
#[test]
fn retry_after_of_a_429_takes_effect() {
    let mut delivery = Delivery::new(at(0));
    let asked = answer_with(429, "retry-after", "60");
    assert_eq!(
        attempt(&mut delivery, &RetryPolicy::standard_webhooks(), &asked, 0),
        Resolution::Retry { at: at(60_000) }
    );
}

// Fault 6.
#[test]
fn wait_is_positive_and_finite() {
    let zero = RetryPolicy::new(Schedule::list([Duration::ZERO]).forever());
    let mut delivery = Delivery::new(at(0));
    assert_eq!(attempt(&mut delivery, &zero, &answer(503), 0), Resolution::Retry { at: at(0) });
    // A listed delay of zero is due at once, never a wait until now; a recurring delay is not zero.
    assert_eq!(attempt(&mut delivery, &zero, &answer(503), 0), Resolution::Retry { at: at(1) });
    assert_eq!(poll(&mut delivery, &zero, 0), Progress::Wait { until: at(1) });
}

// Fault 8.
#[test]
fn window_is_enforced() {
    let policy = RetryPolicy::strike().with_window(ms(10_000));
    let mut delivery = Delivery::new(at(0));
    let first = attempt(&mut delivery, &policy, &answer(503), 0);
    assert_eq!(first, Resolution::Retry { at: at(3_000) });
    // The next would be due at 3 s + 9 s, past the window: it ends now.
    let second = attempt(&mut delivery, &policy, &answer(503), 3_000);
    assert_eq!(second, Resolution::Ended(Verdict::Expired));
    assert_eq!(delivery.ended_at(), Some(at(3_000)));
}

// Fault 8.
#[test]
fn no_attempt_starts_at_the_end_of_the_window() {
    let policy = RetryPolicy::strike().with_window(ms(10_000));
    let mut delivery = Delivery::new(at(0));
    attempt(&mut delivery, &policy, &answer(503), 0);
    assert_eq!(poll(&mut delivery, &policy, 3_000), Progress::Due);
    assert_eq!(delivery.wake_at(&policy), Some(at(10_000)));
    assert_eq!(delivery.start(&policy, at(10_000)), None);
    assert_eq!(delivery.verdict(), None, "only poll and resolve expire it");
    let mut late = delivery.clone();
    assert_eq!(poll(&mut late, &policy, 12_000), Progress::Ended { verdict: Verdict::Expired });
    assert_eq!(late.ended_at(), Some(at(10_000)));
    // Started just before the end, it keeps its whole timeout and may succeed after the window.
    let started = delivery.start(&policy, at(9_999)).unwrap();
    assert_eq!(started.deadline, at(14_999));
    assert_eq!(
        resolve(&mut delivery, &policy, 2, &answer(204), 14_000),
        Resolution::Ended(Verdict::Delivered)
    );
}

#[test]
fn late_success_ends_it_despite_a_later_attempt() {
    let policy = RetryPolicy::strike();
    let mut delivery = Delivery::new(at(0));
    assert_eq!(delivery.start(&policy, at(0)).unwrap().number, 1);
    assert_eq!(poll(&mut delivery, &policy, 5_000), Progress::Wait { until: at(8_000) });
    assert_eq!(poll(&mut delivery, &policy, 8_000), Progress::Due);
    assert_eq!(delivery.start(&policy, at(8_000)).unwrap().number, 2);
    assert_eq!(delivery.unanswered(), 1);
    assert_eq!(
        resolve(&mut delivery, &policy, 1, &answer(503), 8_001),
        Resolution::Ignored(Ignored::LateFailure)
    );
    assert_eq!(resolve(&mut delivery, &policy, 1, &answer(200), 8_002), Resolution::LateSuccess);
    assert_eq!(delivery.verdict(), Some(Verdict::Delivered));
    assert_eq!(
        resolve(&mut delivery, &policy, 2, &answer(200), 8_003),
        Resolution::Ignored(Ignored::Ended)
    );
    // The abandoned attempt got no response either.
    assert_eq!(delivery.unanswered(), 2);
}

#[test]
fn late_success_that_is_repeated_ends_no_replay() {
    let policy = RetryPolicy::svix();
    let (mut delivery, broken) = (Delivery::new(at(0)), Outcome::failed(Failure::Broken));
    assert!(matches!(attempt(&mut delivery, &policy, &broken, 0), Resolution::Retry { .. }));
    assert_eq!(resolve(&mut delivery, &policy, 1, &answer(200), 1), Resolution::LateSuccess);
    assert!(delivery.replay(at(2)));
    let repeated = resolve(&mut delivery, &policy, 1, &answer(200), 3);
    assert_eq!(repeated, Resolution::Ignored(Ignored::AlreadyResolved));
    assert_eq!(poll(&mut delivery, &policy, 4), Progress::Due);
    assert_eq!(delivery.unanswered(), 1);
}

#[test]
fn late_wake_up_keeps_the_schedule() {
    let policy = RetryPolicy::strike();
    for late in [0, 1, 2_999] {
        let mut delivery = Delivery::new(at(0));
        assert!(delivery.start(&policy, at(0)).is_some());
        assert_eq!(poll(&mut delivery, &policy, 5_000 + late), Progress::Wait { until: at(8_000) });
    }
    // After a long sleep or a crash, one call finds both the timeout and the wait over.
    let mut delivery = Delivery::new(at(0));
    assert!(delivery.start(&policy, at(0)).is_some());
    assert_eq!(poll(&mut delivery, &policy, 1_000_000), Progress::Due);
    assert_eq!(delivery.unanswered(), 1);
}

#[test]
fn unexpected_responses_change_nothing() {
    let policy = RetryPolicy::strike();
    let mut delivery = Delivery::new(at(0));
    for number in [0, 1, u32::MAX] {
        assert_eq!(
            resolve(&mut delivery, &policy, number, &answer(200), 0),
            Resolution::Ignored(Ignored::NeverStarted)
        );
    }
    attempt(&mut delivery, &policy, &answer(500), 0);
    let before = delivery.clone();
    assert_eq!(
        resolve(&mut delivery, &policy, 1, &answer(200), 1),
        Resolution::Ignored(Ignored::AlreadyResolved)
    );
    assert_eq!(
        resolve(&mut delivery, &policy, 2, &answer(200), 1),
        Resolution::Ignored(Ignored::NeverStarted)
    );
    assert_eq!(delivery, before);
}

#[test]
fn response_past_an_unseen_deadline_counts() {
    let policy = RetryPolicy::strike();
    let mut delivery = Delivery::new(at(0));
    assert!(delivery.start(&policy, at(0)).is_some());
    assert_eq!(
        resolve(&mut delivery, &policy, 1, &answer(410), 6_000),
        Resolution::Ended(Verdict::Rejected)
    );
}

#[test]
fn stricter_policy_applies_to_unstarted_attempts() {
    let policy = RetryPolicy::strike();
    let mut delivery = Delivery::new(at(0));
    let retry = Resolution::Retry { at: at(3_000) };
    assert_eq!(attempt(&mut delivery, &policy, &answer(503), 0), retry);
    // No attempt is left, which shows when one would be due.
    let once = RetryPolicy::strike().with_max_attempts(std::num::NonZeroU32::MIN);
    let mut limited = delivery.clone();
    assert_eq!(poll(&mut limited, &once, 2_999), Progress::Wait { until: at(3_000) });
    assert_eq!(limited.start(&once, at(4_000)), None);
    let exhausted = Progress::Ended { verdict: Verdict::Exhausted };
    assert_eq!(poll(&mut limited, &once, 4_000), exhausted);
    assert_eq!(limited.ended_at(), Some(at(3_000)));
    // A window that ends before the retry is over as soon as that is seen.
    let window = RetryPolicy::strike().with_window(ms(1_000));
    assert_eq!(delivery.wake_at(&window), Some(at(1_000)));
    let expired = Progress::Ended { verdict: Verdict::Expired };
    assert_eq!(poll(&mut delivery, &window, 2_000), expired);
    assert_eq!(delivery.ended_at(), Some(at(2_000)));
}

#[test]
fn highest_attempt_number_allows_no_further_attempt() {
    let policy = RetryPolicy::new(Schedule::list([ms(5)]).forever()).with_attempt_timeout(ms(5));
    let exhausted = Progress::Ended { verdict: Verdict::Exhausted };
    let last = |state: &str| -> Delivery {
        let json = format!(r#"{{"accepted_at":0,"attempts":{},"state":{state}}}"#, u32::MAX);
        serde_json::from_str(&json).unwrap()
    };
    // No retry of the last one, none that was promised, and none that is replayed.
    let live = last(r#"{"in_flight":{"at":0,"deadline":5000}}"#);
    // In a replay it may be an early one.
    let replayed = Replayed { times: 1, after: u32::MAX - 1, due: at(0) };
    for replayed in [None, Some(replayed)] {
        let mut live = Delivery { replayed, ..live.clone() };
        assert_eq!(
            resolve(&mut live, &policy, u32::MAX, &answer(503), 1),
            Resolution::Ended(Verdict::Exhausted)
        );
    }
    for state in [r#"{"due":{"since":0}}"#, r#"{"waiting":{"due":0}}"#] {
        let mut delivery = last(state);
        assert_eq!(delivery.start(&policy, at(0)), None);
        assert_eq!(poll(&mut delivery, &policy, 0), exhausted);
        assert!(delivery.replay(at(0)));
        assert_eq!(delivery.start(&policy, at(0)), None);
        assert_eq!(poll(&mut delivery, &policy, 0), exhausted);
    }
}

#[test]
fn attempt_keeps_its_start_over_a_restart() {
    let policy = RetryPolicy::strike();
    let mut delivery = Delivery::new(at(0));
    let started = delivery.start(&policy, at(1_234)).unwrap();
    assert_eq!((started.number, started.at, started.deadline), (1, at(1_234), at(6_234)));
    assert_eq!(restored(&delivery).in_flight(), Some(started));
    // A clock that goes back, but not behind the start, is no reason to change it.
    assert_eq!(
        poll(&mut delivery, &policy, 1_234),
        Progress::InFlight { number: 1, deadline: at(6_234) }
    );
    assert_eq!(delivery.in_flight(), Some(started));
    assert_eq!(
        serde_json::to_string(&started).unwrap(),
        r#"{"number":1,"at":1234000,"deadline":6234000}"#
    );
}

#[test]
fn cancelled_start_returns_its_number() {
    let policy = RetryPolicy::strike();
    let mut delivery = Delivery::new(at(0));
    assert!(!delivery.cancel_start(0));
    assert!(delivery.start(&policy, at(0)).is_some());
    assert!(!delivery.cancel_start(2));
    assert!(delivery.cancel_start(1));
    assert!(!delivery.cancel_start(1));
    assert_eq!(delivery.attempts(), 0);
    assert_eq!(
        resolve(&mut delivery, &policy, 1, &answer(200), 0),
        Resolution::Ignored(Ignored::NeverStarted)
    );
    assert_eq!(poll(&mut delivery, &policy, 0), Progress::Due);
    assert_eq!(delivery.start(&policy, at(0)).unwrap().number, 1);
}

#[test]
fn each_ending_has_its_verdict() {
    let policy = RetryPolicy::standard_webhooks();
    for (outcome, verdict) in [
        (answer(200), Verdict::Delivered),
        (answer(299), Verdict::Delivered),
        (answer(410), Verdict::Gone),
        (answer_with(500, "webhook-delivery", "disable"), Verdict::Gone),
        (answer_with(500, "webhook-delivery", "abort-message"), Verdict::Stopped),
        (answer_with(200, "webhook-delivery", "abort-message"), Verdict::Delivered),
        (answer_with(503, "retry-after", "-1"), Verdict::Stopped),
    ] {
        let mut delivery = Delivery::new(at(0));
        assert_eq!(
            attempt(&mut delivery, &policy, &outcome, 0),
            Resolution::Ended(verdict),
            "{outcome:?}"
        );
    }
    let mut delivery = Delivery::new(at(0));
    assert_eq!(
        attempt(&mut delivery, &RetryPolicy::none(), &answer(302), 0),
        Resolution::Ended(Verdict::Exhausted)
    );
    let mut delivery = Delivery::new(at(0));
    assert!(delivery.end(Verdict::Cancelled, at(1)));
    assert!(!delivery.end(Verdict::Gone, at(2)));
    assert_eq!(delivery.verdict(), Some(Verdict::Cancelled));
    assert_eq!(delivery.ended_at(), Some(at(1)));
}

#[test]
fn only_ambiguous_failures_count_as_unanswered() {
    for (failure, unanswered) in [
        (Failure::Dns, 0),
        (Failure::Connect, 0),
        (Failure::Tls, 0),
        (Failure::Sender, 0),
        (Failure::Timeout, 1),
        (Failure::Broken, 1),
    ] {
        let mut delivery = Delivery::new(at(0));
        let outcome = Outcome::failed(failure);
        assert_eq!(
            attempt(&mut delivery, &RetryPolicy::strike(), &outcome, 0),
            Resolution::Retry { at: at(3_000) }
        );
        assert_eq!(delivery.unanswered(), unanswered, "{failure:?}");
        assert_eq!(outcome.is_in_doubt(), unanswered == 1);
    }
}

#[test]
fn oldest_unanswered_attempts_are_forgotten() {
    let endless = RetryPolicy::new(Schedule::list([Duration::from_secs(1)]).forever())
        .with_attempt_timeout(Duration::from_secs(1));
    let mut delivery = Delivery::new(at(0));
    // Each odd-numbered attempt times out.
    for number in 1..=100 {
        let now = i64::from(number - 1) * 2_000;
        assert_eq!(poll(&mut delivery, &endless, now), Progress::Due);
        assert_eq!(delivery.start(&endless, at(now)).unwrap().number, number);
        if number % 2 == 0 {
            resolve(&mut delivery, &endless, number, &answer(500), now + 1_000);
        } else {
            poll(&mut delivery, &endless, now + 1_000);
        }
        assert_eq!(delivery.unanswered(), number.div_ceil(2));
        assert_eq!(restored(&delivery), delivery);
        for late in 1..=number {
            let known = late % 2 == 1 && late + 32 > number.div_ceil(2) * 2 - 1;
            let mut delivery = delivery.clone();
            let answered = resolve(&mut delivery, &endless, late, &answer(200), now + 1_500);
            let forgotten = Resolution::Ignored(Ignored::AlreadyResolved);
            assert_eq!(answered, if known { Resolution::LateSuccess } else { forgotten });
            assert_eq!(delivery.unanswered(), number.div_ceil(2));
        }
    }
    let json = serde_json::to_value(&delivery).unwrap();
    assert_eq!(json["unanswered"].as_array().unwrap().len(), 16);
    assert_eq!(json["forgotten"], 34);
}

#[test]
fn delivery_has_a_stable_serialized_form() {
    let policy = RetryPolicy::strike();
    let mut delivery = Delivery::new(at(0));
    let json = |delivery: &Delivery| serde_json::to_string(delivery).unwrap();
    assert_eq!(json(&delivery), r#"{"accepted_at":0,"attempts":0,"state":{"due":{"since":0}}}"#);
    assert!(delivery.start(&policy, at(0)).is_some());
    assert_eq!(
        json(&delivery),
        r#"{"accepted_at":0,"attempts":1,"state":{"in_flight":{"at":0,"deadline":5000000}}}"#
    );
    poll(&mut delivery, &policy, 6_000);
    assert_eq!(
        json(&delivery),
        r#"{"accepted_at":0,"attempts":1,"unanswered":[[1,1]],"state":{"waiting":{"due":8000000}}}"#
    );
    delivery.end(Verdict::Cancelled, at(7_000));
    assert_eq!(
        json(&delivery),
        concat!(
            r#"{"accepted_at":0,"attempts":1,"unanswered":[[1,1]],"#,
            r#""state":{"ended":{"verdict":"cancelled","at":7000000}}}"#
        )
    );
    assert_eq!(restored(&delivery), delivery);

    let outcome = answer_with(503, "retry-after", "-5");
    assert_eq!(
        serde_json::to_string(&outcome).unwrap(),
        r#"{"response":{"status":503,"retry_after":"stop"}}"#
    );
    let mut headers = HeaderMap::new();
    headers.insert("retry-after", "5".parse().unwrap());
    headers.append("webhook-delivery", "Abort-Message".parse().unwrap());
    headers.append("webhook-delivery", "pause".parse().unwrap());
    let outcome = Outcome::response(StatusCode::OK, &headers, at(0));
    let text =
        r#"{"response":{"status":200,"retry_after":{"wait_ms":5000},"control":"abort-message"}}"#;
    assert_eq!(serde_json::to_string(&outcome).unwrap(), text);
    assert_eq!(serde_json::from_str::<Outcome>(text).unwrap(), outcome);
    assert_eq!(
        serde_json::to_string(&Outcome::failed(Failure::Dns)).unwrap(),
        r#"{"failed":"dns"}"#
    );
    assert!(serde_json::from_str::<Outcome>(r#"{"response":{"status":99}}"#).is_err());
}
