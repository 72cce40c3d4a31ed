//! The saved form of the state.

use labhook::health::{Gate, Health, Permit, State};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::fixture::{Endpoint, at, default, restored, secs};
use super::world::SIGNALS;
use crate::support::config;

use labhook::health::Signal::{Failed, Refused, Success};

#[test]
fn saved_state_has_this_form() {
    let json = |health: &Health| serde_json::to_string(health).unwrap();
    let mut endpoint = Endpoint::new(default());
    let nothing = r#"{"failures":0,"refusals":0,"since":0}"#;
    assert_eq!(
        json(&endpoint.health),
        format!(r#"{{"serial":0,"enabled_serial":0,"state":{{"healthy":{nothing}}}}}"#)
    );
    let _ = endpoint.attempt(Failed, at(1));
    let _ = endpoint.attempt(Refused, at(2));
    assert_eq!(
        json(&endpoint.health),
        concat!(
            r#"{"serial":0,"enabled_serial":0,"state":"#,
            r#"{"healthy":{"failures":2,"refusals":1,"since":1000000}}}"#
        )
    );
    let first = endpoint.start(at(2));
    assert_eq!(
        serde_json::to_string(&first).unwrap(),
        r#"{"serial":0,"first":true,"deadline":null}"#
    );
    let mut endpoint = Endpoint::down(default(), at(0));
    let permit = endpoint.start(at(11));
    assert_eq!(
        serde_json::to_string(&permit).unwrap(),
        r#"{"serial":1,"first":false,"deadline":41000000}"#
    );
    assert_eq!(serde_json::from_str::<Permit>(r#"{"serial":7}"#).unwrap().deadline(), None);
    let serials = r#"{"serial":1,"enabled_serial":0"#;
    let timer = r#""timer":{"start":0,"decided_until":0}"#;
    let down = r#"{"down":{"since":0,"serial":0,"failures":20,"refusals":0,"failed_probes":"#;
    assert_eq!(
        json(&endpoint.health),
        format!(
            r#"{serials},"state":{down}0,"probe":{{"in_flight":{}}},{timer}}}}}}}"#,
            r#"{"serial":1,"started":11000000,"deadline":41000000}"#
        )
    );
    let _ = endpoint.gate(at(41));
    let due = endpoint.due().unix_micros();
    assert_eq!(
        json(&endpoint.health),
        format!(
            r#"{serials},"state":{down}0,"probe":{{"waiting":{}}},{timer}}}}}}}"#,
            format_args!(r#"{{"due":{due},"overdue":true}}"#)
        )
    );
    let _ = endpoint.record(permit, Failed, at(42));
    let _ = endpoint.gate(at(42) + secs(60));
    let due = endpoint.health.claim_at().unwrap().unix_micros();
    endpoint.health.pause(at(43));
    assert_eq!(
        json(&endpoint.health),
        format!(
            r#"{serials},"paused_since":43000000,"state":{down}1,{},{}}}}}}}"#,
            format_args!(r#""probe":{{"due":{{"since":{due}}}}}"#),
            r#""timer":{"start":0,"decided_until":42000000}"#
        )
    );
    endpoint.health.disable(Some("why".to_owned()), at(303));
    assert_eq!(
        json(&endpoint.health),
        concat!(
            r#"{"serial":1,"enabled_serial":0,"paused_since":43000000,"#,
            r#""state":{"disabled":{"since":303000000,"by":"operator","reason":"why"}}}"#
        )
    );
    assert_eq!(restored(&endpoint.health), endpoint.health);
    assert_eq!(endpoint.health.state().to_string(), "disabled");
    for signal in SIGNALS {
        assert_eq!(serde_json::to_string(&signal).unwrap(), format!("\"{signal}\""));
    }
}

/// An endpoint as a record edited by hand may have it: healthy or down.
fn states() -> impl Strategy<Value = Value> {
    let serial = || prop_oneof![Just(0), Just(u64::MAX), 0..4_u64, any::<u64>()];
    let count = || prop_oneof![Just(0), Just(u32::MAX), 0..40_u32, any::<u32>()];
    let time =
        || prop_oneof![Just(i64::MIN), Just(i64::MAX), -9_000_000..9_000_000_i64, any::<i64>()];
    let healthy = (count(), count(), time()).prop_map(|(failures, refusals, since)| {
        json!({"healthy": {"failures": failures, "refusals": refusals, "since": since}})
    });
    let probe = prop_oneof![
        (time(), any::<bool>())
            .prop_map(|(due, overdue)| json!({"waiting": {"due": due, "overdue": overdue}})),
        time().prop_map(|since| json!({"due": {"since": since}})),
        (serial(), time(), time()).prop_map(|(serial, started, deadline)| {
            json!({"in_flight": {"serial": serial, "started": started, "deadline": deadline}})
        }),
    ];
    let counts = (count(), count(), count());
    let down = (time(), serial(), counts, probe, time(), time()).prop_map(
        |(since, serial, (failures, refusals, failed_probes), probe, start, decided_until)| {
            json!({"down": {
                "since": since, "serial": serial, "failures": failures, "refusals": refusals,
                "failed_probes": failed_probes, "probe": probe,
                "timer": {"start": start, "decided_until": decided_until},
            }})
        },
    );
    let paused = prop::option::of(time());
    (serial(), serial(), paused, prop_oneof![1 => healthy, 3 => down]).prop_map(
        |(serial, enabled_serial, paused_since, state)| {
            json!({
                "serial": serial, "enabled_serial": enabled_serial,
                "paused_since": paused_since, "state": state,
            })
        },
    )
}

proptest! {
    #![proptest_config(config())]

    /// Whatever a record says, a receiver that accepts everything is healthy after one probe, and
    /// one that then fails is down.
    #[test]
    fn any_saved_state_becomes_healthy(state in states()) {
        let mut endpoint = Endpoint::new(default());
        endpoint.health = serde_json::from_value(state).unwrap();
        // An application that has restarted.
        endpoint.health.forget_in_flight();
        endpoint.health.resume(at(0));
        let mut now = at(0);
        if let Gate::Hold { until } = endpoint.gate(now) {
            prop_assert!(until <= now + secs(660), "{until}");
            now = until;
        }
        let _ = endpoint.attempt(Success, now);
        prop_assert_eq!(endpoint.health.state(), State::Healthy);
        prop_assert_eq!(endpoint.health.failures(), 0);
        prop_assert_eq!(endpoint.gate(now), Gate::Open);
        for _ in 0..20 {
            prop_assert_eq!(endpoint.health.state(), State::Healthy);
            let _ = endpoint.attempt(Failed, now);
        }
        prop_assert_eq!(endpoint.health.state(), State::Down);
        let due = endpoint.due();
        let _ = endpoint.attempt(Failed, due);
        prop_assert_eq!(endpoint.health.failed_probes(), 1);
        let due = endpoint.due();
        let _ = endpoint.attempt(Success, due);
        prop_assert_eq!(endpoint.health.state(), State::Healthy);
    }
}
