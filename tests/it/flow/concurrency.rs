//! The concurrency limit alone.

use labhook::Timestamp;
use labhook::flow::{ConcurrencyLimit, ConcurrencyLimitPolicy};

use super::{ms, nz};
use crate::support::at;

#[test]
fn limit_doubles_per_round_then_grows_by_one() {
    let policy = ConcurrencyLimitPolicy::adaptive(nz(1), nz(64));
    let (mut concurrency, mut now) = (ConcurrencyLimit::new(), at(0));
    let mut sizes = Vec::new();
    let round = |concurrency: &mut ConcurrencyLimit, now: &mut Timestamp| {
        let limit = concurrency.limit(&policy).get();
        for _ in 0..limit {
            concurrency.succeeded(&policy, limit);
        }
        *now += ms(20);
        concurrency.limit(&policy).get()
    };
    for _ in 0..5 {
        sizes.push(round(&mut concurrency, &mut now));
    }
    assert!(concurrency.overloaded(&policy, now, now));
    sizes.push(concurrency.limit(&policy).get());
    for _ in 0..3 {
        sizes.push(round(&mut concurrency, &mut now));
    }
    assert_eq!(sizes, [2, 4, 8, 16, 32, 16, 17, 18, 19]);
    for _ in 0..100 {
        round(&mut concurrency, &mut now);
    }
    assert_eq!(concurrency.limit(&policy).get(), 64, "the maximum");
}

#[test]
fn limit_halves_once_for_all_in_flight() {
    let policy = ConcurrencyLimitPolicy::adaptive(nz(64), nz(64));
    let mut concurrency = ConcurrencyLimit::new();
    assert!(concurrency.overloaded(&policy, at(0), at(2)));
    for started in [0, 1, 2] {
        assert!(
            !concurrency.overloaded(&policy, at(started), at(3)),
            "started before the decrease"
        );
    }
    assert_eq!(concurrency.limit(&policy).get(), 32);
    assert!(concurrency.overloaded(&policy, at(3), at(4)));
    assert_eq!(concurrency.limit(&policy).get(), 16);
    // After the clock has stepped back by a minute, attempts that start from there count.
    assert!(!concurrency.overloaded(&policy, at(-55), at(-54)));
    assert!(concurrency.overloaded(&policy, at(-53), at(-50)));
    assert_eq!(concurrency.limit(&policy).get(), 8);
    for second in 5..50 {
        concurrency.overloaded(&policy, at(second), at(second));
    }
    assert_eq!(concurrency.limit(&policy).get(), 1, "never 0");
}

#[test]
fn unused_limit_does_not_grow() {
    let policy = ConcurrencyLimitPolicy::adaptive(nz(8), nz(64));
    let mut concurrency = ConcurrencyLimit::new();
    for _ in 0..100 {
        concurrency.succeeded(&policy, 3);
    }
    assert_eq!(concurrency.limit(&policy).get(), 8);
    concurrency.succeeded(&policy, 4);
    assert_eq!(concurrency.limit(&policy).get(), 9);
    assert_eq!(
        concurrency.limit(&ConcurrencyLimitPolicy::adaptive(nz(1), nz(4))).get(),
        4,
        "the policy's maximum"
    );
}

#[test]
fn fixed_limit_does_not_change() {
    let policy = ConcurrencyLimitPolicy::fixed(nz(8));
    let mut concurrency = ConcurrencyLimit::new();
    assert!(!concurrency.overloaded(&policy, at(0), at(0)));
    concurrency.succeeded(&policy, 8);
    concurrency.recovered();
    assert_eq!(concurrency.limit(&policy).get(), 8);
}
