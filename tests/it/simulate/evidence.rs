//! What is no evidence against a receiver: chance, poisoned messages, and the sender's clock.

use std::time::Duration;

use http::StatusCode;
use labhook::health::State;
use labhook::policy::Load;
use labhook::simulate::{Behaviour, Chance, ClockShift, Poison, Receiver, Report, Scenario};
use labhook::{EndpointPolicy, RetryPolicy, Verdict};

use super::{DAY, count, down, millis, run, unavailable};
use crate::support::{answer, secs};

const YEAR: u64 = 365 * DAY;

fn error() -> Behaviour {
    Behaviour::Responds(answer(500))
}

// A rate that followed each refusal came to 1.1 % delivered.
#[test]
fn random_refusals_do_not_slow_an_endpoint() {
    let too_many = Behaviour::status(StatusCode::TOO_MANY_REQUESTS);
    let asking = Behaviour::retry_after(StatusCode::SERVICE_UNAVAILABLE, secs(30));
    for behaviour in [unavailable(), too_many, asking, error()] {
        for seed in 0..3 {
            let receiver = Receiver::new().add_chance(Chance::share(150_000, behaviour.clone()));
            let scenario = Scenario::new(Load::per_second(count(10)), secs(3_600))
                .with_seed(seed)
                .with_limit(secs(3_600))
                .add_endpoint(EndpointPolicy::default(), receiver);
            let report = run(&scenario);
            let delivered = report.ended(Verdict::Delivered);
            println!("{behaviour:?}: {delivered} of {}", report.accepted);
            assert!(delivered * 100 >= 98 * 36_000, "{behaviour:?}: {delivered}");
            assert_eq!(report.states, []);
        }
    }
}

// The endpoint was degraded, suspended, and disabled after a week.
#[test]
fn poisoned_messages_do_not_affect_the_others() {
    // The poisoned messages come one after another, or together with every ninth good one.
    let minutely = Load::new(count(1), secs(60));
    let bursts = Load::new(count(9), secs(540)).in_bursts(count(9));
    for (load, from) in [(minutely, 100), (minutely, 0), (bursts, 0)] {
        let receiver = Receiver::new().add_poison(Poison::numbers(from..from + 8, error()));
        let scenario =
            Scenario::new(load, secs(DAY)).add_endpoint(EndpointPolicy::default(), receiver);
        let report = run(&scenario);
        assert_eq!(report.states, []);
        assert_eq!(report.good.published, 1_440 - 8);
        assert_eq!(report.good.delivered, report.good.published);
        // Of nine at once, eight are in flight.
        assert!(report.good.latency.unwrap().max <= millis(40));
        assert_eq!(report.ended(Verdict::Exhausted), 8);
    }
}

/// Ten events a second for ten minutes to a receiver that takes 5 s, so that many attempts are in
/// flight when the clock jumps.
fn jumping(receiver: Receiver, at: u64, lasts: Duration, shift: ClockShift) -> Report {
    let retry = RetryPolicy::default().with_window(secs(3 * DAY));
    let receiver = receiver.with_latency(secs(5));
    run(&Scenario::new(Load::per_second(count(10)), secs(600))
        .with_limit(secs(7 * DAY))
        .add_clock_jump(secs(at), lasts, shift)
        .add_endpoint(EndpointPolicy::new(retry), receiver))
}

#[test]
fn clock_jump_takes_no_endpoint_down() {
    for (at, lasts, shift) in [
        (100, secs(3), ClockShift::Ahead(secs(DAY))),
        (100, Duration::MAX, ClockShift::Ahead(secs(14 * DAY))),
        (100, Duration::MAX, ClockShift::Behind(secs(14 * DAY))),
        // The time service answers a minute after boot.
        (0, secs(60), ClockShift::Behind(secs(YEAR))),
    ] {
        let report = jumping(Receiver::new(), at, lasts, shift);
        assert_eq!(report.states, [], "{shift:?}");
        // Weeks ahead, the window for a retry of what is in flight has ended, so that the delivery
        // has too when the response arrives.
        let expired = report.ended(Verdict::Expired);
        let leaps = [ClockShift::Ahead(secs(14 * DAY)), ClockShift::Behind(secs(YEAR))];
        let most = if leaps.contains(&shift) { 60 } else { 0 };
        assert!(expired <= most, "{shift:?} {expired}");
        assert_eq!(report.ended(Verdict::Delivered) + expired, 6_000, "{shift:?}");
        // What was in flight may be sent again, since its retry is due as well.
        assert!(report.duplicates <= 60 && report.retries <= 60, "{shift:?} {}", report.retries);
        assert_eq!(report.failed, 0, "{shift:?}");
    }
}

#[test]
fn clock_jump_expires_nothing_that_was_never_tried() {
    for (at, lasts, shift) in [
        (60, Duration::MAX, ClockShift::Ahead(secs(21 * DAY))),
        (0, secs(60), ClockShift::Behind(secs(YEAR))),
    ] {
        // Down for the first two minutes, in which only a few messages are tried.
        let report = jumping(down(120, Behaviour::refuses_connections()), at, lasts, shift);
        let tried = report.while_down;
        assert!(tried < 80, "{tried}");
        let (delivered, expired) =
            (report.ended(Verdict::Delivered), report.ended(Verdict::Expired));
        assert_eq!((delivered + expired, report.shed), (6_000, 0), "{shift:?} {:?}", report.states);
        assert!(expired <= tried, "{shift:?}: {expired} expired, {tried} were tried");
        let states: Vec<_> = report.states.iter().map(|(_, state)| *state).collect();
        assert_eq!(states, [State::Down, State::Healthy], "{shift:?}");
    }
}

#[test]
fn clock_step_back_delays_no_retry() {
    for (at, lasts, shift) in [
        (100, secs(3), ClockShift::Ahead(secs(DAY))),
        (100, Duration::MAX, ClockShift::Behind(secs(14 * DAY))),
        (0, secs(60), ClockShift::Ahead(secs(YEAR))),
    ] {
        // A twentieth fails, and the whole receiver is down for a minute around the step.
        let receiver = Receiver::new().add_chance(Chance::share(50_000, error())).add_outage(
            secs(70),
            secs(130),
            Behaviour::refuses_connections(),
        );
        let report = jumping(receiver, at, lasts, shift);
        assert_eq!(report.ended(Verdict::Delivered), 6_000, "{shift:?}");
        let recovered = report.states.last().map(|(at, state)| (*state, *at < secs(300)));
        assert_eq!(recovered, Some((State::Healthy, true)), "{shift:?}");
        // Three retries come within 36 min, and a fourth within 3 h.
        let latency = report.latency.unwrap();
        println!("{shift:?}: {latency:?}");
        assert!(latency.p50 < secs(300), "{shift:?} {latency:?}");
        assert!(latency.max < secs(4 * 3_600), "{shift:?} {latency:?}");
    }
}
