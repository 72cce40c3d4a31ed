//! The file form of a health policy.

use std::num::{NonZeroU8, NonZeroU32};
use std::time::Duration;

use labhook::HealthPolicy;
use labhook::health::{Health, NewMessages, PendingOnDisable, SenderOutage, Signal};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use crate::support::at;

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
        (r#"{"failure_window_ms": 0}"#, "`failure_window_ms` must be at least 1"),
        (r#"{"probes_ms": []}"#, "`probes_ms` must list at least one wait"),
        (r#"{"probes_ms": [1, 2, 0, 0]}"#, "`probes_ms[2]` must be at least 1"),
        (r#"{"suspend_after_probes": 0}"#, "`suspend_after_probes` must be at least 1"),
        (r#"{"disable_after_ms": 0}"#, "`disable_after_ms` must be at least 1"),
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
        r#"{"failures": 256}"#,
        r#"{"probes": [5]}"#,
        r#"{"disable_after_ms": "30 s"}"#,
        r#"{"pending_on_disable": "drop"}"#,
        r#"{"new_messages": "cancel"}"#,
    ] {
        assert!(read(json).is_err(), "{json}");
    }
}

#[test]
fn absent_field_is_the_default_and_null_lifts_a_limit() {
    assert_eq!(read("{}").unwrap(), HealthPolicy::default());
    let lifted = read(
        r#"{"failure_window_ms": null, "overload_limit_ms": null, "suspend_after_probes": null,
            "disable_after_ms": null}"#,
    )
    .unwrap();
    let none: Option<Duration> = None;
    assert_eq!(
        lifted,
        HealthPolicy::new()
            .with_failure_window(none)
            .with_overload_limit(none)
            .with_suspend_after(None)
            .with_disable_after(none)
    );
    assert_eq!(lifted.time_to_disable(ms(1)), None);
}

#[test]
fn written_form_has_every_field() {
    assert_eq!(
        serde_json::to_string(&HealthPolicy::default()).unwrap(),
        concat!(
            r#"{"failures":5,"failure_window_ms":86400000,"overload_limit_ms":300000,"#,
            r#""probes_ms":[300000,600000,1200000,2400000,3600000,14400000],"#,
            r#""suspend_after_probes":6,"disable_after_ms":604800000,"#,
            r#""new_messages":"hold","pending_on_disable":"cancel"}"#
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
    let choices = (any::<bool>(), any::<bool>());
    (
        (1..5_u8, of(0..=longest), of(0..=longest)),
        (0..=longest, vec(0..=longest, 0..4)),
        (of(1..5_u32), of(0..=longest.saturating_mul(4))),
        choices,
    )
        .prop_map(
            |((failures, window, limit), (first, rest), (suspend, disable), (shed, keep))| {
                HealthPolicy::new()
                    .with_failures(NonZeroU8::new(failures))
                    .with_failure_window(window.map(ms))
                    .with_overload_limit(limit.map(ms))
                    .with_probes(ms(first), rest.into_iter().map(ms))
                    .with_suspend_after(suspend.and_then(NonZeroU32::new))
                    .with_disable_after(disable.map(ms))
                    .with_new_messages(if shed { NewMessages::Shed } else { NewMessages::Hold })
                    .with_pending_on_disable(if keep {
                        PendingOnDisable::Keep
                    } else {
                        PendingOnDisable::Cancel
                    })
            },
        )
}

proptest! {
    #[test]
    fn policy_survives_a_round_trip(policy in policies(u64::MAX), timeout in any::<u64>()) {
        let json = serde_json::to_string(&policy).unwrap();
        prop_assert_eq!(read(&json), Ok(policy.clone()));
        prop_assert!(policy.probes().all(|wait| wait > Duration::ZERO));
        prop_assert_eq!(policy.probes().last().unwrap(), policy.probe_wait(u32::MAX));
        let disables = policy.disable_after().filter(|_| policy.suspend_after().is_some());
        prop_assert!(policy.time_to_disable(ms(timeout)) >= disables);
    }
}

#[test]
fn never_policy_counts_no_failure() {
    let never: HealthPolicy = serde_json::from_str(r#"{"failures": null}"#).unwrap();
    assert_eq!(never, HealthPolicy::never());
    assert_eq!(never.time_to_disable(ms(1)), None);
    let mut health = Health::new();
    for second in 0..1_000 {
        let permit = health.start(at(second + 30), at(second)).unwrap();
        let signal = if second % 2 == 0 { Signal::EndpointFault } else { Signal::Overload };
        assert_eq!(
            health.record(&never, SenderOutage::Clear, permit, signal, at(second)).transition(),
            None
        );
    }
    assert_eq!(health, Health::new(), "nothing is counted");
}
