//! The saved form of the state.

use labhook::health::{Health, Permit};

use super::fixture::{Endpoint, at, default, restored, secs};
use super::world::SIGNALS;

use labhook::health::Signal::{Failed, Refused};

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
    assert_eq!(serde_json::to_string(&first).unwrap(), r#"{"serial":0,"first":true}"#);
    let mut endpoint = Endpoint::down(default(), at(0));
    let permit = endpoint.start(at(11));
    assert_eq!(serde_json::to_string(&permit).unwrap(), r#"{"serial":1,"deadline":41000000}"#);
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
