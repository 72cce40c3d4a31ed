//! Random policies and outcomes.

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
            .prop_map(|delays| Schedule::list(delays.into_iter().map(ms)).forever()),
        (0..=longest, 0..4_u32, 0..=longest, 0..5_u32).prop_map(|(base, factor, cap, retries)| {
            Schedule::exponential(ms(base), factor, ms(cap), retries)
        }),
    ]
}

pub(super) fn guarantees() -> impl Strategy<Value = DeliveryGuarantee> {
    prop_oneof![
        Just(DeliveryGuarantee::AtLeastOnce),
        Just(DeliveryGuarantee::AtMostOnce),
        Just(DeliveryGuarantee::Ask)
    ]
}

/// Policies whose times are at most `longest` milliseconds, and which always end.
pub(super) fn policies(longest: u64) -> impl Strategy<Value = RetryPolicy> {
    (
        schedules(longest),
        jitters(),
        1..=longest,
        proptest::option::of(1..=longest.saturating_mul(4)),
        1..6_u32,
        0..=longest,
        guarantees(),
    )
        .prop_map(|(schedule, jitter, timeout, window, attempts, cap, doubt)| {
            RetryPolicy::new(schedule)
                .with_jitter(jitter)
                .with_attempt_timeout(ms(timeout))
                .with_window(window.map(ms))
                .with_max_attempts(NonZeroU32::new(attempts))
                .with_retry_after_cap(ms(cap))
                .with_guarantee(doubt)
        })
}

pub(super) fn outcomes() -> impl Strategy<Value = Outcome> {
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
