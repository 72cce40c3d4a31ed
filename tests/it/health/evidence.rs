//! What counts as evidence against an endpoint: messages that fail, not their retries.

use std::time::Duration;

use labhook::Timestamp;
use labhook::health::{Gate, Signal, SignalEffect, State};

use super::fixture::{Endpoint, TICK, at, default, secs};

use Signal::{Failed, Neutral, Refused, Success};
use State::{Down, Healthy};

#[test]
fn retry_that_fails_again_is_no_evidence() {
    let mut endpoint = Endpoint::new(default());
    assert_eq!(endpoint.attempt(Failed, at(0)), SignalEffect::Counted);
    let counted = endpoint.health.clone();
    for number in 2..1_000 {
        for signal in [Failed, Refused] {
            let effect = endpoint.retry(number, signal, at(number.into()));
            assert_eq!(effect, SignalEffect::Ignored, "{number}");
        }
    }
    assert_eq!(endpoint.health, counted);
    // A retry that succeeds is a success.
    assert_eq!(endpoint.retry(1_000, Success, at(1_000)), SignalEffect::Counted);
    assert_eq!(endpoint.health.failures(), 0);
    // A probe is a probe, whether it is a first attempt or a retry.
    endpoint.fail(at(1_000));
    let due = endpoint.due();
    assert_eq!(endpoint.retry(7, Failed, due), SignalEffect::Counted);
    assert_eq!(endpoint.health.failed_probes(), 1);
}

/// Messages that the receiver can never accept are retried each minute for a day, beside one
/// message an hour that it accepts. Returns the state and the failures at the end.
fn poisoned(messages: u32, others: bool) -> (State, u32) {
    let mut endpoint = Endpoint::new(default());
    for minute in 0..1_440 {
        let now = at(60 * i64::from(minute));
        if others && minute % 60 == 59 {
            let _ = endpoint.attempt(Success, now);
        }
        for _ in 0..messages {
            if endpoint.gate(now) == Gate::Open {
                let _ = endpoint.retry(minute + 1, Failed, now);
            }
        }
    }
    (endpoint.health.state(), endpoint.health.failures())
}

#[test]
fn eight_poisoned_messages_never_open_the_circuit() {
    assert_eq!(poisoned(8, false), (Healthy, 8));
    assert_eq!(poisoned(8, true), (Healthy, 0));
    assert_eq!(poisoned(19, false), (Healthy, 19));
    assert_eq!(poisoned(20, false).0, Down);
}

#[test]
fn chance_failures_never_open_the_circuit() {
    // Half of all attempts fail, for a day at one message a second.
    let (mut endpoint, mut seed) = (Endpoint::new(default()), 7);
    for second in 0..86_400 {
        seed = crate::flow::mix(seed);
        let signal = if seed % 2 == 0 { Failed } else { Success };
        assert_eq!(endpoint.attempt(signal, at(second)).transition(), None, "{second}");
    }
}

#[test]
fn twenty_first_failures_open_the_circuit() {
    // Within an instant, or over months: time alone forgives nothing.
    for gap in [0, 1, 86_400] {
        let mut endpoint = Endpoint::new(default());
        for count in 0..19 {
            let _ = endpoint.attempt(Failed, at(gap * count));
            // Neither retries nor what says nothing of the endpoint counts in between.
            let _ = endpoint.retry(2, Failed, at(gap * count));
            assert_eq!(endpoint.attempt(Neutral, at(gap * count)), SignalEffect::Ignored);
        }
        assert_eq!((endpoint.health.state(), endpoint.health.failures()), (Healthy, 19));
        assert_eq!(endpoint.transition(Failed, at(gap * 19)), (Healthy, Down));
    }
}

#[test]
fn twenty_refusals_open_only_after_30_s() {
    let mut endpoint = Endpoint::new(default());
    let half = Duration::from_millis(500);
    let mut now = at(0);
    while now < at(30) {
        assert_eq!(endpoint.attempt(Refused, now), SignalEffect::Counted);
        now += half;
    }
    assert_eq!((endpoint.health.failures(), endpoint.health.refusals()), (60, 60));
    assert_eq!(endpoint.attempt(Refused, at(30) - TICK), SignalEffect::Counted);
    assert_eq!(endpoint.transition(Refused, at(30)), (Healthy, Down));
    // Those that opened the circuit are still told.
    assert_eq!((endpoint.health.failures(), endpoint.health.refusals()), (62, 62));
    // Nineteen do not, however long they last.
    let mut endpoint = Endpoint::new(default());
    for hour in 0..19 {
        assert_eq!(endpoint.attempt(Refused, at(3_600 * hour)), SignalEffect::Counted);
    }
    assert_eq!(endpoint.transition(Refused, at(3_600 * 19)), (Healthy, Down));
    // The 30 s begin with the first failure since the last success.
    let mut endpoint = Endpoint::new(default());
    for second in 0..29 {
        let _ = endpoint.attempt(Refused, at(second));
    }
    let _ = endpoint.attempt(Success, at(29));
    for second in 30..60 {
        assert_eq!(endpoint.attempt(Refused, at(second)), SignalEffect::Counted, "{second}");
    }
    assert_eq!(endpoint.transition(Refused, at(60)), (Healthy, Down));
}

