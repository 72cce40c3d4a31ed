//! The file form of a health policy.

use std::num::NonZeroU32;
use std::time::Duration;

use labhook::HealthPolicy;
use labhook::health::{Health, PendingOnDisable, SenderOutage, Signal, State};
use proptest::option::of;
use proptest::prelude::*;

use super::fixture::Endpoint;
use crate::support::at;

/// In seconds.
const DAY: u64 = 86_400;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn read(json: &str) -> Result<HealthPolicy, String> {
    serde_json::from_str(json).map_err(|error| {
        // Without the position that serde_json adds.
        error.to_string().split(" at line ").next().unwrap().to_owned()
    })
}

#[test]
fn invalid_value_has_its_error() {
    for (json, error) in [
        (r#"{"failures": 0}"#, "`failures` must be at least 1"),
        (r#"{"first_probe_ms": 0}"#, "`first_probe_ms` must be at least 1"),
        (r#"{"disable_after_ms": 0}"#, "`disable_after_ms` must be at least 1"),
        (
            r#"{"first_probe_ms": 600001}"#,
            "`first_probe_ms` must be at most `longest_wait_ms`, which is 600000, got 600001",
        ),
        (
            r#"{"longest_wait_ms": 0}"#,
            "`first_probe_ms` must be at most `longest_wait_ms`, which is 0, got 10000",
        ),
        (r#""always""#, "unknown preset `always`, expected one of `default`, `never`"),
        (r#"{"preset": ""}"#, "unknown preset ``, expected one of `default`, `never`"),
        (
            "7",
            "invalid type: integer `7`, expected the name of a health policy preset, or a health \
             policy table",
        ),
    ] {
        assert_eq!(read(json).unwrap_err(), error);
    }
    for json in [
        r#"{"failure": 5}"#,
        r#"{"failures": 4294967296}"#,
        r#"{"probes_ms": [5]}"#,
        r#"{"suspend_after_probes": 6}"#,
        r#"{"disable_after_ms": "30 s"}"#,
        r#"{"pending_on_disable": "drop"}"#,
        r#"{"new_messages": "shed"}"#,
    ] {
        assert!(read(json).is_err(), "{json}");
    }
}

#[test]
fn absent_field_is_the_default_and_null_lifts_a_limit() {
    assert_eq!(read("{}").unwrap(), HealthPolicy::default());
    let lifted =
        read(r#"{"failures": null, "shed_after_ms": null, "disable_after_ms": null}"#).unwrap();
    assert_eq!(
        lifted,
        HealthPolicy::new().with_failures(None).with_shed_after(None).with_disable_after(None)
    );
    assert_eq!((lifted.failures(), lifted.time_to_disable(ms(1))), (None, None));
}

#[test]
fn written_form_has_every_field() {
    assert_eq!(
        serde_json::to_string(&HealthPolicy::default()).unwrap(),
        concat!(
            r#"{"failures":20,"refused_for_ms":30000,"first_probe_ms":10000,"#,
            r#""longest_wait_ms":600000,"shed_after_ms":"none","disable_after_ms":604800000,"#,
            r#""pending_on_disable":"cancel"}"#
        )
    );
}

#[test]
fn preset_is_a_name_or_a_field() {
    for (name, policy) in [("default", HealthPolicy::new()), ("never", HealthPolicy::never())] {
        assert_eq!(HealthPolicy::named(name).as_ref(), Some(&policy));
        assert_eq!(read(&format!("\"{name}\"")).as_ref(), Ok(&policy));
        assert_eq!(read(&format!(r#"{{"preset": "{name}"}}"#)).as_ref(), Ok(&policy));
    }
    assert_eq!(HealthPolicy::named("always"), None);
    assert_eq!(
        read(r#"{"preset": "never", "pending_on_disable": "keep"}"#).unwrap(),
        HealthPolicy::never().with_pending_on_disable(PendingOnDisable::Keep)
    );
}

/// Policies with times of up to `longest` milliseconds.
pub(crate) fn policies(longest: u64) -> impl Strategy<Value = HealthPolicy> {
    (
        (1..5_u32, 0..=longest),
        (0..=longest, 0..=longest),
        (of(0..=longest), of(0..=longest.saturating_mul(4))),
        any::<bool>(),
    )
        .prop_map(|((failures, refused_for), (first, wait), (shed, disable), keep)| {
            HealthPolicy::new()
                .with_failures(NonZeroU32::new(failures))
                .with_refused_for(ms(refused_for))
                .with_probes(ms(first), ms(wait))
                .with_shed_after(shed.map(ms))
                .with_disable_after(disable.map(ms))
                .with_pending_on_disable(if keep {
                    PendingOnDisable::Keep
                } else {
                    PendingOnDisable::Cancel
                })
        })
}

proptest! {
    #[test]
    fn policy_survives_a_round_trip(policy in policies(u64::MAX), timeout in any::<u64>()) {
        let json = serde_json::to_string(&policy).unwrap();
        prop_assert_eq!(read(&json), Ok(policy));
        prop_assert!(policy.time_to_disable(ms(timeout)) >= policy.disable_after());
    }

    /// Probes that start when they are due, and fail after the timeout or at once.
    #[test]
    fn failing_probes_disable_within_the_bound(
        (longest, disable) in (1..10 * DAY, 1..20 * DAY),
        timeout in prop_oneof![1..100_u64, 1..2 * DAY],
        serial in 0..9_i64,
        quick in any::<bool>(),
    ) {
        let policy = HealthPolicy::new()
            .with_probes(Duration::from_secs(longest.min(600)), Duration::from_secs(longest))
            .with_disable_after(Duration::from_secs(disable));
        let timeout = Duration::from_secs(timeout);
        let mut endpoint = Endpoint::new(policy);
        for outage in 0..serial {
            // The jitter of the waits depends on the outages so far.
            endpoint.fail(at(-90_000 + 10_000 * outage));
            let due = endpoint.due();
            let _ = endpoint.attempt(Signal::Success, due);
        }
        endpoint.fail(at(0));
        let mut now = at(0);
        while endpoint.health.state() == State::Down {
            now = endpoint.due();
            let permit = endpoint.health.start(1, now + timeout, now).unwrap();
            now += if quick { Duration::ZERO } else { timeout };
            let _ = endpoint.record(permit, Signal::Failed, now);
        }
        let took = now.saturating_since(at(0));
        prop_assert!(took >= Duration::from_secs(disable));
        prop_assert!(Some(took) <= policy.time_to_disable(timeout), "{took:?}");
    }

    #[test]
    fn waits_grow_by_half_to_the_longest(policy in policies(u64::MAX), failed in 0..200_u32) {
        let (wait, next) = (policy.probe_wait(failed), policy.probe_wait(failed.saturating_add(1)));
        prop_assert!(wait > Duration::ZERO && wait <= policy.longest_wait());
        prop_assert!(next >= wait && next <= wait.saturating_mul(2));
        let longer = wait.saturating_add(wait / 2).saturating_sub(ms(1));
        prop_assert!(next >= longer.min(policy.longest_wait()));
        prop_assert_eq!(policy.probe_wait(u32::MAX), policy.longest_wait());
    }
}

#[test]
fn never_policy_opens_no_circuit() {
    let never: HealthPolicy = serde_json::from_str(r#"{"failures": null}"#).unwrap();
    assert_eq!(never, HealthPolicy::never());
    assert_eq!(never.time_to_disable(ms(1)), None);
    let mut health = Health::new();
    for second in 0..1_000 {
        let permit = health.start(1, at(second + 30), at(second)).unwrap();
        let signal = if second % 2 == 0 { Signal::Failed } else { Signal::Refused };
        assert_eq!(
            health.record(&never, SenderOutage::Clear, permit, signal, at(second)).transition(),
            None
        );
    }
    assert_eq!(health.failures(), 1_000, "they are counted, and open nothing");
    assert!(health.state().is_healthy());
}
