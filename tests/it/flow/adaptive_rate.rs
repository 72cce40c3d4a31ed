//! The adaptive rate alone.

use std::time::Duration;

use labhook::flow::{AdaptiveRate, AdaptiveRatePolicy};

use super::ms;
use crate::support::{at, secs};

#[test]
fn rate_starts_at_what_was_delivered() {
    let policy = AdaptiveRatePolicy::new(secs(10));
    let mut rate = AdaptiveRate::new();
    for i in 0..1_000 {
        let now = at(0) + ms(10 * i);
        assert_eq!(rate.wait(&policy, now), None, "no limit before the first refusal");
        rate.released(&policy, now);
        rate.succeeded(&policy, now, now + ms(5));
    }
    let now = at(10);
    assert!(rate.refused(&policy, now, now));
    // A hundred per second were delivered, except those whose response closed a period.
    let spacing = rate.spacing(&policy).unwrap();
    assert!(spacing >= ms(11) && spacing < Duration::from_micros(11_300), "{spacing:?}");
    // No attempt in flight counts again, nor any started within the next second.
    for i in 0..100 {
        assert!(!rate.refused(&policy, now - ms(i), now + ms(5)));
        assert!(!rate.refused(&policy, now + ms(9 * i), now + ms(9 * i)));
    }
    assert_eq!(rate.spacing(&policy), Some(spacing));
    // Now nothing is delivered: the rate decreases by a quarter each time, to the slowest.
    for i in 1..100 {
        let later = at(10 + 50 * i);
        assert!(rate.refused(&policy, later, later));
    }
    assert_eq!(rate.spacing(&policy), Some(secs(10)));
    rate.released(&policy, at(9_000));
    assert_eq!(rate.wait(&policy, at(9_000)), Some(at(9_010)));
}

#[test]
fn attempts_from_before_a_decrease_do_not_count() {
    let policy = AdaptiveRatePolicy::new(secs(10));
    let mut rate = AdaptiveRate::new();
    assert!(rate.refused(&policy, at(0), at(0)));
    let spacing = rate.spacing(&policy).unwrap();
    for _ in 0..100 {
        rate.succeeded(&policy, at(-1), at(1));
    }
    for _ in 0..4 {
        assert!(!rate.refused(&policy, at(2), at(3)));
    }
    assert!(rate.refused(&policy, at(5), at(5)));
    let slower = rate.spacing(&policy).unwrap();
    assert!(slower >= spacing * 4 - secs(1) && slower <= spacing * 4 + secs(1), "to a quarter");
}

#[test]
fn rate_is_never_below_the_slowest() {
    let mut rate = AdaptiveRate::new();
    for i in 0..50 {
        rate.refused(&AdaptiveRatePolicy::new(secs(60)), at(1_000 * i), at(1_000 * i));
    }
    assert_eq!(
        rate.spacing(&AdaptiveRatePolicy::new(secs(60))),
        Some(Duration::from_micros(59_998_801))
    );
    assert_eq!(rate.spacing(&AdaptiveRatePolicy::new(secs(1))), Some(secs(1)));
    rate.released(&AdaptiveRatePolicy::new(secs(1)), at(50_000));
    assert_eq!(rate.wait(&AdaptiveRatePolicy::new(secs(1)), at(50_000)), Some(at(50_001)));
}

#[test]
fn unused_rate_does_not_increase() {
    let policy = AdaptiveRatePolicy::new(secs(10));
    let mut rate = AdaptiveRate::new();
    assert!(rate.refused(&policy, at(0), at(0)));
    let slow = rate.spacing(&policy);
    assert_eq!(slow, Some(Duration::from_micros(1_111_112)), "nine tenths of one per second");
    for i in 1..100 {
        rate.succeeded(&policy, at(100 * i), at(100 * i));
    }
    assert_eq!(rate.spacing(&policy), slow);
}
