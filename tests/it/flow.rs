//! The flow of one endpoint and its machines, each on its own, to the microsecond.

use std::num::NonZeroU32;
use std::time::Duration;

use labhook::Timestamp;
use labhook::flow::{
    AdaptiveRate, AdaptiveRatePolicy, AttemptKind, ConcurrencyLimit, ConcurrencyLimitPolicy,
    Feedback, Flow, FlowDecision, FlowPolicy, RateLimit, RateLimitPolicy, RetryBudget,
    RetryBudgetPolicy,
};

use crate::support::{at, secs};

fn nz(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const TICK: Duration = Duration::from_micros(1);

/// When each of so many releases goes, all asked for at once.
fn releases(
    policy: &RateLimitPolicy,
    rate: &mut RateLimit,
    count: usize,
    mut now: Timestamp,
) -> Vec<u64> {
    let start = now;
    let mut times = Vec::new();
    while times.len() < count {
        match rate.wait(policy, now) {
            Some(until) => {
                assert!(until > now);
                assert_eq!(rate.wait(policy, until - TICK), Some(until), "not a tick earlier");
                now = until;
            }
            None => {
                rate.released(policy, now);
                times.push(u64::try_from(now.saturating_since(start).as_micros()).unwrap());
            }
        }
    }
    times
}

#[test]
fn a_rate_is_kept_exactly() {
    let three = RateLimitPolicy::per_second(nz(3)).with_burst(nz(2));
    let times = releases(&three, &mut RateLimit::new(), 8, at(0));
    assert_eq!(times, [0, 0, 333_334, 666_667, 1_000_000, 1_333_334, 1_666_667, 2_000_000]);

    // Nothing is lost to rounding where a burst catches up: each is where it belongs.
    let seven = RateLimitPolicy::new(nz(7), secs(1)).with_burst(nz(2));
    let times = releases(&seven, &mut RateLimit::new(), 70_002, at(0));
    assert_eq!(times[70_001], 10_000_000_000);

    let slow = RateLimitPolicy::new(nz(2), secs(60));
    assert_eq!(releases(&slow, &mut RateLimit::new(), 3, at(0)), [0, 30_000_000, 60_000_000]);
    let fast = RateLimitPolicy::per_second(nz(3_000_000)).with_burst(nz(3));
    assert_eq!(releases(&fast, &mut RateLimit::new(), 9, at(0)), [0, 0, 0, 1, 1, 1, 2, 2, 2]);
}

#[test]
fn a_rate_goes_by_its_policy_from_then_on() {
    let (second, minute) =
        (RateLimitPolicy::per_second(nz(1)), RateLimitPolicy::new(nz(1), secs(60)));
    let mut rate = RateLimit::new();
    rate.released(&second, at(0));
    assert_eq!(rate.wait(&second, at(0)), Some(at(1)));
    assert_eq!(rate.wait(&minute, at(0)), Some(at(60)), "one release is one release");
    assert_eq!(rate.wait(&second.with_burst(nz(2)), at(0)), None);
    rate.released(&minute, at(30));
    assert_eq!(rate.wait(&second, at(30)), Some(at(30) + ms(1_500)));
}

#[test]
fn a_rate_at_the_extremes_still_limits() {
    let day = Duration::from_secs(86_400);
    let huge = RateLimitPolicy::new(nz(1), Duration::MAX).with_burst(nz(u32::MAX));
    assert_eq!(huge.per(), day);
    let mut rate: RateLimit =
        serde_json::from_str(r#"{"level": 18446744073709551615, "cost": 1, "at": 0}"#).unwrap();
    let until = rate.wait(&huge, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(until, Timestamp::UNIX_EPOCH + day, "one day for the one that is too many");
    rate.released(&huge, Timestamp::MAX);
    assert_eq!(
        rate.wait(&RateLimitPolicy::per_second(nz(1)), Timestamp::MAX),
        Some(Timestamp::MAX)
    );
    assert_eq!(RateLimitPolicy::new(nz(1), Duration::ZERO).per(), ms(1));
}

#[test]
fn a_window_doubles_each_round_trip_and_then_grows_by_one() {
    let policy = ConcurrencyLimitPolicy::adaptive(nz(1), nz(64));
    let (mut window, mut now) = (ConcurrencyLimit::new(), at(0));
    let mut sizes = Vec::new();
    let round = |window: &mut ConcurrencyLimit, now: &mut Timestamp| {
        let limit = window.limit(&policy).get();
        for _ in 0..limit {
            window.succeeded(&policy, limit);
        }
        *now += ms(20);
        window.limit(&policy).get()
    };
    for _ in 0..5 {
        sizes.push(round(&mut window, &mut now));
    }
    assert!(window.overloaded(&policy, now, now));
    sizes.push(window.limit(&policy).get());
    for _ in 0..3 {
        sizes.push(round(&mut window, &mut now));
    }
    assert_eq!(sizes, [2, 4, 8, 16, 32, 16, 17, 18, 19]);
    for _ in 0..100 {
        round(&mut window, &mut now);
    }
    assert_eq!(window.limit(&policy).get(), 64, "the maximum");
}

#[test]
fn a_window_falls_once_for_all_attempts_in_flight() {
    let policy = ConcurrencyLimitPolicy::adaptive(nz(64), nz(64));
    let mut window = ConcurrencyLimit::new();
    assert!(window.overloaded(&policy, at(0), at(2)));
    for started in [0, 1, 2] {
        assert!(!window.overloaded(&policy, at(started), at(3)), "started before it fell");
    }
    assert_eq!(window.limit(&policy).get(), 32);
    assert!(window.overloaded(&policy, at(3), at(4)));
    assert_eq!(window.limit(&policy).get(), 16);
    // A clock that went back by a minute: what starts from there on counts.
    assert!(!window.overloaded(&policy, at(-55), at(-54)));
    assert!(window.overloaded(&policy, at(-53), at(-50)));
    assert_eq!(window.limit(&policy).get(), 8);
    for second in 5..50 {
        window.overloaded(&policy, at(second), at(second));
    }
    assert_eq!(window.limit(&policy).get(), 1, "never 0");
}

#[test]
fn a_window_that_is_not_used_does_not_grow() {
    let policy = ConcurrencyLimitPolicy::adaptive(nz(8), nz(64));
    let mut window = ConcurrencyLimit::new();
    for _ in 0..100 {
        window.succeeded(&policy, 3);
    }
    assert_eq!(window.limit(&policy).get(), 8);
    window.succeeded(&policy, 4);
    assert_eq!(window.limit(&policy).get(), 9);
    assert_eq!(
        window.limit(&ConcurrencyLimitPolicy::adaptive(nz(1), nz(4))).get(),
        4,
        "the policy's cap"
    );
}

#[test]
fn a_fixed_window_stays() {
    let policy = ConcurrencyLimitPolicy::fixed(nz(8));
    let mut window = ConcurrencyLimit::new();
    assert!(!window.overloaded(&policy, at(0), at(0)));
    window.succeeded(&policy, 8);
    window.recovered();
    assert_eq!(window.limit(&policy).get(), 8);
}

/// How many go at once, each time all those in flight have succeeded.
fn rounds(flow: &mut Flow, policy: &FlowPolicy, count: usize) -> Vec<u32> {
    let mut now = at(0);
    (0..count)
        .map(|_| {
            let mut went = 0;
            while flow.check(policy, AttemptKind::First, now) == FlowDecision::Go {
                flow.start(policy, AttemptKind::First, now);
                went += 1;
            }
            let started_at = now;
            now += ms(20);
            for _ in 0..went {
                flow.end(policy, started_at, Feedback::Success, now);
            }
            went
        })
        .collect()
}

/// Fault 7: a breaker that is half open admits everything, and a success releases the backlog.
#[test]
fn a_receiver_that_is_back_is_met_with_one_and_then_with_twice_as_many() {
    let policy = FlowPolicy::adaptive();
    let mut flow = Flow::new();
    assert_eq!(rounds(&mut flow, &policy, 5), [8, 16, 32, 64, 64]);
    flow.recovered();
    flow.recovered();
    assert_eq!(rounds(&mut flow, &policy, 8), [1, 2, 4, 8, 16, 32, 64, 64]);
}

/// Fault 11: a budget that only successes refill, and that blocks where it is empty, stands still.
#[test]
fn an_empty_budget_lets_first_attempts_go_and_retries_trickle() {
    let budget = RetryBudgetPolicy::new(0, secs(10));
    let policy = FlowPolicy::fixed().with_retry_budget(budget);
    let (mut flow, mut now) = (Flow::new(), at(0));
    let mut retries = Vec::new();
    while retries.len() < 4 {
        for class in [AttemptKind::First, AttemptKind::Probe] {
            assert_eq!(flow.check(&policy, class, now), FlowDecision::Go);
        }
        match flow.check(&policy, AttemptKind::Retry, now) {
            FlowDecision::Go => {
                flow.start(&policy, AttemptKind::Retry, now);
                flow.end(&policy, now, Feedback::Other, now);
                retries.push(now);
            }
            FlowDecision::Wait { until } => {
                assert!(until > now && until <= now + secs(10), "{until}");
                now = until;
            }
            FlowDecision::Busy => panic!("nothing is in flight"),
        }
    }
    assert_eq!(retries, [at(0), at(10), at(20), at(30)]);
}

#[test]
fn first_attempts_save_up_retries_to_a_cap() {
    let policy = RetryBudgetPolicy::new(20, secs(10)).with_max_saved(nz(2));
    let mut budget = RetryBudget::new();
    budget.retried(&policy, at(0));
    for _ in 0..4 {
        budget.first(&policy);
        assert_eq!(budget.wait(&policy, at(0)), Some(at(10)));
    }
    for _ in 0..100 {
        budget.first(&policy);
        assert_eq!(budget.wait(&policy, at(0)), None);
    }
    budget.retried(&policy, at(0));
    budget.retried(&policy, at(0));
    assert_eq!(budget.wait(&policy, at(0)), Some(at(10)), "two were saved, no more");
    assert_eq!(budget.wait(&policy, at(10)), None);

    let mut budget = RetryBudget::new();
    budget.retried(&policy, at(0));
    for _ in 0..100 {
        budget.first(&policy);
    }
    let higher = policy.with_max_saved(nz(9));
    budget.retried(&higher, at(0));
    budget.retried(&higher, at(0));
    assert_eq!(budget.wait(&higher, at(0)), Some(at(10)), "a higher cap brings nothing back");
}

/// Fault 6: an open breaker that answers with no delay makes its host spin.
#[test]
fn whoever_may_not_go_is_told_a_later_instant() {
    let policy = FlowPolicy::adaptive().with_rate_limit(RateLimitPolicy::per_second(nz(1)));
    let mut flow = Flow::new();
    for clock in [at(0), at(0), at(-5)] {
        flow.start(&policy, AttemptKind::Retry, clock);
        flow.end(&policy, clock, Feedback::TooFast, clock);
        flow.pause_until(&policy, clock, clock);
        for class in [AttemptKind::First, AttemptKind::Retry, AttemptKind::Probe] {
            let FlowDecision::Wait { until } = flow.check(&policy, class, clock) else { panic!() };
            assert!(until > clock);
            assert_eq!(flow.wake_at(&policy, class, clock), Some(until));
            assert_eq!(flow.check(&policy, class, until), FlowDecision::Go);
        }
    }
    assert_eq!(flow.in_flight(), 0, "no attempt was used up");
}

#[test]
fn a_hold_is_for_all_and_never_shortened() {
    let policy = FlowPolicy::fixed();
    let mut flow = Flow::new();
    flow.pause_until(&policy, at(120), at(0));
    flow.pause_until(&policy, at(30), at(1));
    flow.pause_until(&policy, Timestamp::MIN, at(1));
    for class in [AttemptKind::First, AttemptKind::Retry, AttemptKind::Probe] {
        assert_eq!(flow.check(&policy, class, at(1)), FlowDecision::Wait { until: at(120) });
        assert_eq!(
            flow.check(&policy, class, at(120) - TICK),
            FlowDecision::Wait { until: at(120) }
        );
        assert_eq!(flow.check(&policy, class, at(120)), FlowDecision::Go);
    }
    flow.pause_until(&policy, Timestamp::MAX, at(10));
    assert_eq!(flow.wake_at(&policy, AttemptKind::First, at(11)), Some(at(3_610)), "the cap");
    let deaf = policy.with_hold_cap(Duration::ZERO);
    let mut flow = Flow::new();
    flow.pause_until(&deaf, at(120), at(0));
    assert_eq!(flow.check(&deaf, AttemptKind::First, at(0)), FlowDecision::Go);
}

#[test]
fn a_pace_starts_with_what_was_delivered() {
    let policy = AdaptiveRatePolicy::new(secs(10));
    let mut pace = AdaptiveRate::new();
    for i in 0..1_000 {
        let now = at(0) + ms(10 * i);
        assert_eq!(pace.wait(&policy, now), None, "no limit before the first refusal");
        pace.released(&policy, now);
        pace.succeeded(&policy, now, now + ms(5));
    }
    let now = at(10);
    assert!(pace.refused(&policy, now, now));
    // A hundred a second were delivered, less those whose answer closed a period.
    let spacing = pace.spacing(&policy).unwrap();
    assert!(spacing >= ms(11) && spacing < Duration::from_micros(11_300), "{spacing:?}");
    // None of those on their way, nor of the second after, counts again.
    for i in 0..100 {
        assert!(!pace.refused(&policy, now - ms(i), now + ms(5)));
        assert!(!pace.refused(&policy, now + ms(9 * i), now + ms(9 * i)));
    }
    assert_eq!(pace.spacing(&policy), Some(spacing));
    // By then nothing is delivered at all: to a quarter at a time, and to the slowest.
    for i in 1..100 {
        let later = at(10 + 50 * i);
        assert!(pace.refused(&policy, later, later));
    }
    assert_eq!(pace.spacing(&policy), Some(secs(10)));
    pace.released(&policy, at(9_000));
    assert_eq!(pace.wait(&policy, at(9_000)), Some(at(9_010)));
}

#[test]
fn a_pace_learns_nothing_from_before_its_fall() {
    let policy = AdaptiveRatePolicy::new(secs(10));
    let mut pace = AdaptiveRate::new();
    assert!(pace.refused(&policy, at(0), at(0)));
    let spacing = pace.spacing(&policy).unwrap();
    for _ in 0..100 {
        pace.succeeded(&policy, at(-1), at(1));
    }
    for _ in 0..4 {
        assert!(!pace.refused(&policy, at(2), at(3)));
    }
    assert!(pace.refused(&policy, at(5), at(5)));
    let slower = pace.spacing(&policy).unwrap();
    assert!(slower >= spacing * 4 - secs(1) && slower <= spacing * 4 + secs(1), "to a quarter");
}

#[test]
fn a_pace_is_never_under_its_policys_slowest() {
    let mut pace = AdaptiveRate::new();
    for i in 0..50 {
        pace.refused(&AdaptiveRatePolicy::new(secs(60)), at(1_000 * i), at(1_000 * i));
    }
    assert_eq!(
        pace.spacing(&AdaptiveRatePolicy::new(secs(60))),
        Some(Duration::from_micros(59_998_801))
    );
    assert_eq!(pace.spacing(&AdaptiveRatePolicy::new(secs(1))), Some(secs(1)));
    pace.released(&AdaptiveRatePolicy::new(secs(1)), at(50_000));
    assert_eq!(pace.wait(&AdaptiveRatePolicy::new(secs(1)), at(50_000)), Some(at(50_001)));
}

#[test]
fn a_pace_that_nobody_uses_does_not_climb() {
    let policy = AdaptiveRatePolicy::new(secs(10));
    let mut pace = AdaptiveRate::new();
    assert!(pace.refused(&policy, at(0), at(0)));
    let slow = pace.spacing(&policy);
    assert_eq!(slow, Some(Duration::from_micros(1_111_112)), "nine tenths of one a second");
    for i in 1..100 {
        pace.succeeded(&policy, at(100 * i), at(100 * i));
    }
    assert_eq!(pace.spacing(&policy), slow);
}

#[test]
fn each_signal_has_its_machine() {
    let adaptive = FlowPolicy::adaptive();
    let fell = |policy: &FlowPolicy, feedback| {
        let mut flow = Flow::new();
        flow.start(policy, AttemptKind::First, at(0));
        flow.end(policy, at(0), feedback, at(1));
        let pace =
            policy.adaptive_rate().and_then(|pace| flow.adaptive_rate().spacing(pace)).is_some();
        (pace, flow.concurrency().limit(policy.concurrency()).get() < 8)
    };
    assert_eq!(fell(&adaptive, Feedback::TooFast), (true, false));
    assert_eq!(fell(&adaptive, Feedback::Overloaded), (true, true));
    assert_eq!(fell(&adaptive, Feedback::Other), (false, false));
    assert_eq!(fell(&adaptive.with_adaptive_rate(None), Feedback::TooFast), (false, true));
    assert_eq!(fell(&FlowPolicy::fixed(), Feedback::Overloaded), (false, false));
}

#[test]
fn attempts_in_flight_are_counted_by_their_starts_and_ends() {
    let policy = FlowPolicy::fixed();
    let mut flow = Flow::new();
    flow.end(&policy, at(0), Feedback::Success, at(0));
    assert_eq!(rounds(&mut flow, &policy, 2), [8, 8], "an end too many is no harm");
    flow.set_in_flight(8);
    assert_eq!(flow.check(&policy, AttemptKind::Probe, at(0)), FlowDecision::Busy);
    assert_eq!(flow.wake_at(&policy, AttemptKind::Probe, at(0)), None);
    flow.set_in_flight(0);
    assert_eq!(flow.check(&policy, AttemptKind::Probe, at(0)), FlowDecision::Go);
}