#[test]
fn refusals_wait_only_if_they_are_half_of_all() {
    let open = |refusals: u32| {
        let mut endpoint = Endpoint::new(default());
        let signals = (0..20).map(|count| if count < refusals { Refused } else { Failed });
        signals.map(|signal| endpoint.attempt(signal, at(0)).transition()).any(|it| it.is_some())
    };
    assert_eq!([0, 9, 10, 20].map(open), [true, true, false, false]);
    // A policy can count them like failures, or never.
    let mut endpoint = Endpoint::new(default().with_refused_for(Duration::ZERO));
    for _ in 0..19 {
        assert_eq!(endpoint.attempt(Refused, at(0)), SignalEffect::Counted);
    }
    assert_eq!(endpoint.transition(Refused, at(0)), (Healthy, Down));
    let mut endpoint = Endpoint::new(default().with_failures(None));
    for second in 0..2_000 {
        assert_eq!(endpoint.attempt(Refused, at(second)).transition(), None);
    }
    // A refusal fails a probe.
    let mut endpoint = Endpoint::down(default(), at(0));
    let due = endpoint.due();
    assert_eq!(endpoint.attempt(Refused, due), SignalEffect::Counted);
    assert_eq!(endpoint.health.failed_probes(), 1);
    endpoint.assert_waits(due, 1);
}

#[test]
fn any_success_clears_the_failures() {
    let (mut endpoint, slow) =
        (Endpoint::new(default()), |endpoint: &mut Endpoint| endpoint.start(at(0)));
    // Also one of an attempt that started before all of them, and one of a retry.
    let old = slow(&mut endpoint);
    for _ in 0..19 {
        let _ = endpoint.attempt(Failed, at(1));
    }
    assert_eq!(endpoint.record(old, Success, at(2)), SignalEffect::Counted);
    assert_eq!(endpoint.health.failures(), 0);
    for _ in 0..19 {
        let _ = endpoint.attempt(Failed, at(3));
    }
    assert_eq!(endpoint.retry(9, Success, at(4)), SignalEffect::Counted);
    assert_eq!((endpoint.health.failures(), endpoint.health.state()), (0, Healthy));
    // Nothing is left to clear.
    assert_eq!(endpoint.attempt(Success, at(5)), SignalEffect::Ignored);
}

/// A receiver that fails everything in the first `down` of each minute.
fn flaps(down: Duration, now: Timestamp) -> Signal {
    let micros = now.unix_micros().rem_euclid(60_000_000).unsigned_abs();
    if Duration::from_micros(micros) < down { Failed } else { Success }
}

#[test]
fn probes_are_not_in_step_with_a_flapping_receiver() {
    // The waits are as long as the receiver's period, the worst case.
    let policy = default().with_probes(secs(60), secs(60));
    let mut endpoint = Endpoint::new(policy);
    let mut probes = Vec::new();
    for round in 0..60 {
        // It goes down at each second of the receiver's minute.
        let now = at(86_400 * round + round);
        endpoint.fail(now);
        let mut count = 0;
        while endpoint.health.state() == Down {
            let due = endpoint.due();
            let _ = endpoint.attempt(flaps(secs(30), due), due);
            count += 1;
        }
        probes.push(count);
    }
    println!("{probes:?}");
    assert!(probes.iter().max() <= Some(&60), "{probes:?}");
    // After a long outage half of the probes succeed.
    let (mut endpoint, mut all) = (Endpoint::new(default()), 0);
    for round in 0..64 {
        endpoint.fail(at(86_400 * round));
        endpoint.fail_probes(at(86_400 * round + 7_200));
        while endpoint.health.state() == Down {
            let due = endpoint.due();
            let _ = endpoint.attempt(flaps(secs(30), due), due);
            all += 1;
        }
    }
    println!("{all} probes for 64 outages");
    assert!((96..160).contains(&all), "{all} probes for 64 outages");
}
