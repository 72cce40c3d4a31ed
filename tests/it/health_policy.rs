//! Health policies and outage guards: files, and what is wrong with them.

use std::num::{NonZeroU8, NonZeroU32};
use std::time::Duration;

use labhook::HealthPolicy;
use labhook::health::{Health, NewMessages, OutagePolicy, PendingOnDisable, SenderOutage, Signal};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use crate::support::at;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn read(json: &str) -> Result<HealthPolicy, String> {
    serde_json::from_str(json).map_err(|error| {
        // Without the place that serde_json adds.
        error.to_string().split(" at line ").next().unwrap().to_owned()
    })
}

#[test]
fn each_contradiction_has_its_error() {
    for (json, error) in [
        (r#"{"failures": 0}"#, "the number of failures that degrade is zero"),
        (r#"{"failure_window_ms": 0}"#, "the failure window is zero"),
        (r#"{"probes_ms": []}"#, "the ladder has no probe"),
        (r#"{"probes_ms": [1, 2, 0, 0]}"#, "the wait before probe 3 is zero"),
        (r#"{"probe_timeout_ms": 0}"#, "the probe timeout is zero"),
        (r#"{"suspend_after_probes": 0}"#, "the number of failed probes that suspend is zero"),
        (r#"{"disable_after_ms": 0}"#, "the suspension that disables is zero"),
    ] {
        assert_eq!(read(json).unwrap_err(), error);
    }
    for json in [
        r#"{"failure": 5}"#,
        r#"{"failures": 256}"#,
        r#"{"probes": [5]}"#,
        r#"{"probe_timeout_ms": "30 s"}"#,
        r#"{"waiting": "drop"}"#,
        r#"{"new_messages": "cancel"}"#,
    ] {
        assert!(read(json).is_err(), "{json}");
    }
}

#[test]
fn what_is_absent_is_the_defaults_and_null_lifts_a_limit() {
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
    assert_eq!(lifted.time_to_disable(), None);
}

#[test]
fn the_written_form_is_this_one() {
    assert_eq!(
        serde_json::to_string(&HealthPolicy::default()).unwrap(),
        concat!(
            r#"{"failures":5,"failure_window_ms":86400000,"overload_limit_ms":300000,"#,
            r#""probes_ms":[300000,600000,1200000,2400000,3600000,14400000],"#,
            r#""probe_timeout_ms":30000,"suspend_after_probes":6,"disable_after_ms":604800000,"#,
            r#""new_messages":"hold","waiting":"cancel"}"#
        )
    );
}

pub(crate) fn policies(longest: u64) -> impl Strategy<Value = HealthPolicy> {
    let choices = (any::<bool>(), any::<bool>());
    (
        (1..5_u8, of(0..=longest), of(0..=longest)),
        (0..=longest, vec(0..=longest, 0..4), 0..=longest),
        (of(1..5_u32), of(0..=longest.saturating_mul(4))),
        choices,
    )
        .prop_map(
            |(
                (failures, window, limit),
                (first, rest, timeout),
                (suspend, disable),
                (shed, keep),
            )| {
                HealthPolicy::new()
                    .with_failures(NonZeroU8::new(failures))
                    .with_failure_window(window.map(ms))
                    .with_overload_limit(limit.map(ms))
                    .with_probes(ms(first), rest.into_iter().map(ms))
                    .with_probe_timeout(ms(timeout))
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
    fn a_policy_from_code_survives_a_file(policy in policies(u64::MAX)) {
        let json = serde_json::to_string(&policy).unwrap();
        prop_assert_eq!(read(&json), Ok(policy.clone()));
        prop_assert!(policy.probes().all(|wait| wait > Duration::ZERO));
        prop_assert_eq!(policy.probes().last().unwrap(), policy.probe_wait(u32::MAX));
        prop_assert!(policy.time_to_disable() >= policy.disable_after().filter(|_| policy.suspend_after().is_some()));
    }

    #[test]
    fn the_guard_compares_exactly(percent in 0..=100_u8, least in 0..9_u32, failing in 0..20_u64, all in 0..20_u64) {
        let holds = OutagePolicy::new(percent, least).check(failing, all).is_suspected();
        let failing = failing.min(all);
        prop_assert_eq!(holds, failing * 100 > all * u64::from(percent) && failing >= u64::from(least));
    }
}

#[test]
fn a_guard_has_no_extremes() {
    let guard = OutagePolicy::new(99, 1);
    assert_eq!(guard.check(u64::MAX, u64::MAX), SenderOutage::Suspected);
    assert_eq!(guard.check(u64::MAX, 0), SenderOutage::Clear);
    assert_eq!(OutagePolicy::new(255, 0).percent(), 100);
    assert_eq!(OutagePolicy::new(100, 0).check(9, 9), SenderOutage::Clear);
    assert_eq!(OutagePolicy::default().check(3, 5), SenderOutage::Suspected);
    assert_eq!(OutagePolicy::default().check(2, 2), SenderOutage::Clear);
    assert_eq!(OutagePolicy::default().at_least(), 3);
    // To one in 10^18.
    let half = u64::MAX / 2;
    assert_eq!(OutagePolicy::default().check(half, half * 2), SenderOutage::Clear);
    assert_eq!(OutagePolicy::default().check(half + 1, half * 2), SenderOutage::Suspected);
}

#[test]
fn a_guard_in_a_file() {
    let read = |json| serde_json::from_str::<OutagePolicy>(json).map_err(|error| error.to_string());
    assert_eq!(read("{}"), Ok(OutagePolicy::default()));
    assert_eq!(read(r#"{"percent": 0, "at_least": 10}"#), Ok(OutagePolicy::new(0, 10)));
    let error = "an outage guard over 101 percent could never hold";
    assert_eq!(read(r#"{"percent": 101}"#), Err(error.to_owned()));
    assert!(read(r#"{"share": 50}"#).is_err());
    assert_eq!(
        serde_json::to_string(&OutagePolicy::default()).unwrap(),
        r#"{"percent":50,"at_least":3}"#
    );
}

#[test]
fn a_policy_may_have_no_failure_degrade() {
    let never: HealthPolicy = serde_json::from_str(r#"{"failures": null}"#).unwrap();
    assert_eq!(never, HealthPolicy::never());
    assert_eq!(never.time_to_disable(), None);
    let mut health = Health::new();
    for second in 0..1_000 {
        let pass = health.start(&never, at(second)).unwrap();
        let signal = if second % 2 == 0 { Signal::EndpointFault } else { Signal::Overload };
        assert_eq!(
            health.record(&never, SenderOutage::Clear, pass, signal, at(second)).transition(),
            None
        );
    }
    assert_eq!(health, Health::new(), "it gathers nothing");
}
